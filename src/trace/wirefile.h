/* SPDX-License-Identifier: Apache-2.0
 *
 * Recordings as lines of JSON, plain or gzipped: {"dir": "c2s", "hex": "..."}, one piece of bytes a
 * line, in the order seen. Other keys and empty lines are passed over. */
#ifndef WEIR_TRACE_WIREFILE_H
#define WEIR_TRACE_WIREFILE_H

#include "base/base.h"
#include "wire/wire.h"

struct wirefile;

/* path is borrowed. NULL (and error) when it can't be opened. */
struct wirefile *wirefile_open(const char *path, struct error *error);

/* The next piece, borrowed until the next call. 1: there is one; 0: the end; -1: error, which names
 * file and line. */
int wirefile_next(struct wirefile *file, enum wire_direction *direction, const uint8_t **bytes,
                  size_t *size, struct error *error);

void wirefile_close(struct wirefile *file);

#endif
