/* SPDX-License-Identifier: Apache-2.0
 *
 * Decompresses the frames of a compressed connection as a stream: only the header of a frame is
 * kept, so a frame of 16 MiB needs no more memory than a small one. */
#include "trace/protocol/inflate.h"

#include <assert.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

enum { HEADER_BYTES = 7, PIECE_BYTES = 65536 };

struct inflater {
    uint8_t header[HEADER_BYTES];
    uint32_t header_size;
    uint32_t left;     /* bytes of the frame to come */
    bool is_stored;    /* the frame is not compressed */
    bool stream_ended; /* the frame's data is complete */
    ZSTD_DCtx *zstd;   /* NULL: zlib is used */
    z_stream stream;
    uint8_t piece[PIECE_BYTES];
};

struct inflater *inflater_new(bool is_zstd)
{
    struct inflater *inflater = calloc(1, sizeof *inflater);
    bool ok = inflater != NULL;
    if (ok && is_zstd)
        ok = (inflater->zstd = ZSTD_createDCtx()) != NULL;
    else if (ok)
        ok = inflateInit(&inflater->stream) == Z_OK;
    if (!ok) {
        free(inflater);
        inflater = NULL;
    }
    return inflater;
}

void inflater_free(struct inflater *inflater)
{
    if (!inflater)
        return;
    if (inflater->zstd)
        ZSTD_freeDCtx(inflater->zstd);
    else
        inflateEnd(&inflater->stream);
    free(inflater);
}

static void begin_frame(struct inflater *inflater)
{
    const uint8_t *h = inflater->header;
    inflater->left = h[0] | (uint32_t)h[1] << 8 | (uint32_t)h[2] << 16;
    inflater->is_stored = h[4] == 0 && h[5] == 0 && h[6] == 0;
    inflater->stream_ended = false;
    inflater->header_size = 0;
    if (inflater->zstd)
        ZSTD_DCtx_reset(inflater->zstd, ZSTD_reset_session_only);
    else
        inflateReset(&inflater->stream);
}

static const char damaged[] = "compressed data is damaged";

/* Like inflate_part(), for a frame that was compressed with zstd. */
static const char *expand_part(struct inflater *inflater, const uint8_t *bytes, uint32_t size,
                               inflater_sink *sink, void *context)
{
    ZSTD_inBuffer in = {bytes, size, 0};
    ZSTD_outBuffer out;
    do {
        out = (ZSTD_outBuffer){inflater->piece, PIECE_BYTES, 0};
        if (inflater->stream_ended)
            return damaged; /* bytes after the end of the data */
        size_t left = ZSTD_decompressStream(inflater->zstd, &out, &in);
        if (ZSTD_isError(left))
            return damaged;
        inflater->stream_ended = left == 0;
        if (out.pos > 0)
            sink(context, inflater->piece, out.pos);
    } while (in.pos < in.size || (out.pos == out.size && !inflater->stream_ended));
    return NULL;
}

/* Passes the plain bytes of a part of a frame to the sink. Returns NULL, or why it failed. */
static const char *inflate_part(struct inflater *inflater, const uint8_t *bytes, uint32_t size,
                                inflater_sink *sink, void *context)
{
    z_stream *stream = &inflater->stream;
    stream->next_in = (Bytef *)(uintptr_t)bytes; /* zlib does not write there */
    stream->avail_in = size;
    do {
        stream->next_out = inflater->piece;
        stream->avail_out = PIECE_BYTES;
        int status = inflater->stream_ended ? Z_DATA_ERROR : inflate(stream, Z_NO_FLUSH);
        if (status == Z_STREAM_END)
            inflater->stream_ended = true;
        else if (status != Z_OK && status != Z_BUF_ERROR)
            return damaged;
        if (stream->avail_out < PIECE_BYTES)
            sink(context, inflater->piece, PIECE_BYTES - stream->avail_out);
    } while (stream->avail_in > 0 || (stream->avail_out == 0 && !inflater->stream_ended));
    return NULL;
}

const char *inflater_bytes(struct inflater *inflater, const uint8_t *bytes, size_t size,
                           inflater_sink *sink, void *context)
{
    const char *problem = NULL;
    while (size > 0 && !problem) {
        if (inflater->left == 0) {
            inflater->header[inflater->header_size++] = *bytes++;
            size--;
            if (inflater->header_size == HEADER_BYTES)
                begin_frame(inflater);
            continue;
        }
        uint32_t part = size < inflater->left ? (uint32_t)size : inflater->left;
        if (inflater->is_stored)
            sink(context, bytes, part);
        else if (inflater->zstd)
            problem = expand_part(inflater, bytes, part, sink, context);
        else
            problem = inflate_part(inflater, bytes, part, sink, context);
        assert(part <= inflater->left && part <= size);
        inflater->left -= part;
        bytes += part;
        size -= part;
    }
    return problem;
}
