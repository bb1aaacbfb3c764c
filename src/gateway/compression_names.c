/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of algorithms, and the capabilities with which both sides agree on one. */
#include "gateway/compression_names.h"

#include <string.h>

#include "compression/compression.h"
#include "wire/wire.h"

#define BESIDE_BYTES 65536 /* of a frame, for what is not its largest command */

static const struct {
    const char *name;
    uint64_t capabilities;
} words[] = {
    {"off", 0},
    {"on", WIRE_CAP(CLIENT_COMPRESS) | WIRE_CAP(CLIENT_ZSTD_COMPRESSION_ALGORITHM)},
    {"zlib", WIRE_CAP(CLIENT_COMPRESS)},
    {"zstd", WIRE_CAP(CLIENT_ZSTD_COMPRESSION_ALGORITHM)},
};

int compression_capabilities(const char *option, const char *text, uint64_t *out,
                             struct error *error)
{
    static const char between[] = ", ";
    *out = 0;
    for (const char *at = text + strspn(text, between); *at; at += strspn(at, between)) {
        const size_t size = strcspn(at, between);
        size_t word = 0;
        while (word < sizeof words / sizeof *words &&
               (strlen(words[word].name) != size || memcmp(words[word].name, at, size) != 0))
            word++;
        if (word == sizeof words / sizeof *words)
            return error_set(error, "-%s: '%.*s' is none of off, on, zlib and zstd", option,
                             (int)(size < 100 ? size : 100), at);
        *out |= words[word].capabilities;
        at += size;
    }
    return 0;
}

size_t compression_most_bytes(bool is_client, const struct gateway_options *options)
{
    const size_t most = (size_t)options->max_command_bytes + BESIDE_BYTES;
    return is_client && most < COMPRESSION_FRAME_MAX ? most : COMPRESSION_FRAME_MAX;
}
