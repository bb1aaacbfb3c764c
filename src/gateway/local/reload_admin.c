/* SPDX-License-Identifier: Apache-2.0
 *
 * ADMIN RELOAD CONFIG: as SIGHUP, but that plugins are not flushed, which has a statement of its own.
 *
 *     PRIVILEGE ──► WORK ──► ANSWER, with a warning about what takes effect later
 *
 * A reload that fails has changed nothing, and the error says why. */
#include "gateway/local/grammar_reload.h"
#include "gateway/local/local.h"

struct reload_admin {
    struct local local;
    int status; /* of the work */
    struct error error;
};

static bool matches(const struct observed *observed, const struct wire_packet *packet)
{
    const struct statement *statement = &observed->command.one;
    bool wrong = false;
    return statement->kinds.kind == SQL_KIND_ADMIN && local_is_single_query(observed, packet) &&
           grammar_reload(local_query_text(observed, packet), &statement->mode, &wrong);
}

static void work(struct local *local)
{
    struct reload_admin *admin = (struct reload_admin *)local;
    const struct session_environment *environment = local->observed->environment;
    admin->status =
        environment->operations->configuration_reload
            ? environment->operations->configuration_reload(environment->owner, &local->warnings,
                                                            &admin->error)
            : error_set(&admin->error, "there is no configuration that could be read again");
}

static struct local_action worked(struct local *local, const struct local_outcome *outcome)
{
    const struct reload_admin *admin = (const struct reload_admin *)local;
    if (outcome->cancelled)
        return local_fail(local, WIRE_ER_SERVER_SHUTDOWN, "Server shutdown in progress");
    if (admin->status)
        return local_fail(local, WIRE_ER_UNKNOWN_ERROR, "%s", admin->error.message);
    return local_ok(local);
}

static struct local_action granted(struct local *local, const struct local_outcome *outcome)
{
    (void)local;
    (void)outcome;
    return (struct local_action){.kind = LOCAL_WORK, .work = work, .next = worked};
}

static struct local_action begin(struct local *local, const struct wire_packet *packet)
{
    bool wrong = true;
    if (!grammar_reload(local_query_text(local->observed, packet),
                        &local->observed->command.one.mode, &wrong) ||
        wrong)
        return local_fail(local, WIRE_ER_PARSE_ERROR,
                          "You have an error in your SQL syntax: give ADMIN RELOAD CONFIG");
    return local_demand(local_privileges(LOCAL_PRIVILEGE_RELOAD_CONFIG), granted);
}

const struct local_statement local_reload_admin = {
    .name = "reload_admin",
    .size = sizeof(struct reload_admin),
    .matches = matches,
    .begin = begin,
};
