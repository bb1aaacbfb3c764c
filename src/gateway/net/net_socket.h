/* SPDX-License-Identifier: Apache-2.0
 *
 * struct net_socket: the lowest filter of a leg: a non-blocking socket that the loop watches. */
#ifndef WEIR_GATEWAY_NET_NET_SOCKET_H
#define WEIR_GATEWAY_NET_NET_SOCKET_H

#include <stdatomic.h>
#include <stdint.h>

#include "gateway/leg/leg.h"
#include "gateway/net/watch.h"

struct net_socket {
    struct filter filter; /* first: for leg_push() */
    struct watch watch;
    _Atomic(int64_t) *traffic; /* two counters of the loop's thread: bytes received, bytes sent.
                                  NULL: nobody counts */
};

/* Takes fd, as watch_open() does. The struct must live until closed was called; the leg that it is
 * pushed on closes it. */
WEIR_MUST_CHECK int net_socket_open(struct net_socket *socket, uv_loop_t *loop, int fd,
                                    watch_ready *ready, watch_closed *closed);

/* The same for a socket that no loop watches: whoever reads waits by himself, and closes fd. */
void net_socket_wrap(struct net_socket *socket, int fd);

#endif
