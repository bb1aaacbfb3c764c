/* SPDX-License-Identifier: Apache-2.0
 *
 * COM_CHANGE_USER: an authentication exchange in the middle of a session, like that of its login. */
#ifndef WEIR_GATEWAY_SESSION_CHANGE_USER_H
#define WEIR_GATEWAY_SESSION_CHANGE_USER_H

#include "gateway/session/machine.h"

/* Sends the command on, with authentication data of the gateway's own where the client's were not made for the
 * backend. The session may have failed. */
void change_user_begin(struct session *session, const struct wire_packet *command);

/* ---- Handlers of the step table ---- */

bool change_user_client_bytes(struct session *session);
bool change_user_backend_bytes(struct session *session);
bool change_user_client_gone(struct session *session);

#endif
