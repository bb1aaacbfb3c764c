/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/relay.h"

#include <string.h>

#include "gateway/administration.h"
#include "gateway/answer.h"
#include "gateway/directory.h"
#include "gateway/hold.h"
#include "gateway/identity.h"
#include "gateway/kill.h"
#include "gateway/login.h"
#include "gateway/prepared.h"
#include "gateway/question.h"
#include "gateway/statement.h"
#include "gateway/tracing.h"
#include "gateway/variables.h"

#define READS_A_ROUND 4 /* of one socket before the loop's other sockets have their turn */

/* ---- Commands ---- */

/* Bytes of the logical packet at the start of the input, headers included; 0 while its end is not
 * there. *least is what it needs at least, as far as its headers are there. */
static size_t whole_packet(const uint8_t *bytes, size_t size, size_t *least)
{
    size_t at = 0;
    for (;;) {
        *least = at + WIRE_HEADER_BYTES;
        if (size - at < WIRE_HEADER_BYTES)
            return 0;
        size_t length = wire_frame_length(bytes + at);
        *least += length;
        if (length > size - at - WIRE_HEADER_BYTES)
            return 0;
        at += WIRE_HEADER_BYTES + length;
        if (length < WIRE_FRAME_MAX)
            return at;
    }
}

bool relay_needs_more_input(const struct session *session)
{
    size_t least = 0;
    return session->state == SESSION_READY &&
           whole_packet((const uint8_t *)session->input.data, session->input.size, &least) == 0;
}

void relay_broken(struct session *session, enum close_reason reason)
{
    const char *why =
        session->tracker.broken ? session->tracker.broken : "a packet that answers no command";
    log_warn("session", "%s: %s connection=%u state=%s", close_reason_words(reason), why,
             session->id, session_state_name(session->state));
    if (reason == CLOSE_CLIENT_PROTOCOL)
        session_fail(session, reason, 1156, "08S01", "Got packets out of order: %s", why);
    else
        session_fail(session, reason, 2027, "08S01",
                     "weir: the backend's bytes were not understood (%s); the session is ended",
                     why);
}

/* Without plugins there is nobody to whom an unknown packet could matter. */
static void go_blind(struct session *session)
{
    log_warn("session",
             "the backend's bytes are not understood (%s); relaying them as they are, since no "
             "plugin is loaded connection=%u",
             session->tracker.broken, session->id);
    session_enter(session, SESSION_BLIND);
    stream_write(&session->backend, session->input.data, session->input.size);
    strbuf_release(&session->input);
}

void relay_refuse(struct session *session)
{
    statement_refused(session);
    answer_error(session, session->facts.refusal.code, session->facts.refusal.sqlstate,
                 session->facts.refusal.message);
    statement_end(session);
}

/* The plugin that must not miss anything has missed something. */
static void fail_by_plugin(struct session *session)
{
    session_fail(session, CLOSE_PLUGIN_FAILED, session->facts.refusal.code,
                 session->facts.refusal.sqlstate, "%s", session->facts.refusal.message);
}

static void forward_rewritten(struct session *session, struct strbuf *packet)
{
    if (packet->failed)
        session_fail(session, CLOSE_CLIENT_PROTOCOL, 1043, "08S01",
                     "Bad handshake: malformed packet");
    else
        stream_write(&session->backend, packet->data, packet->size);
    strbuf_release(packet);
}

/* Sends the command on: as it came, but for ids and authentication data that are the gateway's own.
 */
static void forward(struct session *session, const struct wire_packet *command,
                    const uint8_t *bytes, size_t size)
{
    struct strbuf rewritten = STRBUF_INIT;
    bool is_rewritten = false;
    if (command->command == WIRE_COM_CHANGE_USER) {
        login_rewrite_change_user(session, command, &rewritten);
        is_rewritten = true;
    } else {
        is_rewritten = kill_rewrite(session, command, &rewritten);
    }
    if (is_rewritten)
        forward_rewritten(session, &rewritten);
    else
        stream_write(&session->backend, bytes, size);
}

/* COM_SET_OPTION switches multi-statements on or off, once it has succeeded. */
static void note_option(struct session *session, const struct wire_packet *command)
{
    struct wire_reader reader = wire_reader_of(command->payload + 1, command->payload_size - 1);
    session->multi_asked = wire_read_u16(&reader) == 0; /* 0: on, 1: off */
}

