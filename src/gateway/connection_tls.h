/* SPDX-License-Identifier: Apache-2.0
 *
 * The TLS handshakes of a connection, one for each side: begun when the session wishes it, carried on when
 * the socket is ready, and reported to the session when they are over. */
#ifndef WEIR_GATEWAY_CONNECTION_TLS_H
#define WEIR_GATEWAY_CONNECTION_TLS_H

#include "gateway/connection.h"

/* Begins unless it has. Returns whether the session was fed. */
bool connection_begin_securing(struct connection *connection, enum session_side side);

/* That side's socket is ready. */
void connection_go_on_securing(struct connection *connection, enum session_side side);

#endif
