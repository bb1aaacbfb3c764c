/* SPDX-License-Identifier: Apache-2.0
 *
 * The values that the nodes of a cluster share. They are set as SET GLOBAL would set them here, the file of values
 * included: a node that starts without its cluster begins with what it has last had from there. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/host/plugin_variables.h"
#include "wire/wire.h"

bool plugin_variable_is_shared(const struct plugin_variable *variable)
{
    const struct plugin_definition *definition = variable->definition;
    return (definition->scopes & PLUGIN_SCOPE_GLOBAL) && !definition->is_readonly &&
           !definition->is_per_node;
}

void plugin_variable_mark(struct plugin_variable *variable, const char *cluster_place)
{
    char *copy = cluster_place ? strdup(cluster_place) : NULL;
    free(variable->cluster_place);
    variable->cluster_place = copy;
}

/* ---- Taking values ---- */

/* One that is to be set. */
struct taking {
    struct plugin_cluster_value *value;
    const struct plugin_variable *variable;
    struct plugin_assignment *assignment; /* owned; NULL: none */
    char *before;                         /* owned; what it replaces */
    bool was_persisted;
};

static bool is_same(const char *left, const char *right)
{
    return left && right ? strcmp(left, right) == 0 : left == right;
}

/* What there is to do for it: nothing but to say whose it is, where the value is there and is kept already. */
static enum plugin_set_scope scope_of(struct taking *taking, bool *is_needed)
{
    struct plugin_variables *variables = taking->variable->plugin->registry->variables;
    const char *text = taking->value->text;
    pthread_mutex_lock(&variables->lock);
    const char *current = atomic_load(&taking->variable->text)->text;
    const char *persisted =
        plugin_persisted_text(&variables->persisted, taking->variable->definition->name);
    const bool is_there = is_same(text ? text : taking->variable->configured.text, current);
    *is_needed = !is_there || !is_same(text, persisted);
    taking->was_persisted = persisted;
    taking->before = is_there ? NULL : strdup(current);
    pthread_mutex_unlock(&variables->lock);
    return is_there ? PLUGIN_SET_PERSIST_ONLY : PLUGIN_SET_GLOBAL;
}

static void mark(const struct taking *taking)
{
    struct plugin_variables *variables = taking->variable->plugin->registry->variables;
    pthread_mutex_lock(&variables->lock);
    plugin_variable_mark((struct plugin_variable *)taking->variable,
                         taking->value->text ? taking->value->place : NULL);
    pthread_mutex_unlock(&variables->lock);
    taking->value->is_taken = true;
}

static void refuse_own(const struct taking *taking)
{
    struct plugin_refusal *refusal = &taking->value->refusal;
    *refusal = (struct plugin_refusal){.code = WIRE_ER_UNKNOWN_ERROR, .sqlstate = "HY000"};
    snprintf(refusal->message, sizeof refusal->message, "each node has its own %s",
             taking->variable->definition->name);
}

/* Returns whether there is something to set. */
static bool prepare(struct taking *taking)
{
    const char *text = taking->value->text;
    const struct plugin_input input = {text ? PLUGIN_INPUT_FILE : PLUGIN_INPUT_DEFAULT,
                                       text ? text : "", text ? strlen(text) : 0};
    bool is_needed = false;
    if (!plugin_variable_is_shared(taking->variable)) {
        refuse_own(taking);
        return false;
    }
    if (!plugin_variable_may_set(taking->variable, PLUGIN_SET_GLOBAL, &taking->value->refusal))
        return false;
    const enum plugin_set_scope scope = scope_of(taking, &is_needed);
    if (is_needed)
        taking->assignment =
            plugin_variable_prepare(taking->variable, scope, &input, &taking->value->refusal);
    else
        mark(taking);
    return taking->assignment;
}

