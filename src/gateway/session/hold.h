/* SPDX-License-Identifier: Apache-2.0
 *
 * Keeping back what the client would read, until plugins have done what must be done before
 * (weir_hold_reply()).
 *
 * While a session has promises out, client_send() collects instead of writing, and the session
 * takes neither commands nor replies, so that what is collected is bounded by one read. Promises
 * are given back on any thread: they go through the worker's inbox to the session's own thread. */
#ifndef WEIR_GATEWAY_HOLD_H
#define WEIR_GATEWAY_HOLD_H

#include "gateway/session.h"

/* Everything that the client reads goes through here. */
void client_send(struct session *session, const void *bytes, size_t size);

/* Makes a promise: the session waits for it. NULL: no memory, or the client reads nothing more. */
struct weir_hold *hold_begin(struct session *session);

/* Takes back promises that came through the inbox; the list is owned. On the worker's thread. */
struct hold;
void hold_take_back(struct hold *list);

static inline bool session_is_held(const struct session *session)
{
    return session->holds > 0;
}

#endif
