/* SPDX-License-Identifier: Apache-2.0
 *
 * The token of etcd's user: asked for before the first request, and again when etcd does not know it
 * any more. Calls wait for it in a list. Where nobody logs in, there is none. */
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "cluster/etcd_state.h"

bool etcd_is_logged_in(const struct etcd *etcd)
{
    return !etcd->user || etcd->token;
}

bool etcd_is_token_refusal(const struct etcd_answer *answer)
{
    return answer->is_error &&
           (answer->code == ETCD_UNAUTHENTICATED || (answer->code == ETCD_INVALID_ARGUMENT &&
                                                     strstr(answer->message, "auth store is old")));
}

/* Another request may have brought a new one meanwhile. */
void etcd_token_refused(struct etcd *etcd, uint64_t number)
{
    if (number != etcd->token_number)
        return;
    free(etcd->token);
    etcd->token = NULL;
}

/* All that wait go on, or end: message is NULL, or why. Starting one may make it wait again. */
static void end_waiting(struct etcd *etcd, const char *message)
{
    struct etcd_call *call, *waiting = etcd->waiting;
    etcd->waiting = NULL;
    while ((call = waiting) != NULL) {
        DL_DELETE(waiting, call);
        if (message)
            etcd_call_fail(call, STORE_FAILED, message);
        else
            etcd_call_start(call);
    }
}

static void on_done(struct etcd_transfer *transfer, const struct etcd_outcome *outcome)
{
    struct etcd *etcd = transfer->user;
    const struct etcd_answer *answer = &outcome->answer;
    const char *why = outcome->failure;
    const bool is_elsewhere =
        outcome->failure || (answer->is_error && answer->code == ETCD_UNAVAILABLE);
    etcd->logging_in = false;
    if (!why && answer->is_error)
        why = answer->message;
    else if (!why && (!answer->token || strpbrk(answer->token, "\r\n")))
        why = "etcd has answered without a token";
    if (!why) {
        etcd->token = strdup(answer->token);
        etcd->token_number++;
        etcd->login_attempts = 0;
        end_waiting(etcd, etcd->token ? NULL : "no memory");
        return;
    }
    if (is_elsewhere)
        etcd_endpoint_failed(etcd, transfer->endpoint, why);
    if (is_elsewhere && etcd->login_attempts < etcd->endpoint_count) {
        etcd_login_start(etcd);
        return;
    }
    etcd->login_attempts = 0;
    struct error error = {""};
    error_set(&error, "%s cannot log in to etcd: %s", etcd->user, why);
    end_waiting(etcd, error.message);
}

void etcd_login_start(struct etcd *etcd)
{
    struct strbuf body = STRBUF_INIT;
    if (etcd->logging_in)
        return;
    etcd_request_authenticate(&body, etcd->user, etcd->password ? etcd->password : "");
    etcd->login_attempts++;
    etcd->logging_in =
        etcd_transfer_start(etcd, ETCD_AUTHENTICATE_PATH, &body, true, NULL, on_done, etcd) != NULL;
    if (!etcd->logging_in)
        end_waiting(etcd, "no memory");
}
