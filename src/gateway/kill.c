/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/kill.h"

#include <inttypes.h>

#include "gateway/directory.h"

static bool backend_id_of(const struct session *session, uint64_t id, uint32_t *backend_id)
{
    return id <= UINT32_MAX && (id & DIRECTORY_ID_BIT) &&
           directory_find(session->worker->gateway->directory, (uint32_t)id, backend_id);
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

static bool rewrite_statement(const struct session *session, const struct wire_packet *command,
                              struct strbuf *out)
{
    const struct statement *statement = &session->run.one;
    struct sql_kill kill;
    uint32_t backend_id = 0;
    struct wire_query query;
    if (statement->kinds.kind != SQL_KIND_KILL ||
        !wire_decode_query(command->payload, command->payload_size,
                           session->tracker.client_capabilities, &query) ||
        !sql_kill((struct sql_span){query.text.data, query.text.size}, &statement->mode, &kill) ||
        !kill.is_number || kill.by_query_id || !backend_id_of(session, kill.number, &backend_id))
        return false;
    const char *payload = (const char *)command->payload;
    struct wire_writer writer = wire_writer_to(out, 0);
    char digits[16];
    int length = snprintf(digits, sizeof digits, "%" PRIu32, backend_id);
    const char *behind = kill.digits.at + kill.digits.size;
    wire_begin_packet(&writer);
    wire_write_bytes(&writer, payload, (size_t)(kill.digits.at - payload));
    wire_write_bytes(&writer, digits, (size_t)length);
    wire_write_bytes(&writer, behind, command->payload_size - (size_t)(behind - payload));
    wire_end_packet(&writer);
    return true;
}

bool kill_rewrite(const struct session *session, const struct wire_packet *command, struct strbuf *out)
{
    if (command->command == WIRE_COM_PROCESS_KILL)
        return rewrite_process_kill(session, command, out);
    return command->command == WIRE_COM_QUERY && rewrite_statement(session, command, out);
}
