/* SPDX-License-Identifier: Apache-2.0
 *
 * Protocol trace of a session: the client's side of its conversation is shown to the trace plugin,
 * in the order in which it happens. Sessions that are not traced pay one comparison. The gateway's
 * internal queries are not part of it.
 *
 * Which sessions the plugin sees can change at any time: tracing that is no longer wanted ends at
 * once, and that of other sessions begins before their next command. */
#ifndef WEIR_GATEWAY_SESSION_TRACING_H
#define WEIR_GATEWAY_SESSION_TRACING_H

#include "gateway/session/machine.h"

/* Begins, if this session is wanted: when the client has connected, with the greeting to come; or
 * later, before a command, once its user is known. */
void tracing_accept(struct session *session);
void tracing_begin_late(struct session *session);
static inline void tracing_command(struct session *session)
{
    if (!session->trace &&
        atomic_load_explicit(environment_of(session)->trace, memory_order_acquire))
        tracing_begin_late(session);
}

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
