/* SPDX-License-Identifier: Apache-2.0
 *
 * The statements that the gateway answers itself: SHOW PLUGINS, FLUSH [TIDB] PLUGINS, ADMIN PLUGINS
 * ENABLE | DISABLE, and ADMIN TRACE (tracing_order.h).
 *
 * Those that change something need RELOAD or SUPER: the backend is asked for the session's grants,
 * as the session's user, so that roles count. The work itself may block (a flush reads files), so a
 * thread of the pool does it. */
#ifndef WEIR_GATEWAY_ADMINISTRATION_H
#define WEIR_GATEWAY_ADMINISTRATION_H

#include "gateway/session.h"

/* Whether a statement of this kind may be one of them. */
bool administration_may_take(enum sql_kind kind);

/* Whether the command that has begun (session->run) is one of them. */
bool administration_takes(const struct session *session, const struct wire_packet *command);

/* Answers it, now or later; the session is READY again when it is answered. text is the statement.
 */
void administration_begin(struct session *session, const struct wire_packet *command);

void administration_release(struct session *session);

#endif
