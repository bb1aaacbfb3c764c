/* SPDX-License-Identifier: Apache-2.0
 *
 * Holds on their way: made within a plugin's callback, given back on any thread, and counted down
 * on the session's own. A session lives until the last one is back, even when it has long ended. */
#include "gateway/session/hold.h"

#include <assert.h>
#include <stdlib.h>

struct session_hold {
    struct weir_hold hold; /* first: what the plugin has */
    struct session *session;
    enum plugin_hold_kind kind;
    struct session_hold *next; /* on its way back */
};

struct judgement {
    unsigned owed; /* holds that are out */
    bool is_kept;  /* verdict is that of the event that is pending */
    struct plugin_verdict verdict;
};

struct session *session_of_hold(const struct session_hold *hold)
{
    return hold->session;
}

struct session_hold **session_hold_next(struct session_hold *hold)
{
    return &hold->next;
}

/* Any thread. A session lives as long as its holds, and the environment as long as its sessions. */
static void give_back(struct weir_hold *hold)
{
    struct session_hold *returned = (struct session_hold *)hold;
    struct session_environment *environment = environment_of(returned->session);
    environment->operations->hold_is_back(environment->owner, returned);
}

static bool owe_verdict(struct session *session)
{
    if (!session->judgement)
        session->judgement = calloc(1, sizeof *session->judgement);
    if (session->judgement)
        session->judgement->owed++;
    return session->judgement;
}

struct weir_hold *hold_begin(void *owner, enum plugin_hold_kind kind)
{
    struct session *session = owner;
    session_check(session);
    struct session_hold *hold = session_is_open(session) ? calloc(1, sizeof *hold) : NULL;
    if (!hold)
        return NULL;
    hold->session = session;
    hold->kind = kind;
    hold->hold.release = give_back;
    if (kind == PLUGIN_HOLD_VERDICT && !owe_verdict(session)) {
        free(hold);
        return NULL;
    }
    if (kind == PLUGIN_HOLD_REPLY) {
        session->reply_holds++;
        leg_cork(&session->client);
    }
    return &hold->hold;
}

/* ---- Verdicts ---- */

void hold_keep_verdict(struct session *session, const struct plugin_verdict *verdict)
{
    assert(session->judgement && !session->judgement->is_kept);
    session->judgement->verdict = *verdict;
    session->judgement->is_kept = true;
}

void hold_take_verdict(struct session *session, struct plugin_verdict *verdict)
{
    struct judgement *judgement = session->judgement;
    assert(judgement && judgement->is_kept && judgement->owed == 0);
    plugin_verdict_settle(&judgement->verdict);
    *verdict = judgement->verdict;
    hold_release(session);
}

void hold_release(struct session *session)
{
    free(session->judgement);
    session->judgement = NULL;
}

static void verdict_returned(struct session *session, struct weir_hold *hold)
{
    struct judgement *judgement = session->judgement;
    assert(judgement && judgement->owed > 0);
    if (session_is_open(session))
        plugin_verdict_merge(&judgement->verdict, hold);
    else
        plugin_hold_drop(hold);
    session->is_done = --judgement->owed == 0;
}

/* ---- Replies ---- */

/* The last hold is back: the client reads what was collected, and the session goes on. */
static void reply_returned(struct session *session, const struct weir_hold *hold)
{
    assert(session->reply_holds > 0);
    if (hold->failed)
        session->hold_failed_by = hold->plugin_name;
    if (--session->reply_holds > 0)
        return;
    const char *name = session->hold_failed_by;
    session->hold_failed_by = NULL;
    if (!name || !session_is_open(session)) {
        leg_uncork(&session->client);
        return;
    }
    leg_drop_corked(&session->client); /* what was not audited is not answered */
    session_fail(session, CLOSE_PLUGIN_FAILED, WIRE_ER_UNKNOWN_ERROR, NULL,
                 "plugin %s failed, and its on_failure is \"refuse\"; the server's log says more",
                 name);
}

struct session *session_hold_returned(struct session_hold *hold)
{
    struct session *session = hold->session;
    session_check(session);
    if (hold->kind == PLUGIN_HOLD_VERDICT)
        verdict_returned(session, &hold->hold);
    else
        reply_returned(session, &hold->hold);
    free(hold);
    return session;
}

bool session_may_be_freed(const struct session *session)
{
    session_check(session);
    return session->state == SESSION_CLOSED && !session_is_held(session) &&
           !(session->judgement && session->judgement->owed) && !session->work_is_out;
}
