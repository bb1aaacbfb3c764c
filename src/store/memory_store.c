/* SPDX-License-Identifier: Apache-2.0
 *
 * Stores in memory: requests, followers, timers and the hub's clock. A turn answers what has been asked,
 * then tells the news; the clock then goes to whatever is due next.
 *
 * What callbacks ask for is answered in the same memory_hub_advance(). Entries are copied for whoever
 * is told, by way of memory_data's lists: nothing changes them until the callback has returned. */
#include "store/memory_store.h"

#include <stdlib.h>
#include <utlist.h>

#include "store/parts.h"

struct memory_hub {
    struct store_data data;
    uint64_t now_ns;
    struct request_copy *requests;
    struct request_copy *stalled; /* to be carried out later, by nobody's wish */
    struct memory_counts counts;
    struct follow *follows;
    struct timer *timers;
};

struct memory_store {
    struct store store;
    struct memory_hub *hub;
    bool is_cut, is_stalled;
};

static struct memory_store *memory_of(struct store *store)
{
    return (struct memory_store *)store;
}

/* ---- The store's functions ---- */

static bool call(struct store *store, const struct store_request *request)
{
    struct request_copy *made = request_copy_new(store, request);
    if (made)
        DL_APPEND(memory_of(store)->hub->requests, made);
    return made != NULL;
}

static bool follow(struct store *store, struct store_bytes prefix, store_follower *follower,
                   void *user)
{
    struct follow *made = follow_new(store, prefix, follower, user);
    if (made)
        DL_APPEND(memory_of(store)->hub->follows, made);
    return made != NULL;
}

static bool after(struct store *store, uint64_t milliseconds, store_timer *timer, void *user)
{
    struct memory_hub *hub = memory_of(store)->hub;
    return timer_add(&hub->timers, store, hub->now_ns + milliseconds * 1000000, timer, user);
}

static uint64_t now_ns(struct store *store)
{
    return memory_of(store)->hub->now_ns;
}

/* ---- A turn ---- */

static const char unreached[] = "the store cannot be reached";

/* Answers it before it is carried out. */
static void stall(struct memory_hub *hub, struct request_copy *copy, struct store_answer *answer)
{
    struct store_request again = copy->request;
    const bool is_change = again.action == STORE_WRITE || again.action == STORE_DELETE;
    again.done = NULL;
    struct request_copy *later = is_change ? request_copy_new(copy->store, &again) : NULL;
    if (later) {
        answer->status = STORE_UNKNOWN;
        DL_APPEND(hub->stalled, later);
    }
    request_copy_answer(copy, answer);
}

static void carry_out(struct memory_hub *hub, struct request_copy *copy)
{
    struct store_answer answer = {.status = STORE_FAILED, .message = unreached};
    if (memory_of(copy->store)->is_cut) {
        request_copy_answer(copy, &answer);
        return;
    }
    if (memory_of(copy->store)->is_stalled) {
        stall(hub, copy, &answer);
        return;
    }
    *(copy->request.action == STORE_READ ? &hub->counts.reads : &hub->counts.changes) += 1;
    if (copy->request.action == STORE_READ) {
        data_read(&hub->data, &copy->request, &answer);
    } else {
        struct data_step step;
        data_plan(&hub->data, &copy->request, hub->now_ns, &step, &answer);
        if (answer.status == STORE_DONE)
            data_apply(&hub->data, &step);
    }
    request_copy_answer(copy, &answer);
}

static void answer_all(struct memory_hub *hub)
{
    while (hub->requests) {
        struct request_copy *copy = hub->requests;
        DL_DELETE(hub->requests, copy);
        carry_out(hub, copy);
    }
}

static bool is_away(struct store *store)
{
    return memory_of(store)->is_cut || memory_of(store)->is_stalled;
}

static void turn(struct memory_hub *hub)
{
    do {
        answer_all(hub);
        for (struct follow *one = hub->follows; one; one = one->next)
            hub->counts.told +=
                follow_tell(one, &hub->data, is_away(one->store) ? unreached : NULL);
    } while (hub->requests);
}

/* ---- The clock ---- */

static void end_leases(struct memory_hub *hub)
{
    struct data_step step;
    while (data_plan_end(&hub->data, hub->now_ns, &step))
        data_apply(&hub->data, &step);
}

void memory_hub_advance(struct memory_hub *hub, uint64_t milliseconds)
{
    const uint64_t until = hub->now_ns + milliseconds * 1000000;
    for (;;) {
        turn(hub);
        struct timer *timer = timer_first(hub->timers);
        const uint64_t lease_ends = data_next_end_ns(&hub->data);
        const uint64_t next = timer && timer->at_ns < lease_ends ? timer->at_ns : lease_ends;
        if (next > until)
            break;
        hub->now_ns = next > hub->now_ns ? next : hub->now_ns;
        if (lease_ends <= next)
            end_leases(hub);
        else
            timer_run(&hub->timers, timer);
    }
    hub->now_ns = until;
}

void memory_store_cut(struct store *store, bool is_cut)
{
    memory_of(store)->is_cut = is_cut;
}

void memory_store_stall(struct store *store, bool is_stalled)
{
    struct memory_hub *hub = memory_of(store)->hub;
    memory_of(store)->is_stalled = is_stalled;
    for (struct request_copy *one = hub->stalled, *next; one && !is_stalled; one = next) {
        next = one->next;
        if (one->store == store) {
            DL_DELETE(hub->stalled, one);
            DL_APPEND(hub->requests, one);
        }
    }
}

struct memory_counts memory_hub_counts(const struct memory_hub *hub)
{
    return hub->counts;
}

void memory_hub_compact(struct memory_hub *hub)
{
    data_compact(&hub->data);
}

/* ---- Start and end ---- */

static struct request_copy *first_of(struct request_copy *copy, const struct store *store)
{
    while (copy && copy->store != store)
        copy = copy->next;
    return copy;
}

static void memory_store_free(struct store *store)
{
    const struct store_answer closed = {.status = STORE_FAILED, .message = "the store is closed"};
    struct memory_hub *hub = memory_of(store)->hub;
    for (struct follow *one = hub->follows, *next; one; one = next) {
        next = one->next;
        if (one->store == store) {
            DL_DELETE(hub->follows, one);
            free(one);
        }
    }
    struct request_copy *copy;
    while ((copy = first_of(hub->stalled, store)) != NULL) {
        DL_DELETE(hub->stalled, copy);
        free(copy);
    }
    while ((copy = first_of(hub->requests, store)) != NULL) { /* its callback may add some */
        DL_DELETE(hub->requests, copy);
        request_copy_answer(copy, &closed);
    }
    for (struct timer *one = hub->timers, *next; one; one = next) {
        next = one->next;
        if (one->store == store) {
            DL_DELETE(hub->timers, one);
            free(one);
        }
    }
    free(store);
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
    data_release(&hub->data);
    free(hub);
}
