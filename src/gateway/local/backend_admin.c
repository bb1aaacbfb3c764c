/* SPDX-License-Identifier: Apache-2.0
 *
 * ADMIN SHOW BACKENDS, and ADMIN BACKENDS ENABLE | DISABLE | DRAIN.
 *
 *     PRIVILEGE ──► ANSWER
 *
 * Of a list, the names before one that cannot be changed are changed: the error says which it is. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/local/collected_rows.h"
#include "gateway/local/grammar_backends.h"
#include "gateway/local/local.h"

#define MAX_NAMES    32 /* backends in one statement */
#define SHOW_COLUMNS 10
#define NUMBER_BYTES 24

struct backend_admin {
    struct local local;
    bool is_show;
    enum session_backend_order order;
    char *names[MAX_NAMES]; /* owned */
    size_t count;
    struct collected_rows rows;
};

static struct backend_admin *admin_of(struct local *local)
{
    return (struct backend_admin *)local;
}

static bool matches(const struct observed *observed, const struct wire_packet *packet)
{
    struct grammar_backends backends;
    const struct statement *statement = &observed->command.one;
    return statement->kinds.kind == SQL_KIND_ADMIN && local_is_single_query(observed, packet) &&
           grammar_backends(local_query_text(observed, packet), &statement->mode, &backends);
}

static void release(struct local *local)
{
    struct backend_admin *admin = admin_of(local);
    for (size_t i = 0; i < admin->count; i++)
        free(admin->names[i]);
    collected_rows_release(&admin->rows);
}

/* ---- Showing ---- */

static void add_row(struct collected_rows *rows, const struct session_backend_row *row)
{
    char since[CLOCK_RFC3339_BYTES] = "", sessions[NUMBER_BYTES], checks[NUMBER_BYTES];
    if (row->since_s)
        clock_rfc3339((uint64_t)row->since_s * UINT64_C(1000000000), since);
    snprintf(sessions, sizeof sessions, "%ld", row->sessions);
    snprintf(checks, sizeof checks, "%" PRIu64, row->checks);
    const char *const cells[SHOW_COLUMNS] = {row->name,
                                             row->address,
                                             row->state,
                                             collected_known(since),
                                             sessions,
                                             checks,
                                             collected_known(row->last_error),
                                             collected_known(row->version),
                                             row->tls,
                                             collected_known(row->role)};
    collected_rows_add(rows, cells);
}

static struct local_action show(struct backend_admin *admin)
{
    static const char *const columns[SHOW_COLUMNS] = {
        "Name",   "Address",    "State",   "Since", "Sessions",
        "Checks", "Last_error", "Version", "TLS",   "Role"};
    const struct session_environment *environment = admin->local.observed->environment;
    const struct session_operations *operations = environment->operations;
    struct session_backend_row row;
    admin->rows.columns = SHOW_COLUMNS;
    while (operations->backend_describe &&
           operations->backend_describe(environment->owner, admin->rows.count, &row) &&
           !admin->rows.no_memory)
        add_row(&admin->rows, &row);
    return collected_rows_answer(&admin->rows, &admin->local, columns);
}

/* ---- Changing ---- */

static struct local_action change(struct backend_admin *admin)
{
    const struct session_environment *environment = admin->local.observed->environment;
    const struct session_operations *operations = environment->operations;
    struct error error = {""};
    int status = operations->backend_change
                     ? 0
                     : error_set(&error, "there are no backends that could be changed here");
    for (size_t i = 0; status == 0 && i < admin->count; i++)
        status =
            operations->backend_change(environment->owner, admin->names[i], admin->order, &error);
    return status ? local_fail(&admin->local, WIRE_ER_UNKNOWN_ERROR, "%s", error.message)
                  : local_ok(&admin->local);
}

static struct local_action granted(struct local *local, const struct local_outcome *outcome)
{
    struct backend_admin *admin = admin_of(local);
    (void)outcome;
    return admin->is_show ? show(admin) : change(admin);
}

/* ---- Reading the statement ---- */

/* Returns false if there are too many names, or no memory for one (*no_memory). */
static bool read_names(struct backend_admin *admin, struct grammar_backends *backends,
                       bool *no_memory)
{
    struct sql_span name;
    *no_memory = false;
    while (grammar_backends_next(backends, &name)) {
        if (admin->count == MAX_NAMES)
            return false;
        char *copy = strndup(name.at, name.size);
        *no_memory = copy == NULL;
        if (!copy)
            return false;
        admin->names[admin->count++] = copy;
    }
    return true;
}

static struct local_action begin(struct local *local, const struct wire_packet *packet)
{
    struct backend_admin *admin = admin_of(local);
    struct grammar_backends backends;
    bool no_memory = false;
    if (!grammar_backends(local_query_text(local->observed, packet),
                          &local->observed->command.one.mode, &backends) ||
        backends.wrong || !read_names(admin, &backends, &no_memory))
        return no_memory ? local_out_of_memory(local)
                         : local_fail(
                               local, WIRE_ER_PARSE_ERROR,
                               "You have an error in your SQL syntax: give ADMIN SHOW BACKENDS, or "
                               "ADMIN BACKENDS ENABLE | DISABLE | DRAIN name[, name]");
    admin->is_show = backends.is_show;
    admin->order = backends.order;
    return local_demand(
        local_privileges(admin->is_show ? LOCAL_PRIVILEGE_SHOW_BACKENDS : LOCAL_PRIVILEGE_BACKENDS),
        granted);
}

const struct local_statement local_backend_admin = {
    .name = "backend_admin",
    .size = sizeof(struct backend_admin),
    .matches = matches,
    .begin = begin,
    .release = release,
};
