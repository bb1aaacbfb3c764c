/* SPDX-License-Identifier: Apache-2.0
 *
 * emit_args() calls the sink, and ends the conversation if the sink returns something other than 0.
 * Everything else here calls emit_args().
 *
 * A client reports READ_PACKET when it begins to wait and PACKET_RECEIVED when the packet is there.
 * Bytes show only the second, so emit_received() reports the two together. */
#include "trace/protocol/emit.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void emit_args(struct trace_conversation *c, enum trace_event event,
               const struct st_trace_event_args *args)
{
    assert(c->sink && (unsigned)event < TRACE_EVENT_LAST &&
           (unsigned)c->stage < PROTOCOL_STAGE_LAST);
    if (c->over)
        return;
    if (c->sink(c->context, c->stage, event, args) != 0 || event == TRACE_EVENT_DISCONNECTED)
        c->over = true;
}

void emit(struct trace_conversation *c, enum trace_event event)
{
    emit_args(c, event, &(struct st_trace_event_args){0});
}

void emit_packet(struct trace_conversation *c, enum trace_event event, const uint8_t *bytes,
                 size_t size)
{
    emit_args(c, event, &(struct st_trace_event_args){.pkt = bytes, .pkt_len = size});
}

void emit_sent(struct trace_conversation *c, enum trace_event event,
               const struct wire_packet *packet)
{
    bool is_empty = packet->payload_size == 0;
    emit_packet(c, event, is_empty ? NULL : packet->payload, packet->payload_size);
    emit_packet(c, TRACE_EVENT_PACKET_SENT, NULL, packet->payload_size);
}

void emit_received(struct trace_conversation *c, const struct wire_packet *packet)
{
    emit(c, TRACE_EVENT_READ_PACKET);
    emit_packet(c, TRACE_EVENT_PACKET_RECEIVED, packet->payload, packet->payload_size);
}

void emit_method(struct trace_conversation *c, const char *name)
{
    emit_args(c, TRACE_EVENT_AUTH_PLUGIN, &(struct st_trace_event_args){.plugin_name = name});
}

void emit_error(struct trace_conversation *c, enum client_error number, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(c->facts.error_text, sizeof c->facts.error_text, format, arguments);
    va_end(arguments);
    c->facts.changes++;
    c->facts.error_number = number;
    memcpy(c->facts.sqlstate, "HY000", 6);
    emit(c, TRACE_EVENT_ERROR);
}

void emit_reply(struct trace_conversation *c, const struct wire_packet *packet)
{
    emit_received(c, packet);
    if (packet->kind == WIRE_ERR && packet->payload_size <= 3) {
        c->stage = PROTOCOL_STAGE_READY_FOR_COMMAND;
        emit_error(c, CR_UNKNOWN, "Unknown MySQL error");
    }
}
