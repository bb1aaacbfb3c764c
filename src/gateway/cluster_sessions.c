/* SPDX-License-Identifier: Apache-2.0
 *
 * What statements ask of the cluster, on the threads that carry them out. */
#include <string.h>

#include "gateway/cluster_state.h"

#define WHY_BYTES 256

static struct cluster_link *link_of(void *owner)
{
    return ((const struct worker *)owner)->gateway->cluster;
}

/* ---- Plugins ---- */

static int plugin_begin(void *owner, const char *plugin, struct error *error)
{
    struct cluster_link *link = link_of(owner);
    if (cluster_may_act(link, error))
        return -1;
    if (plugin_keys_begin(link->keys, plugin))
        return 0;
    return error_set(error, "plugin %s: the cluster takes no such name",
                     log_foreign(plugin, strlen(plugin)));
}

static bool is_disabled(const struct cluster_link *link, size_t index)
{
    return !plugin_health_at(link->gateway->registry, index).is_enabled;
}

static void plugin_end(void *owner, const char *plugin, enum session_plugin_action action,
                       const char *failure, struct strbuf *warnings)
{
    static const char *const names[] = {[SESSION_PLUGIN_FLUSH] = "flushed",
                                        [SESSION_PLUGIN_ENABLE] = "enabled",
                                        [SESSION_PLUGIN_DISABLE] = "disabled"};
    struct cluster_link *link = link_of(owner);
    const size_t index = cluster_plugins_find(link, plugin);
    const bool is_flush = action == SESSION_PLUGIN_FLUSH;
    const bool is_disabling = action == SESSION_PLUGIN_DISABLE;
    char why[WHY_BYTES];
    const struct plugin_change change = {
        .is_done = !failure,
        .keeps_flag = is_flush && index == SIZE_MAX,
        .disabled = is_disabling || (is_flush && index != SIZE_MAX && is_disabled(link, index)),
        .is_granted = is_disabling};
    const bool is_reached = plugin_keys_are_reached(link->keys, why, sizeof why);
    plugin_keys_end(link->keys, plugin, &change);
    cluster_plugins_note(link, plugin, names[action], failure);
    if (!failure && !is_reached)
        cluster_add_warning(
            warnings,
            "done here; the cluster is not reached, and the other nodes are asked when it is", why);
}

/* ---- Nodes ---- */

struct look_for {
    const char *plugin;
    bool found;
};

static void look_at(void *user, const struct member *member)
{
    struct look_for *look = user;
    struct node_record record;
    if (member->is_here || !node_record_read(&record, member->record))
        return;
    look->found = look->found || node_record_has(&record, look->plugin);
    node_record_release(&record);
}

static bool plugin_is_elsewhere(void *owner, const char *plugin)
{
    struct look_for look = {.plugin = plugin};
    (void)membership_each(link_of(owner)->membership, look_at, &look);
    return look.found;
}

struct listing {
    void (*each)(void *user, const struct session_node_row *row);
    void *user;
};

static void list_plugins(const struct node_record *record, struct strbuf *plugins,
                         struct strbuf *flushes)
{
    for (size_t i = 0; i < record->plugin_count; i++) {
        const struct node_plugin *plugin = &record->plugins[i];
        strbuf_printf(plugins, "%s%s %s %s", plugins->size ? "; " : "", plugin->name,
                      plugin->version, plugin->state);
        if (*plugin->flush)
            strbuf_printf(flushes, "%s%s %s", flushes->size ? "; " : "", plugin->name,
                          plugin->flush);
    }
}

static void list_one(void *user, const struct member *member)
{
    const struct listing *listing = user;
    struct node_record record = {.address = "", .version = ""};
    struct strbuf plugins = STRBUF_INIT, flushes = STRBUF_INIT, refusals = STRBUF_INIT;
    const bool is_known = node_record_read(&record, member->record);
    list_plugins(&record, &plugins, &flushes);
    for (size_t i = 0; i < record.refusal_count; i++)
        strbuf_printf(&refusals, "%s%s: %s", i ? "; " : "", record.refusals[i].variable,
                      record.refusals[i].why);
    const struct session_node_row row = {
        .number = member->number,
        .is_here = member->is_here,
        .address = is_known ? record.address : "",
        .version = is_known ? record.version : "",
        .plugins = plugins.failed ? "" : plugins.data,
        .last_flush = flushes.failed ? "" : flushes.data,
        .refused = refusals.failed ? "" : refusals.data,
        .since_s = record.since_s,
        .sessions = record.sessions,
    };
    listing->each(listing->user, &row);
    if (is_known)
        node_record_release(&record);
    strbuf_release(&plugins);
    strbuf_release(&flushes);
    strbuf_release(&refusals);
}

static bool nodes(void *owner, void (*each)(void *user, const struct session_node_row *row),
                  void *user, struct strbuf *warnings)
{
    struct cluster_link *link = link_of(owner);
    struct listing listing = {.each = each, .user = user};
    char why[WHY_BYTES];
    const bool is_reached = membership_each(link->membership, list_one, &listing);
    if (!is_reached) {
        (void)plugin_keys_are_reached(link->keys, why, sizeof why);
        cluster_add_warning(warnings, "the cluster is not reached; the nodes are those of before",
                            why);
    }
    return is_reached;
}

static unsigned number(void *owner)
{
    return membership_number(link_of(owner)->membership);
}

const struct session_cluster cluster_link_operations = {
    .plugin_begin = plugin_begin,
    .plugin_end = plugin_end,
    .variables_begin = cluster_variables_begin,
    .variable_end = cluster_variables_end,
    .plugin_is_elsewhere = plugin_is_elsewhere,
    .kill = cluster_kills_ask,
    .nodes = nodes,
    .number = number,
    .processes = cluster_processes_list,
};
