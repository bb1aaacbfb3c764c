/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/stream.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

void stream_fail(struct stream *stream, int error)
{
    stream->failed = true;
    stream->error = error;
    strbuf_release(&stream->out);
    stream->sent = 0;
}

/* ---- The plain socket ---- */

static bool is_passing(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

static size_t receive_plain(struct stream *stream, uint8_t *bytes, size_t size)
{
    ssize_t got = recv(stream->fd, bytes, size, 0);
    if (got > 0)
        return (size_t)got;
    if (got == 0)
        stream->ended = true;
    else if (!is_passing(errno))
        stream_fail(stream, errno);
    return 0;
}

static size_t send_plain(struct stream *stream, const uint8_t *bytes, size_t size)
{
    ssize_t done = send(stream->fd, bytes, size, MSG_NOSIGNAL);
    if (done >= 0)
        return (size_t)done;
    if (!is_passing(errno))
        stream_fail(stream, errno);
    return 0;
}

static bool has_buffered_plain(const struct stream *stream)
{
    (void)stream;
    return false;
}

static void finish_plain(struct stream *stream)
{
    shutdown(stream->fd, SHUT_WR);
}

static void close_plain(struct stream *stream)
{
    (void)stream;
}

static const struct stream_transport plain = {receive_plain, send_plain, has_buffered_plain,
                                              finish_plain, close_plain};

/* ---- Streams ---- */

void stream_init(struct stream *stream)
{
    *stream = (struct stream){.transport = &plain, .fd = -1};
    strbuf_init(&stream->out);
}

void stream_finish(struct stream *stream)
{
    if (stream->fd >= 0 && !stream->failed)
        stream->transport->finish(stream);
}

bool stream_has_buffered(const struct stream *stream)
{
    return stream->fd >= 0 && !stream->failed && stream->transport->has_buffered(stream);
}

int stream_open(struct stream *stream, uv_loop_t *loop, int fd, void *user)
{
    int status = uv_poll_init(loop, &stream->poll, fd);
    if (status < 0)
        return status;
    stream->fd = fd;
    stream->watched = true;
    stream->poll.data = user;
    return 0;
}

void stream_watch(struct stream *stream, int interest, uv_poll_cb on_ready)
{
    if (!stream->watched || stream->interest == interest)
        return;
    stream->interest = interest;
    if (interest)
        uv_poll_start(&stream->poll, interest, on_ready);
    else
        uv_poll_stop(&stream->poll);
}

size_t stream_read(struct stream *stream, uint8_t *bytes, size_t size)
{
    if (stream->fd < 0 || stream->failed || stream->ended)
        return 0;
    return stream->transport->receive(stream, bytes, size);
}

void stream_write(struct stream *stream, const void *bytes, size_t size)
{
    if (stream->fd < 0 || stream->failed || size == 0)
        return;
    size_t done = 0;
    if (!stream_is_clogged(stream))
        done = stream->transport->send(stream, bytes, size);
    if (done < size && !stream->failed) {
        strbuf_add(&stream->out, (const uint8_t *)bytes + done, size - done);
        if (stream->out.failed)
            stream_fail(stream, ENOMEM);
    }
}

void stream_flush(struct stream *stream)
{
    while (stream_is_clogged(stream) && !stream->failed) {
        size_t done =
            stream->transport->send(stream, (const uint8_t *)stream->out.data + stream->sent,
                                    stream->out.size - stream->sent);
        if (done == 0)
            break;
        stream->sent += done;
    }
    if (!stream_is_clogged(stream)) {
        strbuf_release(&stream->out);
        stream->sent = 0;
    }
}

bool stream_close(struct stream *stream, uv_close_cb on_closed)
{
    bool called_later = stream->watched;
    stream->transport->close(stream);
    stream->transport = &plain;
    strbuf_release(&stream->out);
    if (stream->watched) {
        stream->watched = false;
        stream->interest = 0;
        uv_close((uv_handle_t *)&stream->poll, on_closed);
    }
    if (stream->fd >= 0)
        close(stream->fd);
    stream->fd = -1;
    return called_later;
}
