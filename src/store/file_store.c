/* SPDX-License-Identifier: Apache-2.0
 *
 * The thread of a store in a file. Other threads put requests, followers and timers into lists under a lock
 * and wake it; it alone touches data and file, and runs every callback.
 *
 * A turn carries out all that is queued, each change written before it is made, then syncs once, answers, and
 * tells followers. So a thousand puts that come together cost one sync, and nobody learns of a change that may
 * not be there after a crash. */
#include "store/file_store.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "store/file_log.h"
#include "store/parts.h"

#define IDLE_NS  (60 * CLOCK_NS_PER_S) /* longest wait; whatever happens ends it */
#define RETRY_NS CLOCK_NS_PER_S        /* between two attempts to open the folder */

struct file_store {
    struct store store;
    char *folder; /* owned */
    pthread_t thread;
    pthread_mutex_t lock; /* of what other threads add to: */
    pthread_cond_t more;
    struct request_copy *queued;
    struct follow *new_follows;
    struct timer *new_timers;
    bool is_stopping;

    /* The thread's own. */
    struct store_data data;
    struct file_log log;
    uint64_t opened_ns;            /* when it was tried last; 0: never */
    struct error failure;          /* why it is not open */
    struct request_copy *unsynced; /* carried out, and not answered */
    struct follow *follows;
    struct timer *timers;
};

static struct file_store *file_of(struct store *store)
{
    return (struct file_store *)store;
}

/* ---- From any thread ---- */

static uint64_t now_ns(struct store *store)
{
    (void)store;
    return file_log_now_ns();
}

static bool call(struct store *store, const struct store_request *request)
{
    struct file_store *own = file_of(store);
    struct request_copy *made = request_copy_new(store, request);
    if (!made)
        return false;
    pthread_mutex_lock(&own->lock);
    DL_APPEND(own->queued, made);
    pthread_cond_signal(&own->more);
    pthread_mutex_unlock(&own->lock);
    return true;
}

static bool follow(struct store *store, struct store_bytes prefix, store_follower *follower,
                   void *user)
{
    struct file_store *own = file_of(store);
    struct follow *made = follow_new(store, prefix, follower, user);
    if (!made)
        return false;
    pthread_mutex_lock(&own->lock);
    DL_APPEND(own->new_follows, made);
    pthread_cond_signal(&own->more);
    pthread_mutex_unlock(&own->lock);
    return true;
}

static bool after(struct store *store, uint64_t milliseconds, store_timer *timer, void *user)
{
    struct file_store *own = file_of(store);
    const uint64_t at_ns = file_log_now_ns() + milliseconds * 1000000;
    pthread_mutex_lock(&own->lock);
    const bool ok = timer_add(&own->new_timers, store, at_ns, timer, user);
    pthread_cond_signal(&own->more);
    pthread_mutex_unlock(&own->lock);
    return ok;
}

/* ---- Carrying out ---- */

static bool is_open(const struct file_store *own)
{
    return own->log.file >= 0;
}

static void open_log(struct file_store *own)
{
    const uint64_t now = file_log_now_ns();
    const bool is_first = own->opened_ns == 0;
    if (is_open(own) || (!is_first && now - own->opened_ns < RETRY_NS))
        return;
    own->opened_ns = now;
    if (file_log_open(&own->log, own->folder, &own->data, &own->failure) < 0) {
        if (is_first)
            log_error("store", "%s", own->failure.message);
        return;
    }
    data_compact(&own->data);
    log_info("store", "%s has %zu keys", own->folder, own->data.key_count);
}

/* Answers what is carried out, once it is on the disk. */
static void settle(struct file_store *own)
{
    struct error error = {""};
    const int status = file_log_sync(&own->log, &error);
    if (status < 0)
        log_error("store", "%s", error.message);
    while (own->unsynced) {
        struct request_copy *copy = own->unsynced;
        DL_DELETE(own->unsynced, copy);
        if (status < 0 && copy->answer.status == STORE_DONE) {
            copy->answer.status = STORE_UNKNOWN;
            copy->answer.message = error.message;
        }
        const struct store_answer answer = copy->answer;
        request_copy_answer(copy, &answer);
    }
}

