/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/backend.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "wire/wire.h"

#define DEFAULT_PORT       "3306"
#define MAX_GREETING_BYTES 4096

static bool starts_with(const char *text, const char *start, const char **rest)
{
    size_t size = strlen(start);
    bool does = strncmp(text, start, size) == 0;
    if (does)
        *rest = text + size;
    return does;
}

static int parse_unix(struct backend *backend, const char *path, struct error *error)
{
    struct sockaddr_un *address = (struct sockaddr_un *)&backend->address;
    if (*path != '/')
        return error_set(error, "-backend unix://%s: give an absolute path, unix:///path", path);
    if (strlen(path) >= sizeof address->sun_path)
        return error_set(error, "-backend unix://%s: the path is longer than %zu bytes", path,
                         sizeof address->sun_path - 1);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, strlen(path) + 1);
    backend->address_size = sizeof *address;
    return 0;
}

/* host:port, [v6]:port, host */
static int parse_tcp(struct backend *backend, const char *text, struct error *error)
{
    const char *host = text;
    const char *end = text + strlen(text);
    const char *colon = strrchr(text, ':');
    if (*text == '[') {
        host = text + 1;
        end = strchr(text, ']');
        colon = end && end[1] == ':' ? end + 1 : NULL;
    } else if (colon) {
        end = colon;
    }
    if (!end || end == host || (size_t)(end - host) >= sizeof backend->host)
        return error_set(error, "-backend tcp://%s: give tcp://host:port", text);
    memcpy(backend->host, host, (size_t)(end - host));
    snprintf(backend->port, sizeof backend->port, "%s", colon ? colon + 1 : DEFAULT_PORT);
    return 0;
}

int backend_parse(struct backend *backend, const char *text, struct error *error)
{
    const char *rest = NULL;
    snprintf(backend->address_text, sizeof backend->address_text, "%s", text);
    if (starts_with(text, "unix://", &rest))
        return parse_unix(backend, rest, error);
    if (starts_with(text, "tcp://", &rest))
        return parse_tcp(backend, rest, error);
    return error_set(error, "-backend %s: give tcp://host:port or unix:///path", text);
}

/* Looks the name up before the first connection, and again with each probe. */
static int resolve(struct backend *backend, struct error *error)
{
    if (!backend->host[0])
        return 0;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int status = getaddrinfo(backend->host, backend->port, &hints, &found);
    if (status)
        return error_set(error, "backend %s: %s", backend->address_text, gai_strerror(status));
    memcpy(&backend->address, found->ai_addr, found->ai_addrlen);
    backend->address_size = found->ai_addrlen;
    freeaddrinfo(found);
    return 0;
}

