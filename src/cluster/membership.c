/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of a membership, on the store's thread. One request or one timer is under way at a time, but for the
 * writing of the record, which has an answer of its own. */
#include "cluster/membership.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cluster/member_table.h"

#define KEEPS_A_LEASE 3    /* how often it is kept while it lasts */
#define RETRY_MS      1000 /* after a failure */
#define NUMBER_BITS   12
#define MS_A_SECOND   1000U
#define KEY_BYTES     256

_Static_assert(MEMBERSHIP_NUMBERS < 1 << NUMBER_BITS, "a number fits beside its time");

enum state { AWAY, GRANTING, READING, CLAIMING, MEMBER };

struct membership {
    struct store *store;
    char *prefix; /* owned */
    struct membership_options options;
    /* Until when the number is surely ours (the store's clock, milliseconds), and the number, in one word, so
     * that no old number is read with a new time. 0: none. */
    atomic_uint_fast64_t held;
    atomic_int_fast64_t held_lease; /* 0: none */

    /* The store's thread. */
    enum state state;
    bool is_asked, has_timer;             /* something is under way */
    bool is_failing;                      /* and has been said to */
    uint64_t wake_ms;                     /* has_timer: when */
    uint64_t sent_ms;                     /* when the lease was asked for, or to last */
    int64_t lease, revision;              /* 0: none. Of the key */
    unsigned number;                      /* CLAIMING: wanted; MEMBER: had */
    bool is_writing, is_dirty, is_unsure; /* of the record; unsure: what revision the key has */

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t left;
    struct member_table table;
    bool is_reached, is_stopping, is_revoked;
    char *record; /* owned */
    size_t record_size;
    bool publishes; /* a timer will write it */
};

static void step(struct membership *own);
static void write_record(struct membership *own);

/* ---- The number ---- */

static uint64_t now_ms(const struct membership *own)
{
    return store_now_ns(own->store) / 1000000;
}

/* The lease lasts from when the store has read the request, which was after it was sent; clocks differ a little. */
static void hold_number(struct membership *own)
{
    const uint64_t lasts_ms = (uint64_t)own->options.lease_s * MS_A_SECOND;
    const uint64_t until_ms = own->sent_ms + lasts_ms - lasts_ms / 10;
    atomic_store(&own->held, until_ms << NUMBER_BITS | own->number);
    atomic_store(&own->held_lease, own->lease);
}

int64_t membership_lease(const struct membership *own)
{
    return membership_number(own) ? atomic_load(&own->held_lease) : 0;
}

unsigned membership_number(const struct membership *own)
{
    const uint64_t held = atomic_load(&own->held);
    const bool lasts = held && now_ms(own) < held >> NUMBER_BITS;
    return lasts ? (unsigned)(held & ((1U << NUMBER_BITS) - 1)) : 0;
}

static struct store_bytes key_of(const struct membership *own, unsigned number,
                                 char room[KEY_BYTES])
{
    snprintf(room, KEY_BYTES, "%s%u", own->prefix, number);
    return STORE_TEXT(room);
}

static bool is_stopping(struct membership *own)
{
    pthread_mutex_lock(&own->lock);
    const bool stops = own->is_stopping;
    pthread_mutex_unlock(&own->lock);
    return stops;
}

/* ---- Timers and failures ---- */

static void on_timer(void *user)
{
    struct membership *own = user;
    if (!own->has_timer || now_ms(own) < own->wake_ms)
        return; /* it was for what is over */
    own->has_timer = false;
    step(own);
}

static void wait_for(struct membership *own, uint64_t ms)
{
    own->wake_ms = now_ms(own) + ms;
    own->has_timer = store_after(own->store, ms, on_timer, own);
    if (!own->has_timer)
        log_error("cluster", "no memory: this node does not keep its number");
}

static void failed(struct membership *own, const char *why)
{
    if (!own->is_failing && own->number)
        log_warn("cluster", "the lease of node %u was not kept: %s; trying on", own->number, why);
    else if (!own->is_failing)
        log_warn("cluster", "this node has no number: %s; trying on", why);
    if (!own->is_failing && !own->number && own->options.joined)
        own->options.joined(own->options.user, 0, why);
    own->is_failing = true;
    wait_for(own, RETRY_MS);
}

