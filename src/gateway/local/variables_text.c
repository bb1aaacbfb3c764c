/* SPDX-License-Identifier: Apache-2.0
 *
 * Finds the @@names of plugins' variables in a text, and writes the text with literals in place of
 * them. A column keeps the name that it would have had: it gets an alias. */
#include "gateway/local/variables_text.h"

#include <stdio.h>
#include <string.h>

#define ALIAS_BYTES 255 /* longest name that the server takes for a column */

static const struct plugin_registry *registry_of(const struct observed *observed)
{
    return observed->environment->registry;
}

/* ---- Finding ---- */

bool variables_match(const struct observed *observed, const struct wire_packet *packet,
                     bool (*is_such)(const struct observed *observed,
                                     const struct statement *statement))
{
    const struct command *command = &observed->command;
    if (!variables_may_match(observed, packet) ||
        (packet->command != WIRE_COM_QUERY && packet->command != WIRE_COM_STMT_PREPARE))
        return false;
    for (size_t i = 0; i < command_statement_count(command); i++)
        if (is_such(observed, command_statement(command, i)))
            return true;
    return false;
}

bool variables_are_stored(enum sql_kind kind)
{
    switch (kind) {
    case SQL_KIND_CREATE_VIEW:
    case SQL_KIND_ALTER_VIEW:
    case SQL_KIND_CREATE_PROCEDURE:
    case SQL_KIND_CREATE_FUNCTION:
    case SQL_KIND_CREATE_PACKAGE:
    case SQL_KIND_CREATE_TRIGGER:
    case SQL_KIND_CREATE_EVENT:
    case SQL_KIND_ALTER_EVENT:
        return true;
    default:
        return false;
    }
}

/* Texts can be long, and an '@' is rare. */
static bool has_two_at_signs(const char *text, size_t size)
{
    const char *end = text + size;
    for (const char *at = text; size && (at = memchr(at, '@', (size_t)(end - at))) != NULL; at++)
        if (end - at > 1 && at[1] == '@')
            return true;
    return false;
}

bool variables_are_named(const struct observed *observed, const struct statement *statement)
{
    struct sql_variables variables;
    struct sql_variable_use use;
    if (variables_are_stored(statement->kinds.kind) ||
        !has_two_at_signs(statement->text, statement->size) ||
        !plugin_variable_may_be_in(registry_of(observed), statement->text, statement->size))
        return false;
    sql_variables_init(&variables, statement_text(statement), &statement->mode);
    while (sql_variables_next(&variables, &use))
        if (plugin_variable_find(registry_of(observed), use.name.at, use.name.size))
            return true;
    return false;
}

/* ---- Writing ---- */

static void add_value(struct strbuf *out, const struct plugin_shown *shown)
{
    if (shown->literal == PLUGIN_LITERAL_TEXT)
        sql_quote_text(out, (struct sql_span){shown->text.data, shown->text.size});
    else if (shown->number.size && shown->number.data[0] == '-')
        strbuf_printf(out, "(%s)", shown->number.data);
    else
        strbuf_add(out, shown->number.data, shown->number.size);
}

/* Cut as the server would, at a character's end. */
static void add_alias(struct strbuf *out, struct sql_span name)
{
    size_t size = name.size < ALIAS_BYTES ? name.size : ALIAS_BYTES;
    while (size > 1 && (name.at[size - 1] == ' ' ||
                        (size < name.size && ((unsigned char)name.at[size] & 0xc0) == 0x80)))
        size--;
    strbuf_add_text(out, " AS ");
    sql_quote_name(out, (struct sql_span){name.at, size});
}

/* Adds what is between *at and the end of the select item, and its alias. */
static void end_item(struct strbuf *out, const char **at, struct sql_span item)
{
    const char *end = item.at + item.size;
    strbuf_add(out, *at, (size_t)(end - *at));
    add_alias(out, item);
    *at = end;
}

static bool may_read(const struct plugin_variable *variable, const struct sql_variable_use *use,
                     struct plugin_refusal *refusal)
{
    unsigned scopes = plugin_variable_scopes(variable);
    bool wants_global = use->scope == SQL_SCOPE_GLOBAL;
    if (!use->is_scoped || (scopes & (wants_global ? PLUGIN_SCOPE_GLOBAL : PLUGIN_SCOPE_SESSION)))
        return true;
    *refusal =
        (struct plugin_refusal){.code = WIRE_ER_INCORRECT_GLOBAL_LOCAL_VAR, .sqlstate = "HY000"};
    snprintf(refusal->message, sizeof refusal->message, "Variable '%s' is a %s variable",
             plugin_variable_name(variable), wants_global ? "SESSION" : "GLOBAL");
    return false;
}

/* The variable that is read there; NULL: it is not a plugin's. */
static const struct plugin_variable *variable_of(const struct observed *observed,
                                                 const struct sql_variable_use *use)
{
    if (use->scope != SQL_SCOPE_GLOBAL && use->scope != SQL_SCOPE_SESSION)
        return NULL;
    return plugin_variable_find(registry_of(observed), use->name.at, use->name.size);
}

bool variables_rewrite(const struct observed *observed, struct sql_span text,
                       const struct sql_mode *mode, struct strbuf *out,
                       struct plugin_refusal *refusal)
{
    struct sql_variables variables;
    struct sql_variable_use use;
    struct sql_span item = {0}; /* gets its alias once its end has been copied */
    const char *at = text.at, *end = text.at + text.size;
    sql_variables_init(&variables, text, mode);
    while (sql_variables_next(&variables, &use)) {
        const struct plugin_variable *variable = variable_of(observed, &use);
        if (!variable)
            continue;
        if (!may_read(variable, &use, refusal))
            return false;
        if (item.size && use.written.at >= item.at + item.size)
            end_item(out, &at, item);
        bool is_global = use.scope == SQL_SCOPE_GLOBAL;
        struct plugin_shown shown =
            plugin_variable_shown(variable, is_global ? NULL : &observed->handle);
        strbuf_add(out, at, (size_t)(use.written.at - at));
        add_value(out, &shown);
        at = use.written.at + use.written.size;
        item = use.item;
    }
    if (item.size)
        end_item(out, &at, item);
    strbuf_add(out, at, (size_t)(end - at));
    return true;
}
