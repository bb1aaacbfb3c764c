/* SPDX-License-Identifier: Apache-2.0
 *
 * Only a command with limits pays for them: the tracker shows rows while its reply comes, and passes
 * over them otherwise. The session ends where a limit is passed, because what the backend still sends
 * would have to be read to its end; the backend is told to end it, too. */
#include "gateway/session/limited.h"

void limited_begin(struct session *session)
{
    session->is_limited = limits_are_set(&session->observed);
    if (!session->is_limited)
        return;
    session->limited_rows = 0;
    wire_tracker_want(&session->tracker, RELAY_WANTS | WIRE_WANT(WIRE_ROW));
    session_set_deadline(session, limits_seconds(&session->observed));
}

void limited_end(struct session *session)
{
    if (!session->is_limited)
        return;
    session->is_limited = false;
    wire_tracker_want(&session->tracker, RELAY_WANTS);
    session_set_deadline(session, 0);
}

bool limited_stops(struct session *session, const struct wire_packet *packet,
                   struct plugin_refusal *refusal)
{
    if (!session->is_limited || packet->kind != WIRE_ROW)
        return false;
    const struct plugin_refusal *passed = limits_passed(
        &session->observed, ++session->limited_rows, wire_tracker_reply_bytes(&session->tracker));
    if (passed)
        *refusal = *passed;
    return passed != NULL;
}

void limited_fail(struct session *session, const struct plugin_refusal *refusal)
{
    const struct session_environment *environment = environment_of(session);
    facts_refused_by(&session->observed, refusal->by);
    events_failed(&session->observed, refusal->code, refusal->sqlstate, refusal->message);
    if (environment->operations->end_statement)
        environment->operations->end_statement(environment->owner, session->observed.backend,
                                               session->backend_id);
    session_fail_refused(session, CLOSE_LIMITED, refusal);
}

void limited_timed_out(struct session *session)
{
    const struct plugin_refusal *passed = limits_timed_out(&session->observed);
    if (!session->is_limited || !passed)
        return;
    struct plugin_refusal refusal = *passed; /* it goes with the command */
    limited_fail(session, &refusal);
}
