/* SPDX-License-Identifier: Apache-2.0
 *
 * When probes run. A look blocks (name server, connection), so it is a job of libuv's threads; a
 * timer of the main loop begins the next one when it is over:
 *
 *     timer ──► look (thread) ──► on_looked ──► timer: UPSTREAM_LOOK_MS, or UPSTREAM_RETRY_MS if it failed
 *
 * A server of several is looked at at the pace of its checks, give or take a fifth, so that those of a set do not
 * come together. A session's failed connection brings the next look forward.
 *
 * The embedded server is looked at only after each start of its process until it answers: its address
 * and its version cannot change without one. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "gateway/upstream/account_session.h"
#include "gateway/upstream/embedded.h"
#include "gateway/upstream/upstream_state.h"

struct upstream_watch {
    struct upstream *upstream;
    struct embedded *embedded; /* NULL: it is not the embedded server */
    uv_loop_t *loop;
    uv_timer_t timer;
    uv_async_t wake; /* any thread: a session has failed */
    uint64_t random; /* for the jitter */
    uv_work_t work;
    upstream_on_looked *on_looked;
    void *user;
    bool looking;    /* the work is queued; until it is over status and error are the thread's */
    bool look_again; /* what is being looked at is out of date */
    bool stopping;
    int open_handles; /* the timer and the async */
    int status;
    struct error error;
    bool said_waiting; /* the log says that it does not answer */
    char said_version[sizeof((struct upstream_profile *)0)->version]; /* the log says it has this */
};

static void on_timer(uv_timer_t *timer);

static void look_again_in(struct upstream_watch *watch, uint64_t pause_ms)
{
    uv_timer_start(&watch->timer, on_timer, pause_ms, 0);
}

/* Four fifths of it to six. */
static uint64_t with_jitter(struct upstream_watch *watch, uint64_t pause_ms)
{
    watch->random = watch->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return pause_ms * 4 / 5 + (watch->random >> 33) % (pause_ms * 2 / 5 + 1);
}

static uint64_t pause_after(struct upstream_watch *watch, bool answers)
{
    const long interval_ms = atomic_load(&watch->upstream->interval_ms);
    struct upstream_profile profile;
    if (interval_ms && (answers || upstream_profile(watch->upstream, &profile)))
        return with_jitter(watch, (uint64_t)interval_ms);
    return answers && !watch->embedded ? UPSTREAM_LOOK_MS : UPSTREAM_RETRY_MS;
}

static void on_wake(uv_async_t *wake)
{
    struct upstream_watch *watch = wake->data;
    if (watch->stopping || watch->embedded || watch->looking ||
        uv_timer_get_due_in(&watch->timer) <= UPSTREAM_RETRY_MS)
        return;
    look_again_in(watch, UPSTREAM_RETRY_MS);
}

void upstream_watch_wake(struct upstream_watch *watch)
{
    uv_async_send(&watch->wake);
}

static void look(uv_work_t *work)
{
    struct upstream_watch *watch = work->data;
    watch->status = upstream_look(watch->upstream, &watch->error);
}

static void log_news(struct upstream_watch *watch)
{
    struct upstream_profile profile;
    if (watch->status == 0 && upstream_profile(watch->upstream, &profile)) {
        if (watch->said_waiting || strcmp(watch->said_version, profile.version) != 0)
            log_info("backend", "%s is %s", upstream_label(watch->upstream),
                     log_foreign(profile.version, strlen(profile.version)));
        watch->said_waiting = false;
        memcpy(watch->said_version, profile.version, sizeof watch->said_version);
    } else if (!watch->said_waiting) {
        watch->said_waiting = true;
        if (atomic_load(&watch->upstream->interval_ms))
            return; /* upstream_note() has said so */
        if (watch->embedded)
            log_info("backend", "waiting for the embedded MariaDB to answer");
        else
            log_warn("backend", "%s; clients get an error until it answers", watch->error.message);
    }
}

static void on_look_over(uv_work_t *work, int cancelled)
{
    struct upstream_watch *watch = work->data;
    watch->looking = false;
    if (cancelled || watch->stopping)
        return;
    log_news(watch);
    atomic_store(&watch->upstream->was_looked_at, true);
    bool answers = watch->status == 0;
    watch->on_looked(watch->user, answers);
    bool is_over = answers && watch->embedded && !watch->look_again;
    watch->look_again = false;
    if (watch->stopping || is_over)
        return;
    look_again_in(watch, pause_after(watch, answers));
}

