/* SPDX-License-Identifier: Apache-2.0
 *
 * The local syslog, which is journald's too: one datagram a record to /dev/log, with priority, time
 * and program before the line, as syslog(3) writes them. Our own datagrams instead of syslog(3),
 * because that one cannot say that a record was lost.
 *
 * A line that is too long for a datagram is sent in parts, which put together are the line:
 *
 *     {"part":1,"parts":3,"text":"{\"seq\":7,..."} */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "sink.h"

#define DEFAULT_PATH "/dev/log"
#define TIMEOUT_S    5
#define PART_BYTES   32768 /* of a line that is too long; half as many if that is too long, too */
#define LEAST_BYTES  256

struct syslog {
    struct sink sink;
    const struct sink_options *options;
    const struct format *format;
    struct strbuf datagram;
    int fd; /* -1: not connected */
};

static struct syslog *syslog_of(struct sink *sink)
{
    assert(sink && sink->type == &sink_syslog);
    return (struct syslog *)sink;
}

static void disconnect(struct syslog *syslog)
{
    if (syslog->fd >= 0)
        close(syslog->fd);
    syslog->fd = -1;
}

static const char *path_of(const struct syslog *syslog)
{
    const char *path = syslog->options->address;
    return path && *path ? path : DEFAULT_PATH;
}

static int ensure_connected(struct syslog *syslog, struct error *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval limit = {.tv_sec = TIMEOUT_S};
    const char *path = path_of(syslog);
    if (syslog->fd >= 0)
        return 0;
    errno = ENAMETOOLONG;
    if (strlen(path) < sizeof address.sun_path) {
        memcpy(address.sun_path, path, strlen(path) + 1);
        syslog->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (syslog->fd >= 0)
            setsockopt(syslog->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        if (syslog->fd >= 0 &&
            connect(syslog->fd, (struct sockaddr *)&address, sizeof address) == 0)
            return 0;
    }
    error_set(error, "syslog at %s: %s", path, strerror(errno));
    disconnect(syslog);
    return -1;
}

/* "<110>Jan 31 23:59:59 weir-audit[4711]: " in local time, as local syslogs expect. */
static void add_head(struct syslog *syslog)
{
    time_t now = time(NULL);
    struct tm local;
    char date[32];
    localtime_r(&now, &local);
    strftime(date, sizeof date, "%b %e %H:%M:%S", &local);
    strbuf_printf(&syslog->datagram, "<%u>%s %s[%ld]: ", syslog->options->syslog_priority, date,
                  syslog->options->syslog_identity, (long)getpid());
}

static int send_datagram(struct syslog *syslog)
{
    ssize_t sent;
    if (syslog->datagram.failed) {
        errno = ENOMEM;
        return -1;
    }
    do
        sent = send(syslog->fd, syslog->datagram.data, syslog->datagram.size, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -1 : 0;
}

/* The end of a part that begins at `at`: not within a character. */
static size_t part_end(const char *line, size_t size, size_t at, size_t bytes)
{
    size_t end = size - at < bytes ? size : at + bytes;
    while (end < size && end > at + 1 && ((unsigned char)line[end] & 0xc0) == 0x80)
        end--;
    return end;
}

static int send_parts_of(struct syslog *syslog, const char *line, size_t size, size_t bytes)
{
    static const char key[] = ",\"text\":";
    size_t parts = 0, number = 0;
    for (size_t at = 0; at < size; at = part_end(line, size, at, bytes))
        parts++;
    for (size_t at = 0; at < size;) {
        size_t end = part_end(line, size, at, bytes);
        strbuf_reset(&syslog->datagram);
        add_head(syslog);
        strbuf_printf(&syslog->datagram, "{\"part\":%zu,\"parts\":%zu", ++number, parts);
        encode_json_member(&syslog->datagram, key, sizeof key - 1,
                           (weir_string){line + at, end - at});
        strbuf_add_byte(&syslog->datagram, '}');
        if (send_datagram(syslog) < 0)
            return -1;
        at = end;
    }
    return 0;
}

static int send_line(struct syslog *syslog, const char *line, size_t size)
{
    strbuf_reset(&syslog->datagram);
    add_head(syslog);
    strbuf_add(&syslog->datagram, line, size);
    int status = send_datagram(syslog);
    for (size_t bytes = PART_BYTES; status < 0 && errno == EMSGSIZE && bytes >= LEAST_BYTES;
         bytes /= 2)
        status = send_parts_of(syslog, line, size, bytes);
    return status;
}

static int commit(struct sink *sink, const char *lines, size_t size, bool sync, size_t *taken,
                  struct error *error)
{
    struct syslog *syslog = syslog_of(sink);
    size_t separator = strlen(syslog->format->separator);
    (void)sync;
    *taken = 0;
    if (ensure_connected(syslog, error) < 0)
        return -1;
    while (*taken < size) {
        const char *line = lines + *taken, *newline = memchr(line, '\n', size - *taken);
        size_t length = (size_t)(newline - line);
        if (send_line(syslog, line, length - separator) < 0) {
            error_set(error, "syslog at %s: %s", path_of(syslog), strerror(errno));
            disconnect(syslog);
            return -1;
        }
        *taken += length + 1;
    }
    return 0;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): as struct sink_type has it. */
static int set_format(struct sink *sink, const struct format *format, struct error *error)
{
    (void)error;
    syslog_of(sink)->format = format;
    return 0;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): as struct sink_type has it. */
static int reopen(struct sink *sink, struct error *error)
{
    (void)sink;
    (void)error;
    return 0; /* the next commit connects to a syslog that was restarted */
}

static uint64_t no_size(struct sink *sink)
{
    (void)sink;
    return 0;
}

static void close_syslog(struct sink *sink)
{
    struct syslog *syslog = syslog_of(sink);
    disconnect(syslog);
    strbuf_release(&syslog->datagram);
    free(syslog);
}

static struct sink *open_syslog(const struct sink_options *options, const struct format *format,
                                struct sink_end *end, struct error *error)
{
    struct syslog *syslog = calloc(1, sizeof *syslog);
    (void)end;
    if (!syslog) {
        error_set(error, "no memory");
        return NULL;
    }
    syslog->sink.type = &sink_syslog;
    syslog->options = options;
    syslog->format = format;
    syslog->fd = -1;
    if (ensure_connected(syslog, error) == 0)
        return &syslog->sink;
    free(syslog);
    return NULL;
}

const struct sink_type sink_syslog = {
    .name = "SYSLOG",
    .open = open_syslog,
    .commit = commit,
    .set_format = set_format,
    .reopen = reopen,
    .rotate = sink_cannot_rotate,
    .size = no_size,
    .close = close_syslog,
};
