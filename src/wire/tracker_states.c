/* SPDX-License-Identifier: Apache-2.0
 *
 * What packets mean: the state machine of a conversation.
 *
 * The state is what the server owes next (enum wire_expect), always for the oldest command in the
 * queue. The table of tracker.h says what a packet is by its first byte; for each kind one
 * function below (note_*) updates the state; expect() is the only place where the state changes within a
 * reply, begin_reply() and end_reply() between them.
 *
 * Sequence numbers count through one exchange: a command begins with 0, its reply goes on from the
 * command's last frame, and data that the client sends into the reply goes on from there. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "wire/packets.h"
#include "wire/tracker_states.h"

enum { BAD = 0xff };

enum {
    EOF_MAX_BYTES = 8, /* of an EOF's payload; a longer FE is a row or a count */
    OK_MIN_BYTES = 7,  /* of an OK that stands for an EOF */
    OLD_SSL_REQUEST_BYTES = 5,
    CURSOR_TYPES = 0x07, /* flags of COM_STMT_EXECUTE that ask for a cursor */
};

static const uint8_t kinds_expected[][4] = {
#define X(state, zero, request, end, other) [WIRE_EXPECT_##state] = {zero, request, end, other},
    WIRE_EXPECTATIONS(X)
#undef X
};

static const char *const unexpected[] = {
    [WIRE_EXPECT_GREETING] = "the server's first packet is not a greeting",
    [WIRE_EXPECT_ONE] = "the reply to a simple command is neither OK, EOF nor ERR",
    [WIRE_EXPECT_PREPARE] = "the reply to COM_STMT_PREPARE is neither PREPARE_OK nor ERR",
    [WIRE_EXPECT_PARAMETERS] = "a parameter definition was due from the server",
    [WIRE_EXPECT_PARAMETERS_END] = "an EOF was due after the parameter definitions",
    [WIRE_EXPECT_DEFINITIONS] = "a column definition was due from the server",
    [WIRE_EXPECT_DEFINITIONS_END] = "an EOF was due after the column definitions",
    [WIRE_EXPECT_FIELDS] = "a column definition or an EOF was due from the server",
    [WIRE_EXPECT_RESULT] = "the server's packet begins no result",
    [WIRE_EXPECT_INFILE] = "the server went on before it had the LOCAL INFILE data",
};

static const uint8_t expect_by_shape[] = {
    [WIRE_REPLY_NONE] = WIRE_EXPECT_NOTHING,  [WIRE_REPLY_ONE] = WIRE_EXPECT_ONE,
    [WIRE_REPLY_RESULT] = WIRE_EXPECT_RESULT, [WIRE_REPLY_PREPARE] = WIRE_EXPECT_PREPARE,
    [WIRE_REPLY_FIELDS] = WIRE_EXPECT_FIELDS, [WIRE_REPLY_ROWS] = WIRE_EXPECT_ROWS,
    [WIRE_REPLY_AUTH] = WIRE_EXPECT_AUTH,     [WIRE_REPLY_STATISTICS] = WIRE_EXPECT_STATISTICS,
    [WIRE_REPLY_BINLOG] = WIRE_EXPECT_BINLOG,
};

/* ---- the queue and the state ---- */

static bool has(const struct wire_tracker *t, uint64_t capability)
{
    return t->client_capabilities & capability;
}

static bool deprecates_eof(const struct wire_tracker *t)
{
    return has(t, WIRE_CAP(CLIENT_DEPRECATE_EOF));
}

static void break_down(struct wire_tracker *t, const char *message)
{
    if (!t->broken)
        t->broken = message;
}

static struct wire_pending *oldest(struct wire_tracker *t)
{
    return t->queue_count > 0 ? &t->queue[t->queue_first] : NULL;
}

static uint8_t command_answered(struct wire_tracker *t)
{
    return t->queue_count > 0 ? t->queue[t->queue_first].command : WIRE_NO_COMMAND;
}

static void expect(struct wire_tracker *t, enum wire_expect state)
{
    t->expect = state;
    t->client_owes = state == WIRE_EXPECT_INFILE;
}

