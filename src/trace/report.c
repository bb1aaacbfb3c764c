/* SPDX-License-Identifier: Apache-2.0
 *
 * The tracker says what a packet is; this file says which events a client library reports for it,
 * and in which stage.
 *
 * A client reports READ_PACKET when it begins to wait and PACKET_RECEIVED when the packet is there;
 * bytes show only the second, so the two go together, and a lone READ_PACKET is added where the
 * connection ends while a reply is due. What a client reports only when it answers (the method of a
 * switch) is held back until it does.
 *
 * emit_args() is the only way out; it ends everything when the sink wants no more. */
#include "trace/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Errors that a client raises by itself, which have no packet. */
enum {
    CR_UNKNOWN = 2000,
    CR_VERSION = 2007,
    CR_SSL = 2026,
    CR_MALFORMED = 2027,
    CR_CANNOT_LOAD = 2059,
    CR_AUTH_PLUGIN = 2061,
};

enum { CLIENT_VERSION = 10 }; /* of the protocol */

/* What caching_sha2_password says of a scramble. */
enum { FAST_ENOUGH = 3, WANTS_PASSWORD = 4 };

static const char first_method[] = "caching_sha2_password"; /* where the client names none */

/* ---- emitting ---- */

static void emit_args(struct trace_conversation *c, enum trace_event event,
                      const struct st_trace_event_args *args)
{
    if (c->over)
        return;
    if (c->sink(c->context, c->stage, event, args) != 0 || event == TRACE_EVENT_DISCONNECTED)
        c->over = true;
}

static void emit(struct trace_conversation *c, enum trace_event event)
{
    emit_args(c, event, &(struct st_trace_event_args){0});
}

static void emit_packet(struct trace_conversation *c, enum trace_event event, const uint8_t *bytes,
                        size_t size)
{
    emit_args(c, event, &(struct st_trace_event_args){.pkt = bytes, .pkt_len = size});
}

static void emit_sent(struct trace_conversation *c, enum trace_event event,
                      const struct wire_packet *packet)
{
    bool is_empty = packet->payload_size == 0;
    emit_packet(c, event, is_empty ? NULL : packet->payload, packet->payload_size);
    emit_packet(c, TRACE_EVENT_PACKET_SENT, NULL, packet->payload_size);
}

static void emit_received(struct trace_conversation *c, const struct wire_packet *packet)
{
    emit(c, TRACE_EVENT_READ_PACKET);
    emit_packet(c, TRACE_EVENT_PACKET_RECEIVED, packet->payload, packet->payload_size);
}

static void emit_method(struct trace_conversation *c, const char *name)
{
    emit_args(c, TRACE_EVENT_AUTH_PLUGIN, &(struct st_trace_event_args){.plugin_name = name});
}

__attribute__((format(printf, 3, 4))) static void
emit_error(struct trace_conversation *c, unsigned number, const char *format, ...)
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

/* An ERR without a text makes the client raise an error of its own. */
static void on_reply(struct trace_conversation *c, const struct wire_packet *packet)
{
    emit_received(c, packet);
    if (packet->kind == WIRE_ERR && packet->payload_size <= 3) {
        c->stage = PROTOCOL_STAGE_READY_FOR_COMMAND;
        emit_error(c, CR_UNKNOWN, "Unknown MySQL error");
    }
}

void trace_report_lost(struct trace_conversation *c)
{
    emit(c, TRACE_EVENT_READ_PACKET);
    emit(c, TRACE_EVENT_DISCONNECTED);
}

/* ---- facts and stages ---- */

static void set_text(char **slot, struct wire_string text)
{
    free(*slot);
    *slot = text.data ? strndup(text.data, text.size) : NULL;
}

/* The stage in which a client waits for what the server owes. */
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

/* Only OK, ERR and the end of rows make a client ready again. Behind another answer, or one that
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

/* ---- login ---- */

/* Shows the greeting as the library leaves it: the first part of the scramble copied in front of
 * the second, over the reserved bytes, so that a plugin finds them in one piece. false: there is no
 * room for the second part and its NUL, so the library takes the greeting for damaged. */
