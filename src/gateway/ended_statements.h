/* SPDX-License-Identifier: Apache-2.0
 *
 * Statements that a plugin's limit has ended (weir_limit_statement()), and that the backend would go on with. */
#ifndef WEIR_GATEWAY_ENDED_STATEMENTS_H
#define WEIR_GATEWAY_ENDED_STATEMENTS_H

#include "gateway/worker.h"

/* Has a connection of the backend killed with the account of -backend-check-user. Does not wait for it; the log says so
 * when it cannot be done. The worker's thread. */
void end_at_backend(struct worker *worker, const struct session_backend *backend,
                    uint32_t connection);

#endif
