/* SPDX-License-Identifier: Apache-2.0
 *
 * struct stream: one non-blocking socket of a session, watched by the worker's loop.
 *
 * What the socket does not take at once is kept in `out`, and the session stops reading from the
 * other side until it is gone: memory is bounded by one read (worker.h, READ_BYTES) and an idle
 * stream owns none. Interest in the socket is changed only when it differs from what the loop
 * already has, so that an ordinary statement costs no epoll_ctl(). */
#ifndef WEIR_GATEWAY_STREAM_H
#define WEIR_GATEWAY_STREAM_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/base.h"

struct stream {
    uv_poll_t poll;    /* valid while `watched` */
    int fd;            /* -1: none */
    int interest;      /* UV_READABLE | UV_WRITABLE that the loop has */
    bool watched;      /* poll is initialised and not being closed */
    bool ended;        /* the peer has sent its last byte */
    bool failed;       /* an error was met; nothing more is read or written */
    int error;         /* errno of that failure */
    struct strbuf out; /* bytes [sent, size) wait for the socket */
    size_t sent;
};

void stream_init(struct stream *stream);

/* Takes fd (non-blocking) and watches it on loop; on_ready gets stream->poll with .data = user. */
int stream_open(struct stream *stream, uv_loop_t *loop, int fd, void *user);

/* Asks the loop for UV_READABLE and/or UV_WRITABLE, calling on_ready. */
void stream_watch(struct stream *stream, int interest, uv_poll_cb on_ready);

/* Reads at most size bytes. 0: nothing now, or ended, or failed (look at the flags). */
size_t stream_read(struct stream *stream, uint8_t *bytes, size_t size);

/* Writes, and keeps what the socket does not take. */
void stream_write(struct stream *stream, const void *bytes, size_t size);

/* Writes what is kept. */
void stream_flush(struct stream *stream);

static inline bool stream_is_clogged(const struct stream *stream)
{
    return stream->out.size > stream->sent;
}

/* Stops watching and closes the socket; on_closed is called later, from the loop, unless the stream
 * was never opened. Returns whether it will be called. */
bool stream_close(struct stream *stream, uv_close_cb on_closed);

#endif
