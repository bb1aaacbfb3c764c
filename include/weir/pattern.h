/* SPDX-License-Identifier: Apache-2.0
 *
 * Patterns of rules: * is any bytes, and ? any one where the caller says so. */
#ifndef WEIR_PATTERN_H
#define WEIR_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

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

#endif
