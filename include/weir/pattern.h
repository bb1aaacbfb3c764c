/* SPDX-License-Identifier: Apache-2.0
 *
 * Patterns of rules, in which * is any bytes, and ? any one where the caller says so; and LIKE. */
#ifndef WEIR_PATTERN_H
#define WEIR_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PATTERN_FOLDS  1U /* ASCII letters in either case */
#define PATTERN_SINGLE 2U /* ? is any one byte */

static inline bool pattern_byte_matches(char pattern, char byte, unsigned flags)
{
    bool is_letter = (pattern >= 'A' && pattern <= 'Z') || (pattern >= 'a' && pattern <= 'z');
    return pattern == byte || (pattern == '?' && (flags & PATTERN_SINGLE)) ||
           (is_letter && (flags & PATTERN_FOLDS) && (pattern ^ byte) == 0x20);
}

/* Whether the text, size bytes, matches the NUL-terminated pattern as a whole. */
static inline bool pattern_matches(const char *pattern, const char *text, size_t size,
                                   unsigned flags)
{
    const char *star = NULL; /* after the last * */
    size_t at = 0, retry = 0;
    while (at < size) {
        if (*pattern == '*') {
            star = ++pattern;
            retry = at;
        } else if (*pattern && pattern_byte_matches(*pattern, text[at], flags)) {
            pattern++;
            at++;
        } else if (star) {
            pattern = star;
            at = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

static inline char pattern_lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte | 0x20) : byte;
}

/* LIKE as the server has it: % is any run of bytes, _ one byte, a backslash quotes the next one;
 * ASCII letters match in either case. Only the last % can ever need another try, because what was
 * before it has matched as early as it could: time is the product of the two sizes at most. */
static inline bool pattern_like(const char *pattern, size_t pattern_size, const char *text,
                                size_t size)
{
    size_t at = 0, next = 0, retry = 0, after_run = SIZE_MAX; /* after_run: after the last % */
    while (at < size || next < pattern_size) {
        if (next < pattern_size && pattern[next] == '%') {
            after_run = ++next;
            retry = at;
            continue;
        }
        if (next < pattern_size && at < size) {
            bool is_any = pattern[next] == '_';
            size_t byte = pattern[next] == '\\' && pattern_size - next > 1 ? next + 1 : next;
            if (is_any || pattern_lower(pattern[byte]) == pattern_lower(text[at])) {
                next = byte + 1;
                at++;
                continue;
            }
        }
        if (after_run == SIZE_MAX || retry == size)
            return false;
        next = after_run;
        at = ++retry;
    }
    return true;
}

#endif
