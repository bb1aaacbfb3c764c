/* SPDX-License-Identifier: Apache-2.0
 *
 * The events that a client library reports for each packet, and the stage in which it reports
 * them. The tracker (wire) has identified the packet.
 *
 * Bytes never show when a client began to wait, so a lone READ_PACKET is reported where the
 * connection ends while a reply is due. Login is in report_login.c; events leave by emit.h. */
#include "trace/protocol/report.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "trace/protocol/emit.h"

/* ---- stages ---- */

/* The stage in which a client waits for the packets that the server owes. */
static enum protocol_stage stage_of(enum wire_expect expect, uint8_t command)
{
    static const uint8_t stages[] = {
        [WIRE_EXPECT_GREETING] = PROTOCOL_STAGE_WAIT_FOR_INIT_PACKET,
        [WIRE_EXPECT_AUTH] = PROTOCOL_STAGE_AUTHENTICATE,
        [WIRE_EXPECT_NOTHING] = PROTOCOL_STAGE_READY_FOR_COMMAND,
        [WIRE_EXPECT_ONE] = PROTOCOL_STAGE_WAIT_FOR_RESULT,
        [WIRE_EXPECT_RESULT] = PROTOCOL_STAGE_WAIT_FOR_RESULT,
        [WIRE_EXPECT_PREPARE] = PROTOCOL_STAGE_WAIT_FOR_PS_DESCRIPTION,
        [WIRE_EXPECT_PARAMETERS] = PROTOCOL_STAGE_WAIT_FOR_PARAM_DEF,
        [WIRE_EXPECT_PARAMETERS_END] = PROTOCOL_STAGE_WAIT_FOR_PARAM_DEF,
        [WIRE_EXPECT_DEFINITIONS] = PROTOCOL_STAGE_WAIT_FOR_FIELD_DEF,
        [WIRE_EXPECT_DEFINITIONS_END] = PROTOCOL_STAGE_WAIT_FOR_FIELD_DEF,
        [WIRE_EXPECT_FIELDS] = PROTOCOL_STAGE_WAIT_FOR_FIELD_DEF,
        [WIRE_EXPECT_ROWS] = PROTOCOL_STAGE_WAIT_FOR_ROW,
        [WIRE_EXPECT_STATISTICS] = PROTOCOL_STAGE_WAIT_FOR_PACKET,
        [WIRE_EXPECT_BINLOG] = PROTOCOL_STAGE_READY_FOR_COMMAND,
        [WIRE_EXPECT_INFILE] = PROTOCOL_STAGE_FILE_REQUEST,
    };
    if (command == WIRE_COM_PROCESS_INFO && expect != WIRE_EXPECT_NOTHING)
        return PROTOCOL_STAGE_WAIT_FOR_RESULT; /* the library never moves on for this one */
    if (command == WIRE_COM_REGISTER_SLAVE)
        return PROTOCOL_STAGE_READY_FOR_COMMAND;
    return stages[expect];
}

/* Only OK, ERR and the end of rows make a client ready again. After another reply, or one that
 * leaves a cursor open, it stays where it was until its next command. */
static bool is_left_waiting(struct trace_conversation *c, const struct wire_packet *packet)
{
    bool is_end = packet->payload_size > 0 && packet->payload[0] == 0xfe;
    switch (wire_command_reply_shape(packet->command)) {
    case WIRE_REPLY_STATISTICS:
        return packet->kind == WIRE_STATISTICS;
    case WIRE_REPLY_ONE:
        return is_end;
    default:
        return packet->command == WIRE_COM_STMT_EXECUTE && is_end &&
               c->tracker.result.status & WIRE_SERVER_STATUS_CURSOR_EXISTS;
    }
}

static void follow_stage(struct trace_conversation *c, const struct wire_packet *packet)
{
    uint8_t command = WIRE_NO_COMMAND;
    enum wire_expect expect = wire_tracker_expects(&c->tracker, &command);
    if (packet->kind == WIRE_SSL_REQUEST || packet->kind == WIRE_UNSOLICITED)
        return;
    if (!packet->ends_reply || !is_left_waiting(c, packet))
        c->stage = stage_of(expect, command);
    else if (packet->command == WIRE_COM_STMT_EXECUTE)
        c->stage = PROTOCOL_STAGE_WAIT_FOR_ROW;
}

/* ---- commands and replies ---- */

/* Bytes of a command's fixed part, which plugins get as hdr. */
static size_t fixed_part(uint8_t command)
{
    switch (command) {
    case WIRE_COM_STMT_EXECUTE:
        return 9;
    case WIRE_COM_STMT_SEND_LONG_DATA:
        return 6;
    case WIRE_COM_STMT_RESET:
        return 4;
    case WIRE_COM_STMT_FETCH:
        return 8;
    default:
        return 0;
    }
}

/* Returns true for commands whose argument is text or data: pkt is not NULL even if it is empty. */
static bool has_argument(uint8_t command)
{
    return command == WIRE_COM_QUERY || command == WIRE_COM_INIT_DB ||
           command == WIRE_COM_STMT_PREPARE || command == WIRE_COM_STMT_SEND_LONG_DATA;
}

