/* SPDX-License-Identifier: Apache-2.0
 *
 * One direction of a compressed connection: frames with a header of 7 bytes (compressed length,
 * number, inflated length; an inflated length of 0 means that the frame is stored uncompressed) back
 * to the bytes inside. Each frame is compressed by itself, with zlib or with zstd.
 *
 * Only the header of a frame is kept. Between frames nothing is owned but the struct; within one,
 * what the library needs: 16 MiB at most, whatever the frame says of itself.
 *
 * Any thread, one at a time. */
#ifndef WEIR_COMPRESSION_INFLATE_H
#define WEIR_COMPRESSION_INFLATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "compression/deflate.h"

struct inflater;

/* Called with the plain bytes, borrowed for the call. */
typedef void inflater_sink(void *context, const uint8_t *bytes, size_t size);

/* Called with the number of a frame that begins. Returns NULL, or why it must not: static text. */
typedef const char *inflater_number(void *context, uint8_t number);

/* most: inflated bytes that a frame may have. number may be NULL: any. Returns owned; NULL: no
 * memory. */
WEIR_MUST_CHECK struct inflater *inflater_new(enum compression_algorithm algorithm, size_t most,
                                              inflater_sink *sink, inflater_number *number,
                                              void *context);

/* NULL is allowed. */
void inflater_free(struct inflater *inflater);

/* Reads compressed bytes, however cut, up to the end of a frame, and moves *bytes there. Returns NULL,
 * or a static message if they are damaged; the inflater must then not be used any more. */
WEIR_MUST_CHECK const char *inflater_bytes(struct inflater *inflater, const uint8_t **bytes,
                                           const uint8_t *end);

#endif
