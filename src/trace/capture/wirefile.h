/* SPDX-License-Identifier: Apache-2.0
 *
 * Recordings as lines of JSON, plain or gzipped: {"dir": "c2s", "hex": "..."}, one piece of bytes a
 * line, in the order seen. Other keys and empty lines are ignored. */
#ifndef WEIR_TRACE_WIREFILE_H
#define WEIR_TRACE_WIREFILE_H

#include "base/base.h"
#include "wire/wire.h"

struct wirefile;

/* Opens a recording; path is borrowed for the call. Returns owned; NULL and error. */
WEIR_MUST_CHECK struct wirefile *wirefile_open(const char *path, struct error *error);

/* Reads the next piece, which is borrowed until the next call. Returns 1; 0 at the end; -1 and an
 * error that names file and line. */
WEIR_MUST_CHECK int wirefile_next(struct wirefile *file, enum wire_direction *direction,
                                  const uint8_t **bytes, size_t *size, struct error *error);

/* NULL is allowed. */
void wirefile_close(struct wirefile *file);

#endif
