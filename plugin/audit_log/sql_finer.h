/* SPDX-License-Identifier: Apache-2.0
 *
 * MySQL's finer names of statements, from their words. */
#ifndef AUDIT_LOG_SQL_FINER_H
#define AUDIT_LOG_SQL_FINER_H

#include <weir/plugin.h>

/* "insert_select" for an Insert whose text reads so, "show_tables" for a Show; NULL: the name of the
 * kind is fine enough. Static. */
const char *sql_finer(weir_string kind, weir_string sql);

#endif
