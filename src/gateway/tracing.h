/* SPDX-License-Identifier: Apache-2.0
 *
 * Protocol trace of sessions: the client's side of a conversation is shown to the trace plugin, in
 * the order in which it goes by. Sessions that are not traced pay one comparison. What the gateway
 * itself asks the backend is not part of it. */
#ifndef WEIR_GATEWAY_TRACING_H
#define WEIR_GATEWAY_TRACING_H

#include "gateway/session.h"

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
