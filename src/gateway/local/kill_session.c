/* SPDX-License-Identifier: Apache-2.0
 *
 * KILL of a session by the id that its client was given, as COM_PROCESS_KILL or among the statements
 * of a COM_QUERY: FORWARD with the backend's id in place of the gateway's. A KILL of any other id
 * is an ordinary statement. */
#include "gateway/local/local.h"

/* data: the environment. Returns false if no session of the gateway has that id. */
static bool find_id(void *data, uint64_t id, uint32_t *backend_id)
{
    const struct session_environment *environment = data;
    return id <= UINT32_MAX &&
           environment->operations->id_find(environment->owner, (uint32_t)id, backend_id);
}

static bool find_process(const struct observed *observed, const struct wire_packet *packet,
                         uint32_t *backend_id)
{
    struct wire_reader reader = command_arguments(packet);
    uint32_t id = wire_read_u32(&reader);
    return !reader.failed && find_id(observed->environment, id, backend_id);
}

static bool may_kill(const struct observed *observed, const struct wire_packet *packet)
{
    return sql_may_kill(local_query_text(observed, packet), observed->command.one.kinds.kind,
                        observed->identity.multi_statements);
}

/* Adds the text with the backend's ids to out. Returns whether there was any to replace. */
static bool rewrite(const struct observed *observed, const struct wire_packet *packet,
                    struct strbuf *out)
{
    const struct identity *identity = &observed->identity;
    return may_kill(observed, packet) &&
           sql_kill_rewrite(out, local_query_text(observed, packet), &identity->mode,
                            identity->multi_statements, find_id, observed->environment);
}

static bool matches(const struct observed *observed, const struct wire_packet *packet)
{
    uint32_t backend_id = 0;
    if (packet->command == WIRE_COM_PROCESS_KILL)
        return find_process(observed, packet, &backend_id);
    if (packet->command != WIRE_COM_QUERY || !may_kill(observed, packet))
        return false;
    struct strbuf text = STRBUF_INIT;
    bool is_ours = rewrite(observed, packet, &text);
    strbuf_release(&text);
    return is_ours;
}

/* The session may have ended since its id was looked up: then the command goes as it came, and the
 * backend says that it knows no such id. */
static void write_process_kill(struct wire_writer *writer, const struct observed *observed,
                               const struct wire_packet *packet)
{
    uint32_t backend_id = 0;
    if (find_process(observed, packet, &backend_id)) {
        wire_write_u8(writer, WIRE_COM_PROCESS_KILL);
        wire_write_u32(writer, backend_id);
    } else {
        wire_write_bytes(writer, packet->payload, packet->payload_size);
    }
}

/* What stands before the text (the command's byte, query attributes) stays. */
static void write_query(struct wire_writer *writer, const struct observed *observed,
                        const struct wire_packet *packet)
{
    struct strbuf text = STRBUF_INIT;
    size_t text_size = local_query_text(observed, packet).size;
    if (rewrite(observed, packet, &text)) {
        wire_write_bytes(writer, packet->payload, packet->payload_size - text_size);
        wire_write_bytes(writer, text.data, text.size);
        writer->out->failed = writer->out->failed || text.failed;
    } else {
        wire_write_bytes(writer, packet->payload, packet->payload_size);
    }
    strbuf_release(&text);
}

static struct local_action begin(struct local *local, const struct wire_packet *packet)
{
    struct wire_writer writer = wire_writer_to(&local->packet, 0);
    wire_begin_packet(&writer);
    if (packet->command == WIRE_COM_PROCESS_KILL)
        write_process_kill(&writer, local->observed, packet);
    else
        write_query(&writer, local->observed, packet);
    wire_end_packet(&writer);
    return local_forward(local);
}

const struct local_statement local_kill = {
    .name = "kill",
    .size = sizeof(struct local),
    .matches = matches,
    .begin = begin,
};
