/* SPDX-License-Identifier: Apache-2.0
 *
 * One thread, between the store's and the sessions':
 *
 *     sessions ──► waiting ──► outbox ──► put ──► the store ──► inbox ──► keeper_apply()
 *                                 ▲        │
 *                                 └────────┘ it was not done: after a second, or when the store is back
 *
 * `waiting` is what has been done here since the last put, and what comes from the store is older than that: it does not
 * undo it. A text in the outbox has a key of its own, put only if it is not there: one whose answer was lost is not put
 * twice. */
#include "sharing.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weir/clock.h>
#include <weir/store.h>
#include <weir/text.h>
#include <weir/unique.h>

#include "keeper.h"
#include "tidying.h"
#include "told.h"

#define KEY_ROOM (sizeof TOLD_PREFIX + TOLD_NAME_BYTES)
#define FIRST_NS (2 * CLOCK_NS_PER_S) /* longest wait for the first news */
#define RETRY_NS CLOCK_NS_PER_S
#define MS_NS    (CLOCK_NS_PER_S / 1000)

/* A text that is to be put. */
struct parcel {
    struct parcel *next;
    char key[KEY_ROOM];
    size_t size;
    char text[];
};

enum sharing_state { SHARING_OFF, SHARING_ASKED, SHARING_ON };

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    enum sharing_state state;
    bool has_begun, is_ending, has_thread;
    struct changes *waiting;              /* owned */
    struct parcel *outbox, **outbox_end;  /* owned */
    bool is_sent;                         /* the first of them */
    uint64_t next_put_ns;                 /* monotonic: not before */
    struct told_list *inbox, **inbox_end; /* owned */
    struct told_authors authors;          /* the thread's */
    unsigned long long author;
    unsigned number;
} own = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void complain(void)
{
    weir_log(WEIR_LOG_ERROR, "no memory: not all changes of the allow-lists reach all nodes");
}

/* ---- What the store says: on its thread ---- */

static void free_outbox(void)
{
    while (own.outbox) {
        struct parcel *next = own.outbox->next;
        free(own.outbox);
        own.outbox = next;
    }
    own.outbox_end = &own.outbox;
}

static void on_news(void *user, const weir_store_news *news)
{
    (void)user;
    const bool shares = weir_store_is_shared(news), is_lost = news->kind == WEIR_STORE_LOST;
    struct told_list *copy =
        shares && !is_lost ? told_copy(news->entries, news->entry_size, news->count) : NULL;
    if (shares && !is_lost && !copy)
        complain();
    if (copy) {
        copy->is_everything = news->kind == WEIR_STORE_EVERYTHING;
        tidying_note(news);
    }
    pthread_mutex_lock(&own.lock);
    own.state = shares ? SHARING_ON : SHARING_OFF;
    if (!shares) {
        changes_free(own.waiting);
        own.waiting = NULL;
    }
    own.has_begun = own.has_begun || !copy; /* otherwise when it has been applied */
    if (copy) {
        *own.inbox_end = copy;
        own.inbox_end = &copy->next;
        own.next_put_ns = 0;
    }
    pthread_cond_broadcast(&own.changed);
    pthread_mutex_unlock(&own.lock);
}

/* ---- What is put ---- */

static void on_put(void *user, const weir_store_answer *answer)
{
    (void)user;
    pthread_mutex_lock(&own.lock);
    own.is_sent = false;
    const bool is_there = answer->status == WEIR_STORE_DONE || answer->status == WEIR_STORE_DIFFERS;
    if (is_there && own.outbox) {
        struct parcel *first = own.outbox;
        own.outbox = first->next;
        if (!own.outbox)
            own.outbox_end = &own.outbox;
        free(first);
    } else if (!is_there) {
        own.next_put_ns = clock_monotonic_ns() + RETRY_NS;
    }
    pthread_cond_broadcast(&own.changed);
    pthread_mutex_unlock(&own.lock);
    if (is_there)
        tidying_try();
}

