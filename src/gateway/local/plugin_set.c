/* SPDX-License-Identifier: Apache-2.0
 *
 * SET of plugins' variables, all of the statement's assignments or none:
 *
 *     PRIVILEGE ──► QUERY ──► WORK ──► QUERY ──► WORK ──► ANSWER
 *     (of a global  (each     (prepare) (the      (set)
 *      one, and its  value                rest)
 *      plugin's)
 *                    that is no literal)
 *
 * What plugins warn of is told by one QUERY more (plugin_warnings.c), and takes the place of the rest's
 * warnings. The rest is what the backend gets: the assignments that are not ours. Its OK is kept, and is the
 * client's once ours have taken effect too. Without a rest one WORK prepares and sets. One failure
 * leaves it half done, because the backend's part cannot be undone: the file of values cannot be
 * written after the backend has agreed. The error says so. */
#include "gateway/local/plugin_set.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/local/variables_text.h"

static struct plugin_set *set_of(struct local *local)
{
    return (struct plugin_set *)local;
}

/* A Prepare, and a text of several statements, match too: they are refused. */
static bool matches(const struct observed *observed, const struct wire_packet *packet)
{
    return variables_match(observed, packet, plugin_set_is);
}

static void release(struct local *local)
{
    struct plugin_set *set = set_of(local);
    for (size_t i = 0; i < set->count; i++) {
        strbuf_release(&set->items[i].text);
        plugin_assignment_free(set->assignments[i]);
    }
    free(set->items);
    free(set->assignments);
    strbuf_release(&set->query);
    strbuf_release(&set->rest);
    strbuf_release(&set->answer);
}

/* ---- The end of it ---- */

static struct local_action finish(struct plugin_set *set)
{
    struct local_answer *answer = &set->local.answer;
    struct local_action end = local_ok(&set->local);
    answer->took_effect = true;
    if (set->answer.size > 0) {
        answer->kind = LOCAL_PAYLOAD;
        answer->payload = set->answer.data;
        answer->payload_size = set->answer.size;
        answer->result = set->result;
    }
    return end;
}

/* ---- What plugins and the disk may take their time for ---- */

static void refuse(struct plugin_set *set, const char *why, const char *addition)
{
    set->is_refused = true;
    set->refusal = (struct plugin_refusal){.code = WIRE_ER_UNKNOWN_ERROR, .sqlstate = "HY000"};
    snprintf(set->refusal.message, sizeof set->refusal.message, "weir: %.300s%s", why, addition);
}

/* Whether nodes of a cluster are to have what is set; then it may be forbidden now. */
static void begin_for_cluster(struct plugin_set *set)
{
    const struct session_environment *environment = set->local.observed->environment;
    const char *name, *text;
    struct error error = {""};
    bool is_shared = false;
    for (size_t i = 0; i < set->count && environment->cluster; i++)
        is_shared = is_shared || plugin_assignment_share(set->assignments[i], &name, &text) ==
                                     PLUGIN_SHARE_VALUE;
    if (is_shared && environment->cluster->variables_begin(environment->owner, &error))
        refuse(set, error.message, "");
}

static void prepare_items(struct plugin_set *set)
{
    for (size_t i = 0; i < set->count && !set->is_refused; i++) {
        const struct plugin_set_item *item = &set->items[i];
        struct plugin_input input = {item->kind, item->text.data, item->text.size};
        set->assignments[i] =
            plugin_variable_prepare(item->variable, item->scope, &input, &set->refusal);
        set->is_refused = set->assignments[i] == NULL;
    }
    if (!set->is_refused)
        set->is_refused = !plugin_assignments_validate(&set->local.observed->handle,
                                                       set->assignments, set->count, &set->refusal);
    if (!set->is_refused)
        begin_for_cluster(set);
}

