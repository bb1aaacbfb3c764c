/* SPDX-License-Identifier: Apache-2.0
 *
 * Stores in memory: requests, followers, timers and the hub's clock. A turn answers what has been asked,
 * then tells the news; the clock then goes to whatever is due next.
 *
 * What callbacks ask for is answered in the same memory_hub_advance(). Entries are copied for whoever
 * is told, by way of memory_data's lists: nothing changes them until the callback has returned. */
#include "cluster/memory_store.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "cluster/memory_state.h"

struct request {
    struct memory_store *store;
    struct store_request request; /* its bytes are in `bytes` */
    struct request *next, *prev;
    char bytes[];
};

struct follow {
    struct memory_store *store;
    store_follower *follower;
    void *user;
    int64_t seen; /* revision; -1: nothing yet */
    bool is_lost; /* the follower knows it */
    struct follow *next, *prev;
    size_t prefix_size;
    char prefix[];
};

struct timer {
    struct memory_store *store;
    uint64_t at_ns;
    store_timer *timer;
    void *user;
    struct timer *next, *prev;
};

struct memory_hub {
    struct memory_data data;
    uint64_t now_ns;
    struct request *requests;
    struct follow *follows;
    struct timer *timers;
};

struct memory_store {
    struct store store;
    struct memory_hub *hub;
    bool is_cut;
};

static struct memory_store *memory_of(struct store *store)
{
    return (struct memory_store *)store;
}

/* ---- The store's functions ---- */

/* Copies bytes to *room, which goes on after them. */
static void move_bytes(struct store_bytes *bytes, char **room)
{
    if (bytes->size)
        memcpy(*room, bytes->data, bytes->size);
    bytes->data = *room;
    *room += bytes->size;
}

static bool call(struct store *store, const struct store_request *request)
{
    size_t size = request->key.size;
    for (size_t i = 0; i < request->compare_count; i++)
        size += request->compares[i].key.size;
    for (size_t i = 0; i < request->write_count; i++)
        size += request->writes[i].key.size + request->writes[i].value.size;
    struct request *made = malloc(sizeof *made + size);
    if (!made)
        return false;
    made->store = memory_of(store);
    made->request = *request;
    char *room = made->bytes;
    move_bytes(&made->request.key, &room);
    for (size_t i = 0; i < request->compare_count; i++)
        move_bytes(&made->request.compares[i].key, &room);
    for (size_t i = 0; i < request->write_count; i++) {
        move_bytes(&made->request.writes[i].key, &room);
        move_bytes(&made->request.writes[i].value, &room);
    }
    DL_APPEND(made->store->hub->requests, made);
    return true;
}

static bool follow(struct store *store, struct store_bytes prefix, store_follower *follower,
                   void *user)
{
    struct follow *made = calloc(1, sizeof *made + prefix.size);
    if (!made)
        return false;
    made->store = memory_of(store);
    made->follower = follower;
    made->user = user;
    made->seen = -1;
    made->prefix_size = prefix.size;
    memcpy(made->prefix, prefix.data, prefix.size);
    DL_APPEND(made->store->hub->follows, made);
    return true;
}

static bool after(struct store *store, uint64_t milliseconds, store_timer *timer, void *user)
{
    struct timer *made = calloc(1, sizeof *made);
    if (!made)
        return false;
    made->store = memory_of(store);
    made->at_ns = made->store->hub->now_ns + milliseconds * 1000000;
    made->timer = timer;
    made->user = user;
    DL_APPEND(made->store->hub->timers, made);
    return true;
}

static uint64_t now_ns(struct store *store)
{
    return memory_of(store)->hub->now_ns;
}

/* ---- A turn ---- */

static void answer(struct memory_hub *hub, struct request *request, bool is_closed)
{
    struct store_answer said = {.status = STORE_FAILED, .message = "the store is closed"};
    if (!is_closed && request->store->is_cut)
        said.message = "the store cannot be reached";
    else if (!is_closed)
        memory_data_carry_out(&hub->data, &request->request, hub->now_ns, &said);
    if (request->request.done)
        request->request.done(request->request.user, &said);
    free((void *)said.entries);
    free(request);
}

static void answer_all(struct memory_hub *hub)
{
    while (hub->requests) {
        struct request *request = hub->requests;
        DL_DELETE(hub->requests, request);
        answer(hub, request, false);
    }
}

