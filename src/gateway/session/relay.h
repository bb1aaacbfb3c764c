/* SPDX-License-Identifier: Apache-2.0
 *
 * Relaying commands and replies.
 *
 * A command is held back until it is whole and its events have run; then its bytes go on as they
 * came. Replies stream: what was read is shown to the tracker in place and written on, after the
 * events that fall into it.
 *
 * Pipelined commands wait until the one before them has its reply: only then is it known in which
 * database they run and whether they may. Data of LOAD DATA LOCAL and of an authentication exchange
 * passes without delay. */
#ifndef WEIR_GATEWAY_RELAY_H
#define WEIR_GATEWAY_RELAY_H

#include "gateway/session.h"

/* What the gateway looks at; rows and definitions are counted by the tracker and passed over. */
#define RELAY_WANTS                                                                                \
    (WIRE_WANT_ALL & ~(WIRE_WANT(WIRE_ROW) | WIRE_WANT(WIRE_COLUMN_DEFINITION) |                   \
                       WIRE_WANT(WIRE_PARAMETER_DEFINITION) | WIRE_WANT(WIRE_COLUMN_COUNT) |       \
                       WIRE_WANT(WIRE_BINLOG_EVENT) | WIRE_WANT(WIRE_PROGRESS)))

void relay_client_readable(struct session *session);
void relay_backend_readable(struct session *session);

/* The session is READY again (or has been logged in): waiting input is dealt with. */
void relay_go_on(struct session *session);

/* The backend's connection has ended or failed. */
void relay_backend_lost(struct session *session);

/* Bytes were not understood; the tracker's sentence says how. */
void relay_broken(struct session *session, enum close_reason reason);

/* The command was refused (facts.refusal_*): its events end, and the client reads why. */
void relay_refuse(struct session *session);

/* Whether input is a half command, which must be allowed to grow. */
bool relay_needs_more_input(const struct session *session);

#endif
