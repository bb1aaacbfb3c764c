/* SPDX-License-Identifier: Apache-2.0
 *
 * One query at a time: its packet goes through the session's tracker like a command of the client's,
 * so that its reply is followed like any other. */
#include "gateway/session/query.h"

#include <stdlib.h>
#include <string.h>

#define QUERY_WANTS (RELAY_WANTS | WIRE_WANT(WIRE_ROW))

/* init_connect has failed: the server says so to the first command after the login, and closes. */
#define NEW_ABORTING_CONNECTION 1184

struct query {
    const struct query_handlers *handlers;
    query_completed *identity_known; /* of query_identity() */
    unsigned error_code;
};

static void write_query(const struct session *session, struct strbuf *out, const char *text)
{
    struct wire_writer writer = wire_writer_to(out, 0);
    wire_begin_packet(&writer);
    wire_write_u8(&writer, WIRE_COM_QUERY);
    if (session->tracker.client_capabilities & WIRE_CAP(CLIENT_QUERY_ATTRIBUTES)) {
        wire_write_lenenc(&writer, 0); /* no attributes */
        wire_write_lenenc(&writer, 1); /* one set of them */
    }
    wire_write_bytes(&writer, text, strlen(text));
    wire_end_packet(&writer);
}

void query_begin(struct session *session, const char *text, const struct query_handlers *handlers)
{
    assert(!session->query && !session_is_owed(session));
    struct strbuf packet = STRBUF_INIT;
    struct wire_packet command;
    write_query(session, &packet, text);
    struct wire_input input = {(uint8_t *)packet.data, (uint8_t *)packet.data + packet.size};
    session->query = packet.failed ? NULL : calloc(1, sizeof *session->query);
    if (session->query &&
        wire_tracker_next(&session->tracker, WIRE_FROM_CLIENT, &input, &command) == WIRE_PACKET) {
        session->query->handlers = handlers;
        wire_tracker_want(&session->tracker, handlers->packet ? WIRE_WANT_ALL : QUERY_WANTS);
        session_enter(session, SESSION_QUERYING);
        session_count(session, METRIC_QUERIES_INTERNAL, 1);
        leg_write(&session->backend, packet.data, packet.size, 1);
    } else {
        session_close(session, CLOSE_NO_MEMORY);
    }
    strbuf_release(&packet);
}

static void identity_row(struct session *session, const struct wire_string *values, size_t count)
{
    identity_answer(&session->observed, values, count);
}

void query_identity(struct session *session, query_completed *done)
{
    static const struct query_handlers handlers = {.row = identity_row};
    query_begin(session, identity_question(&session->observed), &handlers);
    if (session->query)
        session->query->identity_known = done;
}

static void hand_over_row(struct session *session, const struct wire_packet *packet)
{
    struct wire_string values[QUERY_COLUMNS];
    struct wire_reader reader = wire_reader_of(packet->payload, packet->payload_size);
    size_t count = 0;
    while (count < QUERY_COLUMNS && wire_text_field_next(&reader, &values[count]))
        count++;
    if (!reader.failed)
        session->query->handlers->row(session, values, count);
}

/* The server takes the first question for the client's first command: what it says of the session
 * itself is for the client. */
static void take_error(struct session *session, const struct wire_packet *err)
{
    struct query *query = session->query;
    query->error_code = session->tracker.result.error_code;
    if (query->error_code == NEW_ABORTING_CONNECTION && query->identity_known)
        strbuf_add(&session->last_words, err->payload, err->payload_size);
}

static void complete(struct session *session)
{
    const struct query query = *session->query;
    query_release(session);
    wire_tracker_want(&session->tracker, RELAY_WANTS);
    query_completed *done = query.identity_known ? query.identity_known : query.handlers->done;
    done(session, query.error_code);
}

bool query_bytes(struct session *session)
{
    struct leg *leg = &session->backend;
    struct wire_input input = {leg->pos + session->shown, leg->end};
    struct wire_packet packet;
    enum wire_step step = WIRE_MORE;
    bool is_complete = false;
    session->shown = 0; /* the client does not read it */
    while (!is_complete && (step = wire_tracker_next(&session->tracker, WIRE_FROM_SERVER, &input,
                                                     &packet)) == WIRE_PACKET) {
        struct query *query = session->query;
        if (packet.kind == WIRE_UNSOLICITED) { /* not for this query */
            if (session_is_smuggled(session, &packet)) {
                session_fail_broken(session, CLOSE_BACKEND_PROTOCOL);
                return true;
            }
            if (session_is_farewell(&packet)) {
                session_fail_like_backend(session, &packet);
                return true;
            }
            continue;
        }
        if (query->handlers->packet)
            query->handlers->packet(session, &packet);
        if (packet.kind == WIRE_ROW && query->handlers->row)
            hand_over_row(session, &packet);
        if (packet.kind == WIRE_ERR)
            take_error(session, &packet);
        is_complete = packet.ends_reply;
    }
    if (is_complete)
        complete(session); /* may still look at the last packet: it is taken afterwards */
    else if (step == WIRE_BROKEN)
        session_fail_broken(session, CLOSE_BACKEND_PROTOCOL);
    leg_take(leg, (size_t)(input.pos - leg->pos));
    return true;
}

void query_release(struct session *session)
{
    free(session->query);
    session->query = NULL;
}
