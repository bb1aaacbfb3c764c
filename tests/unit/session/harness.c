/* SPDX-License-Identifier: Apache-2.0
 *
 * Drives a session without sockets. */
#include "harness.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness_backends.h"

#define ENDLESS 1000000 /* turns of one call: more is a loop that does not end */

static void nothing(void)
{
}

void (*harness_pause)(void) = nothing;
void (*harness_resume)(void) = nothing;

/* ---- The peers ---- */

static size_t never_receive(struct filter *filter, struct leg *leg, uint8_t *bytes, size_t size)
{
    (void)filter, (void)leg, (void)bytes, (void)size;
    abort(); /* the harness feeds bytes by session_receive() */
}

static size_t send_bytes(struct filter *filter, struct leg *leg, const uint8_t *bytes, size_t size)
{
    struct peer *peer = (struct peer *)filter;
    assert(!peer->is_closed && !peer->is_finished && size);
    if (peer->fails) {
        leg_fail_sending(leg, EPIPE);
        return 0;
    }
    size_t taken = size < peer->may_take ? size : peer->may_take;
    harness_pause();
    strbuf_add(&peer->got, bytes, taken);
    if (peer->witness)
        witness_server(peer->witness, bytes, taken);
    harness_resume();
    if (peer->may_take != SIZE_MAX)
        peer->may_take -= taken;
    return taken;
}

static bool has_buffered(const struct filter *filter)
{
    (void)filter;
    return false;
}

static void finish(struct filter *filter, struct leg *leg)
{
    (void)leg;
    ((struct peer *)filter)->is_finished = true;
}

static void break_off(struct filter *filter)
{
    struct peer *peer = (struct peer *)filter;
    assert(!peer->is_closed);
    peer->is_broken_off = true;
}

static void close_peer(struct filter *filter)
{
    struct peer *peer = (struct peer *)filter;
    assert(!peer->is_closed);
    peer->is_closed = true;
}

static const struct filter_type memory_type = {.name = "memory",
                                               .receive = never_receive,
                                               .send = send_bytes,
                                               .has_buffered = has_buffered,
                                               .finish = finish,
                                               .break_off = break_off,
                                               .close = close_peer};

static struct leg *leg_of(const struct harness *harness, enum session_side side)
{
    return session_leg(harness->session, side);
}

/* ---- What the environment does ---- */

/* ---- The bounds ---- */

static void check_leg(const struct harness *harness, enum session_side side)
{
    const struct leg *leg = leg_of(harness, side);
    const struct harness_options *options = &harness->options;
    size_t most = options->max_command_bytes + 17 * (size_t)SESSION_READ_BYTES;
    leg_check(leg);
    assert(!leg->borrowed);
    assert(leg_input_size(leg) <= most && leg->kept.size <= most);
    assert(leg->out.size - leg->sent <= 2 * most);
}

/* ---- Carrying out ---- */

static void close_all(struct harness *harness)
{
    if (harness->is_over)
        return;
    harness->is_over = true;
    harness->reason = session_close_reason(harness->session);
    leg_close(leg_of(harness, SESSION_CLIENT));
    leg_close(leg_of(harness, SESSION_BACKEND));
}

static void check_replies(struct harness *harness)
{
    const struct leg *client = leg_of(harness, SESSION_CLIENT);
    bool is_ready = strcmp(harness->state, "ready") == 0 && !client->is_corked &&
                    client->out.size == 0 && !client->is_deaf;
    bool is_open = strcmp(harness->state, "ending") != 0 && strcmp(harness->state, "closed") != 0;
    witness_check(&harness->witness, is_open, is_ready);
}

static void note_state(struct harness *harness)
{
    harness->state = session_state_name(harness->session);
    check_replies(harness);
    puppet_check(&harness->puppet, harness->is_over, harness->options.takes_header);
}

static void flush_both(struct harness *harness)
{
    leg_flush(leg_of(harness, SESSION_CLIENT));
    leg_flush(leg_of(harness, SESSION_BACKEND));
    check_leg(harness, SESSION_CLIENT);
    check_leg(harness, SESSION_BACKEND);
}

static bool flush_failed(struct harness *harness)
{
    struct leg *client = leg_of(harness, SESSION_CLIENT);
    struct leg *backend = leg_of(harness, SESSION_BACKEND);
    int deaf = client->is_deaf + backend->is_deaf;
    flush_both(harness);
    if (client->is_deaf + backend->is_deaf == deaf)
        return false;
    session_run(harness->session);
    return true;
}

