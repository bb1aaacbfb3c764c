/* SPDX-License-Identifier: Apache-2.0
 *
 * One frame from one piece of bytes, with nothing kept in between. */
#include "compression/deflate.h"

#include <assert.h>
#include <zlib.h>
#include <zstd.h>

#define LEAST_BYTES 50 /* fewer are sent as they are, as servers do */

/* Returns the compressed size; 0: it does not pay, or there was no memory for the library. */
static size_t compress_into(uint8_t *to, size_t room, enum compression_algorithm algorithm,
                            int level, const uint8_t *bytes, size_t size)
{
    if (algorithm == COMPRESSION_ZSTD) {
        size_t done = ZSTD_compress(to, room, bytes, size, level);
        return ZSTD_isError(done) ? 0 : done;
    }
    uLongf done = room;
    return compress2(to, &done, bytes, size, level) == Z_OK ? done : 0;
}

static void put_length(uint8_t to[3], size_t length)
{
    to[0] = (uint8_t)length;
    to[1] = (uint8_t)(length >> 8);
    to[2] = (uint8_t)(length >> 16);
}

void compression_add_frame(struct strbuf *out, enum compression_algorithm algorithm, int level,
                           uint8_t number, const uint8_t *bytes, size_t size)
{
    assert(algorithm != COMPRESSION_NONE && size > 0 && size <= COMPRESSION_FRAME_MAX);
    uint8_t header[COMPRESSION_HEADER_BYTES] = {[3] = number};
    const size_t start = out->size;
    strbuf_add(out, header, sizeof header);
    if (out->failed || !strbuf_reserve(out, size)) /* what is not smaller is not compressed */
        return;
    uint8_t *to = (uint8_t *)out->data + out->size;
    size_t done =
        size < LEAST_BYTES ? 0 : compress_into(to, size - 1, algorithm, level, bytes, size);
    if (done) {
        out->size += done;
        out->data[out->size] = 0;
        put_length(header + 4, size);
    } else {
        strbuf_add(out, bytes, size);
        done = size;
    }
    put_length(header, done);
    for (size_t i = 0; i < sizeof header; i++)
        out->data[start + i] = (char)header[i];
}
