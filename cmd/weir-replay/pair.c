/* SPDX-License-Identifier: Apache-2.0
 *
 * The peers are filters that keep what is sent; the wishes of the session are carried out at once. */
#include "pair.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { HOLD_WAIT_S = 10, COMMAND_MOST = 1 << 30 };

/* ---- the peers ---- */

/* NOLINTNEXTLINE(readability-non-const-parameter): the type is struct filter_type's */
static size_t never_receive(struct filter *filter, struct leg *leg, uint8_t *bytes, size_t size)
{
    (void)filter, (void)leg, (void)bytes, (void)size;
    abort(); /* bytes are fed by session_receive() */
}

static size_t keep(struct filter *filter, struct leg *leg, const uint8_t *bytes, size_t size)
{
    (void)leg;
    strbuf_add(&((struct peer *)filter)->got, bytes, size);
    return size;
}

static void finish(struct filter *filter, struct leg *leg)
{
    (void)filter, (void)leg;
}

static void nothing(struct filter *filter)
{
    (void)filter;
}

static const struct filter_type memory_type = {.name = "memory",
                                               .receive = never_receive,
                                               .send = keep,
                                               .finish = finish,
                                               .break_off = nothing,
                                               .close = nothing};

static struct leg *leg_of(const struct pair *pair, enum session_side side)
{
    return session_leg(pair->session, side);
}

/* ---- what the process does for a session ---- */

static bool id_add(void *owner, uint32_t id, const struct session_backend *backend,
                   uint32_t backend_id, const char *user)
{
    (void)owner, (void)id, (void)backend, (void)backend_id, (void)user;
    return true;
}