/* What was edited or set here does not hold: whoever has done that will look for the reason. */
static void report(const struct taking *taking)
{
    const struct plugin_cluster_value *value = taking->value;
    struct plugin_variables *variables = taking->variable->plugin->registry->variables;
    const char *path = taking->variable->plugin->registry->options.variables_file;
    const char *before = taking->before ? taking->before : "";
    struct strbuf counts = STRBUF_INIT;
    if (!taking->before)
        return;
    pthread_mutex_lock(&variables->lock);
    const struct plugin_setting_place place = taking->variable->place;
    pthread_mutex_unlock(&variables->lock);
    if (value->text && taking->was_persisted && path)
        strbuf_printf(&counts, ", which counts more than %s", path);
    else if (value->text && place.file)
        strbuf_printf(&counts, ", which counts more than %s:%u", place.file, place.line);
    log_info("plugin", "%s has the value of the cluster, %s%s value=%s before=%s", value->name,
             value->place, counts.data,
             value->text ? log_foreign(value->text, strlen(value->text)) : "DEFAULT",
             log_foreign(before, strlen(before)));
    strbuf_release(&counts);
}

/* Sets those of them that are prepared and not taken, all or none. Returns whether it did; otherwise why not is in *refusal. */
static bool set(struct plugin_registry *registry, struct taking *takings, size_t count,
                struct plugin_refusal *refusal)
{
    struct plugin_assignment **assignments = calloc(count + 1, sizeof(void *));
    struct error error = {""};
    size_t used = 0;
    for (size_t i = 0; assignments && i < count; i++)
        if (takings[i].assignment && !takings[i].value->is_taken)
            assignments[used++] = takings[i].assignment;
    bool ok = assignments && used;
    if (ok && !plugin_assignments_validate(NULL, assignments, used, refusal)) {
        ok = false;
    } else if (ok && plugin_variables_set(registry, NULL, assignments, used, &error) < 0) {
        ok = false;
        *refusal = (struct plugin_refusal){.code = WIRE_ER_UNKNOWN_ERROR, .sqlstate = "HY000"};
        snprintf(refusal->message, sizeof refusal->message, "%.300s", error.message);
    }
    free(assignments);
    for (size_t i = 0; ok && i < count; i++) {
        if (!takings[i].assignment || takings[i].value->is_taken)
            continue;
        report(&takings[i]);
        mark(&takings[i]);
    }
    return ok;
}

/* One that is set may make another right. */
static void set_each(struct plugin_registry *registry, struct taking *takings, size_t count)
{
    bool goes_on = true;
    while (goes_on) {
        goes_on = false;
        for (size_t i = 0; i < count; i++)
            if (takings[i].assignment && !takings[i].value->is_taken)
                goes_on = set(registry, &takings[i], 1, &takings[i].value->refusal) || goes_on;
    }
}

void plugin_variables_take(struct plugin_registry *registry, struct plugin_cluster_value *values,
                           size_t count)
{
    assert(registry && (values || !count));
    struct taking *takings = calloc(count + 1, sizeof *takings);
    struct plugin_refusal refusal;
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        values[i].is_taken = false;
        values[i].refusal =
            (struct plugin_refusal){.code = WIRE_ER_OUT_OF_RESOURCES, .message = "Out of memory."};
        const struct plugin_variable *variable =
            plugin_variable_find(registry, values[i].name, strlen(values[i].name));
        if (!variable)
            values[i].is_taken = true;
        else if (takings)
            takings[used++] = (struct taking){.value = &values[i], .variable = variable};
    }
    bool has_some = false;
    for (size_t i = 0; i < used; i++)
        has_some = prepare(&takings[i]) || has_some;
    if (has_some && !set(registry, takings, used, &refusal))
        set_each(registry, takings, used);
    for (size_t i = 0; i < used; i++) {
        plugin_assignment_free(takings[i].assignment);
        free(takings[i].before);
    }
    free(takings);
}

/* ---- The log ---- */

void plugin_variables_report_own(struct plugin_registry *registry)
{
    struct plugin_variables *variables = registry->variables;
    pthread_mutex_lock(&variables->lock);
    for (size_t i = 0; i < variables->count; i++) {
        const struct plugin_variable *variable = &variables->items[i];
        const char *name = variable->definition->name;
        if (plugin_variable_is_shared(variable) && !variable->cluster_place &&
            plugin_persisted_text(&variables->persisted, name))
            log_warn("plugin",
                     "%s has a value of SET GLOBAL that is this node's own, in %s: the cluster has "
                     "none; SET GLOBAL %s = @@GLOBAL.%s gives it to all nodes",
                     name, registry->options.variables_file, name, name);
    }
    pthread_mutex_unlock(&variables->lock);
}
