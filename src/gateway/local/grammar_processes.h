/* SPDX-License-Identifier: Apache-2.0
 *
 * The grammar of ADMIN SHOW PROCESSLIST [CLUSTER]. Pure, no allocation. */
#ifndef WEIR_GATEWAY_LOCAL_GRAMMAR_PROCESSES_H
#define WEIR_GATEWAY_LOCAL_GRAMMAR_PROCESSES_H

#include "base/base.h"
#include "sql/sql.h"

/* Returns false for a statement that does not begin with ADMIN SHOW PROCESSLIST. *wrong: something else follows. */
WEIR_MUST_CHECK bool grammar_processes(struct sql_span statement, const struct sql_mode *mode,
                                       bool *is_cluster, bool *wrong);

#endif
