/* SPDX-License-Identifier: Apache-2.0
 *
 * The encodings of records, added to a strbuf: numbers, times, JSON strings, base64, CSV fields.
 * Each is some instructions a byte, because every statement of every client passes here. A strbuf
 * that could not grow has failed: the function that finishes the record tests `failed` once. */
#ifndef AUDIT_LOG_ENCODE_H
#define AUDIT_LOG_ENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <weir/plugin.h>
#include <weir/strbuf.h>

#define ENCODE_DIGITS 20 /* digits of the greatest number */

/* Writes a number's digits; returns their end. */
char *encode_digits(char *at, uint64_t number);
void encode_number(struct strbuf *out, uint64_t number);

/* Bytes of the UTF-8 character at `at`, or 0 when there is none: overlong forms, surrogates and
 * what lies beyond U+10FFFF are none. */
size_t encode_utf8_size(const unsigned char *at, size_t left);

/* RFC 3339 in UTC with microseconds. ns: since 1970. */
void encode_time(struct strbuf *out, uint64_t ns);

/* Adds bytes as a JSON string with its quotes. Bytes that are no UTF-8 become U+FFFD, one each;
 * returns false then. */
bool encode_json(struct strbuf *out, const char *bytes, size_t size);

/* Adds bytes and the closing quote of a JSON string at `at`, in room for size + 1 bytes. false:
 * they are no UTF-8. */
bool encode_json_rest(struct strbuf *out, char *at, const char *bytes, size_t size);
/* Adds `,"name_base64":"..."`. */
void encode_exact_member(struct strbuf *out, const char *key, size_t key_size, weir_string value);

/* Adds `,"name":"..."`, and `,"name_base64":"..."` with the exact bytes when they are no UTF-8. key
 * is `,"name":`, of key_size bytes; inline, so that the compiler knows how many. */
static inline void encode_json_member(struct strbuf *out, const char *key, size_t key_size,
                                      weir_string value)
{
    char *at = strbuf_room(out, key_size + value.size + 2);
    if (!at)
        return;
    memcpy(at, key, key_size);
    at[key_size] = '"';
    if (!encode_json_rest(out, at + key_size + 1, value.data, value.size))
        encode_exact_member(out, key, key_size, value);
}

/* Base64 without line breaks. */
void encode_base64(struct strbuf *out, const char *bytes, size_t size);

/* Adds a field of a CSV line: quoted, quotes doubled; CR, LF, NUL and backslash as \r \n \0 \\, so
 * that a record is always one line. */
void encode_csv(struct strbuf *out, const char *bytes, size_t size);

#endif
