/* SPDX-License-Identifier: Apache-2.0
 *
 * Recognises what only the MySQL protocol has: a greeting of version 10 with a version that can be
 * printed, or commands that fill their segment, with known codes and the number 0. */
#include "trace/capture/opening.h"

#include <string.h>

#include "wire/wire.h"

enum {
    PROTOCOL_VERSION = 10,
    VERSION_MOST = 128,   /* bytes of a server's version */
    GREETING_MOST = 1024, /* bytes of a greeting, or of an error in its place */
    ERROR_LEAST = 3,      /* FF and a number */
};

/* The length of the packet that begins here, if its number is this one; else 0. */
static size_t packet_length(const uint8_t *bytes, size_t size, uint8_t number)
{
    return size > WIRE_HEADER_BYTES && bytes[3] == number ? wire_frame_length(bytes) : 0;
}

static bool is_version(const uint8_t *text, size_t size)
{
    size_t length = 0;
    while (length < size && length < VERSION_MOST && text[length] >= ' ' && text[length] < 0x7f)
        length++;
    return length > 0 && length < size && text[length] == 0;
}

bool opening_is_greeting(const uint8_t *bytes, size_t size)
{
    size_t length = packet_length(bytes, size, 0);
    if (length < ERROR_LEAST || length > GREETING_MOST || length > size - WIRE_HEADER_BYTES)
        return false;
    const uint8_t *payload = bytes + WIRE_HEADER_BYTES;
    if (payload[0] == 0xff) /* numbers of servers' errors: 1000 and more */
        return length == size - WIRE_HEADER_BYTES && (payload[1] | payload[2] << 8) >= 1000;
    return payload[0] == PROTOCOL_VERSION && is_version(payload + 1, length - 1);
}

bool opening_is_commands(const uint8_t *bytes, size_t size)
{
    const uint8_t *p = bytes;
    size_t left = size;
    while (left > WIRE_HEADER_BYTES) {
        size_t length = packet_length(p, left, 0);
        if (length == 0 || length > left - WIRE_HEADER_BYTES ||
            strcmp(wire_command_name(p[WIRE_HEADER_BYTES]), "Unknown") == 0)
            return false;
        p += WIRE_HEADER_BYTES + length;
        left -= WIRE_HEADER_BYTES + length;
    }
    return size > 0 && left == 0;
}

bool opening_is_reply(const uint8_t *bytes, size_t size)
{
    return packet_length(bytes, size, 1) > 0;
}
