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

#include "gateway/session/change_user.h"
#include "gateway/session/commands.h"
#include "gateway/session/hold.h"
#include "gateway/session/limited.h"
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
    void (*drain)(struct session *session);
    unsigned wishes; /* bits of enum session_wish */
} steps[] = {
#define X(enumerator, name, client, backend, done, client_end, backend_end, deadline, drain, wish, \
          follow)                                                                                  \
    [enumerator] = {client, backend, done, client_end, backend_end, deadline, drain, wish},
    SESSION_STATES(X)
#undef X
};

_Static_assert(sizeof steps / sizeof *steps == SESSION_STATE_COUNT, "a step for each state");

static const struct step *step_of(const struct session *session)
{
    return &steps[session->state];
}

/* ---- The loop ---- */

/* A client that takes nothing more has gone: the backend is notified in the same way, once nothing
 * runs any more. */
static bool lose_client(struct session *session)
{
    bool lacks_memory = session->client.error == ENOMEM;
    if (!lacks_memory && (outcome_is_awaited(session) || login_header_is_awaited(session)))
        return false;
    if (!lacks_memory)
        leg_break_off(&session->backend);
    session_close(session, lacks_memory ? CLOSE_NO_MEMORY : CLOSE_CLIENT_GONE);
    return true;
}

/* A backend may have said why it has gone, and that is read first, but for what could not be passed
 * on now. */
static bool take_losses(struct session *session, const struct step *step)
{
    if (session->client.is_deaf && lose_client(session))
        return true;
    bool reads = step->backend && leg_input_size(&session->backend) && !session_is_held(session);
    if (session->backend.failed && step->backend_end && !reads && !session_is_held(session)) {
        step->backend_end(session);
        return true;
    }
    return false;
}

/* A filter does not understand a side. */
static bool take_broken(struct session *session)
{
    if (!session_is_open(session) || (!session->client.broken && !session->backend.broken))
        return false;
    if (session->client.broken) {
        log_warn("session", "%s connection=%u", session->client.broken, session->observed.id);
        if (session->state == SESSION_READY) /* it was to be a command: this is the answer */
            leg_set_sequence(&session->client, 1);
        session_fail(session, CLOSE_CLIENT_PROTOCOL, WIRE_ER_NET_UNCOMPRESS_ERROR, NULL,
                     "Couldn't uncompress communication packet: %s", session->client.broken);
    } else {
        session->tracker.broken = session->backend.broken;
        session_fail_broken(session, CLOSE_BACKEND_PROTOCOL);
    }
    return true;
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
    if (session->is_drained && step->drain && leg_input_size(&session->client) == 0 &&
        !session_has_transaction(session)) {
        step->drain(session);
        return true;
    }
    if (session->client.ended && step->client_end && step->client_end(session))
        return true;
    if ((session->backend.ended || session->backend.failed) && step->backend_end) {
        step->backend_end(session);
        return true;
    }
    return false;
}

/* Does one thing. false: there is nothing to do. */
static bool turn(struct session *session)
{
    const struct step *step = step_of(session);
    if (step->wishes & SESSION_IS_OVER || session->work_is_out)
        return false;
    if (take_losses(session, step) || take_broken(session))
        return true;
    if (session_is_held(session))
        return false;
    return take_bytes(session, step) || take_ends(session, step);
}

/* Keeps input that is not dealt with. Where it was kept already, dealing with it frees its memory,
 * which the other leg may have borrowed. */
static bool keep_input(struct leg *leg, struct leg *other)
{
    if (leg->kept.size)
        leg_keep_output(other, leg);
    return leg_keep_input(leg);
}

