/* SPDX-License-Identifier: Apache-2.0
 *
 * KILL of a session by the id that its client was given, as COM_PROCESS_KILL, in the text of a
 * COM_QUERY or COM_STMT_PREPARE, or as the parameter of a KILL ?: FORWARD with the backend's id in
 * place of the gateway's. A KILL of any other id is an ordinary statement.
 *
 * The map of prepared statements, which is the plugins' otherwise, knows a KILL ? without plugins
 * too. What the gateway cannot read (an expression, a value that came as long data) goes as it came,
 * and hits nobody: the gateway's ids lie where the backend's do not (upstream/connection_ids.h). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gateway/local/kill_target.h"

/* data: the observed. One that is elsewhere is nobody here: its number may be somebody else's. */
static bool find_id(void *data, uint64_t id, uint32_t *backend_id)
{
    const struct observed *observed = data;
    struct session_place place;
    if (!kill_find_place(observed, id, &place))
        return false;
    *backend_id = kill_is_elsewhere(observed, &place) ? 0 : place.backend_id;
    return true;
}

static bool find_process(const struct observed *observed, const struct wire_packet *packet,
                         uint32_t *backend_id)
{
    struct wire_reader reader = command_arguments(packet);
    uint32_t id = wire_read_u32(&reader);
    return !reader.failed && find_id((void *)observed, id, backend_id);
}

/* ---- KILL ? ---- */

/* Of a Prepare: whether what is prepared is looked at again when it is executed. */
static bool is_run_later(const struct observed *observed, const struct wire_packet *packet)
{
    struct sql_kill kill;
    struct session_place place;
    return kill_is_alone(observed, packet, &kill) && !kill.by_query_id && !kill.is_kept &&
           (kill.is_parameter ||
            (kill.is_number && kill_find_place(observed, kill.number, &place) &&
             kill_is_elsewhere(observed, &place)));
}

/* The statement that an Execute runs, if it is a KILL ?; NULL: it is another. */
static struct prepared *find_prepared(const struct observed *observed,
                                      const struct wire_packet *packet)
{
    struct sql_kill kill;
    struct prepared *prepared = kill_find_prepared(observed, packet, &kill);
    return prepared && kill.is_parameter ? prepared : NULL;
}

/* Writes the id over the value, in as many bytes. */
static void write_id(const struct wire_parameter *parameter, uint8_t *value, uint32_t id)
{
    char digits[24];
    const double number = id;
    const struct wire_field_type_info *type = wire_field_type_info(parameter->type);
    size_t size = parameter->raw.size;
    if (type && type->layout == WIRE_BINARY_INTEGER) {
        for (size_t i = 0; i < size; i++)
            value[i] = i < sizeof id ? (uint8_t)(id >> 8 * i) : 0;
    } else if (parameter->type == WIRE_TYPE_DOUBLE && size == sizeof number) {
        memcpy(value, &number, size);
    } else if (type && type->layout != WIRE_BINARY_FLOAT && size >= 10 && size < sizeof digits) {
        snprintf(digits, sizeof digits, "%0*" PRIu32, (int)size, id);
        memcpy(value, digits, size);
    }
}

/* Replaces the one parameter of the Execute that is `local->packet`, if it is a session's id. */
static void replace_parameter(struct local *local, struct prepared *prepared)
{
    const struct observed *observed = local->observed;
    struct strbuf *packet = &local->packet;
    struct kill_value value;
    uint32_t backend_id = 0;
    uint8_t *payload = (uint8_t *)packet->data + WIRE_HEADER_BYTES;
    kill_read_value(observed, prepared, payload, packet->size - WIRE_HEADER_BYTES, &value);
    if (value.is_known && find_id((void *)observed, value.number, &backend_id))
        write_id(&value.parameter, payload + ((const uint8_t *)value.parameter.raw.data - payload),
                 backend_id);
    prepared_note_types(prepared, value.execute.types);
}