static void give_to_cluster(struct plugin_set *set)
{
    const struct session_environment *environment = set->local.observed->environment;
    const char *name, *text;
    for (size_t i = 0; i < set->count && environment->cluster; i++) {
        switch (plugin_assignment_share(set->assignments[i], &name, &text)) {
        case PLUGIN_SHARE_NOTHING:
            break;
        case PLUGIN_SHARE_VALUE:
            environment->cluster->variable_end(environment->owner, name, text,
                                               &set->local.warnings);
            break;
        case PLUGIN_SHARE_NEXT_START:
            strbuf_printf(&set->local.warnings,
                          "%s%s was set for the next start of this node only, and a value of the "
                          "cluster counts more then; SET GLOBAL sets it on all nodes",
                          set->local.warnings.size ? "; " : "", name);
            break;
        }
    }
}

static void set_items(struct plugin_set *set)
{
    struct observed *observed = set->local.observed;
    struct error error = {""};
    set->is_set = true;
    if (plugin_variables_set(observed->environment->registry, &observed->handle, set->assignments,
                             set->count, &error) == 0) {
        give_to_cluster(set);
        return;
    }
    refuse(set, error.message,
           set->answer.size ? "; the statement's other assignments have taken effect" : "");
}

/* Called once without a rest, and twice with one: before and after the backend has it. */
static void work(struct local *local)
{
    struct plugin_set *set = set_of(local);
    if (!set->assignments[0])
        prepare_items(set);
    if (!set->is_refused && (set->rest.size == 0 || set->answer.size > 0))
        set_items(set);
}

static struct local_action send_rest(struct plugin_set *set);

static struct local_action worked(struct local *local, const struct local_outcome *outcome)
{
    struct plugin_set *set = set_of(local);
    if (outcome->cancelled)
        return local_fail(local, WIRE_ER_SERVER_SHUTDOWN, "Server shutdown in progress");
    if (set->is_refused)
        return local_refuse(local, &set->refusal);
    if (!set->is_set)
        return send_rest(set);
    return finish(set);
}

static struct local_action do_work(void)
{
    return (struct local_action){.kind = LOCAL_WORK, .work = work, .next = worked};
}

/* ---- The rest ---- */

static void rest_packet(struct local *local, const struct wire_packet *packet,
                        const struct wire_result *result)
{
    struct plugin_set *set = set_of(local);
    local_keep_ok(local, packet, result, &set->answer, &set->result);
}

static struct local_action rest_known(struct local *local, const struct local_outcome *outcome)
{
    const struct plugin_set *set = set_of(local);
    if (outcome->error_code)
        return local_fail_like(local, outcome->result);
    if (set->answer.failed || set->answer.size == 0)
        return local_out_of_memory(local);
    return do_work();
}

static struct local_action send_rest(struct plugin_set *set)
{
    return (struct local_action){
        .kind = LOCAL_QUERY, .text = set->rest.data, .packet = rest_packet, .next = rest_known};
}

/* ---- Values that are no literals ---- */

static enum plugin_input_kind kind_of_type(uint8_t type)
{
    switch (type) {
    case WIRE_TYPE_TINY:
    case WIRE_TYPE_SHORT:
    case WIRE_TYPE_INT24:
    case WIRE_TYPE_LONG:
    case WIRE_TYPE_LONGLONG:
    case WIRE_TYPE_YEAR:
        return PLUGIN_INPUT_INTEGER;
    case WIRE_TYPE_DECIMAL:
    case WIRE_TYPE_NEWDECIMAL:
    case WIRE_TYPE_FLOAT:
    case WIRE_TYPE_DOUBLE:
        return PLUGIN_INPUT_DECIMAL;
    case WIRE_TYPE_NULL:
        return PLUGIN_INPUT_NULL;
    default:
        return PLUGIN_INPUT_TEXT;
    }
}

/* The first column says the type, the second one the value. */
static void value_packet(struct local *local, const struct wire_packet *packet,
                         const struct wire_result *result)
{
    struct plugin_set *set = set_of(local);
    struct plugin_set_item *item = &set->items[set->queried];
    struct wire_column_definition column;
    (void)result;
    if (packet->kind == WIRE_COLUMN_DEFINITION && item->kind == PLUGIN_INPUT_FILE &&
        wire_decode_column_definition(packet->payload, packet->payload_size,
                                      local->observed->capabilities, &column))
        item->kind = kind_of_type(column.type);
}

