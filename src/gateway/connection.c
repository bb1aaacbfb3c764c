/* SPDX-License-Identifier: Apache-2.0
 *
 * Feeding a session, and doing what it wishes. Every entry from the loop feeds the session once and
 * ends in carry_out(), which flushes both legs, looks at the wishes until none is new, and watches
 * the sockets for what is waited for.
 *
 * A connection is freed once the loop has let go of its last handle, and the session of its last
 * hold. */
#include "gateway/connection.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/connection_tls.h"
#include "gateway/introduction.h"

_Static_assert(METRIC_BYTES_TO_CLIENTS == METRIC_BYTES_FROM_CLIENTS + 1 &&
                   METRIC_BYTES_TO_BACKEND == METRIC_BYTES_FROM_BACKEND + 1,
               "received and sent are neighbours");

#define READS_A_ROUND 4 /* of one socket before the loop's other sockets have their turn */

static void carry_out(struct connection *connection);
static void go_on_elsewhere(struct connection *connection);

/* ---- The end ---- */

static void count(const struct connection *connection, enum metric metric, int64_t more)
{
    metric_add(&connection->worker->environment.metrics, metric, more);
}

static void unlink_connection(struct connection *connection)
{
    struct worker *worker = connection->worker;
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        worker->connections = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    count(connection, METRIC_CONNECTIONS_OPEN, -1);
    atomic_fetch_sub(&worker->connection_count, 1);
    atomic_fetch_sub(&worker->gateway->connections, 1);
}

static void free_if_done(struct connection *connection)
{
    struct worker *worker = connection->worker;
    if (!connection->is_over || connection->handles || !session_may_be_freed(connection->session))
        return;
    session_free(connection->session);
    if (connection->upstream) /* last: the session's TLS is with it */
        upstream_unpin(connection->upstream);
    unlink_connection(connection);
    free(connection);
    worker_end_if_done(worker);
}

static void handle_closed(struct connection *connection)
{
    assert(connection->handles > 0);
    connection->handles--;
    free_if_done(connection);
}

static void client_closed(struct watch *watch)
{
    handle_closed((struct connection *)((char *)watch - offsetof(struct connection, client.watch)));
}

static void backend_closed(struct watch *watch)
{
    struct connection *connection =
        (struct connection *)((char *)watch - offsetof(struct connection, backend.watch));
    const bool goes_on = connection->is_leaving && !connection->is_over;
    connection->backend_is_open = false;
    count(connection, METRIC_BACKEND_CONNECTIONS_OPEN, -1);
    handle_closed(connection); /* frees nothing that goes on */
    if (goes_on)
        go_on_elsewhere(connection);
}

static void timer_closed(uv_handle_t *timer)
{
    struct connection *connection = timer->data;
    free(timer);
    handle_closed(connection);
}

static void close_timer(struct connection *connection)
{
    if (connection->timer)
        uv_close((uv_handle_t *)connection->timer, timer_closed);
    connection->timer = NULL;
}

static void close_all(struct connection *connection)
{
    if (connection->is_over)
        return;
    connection->is_over = true;
    worker_remove_ready(connection->worker, connection);
    leg_finish(connection->client_leg); /* TLS says so, too */
    leg_close(connection->client_leg);
    leg_close(connection->backend_leg);
    close_timer(connection);
}

/* The worker begins with the connection; what: static text for the watchdog. */
static void begin_turn(struct connection *connection, const char *what)
{
    activity_begin(&connection->worker->activity, what, session_connection_id(connection->session));
}

/* ---- Reading ---- */

/* Reads a side once and feeds the session. Returns whether there may be more. What the legs borrow
 * then lies in the worker's buffer: they are flushed before the next read. */
static bool read_once(struct connection *connection, enum session_side side)
{
    struct session *session = connection->session;
    struct leg *leg = side == SESSION_CLIENT ? connection->client_leg : connection->backend_leg;
    uint8_t *bytes = connection->worker->buffer;
    size_t room = session_read_room(session, side, &bytes);
    size_t got = leg_receive(leg, bytes, room);
    if (got && side == SESSION_BACKEND)
        connection->heard_ms = uv_now(&connection->worker->loop);
    if (got)
        session_receive(session, side, bytes, got);
    else if (leg->ended || leg->failed || leg->broken)
        session_run(session);
    return got == room;
}

