/* SPDX-License-Identifier: Apache-2.0
 *
 * A queue of bans that are to be stored: each address stands in it once, with its latest ban, and few are on their
 * way at a time, so that a storm of bans becomes as many puts as the store takes.
 *
 *     WAITS ──► SENT ──► out                     it is stored, or over
 *       ▲         │
 *       └─────────┘                              it was not: with the next ban, or when the store has news
 *
 * A ban that is lifted stands in it too, and is sent as a deletion, so that it is not lost with a store that is away. What
 * another node has banned after that stays banned. Where all bans are lifted at once and the store does not do it, it
 * is asked later for those that it had then.
 *
 * One lease serves all bans that end before it does; it lasts some seconds longer than the first of them. */
#include "shared_bans.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/clock.h>
#include <weir/log_limit.h>
#include <weir/store.h>
#include <weir/text.h>

#include "ban_names.h"

#define PREFIX        "ban/"
#define PREFIX_BYTES  (sizeof PREFIX - 1)
#define SLACK_NS      (10 * CLOCK_NS_PER_S)            /* that a lease lasts longer */
#define FIRST_NS      (2 * CLOCK_NS_PER_S)             /* longest wait for the first news */
#define FAILURES_MOST 8                                /* tries again without news */
#define MOST_NS       (720ULL * 3600 * CLOCK_NS_PER_S) /* longest ban, as of ip_filter_ban_time */

struct waiting_ban {
    struct tally_key key;
    uint64_t until_ns; /* wall clock; 0: it is another node's, and lifted */
    bool is_sent;      /* the store has not answered */
    bool is_newer;     /* it has changed since it was sent */
    bool is_lifted;    /* its key is to be deleted, */
    int64_t lifted_at; /* ... unless it has changed since this revision */
    struct waiting_ban *next;
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t first;
    bool has_news;
    struct waiting_ban *bans;
    size_t count, sent;
    int64_t lease;          /* 0: none */
    uint64_t lease_ends_ns; /* wall clock */
    bool is_asking;         /* for a lease */
    uint64_t round;         /* of EVERYTHING */
    bool has_store, is_lost;
    unsigned failures; /* since the last news */
    int64_t seen;      /* last revision that the store has told of */
    bool clears;       /* all bans up to a revision are to be deleted: */
    int64_t cleared_at;
    bool is_listing; /* ... and are asked for */
} shared = {.lock = PTHREAD_MUTEX_INITIALIZER, .first = PTHREAD_COND_INITIALIZER};

static atomic_bool are_known;
static atomic_ullong left_out;

/* ---- What is stored ---- */

static void write_key(const struct tally_key *address, char key[PREFIX_BYTES + BAN_NAME_BYTES])
{
    char name[BAN_NAME_BYTES];
    ban_name_write(address, name);
    snprintf(key, PREFIX_BYTES + BAN_NAME_BYTES, PREFIX "%s", name);
}

bool shared_ban_read(const char *key, size_t key_size, const char *value, size_t value_size,
                     struct tally_key *address, uint64_t *until_ns)
{
    uint64_t number = 0;
    bool ok = key_size > PREFIX_BYTES && memcmp(key, PREFIX, PREFIX_BYTES) == 0 &&
              ban_name_read((weir_string){key + PREFIX_BYTES, key_size - PREFIX_BYTES}, address) &&
              value_size > 0 && value_size <= 19; /* digits: no overflow */
    for (size_t i = 0; ok && i < value_size; i++) {
        ok = value[i] >= '0' && value[i] <= '9';
        number = number * 10 + (uint64_t)(value[i] - '0');
    }
    *until_ns = number;
    return ok;
}

/* ---- The queue; the lock is held ---- */

static struct waiting_ban *find(const struct tally_key *key)
{
    struct waiting_ban *ban = shared.bans;
    while (ban &&
           (ban->key.size != key->size || memcmp(ban->key.bytes, key->bytes, key->size) != 0))
        ban = ban->next;
    return ban;
}

static void drop(struct waiting_ban *ban)
{
    struct waiting_ban **at = &shared.bans;
    while (*at != ban)
        at = &(*at)->next;
    *at = ban->next;
    shared.count--;
    free(ban);
}

static void note_revision(int64_t revision)
{
    if (revision > shared.seen)
        shared.seen = revision;
}

static void pump(void);

/* A put or a deletion. */
static void on_answer(void *user, const weir_store_answer *answer)
{
    struct waiting_ban *ban = user;
    const bool is_done = answer->status == WEIR_STORE_DONE;
    pthread_mutex_lock(&shared.lock);
    shared.sent--;
    ban->is_sent = false;
    if (is_done)
        note_revision(answer->revision);
    if (answer->status == WEIR_STORE_GONE)
        shared.lease = 0;
    if (is_done && !ban->is_newer)
        drop(ban);
    else if (is_done)
        ban->lifted_at = shared.seen;
    /* What has failed right before the store was there again would wait for the next news otherwise. */
    if (is_done || answer->status == WEIR_STORE_GONE ||
        (!shared.is_lost && shared.failures++ < FAILURES_MOST))
        pump();
    pthread_mutex_unlock(&shared.lock);
}

