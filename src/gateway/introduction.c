/* SPDX-License-Identifier: Apache-2.0
 *
 * Addresses as text and as bytes: an IPv4 address that is mapped into IPv6 counts as IPv4, and a Unix
 * socket has none. */
#include "gateway/introduction.h"

#include <arpa/inet.h>
#include <openssl/rand.h>
#include <string.h>

/* The text of an address; "" for a Unix socket. Returns the port. */
static unsigned describe(const struct sockaddr_storage *address, char text[INET6_ADDRSTRLEN])
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
    unsigned port = 0;
    text[0] = 0;
    if (address->ss_family == AF_INET) {
        inet_ntop(AF_INET, &v4->sin_addr, text, INET6_ADDRSTRLEN);
        port = ntohs(v4->sin_port);
    } else if (address->ss_family == AF_INET6) {
        port = ntohs(v6->sin6_port);
        if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
            inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], text, INET6_ADDRSTRLEN);
        else
            inet_ntop(AF_INET6, &v6->sin6_addr, text, INET6_ADDRSTRLEN);
    }
    return port;
}

static void set_bytes(struct client_address *out, const struct sockaddr_storage *address)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
    if (address->ss_family == AF_INET) {
        out->size = 4;
        memcpy(out->bytes, &v4->sin_addr, 4);
    } else if (address->ss_family == AF_INET6) {
        bool mapped = IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr);
        out->size = mapped ? 4 : 16;
        memcpy(out->bytes, &v6->sin6_addr.s6_addr[mapped ? 12 : 0], out->size);
    }
}

static void make_scramble(char scramble[WIRE_SCRAMBLE_BYTES])
{
    RAND_bytes((unsigned char *)scramble, WIRE_SCRAMBLE_BYTES);
    for (size_t i = 0; i < WIRE_SCRAMBLE_BYTES; i++) /* old clients end at NUL, and want 7 bits */
        scramble[i] = (char)((unsigned char)scramble[i] % 94 + 33);
}

void introduce(struct introduction *introduction, struct gateway *gateway,
               const struct arrival *arrival)
{
    struct session_arrival *begin = &introduction->arrival;
    socklen_t size = sizeof begin->local;
    *begin = (struct session_arrival){
        .id = gateway->options->backend_first ? 0 : connection_ids_next(gateway->connection_ids),
        .peer = arrival->peer,
        .too_many = atomic_load(&gateway->connections) > gateway->options->max_connections,
    };
    getsockname(arrival->fd, (struct sockaddr *)&begin->local, &size);
    begin->address.is_unix = arrival->peer.ss_family == AF_UNIX;
    begin->address.client_port = describe(&begin->peer, introduction->client_ip);
    begin->address.server_port = describe(&begin->local, introduction->server_ip);
    begin->address.client_ip = introduction->client_ip;
    begin->address.server_ip = introduction->server_ip;
    set_bytes(&begin->address, &arrival->peer);
    make_scramble(begin->scramble);
    if (upstream_set_profile(gateway->upstreams, &introduction->profile)) {
        begin->version = introduction->profile.version;
        begin->capabilities = introduction->profile.capabilities;
        begin->charset = introduction->profile.charset;
    }
}