static void value_row(struct local *local, const struct wire_string *values, size_t count)
{
    struct plugin_set *set = set_of(local);
    struct plugin_set_item *item = &set->items[set->queried];
    strbuf_reset(&item->text);
    if (count < 2 || !values[1].data)
        item->kind = PLUGIN_INPUT_NULL;
    else
        sql_unhex(&item->text, (struct sql_span){values[1].data, values[1].size});
}

static struct local_action query_values(struct plugin_set *set);

static struct local_action value_known(struct local *local, const struct local_outcome *outcome)
{
    struct plugin_set *set = set_of(local);
    if (outcome->error_code)
        return local_fail_like(local, outcome->result);
    if (set->items[set->queried].text.failed)
        return local_out_of_memory(local);
    set->queried++;
    return query_values(set);
}

static struct local_action query_values(struct plugin_set *set)
{
    while (set->queried < set->count && !set->items[set->queried].must_query)
        set->queried++;
    if (set->queried == set->count)
        return do_work();
    struct plugin_set_item *item = &set->items[set->queried];
    item->kind = PLUGIN_INPUT_FILE; /* until its column is seen */
    strbuf_reset(&set->query);
    strbuf_printf(&set->query,
                  "SELECT v, HEX(CONVERT(v USING utf8mb4)) FROM (SELECT %s AS v) AS weir LIMIT 1",
                  item->text.data);
    if (set->query.failed)
        return local_out_of_memory(&set->local);
    return (struct local_action){.kind = LOCAL_QUERY,
                                 .text = set->query.data,
                                 .row = value_row,
                                 .packet = value_packet,
                                 .next = value_known};
}

/* ---- The beginning ---- */

static local_next granted_of_plugin;

/* A setting can switch as much off as ADMIN PLUGINS DISABLE: it demands the same of its plugin. */
static struct local_action ask_for_plugins(struct plugin_set *set)
{
    while (set->granted < set->count && set->items[set->granted].scope == PLUGIN_SET_SESSION)
        set->granted++;
    if (set->granted == set->count)
        return query_values(set);
    return local_demand(plugin_variable_privileges(set->items[set->granted].variable),
                        granted_of_plugin);
}

static struct local_action granted_of_plugin(struct local *local,
                                             const struct local_outcome *outcome)
{
    struct plugin_set *set = set_of(local);
    (void)outcome;
    set->granted++;
    return ask_for_plugins(set);
}

static struct local_action granted(struct local *local, const struct local_outcome *outcome)
{
    (void)outcome;
    return ask_for_plugins(set_of(local));
}

static struct local_action begin(struct local *local, const struct wire_packet *packet)
{
    struct plugin_set *set = set_of(local);
    strbuf_init(&set->query);
    strbuf_init(&set->rest);
    strbuf_init(&set->answer);
    if (packet->command == WIRE_COM_STMT_PREPARE)
        return local_fail(local, WIRE_ER_UNSUPPORTED_PS,
                          "This command is not supported in the prepared statement protocol yet");
    if (local->observed->command.many)
        return local_fail(
            local, WIRE_ER_NOT_SUPPORTED_YET,
            "This version of weir doesn't yet support 'SET of a plugin's variable in a text "
            "of several statements'");
    if (!plugin_set_read(set, &local->observed->command.one))
        return local_refuse(local, &set->refusal);
    assert(set->count > 0);
    if (!set->wants_privilege)
        return query_values(set);
    return local_demand(local_privileges(LOCAL_PRIVILEGE_SET), granted);
}

const struct local_statement local_plugin_set = {
    .name = "plugin_set",
    .needs = LOCAL_NEEDS_VARIABLES,
    .size = sizeof(struct plugin_set),
    .matches = matches,
    .begin = begin,
    .release = release,
};