static void on_lease(void *user, const weir_store_answer *answer)
{
    (void)user;
    pthread_mutex_lock(&shared.lock);
    shared.is_asking = false;
    if (answer->status == WEIR_STORE_DONE) {
        shared.lease = answer->lease;
        shared.lease_ends_ns = clock_wall_ns() + answer->ttl;
        pump();
    }
    pthread_mutex_unlock(&shared.lock);
}

static bool send_ban(struct waiting_ban *ban)
{
    char key[PREFIX_BYTES + BAN_NAME_BYTES], value[24];
    write_key(&ban->key, key);
    snprintf(value, sizeof value, "%llu", (unsigned long long)ban->until_ns);
    ban->is_sent = ban->is_lifted ? weir_store_delete(text_of(key), on_answer, ban)
                                  : weir_store_put(text_of(key), text_of(value), WEIR_STORE_ANY,
                                                   shared.lease, on_answer, ban);
    ban->is_newer = false;
    shared.sent += ban->is_sent;
    return ban->is_sent;
}

static void list_cleared(void);

/* Sends what may be sent, or asks for the lease that it needs. */
static void pump(void)
{
    const uint64_t now = clock_wall_ns();
    bool goes_on = true;
    for (struct waiting_ban *ban = shared.bans, *next; ban && goes_on; ban = next) {
        next = ban->next;
        if (ban->is_sent)
            continue;
        if (!ban->is_lifted && ban->until_ns <= now) {
            drop(ban);
        } else if (shared.sent == SHARED_BANS_SENT) {
            goes_on = false;
        } else if (ban->is_lifted) {
            goes_on = send_ban(ban);
        } else if (shared.lease && shared.lease_ends_ns >= ban->until_ns) {
            goes_on = send_ban(ban);
            if (!goes_on)
                shared.lease = 0; /* it may be one that the host has dropped */
        } else {
            if (!shared.is_asking)
                shared.is_asking = weir_store_lease(ban->until_ns - now + SLACK_NS, on_lease, NULL);
            goes_on = false;
        }
    }
    if (shared.clears && !shared.bans)
        list_cleared();
}

/* ---- From sessions and functions ---- */

/* The lock is held. NULL: there is no room. */
static struct waiting_ban *find_or_add(const struct tally_key *key)
{
    struct waiting_ban *ban = find(key);
    if (!ban && shared.count < SHARED_BANS_MOST && (ban = calloc(1, sizeof *ban)) != NULL) {
        struct waiting_ban **end = &shared.bans;
        while (*end)
            end = &(*end)->next;
        *end = ban;
        ban->key = *key;
        shared.count++;
    }
    return ban;
}

void shared_bans_add(const struct tally_key *key, int64_t ban_ns)
{
    pthread_mutex_lock(&shared.lock);
    struct waiting_ban *ban = find_or_add(key);
    if (ban) {
        ban->until_ns = clock_wall_ns() + (uint64_t)ban_ns;
        ban->is_newer = ban->is_sent;
        ban->is_lifted = false;
        pump();
    } else {
        atomic_fetch_add(&left_out, 1);
    }
    pthread_mutex_unlock(&shared.lock);
}

/* The lock is held. */
static void lift(const struct tally_key *key, int64_t at)
{
    static struct log_limit limit;
    uint32_t more;
    struct waiting_ban *ban = shared.has_store ? find_or_add(key) : NULL;
    if (ban) {
        ban->is_newer = ban->is_sent;
        ban->is_lifted = true;
        ban->lifted_at = at;
    } else if (shared.has_store && log_limit_allows(&limit, 1, &more)) {
        weir_log(WEIR_LOG_WARN, "a lifted ban may hold on other nodes, or after a restart: too "
                                "many wait to be stored");
    }
}

void shared_bans_lift(const struct tally_key *key)
{
    pthread_mutex_lock(&shared.lock);
    lift(key, shared.seen);
    pump();
    pthread_mutex_unlock(&shared.lock);
}

static void on_cleared(void *user, const weir_store_answer *answer)
{
    (void)user;
    pthread_mutex_lock(&shared.lock);
    if (answer->status == WEIR_STORE_DONE)
        note_revision(answer->revision);
    else
        shared.clears = true; /* what there was then; not what was banned since */
    pthread_mutex_unlock(&shared.lock);
}

void shared_bans_clear(void)
{
    pthread_mutex_lock(&shared.lock);
    for (struct waiting_ban *ban = shared.bans; ban; ban = ban->next) {
        ban->is_newer = ban->is_sent;
        ban->is_lifted = true;
        ban->lifted_at = shared.seen;
    }
    shared.cleared_at = shared.seen;
    if (!weir_store_delete_all(text_of(PREFIX), on_cleared, NULL))
        shared.clears = shared.has_store;
    pump();
    pthread_mutex_unlock(&shared.lock);
}