/* Starts the reply to the oldest command. */
static void begin_reply(struct wire_tracker *t)
{
    const struct wire_pending *pending = oldest(t);
    expect(t, pending ? expect_by_shape[wire_command_reply_shape(pending->command)]
                      : WIRE_EXPECT_NOTHING);
    if (pending)
        t->sequence = (uint8_t)(pending->last_sequence + 1);
    t->reply_bytes = 0;
    t->reply_rows = 0;
    t->more_after_rows = false;
}

static void drop_oldest(struct wire_tracker *t)
{
    if (t->queue_count > 0) {
        t->queue_first = (t->queue_first + 1) % t->queue_size;
        t->queue_count--;
    }
    begin_reply(t);
}

static void end_reply(struct wire_tracker *t, struct wire_packet *packet)
{
    packet->ends_result = true;
    packet->ends_reply = true;
    drop_oldest(t);
}

static bool grow_queue(struct wire_tracker *t)
{
    uint32_t size = t->queue_size * 2;
    struct wire_pending *grown = NULL;
    if (size == 0 || size > WIRE_PIPELINE_MAX) {
        break_down(t, "too many commands wait for their replies");
        return false;
    }
    grown = malloc(size * sizeof *grown);
    if (!grown) {
        break_down(t, "out of memory");
        return false;
    }
    for (uint32_t i = 0; i < t->queue_count; i++)
        grown[i] = t->queue[(t->queue_first + i) % t->queue_size];
    if (t->queue != t->queue_inline)
        free(t->queue);
    t->queue = grown;
    t->queue_size = size;
    t->queue_first = 0;
    return true;
}

static void push_command(struct wire_tracker *t, struct wire_pending pending)
{
    if (t->queue_count == t->queue_size && !grow_queue(t))
        return;
    t->queue[(t->queue_first + t->queue_count) % t->queue_size] = pending;
    t->queue_count++;
    t->can_withdraw = true;
    if (t->queue_count == 1)
        begin_reply(t);
}

void wire_tracker_withdraw_command(struct wire_tracker *tracker)
{
    if (!tracker->can_withdraw)
        return;
    assert(tracker->queue_count > 0);
    tracker->can_withdraw = false;
    tracker->queue_count--;
    if (tracker->queue_count == 0)
        begin_reply(tracker);
}

/* ---- what begins ---- */

static bool is_progress(const struct wire_tracker *t, const struct wire_opening *opening)
{
    return has(t, WIRE_CAP(MARIADB_CLIENT_PROGRESS)) && opening->length > 3 &&
           opening->bytes[1] == 0xff && opening->bytes[2] == 0xff && t->expect != WIRE_EXPECT_AUTH;
}

static uint8_t kind_of_end(const struct wire_tracker *t, const struct wire_opening *opening)
{
    const uint8_t *kinds = kinds_expected[t->expect];
    bool is_short = opening->length <= EOF_MAX_BYTES;
    if (kinds[2] != WIRE_EOF)
        return kinds[2];
    if (deprecates_eof(t) && opening->length < WIRE_FRAME_MAX)
        return opening->length >= OK_MIN_BYTES ? WIRE_OK : WIRE_EOF;
    return is_short ? WIRE_EOF : kinds[3];
}

static uint8_t kind_from_server(const struct wire_tracker *t, const struct wire_opening *opening)
{
    const uint8_t *kinds = kinds_expected[t->expect];
    if (t->expect == WIRE_EXPECT_NOTHING)
        return WIRE_UNSOLICITED;
    if (opening->length == 0)
        return t->expect == WIRE_EXPECT_AUTH ? WIRE_AUTH_MORE : BAD;
    switch (opening->bytes[0]) {
    case 0x00:
        return kinds[0];
    case 0xfb:
        return kinds[1];
    case 0xfe:
        return kind_of_end(t, opening);
    case 0xff:
        return is_progress(t, opening) ? WIRE_PROGRESS : WIRE_ERR;
    default:
        return kinds[3];
    }
}