static void read_backend(struct connection *connection)
{
    bool goes_on = true;
    for (int round = 0; goes_on && round < READS_A_ROUND; round++) {
        goes_on = read_once(connection, SESSION_BACKEND);
        if (!goes_on)
            break;
        leg_flush(connection->client_leg);
        leg_flush(connection->backend_leg);
        goes_on = session_wishes(connection->session) & SESSION_READS_BACKEND;
    }
}

static bool wants_buffered(const struct connection *connection, const struct leg *leg,
                           unsigned wish)
{
    return session_wishes(connection->session) & wish && leg_is_open(leg) && leg_has_buffered(leg);
}

void connection_read_buffered(struct connection *connection)
{
    begin_turn(connection, "reads what it has received");
    if (!connection->securing[SESSION_CLIENT].is_going_on &&
        wants_buffered(connection, connection->client_leg, SESSION_READS_CLIENT))
        read_once(connection, SESSION_CLIENT);
    leg_flush(
        connection->client_leg); /* what it borrows lies in the buffer that is read into next */
    leg_flush(connection->backend_leg);
    if (!connection->securing[SESSION_BACKEND].is_going_on &&
        wants_buffered(connection, connection->backend_leg, SESSION_READS_BACKEND))
        read_backend(connection);
    carry_out(connection);
}

/* ---- The client's socket ---- */

static void on_client(struct watch *watch, unsigned events)
{
    struct connection *connection =
        (struct connection *)((char *)watch - offsetof(struct connection, client.watch));
    struct leg *leg = connection->client_leg;
    begin_turn(connection, "reads from a client");
    if (connection->securing[SESSION_CLIENT].is_going_on) {
        connection_go_on_securing(connection, SESSION_CLIENT);
    } else {
        if (events & WATCH_WRITABLE)
            leg_flush(leg);
        if (events & (WATCH_READABLE | WATCH_FAILED))
            read_once(connection, SESSION_CLIENT); /* what it has sent before it failed, too */
    }
    if (events & WATCH_FAILED) {
        leg_fail(leg, EIO);
        session_run(connection->session);
    }
    carry_out(connection);
}

/* ---- The backend's socket ---- */

static void set_options(int fd)
{
    int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
}

/* The backend's socket has an answer to connect(). */
static void connected(struct connection *connection, int error)
{
    connection->is_connecting = false;
    if (connection->worker->environment.measures && !error) {
        const uint64_t took_ns = clock_monotonic_ns() - connection->connecting_since_ns;
        durations_add(&connection->worker->environment.metrics.durations[METRIC_DURATION_CONNECT],
                      took_ns);
        upstream_count_connect(connection->upstream, took_ns);
    }
    if (error) {
        count(connection, METRIC_BACKEND_CONNECTIONS_FAILED, 1);
        session_connected(connection->session, strerror(error));
    } else {
        set_options(connection->backend.watch.fd);
        session_connected(connection->session, NULL);
    }
}

static int error_of_socket(int fd)
{
    int error = 0;
    socklen_t size = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? errno : error;
}

static void on_backend(struct watch *watch, unsigned events)
{
    struct connection *connection =
        (struct connection *)((char *)watch - offsetof(struct connection, backend.watch));
    struct leg *leg = connection->backend_leg;
    begin_turn(connection, "reads from the backend");
    if (connection->is_connecting) {
        connected(connection, error_of_socket(watch->fd));
    } else if (connection->securing[SESSION_BACKEND].is_going_on) {
        connection_go_on_securing(connection, SESSION_BACKEND);
    } else {
        if (events & WATCH_FAILED) /* what it has sent before is read; then a read fails or ends */
            leg_fail_sending(leg, EIO);
        if (events & WATCH_WRITABLE)
            leg_flush(leg);
        if (events & (WATCH_READABLE | WATCH_FAILED) &&
            session_wishes(connection->session) & SESSION_READS_BACKEND)
            read_backend(connection);
    }
    carry_out(connection);
}

