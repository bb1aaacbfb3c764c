/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to the room: the one way by which events leave a conversation.
 *
 * Each call reports one event (or a fixed pair) in the conversation's present stage. After the sink
 * has returned something other than 0, or after DISCONNECTED, the conversation is over and these
 * calls do nothing. */
#ifndef WEIR_TRACE_EMIT_H
#define WEIR_TRACE_EMIT_H

#include "trace/protocol/conversation.h"

/* Errors that a client raises by itself, which have no packet. */
enum client_error {
    CR_UNKNOWN = 2000,
    CR_VERSION = 2007,
    CR_SSL = 2026,
    CR_MALFORMED = 2027,
    CR_CANNOT_LOAD = 2059,
    CR_AUTH_PLUGIN = 2061,
};

void emit_args(struct trace_conversation *c, enum trace_event event,
               const struct st_trace_event_args *args);

/* An event without arguments. */
void emit(struct trace_conversation *c, enum trace_event event);

/* An event about bytes, which are borrowed. */
void emit_packet(struct trace_conversation *c, enum trace_event event, const uint8_t *bytes,
                 size_t size);

/* A packet of the client's: the event, then PACKET_SENT. */
void emit_sent(struct trace_conversation *c, enum trace_event event,
               const struct wire_packet *packet);

/* A packet of the server's: READ_PACKET, then PACKET_RECEIVED. */
void emit_received(struct trace_conversation *c, const struct wire_packet *packet);

/* A reply. An ERR without a text makes the client raise an error of its own. */
void emit_reply(struct trace_conversation *c, const struct wire_packet *packet);

/* AUTH_PLUGIN: the authentication method from here on. */
void emit_method(struct trace_conversation *c, const char *name);

/* ERROR, with its number and text noted in the conversation's facts. */
__attribute__((format(printf, 3, 4))) void
emit_error(struct trace_conversation *c, enum client_error number, const char *format, ...);

#endif
