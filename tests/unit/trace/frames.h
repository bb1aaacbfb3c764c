/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames as literals, and those of a usual login. */
#ifndef WEIR_TESTS_TRACE_FRAMES_H
#define WEIR_TESTS_TRACE_FRAMES_H

#include <stddef.h>
#include <stdint.h>

struct frame {
    char from; /* 'C' or 'S' */
    uint8_t sequence;
    const char *payload;
    size_t size;
};

/* A literal's bytes, its last NUL not among them. */
#define FRAME(from, sequence, text)                                                                \
    {                                                                                              \
        from, sequence, text, sizeof text - 1                                                      \
    }

#define GREETING                                                                                   \
    "\x0a"                                                                                         \
    "8.0\0\x07\0\0\0"                                                                              \
    "abcdefgh\0\x00\x82\x2d\x02\0\x08\0\x15\0\0\0\0\0\0\0\0\0\0ijklmnopqrst\0native\0"
#define RESPONSE                                                                                   \
    "\x00\x82\x08\0\0\0\0\x01\x2d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0bob\0\0sha2\0"
#define OK    "\0\0\0\x02\0\0\0"
#define LOGIN FRAME('S', 0, GREETING), FRAME('C', 1, RESPONSE), FRAME('S', 2, OK)

#endif