static void id_remove(void *owner, uint32_t id)
{
    (void)owner, (void)id;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the type is struct session_operations' */
static bool id_find(void *owner, uint32_t id, const char *user, struct session_place *place)
{
    (void)owner, (void)id, (void)user, (void)place;
    return false;
}

static void hold_is_back(void *owner, struct session_hold *hold)
{
    struct pair *pair = owner;
    pthread_mutex_lock(&pair->lock);
    *session_hold_next(hold) = pair->holds;
    pair->holds = hold;
    pthread_cond_signal(&pair->returned);
    pthread_mutex_unlock(&pair->lock);
}

static int trace_load(void *owner, const char *name, struct error *error)
{
    (void)owner;
    return error_set(error, "trace plugin %s: a replay has none", name);
}

static void trace_changed(void *owner)
{
    (void)owner;
}

static const struct session_operations operations = {.id_add = id_add,
                                                     .id_remove = id_remove,
                                                     .id_find = id_find,
                                                     .hold_is_back = hold_is_back,
                                                     .trace_load = trace_load,
                                                     .trace_changed = trace_changed};

/* ---- carrying out ---- */

static void flush_both(struct pair *pair)
{
    leg_flush(leg_of(pair, SESSION_CLIENT));
    leg_flush(leg_of(pair, SESSION_BACKEND));
}

static void close_all(struct pair *pair)
{
    pair->is_over = true;
    pair->reason = session_close_reason(pair->session);
    leg_close(leg_of(pair, SESSION_CLIENT));
    leg_close(leg_of(pair, SESSION_BACKEND));
}

/* Returns true if something happened by which the session may have other wishes. */
static bool start_wishes(struct pair *pair, unsigned wishes)
{
    if (wishes & SESSION_SETS_DEADLINE)
        (void)session_take_deadline(pair->session); /* a replay has all the time */
    if (wishes & SESSION_CLOSES_BACKEND)
        leg_close(leg_of(pair, SESSION_BACKEND));
    if (wishes & SESSION_FINISHES)
        leg_finish(leg_of(pair, SESSION_CLIENT));
    if (wishes & SESSION_FINISHES_BACKEND)
        leg_finish(leg_of(pair, SESSION_BACKEND));
    assert(!(wishes & SESSION_LEAVES)); /* there is no other backend */
    if (wishes & SESSION_CONNECTS) {
        leg_push(leg_of(pair, SESSION_BACKEND), &pair->peers[SESSION_BACKEND].filter);
        session_connected(pair->session, NULL);
        return true;
    }
    if (wishes & SESSION_WORKS) {
        session_begin_work(pair->session);
        session_work(pair->session);
        session_worked(pair->session, false);
        return true;
    }
    assert(!(wishes & SESSION_SECURES)); /* TLS is not offered */
    return false;
}

static unsigned carry_out(struct pair *pair)
{
    unsigned wishes = 0;
    while (!pair->is_over) {
        flush_both(pair);
        wishes = session_wishes(pair->session);
        if (wishes & SESSION_IS_OVER)
            close_all(pair);
        else if (!start_wishes(pair, wishes))
            break;
    }
    return pair->is_over ? 0 : wishes;
}

/* ---- reading ---- */

static void feed(struct pair *pair, enum session_side side)
{
    uint8_t own[SESSION_READ_BYTES], *bytes = own;
    struct strbuf *unread = &pair->peers[side].unread;
    size_t room = session_read_room(pair->session, side, &bytes);
    size_t size = unread->size < room ? unread->size : room;
    memcpy(bytes, unread->data, size);
    strbuf_consume(unread, size);
    session_receive(pair->session, side, bytes, size);
    flush_both(pair);
}

static bool read_side(struct pair *pair, enum session_side side, bool is_wished)
{
    struct peer *peer = &pair->peers[side];
    struct leg *leg = leg_of(pair, side);
    if (!is_wished || !leg_is_open(leg) || leg->failed || leg->ended)
        return false;
    if (peer->unread.size) {
        feed(pair, side);
        return true;
    }
    if (!peer->has_ended)
        return false;
    leg->ended = true;
    session_run(pair->session);
    return true;
}

static bool take_back_holds(struct pair *pair)
{
    pthread_mutex_lock(&pair->lock);
    struct session_hold *holds = pair->holds;
    pair->holds = NULL;
    pthread_mutex_unlock(&pair->lock);
    bool any = holds != NULL;
    while (holds) {
        struct session_hold *next = *session_hold_next(holds);
        session_run(session_hold_returned(holds));
        carry_out(pair);
        holds = next;
    }
    return any;
}

void pair_run(struct pair *pair)
{
    bool goes_on = true;
    while (goes_on) {
        goes_on = take_back_holds(pair);
        unsigned wishes = carry_out(pair);
        if (!pair->is_over)
            goes_on |= read_side(pair, SESSION_CLIENT, wishes & SESSION_READS_CLIENT);
        wishes = carry_out(pair);
        if (!pair->is_over)
            goes_on |= read_side(pair, SESSION_BACKEND, wishes & SESSION_READS_BACKEND);
    }
}

void pair_send(struct pair *pair, enum session_side side, const void *bytes, size_t size)
{
    strbuf_add(&pair->peers[side].unread, bytes, size);
}

/* A plugin judges a login or a command, or keeps a reply back. */
static bool is_held(const struct pair *pair)
{
    static const char judging[] = "judging";
    return strncmp(session_state_name(pair->session), judging, sizeof judging - 1) == 0 ||
           leg_of(pair, SESSION_CLIENT)->is_corked;
}

bool pair_wait(struct pair *pair)
{
    if (pair->is_over || !is_held(pair))
        return false;
    struct timespec until;
    int status = 0;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += HOLD_WAIT_S;
    pthread_mutex_lock(&pair->lock);
    while (!pair->holds && status == 0)
        status = pthread_cond_timedwait(&pair->returned, &pair->lock, &until);
    bool any = pair->holds;
    pthread_mutex_unlock(&pair->lock);
    pair_run(pair);
    return any;
}

/* ---- beginning and end ---- */

static const struct session_backend recording = {
    .name = "recording", .address = "recording", .label = "recording"};

int pair_begin(struct pair *pair, struct plugin_registry *registry, const char *client)
{
    *pair = (struct pair){.lock = PTHREAD_MUTEX_INITIALIZER, .returned = PTHREAD_COND_INITIALIZER};
    for (int side = SESSION_CLIENT; side <= SESSION_BACKEND; side++)
        pair->peers[side] = (struct peer){
            .filter = {.type = &memory_type}, .got = STRBUF_INIT, .unread = STRBUF_INIT};
    pair->environment = (struct session_environment){
        .operations = &operations,
        .owner = pair,
        .registry = registry,
        .has_plugins = true,
        .has_variables = plugin_has_variables(registry),
        .has_functions = plugin_has_callables(registry),
        .backend = &recording,
        .max_command_bytes = COMMAND_MOST,
        .max_prepared_bytes = COMMAND_MOST,
        .trace = &pair->trace,
    };
    session_environment_init(&pair->environment);
    struct session_arrival arrival = {
        .address = {.bytes = {127, 0, 0, 1}, .size = 4},
        .scramble = "abcdefghijklmnopqrst",
        .version = "recording",
        .backend_first = true,
        .charset = WIRE_CHARSET_UTF8MB4,
    };
    snprintf(arrival.address.client_ip, sizeof arrival.address.client_ip, "%s", client);
    snprintf(arrival.address.server_ip, sizeof arrival.address.server_ip, "%s", client);
    pair->session = session_new(&pair->environment, &arrival, &pair->peers[SESSION_CLIENT].filter);
    if (!pair->session) {
        session_environment_release(&pair->environment);
        return -1;
    }
    pair_run(pair);
    return 0;
}

void pair_end(struct pair *pair)
{
    pair->peers[SESSION_CLIENT].has_ended = true;
    pair->peers[SESSION_BACKEND].has_ended = true;
    pair_run(pair);
    if (!pair->is_over) {
        session_close(pair->session, CLOSE_CLIENT_GONE);
        pair_run(pair);
    }
    session_drop_holds(pair->session);
    take_back_holds(pair);
    session_free(pair->session);
    for (int side = SESSION_CLIENT; side <= SESSION_BACKEND; side++) {
        strbuf_release(&pair->peers[side].got);
        strbuf_release(&pair->peers[side].unread);
    }
    session_environment_release(&pair->environment);
    pthread_cond_destroy(&pair->returned);
    pthread_mutex_destroy(&pair->lock);
}
