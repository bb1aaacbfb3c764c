/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands of every form are read here once, for those that are passed on (kill_session.c) and those
 * that the gateway runs (kill_elsewhere.c). */
#include "gateway/local/kill_target.h"

#include <string.h>

bool kill_find_place(const struct observed *observed, uint64_t id, struct session_place *place)
{
    const struct session_environment *environment = observed->environment;
    return id <= UINT32_MAX && environment->operations->id_find(environment->owner, (uint32_t)id,
                                                                observed->identity.user, place);
}

bool kill_is_elsewhere(const struct observed *observed, const struct session_place *place)
{
    return place->node || (place->backend && place->backend != observed->backend);
}

/* ---- Texts ---- */

/* Several statements cannot be prepared at once. */
static bool is_multi(const struct observed *observed, const struct wire_packet *packet)
{
    return packet->command == WIRE_COM_QUERY && observed->identity.multi_statements;
}

bool kill_may_be_in(const struct observed *observed, const struct wire_packet *packet)
{
    return sql_may_kill(local_query_text(observed, packet), observed->command.one.kinds.kind,
                        is_multi(observed, packet));
}

bool kill_rewrite(const struct observed *observed, const struct wire_packet *packet,
                  sql_kill_map *map, struct strbuf *out)
{
    const struct identity *identity = &observed->identity;
    return kill_may_be_in(observed, packet) &&
           sql_kill_rewrite(out, local_query_text(observed, packet), &identity->mode,
                            is_multi(observed, packet), map, (void *)observed);
}

/* Names are only followed where plugins are; a KILL need not be in the text of an EXECUTE. */
bool kill_is_alone(const struct observed *observed, const struct wire_packet *packet,
                   struct sql_kill *kill)
{
    const struct statement *statement = &observed->command.one;
    const bool is_named = statement->kinds.kind == SQL_KIND_EXECUTE && has_plugins(observed);
    *kill = (struct sql_kill){0};
    return (is_named || kill_may_be_in(observed, packet)) &&
           (packet->command == WIRE_COM_STMT_PREPARE || local_is_single_query(observed, packet)) &&
           sql_kill_alone(local_query_text(observed, packet), &statement->mode,
                          is_named ? &observed->identity.named : NULL, kill);
}

/* ---- Prepared statements ---- */

struct prepared *kill_find_prepared(const struct observed *observed,
                                    const struct wire_packet *packet, struct sql_kill *kill)
{
    struct wire_reader reader = command_arguments(packet);
    const uint32_t id = wire_read_u32(&reader);
    if (reader.failed || (id == WIRE_STATEMENT_LAST && !has_plugins(observed)))
        return NULL;
    struct prepared *prepared = prepared_find(observed, id);
    if (!prepared)
        return NULL;
    const struct sql_span text = {prepared->text, prepared->text_size};
    const bool is_such = sql_may_kill(text, prepared->kinds.kind, false) &&
                         sql_kill_alone(text, &prepared->mode, NULL, kill) && !kill->is_kept &&
                         !kill->by_query_id;
    return is_such ? prepared : NULL;
}

/* As text the number may have an exponent, which is no id. */
static bool read_double(const struct wire_parameter *parameter, uint64_t *number)
{
    double value = 0;
    if (parameter->type != WIRE_TYPE_DOUBLE || parameter->raw.size != sizeof value)
        return false;
    memcpy(&value, parameter->raw.data, sizeof value);
    const bool is_id = value >= 0 && value <= UINT32_MAX && value == (double)(uint32_t)value;
    *number = is_id ? (uint32_t)value : 0;
    return is_id;
}

/* A string is read as the text of a KILL would be. */
static bool read_number(const struct prepared *prepared, const struct wire_parameter *parameter,
                        uint64_t *number)
{
    struct strbuf text = STRBUF_INIT;
    struct sql_kill kill = {0};
    strbuf_add_text(&text, "KILL ");
    const bool is_number =
        wire_parameter_text(parameter, &text) && !text.failed &&
        sql_kill((struct sql_span){text.data, text.size}, &prepared->mode, &kill) && kill.is_number;
    *number = kill.number;
    strbuf_release(&text);
    return is_number;
}

void kill_read_value(const struct observed *observed, const struct prepared *prepared,
                     const uint8_t *payload, size_t size, struct kill_value *value)
{
    const struct wire_string remembered = {prepared->types, prepared->types_size};
    struct wire_parameter *parameter = &value->parameter;
    *value = (struct kill_value){0};
    value->is_known =
        wire_execute_begin(&value->execute, payload, size, observed->capabilities,
                           prepared->parameter_count, remembered, prepared->long_bits) &&
        wire_parameter_next(&value->execute.parameters, parameter) && !parameter->is_null &&
        !parameter->is_long_data &&
        (read_double(parameter, &value->number) ||
         read_number(prepared, parameter, &value->number));
}
