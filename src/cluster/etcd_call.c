/* SPDX-License-Identifier: Apache-2.0
 *
 * A request of the store: sent to the current endpoint, and to the next ones where that one does not
 * answer, each once at most. A request whose effect may not be had twice (a write makes news for
 * everybody) goes on only if nothing of it was sent; otherwise whoever asked learns that it is unknown
 * whether it was done.
 *
 *     call ──► token? ──► transfer ──► answer ──► done()
 *               ▲             │
 *               └── refused ──┤
 *             next endpoint ◄─┘ */
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "cluster/etcd_state.h"

#define LOGINS_MOST 2 /* a token that is refused as soon as it was given helps nobody */

static bool is_repeatable(enum store_action action)
{
    return action == STORE_READ || action == STORE_KEEP || action == STORE_REVOKE;
}

static void finish(struct etcd_call *call, const struct store_answer *answer)
{
    if (call->done)
        call->done(call->user, answer);
    strbuf_release(&call->body);
    free(call);
}

void etcd_call_fail(struct etcd_call *call, enum store_status status, const char *message)
{
    const struct store_answer answer = {.status = status, .message = message};
    finish(call, &answer);
}

void etcd_endpoint_failed(struct etcd *etcd, size_t endpoint, const char *why)
{
    if (endpoint == etcd->current) {
        etcd->current = (etcd->current + 1) % etcd->endpoint_count;
        if (etcd->endpoint_count > 1)
            log_warn("cluster", "%s; going on with %s", why, etcd->endpoints[etcd->current]);
    }
    etcd_follows_move(etcd, endpoint, why);
}

/* etcd itself says that it cannot serve. Where it had a leader that has changed, or has run out of time,
 * the request may have been done. */
static bool is_surely_not_done(const struct etcd_answer *answer)
{
    return answer->code != ETCD_UNAVAILABLE || strstr(answer->message, "no leader") != NULL;
}

/* Returns whether the call goes on elsewhere. */
static bool goes_on(struct etcd_call *call, bool may_be_done)
{
    if (call->attempts >= call->etcd->endpoint_count ||
        (may_be_done && !is_repeatable(call->action)))
        return false;
    etcd_call_start(call);
    return true;
}

static void refused(struct etcd_call *call, struct etcd_transfer *transfer,
                    const struct etcd_answer *answer)
{
    struct etcd *etcd = call->etcd;
    if (etcd->user && etcd_is_token_refusal(answer) && call->logins < LOGINS_MOST) {
        call->logins++;
        call->attempts--;
        etcd_token_refused(etcd, call->token);
        etcd_call_start(call);
        return;
    }
    const bool may_be_done = !is_surely_not_done(answer);
    if (answer->code == ETCD_UNAVAILABLE) {
        struct error error = {""};
        error_set(&error, "%s: %s", etcd->endpoints[transfer->endpoint], answer->message);
        etcd_endpoint_failed(etcd, transfer->endpoint, error.message);
        if (goes_on(call, may_be_done))
            return;
    }
    const bool is_of_lease =
        call->action == STORE_KEEP || call->action == STORE_REVOKE || call->action == STORE_WRITE;
    const enum store_status status = answer->code == ETCD_NOT_FOUND && is_of_lease ? STORE_GONE
                                     : may_be_done                                 ? STORE_UNKNOWN
                                                                                   : STORE_FAILED;
    etcd_call_fail(call, status, answer->message);
}

static void answered(struct etcd_call *call, const struct etcd_answer *read)
{
    struct store_answer answer = {.status = STORE_DONE,
                                  .message = "",
                                  .revision = read->revision,
                                  .entries = read->entries,
                                  .count = read->count,
                                  .lease = read->lease,
                                  .ttl_s = read->ttl_s};
    if (call->action == STORE_WRITE && !read->succeeded) {
        answer.status = STORE_DIFFERS;
        answer.message = "another one has changed it";
    }
    if ((call->action == STORE_KEEP || call->action == STORE_GRANT) && read->ttl_s == 0) {
        answer.status = STORE_GONE;
        answer.message = "the lease has ended";
    }
    finish(call, &answer);
}

static void on_done(struct etcd_transfer *transfer, const struct etcd_outcome *outcome)
{
    struct etcd_call *call = transfer->user;
    struct etcd *etcd = call->etcd;
    DL_DELETE(etcd->calls, call);
    if (!outcome->failure && outcome->answer.is_error) {
        refused(call, transfer, &outcome->answer);
    } else if (!outcome->failure) {
        answered(call, &outcome->answer);
    } else {
        etcd_endpoint_failed(etcd, transfer->endpoint, outcome->failure);
        if (!goes_on(call, outcome->was_sent))
            etcd_call_fail(call, outcome->was_sent ? STORE_UNKNOWN : STORE_FAILED,
                           outcome->failure);
    }
}

void etcd_call_start(struct etcd_call *call)
{
    struct etcd *etcd = call->etcd;
    struct strbuf body = STRBUF_INIT;
    if (!etcd_is_logged_in(etcd)) {
        DL_APPEND(etcd->waiting, call);
        etcd_login_start(etcd);
        return;
    }
    call->attempts++;
    call->token = etcd->token_number;
    strbuf_add(&body, call->body.data, call->body.size);
    if (etcd_transfer_start(etcd, etcd_request_path(call->action), &body,
                            is_repeatable(call->action), NULL, on_done, call))
        DL_APPEND(etcd->calls, call);
    else
        etcd_call_fail(call, STORE_FAILED, "no memory");
}