/* ERRs whose number does not belong to the exchange: a server that ends the connection uses number
 * 0 at any time; one that gives up on a command of many frames, or on a file, answers with the number
 * where it stopped reading. */
static bool may_be_out_of_order(struct wire_tracker *t, const struct wire_opening *opening,
                                uint8_t *kind)
{
    const struct wire_pending *pending = oldest(t);
    if (t->sequence_is_free || *kind == WIRE_UNSOLICITED || t->expect == WIRE_EXPECT_BINLOG)
        return true;
    if (*kind != WIRE_ERR)
        return false;
    if (t->expect == WIRE_EXPECT_GREETING || t->expect == WIRE_EXPECT_INFILE ||
        (pending && pending->several_frames))
        return true;
    if (opening->sequence == 0)
        *kind = WIRE_UNSOLICITED;
    return opening->sequence == 0;
}

static bool open_from_server(struct wire_tracker *t, const struct wire_opening *opening,
                             uint8_t *kind)
{
    *kind = kind_from_server(t, opening);
    if (*kind == BAD) {
        break_down(t, opening->length ? unexpected[t->expect] : "the server sent an empty packet");
        return false;
    }
    if (opening->sequence != t->sequence && !may_be_out_of_order(t, opening, kind)) {
        break_down(t, "the server's packet has a wrong sequence number");
        return false;
    }
    if (*kind != WIRE_UNSOLICITED)
        t->sequence = (uint8_t)(opening->sequence + 1);
    return true;
}

static uint8_t kind_of_login_answer(const struct wire_opening *opening)
{
    bool has_flags = opening->length >= 2;
    bool is_new = has_flags && opening->bytes[1] & WIRE_CAP(CLIENT_PROTOCOL_41) >> 8;
    bool wants_tls = has_flags && opening->bytes[1] & WIRE_CAP(CLIENT_SSL) >> 8;
    uint32_t request = is_new ? WIRE_SSL_REQUEST_BYTES : OLD_SSL_REQUEST_BYTES;
    return wants_tls && opening->length == request ? WIRE_SSL_REQUEST : WIRE_HANDSHAKE_RESPONSE;
}

static uint8_t kind_from_client(const struct wire_tracker *t, const struct wire_opening *opening)
{
    const struct wire_flow *flow = &t->flow[WIRE_FROM_CLIENT];
    if (t->expect == WIRE_EXPECT_GREETING)
        return BAD;
    if (t->expect == WIRE_EXPECT_AUTH)
        return t->response_seen ? WIRE_AUTH_DATA : kind_of_login_answer(opening);
    if (t->infile_open) {
        /* A client that gave its file up when the server refused it goes on with a command. */
        bool gave_up = t->expect != WIRE_EXPECT_INFILE && opening->sequence == 0 &&
                       (uint8_t)(flow->sequence + 1) != 0;
        if (!gave_up)
            return WIRE_LOCAL_INFILE_DATA;
    }
    if (t->expect == WIRE_EXPECT_BINLOG && opening->length > 0 &&
        opening->bytes[0] == WIRE_SEMI_SYNC_MAGIC)
        return WIRE_BINLOG_ACK;
    return WIRE_COMMAND;
}

/* Numbers begin again with a command: what was due from the client never comes. Not where numbers
 * say nothing: authentication data must never pass for a command, which is shown. Nor while half a packet of the server's
 * is there, which no client has read. */
static bool gives_up(const struct wire_tracker *t, const struct wire_opening *opening, uint8_t kind)
{
    bool is_due = kind == WIRE_AUTH_DATA || (kind == WIRE_LOCAL_INFILE_DATA && t->client_owes);
    return t->client_may_give_up && !t->sequence_is_free && is_due && t->queue_count > 0 &&
           opening->sequence == 0 && t->sequence != 0 && opening->length > 0 &&
           wire_tracker_is_between_packets(t, WIRE_FROM_SERVER);
}

