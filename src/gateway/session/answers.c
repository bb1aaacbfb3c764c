/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers are numbered from the client's leg, and shown to the trace like everything else that the
 * client reads. */
#include "gateway/session/answers.h"

#include <errno.h>
#include <string.h>

#include "gateway/session/tracing.h"

#define COLUMN_BYTES 4096 /* what clients are given as the longest value */

static uint64_t capabilities_of(const struct session *session)
{
    return session->client.capabilities;
}

static struct wire_writer *begin(const struct session *session, struct written_answer *answer)
{
    strbuf_init(&answer->out);
    answer->writer = wire_writer_to(&answer->out, session->client.sequence);
    return &answer->writer;
}

void client_write(struct session *session, const void *bytes, size_t size, uint8_t sequence)
{
    tracing_bytes(session, WIRE_FROM_SERVER, bytes, size);
    leg_write(&session->client, bytes, size, sequence);
}

void client_pass(struct session *session, const void *bytes, size_t size, uint8_t sequence,
                 bool is_mid_packet)
{
    tracing_bytes(session, WIRE_FROM_SERVER, bytes, size);
    leg_pass(&session->client, bytes, size, sequence, is_mid_packet);
}

void answer_send(struct session *session, struct written_answer *answer)
{
    if (answer->out.failed)
        leg_fail(&session->client, ENOMEM);
    else
        client_write(session, answer->out.data, answer->out.size, answer->writer.sequence);
    strbuf_release(&answer->out);
}

void answer_error(struct session *session, unsigned code, const char *sqlstate, const char *message)
{
    struct written_answer answer;
    struct wire_err err = {.code = (uint16_t)code, .message = wire_text(message)};
    if (sqlstate)
        memcpy(err.sqlstate, sqlstate, strnlen(sqlstate, sizeof err.sqlstate - 1));
    /* A client that has not said yet what it understands reads the long form too. */
    wire_encode_err(
        begin(session, &answer),
        session->reads_short_errors ? 0 : capabilities_of(session) | WIRE_CAP(CLIENT_PROTOCOL_41),
        &err);
    answer_send(session, &answer);
}

static uint16_t status_of(const struct session *session)
{
    return session->tracker.status &
           (uint16_t) ~(WIRE_SERVER_MORE_RESULTS_EXISTS | WIRE_SERVER_SESSION_STATE_CHANGED);
}

void answer_ok(struct session *session)
{
    struct written_answer answer;
    struct wire_ok ok = {.status = status_of(session)};
    wire_encode_ok(begin(session, &answer), capabilities_of(session), &ok);
    answer_send(session, &answer);
}

bool answer_add_reported_ok(const struct session *session, struct strbuf *out,
                            const struct wire_packet *ok, uint8_t sequence)
{
    struct wire_ok read;
    struct wire_writer writer = wire_writer_to(out, sequence);
    if (!wire_decode_ok(ok->payload, ok->payload_size, session->backend.capabilities, &read))
        return false;
    wire_encode_ok_reporting(&writer, capabilities_of(session), &read, tracking_is_reported,
                             &session->observed);
    return !out->failed;
}

void answer_payload(struct session *session, const void *payload, size_t size)
{
    struct written_answer answer;
    struct wire_writer *writer = begin(session, &answer);
    wire_begin_packet(writer);
    wire_write_bytes(writer, payload, size);
    wire_end_packet(writer);
    answer_send(session, &answer);
}

static void write_columns(const struct session *session, struct wire_writer *writer,
                          const char *const *columns, size_t count)
{
    wire_encode_column_count(writer, capabilities_of(session), count);
    for (size_t i = 0; i < count; i++) {
        struct wire_column_definition column = {
            .name = wire_text(columns[i]),
            .charset = WIRE_CHARSET_UTF8MB4,
            .length = COLUMN_BYTES,
            .type = WIRE_TYPE_VAR_STRING,
        };
        wire_encode_column_definition(writer, capabilities_of(session), &column);
    }
}

void answer_write_rows(const struct session *session, struct written_answer *answer,
                       const char *const *columns, size_t column_count, const char *const *values,
                       size_t row_count, uint16_t warnings)
{
    struct wire_writer *writer = begin(session, answer);
    struct wire_eof end = {.warnings = warnings, .status = status_of(session)};
    write_columns(session, writer, columns, column_count);
    if (!(capabilities_of(session) & WIRE_CAP(CLIENT_DEPRECATE_EOF)))
        wire_encode_eof(writer, capabilities_of(session), &end);
    for (size_t row = 0; row < row_count; row++) {
        struct wire_string fields[LOCAL_COLUMNS];
        for (size_t i = 0; i < column_count; i++)
            fields[i] = wire_text(values[row * column_count + i]);
        wire_encode_text_row(writer, fields, column_count);
    }
    wire_encode_rows_end(writer, capabilities_of(session), &end);
}
