/* SPDX-License-Identifier: Apache-2.0
 *
 * The state: its names, what may follow, and the one function that changes it. */
#include <assert.h>

#include "gateway/session/machine.h"

static const struct {
    const char *name;
    unsigned may_follow;
} states[] = {
#define X(enumerator, name, client, backend, done, client_end, backend_end, deadline, drain, wish, \
          follow)                                                                                  \
    {name, follow},
    SESSION_STATES(X)
#undef X
};

const char *session_state_name(const struct session *session)
{
    session_check(session);
    return states[session->state].name;
}

void session_enter(struct session *session, enum session_state state)
{
    if (session->state == state)
        return;
    assert(states[session->state].may_follow & MAY(state));
    session->state = state;
}

void session_set_deadline(struct session *session, long seconds)
{
    session_set_deadline_ms(session, seconds * 1000);
}

void session_set_deadline_ms(struct session *session, long ms)
{
    session->deadline_ms = ms;
    session->deadline_changed = true;
}
