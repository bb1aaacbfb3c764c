/* SPDX-License-Identifier: Apache-2.0
 *
 * Decodes the values of an Execute from its payload, which the command keeps, with the types that
 * this execution or an earlier one has sent. */
#include "gateway/statement/execute_parameters.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/statement/command.h"
#include "gateway/statement/prepared.h"

static bool begin(const struct observed *observed, struct wire_parameters *parameters)
{
    const struct command *command = &observed->command;
    const struct prepared *prepared = command->prepared;
    const uint8_t *payload = (const uint8_t *)command->arguments.data;
    if (!prepared || command->arguments.size == 0)
        return false;
    struct wire_string remembered = {prepared->types, prepared->types_size};
    bool ok = false;
    if (command->code == WIRE_COM_STMT_EXECUTE) {
        struct wire_execute execute;
        ok = wire_execute_begin(&execute, payload, command->arguments.size, observed->capabilities,
                                prepared->parameter_count, remembered, prepared->long_bits);
        *parameters = execute.parameters;
    } else if (command->code == WIRE_COM_STMT_BULK_EXECUTE) {
        struct wire_bulk_execute execute;
        ok = wire_bulk_execute_begin(&execute, payload, command->arguments.size,
                                     prepared->parameter_count, remembered);
        *parameters = execute.parameters;
    }
    return ok;
}

void parameters_reset(struct parameter_cursor *cursor)
{
    cursor->is_begun = false;
    waypoints_reset(&cursor->passed);
}

/* Moves the cursor to the parameter, or to one before it from which the way is not long. */
static void approach(const struct observed *observed, struct parameter_cursor *cursor, size_t index)
{
    size_t near = waypoints_nearest(&cursor->passed, index);
    if (cursor->is_begun && cursor->index <= index && cursor->index >= near)
        return;
    if (near)
        waypoints_take(&cursor->passed, near, &cursor->at, sizeof cursor->at);
    else
        cursor->is_begun = begin(observed, &cursor->at);
    cursor->index = near;
}

/* Leaves the cursor at the parameter, since a plugin may ask for it once more. */
static bool find(const struct observed *observed, struct parameter_cursor *cursor, size_t index,
                 struct wire_parameter *parameter)
{
    approach(observed, cursor, index);
    while (cursor->is_begun) {
        struct wire_parameters after = cursor->at;
        if (!wire_parameter_next(&after, parameter))
            return false;
        if (cursor->index == index)
            return true;
        cursor->at = after;
        cursor->index++;
        waypoints_pass(&cursor->passed, cursor->index, &cursor->at, sizeof cursor->at);
    }
    return false;
}

/* What came before the command. NULL: nothing, or it could not be kept. */
static const struct long_data *sent_before(const struct observed *observed,
                                           const struct wire_parameter *parameter)
{
    return parameter->is_long_data
               ? prepared_long_data(observed->command.prepared, parameter->index)
               : NULL;
}

static bool is_whole(const struct long_data *sent)
{
    return sent && sent->kept.size == sent->size;
}

static weir_string value_of(const struct observed *observed, const struct wire_parameter *parameter,
                            struct strbuf *text)
{
    const struct long_data *sent = sent_before(observed, parameter);
    strbuf_reset(text);
    if (parameter->is_null || parameter->indicator != WIRE_INDICATOR_VALUE)
        return (weir_string){NULL, 0};
    if (parameter->is_long_data)
        return sent && sent->kept.size ? (weir_string){sent->kept.data, sent->kept.size}
                                       : (weir_string){"", 0};
    if (!wire_parameter_text(parameter, text)) {
        strbuf_reset(text);
        strbuf_add(text, parameter->raw.data, parameter->raw.size);
    }
    return text->data ? (weir_string){text->data, text->size} : (weir_string){"", 0};
}

bool parameters_get(const struct observed *observed, struct parameter_cursor *cursor, size_t index,
                    struct strbuf *text, weir_parameter *out)
{
    struct wire_parameter parameter = {0};
    if (!find(observed, cursor, index, &parameter))
        return false;
    const struct wire_field_type_info *type = wire_field_type_info(parameter.type);
    const char *name = type ? type->name : "UNKNOWN";
    *out = (weir_parameter){.type = {name, strlen(name)},
                            .type_code = parameter.type,
                            .is_null = parameter.is_null,
                            .is_unsigned = parameter.is_unsigned};
    out->value = value_of(observed, &parameter, text);
    return !text->failed;
}

