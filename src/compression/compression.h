/* SPDX-License-Identifier: Apache-2.0
 *
 * compression: the frames of compressed connections, read and written. The room that knows zlib and zstd.
 *
 *   deflate.h  bytes to frames
 *   inflate.h  frames to bytes */
#ifndef WEIR_COMPRESSION_COMPRESSION_H
#define WEIR_COMPRESSION_COMPRESSION_H

#include "compression/deflate.h"
#include "compression/inflate.h"

#endif