static void connect_backend(struct harness *harness, const char *error)
{
    harness->is_connecting = false;
    if (!error)
        leg_push(leg_of(harness, SESSION_BACKEND), &harness->peers[SESSION_BACKEND].filter);
    session_connected(harness->session, error);
}

/* The next one has the same place in memory. */
static void leave_backend(struct harness *harness)
{
    struct peer *peer = &harness->peers[SESSION_BACKEND];
    leg_close(leg_of(harness, SESSION_BACKEND));
    harness->is_connecting = harness->is_securing[SESSION_BACKEND] = false;
    peer->is_closed = peer->has_ended = peer->is_lost = peer->fails = peer->is_finished = false;
    peer->is_broken_off = false;
    strbuf_reset(&peer->unread);
    session_left(harness->session);
}

static void secure(struct harness *harness, enum session_side side, const char *error)
{
    const struct tls_agreement agreement = {"TLSv1.3", "TLS_AES_256_GCM_SHA384", "CN=peer", "",
                                            "7"};
    harness->is_securing[side] = false;
    session_secured(harness->session, side, &agreement, error);
}

/* Returns whether the session was fed. */
static bool begin_securing(struct harness *harness, enum session_side side)
{
    const struct harness_options *options = &harness->options;
    if (harness->is_securing[side])
        return false;
    harness->is_securing[side] = true;
    if (!options->secures_later)
        secure(harness, side, options->secure_fails ? "no" : NULL);
    return !harness->is_securing[side];
}

static void do_work(struct harness *harness, bool cancelled)
{
    session_begin_work(harness->session);
    if (!cancelled)
        session_work(harness->session);
    session_worked(harness->session, cancelled);
}

static bool start_wishes(struct harness *harness, unsigned wishes)
{
    const struct harness_options *options = &harness->options;
    if (wishes & SESSION_SETS_DEADLINE)
        harness->deadline_ms = session_take_deadline(harness->session);
    if (wishes & SESSION_LEAVES) {
        leave_backend(harness);
        return true;
    }
    if (wishes & SESSION_CONNECTS && !harness->is_connecting) {
        harness->is_connecting = true;
        if (!options->connects_later)
            connect_backend(harness, options->connect_fails ? "refused" : NULL);
        return !harness->is_connecting;
    }
    if (wishes & SESSION_SECURES && begin_securing(harness, SESSION_CLIENT))
        return true;
    if (wishes & SESSION_SECURES_BACKEND && begin_securing(harness, SESSION_BACKEND))
        return true;
    if (wishes & SESSION_CLOSES_BACKEND)
        leg_close(leg_of(harness, SESSION_BACKEND));
    if (wishes & SESSION_FINISHES)
        leg_finish(leg_of(harness, SESSION_CLIENT));
    if (wishes & SESSION_FINISHES_BACKEND)
        leg_finish(leg_of(harness, SESSION_BACKEND));
    if (wishes & SESSION_WORKS && !options->works_later) {
        do_work(harness, false);
        return true;
    }
    return false;
}

static unsigned carry_out(struct harness *harness)
{
    unsigned wishes;
    do {
        assert(harness->turns++ < ENDLESS);
        while (flush_failed(harness))
            continue;
        wishes = session_wishes(harness->session);
        if (wishes & SESSION_IS_OVER) {
            close_all(harness);
            break;
        }
    } while (start_wishes(harness, wishes));
    note_state(harness);
    return wishes;
}

/* ---- Reading ---- */

/* Feeds one read, from memory that is gone right afterwards. */
static void feed(struct harness *harness, enum session_side side)
{
    static uint8_t anywhere; /* what is read to if the session has no better place */
    struct strbuf *unread = &harness->peers[side].unread;
    size_t size = harness->split ? harness->split(harness, unread->size) : unread->size;
    uint8_t *bytes = &anywhere, *own = NULL;
    size_t room = session_read_room(harness->session, side, &bytes);
    assert(room && size);
    size = size < room ? size : room;
    if (bytes == &anywhere) {
        assert(room <= SESSION_READ_BYTES);
        harness_pause();
        bytes = own = malloc(size);
        harness_resume();
        assert(bytes);
    }
    memcpy(bytes, unread->data, size);
    strbuf_consume(unread, size);
    harness_pause();
    if (harness->peers[side].witness)
        witness_client(harness->peers[side].witness, bytes, size);
    harness_resume();
    session_receive(harness->session, side, bytes, size);
    flush_both(harness);
    free(own);
}