static bool add_parcel(void *user, weir_string text)
{
    struct parcel *parcel = malloc(sizeof *parcel + text.size);
    char name[TOLD_NAME_BYTES];
    (void)user;
    if (!parcel)
        return false;
    told_name(own.author, own.number++, name);
    snprintf(parcel->key, sizeof parcel->key, TOLD_PREFIX "%s", name);
    parcel->next = NULL;
    parcel->size = text.size;
    memcpy(parcel->text, text.data, text.size);
    *own.outbox_end = parcel;
    own.outbox_end = &parcel->next;
    return true;
}

/* Makes texts of what waits, and sends the first. The lock is held. */
static void send_some(void)
{
    if (!own.outbox && own.waiting) {
        if (!changes_print(own.waiting, TOLD_TEXT_BYTES, add_parcel, NULL))
            complain();
        changes_free(own.waiting);
        own.waiting = NULL;
    }
    const struct parcel *first = own.outbox;
    if (!first)
        return;
    own.is_sent = weir_store_put(text_of(first->key), (weir_string){first->text, first->size}, 0, 0,
                                 on_put, NULL);
    own.next_put_ns = clock_monotonic_ns() + (own.is_sent ? SHARING_PAUSE_MS * MS_NS : RETRY_NS);
}

/* ---- What is applied ---- */

/* What the keys say. Returns owned, or NULL without memory. */
static struct changes *read_news(struct told_list *news)
{
    size_t wrong = 0;
    struct changes *changes = changes_new();
    bool ok = changes && told_read(news, &own.authors, changes, &wrong);
    if (wrong)
        weir_log(WEIR_LOG_WARN,
                 "%zu lines of the store are none of allow-lists, and are left alone", wrong);
    if (ok)
        return changes;
    changes_free(changes);
    return NULL;
}

/* The lock is held. False: no memory. */
static bool tell(const struct changes *changes)
{
    if (changes_are_none(changes))
        return true;
    if (!own.waiting)
        own.waiting = changes_new();
    return own.waiting && changes_add(own.waiting, changes);
}

/* What the file has, and no key. */
static bool tell_unsaid(const struct changes *said)
{
    struct changes *unsaid = changes_new();
    unsigned *reading = readers_enter(&keeper_readers);
    bool ok = unsaid && changes_unsaid(unsaid, said, keeper_lists());
    readers_leave(reading);
    pthread_mutex_lock(&own.lock);
    if (ok && own.waiting) /* what has happened here since is newer */
        ok = changes_add(unsaid, own.waiting);
    if (ok && !changes_are_none(unsaid)) {
        struct changes *older = own.waiting;
        own.waiting = unsaid;
        unsaid = older;
    }
    pthread_mutex_unlock(&own.lock);
    changes_free(unsaid);
    return ok;
}

static void take_news(struct told_list *news)
{
    struct changes *changes = read_news(news);
    bool ok = changes && (!news->is_everything || tell_unsaid(changes));
    pthread_mutex_lock(&own.lock);
    ok = ok && (!own.waiting || changes_add(changes, own.waiting));
    pthread_mutex_unlock(&own.lock);
    ok = ok && keeper_apply(changes);
    if (!ok)
        complain();
    changes_free(changes);
}

/* ---- The thread ---- */

/* The lock is held, and given up meanwhile. */
static void take_inbox(void)
{
    struct told_list *news = own.inbox;
    own.inbox = NULL;
    own.inbox_end = &own.inbox;
    pthread_mutex_unlock(&own.lock);
    while (news) {
        struct told_list *next = news->next;
        take_news(news);
        told_free(news);
        news = next;
    }
    pthread_mutex_lock(&own.lock);
    own.has_begun = true;
    pthread_cond_broadcast(&own.changed);
}

