/* SPDX-License-Identifier: Apache-2.0
 *
 * The grammar of ADMIN RELOAD CONFIG. Pure, no allocation. */
#ifndef WEIR_GATEWAY_LOCAL_GRAMMAR_RELOAD_H
#define WEIR_GATEWAY_LOCAL_GRAMMAR_RELOAD_H

#include "base/base.h"
#include "sql/sql.h"

/* Returns false for a statement that does not begin with ADMIN RELOAD. *wrong: what follows is not CONFIG alone. */
WEIR_MUST_CHECK bool grammar_reload(struct sql_span statement, const struct sql_mode *mode,
                                    bool *wrong);

#endif
