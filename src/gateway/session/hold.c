/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/hold.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "gateway/relay.h"
#include "gateway/tracing.h"

struct hold {
    struct weir_hold promise; /* first: what the plugin has */
    struct session *session;
    struct hold *next;
};

void client_send(struct session *session, const void *bytes, size_t size)
{
    tracing_bytes(session, WIRE_FROM_SERVER, bytes, size);
    if (!session_is_held(session)) {
        stream_write(&session->client, bytes, size);
        return;
    }
    strbuf_add(&session->held, bytes, size);
    if (session->held.failed)
        session_close(session, CLOSE_NO_MEMORY);
}

/* Any thread. The worker lives as long as its sessions, and a session as long as its promises. */
static void give_back(struct weir_hold *promise)
{
    struct hold *hold = (struct hold *)promise;
    struct worker *worker = hold->session->worker;
    pthread_mutex_lock(&worker->lock);
    hold->next = worker->given_back;
    worker->given_back = hold;
    uv_async_send(&worker->wake); /* under the lock: once the worker has the hold, it may end */
    pthread_mutex_unlock(&worker->lock);
}

struct weir_hold *hold_begin(struct session *session)
{
    struct hold *hold = session_is_open(session) ? calloc(1, sizeof *hold) : NULL;
    if (!hold)
        return NULL;
    hold->session = session;
    hold->promise.release = give_back;
    session->holds++;
    return &hold->promise;
}

/* The last promise is back: the client reads what was collected, and the session goes on. */
static void let_go(struct session *session)
{
    if (session->state == SESSION_CLOSED) {
        session_free_if_done(session);
        return;
    }
    if (session->hold_failed_by && session_is_open(session)) {
        const char *name = session->hold_failed_by;
        session->hold_failed_by = NULL;
        strbuf_release(&session->held); /* what was not audited is not answered */
        session->reply_sequence = session->held_sequence;
        session_fail(
            session, CLOSE_PLUGIN_FAILED, WIRE_ER_UNKNOWN_ERROR, NULL,
            "plugin %s failed, and its on_failure is \"refuse\"; the server's log says more", name);
        session_update_interest(session);
        return;
    }
    stream_write(&session->client, session->held.data, session->held.size);
    strbuf_release(&session->held);
    if (session->state == SESSION_ENDING)
        session_finish_sending(session);
    else
        relay_go_on(session);
    session_update_interest(session);
}

void hold_take_back(struct hold *list)
{
    while (list) {
        struct hold *next = list->next;
        struct session *session = list->session;
        if (list->promise.failed)
            session->hold_failed_by = list->promise.plugin_name;
        free(list);
        if (--session->holds == 0)
            let_go(session);
        list = next;
    }
}