/* The number may be another node's. A new one is taken. */
static void lose(struct membership *own, const char *why)
{
    const struct store_request revoke = {.action = STORE_REVOKE, .lease = own->lease};
    log_warn("cluster", "node %u gives its number up: %s", own->number, why);
    atomic_store(&own->held, 0);
    atomic_store(&own->held_lease, 0);
    own->number = 0;
    own->state = AWAY;
    own->is_unsure = false;
    if (!store_call(own->store, &revoke))
        log_error("cluster", "no memory to end a lease");
    own->has_timer = false;
    step(own);
}

/* ---- Requests ---- */

static void ask(struct membership *own, struct store_request request, store_done *done)
{
    request.done = done;
    request.user = own;
    own->is_asked = store_call(own->store, &request);
    if (!own->is_asked)
        failed(own, "no memory");
}

/* Whether an answer is of what is under way. Otherwise it goes on with what is. */
static bool is_expected(struct membership *own, enum state state)
{
    own->is_asked = false;
    if (is_stopping(own))
        return false;
    if (own->state != state)
        step(own);
    return own->state == state;
}

static void start_again(struct membership *own, const struct store_answer *answer)
{
    own->state = AWAY;
    failed(own, answer->message);
}

static void on_granted(void *user, const struct store_answer *answer)
{
    struct membership *own = user;
    if (!is_expected(own, GRANTING))
        return;
    if (answer->status != STORE_DONE) {
        start_again(own, answer);
        return;
    }
    own->lease = answer->lease;
    own->state = READING;
    step(own);
}

static void joined(struct membership *own, int64_t revision)
{
    own->revision = revision;
    own->state = MEMBER;
    own->is_failing = false;
    hold_number(own);
    log_info("cluster", "this is node %u of %.*s", own->number, (int)own->table.prefix_size,
             own->prefix);
    if (own->options.joined)
        own->options.joined(own->options.user, own->number, "");
    if (own->is_dirty)
        write_record(own);
    wait_for(own, (uint64_t)own->options.lease_s * MS_A_SECOND / KEEPS_A_LEASE);
}

/* A claim whose answer has not come may have been granted. Otherwise a free number is chosen at random, because nodes
 * that start at the same time would all want the first one. Returns false if none is free. */
static bool choose(struct membership *own, const struct store_answer *answer, int64_t *revision)
{
    const unsigned count = own->options.last - own->options.first + 1;
    bool taken[MEMBERSHIP_NUMBERS + 1] = {false};
    unsigned start = 0;
    *revision = 0;
    for (size_t i = 0; i < answer->count; i++) {
        const struct store_entry *entry = &answer->entries[i];
        const unsigned number = member_table_number(&own->table, entry->key);
        if (number <= MEMBERSHIP_NUMBERS)
            taken[number] = true;
        if (number && entry->lease == own->lease) {
            own->number = number;
            *revision = entry->revision;
        }
    }
    if (*revision)
        return true;
    if (getrandom(&start, sizeof start, GRND_NONBLOCK) != sizeof start)
        start = (unsigned)own->sent_ms;
    for (unsigned i = 0; i < count; i++) {
        own->number = own->options.first + (start % count + i) % count;
        if (!taken[own->number])
            return true;
    }
    own->number = 0;
    return false;
}

static void on_read(void *user, const struct store_answer *answer)
{
    struct membership *own = user;
    int64_t revision = 0;
    if (!is_expected(own, READING))
        return;
    if (answer->status != STORE_DONE) {
        failed(own, answer->message);
    } else if (!choose(own, answer, &revision)) {
        failed(own, "all numbers of nodes are taken");
    } else if (revision) {
        own->is_dirty = true;
        joined(own, revision);
    } else {
        own->state = CLAIMING;
        step(own);
    }
}

static void on_claimed(void *user, const struct store_answer *answer)
{
    struct membership *own = user;
    if (!is_expected(own, CLAIMING))
        return;
    if (answer->status == STORE_DONE) {
        joined(own, answer->revision);
        return;
    }
    own->number = 0;
    own->state = answer->status == STORE_GONE ? AWAY : READING;
    if (answer->status == STORE_DIFFERS)
        step(own);
    else
        failed(own, answer->message);
}

static void on_kept(void *user, const struct store_answer *answer)
{
    struct membership *own = user;
    if (!is_expected(own, MEMBER))
        return;
    if (answer->status == STORE_GONE) {
        lose(own, "its lease has ended");
    } else if (answer->status != STORE_DONE) {
        failed(own, answer->message);
    } else {
        if (own->is_failing)
            log_info("cluster", "node %u has kept its lease", own->number);
        own->is_failing = false;
        hold_number(own);
        if (own->is_dirty)
            write_record(own);
        wait_for(own, (uint64_t)own->options.lease_s * MS_A_SECOND / KEEPS_A_LEASE);
    }
}