static bool open_from_client(struct wire_tracker *t, const struct wire_opening *opening,
                             uint8_t *kind)
{
    *kind = kind_from_client(t, opening);
    if (gives_up(t, opening, *kind)) {
        drop_oldest(t);
        *kind = WIRE_COMMAND;
    }
    if (*kind == BAD) {
        break_down(t, "the client spoke before the server's greeting");
        return false;
    }
    if (*kind == WIRE_COMMAND) {
        t->infile_open = false;
        if (opening->sequence != 0 && !t->sequence_is_free) {
            break_down(t, "a command has a sequence number other than 0");
            return false;
        }
        return true;
    }
    if (*kind == WIRE_BINLOG_ACK ||
        (*kind == WIRE_LOCAL_INFILE_DATA && t->expect != WIRE_EXPECT_INFILE))
        return true;
    if (opening->sequence != t->sequence && !t->sequence_is_free) {
        break_down(t, "the client's packet has a wrong sequence number");
        return false;
    }
    t->sequence = (uint8_t)(opening->sequence + 1);
    return true;
}

bool wire_states_open(struct wire_tracker *tracker, const struct wire_opening *opening,
                      enum wire_packet_kind *kind)
{
    uint8_t found = BAD;
    bool fits = opening->direction == WIRE_FROM_CLIENT ? open_from_client(tracker, opening, &found)
                                                       : open_from_server(tracker, opening, &found);
    if (fits)
        *kind = found;
    return fits;
}

/* ---- what a whole packet changes ---- */

static void fill_result(struct wire_tracker *t)
{
    t->result = (struct wire_result){
        .rows = t->reply_rows, .bytes = t->reply_bytes, .status = t->status, .sqlstate = ""};
}

/* One result is over. `more`: another one follows for the same command. */
static void end_result(struct wire_tracker *t, struct wire_packet *packet, bool more)
{
    packet->ends_result = true;
    t->result.is_result_set = t->expect == WIRE_EXPECT_ROWS || t->expect == WIRE_EXPECT_FIELDS;
    t->result.more_results = more;
    t->reply_rows = 0;
    t->more_after_rows = false;
    if (more)
        expect(t, WIRE_EXPECT_RESULT);
    else
        end_reply(t, packet);
}

static bool more_follows(struct wire_tracker *t, uint16_t status)
{
    bool can_have_more =
        wire_command_reply_shape(command_answered(t)) == WIRE_REPLY_RESULT && t->queue_count > 0;
    return can_have_more && (status & WIRE_SERVER_MORE_RESULTS_EXISTS || t->more_after_rows);
}

static void note_ok(struct wire_tracker *t, struct wire_packet *packet)
{
    struct wire_ok ok;
    bool in_login = t->expect == WIRE_EXPECT_AUTH;
    fill_result(t);
    if (!wire_decode_ok(packet->payload, packet->payload_size, t->client_capabilities, &ok) &&
        packet->payload_size == packet->total_size)
        break_down(t, "the server's OK packet is malformed");
    t->status = ok.status;
    t->result.affected_rows = ok.affected_rows;
    t->result.last_insert_id = ok.last_insert_id;
    t->result.status = ok.status;
    t->result.warnings = ok.warnings;
    t->result.message = ok.info.data;
    t->result.message_size = ok.info.size;
    t->result.session_state = (const uint8_t *)ok.session_state.data;
    t->result.session_state_size = ok.session_state.size;
    end_result(t, packet, more_follows(t, ok.status));
    if (in_login && t->compressed)
        t->sequence_is_free = true;
}

static void note_err(struct wire_tracker *t, struct wire_packet *packet)
{
    struct wire_err err;
    fill_result(t);
    wire_decode_err(packet->payload, packet->payload_size, &err); /* too short: number 0, no text */
    t->result.is_error = true;
    t->result.error_code = err.code;
    memcpy(t->result.sqlstate, err.sqlstate, sizeof t->result.sqlstate);
    t->result.message = err.message.data;
    t->result.message_size = err.message.size;
    end_result(t, packet, false);
}

