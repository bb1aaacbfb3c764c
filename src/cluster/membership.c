/* SPDX-License-Identifier: Apache-2.0
 *
 * A membership as others see it: the number, the nodes that there are, its start and its end. */
#include "cluster/membership_state.h"

int64_t membership_lease(const struct membership *own)
{
    return membership_number(own) ? atomic_load(&own->held_lease) : 0;
}

unsigned membership_number(const struct membership *own)
{
    const uint64_t held = atomic_load(&own->held);
    const bool lasts = held && membership_now_ms(own) < held >> MEMBERSHIP_NUMBER_BITS;
    return lasts ? (unsigned)(held & ((1U << MEMBERSHIP_NUMBER_BITS) - 1)) : 0;
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
    bool is_notified = news->kind == STORE_EVERYTHING && news->revision >= own->revision;
    for (size_t i = 0; i < news->count; i++)
        is_notified =
            is_notified || (own->number && news->entries[i].revision > own->revision &&
                            member_table_number(&own->table, news->entries[i].key) == own->number);
    if (own->state == MEMBERSHIP_MEMBER && is_notified && !is_ours && !stops)
        membership_lose(own, "its key is gone, or somebody else's");
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

int64_t membership_lease_of(struct membership *own, unsigned number)
{
    const bool is_here = number == membership_number(own);
    pthread_mutex_lock(&own->lock);
    const struct member_row *row = is_here ? NULL : member_table_find(&own->table, number);
    const int64_t lease = row ? row->lease : 0;
    pthread_mutex_unlock(&own->lock);
    return lease;
}

bool membership_is_reused(const struct membership *own)
{
    return atomic_load(&own->is_reused);
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

static void revoke_lease(struct membership *own)
{
    const struct store_request revoke = {
        .action = STORE_REVOKE, .lease = own->lease, .done = on_revoked, .user = own};
    if (!own->lease || !store_call(own->store, &revoke))
        on_revoked(own, NULL);
}

/* The lease goes last: when it is revoked, the process may end. */
static void on_given_back(void *user, const struct store_answer *answer)
{
    struct membership *own = user;
    (void)answer;
    assert(own->giving_back > 0);
    if (--own->giving_back == 0)
        revoke_lease(own);
}

/* Its numbers are as if nobody had had them, but for those that another node has by now. */
static void give_numbers_back(struct membership *own)
{
    char key[MEMBERSHIP_KEY_BYTES];
    for (unsigned number = own->options.first; number <= own->options.last; number++) {
        pthread_mutex_lock(&own->lock);
        const bool is_anothers = number != own->number && member_table_find(&own->table, number);
        pthread_mutex_unlock(&own->lock);
        const struct store_request gone = {.action = STORE_DELETE,
                                           .key = membership_key(own->used_prefix, number, key),
                                           .done = on_given_back,
                                           .user = own};
        if (!own->had[number] || is_anothers)
            continue;
        own->giving_back++;
        if (!store_call(own->store, &gone)) {
            own->giving_back--;
            log_error("cluster", "no memory to give a number back");
        }
    }
}

/* On the store's thread: there the lease is known. */
static void on_leave(void *user)
{
    struct membership *own = user;
    own->giving_back = 1; /* this function */
    if (!atomic_load(&own->is_reused))
        give_numbers_back(own);
    on_given_back(own, NULL);
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
    membership_step(user);
}

struct membership *membership_new(struct store *store, const struct membership_options *options)
{
    assert(store && options->first > 0 && options->first <= options->last &&
           options->last <= MEMBERSHIP_NUMBERS && options->lease_s > 0 &&
           strlen(options->prefix) < MEMBERSHIP_KEY_BYTES - 16 &&
           strlen(options->used_prefix) < MEMBERSHIP_KEY_BYTES - 16);
    struct membership *own = calloc(1, sizeof *own);
    char *prefix = strdup(options->prefix), *used_prefix = strdup(options->used_prefix);
    bool *had = calloc(MEMBERSHIP_NUMBERS + 1, sizeof *had);
    if (!own || !prefix || !used_prefix || !had) {
        free(own);
        free(prefix);
        free(used_prefix);
        free(had);
        return NULL;
    }
    own->used_prefix = used_prefix;
    own->had = had;
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
    free(own->used_prefix);
    free(own->had);
    free(own);
}
