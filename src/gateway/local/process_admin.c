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

#include "gateway/local/collected_rows.h"
#include "gateway/local/grammar_processes.h"
#include "gateway/local/local.h"

#define SHOW_COLUMNS 10
#define NUMBER_BYTES 24

struct process_admin {
    struct local local;
    struct session_process_list list; /* while the work is done */
    bool is_cluster, is_granted;
    char *user; /* owned; who asks */
    struct collected_rows rows;
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
    collected_rows_release(&admin->rows);
    free(admin->user);
}

/* ---- The rows ---- */

static void add_row(void *list, const struct session_process_row *row)
{
    struct process_admin *admin =
        (struct process_admin *)((char *)list - offsetof(struct process_admin, list));
    char id[NUMBER_BYTES], node[NUMBER_BYTES], time[NUMBER_BYTES];
    snprintf(id, sizeof id, "%" PRIu32, row->id);
    snprintf(node, sizeof node, "%u", row->node);
    snprintf(time, sizeof time, "%" PRId64, row->time_s);
    const char *const cells[SHOW_COLUMNS] = {id,
                                             row->node ? node : NULL,
                                             collected_known(row->user),
                                             collected_known(row->host),
                                             collected_known(row->database),
                                             collected_known(row->command),
                                             row->time_s < 0 ? NULL : time,
                                             collected_known(row->state),
                                             collected_known(row->digest),
                                             collected_known(row->text)};
    collected_rows_add(&admin->rows, cells);
}

static unsigned long number_of(const char *cell)
{
    return cell ? strtoul(cell, NULL, 10) : 0;
}

/* Rows begin with Id and Node. */
static int by_node_and_id(const void *left, const void *right)
{
    const char *const *a = left, *const *b = right;
    const unsigned long nodes[] = {number_of(a[1]), number_of(b[1])};
    const unsigned long ids[] = {number_of(a[0]), number_of(b[0])};
    if (nodes[0] != nodes[1])
        return nodes[0] < nodes[1] ? -1 : 1;
    return ids[0] < ids[1] ? -1 : ids[0] > ids[1];
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
    if (admin->rows.count)
        qsort(admin->rows.cells, admin->rows.count, SHOW_COLUMNS * sizeof *admin->rows.cells,
              by_node_and_id);
}

static struct local_action worked(struct local *local, const struct local_outcome *outcome)
{
    static const char *const columns[SHOW_COLUMNS] = {"Id",      "Node", "User",  "Host",   "db",
                                                      "Command", "Time", "State", "Digest", "Info"};
    if (outcome->cancelled)
        return local_fail(local, WIRE_ER_SERVER_SHUTDOWN, "Server shutdown in progress");
    return collected_rows_answer(&admin_of(local)->rows, local, columns);
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
    admin->rows.columns = SHOW_COLUMNS;
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
