/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/stream.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

void stream_init(struct stream *stream)
{
    *stream = (struct stream){.fd = -1};
    strbuf_init(&stream->out);
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

static void fail(struct stream *stream, int error)
{
    stream->failed = true;
    stream->error = error;
    strbuf_release(&stream->out);
    stream->sent = 0;
}

static bool is_passing(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

size_t stream_read(struct stream *stream, uint8_t *bytes, size_t size)
{
    if (stream->fd < 0 || stream->failed || stream->ended)
        return 0;
    ssize_t got = recv(stream->fd, bytes, size, 0);
    if (got > 0)
        return (size_t)got;
    if (got == 0)
        stream->ended = true;
    else if (!is_passing(errno))
        fail(stream, errno);
    return 0;
}

/* Returns how many bytes the socket took. */
static size_t send_now(struct stream *stream, const uint8_t *bytes, size_t size)
{
    ssize_t done = send(stream->fd, bytes, size, MSG_NOSIGNAL);
    if (done >= 0)
        return (size_t)done;
    if (!is_passing(errno))
        fail(stream, errno);
    return 0;
}

void stream_write(struct stream *stream, const void *bytes, size_t size)
{
    if (stream->fd < 0 || stream->failed || size == 0)
        return;
    size_t done = 0;
    if (!stream_is_clogged(stream))
        done = send_now(stream, bytes, size);
    if (done < size && !stream->failed) {
        strbuf_add(&stream->out, (const uint8_t *)bytes + done, size - done);
        if (stream->out.failed)
            fail(stream, ENOMEM);
    }
}

void stream_flush(struct stream *stream)
{
    while (stream_is_clogged(stream) && !stream->failed) {
        size_t done = send_now(stream, (const uint8_t *)stream->out.data + stream->sent,
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
