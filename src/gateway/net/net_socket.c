/* SPDX-License-Identifier: Apache-2.0
 *
 * recv(), send(), shutdown() and a reset as a filter. */
#include "gateway/net/net_socket.h"

#include <errno.h>
#include <sys/socket.h>

static struct net_socket *socket_of(struct filter *filter)
{
    return (struct net_socket *)filter;
}

static bool is_passing(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

enum { RECEIVED, SENT };

static size_t count(struct filter *filter, int which, ssize_t bytes)
{
    _Atomic(int64_t) *traffic = socket_of(filter)->traffic;
    if (traffic)
        atomic_store_explicit(&traffic[which],
                              atomic_load_explicit(&traffic[which], memory_order_relaxed) + bytes,
                              memory_order_relaxed);
    return (size_t)bytes;
}

static size_t receive(struct filter *filter, struct leg *leg, uint8_t *bytes, size_t size)
{
    ssize_t got = recv(socket_of(filter)->watch.fd, bytes, size, 0);
    leg->wire_received += got > 0 ? (uint64_t)got : 0;
    if (got > 0)
        return count(filter, RECEIVED, got);
    if (got == 0)
        leg->ended = true;
    else if (!is_passing(errno))
        leg_fail(leg, errno);
    return 0;
}

static size_t send_bytes(struct filter *filter, struct leg *leg, const uint8_t *bytes, size_t size)
{
    ssize_t done = send(socket_of(filter)->watch.fd, bytes, size, MSG_NOSIGNAL);
    leg->wire_sent += done > 0 ? (uint64_t)done : 0;
    if (done >= 0)
        return count(filter, SENT, done);
    if (!is_passing(errno))
        leg_fail_sending(leg, errno);
    return 0;
}

static void finish(struct filter *filter, struct leg *leg)
{
    (void)leg;
    shutdown(socket_of(filter)->watch.fd, SHUT_WR);
}

static void break_off(struct filter *filter)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    setsockopt(socket_of(filter)->watch.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

static void close_socket(struct filter *filter)
{
    watch_close(&socket_of(filter)->watch);
}

static const struct filter_type socket_type = {
    .name = "socket",
    .receive = receive,
    .send = send_bytes,
    .finish = finish,
    .break_off = break_off,
    .close = close_socket,
};

int net_socket_open(struct net_socket *socket, uv_loop_t *loop, int fd, watch_ready *ready,
                    watch_closed *closed)
{
    socket->filter = (struct filter){.type = &socket_type};
    return watch_open(&socket->watch, loop, fd, ready, closed);
}

void net_socket_wrap(struct net_socket *socket, int fd)
{
    *socket = (struct net_socket){.filter = {.type = &socket_type}, .watch = {.fd = fd}};
}
