/* SPDX-License-Identifier: Apache-2.0
 *
 * One direction of a compressed connection: frames with a header of 7 bytes (compressed length,
 * number, inflated length; an inflated length of 0 means that the frame is stored uncompressed) back
 * to the bytes inside. Each frame is compressed by itself, with zlib or with zstd.
 *
 * Any thread, one at a time. */
#ifndef WEIR_TRACE_INFLATE_H
#define WEIR_TRACE_INFLATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"

struct inflater;

/* For zstd, else zlib. Returns owned; NULL: no memory. */
WEIR_MUST_CHECK struct inflater *inflater_new(bool is_zstd);

/* NULL is allowed. */
void inflater_free(struct inflater *inflater);

/* Called with the plain bytes, borrowed for the call. */
typedef void inflater_sink(void *context, const uint8_t *bytes, size_t size);

/* Reads compressed bytes, however cut. Returns NULL, or a static message if they are damaged; the
 * inflater must then not be used any more. */
WEIR_MUST_CHECK const char *inflater_bytes(struct inflater *inflater, const uint8_t *bytes,
                                           size_t size, inflater_sink *sink, void *context);

#endif
