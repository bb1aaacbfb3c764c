/* SPDX-License-Identifier: Apache-2.0
 *
 * Hexadecimal text to bytes. */
#ifndef WEIR_BASE_HEX_H
#define WEIR_BASE_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

/* The value of a digit; -1: it is none. */
static inline int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Writes size / 2 bytes. Returns false if the text is not pairs of digits. */
WEIR_MUST_CHECK static inline bool hex_decode(const char *text, size_t size, uint8_t *bytes)
{
    if (size % 2)
        return false;
    for (size_t i = 0; i < size; i += 2) {
        int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i / 2] = (uint8_t)(high << 4 | low);
    }
    return true;
}

#endif