static bool show_greeting(struct trace_conversation *c, const struct wire_packet *packet)
{
    enum { FIRST_PART = 8, SERVER_FACTS = 18, SECOND_PART = 13 }; /* bytes */
    const uint8_t *nul = memchr(packet->payload, 0, packet->payload_size);
    size_t facts = nul ? (size_t)(nul - packet->payload) + 1 + 4 + FIRST_PART + 1 : SIZE_MAX;
    if (facts > packet->payload_size || packet->payload_size - facts < SERVER_FACTS + SECOND_PART)
        return false;
    strbuf_reset(&c->scratch);
    strbuf_add(&c->scratch, packet->payload, packet->payload_size);
    if (!c->scratch.failed) {
        char *start = c->scratch.data + facts;
        memcpy(start + SERVER_FACTS - FIRST_PART, start - 1 - FIRST_PART, FIRST_PART);
    }
    emit_packet(c, TRACE_EVENT_INIT_PACKET_RECEIVED, (const uint8_t *)c->scratch.data,
                c->scratch.size);
    return true;
}

static void on_greeting(struct trace_conversation *c, const struct wire_packet *packet)
{
    struct wire_greeting greeting;
    emit_received(c, packet);
    if (wire_decode_greeting(packet->payload, packet->payload_size, &greeting)) {
        c->facts.changes++;
        c->facts.thread_id = greeting.connection_id;
        set_text(&c->facts.server_version, greeting.server_version);
        if (show_greeting(c, packet))
            return;
    }
    if (packet->payload_size > 0 && packet->payload[0] != CLIENT_VERSION)
        emit_error(c, CR_VERSION, "Protocol mismatch; server version = %d, client version = %d",
                   packet->payload[0], CLIENT_VERSION);
    else
        emit_error(c, CR_MALFORMED, "Malformed packet");
    emit(c, TRACE_EVENT_DISCONNECTED);
}

static void on_ssl_request(struct trace_conversation *c, const struct wire_packet *packet)
{
    emit_packet(c, TRACE_EVENT_SEND_SSL_REQUEST, packet->payload, packet->payload_size);
    c->stage = PROTOCOL_STAGE_SSL_NEGOTIATION;
    emit(c, TRACE_EVENT_SSL_CONNECT);
    c->in_tls = true;
    c->opaque = c->options.tls_is_opaque;
}

/* The name with a NUL behind it. */
static const char *terminated(struct trace_conversation *c, struct wire_string name)
{
    strbuf_reset(&c->scratch);
    strbuf_add(&c->scratch, name.data, name.size);
    return c->scratch.data;
}

static void on_handshake_response(struct trace_conversation *c, const struct wire_packet *packet)
{
    struct wire_handshake_response response = {0};
    wire_decode_handshake_response(packet->payload, packet->payload_size, &response);
    c->facts.changes++;
    set_text(&c->facts.user, response.user);
    set_text(&c->facts.database, response.database);
    if (c->in_tls) {
        c->stage = PROTOCOL_STAGE_SSL_NEGOTIATION;
        emit(c, TRACE_EVENT_SSL_CONNECTED);
    }
    c->stage = PROTOCOL_STAGE_AUTHENTICATE;
    emit_method(c, response.plugin.data ? terminated(c, response.plugin) : first_method);
    emit_sent(c, TRACE_EVENT_SEND_AUTH_RESPONSE, packet);
}

/* The client goes along with a switch that it was asked for. */
static void accept_switch(struct trace_conversation *c)
{
    if (c->switched_to.size > 0)
        emit_method(c, c->switched_to.data);
    strbuf_reset(&c->switched_to);
}

static void on_auth_packet(struct trace_conversation *c, const struct wire_packet *packet)
{
    struct wire_auth_switch request;
    accept_switch(c);
    if (packet->payload_size == 0) {
        trace_report_lost(c);
        return;
    }
    emit_received(c, packet);
    c->fast_result = packet->payload_size == 2 && packet->payload[0] == 1 ? packet->payload[1] : 0;
    if (packet->kind == WIRE_AUTH_SWITCH &&
        wire_decode_auth_switch(packet->payload, packet->payload_size, &request)) {
        strbuf_add(&c->switched_to, request.plugin.data, request.plugin.size);
        c->switch_is_bare = packet->payload_size == 1;
        c->switches++;
    }
}

static void on_auth_data(struct trace_conversation *c, const struct wire_packet *packet)
{
    accept_switch(c);
    c->fast_result = 0;
    emit_sent(c, TRACE_EVENT_SEND_AUTH_DATA, packet);
}

static void end_authentication(struct trace_conversation *c, const struct wire_packet *packet)
{
    bool in_login = packet->command == WIRE_NO_COMMAND;
    accept_switch(c);
    on_reply(c, packet);
    c->switches = 0;
    c->fast_result = 0;
    if (packet->kind == WIRE_OK) {
        emit(c, TRACE_EVENT_AUTHENTICATED);
    } else if (in_login) {
        c->stage = PROTOCOL_STAGE_READY_FOR_COMMAND;
        emit(c, TRACE_EVENT_DISCONNECTED);
    }
}

