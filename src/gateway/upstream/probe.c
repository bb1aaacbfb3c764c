/* SPDX-License-Identifier: Apache-2.0
 *
 * The socket of a probe: it is non-blocking, and every wait ends at one common deadline. */
#include "gateway/upstream/probe.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "gateway/upstream/greeting.h"

#define READ_BYTES 4096

/* false and ETIMEDOUT: the deadline has passed. */
static bool wait_for(int fd, short events, uint64_t deadline_ns)
{
    struct pollfd watched = {.fd = fd, .events = events};
    for (;;) {
        uint64_t now = clock_monotonic_ns();
        int left_ms = now < deadline_ns ? (int)((deadline_ns - now + 999999) / 1000000) : 0;
        int ready = poll(&watched, 1, left_ms);
        if (ready > 0)
            return true;
        if (ready == 0) {
            errno = ETIMEDOUT;
            return false;
        }
        if (errno != EINTR)
            return false;
    }
}

static bool send_all(int fd, struct strbuf *out, uint64_t deadline_ns)
{
    if (out->failed) {
        errno = ENOMEM;
        return false;
    }
    while (out->size) {
        ssize_t sent = send(fd, out->data, out->size, MSG_NOSIGNAL);
        if (sent > 0)
            strbuf_consume(out, (size_t)sent);
        else if (errno != EAGAIN || !wait_for(fd, POLLOUT, deadline_ns))
            return false;
    }
    return true;
}

/* Returns bytes read; -1 and errno, also at the end of the input. */
static ssize_t receive(int fd, uint8_t bytes[READ_BYTES], uint64_t deadline_ns)
{
    ssize_t got = -1;
    do {
        if (!wait_for(fd, POLLIN, deadline_ns))
            return -1;
        got = recv(fd, bytes, READ_BYTES, 0);
    } while (got < 0 && (errno == EAGAIN || errno == EINTR));
    if (got == 0)
        errno = ECONNRESET;
    return got > 0 ? got : -1;
}

static int finish_connecting(int fd, uint64_t deadline_ns)
{
    int reason = 0;
    socklen_t size = sizeof reason;
    if (!wait_for(fd, POLLOUT, deadline_ns) ||
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &reason, &size) < 0)
        return -1;
    errno = reason;
    return reason ? -1 : 0;
}

/* Returns 0 once the profile is known. What happens on the connection after that is of no interest.
 * A server that refuses has closed, perhaps before the probe has sent all: what it said is read also where nothing can be
 * sent any more. */
static int converse(int fd, const struct probe_target *target, uint64_t deadline_ns,
                    struct greeting *greeting, struct error *error)
{
    uint8_t bytes[READ_BYTES];
    struct strbuf out = STRBUF_INIT;
    enum greeting_step step = GREETING_MORE;
    if (target->sends_proxy_header)
        wire_encode_proxy_header(&out, NULL, NULL);
    while (step == GREETING_MORE) {
        const bool sent = send_all(fd, &out, deadline_ns);
        const int reason = errno;
        ssize_t got = receive(fd, bytes, deadline_ns);
        if (got < 0) {
            errno = sent ? errno : reason;
            break;
        }
        step = greeting_feed(greeting, bytes, (size_t)got, &out, target->text, error);
    }
    if (step == GREETING_MORE && !greeting->has_profile)
        error_set(error, "backend %s: no greeting: %s", target->text, strerror(errno));
    strbuf_release(&out);
    return greeting->has_profile ? 0 : -1;
}

int probe_server(const struct probe_target *target, struct upstream_profile *profile,
                 struct error *header_refused, struct error *error)
{
    assert(target->address && target->text && target->timeout_s > 0);
    uint64_t deadline_ns = clock_monotonic_ns() + (uint64_t)target->timeout_s * 1000000000U;
    struct greeting greeting;
    bool in_progress = false;
    header_refused->message[0] = 0;
    int status = -1, fd = address_connect(target->address, &in_progress);
    if (fd < 0 || (in_progress && finish_connecting(fd, deadline_ns))) {
        error_set(error, "backend %s: %s", target->text, strerror(errno));
    } else {
        greeting_init(&greeting);
        status = converse(fd, target, deadline_ns, &greeting, error);
        if (status == 0)
            *profile = greeting.profile;
        if (target->sends_proxy_header && greeting.header_refused[0])
            error_set(header_refused, "%s", greeting.header_refused);
        greeting_release(&greeting);
    }
    if (fd >= 0)
        close(fd);
    return status;
}
