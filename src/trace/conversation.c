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
 * emit() is the only way out; it ends everything when the sink wants no more. */
#include "trace/conversation.h"

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

enum { WAITING_MAX_BYTES = 64 << 20 }; /* of commands that are ahead */

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

static void emit_error(struct trace_conversation *c, unsigned number, const char *text)
{
    c->facts.error_number = number;
    memcpy(c->facts.sqlstate, "HY000", 6);
    snprintf(c->facts.error_text, sizeof c->facts.error_text, "%s", text);
    emit(c, TRACE_EVENT_ERROR);
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

static void follow_stage(struct trace_conversation *c)
{
    uint8_t command = WIRE_NO_COMMAND;
    enum wire_expect expect = wire_tracker_expects(&c->tracker, &command);
    c->stage = stage_of(expect, command);
}

/* ---- login ---- */

/* Shows the greeting as the library leaves it: the first part of the scramble copied in front of
 * the second, over the reserved bytes, so that a plugin finds them in one piece. */
static void show_greeting(struct trace_conversation *c, const struct wire_packet *packet)
{
    const uint8_t *payload = packet->payload;
    const uint8_t *nul = memchr(payload, 0, packet->payload_size);
    size_t low_capabilities = nul ? (size_t)(nul - payload) + 1 + 4 + 8 + 1 : SIZE_MAX;
    strbuf_reset(&c->scratch);
    strbuf_add(&c->scratch, payload, packet->payload_size);
    if (!c->scratch.failed && low_capabilities < packet->payload_size &&
        packet->payload_size - low_capabilities >= 18) {
        char *start = c->scratch.data + low_capabilities;
        char first_part[8];
        memcpy(first_part, start - 9, sizeof first_part);
        memcpy(start + 10, first_part, sizeof first_part);
    }
    emit_packet(c, TRACE_EVENT_INIT_PACKET_RECEIVED, (const uint8_t *)c->scratch.data,
                c->scratch.size);
}

static void on_greeting(struct trace_conversation *c, const struct wire_packet *packet)
{
    struct wire_greeting greeting;
    emit_received(c, packet);
    if (wire_decode_greeting(packet->payload, packet->payload_size, &greeting)) {
        c->facts.thread_id = greeting.connection_id;
        set_text(&c->facts.server_version, greeting.server_version);
        show_greeting(c, packet);
        return;
    }
    if (packet->payload_size > 0 && packet->payload[0] != 10)
        emit_error(c, CR_VERSION, "Protocol mismatch; server version differs");
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
    emit_received(c, packet);
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
    emit_sent(c, TRACE_EVENT_SEND_AUTH_DATA, packet);
}

static void end_authentication(struct trace_conversation *c, const struct wire_packet *packet)
{
    bool in_login = packet->command == WIRE_NO_COMMAND;
    accept_switch(c);
    emit_received(c, packet);
    c->switches = 0;
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

static void on_command(struct trace_conversation *c, const struct wire_packet *packet)
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
        set_text(&c->facts.user, change.user);
        set_text(&c->facts.database, change.database);
    }
    c->stage = PROTOCOL_STAGE_READY_FOR_COMMAND;
    emit_args(c, TRACE_EVENT_SEND_COMMAND, &args);
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
    c->facts.error_number = err.code;
    memcpy(c->facts.sqlstate, err.sqlstate, sizeof c->facts.sqlstate);
    snprintf(c->facts.error_text, sizeof c->facts.error_text, "%.*s", (int)err.message.size,
             err.message.data);
}

static void on_reply(struct trace_conversation *c, const struct wire_packet *packet)
{
    emit_received(c, packet);
    if (packet->kind == WIRE_ERR && packet->payload_size <= 3) {
        c->stage = PROTOCOL_STAGE_READY_FOR_COMMAND;
        emit_error(c, CR_UNKNOWN, "Unknown MySQL error");
    }
}

/* stage is that of the moment before the packet; was_login: it belongs to an authentication
 * exchange. */
static void on_packet(struct trace_conversation *c, const struct wire_packet *packet, bool was_auth)
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
}

/* ---- bytes ---- */

static void start_inflating(struct trace_conversation *c)
{
    bool is_zlib = c->tracker.client_capabilities & WIRE_CAP(CLIENT_COMPRESS);
    c->inflaters[0] = is_zlib ? inflater_new() : NULL;
    c->inflaters[1] = is_zlib ? inflater_new() : NULL;
    if (!c->inflaters[0] || !c->inflaters[1])
        c->problem = is_zlib ? "out of memory" : "the connection is compressed with zstd";
}

