/* SPDX-License-Identifier: Apache-2.0
 *
 * A stream socket for shippers, unix:///path or tcp://host:port: lines as they would stand in the
 * file. A line that was cut by a broken connection is sent again, whole, on the next one: a shipper
 * sees each line once or more. SYNCHRONOUS means here that the kernel has the bytes; more
 * cannot be promised without an answer from the other side, and what the kernel had when a connection
 * broke is lost.
 *
 * The log has no end to be read, so numbers and chain restart with every start. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "sink.h"

#define TIMEOUT_S 5 /* for connecting and for each send */

struct stream {
    struct sink sink;
    const struct sink_options *options;
    const struct format *format;
    int fd; /* -1: not connected */
};

static struct stream *stream_of(struct sink *sink)
{
    assert(sink && sink->type == &sink_socket);
    return (struct stream *)sink;
}

static void set_timeouts(int fd)
{
    struct timeval limit = {.tv_sec = TIMEOUT_S};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

static int connect_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    set_timeouts(fd);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    int code = errno;
    close(fd);
    errno = code;
    return -1;
}

/* host:port, or [address]:port. */
static int connect_tcp(const char *where)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    const char *colon = strrchr(where, ':');
    char host[256];
    size_t size = colon ? (size_t)(colon - where) : 0;
    if (size > 1 && where[0] == '[' && where[size - 1] == ']') {
        where++;
        size -= 2;
    }
    if (size == 0 || size >= sizeof host) {
        errno = EINVAL;
        return -1;
    }
    memcpy(host, where, size);
    host[size] = '\0';
    if (getaddrinfo(host, colon + 1, &hints, &found) != 0) {
        errno = EHOSTUNREACH;
        return -1;
    }
    int fd = -1;
    for (struct addrinfo *at = found; at && fd < 0; at = at->ai_next) {
        fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
        if (fd >= 0)
            set_timeouts(fd);
        if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) < 0) {
            int code = errno;
            close(fd);
            errno = code;
            fd = -1;
        }
    }
    freeaddrinfo(found);
    return fd;
}

static void disconnect(struct stream *stream)
{
    if (stream->fd >= 0)
        close(stream->fd);
    stream->fd = -1;
}

static int send_all(int fd, const char *bytes, size_t size, size_t *sent)
{
    *sent = 0;
    while (*sent < size) {
        ssize_t got = send(fd, bytes + *sent, size - *sent, MSG_NOSIGNAL);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return -1;
        *sent += (size_t)got;
    }
    return 0;
}

static int ensure_connected(struct stream *stream, struct error *error)
{
    const char *address = stream->options->address;
    size_t sent;
    if (stream->fd >= 0)
        return 0;
    errno = EINVAL;
    if (strncmp(address, "unix://", 7) == 0)
        stream->fd = connect_unix(address + 7);
    else if (strncmp(address, "tcp://", 6) == 0)
        stream->fd = connect_tcp(address + 6);
    if (stream->fd >= 0 &&
        send_all(stream->fd, stream->format->opening, strlen(stream->format->opening), &sent) == 0)
        return 0;
    error_set(error, "audit log to %s: cannot connect: %s", address, strerror(errno));
    disconnect(stream);
    return -1;
}

/* Whether the other side has hung up: without looking, the first bytes would vanish. */
static bool is_disconnected(const struct stream *stream)
{
    char byte;
    if (stream->fd < 0)
        return false;
    ssize_t got = recv(stream->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

/* Sends what is left of the lines; *taken moves on to the end of the last whole line that was sent.
 */
static int send_lines(struct stream *stream, const char *lines, size_t size, size_t *taken,
                      struct error *error)
{
    size_t sent;
    if (is_disconnected(stream))
        disconnect(stream);
    if (ensure_connected(stream, error) < 0)
        return -1;
    int status = send_all(stream->fd, lines + *taken, size - *taken, &sent);
    if (status < 0) {
        error_set(error, "audit log to %s: %s", stream->options->address, strerror(errno));
        const char *last = sent ? memrchr(lines + *taken, '\n', sent) : NULL;
        sent = last ? (size_t)(last + 1 - (lines + *taken)) : 0;
        disconnect(stream);
    }
    *taken += sent;
    return status;
}

/* A shipper that was restarted is no failure: one more try, immediately. */
static int commit(struct sink *sink, const char *lines, size_t size, bool sync, size_t *taken,
                  struct error *error)
{
    struct stream *stream = stream_of(sink);
    (void)sync;
    *taken = 0;
    if (send_lines(stream, lines, size, taken, error) == 0)
        return 0;
    return send_lines(stream, lines, size, taken, error);
}

static int set_format(struct sink *sink, const struct format *format, struct error *error)
{
    struct stream *stream = stream_of(sink);
    disconnect(stream);
    stream->format = format;
    return ensure_connected(stream, error);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): as struct sink_type has it. */
static int reopen(struct sink *sink, struct error *error)
{
    (void)sink;
    (void)error;
    return 0; /* a broken connection is made again by the next commit */
}

static uint64_t no_size(struct sink *sink)
{
    (void)sink;
    return 0;
}

static void close_stream(struct sink *sink)
{
    struct stream *stream = stream_of(sink);
    disconnect(stream);
    free(stream);
}

static struct sink *open_stream(const struct sink_options *options, const struct format *format,
                                struct sink_end *end, struct error *error)
{
    struct stream *stream = calloc(1, sizeof *stream);
    (void)end;
    if (!stream) {
        error_set(error, "no memory");
        return NULL;
    }
    stream->sink.type = &sink_socket;
    stream->options = options;
    stream->format = format;
    stream->fd = -1;
    if (ensure_connected(stream, error) == 0)
        return &stream->sink;
    free(stream);
    return NULL;
}

const struct sink_type sink_socket = {
    .name = "SOCKET",
    .open = open_stream,
    .commit = commit,
    .set_format = set_format,
    .reopen = reopen,
    .rotate = sink_cannot_rotate,
    .size = no_size,
    .close = close_stream,
};
