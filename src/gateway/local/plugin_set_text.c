/* SPDX-License-Identifier: Apache-2.0
 *
 * Takes a SET apart: our assignments become items, and the others the text of a SET of their own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/local/plugin_set.h"
#include "gateway/local/variables_text.h"

/* The plugin's variable that is assigned there; NULL: it is not a plugin's. */
static const struct plugin_variable *variable_of(const struct observed *observed,
                                                 const struct sql_setting *setting)
{
    if (setting->scope == SQL_SCOPE_USER || setting->scope == SQL_SCOPE_NAMES)
        return NULL;
    return plugin_variable_find(observed->environment->registry, setting->name.at,
                                setting->name.size);
}

bool plugin_set_is(const struct observed *observed, const struct statement *statement)
{
    enum sql_kind kind = statement->kinds.kind;
    struct sql_settings settings;
    struct sql_setting setting;
    if ((kind != SQL_KIND_SET && kind != SQL_KIND_SET_GLOBAL) ||
        !plugin_variable_may_be_in(observed->environment->registry, statement->text,
                                   statement->size))
        return false;
    sql_settings_init(&settings, statement_text(statement), &statement->mode);
    while (sql_settings_next(&settings, &setting))
        if (variable_of(observed, &setting))
            return true;
    return false;
}

/* ---- Ours ---- */

/* A literal whose meaning depends on nobody; otherwise the backend is queried. */
static void read_value(struct plugin_set_item *item, struct sql_span value,
                       const struct sql_mode *mode)
{
    static const enum plugin_input_kind kinds[] = {
        [SQL_LITERAL_TEXT] = PLUGIN_INPUT_TEXT,       [SQL_LITERAL_INTEGER] = PLUGIN_INPUT_INTEGER,
        [SQL_LITERAL_DECIMAL] = PLUGIN_INPUT_DECIMAL, [SQL_LITERAL_NULL] = PLUGIN_INPUT_NULL,
        [SQL_LITERAL_DEFAULT] = PLUGIN_INPUT_DEFAULT,
    };
    struct sql_span literal;
    enum sql_literal_kind kind = sql_literal_read(value, mode, &literal);
    item->must_query = kind == SQL_LITERAL_NONE;
    if (item->must_query)
        return;
    item->kind = kinds[kind];
    strbuf_add(&item->text, literal.at, literal.size);
}

static enum plugin_set_scope scope_of(enum sql_scope scope)
{
    switch (scope) {
    case SQL_SCOPE_GLOBAL:
        return PLUGIN_SET_GLOBAL;
    case SQL_SCOPE_PERSIST:
        return PLUGIN_SET_PERSIST;
    case SQL_SCOPE_PERSIST_ONLY:
        return PLUGIN_SET_PERSIST_ONLY;
    default:
        return PLUGIN_SET_SESSION;
    }
}

static bool refuse_memory(struct plugin_set *set)
{
    set->refusal = (struct plugin_refusal){
        .code = WIRE_ER_OUT_OF_RESOURCES, .sqlstate = "HY000", .message = "Out of memory."};
    return false;
}

/* Makes room for another item. Returns NULL if there is no memory. */
static struct plugin_set_item *new_item(struct plugin_set *set)
{
    struct plugin_set_item *items = realloc(set->items, (set->count + 1) * sizeof *items);
    if (!items)
        return NULL;
    set->items = items;
    struct plugin_assignment **assignments =
        realloc(set->assignments, (set->count + 1) * sizeof(struct plugin_assignment *));
    if (!assignments)
        return NULL;
    set->assignments = assignments;
    assignments[set->count] = NULL;
    struct plugin_set_item *item = &items[set->count++];
    *item = (struct plugin_set_item){.text = STRBUF_INIT};
    return item;
}

static bool add_item(struct plugin_set *set, const struct sql_setting *setting,
                     const struct plugin_variable *variable, const struct sql_mode *mode)
{
    struct plugin_set_item *item = new_item(set);
    if (!item)
        return refuse_memory(set);
    item->variable = variable;
    item->scope = scope_of(setting->scope);
    read_value(item, setting->value, mode);
    if (item->must_query) { /* its own expression may name our variables */
        strbuf_add_byte(&item->text, '(');
        if (!variables_rewrite(set->local.observed, setting->value, mode, &item->text,
                               &set->refusal))
            return false;
        strbuf_add_byte(&item->text, ')');
    }
    if (item->text.failed)
        return refuse_memory(set);
    set->wants_privilege = set->wants_privilege || item->scope != PLUGIN_SET_SESSION;
    return plugin_variable_may_set(variable, item->scope, &set->refusal);
}

/* ---- The rest ---- */

/* The word that an assignment of the backend's needs. Words such as GLOBAL hold for the assignments
 * after them too, and some of those before may go: so each gets its own. */
static const char *scope_word(const struct plugin_set *set, const struct sql_setting *setting)
{
    if (setting->whole.at[0] == '@')
        return "";
    switch (setting->scope) {
    case SQL_SCOPE_GLOBAL:
        return "GLOBAL ";
    case SQL_SCOPE_PERSIST:
        return "PERSIST ";
    case SQL_SCOPE_PERSIST_ONLY:
        return "PERSIST_ONLY ";
    case SQL_SCOPE_SESSION:
        return setting->is_scoped || set->rest_scoped ? "SESSION " : "";
    default:
        return "";
    }
}

static bool add_rest(struct plugin_set *set, const struct sql_setting *setting,
                     const struct sql_mode *mode)
{
    const char *word = scope_word(set, setting);
    strbuf_add_text(&set->rest, set->rest.size ? ", " : "SET ");
    strbuf_add_text(&set->rest, word);
    set->rest_scoped = set->rest_scoped || *word;
    if (!variables_rewrite(set->local.observed, setting->whole, mode, &set->rest, &set->refusal))
        return false;
    return !set->rest.failed || refuse_memory(set);
}

/* ---- The statement ---- */

static bool refuse_syntax(struct plugin_set *set, const struct sql_settings *settings)
{
    struct sql_span rest = sql_settings_rest(settings);
    set->refusal = (struct plugin_refusal){.code = WIRE_ER_PARSE_ERROR, .sqlstate = "42000"};
    snprintf(
        set->refusal.message, sizeof set->refusal.message,
        "You have an error in your SQL syntax: weir does not understand this SET of a plugin's "
        "variable near '%.*s'",
        (int)(rest.size < 80 ? rest.size : 80), rest.at);
    return false;
}

bool plugin_set_read(struct plugin_set *set, const struct statement *statement)
{
    const struct sql_mode *mode = &statement->mode;
    struct sql_settings settings;
    struct sql_setting setting;
    sql_settings_init(&settings, statement_text(statement), mode);
    while (sql_settings_next(&settings, &setting)) {
        const struct plugin_variable *variable = variable_of(set->local.observed, &setting);
        if (setting.value.size == 0)
            return refuse_syntax(set, &settings);
        bool ok =
            variable ? add_item(set, &setting, variable, mode) : add_rest(set, &setting, mode);
        if (!ok)
            return false;
    }
    return sql_settings_at_end(&settings) || refuse_syntax(set, &settings);
}
