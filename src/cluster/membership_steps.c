/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of a membership, on the store's thread: how a number is taken, kept and lost. One request or one timer is under
 * way at a time. */
#include <sys/random.h>

#include "cluster/membership_state.h"

#define KEEPS_A_LEASE 3    /* how often it is kept while it lasts */
#define RETRY_MS      1000 /* after a failure */
#define MS_A_SECOND   1000U

/* The lease lasts from when the store has read the request, which was after it was sent; clocks differ a little. */
static void hold_number(struct membership *own)
{
    const uint64_t lasts_ms = (uint64_t)own->options.lease_s * MS_A_SECOND;
    const uint64_t until_ms = own->sent_ms + lasts_ms - lasts_ms / 10;
    atomic_store(&own->held, until_ms << MEMBERSHIP_NUMBER_BITS | own->number);
    atomic_store(&own->held_lease, own->lease);
}

/* ---- Timers and failures ---- */

static void on_timer(void *user)
{
    struct membership *own = user;
    if (!own->has_timer || membership_now_ms(own) < own->wake_ms)
        return; /* it was for what is over */
    own->has_timer = false;
    membership_step(own);
}

static void wait_for(struct membership *own, uint64_t ms)
{
    own->wake_ms = membership_now_ms(own) + ms;
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
void membership_lose(struct membership *own, const char *why)
{
    const struct store_request revoke = {.action = STORE_REVOKE, .lease = own->lease};
    log_warn("cluster", "node %u gives its number up: %s", own->number, why);
    atomic_store(&own->held, 0);
    atomic_store(&own->held_lease, 0);
    own->number = 0;
    own->state = MEMBERSHIP_AWAY;
    own->is_unsure = false;
    if (!store_call(own->store, &revoke))
        log_error("cluster", "no memory to end a lease");
    own->has_timer = false;
    membership_step(own);
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
static bool is_expected(struct membership *own, enum membership_state state)
{
    own->is_asked = false;
    if (membership_is_stopping(own))
        return false;
    if (own->state != state)
        membership_step(own);
    return own->state == state;
}

static void start_again(struct membership *own, const struct store_answer *answer)
{
    own->state = MEMBERSHIP_AWAY;
    failed(own, answer->message);
}

static void on_granted(void *user, const struct store_answer *answer)
{
    struct membership *own = user;
    if (!is_expected(own, MEMBERSHIP_GRANTING))
        return;
    if (answer->status != STORE_DONE) {
        start_again(own, answer);
        return;
    }
    own->lease = answer->lease;
    own->state = MEMBERSHIP_READING;
    membership_step(own);
}

static void joined(struct membership *own, int64_t revision)
{
    own->revision = revision;
    own->state = MEMBERSHIP_MEMBER;
    own->is_failing = false;
    own->had[own->number] = true;
    atomic_store(&own->is_reused, own->used_revision != 0);
    if (own->used_revision)
        log_warn("cluster",
                 "number %u was another node's, which has not given it back, and no other is left: "
                 "KILLs of other nodes are "
                 "refused here; once no node is cut off, delete the keys below %s",
                 own->number, own->used_prefix);
    hold_number(own);
    log_info("cluster", "this is node %u of %.*s", own->number, (int)own->table.prefix_size,
             own->prefix);
    if (own->options.joined)
        own->options.joined(own->options.user, own->number, "");
    if (own->is_dirty)
        membership_write_record(own);
    wait_for(own, (uint64_t)own->options.lease_s * MS_A_SECOND / KEEPS_A_LEASE);
}

/* A claim whose answer has not come may have been granted. Returns the revision of the number's key then; 0: none is ours. */
static int64_t note_taken(struct membership *own, const struct store_answer *answer)
{
    int64_t revision = 0;
    memset(own->taken, 0, sizeof own->taken);
    for (size_t i = 0; i < answer->count; i++) {
        const struct store_entry *entry = &answer->entries[i];
        const unsigned number = member_table_number(&own->table, entry->key);
        if (number <= MEMBERSHIP_NUMBERS)
            own->taken[number] = true;
        if (number && entry->lease == own->lease) {
            own->number = number;
            revision = entry->revision;
        }
    }
    return revision;
}

static void on_read(void *user, const struct store_answer *answer)
{
    struct membership *own = user;
    if (!is_expected(own, MEMBERSHIP_READING))
        return;
    if (answer->status != STORE_DONE) {
        failed(own, answer->message);
        return;
    }
    const int64_t revision = note_taken(own, answer);
    if (revision) {
        own->is_dirty = true;
        joined(own, revision);
    } else {
        own->state = MEMBERSHIP_LOOKING;
        membership_step(own);
    }
}

/* Chooses a number that nobody has: at random, because nodes that start at the same time would all want the first one, and
 * among those that nobody has had; or else the one that was had the longest ago, because somebody who is cut off may
 * still have sessions with its ids. Returns false if all are taken. */
static bool choose(struct membership *own, const struct store_answer *answer)
{
    const struct member_table used = {.prefix_size = strlen(own->used_prefix)};
    const unsigned count = own->options.last - own->options.first + 1;
    int64_t revisions[MEMBERSHIP_NUMBERS + 1] = {0};
    unsigned start = 0;
    for (size_t i = 0; i < answer->count; i++) {
        const unsigned number = member_table_number(&used, answer->entries[i].key);
        if (number <= MEMBERSHIP_NUMBERS)
            revisions[number] = answer->entries[i].revision;
    }
    if (getrandom(&start, sizeof start, GRND_NONBLOCK) != sizeof start)
        start = (unsigned)own->sent_ms;
    own->number = 0;
    for (unsigned i = 0; i < count; i++) {
        const unsigned number = own->options.first + (start % count + i) % count;
        if (!own->taken[number] && (!own->number || revisions[number] < revisions[own->number]))
            own->number = number;
    }
    own->used_revision = revisions[own->number];
    return own->number;
}

static void on_looked(void *user, const struct store_answer *answer)
{
    struct membership *own = user;
    if (!is_expected(own, MEMBERSHIP_LOOKING))
        return;
    if (answer->status != STORE_DONE) {
        failed(own, answer->message);
    } else if (!choose(own, answer)) {
        own->state = MEMBERSHIP_READING;
        failed(own, "all numbers of nodes are taken");
    } else {
        own->state = MEMBERSHIP_CLAIMING;
        membership_step(own);
    }
}

static void on_claimed(void *user, const struct store_answer *answer)
{
    struct membership *own = user;
    if (!is_expected(own, MEMBERSHIP_CLAIMING))
        return;
    if (answer->status == STORE_DONE) {
        joined(own, answer->revision);
        return;
    }
    own->number = 0;
    own->state = answer->status == STORE_GONE ? MEMBERSHIP_AWAY : MEMBERSHIP_READING;
    if (answer->status == STORE_DIFFERS)
        membership_step(own);
    else
        failed(own, answer->message);
}

static void on_kept(void *user, const struct store_answer *answer)
{
    struct membership *own = user;
    if (!is_expected(own, MEMBERSHIP_MEMBER))
        return;
    if (answer->status == STORE_GONE) {
        membership_lose(own, "its lease has ended");
    } else if (answer->status != STORE_DONE) {
        failed(own, answer->message);
    } else {
        if (own->is_failing)
            log_info("cluster", "node %u has kept its lease", own->number);
        own->is_failing = false;
        hold_number(own);
        if (own->is_dirty)
            membership_write_record(own);
        wait_for(own, (uint64_t)own->options.lease_s * MS_A_SECOND / KEEPS_A_LEASE);
    }
}

/* The number, and that it was had, which stays when the lease ends. */
static void claim(struct membership *own)
{
    char key[MEMBERSHIP_KEY_BYTES], used[MEMBERSHIP_KEY_BYTES];
    pthread_mutex_lock(&own->lock);
    struct store_request request = membership_write_of(own, key, 0);
    request.compares[request.compare_count++] = (struct store_compare){
        .key = membership_key(own->used_prefix, own->number, used), .revision = own->used_revision};
    request.writes[request.write_count++] = (struct store_write){
        .key = membership_key(own->used_prefix, own->number, used), .value = STORE_TEXT("had")};
    request.done = on_claimed;
    request.user = own;
    own->is_asked = store_call(own->store, &request);
    pthread_mutex_unlock(&own->lock);
    own->is_dirty = false;
    if (!own->is_asked)
        failed(own, "no memory");
}

/* Begins what the state is there for. */
void membership_step(struct membership *own)
{
    if (own->is_asked || own->has_timer || membership_is_stopping(own))
        return;
    switch (own->state) {
    case MEMBERSHIP_AWAY:
        own->state = MEMBERSHIP_GRANTING;
        own->lease = 0;
        /* fall through */
    case MEMBERSHIP_GRANTING:
        own->sent_ms = membership_now_ms(own);
        ask(own, (struct store_request){.action = STORE_GRANT, .ttl_s = own->options.lease_s},
            on_granted);
        break;
    case MEMBERSHIP_READING:
        ask(own,
            (struct store_request){
                .action = STORE_READ, .key = STORE_TEXT(own->prefix), .is_prefix = true},
            on_read);
        break;
    case MEMBERSHIP_LOOKING:
        ask(own,
            (struct store_request){
                .action = STORE_READ, .key = STORE_TEXT(own->used_prefix), .is_prefix = true},
            on_looked);
        break;
    case MEMBERSHIP_CLAIMING:
        claim(own);
        break;
    case MEMBERSHIP_MEMBER:
        own->sent_ms = membership_now_ms(own);
        ask(own, (struct store_request){.action = STORE_KEEP, .lease = own->lease}, on_kept);
        break;
    }
}
