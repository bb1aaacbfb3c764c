/* SPDX-License-Identifier: Apache-2.0
 *
 * The database that a definition of a database names. */
#ifndef WEIR_AUDIT_SCHEMA_H
#define WEIR_AUDIT_SCHEMA_H

#include <weir/text.h>

/* The name in CREATE, ALTER or DROP DATABASE, as it is written between its quotes; absent when the
 * text is none of these. Borrowed from the text. */
weir_string schema_of_definition(weir_string kind, weir_string sql);

#endif