/* Whether the side has something that the session reads now. */
static bool read_side(struct harness *harness, enum session_side side, bool is_wished)
{
    struct peer *peer = &harness->peers[side];
    struct leg *leg = leg_of(harness, side);
    if (!leg_is_open(leg) || leg->failed)
        return false;
    if (peer->is_lost) {
        leg_fail(leg, EIO);
        session_run(harness->session);
        return true;
    }
    if (!is_wished || leg->ended)
        return false;
    if (peer->unread.size) {
        feed(harness, side);
        return true;
    }
    if (!peer->has_ended)
        return false;
    leg->ended = true;
    session_run(harness->session);
    return true;
}

static bool take_back_holds(struct harness *harness)
{
    pthread_mutex_lock(&harness->lock);
    struct session_hold *holds = harness->holds;
    harness->holds = NULL;
    pthread_mutex_unlock(&harness->lock);
    bool any = holds != NULL;
    while (holds) {
        struct session_hold *next = *session_hold_next(holds);
        assert(session_of_hold(holds) == harness->session);
        session_run(session_hold_returned(holds));
        if (!harness->is_over)
            carry_out(harness);
        holds = next;
    }
    return any;
}

void harness_go_on(struct harness *harness)
{
    bool goes_on = true;
    harness->turns = 0;
    while (goes_on) {
        goes_on = take_back_holds(harness);
        if (harness->is_over)
            continue;
        unsigned wishes = carry_out(harness);
        if (harness->is_over)
            continue;
        goes_on |= read_side(harness, SESSION_CLIENT, wishes & SESSION_READS_CLIENT);
        carry_out(harness);
        if (harness->is_over)
            continue;
        wishes = session_wishes(harness->session);
        goes_on |= read_side(harness, SESSION_BACKEND, wishes & SESSION_READS_BACKEND);
    }
}

/* ---- What is done to a session ---- */

void harness_send(struct harness *harness, enum session_side side, const void *bytes, size_t size)
{
    harness_pause();
    strbuf_add(&harness->peers[side].unread, bytes, size);
    harness_resume();
    harness_go_on(harness);
}

void harness_end_of(struct harness *harness, enum session_side side)
{
    harness->peers[side].has_ended = true;
    harness_go_on(harness);
}

void harness_lose(struct harness *harness, enum session_side side)
{
    harness->peers[side].is_lost = true;
    harness_go_on(harness);
}

void harness_take(struct harness *harness, enum session_side side, size_t may_take)
{
    harness->peers[side].may_take = may_take;
    harness_go_on(harness);
}

void harness_connected(struct harness *harness, const char *error)
{
    if (harness->is_over || !harness->is_connecting)
        return;
    connect_backend(harness, error);
    harness_go_on(harness);
}

void harness_secured(struct harness *harness, const char *error)
{
    const bool is_client = harness->is_securing[SESSION_CLIENT];
    if (harness->is_over || !(is_client || harness->is_securing[SESSION_BACKEND]))
        return;
    secure(harness, is_client ? SESSION_CLIENT : SESSION_BACKEND, error);
    harness_go_on(harness);
}

void harness_begin_work(struct harness *harness)
{
    if (harness->is_over || harness->is_working ||
        !(session_wishes(harness->session) & SESSION_WORKS))
        return;
    harness->is_working = true;
    session_begin_work(harness->session);
    harness_go_on(harness);
}

void harness_worked(struct harness *harness, bool cancelled)
{
    if (!harness->is_working)
        return;
    harness->is_working = false;
    if (!cancelled)
        session_work(harness->session);
    session_worked(harness->session, cancelled);
    harness_go_on(harness);
}

void harness_deadline(struct harness *harness)
{
    if (harness->is_over || harness->deadline_ms == 0)
        return;
    session_deadline_passed(harness->session);
    harness_go_on(harness);
}

void harness_expire_holds(struct harness *harness)
{
    if (session_expire_holds(harness->session, UINT64_MAX))
        session_run(harness->session);
    harness_go_on(harness);
}

void harness_drain(struct harness *harness)
{
    if (harness->is_over)
        return;
    session_drain(harness->session);
    harness_go_on(harness);
}

void harness_close(struct harness *harness)
{
    if (harness->is_over)
        return;
    session_close(harness->session, CLOSE_SHUTDOWN);
    harness_go_on(harness);
}

/* ---- Beginning and end ---- */