/* Bookkeeping of commands that have no reply. */
static void note_replyless(struct session *session, const struct wire_packet *command)
{
    struct wire_reader reader = wire_reader_of(command->payload + 1, command->payload_size - 1);
    uint32_t id = wire_read_u32(&reader);
    if (command->command == WIRE_COM_STMT_CLOSE && !reader.failed) {
        prepared_forget(session, id);
    } else if (command->command == WIRE_COM_STMT_SEND_LONG_DATA) {
        unsigned parameter = wire_read_u16(&reader);
        if (!reader.failed)
            prepared_note_long_data(prepared_find(session, id), parameter);
    }
}

/* MariaDB's id of "the statement prepared last" in a command that names a statement. */
static bool names_last_prepared(const struct wire_packet *command)
{
    struct wire_reader reader = wire_reader_of(command->payload + 1, command->payload_size - 1);
    switch (command->command) {
    case WIRE_COM_STMT_EXECUTE:
    case WIRE_COM_STMT_BULK_EXECUTE:
    case WIRE_COM_STMT_FETCH:
    case WIRE_COM_STMT_RESET:
    case WIRE_COM_STMT_CLOSE:
    case WIRE_COM_STMT_SEND_LONG_DATA:
        return wire_read_u32(&reader) == WIRE_STATEMENT_LAST;
    default:
        return false;
    }
}

/* The Prepare before it was refused; the backend would take an older statement for the one that is
 * meant. */
static void answer_unknown_statement(struct session *session, const struct wire_packet *command)
{
    char message[128];
    snprintf(message, sizeof message, "Unknown prepared statement handler (%u) given to %s",
             WIRE_STATEMENT_LAST, wire_command_name(command->command));
    statement_failed(session, WIRE_ER_UNKNOWN_STMT_HANDLER, "HY000", message);
    if (wire_command_reply_shape(command->command) != WIRE_REPLY_NONE)
        answer_error(session, WIRE_ER_UNKNOWN_STMT_HANDLER, "HY000", message);
    statement_end(session);
}

static void run_command(struct session *session, const struct wire_packet *command,
                        const uint8_t *bytes, size_t size)
{
    session->reply_sequence = (uint8_t)(command->sequence + 1);
    if (command->command == WIRE_COM_QUIT) {
        stream_write(&session->backend, bytes, size);
        session_close(session, CLOSE_QUIT);
        return;
    }
    bool allowed = statement_begin(session, command);
    if (command->command == WIRE_COM_STMT_PREPARE)
        session->prepare_refused = !allowed;
    if (!allowed) {
        wire_tracker_withdraw_command(&session->tracker);
        relay_refuse(session);
        return;
    }
    if (session->prepare_refused && names_last_prepared(command)) {
        wire_tracker_withdraw_command(&session->tracker);
        answer_unknown_statement(session, command);
        return;
    }
    if (administration_takes(session, command)) {
        wire_tracker_withdraw_command(&session->tracker);
        administration_begin(session, command);
        return;
    }
    if (variables_take(session, command)) {
        wire_tracker_withdraw_command(&session->tracker);
        variables_begin(session, command);
        return;
    }
    if (command->command == WIRE_COM_CHANGE_USER &&
        !identity_prepare_change_user(session, command)) {
        session_fail(session, CLOSE_CLIENT_PROTOCOL, WIRE_ER_HANDSHAKE_ERROR, NULL,
                     "Bad handshake: malformed COM_CHANGE_USER");
        return;
    }
    if (command->command == WIRE_COM_SET_OPTION)
        note_option(session, command);
    forward(session, command, bytes, size);
    if (!session_is_open(session))
        return;
    if (wire_tracker_is_idle(&session->tracker)) { /* no reply is due */
        if (!statement_done(session))
            fail_by_plugin(session);
        else
            statement_end(session);
        note_replyless(session, command);
    } else {
        session_enter(session, SESSION_RUNNING);
    }
}

static void identity_known(struct session *session, unsigned error_code)
{
    (void)error_code; /* then it stays as it was known */
    session->stale = 0;
    session_enter(session, SESSION_READY);
    relay_go_on(session);
}

static const struct question_handlers identity_question = {.row = identity_answered,
                                                           .done = identity_known};

/* Takes one command off the input. Returns how many bytes it was; 0: it is not all there, or it has
 * to wait. */
