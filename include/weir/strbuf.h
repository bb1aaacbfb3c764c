/* SPDX-License-Identifier: Apache-2.0
 *
 * struct strbuf: a growing run of bytes.
 *
 *     data ──► [ bytes ............ | free ............ | NUL ]
 *              0                  size              capacity
 *
 * Invariants: data[size] is always NUL; size <= capacity. An empty strbuf that owns nothing points
 * at a static NUL byte; one of all zero bits is empty too, and its data is NULL until something is
 * added. Growing that fails sets `failed` and leaves the contents alone; later additions do
 * nothing, so that a writer tests once, at the end. */
#ifndef WEIR_STRBUF_H
#define WEIR_STRBUF_H

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/check.h>

struct strbuf {
    char *data;
    size_t size;     /* bytes in use */
    size_t capacity; /* bytes that fit before the next growth; 0: nothing is owned */
    bool failed;     /* an addition did not fit into memory; sticky until strbuf_reset() */
};

static char strbuf_nothing[1] __attribute__((unused)); /* never written to */
#define STRBUF_INIT                                                                                \
    {                                                                                              \
        strbuf_nothing, 0, 0, false                                                                \
    }

static inline void strbuf_init(struct strbuf *buffer)
{
    buffer->data = strbuf_nothing;
    buffer->size = buffer->capacity = 0;
    buffer->failed = false;
}

/* Frees what is owned; the strbuf is then empty and can be used again. */
static inline void strbuf_release(struct strbuf *buffer)
{
    if (buffer->capacity)
        free(buffer->data);
    strbuf_init(buffer);
}

#define STRBUF_KEPT_BYTES ((size_t)1 << 20)

/* Empties it and keeps the memory, unless that is more than STRBUF_KEPT_BYTES: what is used again and
 * again is not to stay as large as the largest thing that it has ever held. */
static inline void strbuf_reset(struct strbuf *buffer)
{
    buffer->size = 0;
    buffer->failed = false;
    if (buffer->capacity > STRBUF_KEPT_BYTES)
        strbuf_release(buffer);
    else if (buffer->capacity)
        buffer->data[0] = 0;
}

/* strbuf_reserve() where there is no room yet. */
static bool strbuf_grow(struct strbuf *buffer, size_t more) __attribute__((noinline, unused));
static bool strbuf_grow(struct strbuf *buffer, size_t more)
{
    size_t capacity = 64;
    assert(buffer->size <= buffer->capacity);
    if (buffer->failed || more > SIZE_MAX / 4 - buffer->size) {
        buffer->failed = true;
        return false;
    }
    if (capacity < 2 * buffer->capacity)
        capacity = 2 * buffer->capacity;
    if (capacity < buffer->size + more)
        capacity = buffer->size + more;
    char *data = (char *)realloc(buffer->capacity ? buffer->data : NULL, capacity + 1);
    if (!data) {
        buffer->failed = true;
        return false;
    }
    buffer->data = data;
    buffer->data[buffer->size] = 0;
    buffer->capacity = capacity;
    return true;
}

/* Makes room for `more` bytes after the ones in use; false (and failed) when there is no memory. */
WEIR_MUST_CHECK static inline bool strbuf_reserve(struct strbuf *buffer, size_t more)
{
    return (!buffer->failed && more <= buffer->capacity - buffer->size) ||
           strbuf_grow(buffer, more);
}

/* Room for `more` bytes to be written directly, then strbuf_end() with the end of what was written.
 * NULL: there is no memory, and the strbuf has failed. */
WEIR_MUST_CHECK static inline char *strbuf_room(struct strbuf *buffer, size_t more)
{
    return strbuf_reserve(buffer, more) ? buffer->data + buffer->size : NULL;
}
static inline void strbuf_end(struct strbuf *buffer, char *end)
{
    buffer->size = (size_t)(end - buffer->data);
    *end = 0;
}

static inline void strbuf_add(struct strbuf *buffer, const void *bytes, size_t size)
{
    if (size == 0 || !strbuf_reserve(buffer, size))
        return;
    memcpy(buffer->data + buffer->size, bytes, size);
    buffer->size += size;
    buffer->data[buffer->size] = 0;
}

static inline void strbuf_add_byte(struct strbuf *buffer, unsigned char byte)
{
    strbuf_add(buffer, &byte, 1);
}

static inline void strbuf_add_text(struct strbuf *buffer, const char *text)
{
    strbuf_add(buffer, text, strlen(text));
}

static inline void strbuf_vprintf(struct strbuf *buffer, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0), unused));
static inline void strbuf_vprintf(struct strbuf *buffer, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    if (length > 0 && strbuf_reserve(buffer, (size_t)length)) {
        vsnprintf(buffer->data + buffer->size, (size_t)length + 1, format, again);
        buffer->size += (size_t)length;
    }
    va_end(again);
}

static inline void strbuf_printf(struct strbuf *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3), unused));
static inline void strbuf_printf(struct strbuf *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    strbuf_vprintf(buffer, format, arguments);
    va_end(arguments);
}

/* Removes the first `count` bytes (count <= size). */
static inline void strbuf_consume(struct strbuf *buffer, size_t count)
{
    assert(count <= buffer->size);
    if (count == 0)
        return;
    buffer->size -= count;
    memmove(buffer->data, buffer->data + count, buffer->size + 1);
}

/* Removes all but the first `size` bytes (size <= buffer->size). */
static inline void strbuf_cut(struct strbuf *buffer, size_t size)
{
    assert(size <= buffer->size);
    buffer->size = size;
    if (buffer->capacity)
        buffer->data[size] = 0;
}

/* Hands the bytes over (returns owned, NUL-terminated, to be freed by free()) and empties the
 * strbuf; NULL when there is no memory or when the strbuf has failed. */
WEIR_MUST_CHECK static inline char *strbuf_detach(struct strbuf *buffer)
{
    char *data = NULL;
    if (!buffer->failed && (buffer->capacity || strbuf_reserve(buffer, 1))) {
        data = buffer->data;
        strbuf_init(buffer);
    }
    return data;
}

#endif