/* The record with the lock held: it may not change while the request is copied. */
static struct store_request write_of(struct membership *own, char key[KEY_BYTES], int64_t revision)
{
    struct store_request request = {.action = STORE_WRITE, .compare_count = 1, .write_count = 1};
    request.compares[0] =
        (struct store_compare){.key = key_of(own, own->number, key), .revision = revision};
    request.writes[0] = (struct store_write){
        .key = request.compares[0].key,
        .value = {.data = own->record ? own->record : "", .size = own->record_size},
        .lease = own->lease};
    return request;
}

static void claim(struct membership *own)
{
    char key[KEY_BYTES];
    pthread_mutex_lock(&own->lock);
    struct store_request request = write_of(own, key, 0);
    request.done = on_claimed;
    request.user = own;
    own->is_asked = store_call(own->store, &request);
    pthread_mutex_unlock(&own->lock);
    own->is_dirty = false;
    if (!own->is_asked)
        failed(own, "no memory");
}

/* Begins what the state is there for. */
static void step(struct membership *own)
{
    if (own->is_asked || own->has_timer || is_stopping(own))
        return;
    switch (own->state) {
    case AWAY:
        own->state = GRANTING;
        own->lease = 0;
        /* fall through */
    case GRANTING:
        own->sent_ms = now_ms(own);
        ask(own, (struct store_request){.action = STORE_GRANT, .ttl_s = own->options.lease_s},
            on_granted);
        break;
    case READING:
        ask(own,
            (struct store_request){
                .action = STORE_READ, .key = STORE_TEXT(own->prefix), .is_prefix = true},
            on_read);
        break;
    case CLAIMING:
        claim(own);
        break;
    case MEMBER:
        own->sent_ms = now_ms(own);
        ask(own, (struct store_request){.action = STORE_KEEP, .lease = own->lease}, on_kept);
        break;
    }
}

/* ---- The record ---- */

/* Whose the key is now is read from its lease. */
static void on_own_read(void *user, const struct store_answer *answer)
{
    struct membership *own = user;
    own->is_writing = false;
    if (own->state != MEMBER || is_stopping(own) || answer->status != STORE_DONE)
        return;
    if (answer->count == 0 || answer->entries[0].lease != own->lease) {
        lose(own, "its key is gone, or somebody else's");
        return;
    }
    own->revision = answer->entries[0].revision;
    own->is_unsure = false;
    write_record(own);
}

static void on_written(void *user, const struct store_answer *answer)
{
    struct membership *own = user;
    own->is_writing = false;
    if (own->state != MEMBER || is_stopping(own))
        return;
    if (answer->status == STORE_DONE)
        own->revision = answer->revision;
    else
        own->is_dirty = true; /* once the lease is kept again */
    own->is_unsure = answer->status == STORE_DIFFERS || answer->status == STORE_UNKNOWN;
    if (answer->status == STORE_DONE ? own->is_dirty : answer->status == STORE_DIFFERS)
        write_record(own);
}

static void write_record(struct membership *own)
{
    char key[KEY_BYTES];
    if (own->is_writing || own->state != MEMBER)
        return;
    pthread_mutex_lock(&own->lock);
    struct store_request request = write_of(own, key, own->revision);
    request.done = on_written;
    request.user = own;
    if (own->is_unsure)
        request = (struct store_request){.action = STORE_READ,
                                         .key = key_of(own, own->number, key),
                                         .done = on_own_read,
                                         .user = own};
    own->is_dirty = own->is_unsure;
    own->is_writing = store_call(own->store, &request);
    pthread_mutex_unlock(&own->lock);
    own->is_dirty = own->is_dirty || !own->is_writing;
}

static void on_publish(void *user)
{
    struct membership *own = user;
    pthread_mutex_lock(&own->lock);
    own->publishes = false;
    const bool stops = own->is_stopping;
    pthread_mutex_unlock(&own->lock);
    own->is_dirty = true;
    if (!stops)
        write_record(own);
}

void membership_publish(struct membership *own, const char *record, size_t size)
{
    assert(own && size <= STORE_VALUE_BYTES);
    char *copy = malloc(size + 1);
    if (!copy)
        return;
    if (size)
        memcpy(copy, record, size);
    copy[size] = 0;
    pthread_mutex_lock(&own->lock);
    free(own->record);
    own->record = copy;
    own->record_size = size;
    if (!own->publishes && !own->is_stopping)
        own->publishes = store_after(own->store, 0, on_publish, own);
    pthread_mutex_unlock(&own->lock);
}