static void fail(struct request_copy *copy, enum store_status status, const char *message)
{
    const struct store_answer answer = {.status = status, .message = message};
    request_copy_answer(copy, &answer);
}

static bool has_room(const struct file_store *own, const struct data_step *step)
{
    size_t more = 0;
    for (const struct data_item *item = step->items; item; item = item->next)
        more += item->entry.is_deleted ? 0 : item->entry.key.size + item->entry.value.size;
    return more == 0 || own->data.bytes + more <= FILE_STORE_BYTES_MOST;
}

static void change(struct file_store *own, struct request_copy *copy)
{
    struct data_step step;
    struct error error = {""};
    data_plan(&own->data, &copy->request, file_log_now_ns(), &step, &copy->answer);
    int status = 0;
    if (copy->answer.status == STORE_DONE && !has_room(own, &step))
        status = error_set(&error, "the store is full: its keys and values have %u bytes",
                           FILE_STORE_BYTES_MOST);
    else if (copy->answer.status == STORE_DONE)
        status = file_log_append(&own->log, &own->data, &step, &error);
    if (status < 0) {
        data_step_release(&step);
        fail(copy, STORE_FAILED, error.message);
        return;
    }
    if (copy->answer.status == STORE_DONE)
        data_apply(&own->data, &step);
    DL_APPEND(own->unsynced, copy);
}

static void carry_out(struct file_store *own, struct request_copy *copy)
{
    if (!is_open(own)) {
        fail(copy, STORE_FAILED, own->failure.message);
    } else if (copy->request.action == STORE_READ) {
        settle(own); /* what is read is there */
        data_read(&own->data, &copy->request, &copy->answer);
        const struct store_answer answer = copy->answer;
        request_copy_answer(copy, &answer);
    } else {
        change(own, copy);
    }
}

/* A lease is over whether that can be written or not: whoever reads the file sees it by the clock. */
static void end_leases(struct file_store *own)
{
    struct data_step step;
    struct error error;
    while (data_plan_end(&own->data, file_log_now_ns(), &step)) {
        if (file_log_append(&own->log, &own->data, &step, &error) < 0)
            own->log.is_behind = true;
        data_apply(&own->data, &step);
    }
}

/* ---- The thread ---- */

static struct request_copy *take_queued(struct file_store *own)
{
    pthread_mutex_lock(&own->lock);
    struct request_copy *queued = own->queued;
    DL_CONCAT(own->follows, own->new_follows);
    DL_CONCAT(own->timers, own->new_timers);
    own->queued = NULL;
    own->new_follows = NULL;
    own->new_timers = NULL;
    pthread_mutex_unlock(&own->lock);
    return queued;
}

static void turn(struct file_store *own)
{
    struct request_copy *queued = take_queued(own);
    if (queued || own->follows)
        open_log(own);
    if (is_open(own))
        end_leases(own);
    while (queued) {
        struct request_copy *copy = queued;
        DL_DELETE(queued, copy);
        carry_out(own, copy);
    }
    if (!is_open(own)) {
        if (own->opened_ns)
            for (struct follow *one = own->follows; one; one = one->next)
                (void)follow_tell(one, &own->data, own->failure.message);
        return;
    }
    settle(own);
    for (struct follow *one = own->follows; one; one = one->next)
        (void)follow_tell(one, &own->data, NULL);
    data_compact(&own->data);
    file_log_tidy(&own->log, &own->data);
}

/* Those that are due now; what they add comes in the next turn. */
static void run_timers(struct file_store *own)
{
    const uint64_t now = file_log_now_ns();
    struct timer *timer;
    while ((timer = timer_first(own->timers)) != NULL && timer->at_ns <= now)
        timer_run(&own->timers, timer);
}