/* ---- commands and replies ---- */

/* Bytes of a command's fixed part, which is shown apart. */
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

/* Commands whose argument is a text or data, which is there even when it is empty. */
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
        emit_method(c, change.plugin.data ? terminated(c, change.plugin) : first_method);
        c->facts.changes++;
        set_text(&c->facts.user, change.user);
        set_text(&c->facts.database, change.database);
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
    /* A stream of log events is no conversation: the library says that it is over. */
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

void trace_report_packet(struct trace_conversation *c, const struct wire_packet *packet,
                         bool was_auth)
{
    if (packet->kind == WIRE_ERR)
        note_error(c, packet);
    switch (packet->kind) {
    case WIRE_GREETING:
        on_greeting(c, packet);
        break;
    case WIRE_SSL_REQUEST:
        on_ssl_request(c, packet);
        break;
    case WIRE_HANDSHAKE_RESPONSE:
        on_handshake_response(c, packet);
        break;
    case WIRE_AUTH_SWITCH:
    case WIRE_AUTH_MORE:
        on_auth_packet(c, packet);
        break;
    case WIRE_AUTH_DATA:
        on_auth_data(c, packet);
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
            end_authentication(c, packet);
        else
            on_reply(c, packet);
    }
    if (!c->over)
        follow_stage(c, packet);
}

/* ---- the two ends ---- */

void trace_report_begin(struct trace_conversation *c)
{
    c->stage = PROTOCOL_STAGE_CONNECTING;
    emit(c, TRACE_EVENT_CONNECTING);
    emit(c, TRACE_EVENT_CONNECTED);
    c->stage = PROTOCOL_STAGE_WAIT_FOR_INIT_PACKET;
}

/* Why a client leaves a greeting, or a switch, unanswered. */
static void emit_missing_method(struct trace_conversation *c)
{
    const char *method = c->switched_to.data;
    if (c->tracker.response_seen && c->switch_is_bare)
        emit_error(c, CR_MALFORMED, "Malformed packet");
    else if (c->tracker.response_seen)
        emit_error(c, CR_CANNOT_LOAD, "Authentication plugin '%s' cannot be loaded%s", method,
                   strcmp(method, "mysql_clear_password") == 0 ? ": plugin not enabled" : "");
    else if (c->tracker.server_capabilities & WIRE_CAP(CLIENT_SSL))
        emit_error(c, CR_CANNOT_LOAD, "Authentication plugin cannot be loaded");
    else
        emit_error(c, CR_SSL,
                   "SSL connection error: SSL is required but the server doesn't support it");
}

/* What a client reports when the exchange of its login (or change of user) is cut off. */
static void end_in_authentication(struct trace_conversation *c)
{
    if (c->switched_to.size > 0 && c->switches > 1)
        emit(c, TRACE_EVENT_AUTHENTICATED); /* comes before the library sees what it got */
    else if (!c->tracker.response_seen || c->switched_to.size > 0)
        emit_missing_method(c);
    else if (c->fast_result == WANTS_PASSWORD)
        emit_error(c, CR_AUTH_PLUGIN,
                   "Authentication plugin 'caching_sha2_password' reported error: "
                   "Authentication requires secure connection.");
    else if (wire_tracker_expects_client_data(&c->tracker) && c->fast_result != FAST_ENOUGH)
        emit_error(c, CR_AUTH_PLUGIN, "Authentication plugin reported an error");
    else
        emit(c, TRACE_EVENT_READ_PACKET);
}

/* A command that could not be sent to its end has no PACKET_SENT. It is as long as its header says;
 * what did not come is zeros. */
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

void trace_report_end(struct trace_conversation *c)
{
    uint8_t command = WIRE_NO_COMMAND;
    enum wire_expect expect = wire_tracker_expects(&c->tracker, &command);
    if (c->over)
        return;
    if (!c->opaque && !c->problem) {
        if (expect == WIRE_EXPECT_AUTH)
            end_in_authentication(c);
        else if (expect == WIRE_EXPECT_NOTHING)
            end_in_command(c);
        else if (expect != WIRE_EXPECT_INFILE)
            emit(c, TRACE_EVENT_READ_PACKET);
    }
    emit(c, TRACE_EVENT_DISCONNECTED);
}