/* The bytes do not fit the protocol. A client gives up in the middle of a reply. */
static void give_up(struct trace_conversation *c, enum wire_direction direction)
{
    uint8_t command = WIRE_NO_COMMAND;
    enum wire_expect expect = wire_tracker_expects(&c->tracker, &command);
    c->problem = c->tracker.broken;
    if (direction == WIRE_FROM_SERVER && expect != WIRE_EXPECT_NOTHING) {
        emit(c, TRACE_EVENT_READ_PACKET);
        emit(c, TRACE_EVENT_DISCONNECTED);
    }
}

/* Whether the client is ahead: a command stands at the input's beginning, and the reply to one
 * before it has not ended. Its fifth byte says which command it is; before that is there, it is not
 * known yet. */
static bool is_ahead(const struct trace_conversation *c, const struct wire_input *input)
{
    uint8_t command = WIRE_NO_COMMAND;
    enum wire_expect expect = wire_tracker_expects(&c->tracker, &command);
    if (expect == WIRE_EXPECT_NOTHING || expect == WIRE_EXPECT_GREETING ||
        expect == WIRE_EXPECT_AUTH || wire_tracker_expects_client_data(&c->tracker) ||
        !wire_tracker_is_between_packets(&c->tracker, WIRE_FROM_CLIENT))
        return false;
    if (input->end - input->pos <= WIRE_HEADER_BYTES)
        return input->pos < input->end;
    command = input->pos[WIRE_HEADER_BYTES];
    return command != WIRE_COM_QUIT && wire_command_reply_shape(command) != WIRE_REPLY_NONE;
}

static void take_packets(struct trace_conversation *c, enum wire_direction direction,
                         struct wire_input *input);

static void let_wait(struct trace_conversation *c, struct wire_input *input)
{
    strbuf_add(&c->waiting, input->pos, (size_t)(input->end - input->pos));
    input->pos = input->end;
    if (c->waiting.failed || c->waiting.size > WAITING_MAX_BYTES)
        c->problem = "the client has sent too many commands before their turn";
}

/* Has the commands that waited take their turns, as far as they can. */
static void take_waiting(struct trace_conversation *c)
{
    struct strbuf waiting = c->waiting;
    struct wire_input input = {(const uint8_t *)waiting.data,
                               (const uint8_t *)waiting.data + waiting.size};
    if (waiting.size == 0 || c->problem || is_ahead(c, &input))
        return;
    strbuf_init(&c->waiting);
    take_packets(c, WIRE_FROM_CLIENT, &input);
    strbuf_release(&waiting);
}

/* The client's bytes, in their turn. */
static void take_from_client(struct trace_conversation *c, struct wire_input *input)
{
    if (c->waiting.size == 0) {
        take_packets(c, WIRE_FROM_CLIENT, input);
        return;
    }
    let_wait(c, input);
    take_waiting(c);
}

/* Takes bytes up to the end of the input, or of the login when what follows is compressed. */
static void take_packets(struct trace_conversation *c, enum wire_direction direction,
                         struct wire_input *input)
{
    struct wire_packet packet;
    bool login_ended = false;
    while (!c->over && !c->opaque && !login_ended) {
        if (direction == WIRE_FROM_CLIENT && is_ahead(c, input)) {
            let_wait(c, input);
            return;
        }
        uint8_t command = WIRE_NO_COMMAND;
        bool was_auth = wire_tracker_expects(&c->tracker, &command) == WIRE_EXPECT_AUTH;
        enum wire_step step = wire_tracker_next(&c->tracker, direction, input, &packet);
        if (step == WIRE_MORE)
            return;
        if (step == WIRE_BROKEN) {
            give_up(c, direction);
            return;
        }
        on_packet(c, &packet, was_auth);
        login_ended = was_auth && packet.kind == WIRE_OK && packet.command == WIRE_NO_COMMAND &&
                      c->tracker.compressed;
        if (!c->over && !(packet.kind == WIRE_SSL_REQUEST))
            follow_stage(c);
        if (direction == WIRE_FROM_SERVER)
            take_waiting(c);
    }
    if (login_ended && !c->inflaters[0])
        start_inflating(c);
}

static void take(struct trace_conversation *c, enum wire_direction direction,
                 struct wire_input *input)
{
    if (direction == WIRE_FROM_CLIENT)
        take_from_client(c, input);
    else
        take_packets(c, direction, input);
}

struct inflated {
    struct trace_conversation *conversation;
    enum wire_direction direction;
};

