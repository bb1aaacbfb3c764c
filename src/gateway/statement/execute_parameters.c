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
                                prepared->parameter_count, remembered, prepared->long_data);
        *parameters = execute.parameters;
    } else if (command->code == WIRE_COM_STMT_BULK_EXECUTE) {
        struct wire_bulk_execute execute;
        ok = wire_bulk_execute_begin(&execute, payload, command->arguments.size,
                                     prepared->parameter_count, remembered);
        *parameters = execute.parameters;
    }
    return ok;
}

/* Parameters lie one behind the other, so the index-th is found by walking: plugins ask for them in
 * order, and statements have few. */
bool parameters_get(const struct observed *observed, size_t index, struct strbuf *text,
                    weir_parameter *out)
{
    struct wire_parameters parameters;
    struct wire_parameter parameter = {0};
    if (!begin(observed, &parameters))
        return false;
    for (size_t i = 0; i <= index; i++)
        if (!wire_parameter_next(&parameters, &parameter))
            return false;
    const struct wire_field_type_info *type = wire_field_type_info(parameter.type);
    const char *name = type ? type->name : "UNKNOWN";
    *out = (weir_parameter){.type = {name, strlen(name)},
                            .type_code = parameter.type,
                            .is_null = parameter.is_null,
                            .is_unsigned = parameter.is_unsigned};
    strbuf_reset(text);
    if (parameter.is_null)
        return true;
    if (!parameter.is_long_data && !wire_parameter_text(&parameter, text))
        return false;
    out->value = (weir_string){text->data, text->size};
    return true;
}

static enum sql_parameter_kind kind_of(const struct wire_parameter *parameter)
{
    const struct wire_field_type_info *type = wire_field_type_info(parameter->type);
    if (parameter->is_null || parameter->indicator == WIRE_INDICATOR_NULL)
        return SQL_PARAMETER_NULL;
    if (parameter->indicator == WIRE_INDICATOR_DEFAULT)
        return SQL_PARAMETER_DEFAULT;
    if (parameter->indicator == WIRE_INDICATOR_IGNORE)
        return SQL_PARAMETER_IGNORE;
    if (!type || parameter->is_long_data)
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

/* Decodes at most count parameters; their values lie in values, one behind the other. Returns how
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
        enum sql_parameter_kind kind = kind_of(&parameter);
        bool has_value = kind == SQL_PARAMETER_NUMBER || kind == SQL_PARAMETER_TEXT ||
                         kind == SQL_PARAMETER_BYTES;
        if (has_value && !wire_parameter_text(&parameter, values))
            kind = SQL_PARAMETER_UNKNOWN;
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
