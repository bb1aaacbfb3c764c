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

#include "gateway/local/collected_rows.h"
#include "gateway/local/grammar_nodes.h"
#include "gateway/local/local.h"

#define SHOW_COLUMNS 9
#define NUMBER_BYTES 24

struct node_admin {
    struct local local;
    struct collected_rows rows;
};

static bool matches(const struct observed *observed, const struct wire_packet *packet)
{
    const struct statement *statement = &observed->command.one;
    bool wrong = false;
    return statement->kinds.kind == SQL_KIND_ADMIN && local_is_single_query(observed, packet) &&
           grammar_nodes(local_query_text(observed, packet), &statement->mode, &wrong);
}

static void release(struct local *local)
{
    collected_rows_release(&((struct node_admin *)local)->rows);
}

static void add_row(void *user, const struct session_node_row *row)
{
    struct node_admin *admin = user;
    char number[NUMBER_BYTES], sessions[NUMBER_BYTES], since[CLOCK_RFC3339_BYTES] = "";
    snprintf(number, sizeof number, "%u", row->number);
    snprintf(sessions, sizeof sessions, "%" PRId64, row->sessions);
    if (row->since_s > 0 && row->since_s < INT64_MAX / 1000000000)
        clock_rfc3339((uint64_t)row->since_s * UINT64_C(1000000000), since);
    const char *const cells[SHOW_COLUMNS] = {number,
                                             collected_known(row->address),
                                             collected_known(row->version),
                                             collected_known(since),
                                             row->is_here ? "YES" : "NO",
                                             sessions,
                                             collected_known(row->plugins),
                                             collected_known(row->last_flush),
                                             collected_known(row->refused)};
    collected_rows_add(&admin->rows, cells);
}

static void work(struct local *local)
{
    const struct session_environment *environment = local->observed->environment;
    (void)environment->cluster->nodes(environment->owner, add_row, local, &local->warnings);
}

static struct local_action worked(struct local *local, const struct local_outcome *outcome)
{
    static const char *const columns[SHOW_COLUMNS] = {"Id",      "Address",    "Version",
                                                      "Since",   "Here",       "Sessions",
                                                      "Plugins", "Last_flush", "Refused_variables"};
    const struct node_admin *admin = (const struct node_admin *)local;
    if (outcome->cancelled)
        return local_fail(local, WIRE_ER_SERVER_SHUTDOWN, "Server shutdown in progress");
    return collected_rows_answer(&admin->rows, local, columns);
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
    ((struct node_admin *)local)->rows.columns = SHOW_COLUMNS;
    return local_demand(local_privileges(LOCAL_PRIVILEGE_SHOW_NODES), granted);
}

const struct local_statement local_node_admin = {
    .name = "node_admin",
    .size = sizeof(struct node_admin),
    .matches = matches,
    .begin = begin,
    .release = release,
};