static void note_eof(struct wire_tracker *t, struct wire_packet *packet)
{
    const struct wire_pending *pending = oldest(t);
    struct wire_eof eof;
    fill_result(t);
    if (!wire_decode_eof(packet->payload, packet->payload_size, &eof))
        break_down(t, "the server's EOF packet is malformed");
    t->status = t->result.status = eof.status;
    t->result.warnings = eof.warnings;
    if (t->expect == WIRE_EXPECT_PARAMETERS_END) {
        if (t->columns_after > 0) {
            t->columns_left = t->columns_after;
            expect(t, WIRE_EXPECT_DEFINITIONS);
        } else {
            end_reply(t, packet);
        }
    } else if (t->expect == WIRE_EXPECT_DEFINITIONS_END) {
        bool has_cursor = eof.status & WIRE_SERVER_STATUS_CURSOR_EXISTS;
        uint16_t out = WIRE_SERVER_PS_OUT_PARAMS | WIRE_SERVER_MORE_RESULTS_EXISTS;
        if (command_answered(t) == WIRE_COM_STMT_PREPARE) {
            end_reply(t, packet);
        } else if (has_cursor && pending && pending->cursor) {
            t->expect = WIRE_EXPECT_ROWS; /* of which none are sent now */
            end_result(t, packet, false);
        } else {
            t->more_after_rows = (eof.status & out) == out;
            expect(t, WIRE_EXPECT_ROWS);
        }
    } else {
        end_result(t, packet, more_follows(t, eof.status));
    }
}

static void note_column_count(struct wire_tracker *t, const struct wire_packet *packet)
{
    struct wire_column_count count;
    if (!wire_decode_column_count(packet->payload, packet->payload_size, t->client_capabilities,
                                  &count))
        break_down(t, "the server's column count is malformed");
    t->columns_left = count.columns;
    t->columns_after = 0;
    if (count.columns > 0 && count.definitions_follow)
        expect(t, WIRE_EXPECT_DEFINITIONS);
    else
        expect(t, deprecates_eof(t) ? WIRE_EXPECT_ROWS : WIRE_EXPECT_DEFINITIONS_END);
}

static void note_definition(struct wire_tracker *t, struct wire_packet *packet)
{
    bool prepares = command_answered(t) == WIRE_COM_STMT_PREPARE;
    if (t->expect == WIRE_EXPECT_FIELDS || --t->columns_left > 0)
        return;
    if (!deprecates_eof(t)) {
        expect(t, t->expect == WIRE_EXPECT_PARAMETERS ? WIRE_EXPECT_PARAMETERS_END
                                                      : WIRE_EXPECT_DEFINITIONS_END);
    } else if (t->expect == WIRE_EXPECT_PARAMETERS && t->columns_after > 0) {
        t->columns_left = t->columns_after;
        expect(t, WIRE_EXPECT_DEFINITIONS);
    } else if (prepares) {
        fill_result(t);
        end_reply(t, packet);
    } else {
        expect(t, WIRE_EXPECT_ROWS);
    }
}

static void note_prepare_ok(struct wire_tracker *t, struct wire_packet *packet)
{
    struct wire_prepare_ok prepare;
    if (!wire_decode_prepare_ok(packet->payload, packet->payload_size, t->client_capabilities,
                                &prepare))
        break_down(t, "the server's PREPARE_OK packet is malformed");
    bool follow = prepare.definitions_follow;
    t->columns_left = prepare.parameters;
    t->columns_after = prepare.columns;
    fill_result(t);
    t->result.warnings = prepare.warnings;
    if (follow && prepare.parameters > 0) {
        expect(t, WIRE_EXPECT_PARAMETERS);
    } else if (follow && prepare.columns > 0) {
        t->columns_left = prepare.columns;
        expect(t, WIRE_EXPECT_DEFINITIONS);
    } else {
        end_reply(t, packet);
    }
}

static void note_greeting(struct wire_tracker *t, const struct wire_packet *packet)
{
    struct wire_greeting greeting;
    if (!wire_decode_greeting(packet->payload, packet->payload_size, &greeting)) {
        break_down(t, "the server's greeting is malformed");
        return;
    }
    t->server_capabilities = greeting.capabilities;
    t->status = greeting.status;
    expect(t, WIRE_EXPECT_AUTH);
    t->client_owes = true;
}