static size_t take_command(struct session *session, const uint8_t *bytes, size_t size)
{
    size_t least = 0;
    size_t whole = whole_packet(bytes, size, &least);
    if (least > (size_t)session->worker->gateway->options->max_command_bytes) {
        session->reply_sequence = (uint8_t)(bytes[3] + 1);
        session_fail(session, CLOSE_TOO_LARGE, 1153, "08S01",
                     "Got a packet bigger than 'max_allowed_packet' bytes");
        return 0;
    }
    if (whole == 0)
        return 0;
    if (identity_must_ask(session)) {
        if (!question_ask(session, IDENTITY_QUESTION, &identity_question))
            session_close(session, CLOSE_NO_MEMORY);
        return 0;
    }
    struct wire_input input = {bytes, bytes + whole};
    struct wire_packet command;
    if (session->worker->gateway->trace)
        tracing_command(session);
    tracing_bytes(session, WIRE_FROM_CLIENT, bytes, whole);
    enum wire_step step = wire_tracker_next(&session->tracker, WIRE_FROM_CLIENT, &input, &command);
    if (step == WIRE_PACKET)
        run_command(session, &command, bytes, whole);
    else if (session_is_open(session)) {
        session->reply_sequence = (uint8_t)(bytes[3] + 1);
        relay_broken(session, CLOSE_CLIENT_PROTOCOL);
    }
    return whole;
}

/* LOCAL INFILE data, or the client's part of an authentication exchange: passed on packet by
 * packet, since a command may follow it at once. */
static size_t pass_client_data(struct session *session, const uint8_t *bytes, size_t size)
{
    struct wire_input input = {bytes, bytes + size};
    struct wire_packet packet;
    enum wire_step step = WIRE_PACKET;
    while (step == WIRE_PACKET && wire_tracker_expects_client_data(&session->tracker))
        step = wire_tracker_next(&session->tracker, WIRE_FROM_CLIENT, &input, &packet);
    size_t done = (size_t)(input.pos - bytes);
    tracing_bytes(session, WIRE_FROM_CLIENT, bytes, done);
    if (step == WIRE_BROKEN)
        relay_broken(session, CLOSE_CLIENT_PROTOCOL);
    else
        stream_write(&session->backend, bytes, done);
    return done;
}

/* Deals with client bytes as far as the state allows; returns how many. */
static size_t take_client_bytes(struct session *session, const uint8_t *bytes, size_t size)
{
    size_t done = 0, step = 1;
    if (session->state == SESSION_BLIND) {
        stream_write(&session->backend, bytes, size);
        done = size;
    }
    while (done < size && step && !session_is_held(session)) {
        step = 0;
        if (session->state == SESSION_GREETED || session->state == SESSION_AUTHENTICATING)
            step = login_client_bytes(session, bytes + done, size - done);
        else if (session->state == SESSION_READY)
            step = take_command(session, bytes + done, size - done);
        else if (session->state == SESSION_RUNNING &&
                 wire_tracker_expects_client_data(&session->tracker))
            step = pass_client_data(session, bytes + done, size - done);
        done += step;
    }
    return done;
}

/* Whether nothing more can happen once the client has sent its last byte. A statement that runs is
 * waited for, as the server itself would; a binlog dump never ends by itself. */
static bool waits_for_client(const struct session *session)
{
    bool dumps = session->run.command == WIRE_COM_BINLOG_DUMP ||
                 session->run.command == WIRE_COM_BINLOG_DUMP_GTID;
    if (session_is_held(session))
        return false;
    return session->state <= SESSION_READY || session->state == SESSION_BLIND ||
           (session->state == SESSION_RUNNING &&
            (dumps || wire_tracker_expects_client_data(&session->tracker)));
}

/* Commands that waited, and the end of the client's input once all of it has been dealt with. */
void relay_go_on(struct session *session)
{
    if (session->state == SESSION_READY && session->drain_after_reply && session->input.size == 0) {
        session_fail(session, CLOSE_SHUTDOWN, 1053, "08S01", "Server shutdown in progress");
        return;
    }
    if (session->input.size) {
        /* The input is taken out: what runs may come back here (an answer at once, the next
         * command). */
        struct strbuf input = session->input;
        strbuf_init(&session->input);
        size_t done = take_client_bytes(session, (uint8_t *)input.data, input.size);
        strbuf_consume(&input, done);
        strbuf_add(&input, session->input.data, session->input.size);
        strbuf_release(&session->input);
        if (input.failed)
            session_close(session, CLOSE_NO_MEMORY);
        if (input.size && session_is_open(session))
            session->input = input;
        else
            strbuf_release(&input);
    }
    if (session->client.ended && session_is_open(session) && waits_for_client(session))
        session_close(session, CLOSE_CLIENT_GONE);
}