/* ---- What the store says ---- */

static void take_over(const weir_store_entry *entry, uint64_t round)
{
    struct tally_key address;
    uint64_t until_ns;
    static struct log_limit limit;
    uint32_t more;
    const uint64_t now = clock_wall_ns();
    /* A value that is gone has none; its key is read alike. */
    const weir_string value = entry->is_deleted ? text_of("0") : entry->value;
    if (!shared_ban_read(entry->key.data, entry->key.size, value.data ? value.data : "", value.size,
                         &address, &until_ns)) {
        if (log_limit_allows(&limit, 1, &more))
            weir_log(WEIR_LOG_WARN, "a key of the store is no ban, and is left alone");
        return;
    }
    struct waiting_ban *ban = find(&address);
    if (ban && ban->is_lifted && !ban->is_sent && entry->revision > ban->lifted_at &&
        until_ns != ban->until_ns) {
        drop(ban); /* another node has banned, or lifted, it since */
        ban = NULL;
    }
    if (ban || (shared.clears && entry->revision <= shared.cleared_at && !entry->is_deleted))
        return; /* what has happened here since is newer */
    const uint64_t left = until_ns > now ? until_ns - now : 0;
    tally_set_ban(&address, (int64_t)(left < MOST_NS ? left : MOST_NS), round,
                  (int64_t)clock_monotonic_ns());
    if (left)
        atomic_store(&are_known, true);
}

/* Those that there were when all were lifted. */
static void on_listed(void *user, const weir_store_answer *answer)
{
    struct tally_key address;
    uint64_t until_ns;
    bool is_more = false;
    (void)user;
    pthread_mutex_lock(&shared.lock);
    shared.is_listing = false;
    for (size_t i = 0; answer->status == WEIR_STORE_DONE && i < answer->count; i++) {
        const weir_store_entry *entry = weir_store_entry_at(answer->entries, answer->entry_size, i);
        if (entry->revision > shared.cleared_at ||
            !shared_ban_read(entry->key.data, entry->key.size, entry->value.data, entry->value.size,
                             &address, &until_ns))
            continue;
        if (shared.count == SHARED_BANS_MOST)
            is_more = true; /* they are asked for again once these are gone */
        else if (!find(&address))
            lift(&address, shared.cleared_at);
    }
    if (answer->status == WEIR_STORE_DONE) {
        shared.clears = is_more;
        pump();
    }
    pthread_mutex_unlock(&shared.lock);
}

static void list_cleared(void)
{
    if (!shared.is_listing)
        shared.is_listing = weir_store_list(text_of(PREFIX), on_listed, NULL);
}

static void on_news(void *user, const weir_store_news *news)
{
    (void)user;
    pthread_mutex_lock(&shared.lock);
    if (news->kind == WEIR_STORE_EVERYTHING)
        shared.round++;
    for (size_t i = 0; i < news->count; i++)
        take_over(weir_store_entry_at(news->entries, news->entry_size, i), shared.round);
    if (news->kind == WEIR_STORE_EVERYTHING)
        tally_lift_missing(shared.round);
    note_revision(news->revision);
    shared.is_lost = news->kind == WEIR_STORE_LOST;
    shared.failures = 0;
    if (news->kind != WEIR_STORE_LOST)
        pump();
    shared.has_news = true;
    pthread_cond_broadcast(&shared.first);
    pthread_mutex_unlock(&shared.lock);
}

/* ---- Life ---- */

void shared_bans_begin(void)
{
    const struct timespec until = clock_deadline(CLOCK_REALTIME, FIRST_NS);
    int status = 0;
    if (!weir_store_watch(text_of(PREFIX), on_news, NULL)) {
        weir_log(WEIR_LOG_INFO, "the server has no store: bans end with it");
        return;
    }
    pthread_mutex_lock(&shared.lock);
    shared.has_store = true;
    while (!shared.has_news && status == 0)
        status = pthread_cond_timedwait(&shared.first, &shared.lock, &until);
    pthread_mutex_unlock(&shared.lock);
}

void shared_bans_end(void)
{
    while (shared.bans)
        drop(shared.bans);
    shared.sent = 0;
    shared.lease = 0;
    shared.is_asking = shared.has_news = false;
    shared.has_store = shared.is_lost = shared.clears = shared.is_listing = false;
    shared.seen = shared.cleared_at = 0;
    shared.round = 0;
    atomic_store(&are_known, false);
}

bool shared_bans_are_known(void)
{
    return atomic_load_explicit(&are_known, memory_order_relaxed);
}

uint64_t shared_bans_left_out(void)
{
    return atomic_load(&left_out);
}