static void note_handshake_response(struct wire_tracker *t, const struct wire_packet *packet)
{
    struct wire_handshake_response response;
    if (!wire_decode_handshake_response(packet->payload, packet->payload_size, &response) &&
        packet->payload_size == packet->total_size)
        break_down(t, "the client's handshake response is malformed");
    t->client_capabilities = response.capabilities & t->server_capabilities;
    t->compressed = has(t, WIRE_CAP(CLIENT_COMPRESS) | WIRE_CAP(CLIENT_ZSTD_COMPRESSION_ALGORITHM));
    t->response_seen = true;
    t->client_owes = false;
}

static void note_command(struct wire_tracker *t, struct wire_packet *packet)
{
    const uint8_t *payload = packet->payload;
    /* Servers read an empty command as COM_SLEEP, which they refuse. */
    uint8_t command = packet->payload_size > 0 ? payload[0] : WIRE_COM_SLEEP;
    packet->command = command;
    if (wire_command_reply_shape(command) == WIRE_REPLY_NONE)
        return;
    push_command(t, (struct wire_pending){
                        .command = command,
                        .last_sequence = packet->sequence,
                        .cursor = command == WIRE_COM_STMT_EXECUTE && packet->payload_size > 5 &&
                                  payload[5] & CURSOR_TYPES,
                        .several_frames = packet->total_size >= WIRE_FRAME_MAX,
                    });
}

static void note_infile_data(struct wire_tracker *t, const struct wire_packet *packet)
{
    if (packet->total_size > 0)
        return;
    t->infile_open = false;
    if (t->expect == WIRE_EXPECT_INFILE)
        expect(t, WIRE_EXPECT_RESULT);
}

void wire_states_complete(struct wire_tracker *tracker, struct wire_packet *packet)
{
    assert(packet->payload || packet->payload_size == 0);
    tracker->can_withdraw = false;
    packet->command = command_answered(tracker);
    switch (packet->kind) {
    case WIRE_GREETING:
        note_greeting(tracker, packet);
        break;
    case WIRE_HANDSHAKE_RESPONSE:
        note_handshake_response(tracker, packet);
        break;
    case WIRE_AUTH_SWITCH:
    case WIRE_AUTH_MORE:
        tracker->client_owes = true;
        break;
    case WIRE_AUTH_DATA:
        tracker->client_owes = false;
        break;
    case WIRE_COMMAND:
        note_command(tracker, packet);
        break;
    case WIRE_OK:
        note_ok(tracker, packet);
        break;
    case WIRE_ERR:
        note_err(tracker, packet);
        break;
    case WIRE_EOF:
        note_eof(tracker, packet);
        break;
    case WIRE_COLUMN_COUNT:
        note_column_count(tracker, packet);
        break;
    case WIRE_COLUMN_DEFINITION:
    case WIRE_PARAMETER_DEFINITION:
        note_definition(tracker, packet);
        break;
    case WIRE_ROW:
        tracker->reply_rows++;
        break;
    case WIRE_PREPARE_OK:
        note_prepare_ok(tracker, packet);
        break;
    case WIRE_LOCAL_INFILE_REQUEST:
        expect(tracker, WIRE_EXPECT_INFILE);
        tracker->infile_open = true;
        break;
    case WIRE_LOCAL_INFILE_DATA:
        note_infile_data(tracker, packet);
        break;
    case WIRE_STATISTICS:
        fill_result(tracker);
        end_reply(tracker, packet);
        break;
    case WIRE_UNSOLICITED:
        packet->command = WIRE_NO_COMMAND;
        break;
    case WIRE_SSL_REQUEST:
    case WIRE_PROGRESS:
    case WIRE_BINLOG_EVENT:
    case WIRE_BINLOG_ACK:
    case WIRE_PACKET_KIND_COUNT:
        break;
    }
}
