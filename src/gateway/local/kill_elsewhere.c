/* SPDX-License-Identifier: Apache-2.0
 *
 * KILL of a session that is connected to another backend than the one that asks, by the id that its
 * client was given: a COM_QUERY of nothing else, or COM_PROCESS_KILL.
 *
 *     the same user                 ──► WORK ──► ANSWER
 *     another one   ──► PRIVILEGE   ──► WORK ──► ANSWER
 *
 * The client has no connection to that backend, so the gateway's own account runs it there; who may is
 * what servers say: a session of the same user, or a privilege, as the asking session's own backend grants
 * it. Prepared or inside of other statements such an id is nobody's (kill_session.c). */
#include <inttypes.h>
#include <stdio.h>

#include "gateway/local/local.h"

struct kill_elsewhere {
    struct local local;
    struct session_place place;
    char statement[64];
    int status; /* of the work */
    struct error error;
};

/* What a command kills. false: it is no KILL of a connection's id alone. */
static bool read_kill(const struct observed *observed, const struct wire_packet *packet,
                      struct sql_kill *kill)
{
    const struct statement *statement = &observed->command.one;
    *kill = (struct sql_kill){0};
    if (packet->command == WIRE_COM_PROCESS_KILL) {
        struct wire_reader reader = command_arguments(packet);
        kill->number = wire_read_u32(&reader);
        return !reader.failed;
    }
    return packet->command == WIRE_COM_QUERY && statement->kinds.kind == SQL_KIND_KILL &&
           local_is_single_query(observed, packet) &&
           sql_kill(local_query_text(observed, packet), &statement->mode, kill) &&
           kill->is_number && !kill->by_query_id;
}

static bool find(const struct observed *observed, const struct wire_packet *packet,
                 struct sql_kill *kill, struct session_place *place)
{
    const struct session_environment *environment = observed->environment;
    return environment->operations->kill_elsewhere && read_kill(observed, packet, kill) &&
           kill->number <= UINT32_MAX &&
           environment->operations->id_find(environment->owner, (uint32_t)kill->number,
                                            observed->identity.user, place) &&
           place->backend && place->backend != observed->backend && place->backend_id;
}

static bool matches(const struct observed *observed, const struct wire_packet *packet)
{
    struct sql_kill kill;
    struct session_place place;
    return find(observed, packet, &kill, &place);
}

static void work(struct local *local)
{
    struct kill_elsewhere *run = (struct kill_elsewhere *)local;
    const struct session_environment *environment = local->observed->environment;
    run->status = environment->operations->kill_elsewhere(environment->owner, run->place.backend,
                                                          run->statement, &run->error);
}

static struct local_action worked(struct local *local, const struct local_outcome *outcome)
{
    const struct kill_elsewhere *run = (struct kill_elsewhere *)local;
    if (outcome->cancelled)
        return local_fail(local, WIRE_ER_UNKNOWN_ERROR, "weir is shutting down");
    if (run->status)
        return local_fail(local, WIRE_ER_UNKNOWN_ERROR, "weir: %s", run->error.message);
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
    /* As MySQL and MariaDB write it in SHOW GRANTS. */
    static const char *const privileges[] = {"SUPER", "CONNECTION_ADMIN", "CONNECTION ADMIN", NULL};
    struct kill_elsewhere *run = (struct kill_elsewhere *)local;
    struct sql_kill kill;
    if (!find(local->observed, packet, &kill, &run->place)) /* it has ended since */
        return local_fail(local, WIRE_ER_NO_SUCH_THREAD, "Unknown thread id: %" PRIu64,
                          kill.number);
    snprintf(run->statement, sizeof run->statement, "KILL %s%s%" PRIu32, kill.soft ? "SOFT " : "",
             kill.query ? "QUERY " : "", run->place.backend_id);
    return run->place.is_same_user ? granted(local, NULL) : local_demand(privileges, granted);
}

const struct local_statement local_kill_elsewhere = {
    .name = "kill_elsewhere",
    .size = sizeof(struct kill_elsewhere),
    .matches = matches,
    .begin = begin,
};