/* Each packet of a Prepare's reply, without plugins: they would have the statement kept. */
static void prepared_packet(struct local *local, const struct wire_packet *packet,
                            struct wire_result *result)
{
    struct observed *observed = local->observed;
    struct wire_writer writer = wire_writer_to(&local->reply, packet->sequence);
    struct wire_prepare_ok ok;
    (void)result;
    wire_begin_packet(&writer);
    wire_write_bytes(&writer, packet->payload, packet->payload_size);
    wire_end_packet(&writer);
    if (packet->kind == WIRE_PREPARE_OK &&
        wire_decode_prepare_ok(packet->payload, packet->payload_size, observed->capabilities,
                               &ok) &&
        prepared_has_room(observed, observed->command.text.size))
        prepared_add(observed, ok.statement_id, ok.parameters); /* or else it stays unknown */
}

/* The text is copied because the command goes before its reply comes. */
static struct local_action forward_prepare(struct local *local, const struct wire_packet *packet)
{
    struct observed *observed = local->observed;
    struct sql_span text = local_query_text(observed, packet);
    struct local_action action = local_forward(local);
    if (has_plugins(observed) || !is_run_later(observed, packet))
        return action;
    strbuf_reset(&observed->command.text);
    strbuf_add(&observed->command.text, text.at, text.size);
    action.reply_packet = prepared_packet;
    return action;
}

/* ---- All forms ---- */

static bool matches(const struct observed *observed, const struct wire_packet *packet)
{
    uint32_t backend_id = 0;
    if (packet->command == WIRE_COM_PROCESS_KILL)
        return find_process(observed, packet, &backend_id);
    if (packet->command == WIRE_COM_STMT_EXECUTE)
        return find_prepared(observed, packet) != NULL;
    if ((packet->command != WIRE_COM_QUERY && packet->command != WIRE_COM_STMT_PREPARE) ||
        !kill_may_be_in(observed, packet))
        return false;
    struct strbuf text = STRBUF_INIT;
    bool is_ours = kill_rewrite(observed, packet, find_id, &text);
    strbuf_release(&text);
    return is_ours || (packet->command == WIRE_COM_STMT_PREPARE && !has_plugins(observed) &&
                       is_run_later(observed, packet));
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
    if (kill_rewrite(observed, packet, find_id, &text)) {
        wire_write_bytes(writer, packet->payload, packet->payload_size - text_size);
        wire_write_bytes(writer, text.data, text.size);
        writer->out->failed = writer->out->failed || text.failed;
    } else {
        wire_write_bytes(writer, packet->payload, packet->payload_size);
    }
    strbuf_release(&text);
}

/* With the types that the gateway has read in an Execute which it did not pass on: the backend does not
 * know them. */
static void write_execute(struct wire_writer *writer, const struct observed *observed,
                          const struct wire_packet *packet)
{
    struct prepared *prepared = find_prepared(observed, packet);
    struct kill_value value;
    kill_read_value(observed, prepared, packet->payload, packet->payload_size, &value);
    if (prepared->types_unsent && value.is_known && !value.execute.types.data) {
        const uint8_t *values = value.execute.values;
        wire_write_bytes(writer, packet->payload, (size_t)(values - packet->payload) - 1);
        wire_write_u8(writer, 1); /* types follow */
        wire_write_bytes(writer, prepared->types, prepared->types_size);
        wire_write_bytes(writer, values, (size_t)(packet->payload + packet->payload_size - values));
    } else {
        wire_write_bytes(writer, packet->payload, packet->payload_size);
    }
    prepared->types_unsent = false;
}

static struct local_action begin(struct local *local, const struct wire_packet *packet)
{
    struct wire_writer writer = wire_writer_to(&local->packet, 0);
    wire_begin_packet(&writer);
    if (packet->command == WIRE_COM_PROCESS_KILL)
        write_process_kill(&writer, local->observed, packet);
    else if (packet->command == WIRE_COM_STMT_EXECUTE)
        write_execute(&writer, local->observed, packet);
    else
        write_query(&writer, local->observed, packet);
    wire_end_packet(&writer);
    struct strbuf *written = &local->packet;
    if (packet->command == WIRE_COM_STMT_EXECUTE && !written->failed)
        replace_parameter(local, find_prepared(local->observed, packet));
    return packet->command == WIRE_COM_STMT_PREPARE ? forward_prepare(local, packet)
                                                    : local_forward(local);
}

const struct local_statement local_kill = {
    .name = "kill",
    .size = sizeof(struct local),
    .matches = matches,
    .begin = begin,
};
