/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the hellos through the bounded reader. */
#include "trace/tls/hello.h"

#include <string.h>

#include "wire/wire.h"

enum { EXTENSION_VERSIONS = 43 };

/* The random of a ServerHello that is a HelloRetryRequest (RFC 8446, 4.1.3). */
static const uint8_t retry_random[HELLO_RANDOM_BYTES] = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

static bool read_random(struct wire_reader *r, uint8_t random[HELLO_RANDOM_BYTES])
{
    struct wire_string bytes = wire_read_bytes(r, HELLO_RANDOM_BYTES);
    if (!r->failed)
        memcpy(random, bytes.data, HELLO_RANDOM_BYTES);
    return !r->failed;
}

bool hello_of_client(const uint8_t *body, size_t size, uint8_t random[HELLO_RANDOM_BYTES])
{
    struct wire_reader r = wire_reader_of(body, size);
    wire_skip(&r, 2); /* its version, which says nothing any more */
    return read_random(&r, random);
}

/* The extension supported_versions holds the version of TLS 1.3. */
static void read_extensions(struct wire_reader *r, struct server_hello *hello)
{
    wire_skip(r, 2);
    while (!r->failed && wire_left(r) > 0) {
        uint16_t type = wire_read_u16_network(r);
        uint16_t length = wire_read_u16_network(r);
        struct wire_string extension = wire_read_bytes(r, length);
        struct wire_reader inner = wire_reader_of(extension.data, extension.size);
        if (!r->failed && type == EXTENSION_VERSIONS)
            hello->version = wire_read_u16_network(&inner);
        r->failed = r->failed || inner.failed;
    }
}

bool hello_of_server(const uint8_t *body, size_t size, struct server_hello *hello)
{
    struct wire_reader r = wire_reader_of(body, size);
    *hello = (struct server_hello){.version = wire_read_u16_network(&r)};
    if (!read_random(&r, hello->random))
        return false;
    wire_skip(&r, wire_read_u8(&r)); /* the session's id */
    hello->suite = wire_read_u16_network(&r);
    hello->compression = wire_read_u8(&r);
    hello->is_retry = memcmp(hello->random, retry_random, sizeof retry_random) == 0;
    if (!r.failed && wire_left(&r) > 0)
        read_extensions(&r, hello);
    return !r.failed;
}