/* The session counts there, so that it is where it says; the connection may outlive that. */
static void take_upstream(struct connection *connection)
{
    struct upstream *before = connection->upstream;
    connection->upstream = upstream_set_at(connection->worker->gateway->upstreams,
                                           session_backend(connection->session)->number);
    upstream_pin(connection->upstream);
    if (before)
        upstream_unpin(before);
}

static void begin_connecting(struct connection *connection)
{
    bool in_progress = false;
    take_upstream(connection);
    int fd = upstream_connect(connection->upstream, &in_progress);
    connection->is_connecting = true;
    connection->connecting_since_ns = clock_monotonic_ns();
    if (fd < 0) {
        connected(connection, errno);
        return;
    }
    int status = net_socket_open(&connection->backend, &connection->worker->loop, fd, on_backend,
                                 backend_closed);
    if (status < 0) {
        close(fd);
        connected(connection, -status);
        return;
    }
    connection->handles++;
    connection->backend_is_open = true;
    connection->backend.traffic =
        &connection->worker->environment.metrics.values[METRIC_BYTES_FROM_BACKEND];
    count(connection, METRIC_BACKEND_CONNECTIONS, 1);
    count(connection, METRIC_BACKEND_CONNECTIONS_OPEN, 1);
    leg_push(connection->backend_leg, &connection->backend.filter);
    if (!in_progress)
        connected(connection, error_of_socket(fd));
}

/* ---- Another backend instead ---- */

/* The socket of the one that is left has gone, and its memory is free for the next one's. */
static void leave_backend(struct connection *connection)
{
    connection->is_leaving = connection->is_connecting = false;
    session_left(connection->session);
}

static void go_on_elsewhere(struct connection *connection)
{
    begin_turn(connection, "goes to another backend");
    leave_backend(connection);
    carry_out(connection);
}

static void begin_leaving(struct connection *connection)
{
    connection->is_leaving = true;
    connection->securing[SESSION_BACKEND].is_going_on = false;
    connection->securing[SESSION_BACKEND].writes = false;
    leg_close(connection->backend_leg);
    if (!connection->backend_is_open)
        leave_backend(connection);
}

/* ---- Time, and threads that may block ---- */

static void on_deadline(uv_timer_t *timer)
{
    struct connection *connection = timer->data;
    begin_turn(connection, "ends a session that is late");
    session_deadline_passed(connection->session);
    carry_out(connection);
}

/* The timer lives only while there is a deadline: an idle connection has none. false: no memory. */
static bool set_deadline(struct connection *connection, long ms)
{
    if (ms && !connection->timer) {
        connection->timer = malloc(sizeof *connection->timer);
        if (!connection->timer)
            return false;
        uv_timer_init(&connection->worker->loop, connection->timer);
        connection->timer->data = connection;
        connection->handles++;
    }
    if (ms)
        uv_timer_start(connection->timer, on_deadline, (uint64_t)ms, 0);
    else
        close_timer(connection);
    return true;
}

static void on_work(uv_work_t *work)
{
    const struct connection *connection = work->data;
    session_work(connection->session);
}

static void on_worked(uv_work_t *work, int status)
{
    struct connection *connection = work->data;
    begin_turn(connection, "goes on after work");
    free(work);
    session_worked(connection->session, status != 0);
    carry_out(connection);
    free_if_done(connection);
}

/* Returns whether it is over already: there was no memory for it. */
static bool begin_work(struct connection *connection)
{
    uv_work_t *work = malloc(sizeof *work);
    session_begin_work(connection->session);
    if (!work) {
        session_worked(connection->session, true);
        return true;
    }
    work->data = connection;
    uv_queue_work(&connection->worker->loop, work, on_work, on_worked);
    return false;
}

/* ---- Wishes ---- */

