/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to the room: how a conversation of the MySQL protocol is recognised by the bytes of one
 * segment, whatever its port.
 *
 * A server speaks first, and its greeting has a form that other protocols do not have. In the middle
 * of a conversation a command alone proves little; with the reply that follows it does. Pure. */
#ifndef WEIR_TRACE_OPENING_H
#define WEIR_TRACE_OPENING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The bytes begin with a server's greeting, or are the error that a server sends in its place. */
bool opening_is_greeting(const uint8_t *bytes, size_t size);

/* The bytes are whole commands and nothing else. */
bool opening_is_commands(const uint8_t *bytes, size_t size);

/* The bytes may begin the reply to the last of these commands: the first packet has the number 1. */
bool opening_is_reply(const uint8_t *bytes, size_t size);

#endif
