/* SPDX-License-Identifier: Apache-2.0
 *
 * The step table, the one loop that runs it, and what the session is fed.
 *
 * Each turn of the loop does one thing of what can be done: a lost leg, a fulfilled wish, bytes of
 * the backend, bytes of the client, an end. It ends when there is nothing more to do. While
 * something of the session is out (a held reply, a thread that works) only losses are looked at. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/session/commands.h"
#include "gateway/session/hold.h"
#include "gateway/session/local_run.h"
#include "gateway/session/login.h"
#include "gateway/session/query.h"
#include "gateway/session/replies.h"
#include "gateway/session/tracing.h"

static const struct step {
    bool (*client)(struct session *session);
    bool (*backend)(struct session *session);
    bool (*done)(struct session *session);
    bool (*client_end)(struct session *session);
    void (*backend_end)(struct session *session);
    void (*deadline)(struct session *session);
    enum session_wish wish;
    bool may_be_drained;
} steps[] = {
#define X(enumerator, name, client, backend, done, client_end, backend_end, deadline, wish, drain, \
          follow)                                                                                  \
    [enumerator] = {client, backend, done, client_end, backend_end, deadline, wish, drain},
    SESSION_STATES(X)
#undef X
};

_Static_assert(sizeof steps / sizeof *steps == SESSION_STATE_COUNT, "a step for each state");

static const struct step *step_of(const struct session *session)
{
    return &steps[session->state];
}

/* ---- The loop ---- */

static bool take_losses(struct session *session, const struct step *step)
{
    if (session->client.failed) {
        session_close(session,
                      session->client.error == ENOMEM ? CLOSE_NO_MEMORY : CLOSE_CLIENT_GONE);
        return true;
    }
    if (session->backend.failed && step->backend_end) {
        step->backend_end(session);
        return true;
    }
    return false;
}

static bool take_bytes(struct session *session, const struct step *step)
{
    if (session->is_done && step->done) {
        session->is_done = false;
        return step->done(session);
    }
    if (step->backend && leg_input_size(&session->backend) && step->backend(session))
        return true;
    return step->client && leg_input_size(&session->client) && step->client(session);
}

static bool take_ends(struct session *session, const struct step *step)
{
    if (session->is_drained && step->may_be_drained && leg_input_size(&session->client) == 0) {
        if (session->state == SESSION_READY) /* nobody has asked */
            leg_set_sequence(&session->client, 0);
        session_fail(session, CLOSE_SHUTDOWN, 1053, "08S01", "Server shutdown in progress");
        return true;
    }
    if (session->backend.ended && step->backend_end) {
        step->backend_end(session);
        return true;
    }
    return session->client.ended && step->client_end && step->client_end(session);
}

/* Does one thing. false: there is nothing to do. */
static bool turn(struct session *session)
{
    const struct step *step = step_of(session);
    if (session->state == SESSION_CLOSED || session->work_is_out)
        return false;
    if (take_losses(session, step))
        return true;
    if (session_is_held(session))
        return false;
    return take_bytes(session, step) || take_ends(session, step);
}

void session_run(struct session *session)
{
    session_check(session);
    assert(!session->is_looping); /* nothing below the loop calls it */
    session->is_looping = true;
    while (turn(session))
        leg_check(&session->client);
    session->is_looping = false;
    leg_keep_output(&session->client, &session->backend);
    leg_keep_output(&session->backend, &session->client);
    if (!leg_keep_input(&session->client) || !leg_keep_input(&session->backend))
        session_close(session, CLOSE_NO_MEMORY);
}

/* ---- Beginning and freeing ---- */

struct session *session_new(struct session_environment *environment,
                            const struct session_arrival *arrival, struct filter *client)
{
    struct session *session = calloc(1, sizeof *session);
    if (!session)
        return NULL;
    session->magic = SESSION_MAGIC;
    observed_init(&session->observed, environment, arrival->id, &arrival->address);
    session->observed.session = session;
    session->observed.hold = hold_begin;
    leg_init(&session->client);
    leg_init(&session->backend);
    strbuf_init(&session->kept_ok);
    /* A command is shown to plugins whole. */
    wire_tracker_init(&session->tracker, WIRE_WANT_ALL, environment->max_command_bytes);
    leg_push(&session->client, client);
    tracing_accept(session);
    login_begin(session, arrival);
    return session;
}

void session_free(struct session *session)
{
    assert(session_may_be_freed(session));
    login_release(session);
    query_release(session);
    local_run_release(session);
    hold_release(session);
    observed_release(&session->observed);
    wire_tracker_release(&session->tracker);
    strbuf_release(&session->kept_ok);
    leg_release(&session->client);
    leg_release(&session->backend);
    session->magic = 0;
    free(session);
}

/* ---- What it is fed ---- */

struct leg *session_leg(struct session *session, enum session_side side)
{
    session_check(session);
    return side == SESSION_CLIENT ? &session->client : &session->backend;
}