static void on_timer(uv_timer_t *timer)
{
    struct upstream_watch *watch = timer->data;
    if (watch->looking || watch->stopping)
        return;
    watch->looking = uv_queue_work(watch->loop, &watch->work, look, on_look_over) == 0;
    if (!watch->looking)
        look_again_in(watch, UPSTREAM_RETRY_MS);
}

static void on_embedded_state(void *user, bool running)
{
    struct upstream_watch *watch = user;
    watch->said_waiting = false;
    watch->look_again = watch->looking;
    pthread_mutex_lock(&watch->upstream->lock);
    watch->upstream->confirmed_ns = 0;
    pthread_mutex_unlock(&watch->upstream->lock);
    if (running && !watch->stopping)
        look_again_in(watch, 0);
}

static bool is_loopback(const char *host)
{
    return !*host || strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
           strncmp(host, "127.", 4) == 0;
}

/* The backend's accounts are not known here: so whoever has such accounts has to be told. */
static void say_whose_host_it_sees(const struct upstream *upstream)
{
    if (is_loopback(upstream->name.host))
        log_warn(
            "backend",
            "%s: every client looks like localhost to it, wherever it comes from: it matches "
            "accounts such as 'root'@'localhost', which may have more rights than 'root'@'%%'. "
            "-proxy-protocol tells it the client's address",
            upstream->label);
    else
        log_info("backend",
                 "%s: every client has the gateway's host for it: accounts are not told apart by "
                 "host. -proxy-protocol tells it the client's address",
                 upstream->label);
}

static int start_embedded(struct upstream_watch *watch, struct error *error)
{
    struct upstream *upstream = watch->upstream;
    struct embedded_options options = {upstream->options.data_directory, upstream->options.mariadbd,
                                       on_embedded_state, watch};
    watch->embedded = embedded_start(watch->loop, &options, error);
    if (!watch->embedded)
        return -1;
    char text[sizeof upstream->name.text];
    snprintf(text, sizeof text, "unix://%s", embedded_socket(watch->embedded));
    int status = address_parse(&upstream->name, text, error);
    upstream_make_label(upstream);
    return status;
}

int upstream_start(struct upstream *upstream, struct uv_loop_s *loop, upstream_on_looked *on_looked,
                   void *user, struct error *error)
{
    assert(loop && on_looked && !upstream->watch);
    struct upstream_watch *watch = calloc(1, sizeof *watch);
    if (!watch)
        return error_set(error, "out of memory");
    *watch = (struct upstream_watch){
        .upstream = upstream, .loop = loop, .on_looked = on_looked, .user = user};
    upstream->watch = watch;
    if (upstream->options.checks.user)
        account_session_init_library();
    uv_timer_init(loop, &watch->timer);
    uv_async_init(loop, &watch->wake, on_wake);
    watch->open_handles = 2;
    watch->random = clock_wall_ns() ^ (uint64_t)(uintptr_t)watch;
    watch->timer.data = watch->wake.data = watch->work.data = watch;
    if (upstream->is_embedded)
        return start_embedded(watch, error);
    if (!upstream->sends_proxy_header)
        say_whose_host_it_sees(upstream);
    look_again_in(watch, 0);
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct upstream_watch *watch = handle->data;
    watch->open_handles--;
}

bool upstream_watch_is_over(const struct upstream_watch *watch)
{
    return !watch || (watch->open_handles == 0 && !watch->looking);
}

void upstream_stop(struct upstream *upstream)
{
    struct upstream_watch *watch = upstream->watch;
    if (!watch || watch->stopping)
        return;
    watch->stopping = true;
    uv_close((uv_handle_t *)&watch->timer, on_closed);
    uv_close((uv_handle_t *)&watch->wake, on_closed);
    if (watch->embedded)
        embedded_stop(watch->embedded);
}

void upstream_watch_free(struct upstream_watch *watch)
{
    if (!watch)
        return;
    assert(watch->stopping && !watch->looking);
    if (watch->embedded)
        embedded_free(watch->embedded);
    free(watch);
}
