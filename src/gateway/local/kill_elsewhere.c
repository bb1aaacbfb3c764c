/* SPDX-License-Identifier: Apache-2.0
 *
 * KILL of a session that is connected to another backend than the one that asks, or to another node of the
 * cluster, by the id that its client was given: COM_PROCESS_KILL, or a statement that does nothing else, as text or
 * prepared.
 *
 *     the same user                 ──► WORK ──► ANSWER
 *     another one   ──► PRIVILEGE   ──► WORK ──► ANSWER
 *     at another node               ──► WORK ──► ANSWER
 *                                        └── another user's ──► PRIVILEGE ──► WORK ──► ANSWER
 *
 * The client has no connection to that backend, so the gateway's own account runs it there; who may is
 * what servers say: a session of the same user, or a privilege, as the asking session's own backend grants
 * it. A KILL among other statements would have to wait for those before it, and hold up those after
 * it; it is refused, and nothing of the text is run. So is PREPARE of one without plugins, since names are not
 * followed then. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/local/kill_target.h"

struct kill_elsewhere {
    struct local local;
    struct session_place place;
    char statement[64];
    struct session_kill kill;          /* at another node */
    char *user;                        /* owned; who wants that */
    enum session_kill_outcome outcome; /* of the work */
    struct error error;
};

static bool read_process(const struct wire_packet *packet, struct sql_kill *kill)
{
    struct wire_reader reader = command_arguments(packet);
    *kill = (struct sql_kill){.is_number = true, .number = wire_read_u32(&reader)};
    return !reader.failed;
}

static bool read_execute(const struct observed *observed, const struct wire_packet *packet,
                         struct sql_kill *kill)
{
    const struct prepared *prepared = kill_find_prepared(observed, packet, kill);
    struct kill_value value;
    if (!prepared || !kill->is_parameter)
        return prepared != NULL;
    kill_read_value(observed, prepared, packet->payload, packet->payload_size, &value);
    kill->is_number = value.is_known;
    kill->number = value.number;
    return true;
}

/* What a command kills. false: it does not run a KILL, or something else, too. */
static bool read_kill(const struct observed *observed, const struct wire_packet *packet,
                      struct sql_kill *kill)
{
    *kill = (struct sql_kill){0};
    switch (packet->command) {
    case WIRE_COM_PROCESS_KILL:
        return read_process(packet, kill);
    case WIRE_COM_STMT_EXECUTE:
        return read_execute(observed, packet, kill);
    case WIRE_COM_QUERY:
        return kill_is_alone(observed, packet, kill) && !kill->is_kept;
    default:
        return false;
    }
}

/* Whether a session is elsewhere, where the gateway can reach it. */
static bool is_run_here(const struct observed *observed, const struct session_place *place)
{
    const struct session_environment *environment = observed->environment;
    return kill_is_elsewhere(observed, place) &&
           (place->node ? environment->cluster != NULL
                        : environment->operations->kill_elsewhere != NULL);
}

static bool find(const struct observed *observed, const struct wire_packet *packet,
                 struct sql_kill *kill, struct session_place *place)
{
    return read_kill(observed, packet, kill) && kill->is_number && !kill->by_query_id &&
           kill_find_place(observed, kill->number, place) && is_run_here(observed, place) &&
           (place->node || place->backend_id);
}

/* ---- What is refused ---- */

/* data: the observed. */
static bool map_elsewhere(void *data, uint64_t id, uint32_t *number)
{
    struct session_place place;
    *number = 0;
    return kill_find_place(data, id, &place) && is_run_here(data, &place);
}

/* Whether it will be run when what the command prepares is executed. */
static bool is_run_later(const struct observed *observed, const struct wire_packet *packet)
{
    struct sql_kill kill;
    return kill_is_alone(observed, packet, &kill) &&
           (kill.is_kept ? packet->command == WIRE_COM_QUERY && has_plugins(observed)
                         : packet->command == WIRE_COM_STMT_PREPARE);
}

/* Whether a text kills a session that is elsewhere, among other things. */
static bool is_among_others(const struct observed *observed, const struct wire_packet *packet)
{
    if ((packet->command != WIRE_COM_QUERY && packet->command != WIRE_COM_STMT_PREPARE) ||
        !kill_may_be_in(observed, packet))
        return false;
    struct strbuf text = STRBUF_INIT;
    const bool is_there = kill_rewrite(observed, packet, map_elsewhere, &text);
    strbuf_release(&text);
    return is_there && !is_run_later(observed, packet);
}

/* ---- The statement ---- */

