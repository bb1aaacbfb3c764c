/* SPDX-License-Identifier: Apache-2.0
 *
 * Holds on their way: made within a plugin's callback, given back on any thread, and counted down
 * on the session's own. A session lives until the last one is back, even when it has long ended; but
 * one that is out for longer than hold_timeout_s, or at the gateway's end, is not waited for: then
 * its plugin has failed. */
#include "gateway/session/hold.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

struct session_hold {
    struct weir_hold hold; /* first: what the plugin has */
    struct session *session;
    enum plugin_hold_kind kind;
    uint64_t taken_ns;
    struct session_hold *older, **place; /* in session->holds_out */
    struct session_hold *next;           /* on its way back */
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

static void link_out(struct session *session, struct session_hold *hold)
{
    hold->older = session->holds_out;
    hold->place = &session->holds_out;
    if (hold->older)
        hold->older->place = &hold->older;
    session->holds_out = hold;
}

static void unlink_out(struct session_hold *hold)
{
    *hold->place = hold->older;
    if (hold->older)
        hold->older->place = hold->place;
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
    hold->taken_ns = clock_monotonic_ns();
    if (kind == PLUGIN_HOLD_VERDICT && !owe_verdict(session)) {
        free(hold);
        return NULL;
    }
    if (kind == PLUGIN_HOLD_REPLY) {
        session->reply_holds++;
        leg_cork(&session->client);
    }
    link_out(session, hold);
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
    free(judgement);
    session->judgement = NULL;
}

void hold_release(struct session *session)
{
    free(session->judgement);
    session->judgement = NULL;
    plugin_refusal_free(session->reply_refusal);
    session->reply_refusal = NULL;
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
static void reply_returned(struct session *session, struct weir_hold *hold)
{
    assert(session->reply_holds > 0);
    if (hold->failed && !session->reply_refusal) {
        session->reply_refusal = plugin_hold_take_refusal(hold);
        session->reply_refusal->by = hold->plugin_name;
    }
    plugin_hold_drop(hold);
    if (--session->reply_holds > 0)
        return;
    struct plugin_refusal *refusal = session->reply_refusal;
    session->reply_refusal = NULL;
    if (!refusal || !session_is_open(session)) {
        leg_uncork(&session->client);
    } else {
        session->has_lost_reply = leg_unsent(&session->client) > leg_pending(&session->client);
        leg_drop_corked(&session->client); /* what was not audited is not answered */
        session_fail_refused(session, CLOSE_PLUGIN_FAILED, refusal);
    }
    plugin_refusal_free(refusal);
}

static void returned(struct session *session, struct weir_hold *hold)
{
    if (hold->kind == PLUGIN_HOLD_VERDICT)
        verdict_returned(session, hold);
    else
        reply_returned(session, hold);
}

struct session *session_hold_returned(struct session_hold *hold)
{
    struct session *session = hold->session;
    session_check(session);
    unlink_out(hold);
    returned(session, &hold->hold);
    free(hold);
    return session;
}

/* ---- Answers that are not waited for any more ---- */

/* The hold may be gone at once when its plugin answers now: it is not looked at afterwards. */
static bool abandon(struct session *session, struct session_hold *hold, const char *why)
{
    struct weir_hold answer;
    unlink_out(hold);
    if (!plugin_hold_abandon(&hold->hold, why, &answer)) {
        link_out(session, hold); /* it is on its way back */
        return false;
    }
    returned(session, &answer);
    return true;
}

static bool abandon_taken_before(struct session *session, uint64_t ns, const char *why)
{
    struct session_hold *next = NULL;
    bool any = false;
    for (struct session_hold *hold = session->holds_out; hold; hold = next) {
        next = hold->older;
        if (hold->taken_ns <= ns)
            any = abandon(session, hold, why) || any;
    }
    return any;
}

bool session_expire_holds(struct session *session, uint64_t now_ns)
{
    session_check(session);
    const long limit_s = environment_of(session)->hold_timeout_s;
    const uint64_t limit_ns = (uint64_t)limit_s * 1000000000U;
    char why[64];
    if (!session->holds_out || now_ns < limit_ns)
        return false;
    snprintf(why, sizeof why, "it did not answer in %ld s (hold-timeout)", limit_s);
    return abandon_taken_before(session, now_ns - limit_ns, why);
}

void session_drop_holds(struct session *session)
{
    session_check(session);
    assert(!session_is_open(session));
    abandon_taken_before(session, UINT64_MAX, "it has not answered, and the server ends");
}

bool session_may_be_freed(const struct session *session)
{
    session_check(session);
    return session->state == SESSION_CLOSED && !session_is_held(session) &&
           !(session->judgement && session->judgement->owed) && !session->work_is_out;
}
