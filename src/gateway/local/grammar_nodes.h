/* SPDX-License-Identifier: Apache-2.0
 *
 * The grammar of ADMIN SHOW NODES. Pure, no allocation. */
#ifndef WEIR_GATEWAY_LOCAL_GRAMMAR_NODES_H
#define WEIR_GATEWAY_LOCAL_GRAMMAR_NODES_H

#include "base/base.h"
#include "sql/sql.h"

/* Returns false for a statement that does not begin with ADMIN SHOW NODES. *wrong: something follows. */
WEIR_MUST_CHECK bool grammar_nodes(struct sql_span statement, const struct sql_mode *mode,
                                   bool *wrong);

#endif
