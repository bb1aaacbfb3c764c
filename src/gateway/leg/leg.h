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

struct stream;

/* How bytes get through: the plain socket (stream.c), or TLS (tls.c). Both functions return how
 * many bytes went; 0 when none did now, after setting ended or failed where that is why. */
struct stream_transport {
    size_t (*receive)(struct stream *stream, uint8_t *bytes, size_t size);
    size_t (*send)(struct stream *stream, const uint8_t *bytes, size_t size);
    bool (*has_buffered)(const struct stream *stream); /* input that the socket will not announce */
    void (*finish)(struct stream *stream);             /* say that nothing more will be sent */
    void (*close)(struct stream *stream);
};

struct stream {
    const struct stream_transport *transport;
    void *transport_data; /* the transport's own */
    uv_poll_t poll;       /* valid while `watched` */
    int fd;               /* -1: none */
    int interest;         /* UV_READABLE | UV_WRITABLE that the loop has */
    bool watched;         /* poll is initialised and not being closed */
    bool ended;           /* the peer has sent its last byte */
    bool failed;          /* an error was met; nothing more is read or written */
    int error;            /* errno of that failure */
    struct strbuf out;    /* bytes [sent, size) wait for the socket */
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

/* Whether a read would give bytes though the socket is not readable. */
bool stream_has_buffered(const struct stream *stream);

/* Says to the peer that nothing more will be sent. */
void stream_finish(struct stream *stream);

/* Marks the stream as failed, for good; for transports. */
void stream_fail(struct stream *stream, int error);

/* Stops watching and closes the socket; on_closed is called later, from the loop, unless the stream
 * was never opened. Returns whether it will be called. */
bool stream_close(struct stream *stream, uv_close_cb on_closed);

#endif
