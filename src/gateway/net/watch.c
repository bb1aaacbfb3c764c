/* SPDX-License-Identifier: Apache-2.0
 *
 * A socket and its uv_poll handle, which lives until the loop lets go of it. */
#include "gateway/net/watch.h"

#include <assert.h>
#include <unistd.h>

static struct watch *watch_of(uv_poll_t *poll)
{
    return poll->data;
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = watch_of(poll);
    if (status == 0 && events & UV_PRIORITIZED) { /* urgent bytes, or a hang-up without an error */
        watch->is_noisy = true;
        watch_set_interest(watch, 0);
        return;
    }
    if (status < 0)
        watch->interest = 0; /* the loop has let go of it */
    watch->ready(watch, status < 0 ? WATCH_FAILED : (unsigned)events);
}

int watch_open(struct watch *watch, uv_loop_t *loop, int fd, watch_ready *ready,
               watch_closed *closed)
{
    assert(fd >= 0 && ready);
    *watch = (struct watch){.fd = -1, .ready = ready, .closed = closed};
    int status = uv_poll_init(loop, &watch->poll, fd);
    if (status < 0)
        return status;
    watch->poll.data = watch;
    watch->fd = fd;
    watch->is_open = true;
    return 0;
}

void watch_set_interest(struct watch *watch, unsigned interest)
{
    watch->interest = interest;
    if (interest)
        uv_poll_start(&watch->poll, (int)interest, on_ready);
    else
        uv_poll_stop(&watch->poll);
}

static void on_closed(uv_handle_t *handle)
{
    struct watch *watch = handle->data;
    if (watch->closed)
        watch->closed(watch);
}

void watch_close(struct watch *watch)
{
    if (!watch->is_open)
        return;
    watch->is_open = false;
    watch->interest = 0;
    uv_close((uv_handle_t *)&watch->poll, on_closed);
    close(watch->fd);
    watch->fd = -1;
}
