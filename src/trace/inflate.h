/* SPDX-License-Identifier: Apache-2.0
 *
 * One direction of a compressed connection: frames of 7 bytes of header (compressed length, number,
 * inflated length; 0 for the latter means that the frame is stored as it is) back to the bytes
 * inside. Each frame is compressed for itself, by zlib or by zstd. */
#ifndef WEIR_TRACE_INFLATE_H
#define WEIR_TRACE_INFLATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"

struct inflater;

struct inflater *inflater_new(bool is_zstd); /* else zlib. NULL: no memory */
void inflater_free(struct inflater *inflater);

/* Called with the plain bytes, borrowed. */
typedef void inflater_sink(void *context, const uint8_t *bytes, size_t size);

/* Takes compressed bytes, however cut. Returns NULL, or a static sentence when they are damaged. */
const char *inflater_bytes(struct inflater *inflater, const uint8_t *bytes, size_t size,
                           inflater_sink *sink, void *context);

#endif