void session_run(struct session *session)
{
    session_check(session);
    assert(!session->is_looping); /* nothing below the loop calls it */
    session->is_looping = true;
    while (turn(session))
        continue;
    session->is_looping = false;
    if (!keep_input(&session->client, &session->backend) ||
        !keep_input(&session->backend, &session->client))
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
    session->observed.backend_first = arrival->backend_first;
    session->observed.hold = hold_begin;
    leg_init(&session->client);
    session->observed.wire_received = &session->client.wire_received;
    session->observed.wire_sent = &session->client.wire_sent;
    leg_init(&session->backend);
    strbuf_init(&session->kept_ok);
    strbuf_init(&session->farewell);
    strbuf_init(&session->last_words);
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
    exchange_release(session);
    query_release(session);
    local_run_release(session);
    hold_release(session);
    observed_release(&session->observed);
    wire_tracker_release(&session->tracker);
    strbuf_release(&session->kept_ok);
    strbuf_release(&session->farewell);
    strbuf_release(&session->last_words);
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

/* As much as a long packet lacks, within reason. */
static size_t wanted_room(const struct session *session, enum session_side side)
{
    size_t missing = side == SESSION_CLIENT ? command_bytes_missing(session) : 0;
    if (missing > 16 * SESSION_READ_BYTES)
        return 16 * SESSION_READ_BYTES;
    return missing > SESSION_READ_BYTES ? missing : SESSION_READ_BYTES;
}

size_t session_read_room(struct session *session, enum session_side side, uint8_t **bytes)
{
    struct leg *leg = side == SESSION_CLIENT ? &session->client : &session->backend;
    if (side == SESSION_CLIENT && session->login && login_read_limit(session) < SESSION_READ_BYTES)
        return login_read_limit(session);
    if (leg->kept.size == 0)
        return SESSION_READ_BYTES;
    size_t wanted = wanted_room(session, side);
    uint8_t *kept = leg_input_room(leg, wanted);
    if (!kept)
        return SESSION_READ_BYTES; /* it will not fit either, and the session ends */
    *bytes = kept;
    return wanted;
}

void session_receive(struct session *session, enum session_side side, const uint8_t *bytes,
                     size_t size)
{
    if (!leg_offer(side == SESSION_CLIENT ? &session->client : &session->backend, bytes, size))
        session_close(session, CLOSE_NO_MEMORY);
    session_run(session);
}

static void fulfil(struct session *session, enum session_wish wish, const char *error)
{
    session_check(session);
    if (!(step_of(session)->wishes & wish)) /* it has ended meanwhile */
        return;
    snprintf(session->login->error, sizeof session->login->error, "%s", error ? error : "");
    session->is_done = true;
    session_run(session);
}

void session_connected(struct session *session, const char *error)
{
    fulfil(session, SESSION_CONNECTS, error);
}

void session_left(struct session *session)
{
    fulfil(session, SESSION_LEAVES, NULL);
}

void session_secured(struct session *session, enum session_side side,
                     const struct tls_agreement *agreement, const char *error)
{
    const bool is_client = side == SESSION_CLIENT;
    if (session->login && !error && is_client)
        facts_tls(&session->observed, agreement);
    else if (session->login && !error)
        facts_backend_tls(&session->observed, agreement);
    fulfil(session, is_client ? SESSION_SECURES : SESSION_SECURES_BACKEND, error);
}

void session_worked(struct session *session, bool cancelled)
{
    session_check(session);
    assert(session->work_is_out);
    session->work_is_out = false;
    facts_computed_are_available(&session->observed, true);
    if (!session_is_open(session))
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
    bool is_gone = session->client.ended || session->client.is_deaf;
    if (is_gone && !session->work_is_out) /* it will not read what still runs */
        session_close(session, CLOSE_SHUTDOWN);
    session_run(session);
}

bool session_would_be_cut_off(const struct session *session)
{
    session_check(session);
    return session_is_open(session) && !session->login &&
           (session_runs(session) || session->state == SESSION_PASSTHROUGH ||
            session_has_transaction(session));
}

/* ---- What it wishes ---- */

/* Reads of the client stop while the backend does not take what it was sent, while enough input
 * waits, and once the client has sent its last byte. */
static bool wants_client(const struct session *session, const struct step *step)
{
    const struct leg *leg = &session->client;
    bool is_full = leg_input_size(leg) >= SESSION_READ_BYTES &&
                   !(step->client == command_bytes && command_bytes_missing(session));
    if (session->login && login_read_limit(session) == 0)
        is_full = true;
    return !leg->ended && !leg->failed && !is_full && leg_pending(&session->backend) == 0;
}

static bool wants_backend(const struct session *session, const struct step *step)
{
    return (step->backend || step->backend_end) && !(step->wishes & SESSION_SECURES_BACKEND) &&
           leg_is_open(&session->backend) && !session->backend.ended &&
           leg_pending(&session->client) == 0 && !session_is_held(session) &&
           leg_input_size(&session->backend) < SESSION_READ_BYTES;
}

/* What a state wishes for, and whether it can be had now: TLS begins, and the sending ends, after
 * what waits for the peer; work is wished for until it is done. What the backend has sent before TLS
 * began must never pass for a part of it. */
static unsigned wishes_of_state(const struct session *session, unsigned wishes)
{
    if (leg_pending(&session->client))
        wishes &= ~(unsigned)(SESSION_SECURES | SESSION_FINISHES);
    if (session_is_held(session))
        wishes &= ~(unsigned)SESSION_FINISHES;
    if (leg_pending(&session->backend) || leg_input_size(&session->backend))
        wishes &= ~(unsigned)SESSION_SECURES_BACKEND;
    if (leg_pending(&session->backend) || !client_end_is_due(session))
        wishes &= ~(unsigned)SESSION_FINISHES_BACKEND;
    if (session->is_done) /* fulfilled, but the session is held */
        wishes &= ~(unsigned)(SESSION_CONNECTS | SESSION_LEAVES | SESSION_SECURES |
                              SESSION_SECURES_BACKEND | SESSION_WORKS);
    return wishes;
}

unsigned session_wishes(const struct session *session)
{
    const struct step *step = step_of(session);
    unsigned wishes = step->wishes;
    if (session->lingers && leg_unsent(&session->client))
        return SESSION_CLOSES_BACKEND | (session->deadline_changed ? SESSION_SETS_DEADLINE : 0);
    if (wishes & SESSION_IS_OVER || session->work_is_out)
        return wishes & SESSION_IS_OVER;
    if (wishes)
        wishes = wishes_of_state(session, wishes);
    if (!(step->wishes & SESSION_SECURES) && wants_client(session, step))
        wishes |= SESSION_READS_CLIENT;
    if (wants_backend(session, step))
        wishes |= SESSION_READS_BACKEND;
    if (session->deadline_changed)
        wishes |= SESSION_SETS_DEADLINE;
    return wishes;
}

long session_take_deadline(struct session *session)
{
    session->deadline_changed = false;
    return session->deadline_ms;
}

void session_begin_work(struct session *session)
{
    session_check(session);
    assert(step_of(session)->wishes & SESSION_WORKS && !session->work_is_out);
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

uint32_t session_connection_id(const struct session *session)
{
    session_check(session);
    return session->observed.id;
}

uint32_t session_backend_id(const struct session *session)
{
    session_check(session);
    return session->backend_id;
}

const struct session_backend *session_backend(const struct session *session)
{
    session_check(session);
    return session->observed.backend;
}

bool session_has_logged_in(const struct session *session)
{
    session_check(session);
    return session->is_announced;
}

void *session_owner(const struct session *session)
{
    return session->owner;
}
