/* SPDX-License-Identifier: Apache-2.0
 *
 * LIKE as the server has it, which plugins share: see <weir/pattern.h>. */
#ifndef WEIR_BASE_LIKE_H
#define WEIR_BASE_LIKE_H

#include <string.h>
#include <weir/pattern.h>

/* Whether the text matches a pattern of `size` bytes. */
static inline bool text_is_like(const char *text, const char *pattern, size_t size)
{
    return pattern_like(pattern, size, text, strlen(text));
}

#endif
