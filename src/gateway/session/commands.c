/* SPDX-License-Identifier: Apache-2.0
 *
 * The client's side of the relay: bytes to commands, and the data that passes without being
 * commands. */
#include "gateway/relay.h"

#include <string.h>

#include "gateway/command.h"
#include "gateway/hold.h"
#include "gateway/identity.h"
#include "gateway/login.h"
#include "gateway/question.h"
#include "gateway/tracing.h"

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
    if (identity_must_ask(session) &&
        !identity_must_wait(session, bytes + WIRE_HEADER_BYTES, whole - WIRE_HEADER_BYTES)) {
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
        command_run(session, &command, bytes, whole);
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
