/* SPDX-License-Identifier: Apache-2.0
 *
 * SHOW PLUGINS, FLUSH [TIDB] PLUGINS and ADMIN PLUGINS ENABLE | DISABLE.
 *
 *     SHOW           ──► ANSWER
 *     FLUSH, ADMIN   ──► PRIVILEGE, and those that plugins demand ──► WORK ──► ANSWER
 *
 * One plugin that is locked, or whose own privilege is lacking, and none of the list is changed.
 * What they warn of is the statement's.
 * In a cluster the other nodes are asked to do the same, and not waited for.
 * A flush may read files, and enabling notifies plugins: a thread that may block does both. */
#include <stdlib.h>
#include <string.h>

#include "gateway/local/grammar_plugins.h"
#include "gateway/local/local.h"

#define MAX_NAMES    64 /* plugins in one statement */
#define SHOW_COLUMNS 6

struct plugin_admin {
    struct local local;
    enum grammar_plugins_action action;
    char *names[MAX_NAMES]; /* owned */
    size_t count;
    size_t granted; /* names whose plugin's own privilege is granted */
    int status;     /* of the work */
    struct error error;
    const char *values[PLUGIN_MAX_LOADED * SHOW_COLUMNS]; /* SHOW: the registry's */
};

static struct plugin_admin *admin_of(struct local *local)
{
    return (struct plugin_admin *)local;
}

static bool matches(const struct observed *observed, const struct wire_packet *packet)
{
    struct grammar_show_plugins show;
    const struct statement *statement = &observed->command.one;
    switch (statement->kinds.kind) {
    case SQL_KIND_SHOW_PLUGINS:
        return local_is_single_query(observed, packet) &&
               grammar_show_plugins(local_query_text(observed, packet), &statement->mode, &show);
    case SQL_KIND_FLUSH_PLUGINS:
    case SQL_KIND_ADMIN_PLUGINS:
        return local_is_single_query(observed, packet);
    default:
        return false;
    }
}

static void release(struct local *local)
{
    struct plugin_admin *admin = admin_of(local);
    for (size_t i = 0; i < admin->count; i++)
        free(admin->names[i]);
}

/* ---- SHOW PLUGINS ---- */

static struct local_action show_plugins(struct plugin_admin *admin,
                                        const struct grammar_show_plugins *show)
{
    static const char *const columns[SHOW_COLUMNS] = {"Name",    "Status",  "Type",
                                                      "Library", "License", "Version"};
    const struct plugin_registry *registry = admin->local.observed->environment->registry;
    size_t rows = 0;
    if (show->filtered && !show->is_like)
        return local_fail(&admin->local, WIRE_ER_NOT_SUPPORTED_YET,
                          "This version of weir doesn't yet support 'SHOW PLUGINS WHERE'");
    for (size_t i = 0; i < plugin_count(registry); i++) {
        struct plugin_row row = plugin_row_at(registry, i);
        if (show->is_like && !text_is_like(row.name, show->pattern.at, show->pattern.size))
            continue;
        const char *cells[SHOW_COLUMNS] = {row.name,    row.status,  row.type,
                                           row.library, row.license, row.version};
        memcpy(admin->values + rows++ * SHOW_COLUMNS, cells, sizeof cells);
    }
    return local_rows(&admin->local, columns, SHOW_COLUMNS, admin->values, rows);
}

/* ---- FLUSH and ADMIN ---- */

static int act(const struct plugin_admin *admin, const char *name, struct error *error)
{
    struct observed *observed = admin->local.observed;
    struct plugin_registry *registry = observed->environment->registry;
    if (admin->action == GRAMMAR_PLUGINS_FLUSH)
        return plugin_flush(registry, &observed->handle, name, error);
    bool enabled = admin->action == GRAMMAR_PLUGINS_ENABLE;
    return plugin_set_enabled(registry, &observed->handle, name, enabled, error);
}

static bool is_loaded(const struct plugin_registry *registry, const char *name)
{
    bool found = false;
    for (size_t i = 0; !found && i < plugin_count(registry); i++)
        found = strcmp(plugin_row_at(registry, i).name, name) == 0;
    return found;
}

/* Whether only other nodes can do it. What a plugin demands of whom that disables it is not known here. */
static bool is_for_others(const struct plugin_admin *admin, const char *name)
{
    const struct session_environment *environment = admin->local.observed->environment;
    return admin->action != GRAMMAR_PLUGINS_DISABLE &&
           environment->cluster->plugin_is_elsewhere(environment->owner, name);
}

