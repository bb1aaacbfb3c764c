/* SPDX-License-Identifier: Apache-2.0
 *
 * The frames of a compressed connection, written: a header of 7 bytes (compressed length, number,
 * inflated length), and the data, or the bytes as they are where compressing them does not pay. */
#ifndef WEIR_COMPRESSION_DEFLATE_H
#define WEIR_COMPRESSION_DEFLATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"

#define COMPRESSION_HEADER_BYTES 7
#define COMPRESSION_FRAME_MAX    0xffffffU /* bytes of a frame, compressed or inflated */

/* X(enumerator, name, lowest and highest level) */
#define COMPRESSION_ALGORITHMS(X)                                                                  \
    X(COMPRESSION_ZLIB, "zlib", 1, 9)                                                              \
    X(COMPRESSION_ZSTD, "zstd", 1, 22)

enum compression_algorithm {
    COMPRESSION_NONE,
#define X(enumerator, name, lowest, highest) enumerator,
    COMPRESSION_ALGORITHMS(X)
#undef X
};

/* Appends one frame with these bytes, at least 1 and at most COMPRESSION_FRAME_MAX. level: within the
 * algorithm's. Failure (no memory) shows in out->failed. */
void compression_add_frame(struct strbuf *out, enum compression_algorithm algorithm, int level,
                           uint8_t number, const uint8_t *bytes, size_t size);

#endif
