/* SPDX-License-Identifier: Apache-2.0
 *
 * Written conversations with the events that must come of them.
 *
 *     "C0 0e                     => [READY_FOR_COMMAND] SEND_COMMAND cmd=14, PACKET_SENT 0"
 *     "S1 00 00 00 02 00 00 00   => [WAIT_FOR_RESULT] READ_PACKET, PACKET_RECEIVED 7"
 *     "END                       => [READY_FOR_COMMAND] DISCONNECTED"
 *
 * A line is one frame, as in tests/unit/wire/conversation.h, and after "=>" what is reported for
 * it; lines with nothing but "=>" go on with that. A stage is written where it changes. "GREETING",
 * "RESPONSE" and "LOGIN" stand for the frames of a usual login and its events; END closes the
 * connection.
 *
 * Every conversation is fed whole, byte by byte, and cut at random places; and one that ends early,
 * at whatever byte, begins with the same events. */
#ifndef WEIR_TESTS_TRACE_SCRIPT_H
#define WEIR_TESTS_TRACE_SCRIPT_H

#include "trace/protocol/trace_protocol.h"

/* capabilities: what the server of "GREETING" offers, and the client of "RESPONSE" asks for, beside
 * CLIENT_PROTOCOL_41, CLIENT_SECURE_CONNECTION and CLIENT_PLUGIN_AUTH. Fails the test when anything
 * else is reported. */
void expect_events(uint64_t capabilities, const char *lines);

#endif
