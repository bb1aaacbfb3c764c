/* SPDX-License-Identifier: Apache-2.0
 *
 * Protocol trace of sessions: the client's side of a conversation is shown to the trace plugin, in
 * the order in which it goes by. Sessions that are not traced pay one comparison. What the gateway
 * itself asks the backend is not part of it.
 *
 * There is one plugin, loaded at the start or by a statement (tracing_order.h), and it stays. Which
 * sessions it sees can change at any time: each worker then ends the tracing of its own sessions
 * that are no longer wanted, at once, and begins that of others in front of their next command. */
#ifndef WEIR_GATEWAY_TRACING_H
#define WEIR_GATEWAY_TRACING_H

#include "gateway/session.h"

/* Loads what the options name. -1 and error. Before the workers start. */
int tracing_open(struct gateway *gateway, struct error *error);

/* Unloads the plugin. All sessions have ended. */
void tracing_close(struct gateway *gateway);

/* Loads a plugin that traces nobody yet: NAME.so in -plugin-dir, or of those that came with weir.
 * -1 and error, as when one is loaded already. Any thread. */
int tracing_load(struct gateway *gateway, const char *name, struct error *error);

/* Has every worker look at what is traced now. Any thread. */
void tracing_tell(struct gateway *gateway);

/* Ends the tracing of sessions that are no longer wanted. On the worker's thread, when it was woken
 * for any reason. */
void tracing_follow(struct worker *worker);

/* Begins, if this session is wanted: at accept, with the greeting to come; or later, in front of a
 * command, once its user is known. */
void tracing_accept(struct session *session);
void tracing_command(struct session *session);

void tracing_end(struct session *session);

void tracing_show(struct session *session, enum wire_direction direction, const void *bytes,
                  size_t size);

static inline void tracing_bytes(struct session *session, enum wire_direction direction,
                                 const void *bytes, size_t size)
{
    if (session->trace)
        tracing_show(session, direction, bytes, size);
}

#endif