bool parameters_origin(const struct observed *observed, struct parameter_cursor *cursor,
                       size_t index, weir_parameter_origin *out)
{
    struct wire_parameter parameter = {0};
    if (!find(observed, cursor, index, &parameter))
        return false;
    out->size = parameter.raw.size;
    if (parameter.indicator == WIRE_INDICATOR_DEFAULT)
        out->flags |= WEIR_PARAMETER_DEFAULT;
    if (parameter.indicator == WIRE_INDICATOR_IGNORE)
        out->flags |= WEIR_PARAMETER_IGNORE;
    if (parameter.is_long_data) {
        const struct long_data *sent = sent_before(observed, &parameter);
        out->flags |= WEIR_PARAMETER_LONG_DATA;
        if (!is_whole(sent))
            out->flags |= WEIR_PARAMETER_CUT;
        out->size = sent ? sent->size : WEIR_ABSENT;
    }
    return true;
}

static enum sql_parameter_kind kind_of(const struct observed *observed,
                                       const struct wire_parameter *parameter)
{
    const struct wire_field_type_info *type = wire_field_type_info(parameter->type);
    if (parameter->is_null || parameter->indicator == WIRE_INDICATOR_NULL)
        return SQL_PARAMETER_NULL;
    if (parameter->indicator == WIRE_INDICATOR_DEFAULT)
        return SQL_PARAMETER_DEFAULT;
    if (parameter->indicator == WIRE_INDICATOR_IGNORE)
        return SQL_PARAMETER_IGNORE;
    if (!type || (parameter->is_long_data && !is_whole(sent_before(observed, parameter))))
        return SQL_PARAMETER_UNKNOWN;
    switch (type->layout) {
    case WIRE_BINARY_INTEGER:
    case WIRE_BINARY_FLOAT:
        return SQL_PARAMETER_NUMBER;
    default:
        break;
    }
    switch (parameter->type) {
    case WIRE_TYPE_DECIMAL:
    case WIRE_TYPE_NEWDECIMAL:
        return SQL_PARAMETER_NUMBER;
    case WIRE_TYPE_BIT:
    case WIRE_TYPE_GEOMETRY:
    case WIRE_TYPE_TINY_BLOB:
    case WIRE_TYPE_MEDIUM_BLOB:
    case WIRE_TYPE_LONG_BLOB:
    case WIRE_TYPE_BLOB:
        return SQL_PARAMETER_BYTES;
    default:
        return SQL_PARAMETER_TEXT;
    }
}

/* Decodes at most count parameters; their values lie in values, one after the other. Returns how
 * many. */
static size_t decode(const struct observed *observed, struct sql_parameter *decoded, size_t count,
                     struct strbuf *values)
{
    struct wire_parameters parameters;
    struct wire_parameter parameter;
    size_t found = 0;
    if (!begin(observed, &parameters))
        return 0;
    while (found < count && wire_parameter_next(&parameters, &parameter)) {
        size_t start = values->size;
        enum sql_parameter_kind kind = kind_of(observed, &parameter);
        bool has_value = kind == SQL_PARAMETER_NUMBER || kind == SQL_PARAMETER_TEXT ||
                         kind == SQL_PARAMETER_BYTES;
        if (has_value && parameter.is_long_data) {
            const struct long_data *sent = sent_before(observed, &parameter);
            strbuf_add(values, sent->kept.data, sent->kept.size);
        } else if (has_value && !wire_parameter_text(&parameter, values)) {
            strbuf_cut(values, start);
            kind = SQL_PARAMETER_UNKNOWN;
        }
        decoded[found++] = (struct sql_parameter){kind, {NULL, values->size - start}};
    }
    size_t at = 0; /* the values have come to rest */
    for (size_t i = 0; i < found; i++) {
        decoded[i].text.at = values->data + at;
        at += decoded[i].text.size;
    }
    return found;
}

bool parameters_expand(const struct observed *observed, struct strbuf *out)
{
    const struct prepared *prepared = observed->command.prepared;
    const struct statement *statement = statement_current(observed);
    size_t count = prepared->parameter_count;
    struct sql_parameter *decoded = calloc(count + 1, sizeof *decoded);
    struct strbuf values = STRBUF_INIT;
    bool ok = decoded != NULL;
    if (ok) {
        count = decode(observed, decoded, count, &values);
        sql_expand(out, (struct sql_span){statement->text, statement->size}, &statement->mode,
                   decoded, count, 0);
        ok = !out->failed && !values.failed;
    }
    strbuf_release(&values);
    free(decoded);
    return ok;
}
