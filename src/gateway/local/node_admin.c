/* SPDX-License-Identifier: Apache-2.0
 *
 * ADMIN SHOW NODES: the gateways of the cluster.
 *
 *     PRIVILEGE ──► WORK ──► ANSWER, with a warning where they are those of before
 *
 * What a node says of itself has been sent here before, so that nothing waits for one; the work is there for its
 * warnings. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/local/grammar_nodes.h"
#include "gateway/local/local.h"

#define SHOW_COLUMNS 9
#define NUMBER_BYTES 24

/* A row: all texts but `here` are owned. */
struct shown {
    char number[NUMBER_BYTES], sessions[NUMBER_BYTES], since[CLOCK_RFC3339_BYTES];
    const char *here;
    char *address, *version, *plugins, *last_flush, *refused;
};

struct node_admin {
    struct local local;
    struct shown *shown; /* owned */
    size_t count, capacity;
    const char **values; /* owned */
    bool no_memory;
};

static struct node_admin *admin_of(struct local *local)
{
    return (struct node_admin *)local;
}

static bool matches(const struct observed *observed, const struct wire_packet *packet)
{
    const struct statement *statement = &observed->command.one;
    bool wrong = false;
    return statement->kinds.kind == SQL_KIND_ADMIN && local_is_single_query(observed, packet) &&
           grammar_nodes(local_query_text(observed, packet), &statement->mode, &wrong);
}

static void release(struct local *local)
{
    struct node_admin *admin = admin_of(local);
    for (size_t i = 0; i < admin->count; i++) {
        free(admin->shown[i].address);
        free(admin->shown[i].version);
        free(admin->shown[i].plugins);
        free(admin->shown[i].last_flush);
        free(admin->shown[i].refused);
    }
    free(admin->shown);
    free(admin->values);
}

static bool make_room(struct node_admin *admin)
{
    if (admin->count < admin->capacity)
        return true;
    const size_t capacity = admin->capacity ? 2 * admin->capacity : 16;
    struct shown *shown = realloc(admin->shown, capacity * sizeof *shown);
    if (!shown)
        return false;
    admin->shown = shown;
    admin->capacity = capacity;
    return true;
}

static void add_row(void *user, const struct session_node_row *row)
{
    struct node_admin *admin = user;
    if (!make_room(admin)) {
        admin->no_memory = true;
        return;
    }
    struct shown *shown = &admin->shown[admin->count++];
    *shown = (struct shown){.here = row->is_here ? "YES" : "NO",
                            .address = strdup(row->address),
                            .version = strdup(row->version),
                            .plugins = strdup(row->plugins),
                            .last_flush = strdup(row->last_flush),
                            .refused = strdup(row->refused)};
    snprintf(shown->number, sizeof shown->number, "%u", row->number);
    snprintf(shown->sessions, sizeof shown->sessions, "%" PRId64, row->sessions);
    if (row->since_s > 0 && row->since_s < INT64_MAX / 1000000000)
        clock_rfc3339((uint64_t)row->since_s * UINT64_C(1000000000), shown->since);
    if (!shown->address || !shown->version || !shown->plugins || !shown->last_flush ||
        !shown->refused)
        admin->no_memory = true;
}

static void work(struct local *local)
{
    const struct session_environment *environment = local->observed->environment;
    (void)environment->cluster->nodes(environment->owner, add_row, local, &local->warnings);
}

/* "" is not known. */
static const char *known(const char *text)
{
    return *text ? text : NULL;
}

static struct local_action worked(struct local *local, const struct local_outcome *outcome)
{
    static const char *const columns[SHOW_COLUMNS] = {"Id",      "Address",    "Version",
                                                      "Since",   "Here",       "Sessions",
                                                      "Plugins", "Last_flush", "Refused_variables"};
    struct node_admin *admin = admin_of(local);
    if (outcome->cancelled)
        return local_fail(local, WIRE_ER_SERVER_SHUTDOWN, "Server shutdown in progress");
    admin->values = calloc(admin->count + 1, sizeof *admin->values * SHOW_COLUMNS);
    if (!admin->values || admin->no_memory)
        return local_out_of_memory(local);
    for (size_t i = 0; i < admin->count; i++) {
        const struct shown *shown = &admin->shown[i];
        const char *cells[SHOW_COLUMNS] = {shown->number,         known(shown->address),
                                           known(shown->version), known(shown->since),
                                           shown->here,           shown->sessions,
                                           known(shown->plugins), known(shown->last_flush),
                                           known(shown->refused)};
        memcpy(admin->values + i * SHOW_COLUMNS, cells, sizeof cells);
    }
    return local_rows(local, columns, SHOW_COLUMNS, admin->values, admin->count);
}

static struct local_action granted(struct local *local, const struct local_outcome *outcome)
{
    static const struct local_outcome done = {.cancelled = false};
    (void)outcome;
    if (local->observed->environment->cluster)
        return (struct local_action){.kind = LOCAL_WORK, .work = work, .next = worked};
    strbuf_add_text(&local->warnings, "this weir-server is in no cluster; -cluster puts it in one");
    return worked(local, &done);
}

static struct local_action begin(struct local *local, const struct wire_packet *packet)
{
    bool wrong = true;
    if (!grammar_nodes(local_query_text(local->observed, packet),
                       &local->observed->command.one.mode, &wrong) ||
        wrong)
        return local_fail(local, WIRE_ER_PARSE_ERROR,
                          "You have an error in your SQL syntax: give ADMIN SHOW NODES");
    return local_demand(local_privileges(LOCAL_PRIVILEGE_SHOW_NODES), granted);
}

const struct local_statement local_node_admin = {
    .name = "node_admin",
    .size = sizeof(struct node_admin),
    .matches = matches,
    .begin = begin,
    .release = release,
};
