/* SPDX-License-Identifier: Apache-2.0
 *
 * The socket of a probe: it is non-blocking, and every wait ends at one common deadline. */
#include "gateway/upstream/probe.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "gateway/net/net.h"
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

/* A leg of its own, so that TLS is the filter that sessions have. */
struct line {
    struct net_socket socket;
    struct leg leg;
    uint64_t deadline_ns;
};

static bool wait_on(const struct line *line, short events)
{
    return wait_for(line->socket.watch.fd, events, line->deadline_ns);
}

static bool send_all(struct line *line, struct strbuf *out)
{
    struct leg *leg = &line->leg;
    if (out->failed) {
        errno = ENOMEM;
        return false;
    }
    leg_write(leg, out->data, out->size, 0);
    strbuf_reset(out);
    for (leg_flush(leg); leg_pending(leg) && !leg->is_deaf; leg_flush(leg))
        if (!wait_on(line, POLLOUT))
            return false;
    errno = leg->error;
    return !leg->is_deaf;
}

/* Returns bytes read; 0 and errno: there are none, also at the end of the input. */
static size_t receive(struct line *line, uint8_t bytes[READ_BYTES])
{
    struct leg *leg = &line->leg;
    size_t got = leg_receive(leg, bytes, READ_BYTES);
    while (got == 0 && !leg->ended && !leg->failed) {
        if (!wait_on(line, POLLIN))
            return 0;
        got = leg_receive(leg, bytes, READ_BYTES);
    }
    errno = leg->error ? leg->error : ECONNRESET;
    return got;
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

/* ---- TLS ---- */

_Static_assert(UPSTREAM_FINGERPRINT_BYTES == TLS_FINGERPRINT_BYTES, "one is copied to the other");

static enum tls_progress shake_hands(struct line *line)
{
    enum tls_progress progress = tls_handshake(&line->leg);
    while (progress == TLS_NEEDS_READ || progress == TLS_NEEDS_WRITE) {
        if (!wait_on(line, progress == TLS_NEEDS_READ ? POLLIN : POLLOUT))
            return progress;
        progress = tls_handshake(&line->leg);
    }
    return progress;
}

/* Speaks TLS from here on. A server that has something else to say may refuse the PROXY header. */
static enum greeting_step secure(struct line *line, const struct probe_target *target,
                                 struct greeting *greeting, struct strbuf *out,
                                 struct probe_findings *findings, struct error *error)
{
    const uint8_t *plain = NULL;
    char reason[256];
    if (!tls_connect(target->tls->context, &line->leg)) {
        error_set(&findings->tls_failed, "out of memory");
        return GREETING_DONE;
    }
    enum tls_progress progress = shake_hands(line);
    if (progress == TLS_DONE) {
        struct tls_facts facts;
        tls_read_facts(&line->leg, &facts);
        findings->tls_version = facts.version;
        memcpy(findings->fingerprint, facts.fingerprint, sizeof findings->fingerprint);
        return greeting_secured(greeting, out);
    }
    tls_describe_failure(&line->leg, reason, sizeof reason);
    const size_t size = tls_plain_answer(&line->leg, &plain);
    enum greeting_step step = GREETING_DONE;
    if (size)
        step = greeting_feed(greeting, plain, size, out, target->text, error);
    if (step == GREETING_MORE || !greeting->header_refused[0])
        error_set(&findings->tls_failed, "%s",
                  progress == TLS_FAILED ? reason : "the handshake has not ended in time");
    return GREETING_DONE;
}

static void note_findings(const struct probe_target *target, const struct greeting *greeting,
                          struct probe_findings *findings)
{
    const bool is_offered = greeting->profile.capabilities & WIRE_CAP(CLIENT_SSL);
    if (target->sends_proxy_header && greeting->header_refused[0])
        error_set(&findings->header_refused, "%s", greeting->header_refused);
    if (target->tls->mode >= UPSTREAM_TLS_REQUIRED && !is_offered)
        error_set(&findings->tls_failed, "the server does not offer it");
}

/* ---- The conversation ---- */

/* Returns 0 once the profile is known. What happens on the connection after that is no failure. A server
 * that refuses has closed, perhaps before the probe has sent all: what it said is read also where nothing
 * can be sent any more. */
static int converse(struct line *line, const struct probe_target *target, struct greeting *greeting,
                    struct probe_findings *findings, struct error *error)
{
    uint8_t bytes[READ_BYTES];
    struct strbuf out = STRBUF_INIT;
    enum greeting_step step = GREETING_MORE;
    if (target->sends_proxy_header)
        wire_encode_proxy_header(&out, NULL, NULL);
    while (step == GREETING_MORE) {
        const bool sent = send_all(line, &out);
        const int reason = errno;
        const size_t got = receive(line, bytes);
        if (got == 0) {
            errno = sent ? errno : reason;
            break;
        }
        findings->has_answered = true;
        step = greeting_feed(greeting, bytes, got, &out, target->text, error);
        if (step == GREETING_SECURE)
            step = send_all(line, &out) ? secure(line, target, greeting, &out, findings, error)
                                        : GREETING_MORE;
    }
    if (step == GREETING_MORE && !greeting->has_profile)
        error_set(error, "backend %s: no greeting: %s", target->text, strerror(errno));
    strbuf_release(&out);
    if (greeting->has_profile)
        note_findings(target, greeting, findings);
    return greeting->has_profile ? 0 : -1;
}

int probe_server(const struct probe_target *target, struct upstream_profile *profile,
                 struct probe_findings *findings, struct error *error)
{
    assert(target->address && target->text && target->tls && target->timeout_s > 0);
    struct line line = {.deadline_ns =
                            clock_monotonic_ns() + (uint64_t)target->timeout_s * 1000000000U};
    struct greeting greeting;
    bool in_progress = false;
    *findings = (struct probe_findings){.header_refused = {""}};
    int status = -1, fd = address_connect(target->address, &in_progress);
    if (fd < 0 || (in_progress && finish_connecting(fd, line.deadline_ns))) {
        error_set(error, "backend %s: %s", target->text, strerror(errno));
    } else {
        leg_init(&line.leg);
        net_socket_wrap(&line.socket, fd);
        leg_push(&line.leg, &line.socket.filter);
        greeting_init(&greeting, target->tls->mode != UPSTREAM_TLS_OFF);
        status = converse(&line, target, &greeting, findings, error);
        if (status == 0)
            *profile = greeting.profile;
        greeting_release(&greeting);
        leg_release(&line.leg);
    }
    if (fd >= 0)
        close(fd);
    return status;
}
