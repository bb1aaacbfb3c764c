/* SPDX-License-Identifier: Apache-2.0
 *
 * Growing bytes, and the few ways in which records are spelled into them. A text that could not
 * grow has failed for good: what is added afterwards is dropped, and whoever finishes it looks at
 * `failed` once. data is NULL while nothing was added. */
#ifndef AUDIT_LOG_TEXT_H
#define AUDIT_LOG_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <weir/plugin.h>

struct text {
    char *data;
    size_t size, capacity; /* bytes */
    bool failed;
};

#define TEXT_TIME_BYTES 28 /* "2026-01-31T23:59:59.123456Z" and the NUL */

/* Makes room for `more` bytes. false when there is none; the text has failed then. */
bool text_grow(struct text *text, size_t more);

static inline void text_add(struct text *text, const void *bytes, size_t size)
{
    if (size > text->capacity - text->size && !text_grow(text, size))
        return;
    if (size)
        memcpy(text->data + text->size, bytes, size);
    text->size += size;
}
static inline void text_add_byte(struct text *text, char byte)
{
    text_add(text, &byte, 1);
}
static inline void text_add_words(struct text *text, const char *words)
{
    text_add(text, words, strlen(words));
}
/* Forgets the content, keeps the memory. */
static inline void text_reset(struct text *text)
{
    text->size = 0;
    text->failed = false;
}
void text_release(struct text *text);

/* Room for `more` bytes to be written straight into; NULL: there is none, the text has failed. What
 * was written ends at `end`. */
static inline char *text_room(struct text *text, size_t more)
{
    if (more > text->capacity - text->size && !text_grow(text, more))
        return NULL;
    return text->data + text->size;
}
static inline void text_end(struct text *text, const char *end)
{
    text->size = (size_t)(end - text->data);
}

#define TEXT_NUMBER_BYTES 20 /* digits of the greatest number */

/* Writes a number's digits; returns their end. */
char *text_put_number(char *at, uint64_t number);
void text_add_number(struct text *text, uint64_t number);
void text_add_format(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* RFC 3339 in UTC with microseconds. ns: since 1970. */
void text_add_time(struct text *text, uint64_t ns);

/* Adds bytes as a JSON string with its quotes. Bytes that are no UTF-8 become U+FFFD, one each;
 * returns false then. */
bool text_add_json(struct text *text, const char *bytes, size_t size);

/* Adds bytes and the closing quote of a JSON string at `at`, in room for size + 1 bytes. false:
 * they are no UTF-8. */
bool text_finish_json(struct text *text, char *at, const char *bytes, size_t size);
/* Adds `,"name_base64":"..."`. */
void text_add_exact_member(struct text *text, const char *key, size_t key_size, weir_string value);

/* Adds `,"name":"..."`, and `,"name_base64":"..."` with the exact bytes when they are no UTF-8. key
 * is `,"name":`, of key_size bytes; inline, so that the compiler knows how many. */
static inline void text_add_json_member(struct text *text, const char *key, size_t key_size,
                                        weir_string value)
{
    char *at = text_room(text, key_size + value.size + 2);
    if (!at)
        return;
    memcpy(at, key, key_size);
    at[key_size] = '"';
    if (!text_finish_json(text, at + key_size + 1, value.data, value.size))
        text_add_exact_member(text, key, key_size, value);
}

/* Base64 without line breaks. */
void text_add_base64(struct text *text, const char *bytes, size_t size);

/* Adds a field of a CSV line: quoted, quotes doubled; CR, LF, NUL and backslash as \r \n \0 \\, so
 * that a record is always one line. */
void text_add_csv(struct text *text, const char *bytes, size_t size);

#endif