size_t session_read_room(struct session *session, enum session_side side, uint8_t **bytes)
{
    struct leg *leg = session_leg(session, side);
    size_t wanted = SESSION_READ_BYTES, room = 0;
    if (side == SESSION_CLIENT && leg_input_size(leg)) {
        size_t missing = command_bytes_missing(session);
        if (missing > wanted)
            wanted = missing < 16 * SESSION_READ_BYTES ? missing : 16 * SESSION_READ_BYTES;
    }
    uint8_t *kept = leg_input_room(leg, wanted, &room);
    if (!kept)
        return side == SESSION_CLIENT && session->login ? login_read_limit(session)
                                                        : SESSION_READ_BYTES;
    *bytes = kept;
    return room;
}

void session_receive(struct session *session, enum session_side side, const uint8_t *bytes,
                     size_t size)
{
    if (!leg_offer(session_leg(session, side), bytes, size))
        session_close(session, CLOSE_NO_MEMORY);
    session_run(session);
}

static void fulfil(struct session *session, enum session_wish wish, const char *error)
{
    session_check(session);
    if (step_of(session)->wish != wish) /* it has ended meanwhile */
        return;
    snprintf(session->login->error, sizeof session->login->error, "%s", error ? error : "");
    session->is_done = true;
    session_run(session);
}

void session_connected(struct session *session, const char *error)
{
    fulfil(session, WISH_CONNECT, error);
}

void session_secured(struct session *session, const char *version, const char *cipher,
                     const char *error)
{
    struct login *login = session->login;
    if (login && !error) {
        snprintf(login->tls_version, sizeof login->tls_version, "%s", version);
        snprintf(login->tls_cipher, sizeof login->tls_cipher, "%s", cipher);
    }
    fulfil(session, WISH_SECURE, error);
}

void session_worked(struct session *session, bool cancelled)
{
    session_check(session);
    assert(session->work_is_out);
    session->work_is_out = false;
    facts_computed_are_available(&session->observed, true);
    if (session->state == SESSION_CLOSED)
        return;
    local_set_cancelled(session, cancelled);
    session->is_done = true;
    session_run(session);
}

void session_deadline_passed(struct session *session)
{
    session_check(session);
    const struct step *step = step_of(session);
    if (step->deadline)
        step->deadline(session);
    session_run(session);
}

void session_drain(struct session *session)
{
    session_check(session);
    if (!session_is_open(session))
        return;
    session->is_drained = true;
    if (session->client.ended && !session->work_is_out) /* it will not read what still runs */
        session_close(session, CLOSE_SHUTDOWN);
    session_run(session);
}

/* ---- What it wishes ---- */

/* Reads of the client stop while the backend does not take what it was sent, while enough input
 * waits, and once the client has sent its last byte. */
static bool wants_client(const struct session *session, const struct step *step)
{
    const struct leg *leg = &session->client;
    bool is_full = leg_input_size(leg) >= SESSION_READ_BYTES &&
                   !(step->client == command_bytes && command_bytes_missing(session));
    return step->wish != WISH_SECURE && !leg->ended && !is_full &&
           leg_pending(&session->backend) == 0;
}

static bool wants_backend(const struct session *session, const struct step *step)
{
    return step->backend && !session->backend.ended && leg_pending(&session->client) == 0 &&
           !session_is_held(session) && leg_input_size(&session->backend) < SESSION_READ_BYTES;
}

struct session_wishes session_wishes(const struct session *session)
{
    session_check(session);
    const struct step *step = step_of(session);
    const bool is_over = session->state == SESSION_CLOSED;
    struct session_wishes wishes = {
        .over = is_over,
        .close_backend = session->state == SESSION_ENDING,
        .deadline_number = session->deadline_number,
        .deadline_s = session->deadline_s,
    };
    if (is_over || session->work_is_out)
        return wishes;
    if (!session->is_done) { /* fulfilled, but the session is held */
        wishes.connect = step->wish == WISH_CONNECT;
        wishes.secure = step->wish == WISH_SECURE && leg_pending(&session->client) == 0;
        wishes.work = step->wish == WISH_WORK;
    }
    wishes.read_client = wants_client(session, step);
    wishes.read_backend = wants_backend(session, step);
    wishes.finish =
        wishes.close_backend && leg_pending(&session->client) == 0 && !session_is_held(session);
    return wishes;
}

void session_begin_work(struct session *session)
{
    session_check(session);
    assert(step_of(session)->wish == WISH_WORK && !session->work_is_out);
    session->work_is_out = true;
    facts_computed_are_available(&session->observed, false);
}

enum close_reason session_close_reason(const struct session *session)
{
    session_check(session);
    return session->reason;
}

void session_set_owner(struct session *session, void *owner)
{
    session->owner = owner;
}

void *session_owner(const struct session *session)
{
    return session->owner;
}
