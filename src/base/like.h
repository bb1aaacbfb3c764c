/* SPDX-License-Identifier: Apache-2.0
 *
 * LIKE as the server has it. */
#ifndef WEIR_BASE_LIKE_H
#define WEIR_BASE_LIKE_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the text matches a pattern of `size` bytes: % is any run of bytes, _ one byte, a
 * backslash quotes the next one; ASCII letters match in any case. Time: size of the text times that
 * of the pattern at most. */
bool text_is_like(const char *text, const char *pattern, size_t size);

#endif