/* A half command is read straight to where it is collected. */
static void read_into_input(struct session *session)
{
    struct strbuf *input = &session->input;
    size_t least = 0;
    whole_packet((const uint8_t *)input->data, input->size, &least);
    size_t room = least > input->size ? least - input->size : 0;
    if (room < READ_BYTES)
        room = READ_BYTES;
    if (room > 16 * READ_BYTES)
        room = 16 * READ_BYTES;
    if (!strbuf_reserve(input, room)) {
        session_close(session, CLOSE_NO_MEMORY);
        return;
    }
    size_t got = stream_read(&session->client, (uint8_t *)input->data + input->size, room);
    input->size += got;
    input->data[input->size] = 0;
}

void relay_client_readable(struct session *session)
{
    if (session->state == SESSION_ENDING) {
        stream_read(&session->client, session->worker->buffer, READ_BYTES);
        return;
    }
    if (session->input.size) {
        read_into_input(session);
        relay_go_on(session);
        return;
    }
    uint8_t *buffer = session->worker->buffer;
    size_t got = stream_read(&session->client, buffer, login_read_limit(session));
    size_t done = got ? take_client_bytes(session, buffer, got) : 0;
    if (!session_is_open(session))
        return;
    if (done < got) {
        /* In front of what a nested step may have left: nothing, since input was empty and all was
         * consumed in order. */
        strbuf_add(&session->input, buffer + done, got - done);
        if (session->input.failed)
            session_close(session, CLOSE_NO_MEMORY);
    }
    if (session->client.ended)
        relay_go_on(session);
}

/* ---- Replies ---- */

/* A command has its whole reply. */
static void reply_ended(struct session *session, const struct wire_packet *packet)
{
    if (!session->tracker.result.is_error)
        identity_after_command(session, packet->command);
    statement_end(session);
    session_enter(session, SESSION_READY);
}

static bool has_prepared(struct session *session, const struct wire_packet *packet)
{
    struct wire_prepare_ok ok;
    struct run *run = &session->run;
    if (!session->worker->gateway->has_plugins)
        return true;
    if (!wire_decode_prepare_ok(packet->payload, packet->payload_size,
                                session->tracker.client_capabilities, &ok))
        return false;
    run->prepared = prepared_add(session, ok.statement_id, ok.parameters);
    session->facts.number[WEIR_NUMBER_prepared_id] = ok.statement_id;
    return run->prepared != NULL;
}

/* false: the packet must not reach the client. */
static bool reply_packet(struct session *session, const struct wire_packet *packet)
{
    struct wire_result *result = &session->tracker.result;
    session->reply_sequence = (uint8_t)(packet->sequence + 1);
    /* A server may say why it hangs up; anything else that answers no command was smuggled in. */
    if (packet->kind == WIRE_UNSOLICITED && session->worker->gateway->has_plugins &&
        (packet->payload_size == 0 || packet->payload[0] != 0xff)) {
        relay_broken(session, CLOSE_BACKEND_PROTOCOL);
        return false;
    }
    if (packet->kind == WIRE_PREPARE_OK && !has_prepared(session, packet)) {
        session_fail(session, CLOSE_NO_MEMORY, 1041, "HY000", "Out of memory");
        return false;
    }
    if (packet->kind == WIRE_OK && result->session_state)
        identity_after_session_state(session, result->session_state, result->session_state_size);
    if (packet->ends_reply && packet->command == WIRE_COM_CHANGE_USER && !result->is_error) {
        session->user_has_changed = true;
        return true;
    }
    if (packet->ends_result && !statement_result(session, packet)) {
        fail_by_plugin(session);
        return false;
    }
    if (packet->ends_reply)
        reply_ended(session, packet);
    return true;
}

/* ---- COM_CHANGE_USER has succeeded ---- */

