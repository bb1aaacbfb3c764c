/* SPDX-License-Identifier: Apache-2.0
 *
 * The PROXY v2 header: 12 bytes of signature, version and command, family and transport, length of
 * what follows (big-endian, like the addresses and ports themselves). */
#include "wire/proxy.h"
#include "wire/errors.h"
#include "wire/packets.h"

#include <netinet/in.h>
#include <string.h>

static const unsigned char signature[12] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                            0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};

enum { VERSION_2_LOCAL = 0x20, VERSION_2_PROXY = 0x21, TCP4 = 0x11, TCP6 = 0x21 };

static void put_start(struct strbuf *out, unsigned char command, unsigned char family,
                      unsigned char length)
{
    const unsigned char bytes[4] = {command, family, 0, length};
    strbuf_add(out, signature, sizeof signature);
    strbuf_add(out, bytes, sizeof bytes);
}

/* The IPv4 address of an AF_INET address, or of an AF_INET6 one that maps it. */
static bool ipv4_of(const struct sockaddr *address, struct in_addr *ip, in_port_t *port)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof v4);
        *ip = v4.sin_addr;
        *port = v4.sin_port;
        return true;
    }
    if (address->sa_family == AF_INET6) {
        memcpy(&v6, address, sizeof v6);
        memcpy(ip, v6.sin6_addr.s6_addr + 12, sizeof *ip);
        *port = v6.sin6_port;
        return IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr);
    }
    return false;
}

static void put_tcp6(struct strbuf *out, const struct sockaddr *source,
                     const struct sockaddr *destination)
{
    struct sockaddr_in6 from, to;
    memcpy(&from, source, sizeof from);
    memcpy(&to, destination, sizeof to);
    put_start(out, VERSION_2_PROXY, TCP6, 36);
    strbuf_add(out, &from.sin6_addr, 16);
    strbuf_add(out, &to.sin6_addr, 16);
    strbuf_add(out, &from.sin6_port, 2);
    strbuf_add(out, &to.sin6_port, 2);
}

void wire_encode_proxy_header(struct strbuf *out, const struct sockaddr *source,
                              const struct sockaddr *destination)
{
    struct in_addr from_ip, to_ip;
    in_port_t from_port, to_port;
    if (source && destination && ipv4_of(source, &from_ip, &from_port) &&
        ipv4_of(destination, &to_ip, &to_port)) {
        put_start(out, VERSION_2_PROXY, TCP4, 12);
        strbuf_add(out, &from_ip, 4);
        strbuf_add(out, &to_ip, 4);
        strbuf_add(out, &from_port, 2);
        strbuf_add(out, &to_port, 2);
    } else if (source && destination && source->sa_family == AF_INET6 &&
               destination->sa_family == AF_INET6) {
        put_tcp6(out, source, destination);
    } else {
        put_start(out, VERSION_2_LOCAL, 0, 0);
    }
}

bool wire_refuses_proxy_header(const uint8_t *payload, size_t size, struct wire_string *message)
{
    static const char words[] = "Proxy header";
    struct wire_err err;
    if (size == 0 || payload[0] != 0xff || !wire_decode_err(payload, size, &err))
        return false;
    *message = err.message;
    return err.code == WIRE_ER_HANDSHAKE_ERROR || err.code == WIRE_ER_NET_PACKETS_OUT_OF_ORDER ||
           (err.code == WIRE_ER_HOST_NOT_PRIVILEGED && err.message.size >= sizeof words - 1 &&
            memcmp(err.message.data, words, sizeof words - 1) == 0);
}