static void *run(void *nothing)
{
    (void)nothing;
    pthread_mutex_lock(&own.lock);
    while (!own.is_ending) {
        const uint64_t now = clock_monotonic_ns();
        const bool has_work =
            own.state == SHARING_ON && own.has_begun && !own.is_sent && (own.outbox || own.waiting);
        if (own.inbox) {
            take_inbox();
        } else if (tidying_has_work()) {
            pthread_mutex_unlock(&own.lock);
            tidying_merge();
            pthread_mutex_lock(&own.lock);
        } else if (has_work && now >= own.next_put_ns) {
            send_some();
        } else if (has_work) {
            const struct timespec until = clock_deadline(CLOCK_REALTIME, own.next_put_ns - now);
            pthread_cond_timedwait(&own.changed, &own.lock, &until);
        } else {
            pthread_cond_wait(&own.changed, &own.lock);
        }
    }
    pthread_mutex_unlock(&own.lock);
    return NULL;
}

/* ---- From sessions and functions ---- */

/* The lock is held. Returns what is to be added to; NULL: nothing is told, or there is no memory. */
static struct changes *waiting(void)
{
    if (own.state != SHARING_OFF && !own.waiting)
        own.waiting = changes_new();
    return own.state == SHARING_OFF ? NULL : own.waiting;
}

static void added(bool ok)
{
    if (!ok && own.state != SHARING_OFF)
        complain();
    pthread_cond_broadcast(&own.changed);
}

void sharing_learned(weir_string account, const struct key *key)
{
    pthread_mutex_lock(&own.lock);
    struct changes *to = waiting();
    added(to && changes_say_key(to, account, key, true));
    pthread_mutex_unlock(&own.lock);
}

void sharing_mode_set(weir_string account, int mode)
{
    pthread_mutex_lock(&own.lock);
    struct changes *to = waiting();
    added(to && changes_say_mode(to, account, mode));
    pthread_mutex_unlock(&own.lock);
}

void sharing_changed(const struct allow_lists *before, const struct allow_lists *after)
{
    pthread_mutex_lock(&own.lock);
    const bool is_off = own.state == SHARING_OFF;
    pthread_mutex_unlock(&own.lock);
    if (is_off)
        return;
    struct changes *changes = changes_new();
    const bool ok = changes && changes_between(changes, before, after);
    pthread_mutex_lock(&own.lock);
    added(ok && (own.state == SHARING_OFF || tell(changes)));
    pthread_mutex_unlock(&own.lock);
    changes_free(changes);
}

/* ---- Life ---- */

static void wake(void)
{
    pthread_mutex_lock(&own.lock);
    pthread_cond_broadcast(&own.changed);
    pthread_mutex_unlock(&own.lock);
}

void sharing_begin(void)
{
    const struct timespec until = clock_deadline(CLOCK_REALTIME, FIRST_NS);
    int status = 0;
    own.author = unique_number();
    own.number = 0;
    own.inbox_end = &own.inbox;
    own.outbox_end = &own.outbox;
    own.is_ending = own.has_begun = false;
    own.state = SHARING_ASKED;
    tidying_begin(own.author, wake);
    own.has_thread = pthread_create(&own.thread, NULL, run, NULL) == 0;
    if (!own.has_thread || !weir_store_watch(text_of(TOLD_PREFIX), on_news, NULL)) {
        own.state = SHARING_OFF;
        return;
    }
    pthread_mutex_lock(&own.lock);
    while (!own.has_begun && status == 0)
        status = pthread_cond_timedwait(&own.changed, &own.lock, &until);
    pthread_mutex_unlock(&own.lock);
}

void sharing_end(void)
{
    pthread_mutex_lock(&own.lock);
    own.is_ending = true;
    pthread_cond_broadcast(&own.changed);
    pthread_mutex_unlock(&own.lock);
    if (own.has_thread)
        pthread_join(own.thread, NULL);
    own.has_thread = own.is_sent = false;
    own.state = SHARING_OFF;
    changes_free(own.waiting);
    own.waiting = NULL;
    free_outbox();
    while (own.inbox) {
        struct told_list *next = own.inbox->next;
        told_free(own.inbox);
        own.inbox = next;
    }
    told_authors_release(&own.authors);
    tidying_end();
    own.next_put_ns = 0;
}
