/* SPDX-License-Identifier: Apache-2.0
 *
 * The backend's side of the relay: replies stream. What was read is shown to the tracker in place
 * and passed on, after the events that fall into it. */
#ifndef WEIR_GATEWAY_SESSION_REPLIES_H
#define WEIR_GATEWAY_SESSION_REPLIES_H

#include "gateway/session/machine.h"

/* ---- Handlers of the step table ---- */

bool reply_bytes(struct session *session);
bool pass_to_client(struct session *session);
void backend_gone(struct session *session);
void backend_lost_while_running(struct session *session);
void backend_gone_in_passthrough(struct session *session);
void query_backend_lost(struct session *session);

#endif