static void take_inflated(void *context, const uint8_t *bytes, size_t size)
{
    struct inflated *inflated = context;
    struct wire_input input = {bytes, bytes + size};
    if (!inflated->conversation->problem)
        take(inflated->conversation, inflated->direction, &input);
}

void trace_conversation_bytes(struct trace_conversation *conversation,
                              enum wire_direction direction, const uint8_t *bytes, size_t size)
{
    struct trace_conversation *c = conversation;
    struct wire_input input = {bytes, bytes + size};
    if (c->over || c->opaque || c->problem || size == 0)
        return;
    if (!c->inflaters[direction])
        take(c, direction, &input);
    if (c->inflaters[direction] && !c->problem && !c->over) {
        struct inflated inflated = {c, direction};
        const char *problem =
            inflater_bytes(c->inflaters[direction], input.pos, (size_t)(input.end - input.pos),
                           take_inflated, &inflated);
        if (problem)
            c->problem = problem;
    }
}

static void begin(struct trace_conversation *c, const struct trace_options *options,
                  trace_sink *sink, void *context)
{
    *c = (struct trace_conversation){.options = *options, .sink = sink, .context = context};
    strbuf_init(&c->scratch);
    strbuf_init(&c->switched_to);
    strbuf_init(&c->waiting);
    memcpy(c->facts.sqlstate, "00000", 6);
}

void trace_conversation_begin(struct trace_conversation *conversation,
                              const struct trace_options *options, trace_sink *sink, void *context)
{
    begin(conversation, options, sink, context);
    wire_tracker_init(&conversation->tracker, WIRE_WANT_ALL, options->keep_limit);
    conversation->stage = PROTOCOL_STAGE_CONNECTING;
    emit(conversation, TRACE_EVENT_CONNECTING);
    emit(conversation, TRACE_EVENT_CONNECTED);
    conversation->stage = PROTOCOL_STAGE_WAIT_FOR_INIT_PACKET;
}

void trace_conversation_resume(struct trace_conversation *conversation,
                               const struct trace_options *options, trace_sink *sink, void *context,
                               uint64_t server_capabilities, uint64_t client_capabilities,
                               uint16_t status)
{
    begin(conversation, options, sink, context);
    wire_tracker_resume(&conversation->tracker, WIRE_WANT_ALL, options->keep_limit,
                        server_capabilities, client_capabilities, status);
    conversation->stage = PROTOCOL_STAGE_READY_FOR_COMMAND;
    if (conversation->tracker.compressed)
        start_inflating(conversation);
}

/* What a client reports when the exchange of its login (or change of user) is cut off. */
static void end_in_authentication(struct trace_conversation *c)
{
    if (!c->tracker.response_seen)
        emit_error(c, CR_SSL, "SSL connection error: SSL is required but the server lacks it");
    else if (c->switched_to.size > 0 && c->switches > 1)
        emit(c, TRACE_EVENT_AUTHENTICATED); /* comes before the library sees what it got */
    else if (c->switched_to.size > 0)
        emit_error(c, c->switch_is_bare ? CR_MALFORMED : CR_CANNOT_LOAD,
                   "Authentication plugin cannot be loaded");
    else if (wire_tracker_expects_client_data(&c->tracker))
        emit_error(c, CR_AUTH_PLUGIN, "Authentication plugin reported an error");
    else
        emit(c, TRACE_EVENT_READ_PACKET);
}

void trace_conversation_end(struct trace_conversation *conversation)
{
    struct trace_conversation *c = conversation;
    uint8_t command = WIRE_NO_COMMAND;
    enum wire_expect expect = wire_tracker_expects(&c->tracker, &command);
    if (c->over)
        return;
    if (!c->opaque && !c->problem) {
        if (expect == WIRE_EXPECT_AUTH)
            end_in_authentication(c);
        else if (expect != WIRE_EXPECT_NOTHING && expect != WIRE_EXPECT_INFILE)
            emit(c, TRACE_EVENT_READ_PACKET);
    }
    emit(c, TRACE_EVENT_DISCONNECTED);
}

void trace_conversation_release(struct trace_conversation *conversation)
{
    wire_tracker_release(&conversation->tracker);
    inflater_free(conversation->inflaters[0]);
    inflater_free(conversation->inflaters[1]);
    strbuf_release(&conversation->scratch);
    strbuf_release(&conversation->switched_to);
    strbuf_release(&conversation->waiting);
    free(conversation->facts.server_version);
    free(conversation->facts.user);
    free(conversation->facts.database);
}
