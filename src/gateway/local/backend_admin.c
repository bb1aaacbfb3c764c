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

#include "gateway/local/grammar_backends.h"
#include "gateway/local/local.h"

#define MAX_NAMES    32 /* backends in one statement */
#define SHOW_COLUMNS 9
#define NUMBER_BYTES 24

/* A row of SHOW, and the texts of its numbers. */
struct shown {
    struct session_backend_row row;
    char since[CLOCK_RFC3339_BYTES], sessions[NUMBER_BYTES], checks[NUMBER_BYTES];
};

struct backend_admin {
    struct local local;
    bool is_show;
    enum session_backend_order order;
    char *names[MAX_NAMES]; /* owned */
    size_t count;
    struct shown *shown; /* owned */
    const char **values; /* owned */
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
    free(admin->shown);
    free(admin->values);
}

/* ---- Showing ---- */

static void fill_row(struct shown *shown, const char *values[SHOW_COLUMNS])
{
    const struct session_backend_row *row = &shown->row;
    if (row->since_s)
        clock_rfc3339((uint64_t)row->since_s * UINT64_C(1000000000), shown->since);
    snprintf(shown->sessions, sizeof shown->sessions, "%ld", row->sessions);
    snprintf(shown->checks, sizeof shown->checks, "%" PRIu64, row->checks);
    const char *cells[SHOW_COLUMNS] = {row->name,
                                       row->address,
                                       row->state,
                                       row->since_s ? shown->since : NULL,
                                       shown->sessions,
                                       shown->checks,
                                       *row->last_error ? row->last_error : NULL,
                                       *row->version ? row->version : NULL,
                                       *row->role ? row->role : NULL};
    memcpy(values, cells, sizeof cells);
}

static struct local_action show(struct backend_admin *admin)
{
    static const char *const columns[SHOW_COLUMNS] = {
        "Name", "Address", "State", "Since", "Sessions", "Checks", "Last_error", "Version", "Role"};
    const struct session_environment *environment = admin->local.observed->environment;
    const struct session_operations *operations = environment->operations;
    struct session_backend_row row;
    size_t count = 0;
    while (operations->backend_describe &&
           operations->backend_describe(environment->owner, count, &row))
        count++;
    admin->shown = calloc(count + 1, sizeof *admin->shown);
    admin->values = calloc(count + 1, sizeof *admin->values * SHOW_COLUMNS);
    if (!admin->shown || !admin->values)
        return local_out_of_memory(&admin->local);
    for (size_t i = 0; i < count; i++)
        if (operations->backend_describe(environment->owner, i, &admin->shown[i].row))
            fill_row(&admin->shown[i], admin->values + i * SHOW_COLUMNS);
    return local_rows(&admin->local, columns, SHOW_COLUMNS, admin->values, count);
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
