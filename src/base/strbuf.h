/* SPDX-License-Identifier: Apache-2.0
 *
 * struct strbuf: a growing run of bytes.
 *
 *     data ──► [ bytes ............ | free ............ | NUL ]
 *              0                  size              capacity
 *
 * Invariants: data is never NULL (an empty strbuf points at a static NUL byte and owns nothing);
 * data[size] is always NUL; size <= capacity. Growing that fails sets `failed` and leaves the
 * contents alone; later additions do nothing, so that a writer tests once, at the end. */
#ifndef WEIR_BASE_STRBUF_H
#define WEIR_BASE_STRBUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"

struct strbuf {
    char *data;
    size_t size;     /* bytes in use */
    size_t capacity; /* bytes that fit before the next growth; 0: nothing is owned */
    bool failed;     /* an addition did not fit into memory; sticky until strbuf_reset() */
};

extern char strbuf_nothing[1];
#define STRBUF_INIT                                                                                \
    {                                                                                              \
        strbuf_nothing, 0, 0, false                                                                \
    }

void strbuf_init(struct strbuf *buffer);

/* Frees what is owned; the strbuf is then empty and can be used again. */
void strbuf_release(struct strbuf *buffer);

/* Empties it and keeps the memory. */
void strbuf_reset(struct strbuf *buffer);

/* Makes room for `more` bytes after the ones in use; false (and failed) when there is no memory.
 */
bool strbuf_reserve(struct strbuf *buffer, size_t more);

void strbuf_add(struct strbuf *buffer, const void *bytes, size_t size);
void strbuf_add_byte(struct strbuf *buffer, unsigned char byte);
void strbuf_add_text(struct strbuf *buffer, const char *text);
void strbuf_printf(struct strbuf *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void strbuf_vprintf(struct strbuf *buffer, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

/* Removes the first `count` bytes (count <= size). */
void strbuf_consume(struct strbuf *buffer, size_t count);

/* Removes all but the first `size` bytes (size <= buffer->size). */
void strbuf_cut(struct strbuf *buffer, size_t size);

/* Hands the bytes over (returns owned, NUL-terminated, to be freed by free()) and empties the
 * strbuf; NULL when there is no memory or when the strbuf has failed. */
char *strbuf_detach(struct strbuf *buffer) WEIR_MUST_CHECK;

#endif
