/* SPDX-License-Identifier: Apache-2.0
 *
 * Growing by doubling; the NUL after the bytes is kept by each function that changes the size. */
#include "base/strbuf.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char strbuf_nothing[1];

void strbuf_init(struct strbuf *buffer)
{
    *buffer = (struct strbuf)STRBUF_INIT;
}

void strbuf_release(struct strbuf *buffer)
{
    if (buffer->capacity)
        free(buffer->data);
    strbuf_init(buffer);
}

void strbuf_reset(struct strbuf *buffer)
{
    buffer->size = 0;
    buffer->failed = false;
    if (buffer->capacity)
        buffer->data[0] = 0;
}

bool strbuf_reserve(struct strbuf *buffer, size_t more)
{
    assert(buffer->size <= buffer->capacity);
    if (buffer->failed)
        return false;
    if (more <= buffer->capacity - buffer->size)
        return true;
    if (more > SIZE_MAX / 4 - buffer->size) {
        buffer->failed = true;
        return false;
    }
    size_t capacity = buffer->size + more;
    if (capacity < 2 * buffer->capacity)
        capacity = 2 * buffer->capacity;
    if (capacity < 64)
        capacity = 64;
    char *data = realloc(buffer->capacity ? buffer->data : NULL, capacity + 1);
    if (!data) {
        buffer->failed = true;
        return false;
    }
    buffer->data = data;
    buffer->data[buffer->size] = 0;
    buffer->capacity = capacity;
    return true;
}

void strbuf_add(struct strbuf *buffer, const void *bytes, size_t size)
{
    if (size == 0 || !strbuf_reserve(buffer, size))
        return;
    memcpy(buffer->data + buffer->size, bytes, size);
    buffer->size += size;
    buffer->data[buffer->size] = 0;
}

void strbuf_add_byte(struct strbuf *buffer, unsigned char byte)
{
    strbuf_add(buffer, &byte, 1);
}

void strbuf_add_text(struct strbuf *buffer, const char *text)
{
    strbuf_add(buffer, text, strlen(text));
}

void strbuf_vprintf(struct strbuf *buffer, const char *format, va_list arguments)
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

void strbuf_printf(struct strbuf *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    strbuf_vprintf(buffer, format, arguments);
    va_end(arguments);
}

void strbuf_consume(struct strbuf *buffer, size_t count)
{
    assert(count <= buffer->size);
    if (count == 0)
        return;
    buffer->size -= count;
    memmove(buffer->data, buffer->data + count, buffer->size + 1);
}

void strbuf_cut(struct strbuf *buffer, size_t size)
{
    assert(size <= buffer->size);
    if (size == buffer->size)
        return;
    buffer->size = size;
    buffer->data[size] = 0;
}

char *strbuf_detach(struct strbuf *buffer)
{
    char *data = NULL;
    if (!buffer->failed && (buffer->capacity || strbuf_reserve(buffer, 1))) {
        data = buffer->data;
        strbuf_init(buffer);
    }
    return data;
}
