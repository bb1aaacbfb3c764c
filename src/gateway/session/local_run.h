/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs the statements that the gateway answers itself (room local): carries out the actions that
 * they return, one after the other. */
#ifndef WEIR_GATEWAY_SESSION_LOCAL_RUN_H
#define WEIR_GATEWAY_SESSION_LOCAL_RUN_H

#include "gateway/session/machine.h"

/* Begins the statement. The command, which the tracker has just shown, is withdrawn from it. */
void local_run(struct session *session, const struct local_statement *statement,
               const struct wire_packet *command);

/* Whether the statement at work replaces what the client reads of the reply that is running; each
 * packet of it; and what the client reads instead of the bytes that came. sequence: the number of
 * the backend's next packet. */
bool local_replaces_reply(const struct session *session);
void local_reply_packet(struct session *session, const struct wire_packet *packet);
void local_pass_reply(struct session *session, uint8_t sequence);

void local_run_release(struct session *session);

/* Says whether the work was cancelled, before local_worked(). */
void local_set_cancelled(struct session *session, bool cancelled);

/* ---- Handlers of the step table ---- */

bool local_worked(struct session *session);

#endif
