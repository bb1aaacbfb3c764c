/* SPDX-License-Identifier: Apache-2.0
 *
 * A reply that a plugin has limited (statement/limits.h): its rows are looked at one by one, and it has a
 * deadline. */
#ifndef WEIR_GATEWAY_SESSION_LIMITED_H
#define WEIR_GATEWAY_SESSION_LIMITED_H

#include "gateway/session/machine.h"

/* The command has been sent on, and its reply is due; it is there. */
void limited_begin(struct session *session);
void limited_end(struct session *session);

/* Whether the packet is a row that must not reach the client: *refusal is why. */
bool limited_stops(struct session *session, const struct wire_packet *packet,
                   struct plugin_refusal *refusal);

/* Ends the statement and the session with the limit's error. */
void limited_fail(struct session *session, const struct plugin_refusal *refusal);

/* Handler of the step table: the time is up. */
void limited_timed_out(struct session *session);

#endif