static void tell_user_changed(struct session *session, unsigned error_code)
{
    (void)error_code; /* then the account stays unknown */
    session->stale = 0;
    session_enter(session, SESSION_READY);
    if (!session_connection_event(session, WEIR_CHANGE_USER)) {
        session_fail(session, CLOSE_REFUSED, session->facts.refusal.code,
                     session->facts.refusal.sqlstate, "%s", session->facts.refusal.message);
        return;
    }
    if (!statement_done(session)) {
        fail_by_plugin(session);
        return;
    }
    statement_end(session);
    client_send(session, session->kept_ok.data, session->kept_ok.size);
    strbuf_release(&session->kept_ok);
    relay_go_on(session);
}

static const struct question_handlers change_question = {.row = identity_answered,
                                                         .done = tell_user_changed};

/* The client reads the OK after the plugins have been told who it is now. */
static void user_changed(struct session *session, const uint8_t *bytes, size_t size)
{
    session->user_has_changed = false;
    strbuf_add(&session->kept_ok, bytes, size);
    if (!identity_change_user(session) || session->kept_ok.failed)
        session_close(session, CLOSE_NO_MEMORY);
    else if (!identity_must_ask(session))
        tell_user_changed(session, 0);
    else if (!question_ask(session, IDENTITY_QUESTION, &change_question))
        session_close(session, CLOSE_NO_MEMORY);
}

static void relay_reply(struct session *session, const uint8_t *bytes, size_t size)
{
    struct wire_input input = {bytes, bytes + size};
    struct wire_packet packet;
    enum wire_step step;
    session->held_sequence = session->tracker.sequence;
    while ((step = wire_tracker_next(&session->tracker, WIRE_FROM_SERVER, &input, &packet)) ==
           WIRE_PACKET) {
        if (session->merge)
            variables_merge(session, &packet);
        if (!reply_packet(session, &packet))
            return;
    }
    if (step == WIRE_BROKEN && session->worker->gateway->has_plugins) {
        relay_broken(session, CLOSE_BACKEND_PROTOCOL);
        return;
    }
    if (step == WIRE_BROKEN)
        go_blind(session);
    if (session->user_has_changed) {
        user_changed(session, bytes, size);
        return;
    }
    if (session->merge) {
        variables_send_merged(session);
    } else {
        session->reply_is_split =
            !wire_tracker_is_between_packets(&session->tracker, WIRE_FROM_SERVER);
        session->reply_sequence = session->tracker.sequence;
        client_send(session, bytes, size);
    }
    if (session->state == SESSION_READY)
        wire_tracker_trim(&session->tracker);
}

void relay_backend_readable(struct session *session)
{
    uint8_t *buffer = session->worker->buffer;
    for (int round = 0; round < READS_A_ROUND && session_is_open(session); round++) {
        size_t got = stream_read(&session->backend, buffer, READ_BYTES);
        if (got == 0)
            break;
        if (session->state == SESSION_ASKING)
            question_receive(session, buffer, got);
        else if (session->state < SESSION_READY)
            login_backend_bytes(session, buffer, got);
        else if (session->state == SESSION_BLIND)
            stream_write(&session->client, buffer, got);
        else
            relay_reply(session, buffer, got);
        if (got < READ_BYTES || stream_is_clogged(&session->client) || session_is_held(session))
            break;
    }
    if (!session_is_open(session))
        return;
    if (session_is_held(session) || variables_have_session(session))
        return; /* hold.c and variables_set.c go on from here */
    if (session->backend.ended || session->backend.failed)
        relay_backend_lost(session);
    else if (session->state == SESSION_READY)
        relay_go_on(session);
    else if (session->state == SESSION_RUNNING && session->input.size)
        relay_go_on(session); /* LOCAL INFILE data that came early */
}

void relay_backend_lost(struct session *session)
{
    const char *address = session->worker->gateway->backend.address_text;
    if (session->login) {
        login_backend_lost(session);
    } else if (session->state == SESSION_RUNNING) {
        session_fail(session, CLOSE_BACKEND_GONE, 2013, "08S01",
                     "weir: the backend %s closed the connection while a statement was running; "
                     "whether it took effect is not known",
                     address);
    } else {
        session->reply_sequence = 0; /* nobody has asked: like a server that says why it hangs up */
        session_fail(session, CLOSE_BACKEND_GONE, 2006, "08S01",
                     "weir: the backend %s closed the connection", address);
    }
}
