/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/question.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/relay.h"

#define QUESTION_WANTS (RELAY_WANTS | WIRE_WANT(WIRE_ROW))

struct question {
    const struct question_handlers *handlers;
    unsigned error_code;
};

bool question_ask(struct session *session, const char *text,
                  const struct question_handlers *handlers)
{
    struct question *question = calloc(1, sizeof *question);
    struct strbuf packet = STRBUF_INIT;
    struct wire_writer writer = wire_writer_to(&packet, 0);
    wire_begin_packet(&writer);
    wire_write_u8(&writer, WIRE_COM_QUERY);
    if (session->tracker.client_capabilities & WIRE_CAP(CLIENT_QUERY_ATTRIBUTES)) {
        wire_write_lenenc(&writer, 0); /* no attributes */
        wire_write_lenenc(&writer, 1); /* one set of them */
    }
    wire_write_bytes(&writer, text, strlen(text));
    wire_end_packet(&writer);
    bool fine = question && !packet.failed;
    if (fine) {
        question->handlers = handlers;
        session->question = question;
        wire_tracker_want(&session->tracker, handlers->packet ? WIRE_WANT_ALL : QUESTION_WANTS);
        struct wire_input input = {(uint8_t *)packet.data, (uint8_t *)packet.data + packet.size};
        struct wire_packet command;
        fine =
            wire_tracker_next(&session->tracker, WIRE_FROM_CLIENT, &input, &command) == WIRE_PACKET;
        session_enter(session, SESSION_ASKING);
        stream_write(&session->backend, packet.data, packet.size);
    } else {
        free(question);
    }
    strbuf_release(&packet);
    return fine;
}

static void hand_over_row(struct session *session, const struct wire_packet *packet)
{
    struct wire_string values[QUESTION_VALUES];
    struct wire_reader reader = wire_reader_of(packet->payload, packet->payload_size);
    size_t count = 0;
    while (count < QUESTION_VALUES && wire_text_field_next(&reader, &values[count]))
        count++;
    if (!reader.failed)
        session->question->handlers->row(session, values, count);
}

void question_receive(struct session *session, const uint8_t *bytes, size_t size)
{
    struct wire_input input = {bytes, bytes + size};
    struct wire_packet packet;
    enum wire_step step;
    while ((step = wire_tracker_next(&session->tracker, WIRE_FROM_SERVER, &input, &packet)) ==
           WIRE_PACKET) {
        struct question *question = session->question;
        if (question->handlers->packet)
            question->handlers->packet(session, &packet);
        if (packet.kind == WIRE_ROW && question->handlers->row)
            hand_over_row(session, &packet);
        if (packet.kind == WIRE_ERR)
            question->error_code = session->tracker.result.error_code;
        if (packet.ends_reply) {
            unsigned error_code = question->error_code;
            const struct question_handlers *handlers = question->handlers;
            session->question = NULL;
            free(question);
            wire_tracker_want(&session->tracker, RELAY_WANTS);
            handlers->done(session, error_code);
            return;
        }
    }
    if (step == WIRE_BROKEN)
        relay_broken(session, CLOSE_BACKEND_PROTOCOL);
}

void question_release(struct session *session)
{
    free(session->question);
    session->question = NULL;
}
