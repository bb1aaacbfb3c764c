/* SPDX-License-Identifier: Apache-2.0
 *
 * Comparing facts: a weir_string is bytes with a size, and data is NULL where it is absent. */
#ifndef WEIR_TEXT_H
#define WEIR_TEXT_H

#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <weir/plugin.h>

/* A weir_string of a C string, which is borrowed. NULL: absent. */
static inline weir_string text_of(const char *text)
{
    weir_string string = {text, text ? strlen(text) : 0};
    return string;
}

/* Whether both have the same bytes; an absent one is the same as an empty one. */
static inline bool text_equals(weir_string a, weir_string b)
{
    return a.size == b.size &&
           (a.size == 0 || (a.data && b.data && memcmp(a.data, b.data, a.size) == 0));
}

static inline bool text_is(weir_string text, const char *word)
{
    return text_equals(text, text_of(word));
}

/* text_is() with ASCII letters in either case. */
static inline bool text_is_word(weir_string text, const char *word)
{
    return text.size == strlen(word) &&
           (text.size == 0 || strncasecmp(text.data, word, text.size) == 0);
}

#endif
