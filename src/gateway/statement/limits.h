/* SPDX-License-Identifier: Apache-2.0
 *
 * What plugins allow the reply of a command to be (weir_limit_statement()): rows, bytes, time. Kept with
 * the command; the session looks at it while the reply comes. */
#ifndef WEIR_GATEWAY_STATEMENT_LIMITS_H
#define WEIR_GATEWAY_STATEMENT_LIMITS_H

#include "gateway/statement/observed.h"

/* A plugin limits the command whose Starting it is being notified of. Of several limits of a sort the
 * smallest counts. owner: its struct observed. Returns 1, or 0: it cannot be limited here, or there is no memory. */
int limits_add(void *owner, const weir_limits *limits, const struct plugin_refusal *refusal);

/* Whether the command has limits, and seconds from now in which it must end; 0: any time. */
bool limits_are_set(const struct observed *observed);
long limits_seconds(const struct observed *observed);

/* Why the reply must not go on; NULL: it may. Until the command ends. */
const struct plugin_refusal *limits_passed(const struct observed *observed, uint64_t rows,
                                           uint64_t bytes);
const struct plugin_refusal *limits_timed_out(const struct observed *observed);

#endif