int backend_connect(const struct backend *backend, bool *in_progress)
{
    int fd = socket(backend->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    *in_progress = false;
    if (connect(fd, (const struct sockaddr *)&backend->address, backend->address_size) == 0)
        return fd;
    *in_progress = errno == EINPROGRESS;
    if (*in_progress)
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

static bool wait_for(int fd, short events, int timeout_ms)
{
    struct pollfd watched = {.fd = fd, .events = events};
    return poll(&watched, 1, timeout_ms) > 0;
}

/* Reads one packet. Returns the size of its payload; -1 and errno. */
static ssize_t read_packet(int fd, uint8_t payload[MAX_GREETING_BYTES], int timeout_ms)
{
    uint8_t bytes[WIRE_HEADER_BYTES + MAX_GREETING_BYTES];
    size_t size = 0, wanted = WIRE_HEADER_BYTES;
    while (size < wanted) {
        if (!wait_for(fd, POLLIN, timeout_ms)) {
            errno = ETIMEDOUT;
            return -1;
        }
        ssize_t got = recv(fd, bytes + size, wanted - size, 0);
        if (got == 0)
            errno = ECONNRESET;
        if (got <= 0)
            return -1;
        size += (size_t)got;
        if (size == WIRE_HEADER_BYTES)
            wanted = WIRE_HEADER_BYTES + wire_frame_length(bytes);
        if (wanted > sizeof bytes) {
            errno = EPROTO;
            return -1;
        }
    }
    memcpy(payload, bytes + WIRE_HEADER_BYTES, size - WIRE_HEADER_BYTES);
    return (ssize_t)(size - WIRE_HEADER_BYTES);
}

/* A server counts hosts that hang up during the handshake and blocks them in the end, but not those
 * that are denied: so the probe ends as an unknown user. */
static void leave_politely(int fd, const struct wire_greeting *greeting, int timeout_ms)
{
    struct strbuf packet = STRBUF_INIT;
    struct wire_writer writer = wire_writer_to(&packet, 1);
    struct wire_handshake_response hello = {
        .capabilities = greeting->capabilities &
                        (WIRE_CAP(CLIENT_MYSQL) | WIRE_CAP(CLIENT_PROTOCOL_41) |
                         WIRE_CAP(CLIENT_SECURE_CONNECTION) | WIRE_CAP(CLIENT_PLUGIN_AUTH)),
        .max_packet = 1 << 24,
        .charset = WIRE_CHARSET_UTF8MB4,
        .user = wire_text("weir-probe"),
        .auth_response = wire_text(""),
        .plugin = wire_text("mysql_native_password"),
    };
    uint8_t payload[MAX_GREETING_BYTES];
    wire_encode_handshake_response(&writer, &hello);
    send(fd, packet.data, packet.size, MSG_NOSIGNAL);
    strbuf_reset(&packet);
    ssize_t size = read_packet(fd, payload, timeout_ms);
    if (size > 0 && payload[0] == 0xfe) { /* asked for a password: none */
        writer.sequence = 3;
        wire_begin_packet(&writer);
        wire_end_packet(&writer);
        send(fd, packet.data, packet.size, MSG_NOSIGNAL);
        read_packet(fd, payload, timeout_ms);
    }
    strbuf_release(&packet);
}

static int probe_socket(struct backend *backend, int fd, bool in_progress, int timeout_ms,
                        struct error *error)
{
    uint8_t payload[MAX_GREETING_BYTES];
    struct wire_greeting greeting;
    int reason = 0;
    socklen_t size = sizeof reason;
    if (in_progress && !wait_for(fd, POLLOUT, timeout_ms))
        reason = ETIMEDOUT;
    else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &reason, &size) < 0)
        reason = errno;
    if (reason)
        return error_set(error, "backend %s: %s", backend->address_text, strerror(reason));
    if (backend->sends_proxy_header) {
        struct strbuf header = STRBUF_INIT;
        wire_encode_proxy_header(&header, NULL, NULL);
        send(fd, header.data, header.size, MSG_NOSIGNAL);
        strbuf_release(&header);
    }
    ssize_t got = read_packet(fd, payload, timeout_ms);
    if (got < 0)
        return error_set(error, "backend %s: no greeting: %s", backend->address_text,
                         strerror(errno));
    if (got > 3 && payload[0] == 0xff)
        return error_set(error, "backend %s: it says: %.*s", backend->address_text, (int)got - 3,
                         (const char *)payload + 3);
    if (!wire_decode_greeting(payload, (size_t)got, &greeting))
        return error_set(error, "backend %s: it does not speak the MySQL protocol",
                         backend->address_text);
    backend_learn(backend, &greeting);
    leave_politely(fd, &greeting, timeout_ms);
    return 0;
}

int backend_probe(struct backend *backend, long timeout_s, struct error *error)
{
    if (resolve(backend, error))
        return -1;
    bool in_progress = false;
    int fd = backend_connect(backend, &in_progress);
    if (fd < 0)
        return error_set(error, "backend %s: %s", backend->address_text, strerror(errno));
    int status = probe_socket(backend, fd, in_progress, (int)timeout_s * 1000, error);
    close(fd);
    return status;
}

static bool says_the_same(const struct backend_profile *profile,
                          const struct wire_greeting *greeting)
{
    return profile && profile->capabilities == greeting->capabilities &&
           profile->charset == greeting->charset &&
           strlen(profile->version) == greeting->server_version.size &&
           memcmp(profile->version, greeting->server_version.data, greeting->server_version.size) ==
               0;
}

void backend_learn(struct backend *backend, const struct wire_greeting *greeting)
{
    const struct backend_profile *current = atomic_load(&backend->profile);
    if (says_the_same(current, greeting))
        return;
    struct backend_profile *profile = calloc(1, sizeof *profile);
    if (!profile)
        return; /* the next greeting says it again */
    snprintf(profile->version, sizeof profile->version, "%.*s", (int)greeting->server_version.size,
             greeting->server_version.data);
    profile->capabilities = greeting->capabilities;
    profile->charset = greeting->charset;
    do {
        profile->older = current;
    } while (!atomic_compare_exchange_weak(&backend->profile, &current, profile));
}

void backend_release(struct backend *backend)
{
    const struct backend_profile *profile = atomic_exchange(&backend->profile, NULL);
    while (profile) {
        const struct backend_profile *older = profile->older;
        free((void *)profile);
        profile = older;
    }
}
