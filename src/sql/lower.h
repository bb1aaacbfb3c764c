/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the room: lower-casing as the digest does it. */
#ifndef WEIR_SQL_LOWER_H
#define WEIR_SQL_LOWER_H

#include <stddef.h>

/* Lower-cases size bytes of UTF-8 from `in` to `out`, which has room for 3 * size bytes; each byte
 * that is part of no valid character becomes U+FFFD (three bytes). Returns the bytes written. The
 * two may overlap when in is at least out + 2 * size. */
size_t sql_lower_utf8(const unsigned char *in, size_t size, unsigned char *out);

#endif