/* Starts what is newly wished for. Returns whether the session was fed, so has other wishes. */
static bool start_wishes(struct connection *connection, unsigned wishes)
{
    if (wishes & SESSION_SETS_DEADLINE &&
        !set_deadline(connection, session_take_deadline(connection->session))) {
        session_close(connection->session, CLOSE_NO_MEMORY);
        return true;
    }
    if (wishes & SESSION_LEAVES && !connection->is_leaving) {
        begin_leaving(connection);
        return !connection->is_leaving;
    }
    if (wishes & SESSION_CONNECTS && !connection->is_connecting) {
        begin_connecting(connection);
        return !connection->is_connecting;
    }
    if (wishes & SESSION_SECURES && connection_begin_securing(connection, SESSION_CLIENT))
        return true;
    if (wishes & SESSION_SECURES_BACKEND && connection_begin_securing(connection, SESSION_BACKEND))
        return true;
    if (wishes & SESSION_CLOSES_BACKEND)
        leg_close(connection->backend_leg);
    if (wishes & SESSION_FINISHES)
        leg_finish(connection->client_leg);
    if (wishes & SESSION_FINISHES_BACKEND)
        leg_finish(connection->backend_leg);
    return wishes & SESSION_WORKS && begin_work(connection);
}

static void watch_sockets(struct connection *connection, unsigned wishes)
{
    struct leg *client = connection->client_leg, *backend = connection->backend_leg;
    const bool secures_backend = connection->securing[SESSION_BACKEND].is_going_on;
    bool reads = connection->securing[SESSION_CLIENT].is_going_on || wishes & SESSION_READS_CLIENT;
    bool writes = leg_pending(client) || connection->securing[SESSION_CLIENT].writes;
    if (reads || writes || client->is_deaf)
        watch_for(&connection->client.watch, reads, writes);
    else
        watch_for_failure(&connection->client.watch);
    if ((wishes & SESSION_READS_CLIENT && leg_has_buffered(client)) ||
        (wishes & SESSION_READS_BACKEND && leg_has_buffered(backend)))
        worker_add_ready(connection->worker, connection);
    if (leg_is_open(backend))
        watch_for(&connection->backend.watch, secures_backend || wishes & SESSION_READS_BACKEND,
                  leg_pending(backend) || connection->is_connecting ||
                      connection->securing[SESSION_BACKEND].writes);
}

/* Flushes both legs. Returns whether one has failed in it, and the session has dealt with that. */
static bool flush_failed(struct connection *connection)
{
    struct leg *client = connection->client_leg, *backend = connection->backend_leg;
    int deaf = client->is_deaf + backend->is_deaf;
    leg_flush(client);
    leg_flush(backend);
    if (client->is_deaf + backend->is_deaf == deaf)
        return false;
    session_run(connection->session);
    return true;
}

#define ONCE                                                                                       \
    (SESSION_CONNECTS | SESSION_LEAVES | SESSION_SECURES | SESSION_SECURES_BACKEND |               \
     SESSION_WORKS | SESSION_CLOSES_BACKEND | SESSION_FINISHES | SESSION_FINISHES_BACKEND |        \
     SESSION_SETS_DEADLINE)

static void carry_out(struct connection *connection)
{
    unsigned wishes = 0;
    do {
        while (flush_failed(connection))
            continue;
        wishes = session_wishes(connection->session);
        if (wishes & SESSION_IS_OVER) {
            close_all(connection);
            return;
        }
    } while (wishes & ONCE && start_wishes(connection, wishes));
    watch_sockets(connection, wishes);
}

/* ---- What the worker asks for ---- */

void connection_hold_returned(struct session_hold *hold)
{
    struct session *session = session_hold_returned(hold);
    struct connection *connection = session_owner(session);
    begin_turn(connection, "goes on after a hold");
    session_run(session);
    carry_out(connection);
    free_if_done(connection);
}

void connection_expire_holds(struct connection *connection)
{
    if (!session_expire_holds(connection->session, clock_monotonic_ns()))
        return;
    begin_turn(connection, "ends a hold that is late");
    session_run(connection->session);
    carry_out(connection);
    free_if_done(connection);
}