/* ---- The others ---- */

static void on_news(void *user, const struct store_news *news)
{
    struct membership *own = user;
    pthread_mutex_lock(&own->lock);
    own->is_reached = news->kind != STORE_LOST;
    member_table_take(&own->table, news);
    const struct member_row *row = member_table_find(&own->table, own->number);
    const bool is_ours = row && row->lease == own->lease;
    const bool stops = own->is_stopping;
    pthread_mutex_unlock(&own->lock);
    /* Of our key: news may be older than it. */
    bool is_told = news->kind == STORE_EVERYTHING && news->revision >= own->revision;
    for (size_t i = 0; i < news->count; i++)
        is_told =
            is_told || (own->number && news->entries[i].revision > own->revision &&
                        member_table_number(&own->table, news->entries[i].key) == own->number);
    if (own->state == MEMBER && is_told && !is_ours && !stops)
        lose(own, "its key is gone, or somebody else's");
}

bool membership_each(struct membership *own, void (*each)(void *user, const struct member *member),
                     void *user)
{
    const unsigned here = membership_number(own);
    pthread_mutex_lock(&own->lock);
    for (size_t i = 0; i < own->table.count; i++) {
        const struct member_row *row = &own->table.rows[i];
        each(user, &(struct member){.number = row->number,
                                    .is_here = row->number == here,
                                    .record = {.data = row->record, .size = row->record_size}});
    }
    const bool is_reached = own->is_reached;
    pthread_mutex_unlock(&own->lock);
    return is_reached;
}

bool membership_has(struct membership *own, unsigned number)
{
    const bool is_here = number == membership_number(own);
    pthread_mutex_lock(&own->lock);
    const bool has = !is_here && member_table_find(&own->table, number);
    pthread_mutex_unlock(&own->lock);
    return has;
}

/* ---- Start and end ---- */

static void on_revoked(void *user, const struct store_answer *answer)
{
    struct membership *own = user;
    (void)answer;
    pthread_mutex_lock(&own->lock);
    own->is_revoked = true;
    pthread_cond_broadcast(&own->left);
    pthread_mutex_unlock(&own->lock);
}

/* On the store's thread: there the lease is known. */
static void on_leave(void *user)
{
    struct membership *own = user;
    const struct store_request revoke = {
        .action = STORE_REVOKE, .lease = own->lease, .done = on_revoked, .user = own};
    if (!own->lease || !store_call(own->store, &revoke))
        on_revoked(own, NULL);
}

void membership_leave(struct membership *own, long milliseconds)
{
    const struct timespec until = clock_deadline(CLOCK_MONOTONIC, (uint64_t)milliseconds * 1000000);
    pthread_mutex_lock(&own->lock);
    own->is_stopping = true;
    pthread_mutex_unlock(&own->lock);
    atomic_store(&own->held, 0);
    if (!store_after(own->store, 0, on_leave, own))
        return;
    pthread_mutex_lock(&own->lock);
    int status = 0;
    while (!own->is_revoked && status == 0 && milliseconds > 0)
        status = pthread_cond_timedwait(&own->left, &own->lock, &until);
    pthread_mutex_unlock(&own->lock);
}

static void on_begin(void *user)
{
    step(user);
}

struct membership *membership_new(struct store *store, const struct membership_options *options)
{
    assert(store && options->first > 0 && options->first <= options->last &&
           options->last <= MEMBERSHIP_NUMBERS && options->lease_s > 0 &&
           strlen(options->prefix) < KEY_BYTES - 16);
    struct membership *own = calloc(1, sizeof *own);
    char *prefix = strdup(options->prefix);
    if (!own || !prefix) {
        free(own);
        free(prefix);
        return NULL;
    }
    own->store = store;
    own->options = *options;
    own->prefix = prefix;
    own->table.prefix_size = strlen(prefix);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&own->lock, NULL);
    pthread_cond_init(&own->left, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (store_follow(store, STORE_TEXT(prefix), on_news, own) &&
        store_after(store, 0, on_begin, own))
        return own;
    own->is_stopping = true; /* a follower may have it: it stays */
    return NULL;
}

void membership_free(struct membership *own)
{
    if (!own)
        return;
    member_table_release(&own->table);
    pthread_mutex_destroy(&own->lock);
    pthread_cond_destroy(&own->left);
    free(own->record);
    free(own->prefix);
    free(own);
}
