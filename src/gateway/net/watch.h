/* SPDX-License-Identifier: Apache-2.0
 *
 * struct watch: a socket that the loop watches. This is the only place that knows uv_poll.
 *
 * Interest is changed only if it differs from what the loop already has, so that an ordinary
 * statement costs no epoll_ctl(). */
#ifndef WEIR_GATEWAY_NET_WATCH_H
#define WEIR_GATEWAY_NET_WATCH_H

#include <stdbool.h>
#include <uv.h>

#include "base/base.h"

struct watch;

/* What has become possible: bits. FAILED: the loop reports an error of the socket, and has no
 * interest in it any more; what came before the error can still be read. URGENT is nothing that
 * anybody waits for: interest in it makes the loop report errors. */
#define WATCH_READABLE 1U
#define WATCH_WRITABLE 2U
#define WATCH_FAILED   4U
#define WATCH_URGENT   8U
_Static_assert(UV_READABLE == WATCH_READABLE && UV_WRITABLE == WATCH_WRITABLE &&
                   UV_PRIORITIZED == WATCH_URGENT,
               "libuv's bits");

typedef void watch_ready(struct watch *watch, unsigned events);
typedef void watch_closed(struct watch *watch);

struct watch {
    uv_poll_t poll;
    int fd;            /* -1: none */
    unsigned interest; /* WATCH_READABLE | WATCH_WRITABLE | WATCH_URGENT that the loop has */
    bool is_open;
    bool is_noisy; /* something urgent is there, and stays: failures are not watched for */
    watch_ready *ready;
    watch_closed *closed;
};

/* Takes fd (non-blocking). ready is called from the loop while there is interest. Returns 0, or
 * libuv's error; fd is then still the caller's. */
WEIR_MUST_CHECK int watch_open(struct watch *watch, uv_loop_t *loop, int fd, watch_ready *ready,
                               watch_closed *closed);

void watch_set_interest(struct watch *watch, unsigned interest);
static inline void watch_for(struct watch *watch, bool readable, bool writable)
{
    const unsigned interest = (readable ? WATCH_READABLE : 0) | (writable ? WATCH_WRITABLE : 0);
    if (watch->is_open && watch->interest != interest)
        watch_set_interest(watch, interest);
}

/* Nothing is read or written now: ready is called only when the socket fails. */
static inline void watch_for_failure(struct watch *watch)
{
    const unsigned interest = watch->is_noisy ? 0 : WATCH_URGENT;
    if (watch->is_open && watch->interest != interest)
        watch_set_interest(watch, interest);
}

/* Closes the socket. closed (or NULL) is called later, from the loop; not if it was never open. */
void watch_close(struct watch *watch);

#endif