void connection_drain(struct connection *connection)
{
    begin_turn(connection, "drains a session");
    session_drain(connection->session);
    carry_out(connection);
}

static void lose_backend(struct connection *connection)
{
    begin_turn(connection, "gives up a backend that is lost");
    leg_fail(connection->backend_leg, ETIMEDOUT);
    session_run(connection->session);
    carry_out(connection);
}

/* libuv's clock and ours are the same one. */
void connection_follow_backend(struct connection *connection)
{
    struct upstream *upstream = connection->upstream;
    if (!session_has_logged_in(connection->session) || connection->is_over || !upstream)
        return;
    if (upstream_is_lost(upstream, connection->heard_ms * UINT64_C(1000000)))
        lose_backend(connection);
    else if (upstream_mode(upstream) == UPSTREAM_DRAINING)
        connection_drain(connection);
}

/* The backend learns that the session has gone by its connection's end, and may notice late. */
static void say_cut_off(const struct connection *connection)
{
    const struct session *session = connection->session;
    const uint32_t id = session_backend_id(session);
    atomic_fetch_add(&connection->worker->gateway->cut_off, 1);
    log_warn(
        "session",
        "cut off, because the gateway ends: its statement or transaction has not ended; where the "
        "backend runs it on, KILL %u there ends it connection=%u state=%s",
        id, session_connection_id(session), session_state_name(session));
}

void connection_shut_down(struct connection *connection)
{
    begin_turn(connection, "ends a session");
    if (session_would_be_cut_off(connection->session))
        say_cut_off(connection);
    session_shut_down(connection->session);
    leg_flush(connection->client_leg);
    session_close(connection->session, CLOSE_SHUTDOWN);
    session_drop_holds(connection->session);
    carry_out(connection);
    free_if_done(connection);
}

void connection_follow_trace(struct connection *connection)
{
    session_follow_trace(connection->session);
}

/* ---- The beginning ---- */

static struct session *begin_session(struct connection *connection, const struct arrival *arrival)
{
    struct worker *worker = connection->worker;
    struct introduction introduction;
    introduce(&introduction, worker, arrival);
    return session_new(&worker->environment, &introduction.arrival, &connection->client.filter);
}

static void link_connection(struct worker *worker, struct connection *connection)
{
    connection->worker = worker;
    connection->next = worker->connections;
    if (connection->next)
        connection->next->previous = connection;
    worker->connections = connection;
    connection->client.traffic = &worker->environment.metrics.values[METRIC_BYTES_FROM_CLIENTS];
    count(connection, METRIC_CONNECTIONS, 1);
    count(connection, METRIC_CONNECTIONS_OPEN, 1);
    atomic_fetch_add(&worker->gateway->connections, 1);
}

static void free_without_session(struct watch *watch)
{
    struct connection *connection =
        (struct connection *)((char *)watch - offsetof(struct connection, client.watch));
    unlink_connection(connection);
    free(connection);
}

void connection_accept(struct worker *worker, const struct arrival *arrival)
{
    struct connection *connection = calloc(1, sizeof *connection);
    if (!connection || net_socket_open(&connection->client, &worker->loop, arrival->fd, on_client,
                                       client_closed) < 0) {
        log_error("gateway", "no memory for a new connection; it is closed");
        close(arrival->fd);
        atomic_fetch_sub(&worker->connection_count, 1);
        free(connection);
        return;
    }
    link_connection(worker, connection);
    set_options(arrival->fd);
    connection->session = begin_session(connection, arrival);
    if (!connection->session) {
        log_error("gateway", "no memory for a new session; its connection is closed");
        connection->client.watch.closed = free_without_session;
        watch_close(&connection->client.watch);
        return;
    }
    connection->handles++;
    session_set_owner(connection->session, connection);
    connection->client_leg = session_leg(connection->session, SESSION_CLIENT);
    connection->backend_leg = session_leg(connection->session, SESSION_BACKEND);
    carry_out(connection);
}
