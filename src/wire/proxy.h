/* SPDX-License-Identifier: Apache-2.0
 *
 * The PROXY protocol, version 2: one header before everything else on a connection, with which
 * a gateway gives the server the address of the client. */
#ifndef WEIR_WIRE_PROXY_H
#define WEIR_WIRE_PROXY_H

#include <sys/socket.h>

#include "base/base.h"
#include "wire/bytes.h"

/* Appends the header to out. source is the client's address, destination the address it connected
 * to. Both AF_INET: TCP4. Both AF_INET6: TCP6; an IPv4 address mapped into IPv6 (::ffff:a.b.c.d) on
 * both sides is sent as TCP4, so that accounts on IPv4 networks match. Anything else (Unix sockets,
 * NULL, mixed families): LOCAL, with which the server uses the connection's own address. Failure (no
 * memory) shows in out->failed. */
void wire_encode_proxy_header(struct strbuf *out, const struct sockaddr *source,
                              const struct sockaddr *destination);

/* What to do about a server that does not take the header; the sentence's end. */
#define WIRE_PROXY_REMEDY                                                                          \
    "its proxy_protocol_networks (MariaDB) must have the gateway's address; or leave "             \
    "-proxy-protocol out"

/* Whether the packet of a server, which was sent a header, is an error that complains about it. A
 * server that knows no such header takes it for a packet out of order. *message: what it says;
 * borrowed. */
bool wire_refuses_proxy_header(const uint8_t *payload, size_t size, struct wire_string *message);

#endif