static void tell(struct memory_hub *hub, struct follow *one)
{
    const struct store_bytes prefix = {.data = one->prefix, .size = one->prefix_size};
    struct store_news news = {.message = "", .revision = hub->data.revision};
    const bool was_lost = one->is_lost;
    struct store_entry *entries = NULL;
    if (one->store->is_cut) {
        news = (struct store_news){.kind = STORE_LOST, .message = "the store cannot be reached"};
        one->is_lost = true;
        if (!was_lost)
            one->follower(one->user, &news);
        return;
    }
    one->is_lost = false;
    if (one->seen < hub->data.compacted) { /* always true of the first news */
        news.kind = STORE_EVERYTHING;
        entries = memory_data_keys(&hub->data, prefix, &news.count);
    } else {
        news.kind = STORE_CHANGES;
        entries = memory_data_changes(&hub->data, prefix, one->seen, &news.count);
    }
    news.entries = entries;
    one->seen = hub->data.revision;
    if (news.kind == STORE_EVERYTHING || news.count || was_lost)
        one->follower(one->user, &news);
    free(entries);
}

static void turn(struct memory_hub *hub)
{
    do {
        answer_all(hub);
        for (struct follow *one = hub->follows; one; one = one->next)
            tell(hub, one);
    } while (hub->requests);
}

/* ---- The clock ---- */

static struct timer *first_timer(const struct memory_hub *hub)
{
    struct timer *first = hub->timers;
    for (struct timer *timer = hub->timers; timer; timer = timer->next)
        if (timer->at_ns < first->at_ns)
            first = timer;
    return first;
}

void memory_hub_advance(struct memory_hub *hub, uint64_t milliseconds)
{
    const uint64_t until = hub->now_ns + milliseconds * 1000000;
    for (;;) {
        turn(hub);
        struct timer *timer = first_timer(hub);
        const uint64_t lease_ends = memory_data_next_end_ns(&hub->data);
        const uint64_t next = timer && timer->at_ns < lease_ends ? timer->at_ns : lease_ends;
        if (next > until)
            break;
        hub->now_ns = next > hub->now_ns ? next : hub->now_ns;
        if (lease_ends <= next) {
            memory_data_end_leases(&hub->data, hub->now_ns);
        } else {
            DL_DELETE(hub->timers, timer);
            timer->timer(timer->user);
            free(timer);
        }
    }
    hub->now_ns = until;
}

void memory_store_cut(struct store *store, bool is_cut)
{
    memory_of(store)->is_cut = is_cut;
}

void memory_hub_compact(struct memory_hub *hub)
{
    memory_data_compact(&hub->data);
}

/* ---- Start and end ---- */

static struct request *first_of(const struct memory_hub *hub, const struct memory_store *store)
{
    struct request *request = hub->requests;
    while (request && request->store != store)
        request = request->next;
    return request;
}

static void memory_store_free(struct store *store)
{
    struct memory_store *memory = memory_of(store);
    struct memory_hub *hub = memory->hub;
    for (struct follow *one = hub->follows, *next; one; one = next) {
        next = one->next;
        if (one->store == memory) {
            DL_DELETE(hub->follows, one);
            free(one);
        }
    }
    struct request *request;
    while ((request = first_of(hub, memory)) != NULL) { /* its callback may add some */
        DL_DELETE(hub->requests, request);
        answer(hub, request, true);
    }
    for (struct timer *one = hub->timers, *next; one; one = next) {
        next = one->next;
        if (one->store == memory) {
            DL_DELETE(hub->timers, one);
            free(one);
        }
    }
    free(memory);
}

static const struct store_functions functions = {
    .call = call, .follow = follow, .after = after, .now_ns = now_ns, .free = memory_store_free};

struct store *memory_store_new(struct memory_hub *hub)
{
    struct memory_store *memory = calloc(1, sizeof *memory);
    if (!memory)
        return NULL;
    memory->store.functions = &functions;
    memory->hub = hub;
    return &memory->store;
}

struct memory_hub *memory_hub_new(void)
{
    struct memory_hub *hub = calloc(1, sizeof *hub);
    if (hub)
        hub->data.revision = 1; /* etcd's first; 0 is no revision */
    return hub;
}

void memory_hub_free(struct memory_hub *hub)
{
    if (!hub)
        return;
    assert(!hub->requests && !hub->follows && !hub->timers);
    memory_data_release(&hub->data);
    free(hub);
}