static void begin_environment(struct harness *harness)
{
    const struct harness_options *options = &harness->options;
    for (size_t i = 0; i < HARNESS_BACKENDS; i++) {
        harness->backends[i] = harness_backends[i];
        harness->backends[i].tls_mode = "required";
        harness->backends[i].security = options->backend_tls_required ? BACKEND_MUST_BE_SECURE
                                        : options->backend_tls        ? BACKEND_SECURES_IF_OFFERED
                                                                      : BACKEND_STAYS_PLAIN;
    }
    harness->environment = (struct session_environment){
        .operations = &harness_operations,
        .owner = harness,
        .registry = &harness->puppet.registry,
        .has_plugins = !options->without_plugins,
        .has_variables = options->declares && !options->without_plugins,
        .has_functions = options->declares && !options->without_plugins,
        .offers_tls = options->offers_tls,
        .requires_tls = options->requires_tls,
        .backend = options->several ? NULL : harness->backends,
        .max_command_bytes = options->max_command_bytes,
        .max_prepared_bytes = options->max_prepared_bytes,
        .handshake_timeout_s = 10,
        .connect_timeout_s = 5,
        .hold_timeout_s = 300,
        .trace = &harness->trace,
    };
    session_environment_init(&harness->environment);
}

static void begin_session(struct harness *harness)
{
    const bool has_backends_id = harness->options.backend_first && !harness->options.several;
    struct session_arrival arrival = {
        .id = has_backends_id ? 0 : 0x7ffffff7,
        .address = {.client_ip = "192.0.2.7", .server_ip = "192.0.2.1", .size = 4},
        .scramble = "abcdefghijklmnopqrst",
        .too_many = harness->options.too_many,
        .takes_proxy_header = harness->options.takes_header,
        .is_stopping = harness->options.is_stopping,
        .backend_first = harness->options.backend_first,
        .version = harness->options.has_no_profile ? NULL : "8.0.11-backend",
        .capabilities = harness->options.capabilities,
        .charset = WIRE_CHARSET_UTF8MB4,
    };
    harness->session =
        session_new(&harness->environment, &arrival, &harness->peers[SESSION_CLIENT].filter);
    assert(harness->session);
    session_set_owner(harness->session, harness);
}

void harness_begin(struct harness *harness, const struct harness_options *options)
{
    *harness = (struct harness){.options = *options, .lock = PTHREAD_MUTEX_INITIALIZER};
    if (!options->max_command_bytes)
        harness->options.max_command_bytes = 1 << 20;
    if (!options->max_prepared_bytes)
        harness->options.max_prepared_bytes = 1 << 16;
    for (int side = SESSION_CLIENT; side <= SESSION_BACKEND; side++)
        harness->peers[side] = (struct peer){.filter = {.type = &memory_type},
                                             .got = STRBUF_INIT,
                                             .unread = STRBUF_INIT,
                                             .may_take = SIZE_MAX};
    witness_begin(&harness->witness, options->without_plugins);
    harness->peers[SESSION_CLIENT].witness = &harness->witness;
    harness->ids[1].id = 0x7ffffff6; /* another session's */
    harness->ids[1].backend_id = 99;
    if (options->without_plugins)
        puppet_begin_without(&harness->puppet);
    else
        puppet_begin(&harness->puppet, !options->lenient,
                     options->needs_account ? PLUGIN_NEEDS_ACCOUNT : 0, options->declares);
    harness->puppet.acts[PUPPET_PRE_CONNECT] = (options->address_refused ? PUPPET_REFUSE : 0) |
                                               (options->address_judged_late ? PUPPET_VERDICT : 0);
    begin_environment(harness);
    begin_session(harness);
    harness_go_on(harness);
}

/* What plugins answer after the session has gone. */
static void answer_late(struct harness *harness)
{
    while (puppet_give_back(&harness->puppet, false, true) ||
           puppet_decide(&harness->puppet, WEIR_REFUSE, true))
        continue;
    assert(!harness->holds);
}

void harness_finish(struct harness *harness)
{
    harness_close(harness);
    assert(harness->is_over);
    assert(!harness->is_working || !session_may_be_freed(harness->session));
    harness_worked(harness, false);
    take_back_holds(harness);
    session_drop_holds(harness->session);
    puppet_check(&harness->puppet, true, harness->options.takes_header);
    assert(session_may_be_freed(harness->session));
    session_free(harness->session);
    harness->session = NULL;
    answer_late(harness);
    assert(harness->ids[0].id == 0);
    for (size_t i = 0; i < HARNESS_BACKENDS; i++)
        assert(harness->sessions[i] == 0);
    assert(harness->peers[SESSION_CLIENT].is_closed);
    for (int side = SESSION_CLIENT; side <= SESSION_BACKEND; side++) {
        strbuf_release(&harness->peers[side].got);
        strbuf_release(&harness->peers[side].unread);
    }
    witness_end(&harness->witness);
    session_environment_release(&harness->environment);
    puppet_end(&harness->puppet);
}
