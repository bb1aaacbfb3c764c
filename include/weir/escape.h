/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes within quotes, written so that nothing in them ends the quotes or the line. */
#ifndef WEIR_ESCAPE_H
#define WEIR_ESCAPE_H

#include <stddef.h>

#define ESCAPE_JSON_BYTES 6 /* longest form of a byte */

/* Writes a byte as it stands within a JSON string, or a basic string of TOML: '"', '\' and control
 * characters as escapes, everything else as it is. Returns how many bytes that are; no NUL follows. */
static inline size_t escape_json_byte(unsigned char byte, char form[ESCAPE_JSON_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    size_t size = 0;
    if (byte == '"' || byte == '\\') {
        form[size++] = '\\';
    } else if (byte < ' ' || byte == 0x7f) {
        form[size++] = '\\';
        form[size++] = 'u';
        form[size++] = '0';
        form[size++] = '0';
        form[size++] = digits[byte >> 4];
        byte = (unsigned char)digits[byte & 15];
    }
    form[size++] = (char)byte;
    return size;
}

#endif
