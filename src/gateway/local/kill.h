/* SPDX-License-Identifier: Apache-2.0
 *
 * KILL of a session by the id that its client was told. */
#ifndef WEIR_GATEWAY_KILL_H
#define WEIR_GATEWAY_KILL_H

#include "gateway/session.h"

/* When the command (COM_PROCESS_KILL, or a COM_QUERY with a KILL among its statements) names a
 * session of this gateway, appends the packet with the backend's id of it to out and returns true.
 * Otherwise the command is to be sent as it is. */
bool kill_rewrite(struct session *session, const struct wire_packet *command, struct strbuf *out);

#endif
