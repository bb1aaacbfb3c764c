/* SPDX-License-Identifier: Apache-2.0
 *
 * Decompresses the frames of a compressed connection as a stream. What a frame says of itself is held
 * against what comes: neither more nor less. */
#include "compression/inflate.h"

#include <assert.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

enum { PIECE_BYTES = 16384, ZSTD_WINDOW_LOG = 24 /* no frame is longer than 16 MiB */ };

struct inflater {
    enum compression_algorithm algorithm;
    size_t most;
    inflater_sink *sink;
    inflater_number *number;
    void *context;
    uint8_t header[COMPRESSION_HEADER_BYTES];
    uint32_t header_size;
    uint32_t left;     /* bytes of the frame to come */
    uint32_t plain;    /* bytes that it has inflated; 0: it is not compressed */
    uint32_t done;     /* ... so far */
    bool stream_ended; /* the frame's data is complete */
    ZSTD_DCtx *zstd;   /* of the frame; NULL: none */
    size_t wanted;     /* by zstd: bytes up to the end of a block */
    z_stream *zlib;
};

struct inflater *inflater_new(enum compression_algorithm algorithm, size_t most,
                              inflater_sink *sink, inflater_number *number, void *context)
{
    assert(algorithm != COMPRESSION_NONE && sink);
    struct inflater *inflater = calloc(1, sizeof *inflater);
    if (inflater)
        *inflater = (struct inflater){.algorithm = algorithm,
                                      .most = most,
                                      .sink = sink,
                                      .number = number,
                                      .context = context};
    return inflater;
}

static void end_stream(struct inflater *inflater)
{
    ZSTD_freeDCtx(inflater->zstd);
    if (inflater->zlib)
        inflateEnd(inflater->zlib);
    free(inflater->zlib);
    inflater->zstd = NULL;
    inflater->zlib = NULL;
}

void inflater_free(struct inflater *inflater)
{
    if (inflater)
        end_stream(inflater);
    free(inflater);
}

static bool begin_stream(struct inflater *inflater)
{
    inflater->stream_ended = false;
    if (inflater->algorithm == COMPRESSION_ZSTD) {
        inflater->zstd = ZSTD_createDCtx();
        inflater->wanted = 1;
        return inflater->zstd && !ZSTD_isError(ZSTD_DCtx_setParameter(
                                     inflater->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG));
    }
    inflater->zlib = calloc(1, sizeof *inflater->zlib);
    if (inflater->zlib && inflateInit(inflater->zlib) == Z_OK)
        return true;
    free(inflater->zlib);
    inflater->zlib = NULL;
    return false;
}

static const char damaged[] = "compressed data is damaged";
static const char wrong_length[] = "a compressed frame has another length than it says";

static const char *begin_frame(struct inflater *inflater)
{
    const uint8_t *h = inflater->header;
    inflater->left = h[0] | (uint32_t)h[1] << 8 | (uint32_t)h[2] << 16;
    inflater->plain = h[4] | (uint32_t)h[5] << 8 | (uint32_t)h[6] << 16;
    inflater->header_size = 0;
    inflater->done = 0;
    if (inflater->plain > inflater->most || inflater->left > inflater->most)
        return "a compressed frame claims more bytes than are allowed";
    if (inflater->left == 0 && inflater->plain)
        return wrong_length;
    const char *problem = inflater->number ? inflater->number(inflater->context, h[3]) : NULL;
    if (!problem && inflater->plain && !begin_stream(inflater))
        problem = "there is no memory to decompress";
    return problem;
}

/* Plain bytes have come. What a frame has before its fault is passed on, however its bytes are cut. */
static const char *deliver(struct inflater *inflater, const uint8_t *bytes, size_t size)
{
    const uint32_t room = inflater->plain - inflater->done;
    const uint32_t part = size < room ? (uint32_t)size : room;
    inflater->done += part;
    if (part)
        inflater->sink(inflater->context, bytes, part);
    return size > room ? wrong_length : NULL;
}

/* Like inflate_part(), for a frame that was compressed with zstd. A call has a block at most: one with a fault takes what it
 * has made of the others along. */
static const char *expand_part(struct inflater *inflater, const uint8_t *bytes, uint32_t size)
{
    uint8_t piece[PIECE_BYTES];
    ZSTD_inBuffer in = {bytes, 0, 0};
    ZSTD_outBuffer out;
    do {
        out = (ZSTD_outBuffer){piece, sizeof piece, 0};
        if (inflater->stream_ended)
            return damaged; /* bytes after the end of the data */
        in.size = inflater->wanted < size - in.pos ? in.pos + inflater->wanted : size;
        size_t left = ZSTD_decompressStream(inflater->zstd, &out, &in);
        if (ZSTD_isError(left))
            return damaged;
        inflater->wanted = left;
        inflater->stream_ended = left == 0;
        const char *problem = deliver(inflater, piece, out.pos);
        if (problem)
            return problem;
    } while (in.pos < size || (out.pos == out.size && !inflater->stream_ended));
    return NULL;
}

/* Passes the plain bytes of a part of a frame on. Returns NULL, or why it failed. */
static const char *inflate_part(struct inflater *inflater, const uint8_t *bytes, uint32_t size)
{
    uint8_t piece[PIECE_BYTES];
    z_stream *stream = inflater->zlib;
    stream->next_in = (Bytef *)(uintptr_t)bytes; /* zlib does not write there */
    stream->avail_in = size;
    do {
        stream->next_out = piece;
        stream->avail_out = sizeof piece;
        int status = inflater->stream_ended ? Z_DATA_ERROR : inflate(stream, Z_NO_FLUSH);
        inflater->stream_ended = inflater->stream_ended || status == Z_STREAM_END;
        const char *problem = deliver(inflater, piece, sizeof piece - stream->avail_out);
        if (!problem && status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
            problem = damaged;
        if (problem)
            return problem;
    } while (stream->avail_in > 0 || (stream->avail_out == 0 && !inflater->stream_ended));
    return NULL;
}

static const char *frame_part(struct inflater *inflater, const uint8_t *bytes, uint32_t size)
{
    const char *problem = NULL;
    assert(size <= inflater->left);
    inflater->left -= size;
    if (inflater->plain == 0)
        inflater->sink(inflater->context, bytes, size);
    else if (inflater->zstd)
        problem = expand_part(inflater, bytes, size);
    else
        problem = inflate_part(inflater, bytes, size);
    if (inflater->left || problem || inflater->plain == 0)
        return problem;
    end_stream(inflater);
    if (!inflater->stream_ended)
        return damaged;
    return inflater->done == inflater->plain ? NULL : wrong_length;
}

const char *inflater_bytes(struct inflater *inflater, const uint8_t **bytes, const uint8_t *end)
{
    while (*bytes < end && inflater->left == 0) {
        inflater->header[inflater->header_size++] = *(*bytes)++;
        if (inflater->header_size == COMPRESSION_HEADER_BYTES) {
            const char *problem = begin_frame(inflater);
            if (problem)
                return problem;
        }
    }
    const size_t there = (size_t)(end - *bytes);
    const uint32_t part = there < inflater->left ? (uint32_t)there : inflater->left;
    const uint8_t *from = *bytes;
    *bytes += part;
    return part ? frame_part(inflater, from, part) : NULL;
}
