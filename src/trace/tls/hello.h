/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to the room: what the two hellos of a TLS handshake settle. Pure. */
#ifndef WEIR_TRACE_HELLO_H
#define WEIR_TRACE_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

enum { HELLO_RANDOM_BYTES = 32 };

/* Copies a ClientHello's random. Returns false if it is damaged. */
WEIR_MUST_CHECK bool hello_of_client(const uint8_t *body, size_t size,
                                     uint8_t random[HELLO_RANDOM_BYTES]);

struct server_hello {
    uint8_t random[HELLO_RANDOM_BYTES];
    uint16_t version, suite;
    uint8_t compression;
    bool is_retry; /* asks for another ClientHello */
};

/* Returns false if it is damaged. */
WEIR_MUST_CHECK bool hello_of_server(const uint8_t *body, size_t size, struct server_hello *hello);

#endif
