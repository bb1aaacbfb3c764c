/* SPDX-License-Identifier: Apache-2.0
 *
 * Which backend a login goes to, and the next one when it fails.
 *
 *     choose ──► CONNECTING ──► INTRODUCING ──► SECURING_BACKEND ──► AUTHENTICATING, and the client is asked
 *        ▲            └── failed ────┴── failed ───────┴── failed ───────┘ before that
 *        └─────────────────── LEAVING
 *
 * As long as the client has read nothing of a backend, it cannot tell one from another: whatever goes
 * wrong until then is tried again elsewhere: at the other addresses of its name, and at other backends. All
 * attempts together have connect_timeout_s; each gets an even share of what is left for it and those that could
 * follow. */
#include <string.h>

#include "gateway/session/login.h"

#define ATTEMPTS_MOST 40 /* more than there are backends; they may have several addresses each */
#define NS_PER_MS     UINT64_C(1000000)
_Static_assert(SESSION_BACKENDS_MOST == 32 && ATTEMPTS_MOST <= UINT8_MAX, "bits, and counts");

static bool choose(const struct session *session, struct session_choice *choice,
                   struct error *error)
{
    const struct session_environment *environment = environment_of(session);
    return environment->operations->backend_choose(
        environment->owner, session->observed.wanted_backend, session->login->tried, choice, error);
}

static void leave(struct session *session)
{
    const struct session_environment *environment = environment_of(session);
    environment->operations->backend_leave(environment->owner, session->choice.backend);
    session->choice.backend = NULL;
}

void login_leave_backend(struct session *session)
{
    if (session->choice.backend)
        leave(session);
    if (session->login && session->login->next.backend) { /* ended while it left the one before */
        session->choice = session->login->next;
        session->login->next.backend = NULL;
        leave(session);
    }
}

/* Of the backend, without those that have failed already; 1 at least. */
static size_t addresses_left(const struct session *session)
{
    const struct session_choice *choice = &session->choice;
    const size_t failed = session->login->failures[choice->backend->number];
    return choice->addresses > failed ? choice->addresses - failed : 1;
}

/* Whatever is left of the time, and 1 ms at least. */
static void set_share(struct session *session)
{
    struct login *login = session->login;
    const size_t places = session->choice.others + addresses_left(session);
    const uint64_t now = clock_monotonic_ns();
    const uint64_t left = login->connect_until > now ? login->connect_until - now : 0;
    login->attempts++;
    login->attempt_ms = (long)(left / places / NS_PER_MS);
    if (login->attempt_ms == 0)
        login->attempt_ms = 1;
    session_set_deadline_ms(session, login->attempt_ms);
}

static void connect_to(struct session *session, const struct session_choice *choice)
{
    session->choice = *choice;
    facts_backend_chosen(&session->observed, choice->backend);
    session_enter(session, SESSION_CONNECTING);
    set_share(session);
}

void login_choose(struct session *session)
{
    const struct session_environment *environment = environment_of(session);
    struct session_choice choice = {0};
    struct error error = {""};
    session->login->connect_until =
        clock_monotonic_ns() + (uint64_t)environment->connect_timeout_s * 1000 * NS_PER_MS;
    if (!environment->operations->backend_choose) {
        session->login->attempt_ms = environment->connect_timeout_s * 1000;
        session_enter(session, SESSION_CONNECTING);
        session_set_deadline_ms(session, session->login->attempt_ms);
    } else if (choose(session, &choice, &error)) {
        connect_to(session, &choice);
    } else {
        session_fail(session, CLOSE_BACKEND_UNREACHABLE, WIRE_ER_CONNECT_TO_FOREIGN_DATA_SOURCE,
                     NULL, "weir: %s", error.message);
    }
}

static bool may_try_another(const struct session *session)
{
    const struct login *login = session->login;
    const bool is_early =
        session->state == SESSION_CONNECTING || session->state == SESSION_INTRODUCING ||
        session->state == SESSION_SECURING_BACKEND || session->state == SESSION_AUTHENTICATING;
    return is_early && !login->client_was_told && login->attempts < ATTEMPTS_MOST &&
           clock_monotonic_ns() < login->connect_until;
}

bool login_tries_another(struct session *session, const char *why)
{
    const struct session_environment *environment = environment_of(session);
    const struct session_choice failed = session->choice;
    struct login *login = session->login;
    struct error error = {""};
    const bool waits_for_client =
        login->client_was_told && session->state != SESSION_SECURING_BACKEND;
    if (!failed.backend || waits_for_client) /* whoever is late or has left, it may be the client */
        return false;
    const bool has_address =
        environment->operations->backend_failed(environment->owner, &failed, why);
    const bool was_reached =
        session->state == SESSION_SECURING_BACKEND || session->state == SESSION_AUTHENTICATING;
    const bool was_last = ++login->failures[failed.backend->number] >= failed.addresses;
    if (!has_address || (was_reached && was_last)) /* the server is wrong wherever it is */
        login->tried |= UINT32_C(1) << failed.backend->number;
    if (!may_try_another(session) || !choose(session, &login->next, &error))
        return false;
    log_warn("session", "%s; the login goes to %s connection=%u", log_foreign(why, strlen(why)),
             login->next.backend->label, session->observed.id);
    session_enter(session, SESSION_LEAVING);
    session_set_deadline(session, 0);
    return true;
}

/* Nothing of the backend that was left remains. */
bool login_left(struct session *session)
{
    struct login *login = session->login;
    const struct session_choice next = login->next;
    login->next.backend = NULL;
    leg_reset(&session->backend);
    strbuf_release(&session->farewell);
    exchange_restart(session);
    leave(session);
    connect_to(session, &next);
    return true;
}
