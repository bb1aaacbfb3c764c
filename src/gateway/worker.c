/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/worker.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/hold.h"
#include "gateway/session.h"
#include "gateway/tracing.h"

static void close_handle(uv_handle_t *handle, void *unused)
{
    (void)unused;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void empty_inbox(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    struct arrival *arrivals = worker->inbox;
    size_t count = worker->inbox_size;
    worker->inbox = NULL;
    worker->inbox_size = worker->inbox_capacity = 0;
    struct hold *given_back = worker->given_back;
    worker->given_back = NULL;
    pthread_mutex_unlock(&worker->lock);
    hold_take_back(given_back);
    for (size_t i = 0; i < count; i++)
        session_accept(worker, &arrivals[i]);
    free(arrivals);
}

static bool asked_to_stop(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    bool asked = worker->stop_asked;
    pthread_mutex_unlock(&worker->lock);
    return asked;
}

static void for_each_session(struct worker *worker, bool close_all)
{
    struct session *next = NULL;
    for (struct session *session = worker->sessions; session; session = next) {
        next = session->next;
        if (close_all)
            session_close(session, CLOSE_SHUTDOWN);
        else
            session_drain(session);
    }
}

static void on_wake(uv_async_t *handle)
{
    struct worker *worker = handle->data;
    empty_inbox(worker);
    tracing_follow(worker);
    if (atomic_load(&worker->gateway->draining))
        for_each_session(worker, false);
    if (asked_to_stop(worker) && !worker->closing) {
        worker->closing = true;
        for_each_session(worker, true);
    }
    worker_end_if_done(worker);
}

static void on_idle(uv_idle_t *idle)
{
    struct worker *worker = idle->data;
    struct session *session = worker->again;
    if (!session) {
        uv_idle_stop(idle);
        return;
    }
    worker_not_again(worker, session);
    session_client_ready(session);
}

void worker_again(struct worker *worker, struct session *session)
{
    if (session->is_again)
        return;
    session->is_again = true;
    session->next_again = worker->again;
    worker->again = session;
    uv_idle_start(&worker->idle, on_idle);
}

void worker_not_again(struct worker *worker, struct session *session)
{
    struct session **at = &worker->again;
    if (!session->is_again)
        return;
    while (*at != session)
        at = &(*at)->next_again;
    *at = session->next_again;
    session->is_again = false;
}

void worker_end_if_done(struct worker *worker)
{
    if (worker->closing && !worker->sessions && !uv_is_closing((uv_handle_t *)&worker->wake))
        uv_close((uv_handle_t *)&worker->wake, NULL); /* the loop's last handle that counts */
}

static void *serve(void *argument)
{
    struct worker *worker = argument;
    uv_run(&worker->loop, UV_RUN_DEFAULT);
    uv_walk(&worker->loop, close_handle, NULL);
    uv_run(&worker->loop, UV_RUN_DEFAULT);
    return NULL;
}

int worker_start(struct worker *worker, struct gateway *gateway, struct error *error)
{
    *worker = (struct worker){.gateway = gateway};
    worker->buffer = malloc(READ_BYTES);
    if (!worker->buffer)
        return error_set(error, "out of memory for a worker's buffer");
    pthread_mutex_init(&worker->lock, NULL);
    sql_digester_init(&worker->digester);
    sql_tables_init(&worker->tables);
    int status = uv_loop_init(&worker->loop);
    if (status == 0)
        status = uv_async_init(&worker->loop, &worker->wake, on_wake);
    uv_idle_init(&worker->loop, &worker->idle);
    worker->wake.data = worker->idle.data = worker;
    if (status < 0)
        return error_set(error, "starting a worker's event loop: %s", uv_strerror(status));
    status = pthread_create(&worker->thread, NULL, serve, worker);
    if (status)
        return error_set(error, "starting a worker's thread: %s", strerror(status));
    return 0;
}

void worker_give(struct worker *worker, const struct arrival *arrival)
{
    pthread_mutex_lock(&worker->lock);
    if (worker->inbox_size == worker->inbox_capacity) {
        size_t capacity = worker->inbox_capacity ? 2 * worker->inbox_capacity : 16;
        struct arrival *inbox = realloc(worker->inbox, capacity * sizeof *inbox);
        if (inbox) {
            worker->inbox = inbox;
            worker->inbox_capacity = capacity;
        }
    }
    bool fits = worker->inbox_size < worker->inbox_capacity;
    if (fits)
        worker->inbox[worker->inbox_size++] = *arrival;
    pthread_mutex_unlock(&worker->lock);
    if (fits) {
        uv_async_send(&worker->wake);
    } else {
        log_error("gateway", "no memory for a new connection; it is closed");
        close(arrival->fd);
    }
}

void worker_wake(struct worker *worker, bool stop)
{
    if (stop) {
        pthread_mutex_lock(&worker->lock);
        worker->stop_asked = true;
        pthread_mutex_unlock(&worker->lock);
    }
    uv_async_send(&worker->wake);
}

void worker_join(struct worker *worker)
{
    pthread_join(worker->thread, NULL);
    uv_loop_close(&worker->loop);
    for (size_t i = 0; i < worker->inbox_size; i++)
        close(worker->inbox[i].fd);
    free(worker->inbox);
    free(worker->buffer);
    sql_digester_release(&worker->digester);
    sql_tables_release(&worker->tables);
    pthread_mutex_destroy(&worker->lock);
}
