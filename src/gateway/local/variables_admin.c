/* SPDX-License-Identifier: Apache-2.0
 *
 * ADMIN SHOW VARIABLES: the plugins' global values, and where each comes from.
 *
 *     WORK ──► ANSWER
 *
 * A SET that runs holds the values' lock while plugins and the disk take their time: so the rows are
 * read on a thread that may block. */
#include <stdlib.h>
#include <string.h>

#include "gateway/local/grammar_plugins.h"
#include "gateway/local/local.h"

enum { COLUMNS = 6 };

struct variables_admin {
    struct local local;
    struct strbuf pattern;
    bool is_like;
    struct plugin_variable_origin *origins; /* owned; as many as rows */
    const char **cells;                     /* owned; rows * COLUMNS */
    size_t rows;
    bool no_memory;
};

static struct variables_admin *admin_of(struct local *local)
{
    return (struct variables_admin *)local;
}

static bool matches(const struct observed *observed, const struct wire_packet *packet)
{
    struct grammar_show_plugins show;
    const struct statement *statement = &observed->command.one;
    return statement->kinds.kind == SQL_KIND_ADMIN && local_is_single_query(observed, packet) &&
           grammar_admin_variables(local_query_text(observed, packet), &statement->mode, &show);
}

static void release(struct local *local)
{
    struct variables_admin *admin = admin_of(local);
    for (size_t i = 0; i < admin->rows; i++)
        plugin_variable_origin_release(&admin->origins[i]);
    free(admin->origins);
    free(admin->cells);
    strbuf_release(&admin->pattern);
}

static void add_row(struct variables_admin *admin, const struct plugin_variable *variable)
{
    static const char *const sources[] = {
#define X(enumerator, name) [PLUGIN_SOURCE_##enumerator] = name,
        PLUGIN_VALUE_SOURCES(X)
#undef X
    };
    struct plugin_variable_origin *origin = &admin->origins[admin->rows];
    plugin_variable_origin(variable, origin);
    const char *cells[COLUMNS] = {
        plugin_variable_name(variable), origin->value.data,
        sources[origin->source],        origin->path.size ? origin->path.data : NULL,
        origin->configured.data,        origin->is_persisted ? origin->persisted.data : NULL};
    memcpy(admin->cells + admin->rows * COLUMNS, cells, sizeof cells);
    admin->rows++;
    admin->no_memory = admin->no_memory || origin->value.failed || origin->path.failed ||
                       origin->configured.failed || origin->persisted.failed;
}

static void work(struct local *local)
{
    struct variables_admin *admin = admin_of(local);
    const struct plugin_registry *registry = local->observed->environment->registry;
    const size_t count = plugin_variable_count(registry);
    admin->origins = calloc(count + 1, sizeof *admin->origins);
    admin->cells = calloc(count + 1, COLUMNS * sizeof(const char *));
    admin->no_memory = !admin->origins || !admin->cells;
    for (size_t i = 0; !admin->no_memory && i < count; i++) {
        const struct plugin_variable *variable = plugin_variable_at(registry, i);
        const struct strbuf *pattern = &admin->pattern;
        if (!admin->is_like ||
            text_is_like(plugin_variable_name(variable), pattern->data, pattern->size))
            add_row(admin, variable);
    }
}

static struct local_action worked(struct local *local, const struct local_outcome *outcome)
{
    static const char *const columns[COLUMNS] = {"Variable_name", "Value",      "Source",
                                                 "Path",          "Configured", "Persisted"};
    const struct variables_admin *admin = admin_of(local);
    if (outcome->cancelled)
        return local_fail(local, WIRE_ER_SERVER_SHUTDOWN, "Server shutdown in progress");
    if (admin->no_memory)
        return local_out_of_memory(local);
    return local_rows(local, columns, COLUMNS, admin->cells, admin->rows);
}

static struct local_action begin(struct local *local, const struct wire_packet *packet)
{
    struct variables_admin *admin = admin_of(local);
    struct grammar_show_plugins show;
    strbuf_init(&admin->pattern);
    bool is_one = grammar_admin_variables(local_query_text(local->observed, packet),
                                          &local->observed->command.one.mode, &show);
    if (!is_one || (show.filtered && !show.is_like))
        return local_fail(local, WIRE_ER_PARSE_ERROR,
                          "You have an error in your SQL syntax: give ADMIN SHOW VARIABLES, or "
                          "ADMIN SHOW VARIABLES LIKE 'pattern'");
    admin->is_like = show.is_like;
    if (show.is_like)
        strbuf_add(&admin->pattern, show.pattern.at, show.pattern.size);
    if (admin->pattern.failed)
        return local_out_of_memory(local);
    return (struct local_action){.kind = LOCAL_WORK, .work = work, .next = worked};
}

const struct local_statement local_variables_admin = {
    .name = "variables_admin",
    .size = sizeof(struct variables_admin),
    .matches = matches,
    .begin = begin,
    .release = release,
};
