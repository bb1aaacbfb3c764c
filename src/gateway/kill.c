/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/kill.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

static bool backend_id_of(const struct session *session, uint64_t id, uint32_t *backend_id)
{
    return id <= UINT32_MAX && (id & CONNECTION_ID_BIT) &&
           connection_ids_find(session->worker->gateway->connection_ids, (uint32_t)id, backend_id);
}

static bool rewrite_process_kill(const struct session *session, const struct wire_packet *command,
                                 struct strbuf *out)
{
    struct wire_reader reader = wire_reader_of(command->payload + 1, command->payload_size - 1);
    uint32_t backend_id = 0;
    if (!backend_id_of(session, wire_read_u32(&reader), &backend_id))
        return false;
    struct wire_writer writer = wire_writer_to(out, 0);
    wire_begin_packet(&writer);
    wire_write_u8(&writer, WIRE_COM_PROCESS_KILL);
    wire_write_u32(&writer, backend_id);
    wire_end_packet(&writer);
    return true;
}

/* Writes the statement, with the backend's id in place of the gateway's where it is a KILL of a
 * session here. Returns whether it was. */
static bool write_statement(const struct session *session, struct sql_span statement,
                            const struct sql_mode *mode, struct wire_writer *writer)
{
    struct sql_kill kill;
    uint32_t backend_id = 0;
    bool is_ours = sql_statement_quick_kind(statement, mode).kind == SQL_KIND_KILL &&
                   sql_kill(statement, mode, &kill) && kill.is_number && !kill.by_query_id &&
                   backend_id_of(session, kill.number, &backend_id);
    if (!is_ours) {
        wire_write_bytes(writer, statement.at, statement.size);
        return false;
    }
    char digits[16];
    int length = snprintf(digits, sizeof digits, "%" PRIu32, backend_id);
    size_t before = (size_t)(kill.digits.at - statement.at);
    wire_write_bytes(writer, statement.at, before);
    wire_write_bytes(writer, digits, (size_t)length);
    wire_write_bytes(writer, kill.digits.at + kill.digits.size,
                     statement.size - before - kill.digits.size);
    return true;
}

/* Whether any statement of the text may be a KILL. The word is looked for only in texts of several
 * statements. */
static bool may_kill(const struct session *session, struct sql_span text)
{
    if (session->run.one.kinds.kind == SQL_KIND_KILL)
        return true;
    const char *at = memchr(text.at, ';', text.size);
    const char *end = text.at + text.size;
    if (!at || !session->multi_statements)
        return false;
    for (; end - at >= 4; at++)
        if ((*at | 0x20) == 'k' && strncasecmp(at, "kill", 4) == 0)
            return true;
    return false;
}

static bool rewrite_text(const struct session *session, const struct wire_packet *command,
                         struct strbuf *out)
{
    struct wire_query query;
    if (!wire_decode_query(command->payload, command->payload_size,
                           session->tracker.client_capabilities, &query))
        return false;
    struct sql_span text = {query.text.data, query.text.size}, statement;
    if (!may_kill(session, text))
        return false;
    const char *payload = (const char *)command->payload;
    const char *end = text.at + text.size, *rest = text.at;
    struct sql_splitter splitter;
    bool rewritten = false;
    struct wire_writer writer = wire_writer_to(out, 0);
    wire_begin_packet(&writer);
    wire_write_bytes(&writer, payload, (size_t)(text.at - payload));
    sql_splitter_init(&splitter, text, &session->mode);
    while (sql_splitter_next(&splitter, &statement)) {
        rewritten = write_statement(session, statement, &splitter.mode, &writer) || rewritten;
        rest = statement.at + statement.size;
    }
    wire_write_bytes(&writer, rest, (size_t)(end - rest));
    wire_end_packet(&writer);
    if (!rewritten)
        strbuf_release(out);
    return rewritten;
}

bool kill_rewrite(const struct session *session, const struct wire_packet *command,
                  struct strbuf *out)
{
    if (command->command == WIRE_COM_PROCESS_KILL)
        return rewrite_process_kill(session, command, out);
    return command->command == WIRE_COM_QUERY && rewrite_text(session, command, out);
}
