/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the backend is, and what it says of itself.
 *
 * A profile is what the backend's greeting told: version, capabilities, character set. Clients are
 * greeted in its words, so it must be known before the first client comes. It is read by a probe (a
 * blocking function, for a thread of the pool) and refreshed by every session's own backend
 * connection. Profiles are immutable; the current one is an atomic pointer, and old ones are kept
 * until the end: backends change their version rarely. */
#ifndef WEIR_GATEWAY_BACKEND_H
#define WEIR_GATEWAY_BACKEND_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/base.h"

struct wire_greeting;

struct backend_profile {
    char version[128];     /* NUL-terminated */
    uint64_t capabilities; /* as offered; upper half: MariaDB's */
    uint8_t charset;
    const struct backend_profile *older;
};

struct backend {
    char address_text[256]; /* "tcp://127.0.0.1:3306", for people and plugins */
    char host[200];         /* empty: Unix socket */
    char port[16];
    struct sockaddr_storage address; /* as last resolved */
    socklen_t address_size;
    bool sends_proxy_header;
    bool is_embedded;
    _Atomic(const struct backend_profile *) profile; /* NULL: the backend was never reached */
};

/* Parses tcp://host:port or unix:///path. */
int backend_parse(struct backend *backend, const char *text, struct error *error);

/* Connects, reads the greeting, leaves politely. Blocks at most timeout_s. Any thread, one at a
 * time. */
int backend_probe(struct backend *backend, long timeout_s, struct error *error);

/* Remembers a greeting; does nothing when it says what is known already. Any thread. */
void backend_learn(struct backend *backend, const struct wire_greeting *greeting);

/* A non-blocking socket whose connection has begun; -1 and errno. *in_progress: not yet connected.
 */
int backend_connect(const struct backend *backend, bool *in_progress);

void backend_release(struct backend *backend);

#endif
