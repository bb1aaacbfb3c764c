/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/kill.h"

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

static bool map_id(void *data, uint64_t id, uint32_t *backend_id)
{
    return backend_id_of(data, id, backend_id);
}

static bool rewrite_text(struct session *session, const struct wire_packet *command,
                         struct strbuf *out)
{
    enum sql_kind first = session->run.one.kinds.kind;
    struct wire_query query;
    if (first != SQL_KIND_KILL && !session->multi_statements) /* nearly all commands */
        return false;
    if (!wire_decode_query(command->payload, command->payload_size,
                           session->tracker.client_capabilities, &query))
        return false;
    struct sql_span text = {query.text.data, query.text.size};
    struct strbuf rewritten = STRBUF_INIT;
    bool is_rewritten = sql_may_kill(text, first, session->multi_statements) &&
                        sql_kill_rewrite(&rewritten, text, &session->mode,
                                         session->multi_statements, map_id, session);
    if (is_rewritten) {
        struct wire_writer writer = wire_writer_to(out, 0);
        wire_begin_packet(&writer);
        wire_write_bytes(&writer, command->payload, command->payload_size - text.size);
        wire_write_bytes(&writer, rewritten.data, rewritten.size);
        wire_end_packet(&writer);
        out->failed = out->failed || rewritten.failed;
    }
    strbuf_release(&rewritten);
    return is_rewritten;
}

bool kill_rewrite(struct session *session, const struct wire_packet *command, struct strbuf *out)
{
    if (command->command == WIRE_COM_PROCESS_KILL)
        return rewrite_process_kill(session, command, out);
    return command->command == WIRE_COM_QUERY && rewrite_text(session, command, out);
}
