/* SPDX-License-Identifier: Apache-2.0
 *
 * The PROXY protocol: one header before everything else on a connection, with which a gateway or
 * a balancer gives the server the address of the client. Version 2 is written; both are read. */
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

/* ---- Reading (proxy_read.c) ---- */

#define WIRE_PROXY_TELLING_BYTES 4    /* so many decide whether bytes begin a header */
#define WIRE_PROXY_MAX_BYTES     8192 /* of a header; one with a whole certificate has room */

enum wire_proxy_step {
    WIRE_PROXY_NONE,  /* no header begins like that */
    WIRE_PROXY_MORE,  /* its end is not there yet */
    WIRE_PROXY_WHOLE, /* read */
    WIRE_PROXY_BROKEN /* it begins as one, and is none */
};

struct wire_proxy_header {
    size_t size;        /* WHOLE: its bytes */
    size_t least;       /* MORE: as many as it has at least */
    const char *broken; /* BROKEN: why, as the end of a sentence; static */
    bool is_local;      /* version 2's LOCAL, version 1's UNKNOWN: the balancer speaks for itself */
    bool has_address;   /* or else the connection's own addresses count */
    struct sockaddr_storage source, destination; /* AF_INET, AF_INET6, or AF_UNIX without a path */
    struct wire_string tlvs; /* version 2's further values; borrowed from the bytes */
};

/* Reads the header that the bytes begin with. Version 2's values are well-formed once it is whole, and
 * its checksum, if it has one, fits. Never reads more than WIRE_PROXY_MAX_BYTES. */
enum wire_proxy_step wire_decode_proxy_header(const uint8_t *bytes, size_t size,
                                              struct wire_proxy_header *header);

/* The next value of version 2's TLVs; false: there is none, or (reader->failed) it is cut short. */
bool wire_proxy_tlv_next(struct wire_reader *reader, uint8_t *type, struct wire_string *value);

/* Types that have a meaning here. */
enum wire_proxy_type {
    WIRE_PROXY_AUTHORITY = 0x02,
    WIRE_PROXY_UNIQUE_ID = 0x05,
    WIRE_PROXY_SSL = 0x20,
    WIRE_PROXY_SSL_VERSION = 0x21,
    WIRE_PROXY_SSL_COMMON_NAME = 0x22,
    WIRE_PROXY_AWS = 0xea, /* its first byte says what follows: 1: the id of a VPC endpoint */
};

/* The value of WIRE_PROXY_SSL. */
struct wire_proxy_ssl {
    uint8_t client;          /* WIRE_PROXY_SSL_* bits */
    uint32_t verify;         /* 0: the client's certificate, if it has shown one, was verified */
    struct wire_reader tlvs; /* of its own; borrowed */
};
enum { WIRE_PROXY_SSL_IS_ON = 1, WIRE_PROXY_SSL_CERTIFICATE = 2, WIRE_PROXY_SSL_SESSION = 4 };

/* false: it is cut short. */
bool wire_proxy_ssl_begin(struct wire_string ssl, struct wire_proxy_ssl *out);

/* The first value of a type; those of WIRE_PROXY_SSL's own, 0x21 to 0x2f, too. */
bool wire_proxy_tlv_find(struct wire_string tlvs, uint8_t type, struct wire_string *value);

#endif