/* First here, then elsewhere: what fails here is not asked of others. */
static int act_in_cluster(struct plugin_admin *admin, const char *name)
{
    static const enum session_plugin_action actions[] = {
        [GRAMMAR_PLUGINS_FLUSH] = SESSION_PLUGIN_FLUSH,
        [GRAMMAR_PLUGINS_ENABLE] = SESSION_PLUGIN_ENABLE,
        [GRAMMAR_PLUGINS_DISABLE] = SESSION_PLUGIN_DISABLE,
    };
    const struct session_environment *environment = admin->local.observed->environment;
    const struct session_cluster *cluster = environment->cluster;
    const bool is_here = is_loaded(environment->registry, name);
    if (!cluster || (!is_here && !is_for_others(admin, name)))
        return act(admin, name, &admin->error);
    if (cluster->plugin_begin(environment->owner, name, &admin->error))
        return -1;
    const int status = is_here ? act(admin, name, &admin->error) : 0;
    cluster->plugin_end(environment->owner, name, actions[admin->action],
                        status ? admin->error.message : NULL, &admin->local.warnings);
    return status;
}

static void work(struct local *local)
{
    struct plugin_admin *admin = admin_of(local);
    for (size_t i = 0; i < admin->count && admin->status == 0; i++)
        admin->status = act_in_cluster(admin, admin->names[i]);
}

static struct local_action worked(struct local *local, const struct local_outcome *outcome)
{
    const struct plugin_admin *admin = admin_of(local);
    if (outcome->cancelled)
        return local_fail(local, WIRE_ER_UNKNOWN_ERROR, "weir is shutting down");
    if (admin->status)
        return local_fail(local, WIRE_ER_UNKNOWN_ERROR, "%s", admin->error.message);
    return local_ok(local);
}

static bool is_locked(const struct plugin_admin *admin, struct plugin_refusal *refusal)
{
    const struct plugin_registry *registry = admin->local.observed->environment->registry;
    bool may = true;
    for (size_t i = 0; may && i < admin->count; i++)
        may = plugin_may_change(registry, admin->names[i], refusal);
    return !may;
}

static local_next granted_of_plugin;

/* Whoever may disable plugins may not yet disable one that demands more. */
static struct local_action ask_for_plugins(struct plugin_admin *admin)
{
    const struct plugin_registry *registry = admin->local.observed->environment->registry;
    struct plugin_refusal refusal;
    if (admin->action == GRAMMAR_PLUGINS_DISABLE && admin->granted < admin->count)
        return local_demand(plugin_disable_privileges(registry, admin->names[admin->granted]),
                            granted_of_plugin);
    if (is_locked(admin, &refusal))
        return local_refuse(&admin->local, &refusal);
    return (struct local_action){.kind = LOCAL_WORK, .work = work, .next = worked};
}

static struct local_action granted_of_plugin(struct local *local,
                                             const struct local_outcome *outcome)
{
    struct plugin_admin *admin = admin_of(local);
    (void)outcome;
    admin->granted++;
    return ask_for_plugins(admin);
}

static struct local_action granted(struct local *local, const struct local_outcome *outcome)
{
    (void)outcome;
    return ask_for_plugins(admin_of(local));
}

/* Copies the names. Returns false if there are too many, or if the statement is not the grammar;
 * *no_memory: if there is no memory. */
static bool read_names(struct plugin_admin *admin, struct grammar_plugins *plugins, bool *no_memory)
{
    struct sql_span name;
    *no_memory = false;
    admin->action = plugins->action;
    while (grammar_plugins_next(plugins, &name)) {
        if (admin->count == MAX_NAMES)
            return false;
        char *copy = strndup(name.at, name.size);
        *no_memory = copy == NULL;
        if (!copy)
            return false;
        admin->names[admin->count++] = copy;
    }
    return !plugins->wrong && admin->count > 0;
}

static struct local_action change_plugins(struct plugin_admin *admin, struct sql_span text,
                                          const struct sql_mode *mode)
{
    static const enum local_privilege rows[] = {
        [GRAMMAR_PLUGINS_FLUSH] = LOCAL_PRIVILEGE_FLUSH,
        [GRAMMAR_PLUGINS_ENABLE] = LOCAL_PRIVILEGE_ENABLE,
        [GRAMMAR_PLUGINS_DISABLE] = LOCAL_PRIVILEGE_DISABLE,
    };
    struct grammar_plugins plugins;
    bool no_memory = false;
    if (grammar_plugins(text, mode, &plugins) && read_names(admin, &plugins, &no_memory))
        return local_demand(local_privileges(rows[admin->action]), granted);
    if (no_memory)
        return local_out_of_memory(&admin->local);
    return local_fail(
        &admin->local, WIRE_ER_PARSE_ERROR,
        "You have an error in your SQL syntax: give FLUSH TIDB PLUGINS name[, name], or "
        "ADMIN PLUGINS ENABLE|DISABLE name[, name]");
}

static struct local_action begin(struct local *local, const struct wire_packet *packet)
{
    const struct sql_mode *mode = &local->observed->command.one.mode;
    struct sql_span text = local_query_text(local->observed, packet);
    struct grammar_show_plugins show;
    if (grammar_show_plugins(text, mode, &show))
        return show_plugins(admin_of(local), &show);
    return change_plugins(admin_of(local), text, mode);
}

const struct local_statement local_plugin_admin = {
    .name = "plugin_admin",
    .size = sizeof(struct plugin_admin),
    .matches = matches,
    .begin = begin,
    .release = release,
};