static bool matches(const struct observed *observed, const struct wire_packet *packet)
{
    struct sql_kill kill;
    struct session_place place;
    const struct session_environment *environment = observed->environment;
    return (environment->operations->kill_elsewhere || environment->cluster) &&
           (find(observed, packet, &kill, &place) || is_among_others(observed, packet));
}

/* As MySQL and MariaDB write it in SHOW GRANTS. */
static const char *const privileges[] = {"SUPER", "CONNECTION_ADMIN", "CONNECTION ADMIN", NULL};

static void work(struct local *local)
{
    struct kill_elsewhere *run = (struct kill_elsewhere *)local;
    const struct session_environment *environment = local->observed->environment;
    if (run->place.node)
        run->outcome = environment->cluster->kill(environment->owner, &run->kill, &run->error);
    else
        run->outcome = environment->operations->kill_elsewhere(
                           environment->owner, run->place.backend, run->statement, &run->error)
                           ? SESSION_KILL_FAILED
                           : SESSION_KILL_DONE;
}

static local_next granted;

static struct local_action worked(struct local *local, const struct local_outcome *outcome)
{
    const struct kill_elsewhere *run = (struct kill_elsewhere *)local;
    if (outcome->cancelled)
        return local_fail(local, WIRE_ER_UNKNOWN_ERROR, "weir is shutting down");
    switch (run->outcome) {
    case SESSION_KILL_DONE:
        break;
    case SESSION_KILL_NOBODY:
        return local_fail(local, WIRE_ER_NO_SUCH_THREAD, "Unknown thread id: %" PRIu32,
                          run->kill.id);
    case SESSION_KILL_DENIED:
        return local_demand(privileges, granted);
    case SESSION_KILL_FAILED:
        return local_fail(local, WIRE_ER_UNKNOWN_ERROR, "weir: %s", run->error.message);
    }
    return local_ok(local);
}

static struct local_action run_it(void)
{
    return (struct local_action){.kind = LOCAL_WORK, .work = work, .next = worked};
}

static struct local_action granted(struct local *local, const struct local_outcome *outcome)
{
    struct kill_elsewhere *run = (struct kill_elsewhere *)local;
    (void)outcome;
    run->kill.is_granted = true;
    return run_it();
}

/* The backend has not read the types of an Execute that is answered here. */
static void keep_types(const struct observed *observed, const struct wire_packet *packet)
{
    struct sql_kill kill;
    struct kill_value value;
    struct prepared *prepared = kill_find_prepared(observed, packet, &kill);
    if (!prepared || !kill.is_parameter)
        return;
    kill_read_value(observed, prepared, packet->payload, packet->payload_size, &value);
    prepared_note_types(prepared, value.execute.types);
    prepared->types_unsent = prepared->types_unsent || value.execute.types.data;
}

static struct local_action refuse(struct local *local)
{
    return local_fail(
        local, WIRE_ER_NOT_SUPPORTED_YET,
        "weir: KILL of a connection that is at another backend or node cannot be run among "
        "other statements, nor be kept by PREPARE; send it as a statement of its own");
}

static void release(struct local *local)
{
    free(((struct kill_elsewhere *)local)->user);
}

static struct local_action begin(struct local *local, const struct wire_packet *packet)
{
    struct kill_elsewhere *run = (struct kill_elsewhere *)local;
    struct sql_kill kill;
    if (packet->command == WIRE_COM_STMT_EXECUTE)
        keep_types(local->observed, packet);
    const bool is_found = find(local->observed, packet, &kill, &run->place);
    if (!is_found && is_among_others(local->observed, packet))
        return refuse(local);
    if (!is_found) /* it has ended since */
        return local_fail(local, WIRE_ER_NO_SUCH_THREAD, "Unknown thread id: %" PRIu64,
                          kill.number);
    snprintf(run->statement, sizeof run->statement, "KILL %s%s%" PRIu32, kill.soft ? "SOFT " : "",
             kill.query ? "QUERY " : "", run->place.backend_id);
    if (run->place.node && local->observed->identity.user) {
        run->user = strdup(local->observed->identity.user);
        if (!run->user)
            return local_out_of_memory(local);
    }
    run->kill = (struct session_kill){.node = run->place.node,
                                      .id = (uint32_t)kill.number,
                                      .is_query = kill.query,
                                      .is_soft = kill.soft,
                                      .user = run->user};
    return run->place.node || run->place.is_same_user ? run_it()
                                                      : local_demand(privileges, granted);
}

const struct local_statement local_kill_elsewhere = {
    .name = "kill_elsewhere",
    .size = sizeof(struct kill_elsewhere),
    .matches = matches,
    .begin = begin,
    .release = release,
};
