/* SPDX-License-Identifier: Apache-2.0
 *
 * A statement at work: how it begins, the ends that all of them share, and what they read of a
 * command. */
#include "gateway/local/local.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct local *local_begin(const struct local_statement *statement, struct observed *observed)
{
    assert(observed && statement->size >= sizeof(struct local));
    struct local *local = calloc(1, statement->size);
    if (!local)
        return NULL;
    local->statement = statement;
    local->observed = observed;
    strbuf_init(&local->packet);
    strbuf_init(&local->reply);
    strbuf_init(&local->warnings);
    strbuf_init(&local->accounts);
    strbuf_init(&local->warned);
    return local;
}

void local_end(struct local *local)
{
    if (!local)
        return;
    if (local->statement->release)
        local->statement->release(local);
    strbuf_release(&local->packet);
    strbuf_release(&local->reply);
    strbuf_release(&local->warnings);
    strbuf_release(&local->accounts);
    strbuf_release(&local->warned);
    free(local);
}

/* ---- How statements end ---- */

static struct local_action answer(struct local *local, enum local_answer_kind kind)
{
    local->answer.kind = kind;
    return (struct local_action){.kind = LOCAL_ANSWER};
}

struct local_action local_refuse(struct local *local, const struct plugin_refusal *refusal)
{
    assert(refusal->code);
    local->answer.error = *refusal;
    if (local->observed->command.code == WIRE_COM_STMT_PREPARE)
        local->observed->prepare_refused = true;
    return answer(local, LOCAL_ERROR);
}

struct local_action local_fail(struct local *local, unsigned code, const char *format, ...)
{
    struct plugin_refusal refusal = {.code = code};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(refusal.message, sizeof refusal.message, format, arguments);
    va_end(arguments);
    return local_refuse(local, &refusal);
}

struct local_action local_fail_like(struct local *local, const struct wire_result *result)
{
    assert(result->is_error);
    struct plugin_refusal refusal = {.code = result->error_code};
    memcpy(refusal.sqlstate, result->sqlstate, sizeof refusal.sqlstate);
    snprintf(refusal.message, sizeof refusal.message, "%.*s", (int)result->message_size,
             result->message ? result->message : "");
    return local_refuse(local, &refusal);
}

struct local_action local_out_of_memory(struct local *local)
{
    return local_fail(local, WIRE_ER_OUT_OF_RESOURCES, "Out of memory.");
}

void local_keep_ok(struct local *local, const struct wire_packet *packet,
                   const struct wire_result *result, struct strbuf *answer,
                   struct wire_result *kept)
{
    if (!packet->ends_reply || result->is_error)
        return;
    strbuf_reset(answer);
    strbuf_add(answer, packet->payload, packet->payload_size);
    *kept = *result;
    kept->message = "";
    kept->message_size = 0;
    kept->session_state = NULL;
    kept->session_state_size = 0;
    tracking_result(local->observed, result);
}

struct local_action local_ok(struct local *local)
{
    return answer(local, LOCAL_OK);
}

struct local_action local_rows(struct local *local, const char *const *columns, size_t column_count,
                               const char *const *values, size_t row_count)
{
    assert(column_count > 0 && column_count <= LOCAL_COLUMNS);
    local->answer.columns = columns;
    local->answer.column_count = column_count;
    local->answer.values = values;
    local->answer.row_count = row_count;
    return answer(local, LOCAL_ROWS);
}

struct local_action local_forward(struct local *local)
{
    if (local->packet.failed)
        return local_out_of_memory(local);
    assert(local->packet.size > WIRE_HEADER_BYTES);
    return (struct local_action){.kind = LOCAL_FORWARD};
}

/* ---- What is read of a command ---- */

struct sql_span local_query_text(const struct observed *observed, const struct wire_packet *packet)
{
    assert(packet->command == WIRE_COM_QUERY || packet->command == WIRE_COM_STMT_PREPARE);
    const struct wire_string *text = &observed->command.sent;
    return (struct sql_span){text->data, text->size};
}

bool local_is_single_query(const struct observed *observed, const struct wire_packet *packet)
{
    if (packet->command != WIRE_COM_QUERY || observed->command.count != 1)
        return false;
    /* Without plugins the text has not been cut into statements. */
    return has_plugins(observed) || !observed->identity.multi_statements ||
           !sql_is_multi(local_query_text(observed, packet), &observed->identity.mode);
}
