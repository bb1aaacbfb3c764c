/* SPDX-License-Identifier: Apache-2.0
 *
 * KILLs between nodes. Those that are asked of this node are carried out by a thread of their own, because they connect to a
 * backend: as a KILL of a session at another backend, by the account of -backend-check-user.
 *
 * Who may is judged where it can be: whose session it is, here; whether the client may kill any, on the asking
 * node, by its own backend. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/backends.h"
#include "gateway/cluster_state.h"

#define ANSWER_MS    5000
#define QUEUE_LENGTH 1000 /* more are answered that there are too many */

/* ---- Asking ---- */

static enum session_kill_outcome outcome_of(const struct node_kill_answer *answer,
                                            struct error *error)
{
    static const enum session_kill_outcome outcomes[] = {
        [NODE_KILL_FAILED] = SESSION_KILL_FAILED,
        [NODE_KILL_DONE] = SESSION_KILL_DONE,
        [NODE_KILL_NOBODY] = SESSION_KILL_NOBODY,
        [NODE_KILL_DENIED] = SESSION_KILL_DENIED,
    };
    if (answer->outcome == NODE_KILL_FAILED)
        error_set(error, "%s", answer->message);
    return outcomes[answer->outcome];
}

enum session_kill_outcome cluster_kills_ask(void *owner, const struct session_kill *kill,
                                            struct error *error)
{
    struct cluster_link *link = ((const struct worker *)owner)->gateway->cluster;
    struct strbuf text = STRBUF_INIT, said = STRBUF_INIT;
    struct node_kill_answer answer = {.outcome = NODE_KILL_FAILED};
    struct node_kill wanted = {.id = kill->id,
                               .lease = membership_lease_of(link->membership, kill->node),
                               .is_query = kill->is_query,
                               .is_soft = kill->is_soft,
                               .is_granted = kill->is_granted};
    if (kill->user && strlen(kill->user) < sizeof wanted.user) /* a part of a name is another one */
        memcpy(wanted.user, kill->user, strlen(kill->user));
    node_kill_write(&text, &wanted);
    int status =
        text.failed || text.size > NODE_REQUEST_BYTES ? error_set(error, "out of memory") : 0;
    if (status == 0)
        status =
            node_requests_ask(link->requests, kill->node,
                              (struct store_bytes){text.data, text.size}, ANSWER_MS, &said, error);
    if (status == 0 && !node_kill_answer_read(&answer, (struct store_bytes){said.data, said.size}))
        status =
            error_set(error, "node %u has not answered in a way that is understood", kill->node);
    strbuf_release(&text);
    strbuf_release(&said);
    return status ? SESSION_KILL_FAILED : outcome_of(&answer, error);
}

/* ---- Asked ---- */

static void answer(struct cluster_link *link, const struct node_request *request,
                   const struct node_kill_answer *said)
{
    struct strbuf text = STRBUF_INIT;
    node_kill_answer_write(&text, said);
    if (!text.failed)
        node_requests_answer(link->requests, request, (struct store_bytes){text.data, text.size});
    strbuf_release(&text);
}

static void free_kill(struct cluster_kill *made)
{
    if (made)
        free(made->key);
    free(made);
}

/* Returns owned, or NULL and why. */
static struct cluster_kill *make_kill(const struct node_request *request, const char **why)
{
    struct cluster_kill *made = calloc(1, sizeof *made);
    if (made)
        made->key = strdup(request->key);
    if (!made || !made->key)
        *why = "out of memory";
    else if (!node_kill_read(&made->kill, request->text))
        *why = "the node does not understand the request";
    if (!*why) {
        made->request = (struct node_request){
            .key = made->key, .revision = request->revision, .lease = request->lease};
        return made;
    }
    free_kill(made);
    return NULL;
}

/* Takes it. Returns whether there was room. */
static bool queue_kill(struct cluster_link *link, struct cluster_kill *made)
{
    pthread_mutex_lock(&link->kills_lock);
    const bool has_room = link->kill_count < QUEUE_LENGTH && !link->kills_stop;
    if (has_room) {
        DL_APPEND(link->kills, made);
        link->kill_count++;
        pthread_cond_broadcast(&link->more_kills);
    }
    pthread_mutex_unlock(&link->kills_lock);
    if (!has_room)
        free_kill(made);
    return has_room;
}

void cluster_kills_asked(struct cluster_link *link, const struct node_request *request)
{
    struct node_kill_answer refusal = {.outcome = NODE_KILL_FAILED};
    const char *why = NULL;
    struct cluster_kill *made = make_kill(request, &why);
    if (made && !queue_kill(link, made))
        why = "too many at once, or it is stopping";
    if (!why)
        return;
    snprintf(refusal.message, sizeof refusal.message, "%s", why);
    answer(link, request, &refusal);
}

static void carry_out(struct cluster_link *link, const struct node_kill *kill,
                      struct node_kill_answer *said)
{
    struct gateway *gateway = link->gateway;
    struct connection_place place;
    struct error error = {""};
    char statement[64];
    const int64_t lease = membership_lease(link->membership);
    if (!lease || membership_is_reused(link->membership)) {
        snprintf(said->message, sizeof said->message,
                 "node %u: its number was another node's, or is lost: which session is meant is "
                 "not known here",
                 connection_ids_node(kill->id));
    } else if (kill->lease != lease) { /* the id is of a node that had the number before */
        said->outcome = NODE_KILL_NOBODY;
    } else if (!connection_ids_find(gateway->connection_ids, kill->id,
                                    *kill->user ? kill->user : NULL, &place) ||
               place.server_id == CONNECTION_ID_OF_NOBODY) {
        said->outcome = NODE_KILL_NOBODY;
    } else if (!place.is_same_user && !kill->is_granted) {
        said->outcome = NODE_KILL_DENIED;
    } else {
        snprintf(statement, sizeof statement, "KILL %s%s%" PRIu32, kill->is_soft ? "SOFT " : "",
                 kill->is_query ? "QUERY " : "", place.server_id);
        const int status =
            backend_kill(gateway, backend_view_at(gateway, place.server), statement, &error);
        said->outcome = status ? NODE_KILL_FAILED : NODE_KILL_DONE;
        snprintf(said->message, sizeof said->message, "%s", error.message);
        log_info("cluster", "KILL of session %" PRIu32 " for another node: %s", kill->id,
                 error.message[0] ? error.message : "done");
    }
}

/* ---- The thread ---- */

void *cluster_kills_run(void *user)
{
    struct cluster_link *link = user;
    pthread_mutex_lock(&link->kills_lock);
    while (!link->kills_stop) {
        struct cluster_kill *made = link->kills;
        if (!made) {
            pthread_cond_wait(&link->more_kills, &link->kills_lock);
            continue;
        }
        struct node_kill_answer said = {.outcome = NODE_KILL_FAILED};
        DL_DELETE(link->kills, made);
        link->kill_count--;
        pthread_mutex_unlock(&link->kills_lock);
        carry_out(link, &made->kill, &said);
        answer(link, &made->request, &said);
        free_kill(made);
        pthread_mutex_lock(&link->kills_lock);
    }
    while (link->kills) {
        struct cluster_kill *made = link->kills;
        DL_DELETE(link->kills, made);
        free_kill(made);
    }
    pthread_mutex_unlock(&link->kills_lock);
    return NULL;
}
