/* SPDX-License-Identifier: Apache-2.0
 *
 * What plugins answer later: replies that are kept back until they have done what must be done
 * before (weir_hold_reply()), and verdicts that they still owe (weir_hold_verdict()).
 *
 * While a reply is held the client's leg is corked and the session takes neither commands nor
 * replies, so that what is collected is bounded by one read. While a verdict is owed the session is
 * JUDGING. Holds are given back on any thread; the environment brings them to the session's own. */
#ifndef WEIR_GATEWAY_SESSION_HOLD_H
#define WEIR_GATEWAY_SESSION_HOLD_H

#include "gateway/session/machine.h"

/* Makes a hold for a plugin. NULL: no memory, or the session has ended. */
struct weir_hold *hold_begin(void *session, enum plugin_hold_kind kind);

static inline bool session_is_held(const struct session *session)
{
    return session->reply_holds > 0;
}

/* An event was answered with PLUGIN_PENDING: keeps its verdict until the holds are back. */
void hold_keep_verdict(struct session *session, const struct plugin_verdict *verdict);

/* The verdict, once all of them are back. */
void hold_take_verdict(struct session *session, struct plugin_verdict *verdict);

void hold_release(struct session *session);

#endif
