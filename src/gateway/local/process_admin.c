/* SPDX-License-Identifier: Apache-2.0
 *
 * ADMIN SHOW PROCESSLIST [CLUSTER]: the sessions of this gateway, or of all of the cluster.
 *
 *     QUERY (SHOW GRANTS) ──► WORK ──► ANSWER, with a warning that names the nodes that are missing
 *
 * Who has not the privilege reads the sessions of its own user, as with the server's SHOW PROCESSLIST. Statements are
 * normalized: their literals are nobody's. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/local/grammar_processes.h"
#include "gateway/local/local.h"

#define SHOW_COLUMNS 10
#define NUMBER_BYTES 24
#define TEXTS        7

/* A row. */
struct shown {
    unsigned node;
    uint32_t id;
    char id_text[NUMBER_BYTES], node_text[NUMBER_BYTES], time_text[NUMBER_BYTES];
    char *texts[TEXTS]; /* owned: user, host, db, command, state, digest, text */
};

struct process_admin {
    struct local local;
    struct session_process_list list; /* while the work is done */
    bool is_cluster, is_granted;
    char *user; /* owned; who asks */
    struct shown *shown;
    size_t count, capacity;
    const char **values; /* owned */
    bool no_memory;
};

static struct process_admin *admin_of(struct local *local)
{
    return (struct process_admin *)local;
}

static bool matches(const struct observed *observed, const struct wire_packet *packet)
{
    const struct statement *statement = &observed->command.one;
    bool is_cluster, wrong = false;
    return statement->kinds.kind == SQL_KIND_ADMIN && local_is_single_query(observed, packet) &&
           grammar_processes(local_query_text(observed, packet), &statement->mode, &is_cluster,
                             &wrong);
}

static void release(struct local *local)
{
    struct process_admin *admin = admin_of(local);
    for (size_t i = 0; i < admin->count; i++)
        for (size_t j = 0; j < TEXTS; j++)
            free(admin->shown[i].texts[j]);
    free(admin->shown);
    free(admin->values);
    free(admin->user);
}

/* ---- The rows ---- */

static bool make_room(struct process_admin *admin)
{
    if (admin->count < admin->capacity)
        return true;
    const size_t capacity = admin->capacity ? 2 * admin->capacity : 64;
    struct shown *shown = realloc(admin->shown, capacity * sizeof *shown);
    if (!shown)
        return false;
    admin->shown = shown;
    admin->capacity = capacity;
    return true;
}

static void add_row(void *list, const struct session_process_row *row)
{
    struct process_admin *admin =
        (struct process_admin *)((char *)list - offsetof(struct process_admin, list));
    const char *const texts[TEXTS] = {row->user,  row->host,   row->database, row->command,
                                      row->state, row->digest, row->text};
    if (!make_room(admin)) {
        admin->no_memory = true;
        return;
    }
    struct shown *shown = &admin->shown[admin->count++];
    *shown = (struct shown){.node = row->node, .id = row->id};
    snprintf(shown->id_text, sizeof shown->id_text, "%" PRIu32, row->id);
    snprintf(shown->node_text, sizeof shown->node_text, "%u", row->node);
    snprintf(shown->time_text, sizeof shown->time_text, "%" PRId64, row->time_s);
    for (size_t i = 0; i < TEXTS; i++) {
        shown->texts[i] = strdup(texts[i]);
        admin->no_memory = admin->no_memory || !shown->texts[i];
    }
}

static int by_node_and_id(const void *left, const void *right)
{
    const struct shown *a = left, *b = right;
    if (a->node != b->node)
        return a->node < b->node ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

static void work(struct local *local)
{
    struct process_admin *admin = admin_of(local);
    const struct session_environment *environment = local->observed->environment;
    admin->list = (struct session_process_list){.user = admin->is_granted ? NULL : admin->user,
                                                .each = add_row,
                                                .warnings = &local->warnings};
    if (environment->operations->processes)
        environment->operations->processes(environment->owner, &admin->list);
    if (admin->is_cluster && environment->cluster)
        environment->cluster->processes(environment->owner, &admin->list);
    else if (admin->is_cluster)
        strbuf_printf(&local->warnings,
                      "%sthis weir-server is in no cluster; -cluster puts it in one",
                      local->warnings.size ? "; " : "");
    if (admin->count)
        qsort(admin->shown, admin->count, sizeof *admin->shown, by_node_and_id);
}

/* "" is not known. */
static const char *known(const char *text)
{
    return *text ? text : NULL;
}

static struct local_action worked(struct local *local, const struct local_outcome *outcome)
{
    static const char *const columns[SHOW_COLUMNS] = {"Id",      "Node", "User",  "Host",   "db",
                                                      "Command", "Time", "State", "Digest", "Info"};
    struct process_admin *admin = admin_of(local);
    if (outcome->cancelled)
        return local_fail(local, WIRE_ER_SERVER_SHUTDOWN, "Server shutdown in progress");
    admin->values = calloc(admin->count + 1, sizeof *admin->values * SHOW_COLUMNS);
    if (!admin->values || admin->no_memory)
        return local_out_of_memory(local);
    for (size_t i = 0; i < admin->count; i++) {
        const struct shown *shown = &admin->shown[i];
        char *const *texts = shown->texts;
        const char *cells[SHOW_COLUMNS] = {shown->id_text,
                                           shown->node ? shown->node_text : NULL,
                                           known(texts[0]),
                                           known(texts[1]),
                                           known(texts[2]),
                                           known(texts[3]),
                                           *shown->time_text == '-' ? NULL : shown->time_text,
                                           known(texts[4]),
                                           known(texts[5]),
                                           known(texts[6])};
        memcpy(admin->values + i * SHOW_COLUMNS, cells, sizeof cells);
    }
    return local_rows(local, columns, SHOW_COLUMNS, admin->values, admin->count);
}

/* ---- Who asks ---- */

static void grants_row(struct local *local, const struct wire_string *values, size_t count)
{
    if (count == 1 && local_grants(values[0], local_privileges(LOCAL_PRIVILEGE_PROCESSLIST)))
        admin_of(local)->is_granted = true;
}

static struct local_action grants_known(struct local *local, const struct local_outcome *outcome)
{
    struct process_admin *admin = admin_of(local);
    if (outcome->error_code)
        admin->is_granted = false;
    return (struct local_action){.kind = LOCAL_WORK, .work = work, .next = worked};
}

static struct local_action begin(struct local *local, const struct wire_packet *packet)
{
    struct process_admin *admin = admin_of(local);
    const char *user = local->observed->identity.user;
    bool wrong = true;
    if (!grammar_processes(local_query_text(local->observed, packet),
                           &local->observed->command.one.mode, &admin->is_cluster, &wrong) ||
        wrong)
        return local_fail(local, WIRE_ER_PARSE_ERROR,
                          "You have an error in your SQL syntax: give ADMIN SHOW PROCESSLIST, or "
                          "ADMIN SHOW PROCESSLIST CLUSTER");
    admin->user = strdup(user ? user : "");
    if (!admin->user)
        return local_out_of_memory(local);
    return (struct local_action){
        .kind = LOCAL_QUERY, .text = "SHOW GRANTS", .row = grants_row, .next = grants_known};
}

const struct local_statement local_process_admin = {
    .name = "process_admin",
    .size = sizeof(struct process_admin),
    .matches = matches,
    .begin = begin,
    .release = release,
};
