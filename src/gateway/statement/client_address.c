/* SPDX-License-Identifier: Apache-2.0
 *
 * Addresses of sockets as text and as bytes. */
#include "gateway/statement/client_address.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <string.h>

_Static_assert(CLIENT_ADDRESS_TEXT >= INET6_ADDRSTRLEN, "a place for every address");

/* The text of an address; "" for a Unix socket. Returns the port. */
static unsigned describe(const struct sockaddr_storage *address, char text[CLIENT_ADDRESS_TEXT])
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
    unsigned port = 0;
    text[0] = 0;
    if (address->ss_family == AF_INET) {
        inet_ntop(AF_INET, &v4->sin_addr, text, CLIENT_ADDRESS_TEXT);
        port = ntohs(v4->sin_port);
    } else if (address->ss_family == AF_INET6) {
        port = ntohs(v6->sin6_port);
        if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
            inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], text, CLIENT_ADDRESS_TEXT);
        else
            inet_ntop(AF_INET6, &v6->sin6_addr, text, CLIENT_ADDRESS_TEXT);
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

void client_address_set(struct client_address *out, const struct sockaddr_storage *peer,
                        const struct sockaddr_storage *local)
{
    assert(peer && local);
    *out = (struct client_address){.is_unix = peer->ss_family == AF_UNIX};
    out->client_port = describe(peer, out->client_ip);
    out->server_port = describe(local, out->server_ip);
    set_bytes(out, peer);
}