static void send_command(struct trace_conversation *c, const struct wire_packet *packet,
                         struct st_trace_event_args *sent)
{
    uint8_t command = packet->command;
    size_t fixed = fixed_part(command);
    struct wire_reader r = wire_reader_of(packet->payload, packet->payload_size);
    struct wire_change_user change;
    wire_skip(&r, wire_left(&r) > 0 ? 1 : 0);
    if (fixed > wire_left(&r))
        fixed = wire_left(&r);
    struct st_trace_event_args args = {
        .cmd = command, .hdr = fixed ? r.pos : NULL, .hdr_len = fixed};
    wire_skip(&r, fixed);
    args.pkt_len = wire_left(&r);
    args.pkt = args.pkt_len > 0 || has_argument(command) ? r.pos : NULL;
    if (command == WIRE_COM_CHANGE_USER &&
        wire_decode_change_user(packet->payload, packet->payload_size,
                                c->tracker.client_capabilities, &change)) {
        emit_method(c, report_method_name(c, change.plugin));
        c->facts.changes++;
        report_set_text(&c->facts.user, change.user);
        report_set_text(&c->facts.database, change.database);
    }
    c->stage = PROTOCOL_STAGE_READY_FOR_COMMAND;
    strbuf_reset(&c->switched_to); /* a switch that the client has given up on */
    c->switches = 0;
    emit_args(c, TRACE_EVENT_SEND_COMMAND, &args);
    *sent = args;
}

static void on_command(struct trace_conversation *c, const struct wire_packet *packet)
{
    uint8_t command = packet->command;
    struct st_trace_event_args args;
    send_command(c, packet, &args);
    emit_packet(c, TRACE_EVENT_PACKET_SENT, NULL, args.hdr_len + args.pkt_len);
    /* The library reports the end before a stream of log events. */
    if (command == WIRE_COM_QUIT || command == WIRE_COM_TABLE_DUMP ||
        wire_command_reply_shape(command) == WIRE_REPLY_BINLOG)
        emit(c, TRACE_EVENT_DISCONNECTED);
}

static void note_error(struct trace_conversation *c, const struct wire_packet *packet)
{
    struct wire_err err;
    if (!wire_decode_err(packet->payload, packet->payload_size, &err))
        return;
    c->facts.changes++;
    c->facts.error_number = err.code;
    memcpy(c->facts.sqlstate, err.sqlstate, sizeof c->facts.sqlstate);
    snprintf(c->facts.error_text, sizeof c->facts.error_text, "%.*s", (int)err.message.size,
             err.message.data);
}

void report_packet(struct trace_conversation *c, const struct wire_packet *packet, bool was_auth)
{
    if (packet->kind == WIRE_ERR)
        note_error(c, packet);
    switch (packet->kind) {
    case WIRE_GREETING:
        report_greeting(c, packet);
        break;
    case WIRE_SSL_REQUEST:
        report_ssl_request(c, packet);
        break;
    case WIRE_HANDSHAKE_RESPONSE:
        report_handshake_response(c, packet);
        break;
    case WIRE_AUTH_SWITCH:
    case WIRE_AUTH_MORE:
        report_auth_packet(c, packet);
        break;
    case WIRE_AUTH_DATA:
        report_auth_data(c, packet);
        break;
    case WIRE_COMMAND:
        on_command(c, packet);
        break;
    case WIRE_LOCAL_INFILE_DATA:
        c->stage = PROTOCOL_STAGE_FILE_REQUEST;
        emit_sent(c, TRACE_EVENT_SEND_FILE, packet);
        break;
    case WIRE_UNSOLICITED:
    case WIRE_BINLOG_EVENT:
    case WIRE_BINLOG_ACK:
        break; /* no client reports these */
    default:
        if (was_auth)
            report_auth_end(c, packet);
        else
            emit_reply(c, packet);
    }
    if (!c->over)
        follow_stage(c, packet);
}

/* ---- the two ends ---- */

void report_begin(struct trace_conversation *c)
{
    c->stage = PROTOCOL_STAGE_CONNECTING;
    emit(c, TRACE_EVENT_CONNECTING);
    emit(c, TRACE_EVENT_CONNECTED);
    c->stage = PROTOCOL_STAGE_WAIT_FOR_INIT_PACKET;
}

void report_lost(struct trace_conversation *c)
{
    emit(c, TRACE_EVENT_READ_PACKET);
    emit(c, TRACE_EVENT_DISCONNECTED);
}

/* A command that could not be sent to its end has no PACKET_SENT. It is as long as its header says;
 * the bytes that did not come are shown as zeros. */
static void end_in_command(struct trace_conversation *c)
{
    uint64_t size = 0;
    const uint8_t *bytes = NULL;
    size_t count = 0;
    struct strbuf whole = STRBUF_INIT;
    struct st_trace_event_args sent;
    if (!wire_tracker_cut_command(&c->tracker, &size, &bytes, &count))
        return;
    if (size > c->options.keep_limit)
        size = c->options.keep_limit;
    strbuf_add(&whole, bytes, count < size ? count : (size_t)size);
    size_t missing = (size_t)size - whole.size;
    if (strbuf_reserve(&whole, missing)) {
        memset(whole.data + whole.size, 0, missing);
        whole.size += missing;
        send_command(c,
                     &(struct wire_packet){.command = bytes[0],
                                           .payload = (const uint8_t *)whole.data,
                                           .payload_size = whole.size},
                     &sent);
    }
    strbuf_release(&whole);
}

void report_end(struct trace_conversation *c)
{
    uint8_t command = WIRE_NO_COMMAND;
    enum wire_expect expect = wire_tracker_expects(&c->tracker, &command);
    if (c->over)
        return;
    if (!c->opaque && !c->problem) {
        if (expect == WIRE_EXPECT_AUTH)
            report_end_in_authentication(c);
        else if (expect == WIRE_EXPECT_NOTHING)
            end_in_command(c);
        else if (expect != WIRE_EXPECT_INFILE)
            emit(c, TRACE_EVENT_READ_PACKET);
    }
    emit(c, TRACE_EVENT_DISCONNECTED);
}