static uint64_t wait_ns(const struct file_store *own)
{
    const uint64_t now = file_log_now_ns();
    const struct timer *timer = timer_first(own->timers);
    uint64_t until = now + IDLE_NS;
    if (timer && timer->at_ns < until)
        until = timer->at_ns;
    if (is_open(own) && data_next_end_ns(&own->data) < until)
        until = data_next_end_ns(&own->data);
    if (!is_open(own) && own->follows && own->opened_ns + RETRY_NS < until)
        until = own->opened_ns + RETRY_NS;
    return until > now ? until - now : 0;
}

/* Returns whether the thread goes on. */
static bool wait_for_more(struct file_store *own)
{
    const struct timespec until = clock_deadline(CLOCK_MONOTONIC, wait_ns(own));
    int status = 0;
    pthread_mutex_lock(&own->lock);
    while (status != ETIMEDOUT && !own->is_stopping && !own->queued && !own->new_follows &&
           !own->new_timers)
        status = pthread_cond_clockwait(&own->more, &own->lock, CLOCK_MONOTONIC, &until);
    const bool goes_on = !own->is_stopping;
    pthread_mutex_unlock(&own->lock);
    return goes_on;
}

static void *run(void *user)
{
    struct file_store *own = user;
    while (wait_for_more(own)) {
        turn(own);
        run_timers(own);
    }
    struct request_copy *queued = take_queued(own);
    if (queued)
        open_log(own);
    while (queued) {
        struct request_copy *copy = queued;
        DL_DELETE(queued, copy);
        carry_out(own, copy);
    }
    settle(own);
    return NULL;
}

/* ---- Start and end ---- */

/* The thread has ended, or never began. Callbacks may still add calls, which fail. */
static void release(struct file_store *own)
{
    while (own->queued) {
        struct request_copy *copy = own->queued;
        DL_DELETE(own->queued, copy);
        fail(copy, STORE_FAILED, "the store is closed");
    }
    DL_CONCAT(own->follows, own->new_follows);
    DL_CONCAT(own->timers, own->new_timers);
    while (own->follows) {
        struct follow *one = own->follows;
        DL_DELETE(own->follows, one);
        free(one);
    }
    while (own->timers) {
        struct timer *one = own->timers;
        DL_DELETE(own->timers, one);
        free(one);
    }
    data_release(&own->data);
    file_log_close(&own->log);
    pthread_mutex_destroy(&own->lock);
    pthread_cond_destroy(&own->more);
    free(own->folder);
    free(own);
}

static void file_store_free(struct store *store)
{
    struct file_store *own = file_of(store);
    pthread_mutex_lock(&own->lock);
    own->is_stopping = true;
    pthread_cond_signal(&own->more);
    pthread_mutex_unlock(&own->lock);
    pthread_join(own->thread, NULL);
    release(own);
}

static const struct store_functions functions = {
    .call = call, .follow = follow, .after = after, .now_ns = now_ns, .free = file_store_free};

struct store *file_store_new(const char *folder, struct error *error)
{
    assert(folder && error);
    struct file_store *own = calloc(1, sizeof *own);
    if (!own) {
        error_set(error, "out of memory");
        return NULL;
    }
    pthread_mutex_init(&own->lock, NULL);
    pthread_cond_init(&own->more, NULL);
    own->store.functions = &functions;
    own->data.revision = 1;
    own->log = (struct file_log)FILE_LOG_INIT;
    own->folder = strdup(folder);
    int status = own->folder ? 0 : error_set(error, "out of memory");
    if (status == 0 && pthread_create(&own->thread, NULL, run, own))
        status = error_set(error, "no thread can be started for the store");
    if (status < 0) {
        release(own);
        return NULL;
    }
    pthread_setname_np(own->thread, "weir-store");
    return &own->store;
}
