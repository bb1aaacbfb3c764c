/* SPDX-License-Identifier: Apache-2.0
 *
 * Addresses of servers: the text that -backend gives, and the socket addresses that it means.
 *
 * A Unix socket has one address, known from its text. A host name may have several, and other ones
 * tomorrow: looking it up blocks and is done again and again (upstream_look()). */
#ifndef WEIR_GATEWAY_UPSTREAM_ADDRESS_H
#define WEIR_GATEWAY_UPSTREAM_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/base.h"

#define ADDRESS_LIST_MAX 8

struct address {
    struct sockaddr_storage storage; /* zero after the first `size` bytes */
    socklen_t size;                  /* 0: none */
};

struct address_list {
    struct address list[ADDRESS_LIST_MAX];
    size_t count;
};

struct address_name {
    char text[256];      /* "tcp://127.0.0.1:3306", for people and plugins */
    char host[200];      /* empty: a Unix socket */
    char port[16];       /* a number, or the name of a service */
    struct address path; /* of a Unix socket */
};

/* Parses tcp://host:port or unix:///path. Returns 0, or -1 and a message. */
int address_parse(struct address_name *name, const char *text, struct error *error) WEIR_MUST_CHECK;

/* Fills *found with one address or more (the first ADDRESS_LIST_MAX). Blocks as long as the resolver
 * does. Returns 0, or -1 and a message. Any thread. */
int address_look_up(const struct address_name *name, struct address_list *found,
                    struct error *error) WEIR_MUST_CHECK;

bool address_is_same(const struct address *a, const struct address *b);

/* Writes the address for people: "127.0.0.1:3306", "[::1]:3306", or a socket's path. Returns text. */
#define ADDRESS_TEXT_BYTES 128
const char *address_describe(const struct address *address, char text[ADDRESS_TEXT_BYTES]);

/* Returns a non-blocking socket whose connection has begun (owned), or -1 and errno. *in_progress:
 * it is not yet connected. */
int address_connect(const struct address *address, bool *in_progress) WEIR_MUST_CHECK;

#endif
