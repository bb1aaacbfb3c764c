/* SPDX-License-Identifier: Apache-2.0
 *
 * One C function for each SQL function that the manifest declares, in a table indexed by the
 * generated enum. All have the same signature and return -1 with a problem, or 0 with an answer;
 * functions_call() turns that into MySQL's convention, in which a failure is a text that begins
 * with "ERROR: " and not an error of the statement. Arguments that are NULL or contain a NUL byte
 * are refused: a name would end there. */
#include "functions.h"

#include <stdio.h>
#include <weir/account.h>

#include "filter_store.h"

/* A function of the plugin: what is wrong with the call as a whole has been said before. Returns
 * -1 and the problem, or 0 with what it answers in `answer`; empty: "OK". */
typedef int function(struct journal *journal, weir_session *session, const weir_string *arguments,
                     struct strbuf *answer, struct error *error);

static int set_filter(struct journal *journal, weir_session *session, const weir_string *arguments,
                      struct strbuf *answer, struct error *error)
{
    (void)journal, (void)session, (void)answer;
    return filter_store_set_filter(arguments[0].data, arguments[1], error);
}

static int remove_filter(struct journal *journal, weir_session *session,
                         const weir_string *arguments, struct strbuf *answer, struct error *error)
{
    (void)journal, (void)session, (void)answer;
    return filter_store_remove_filter(arguments[0].data, error);
}

static int set_user(struct journal *journal, weir_session *session, const weir_string *arguments,
                    struct strbuf *answer, struct error *error)
{
    struct account_name account;
    (void)journal, (void)session, (void)answer;
    if (!account_parse_named(arguments[0], &account)) /* "%" is all others */
        weir_expect_account(account_text(&account));
    return filter_store_set_user(arguments[0].data, arguments[1].data, error);
}

static int remove_user(struct journal *journal, weir_session *session, const weir_string *arguments,
                       struct strbuf *answer, struct error *error)
{
    (void)journal, (void)session, (void)answer;
    return filter_store_remove_user(arguments[0].data, error);
}

static int flush_filters(struct journal *journal, weir_session *session,
                         const weir_string *arguments, struct strbuf *answer, struct error *error)
{
    (void)journal, (void)session, (void)arguments, (void)answer;
    return filter_store_reload(error);
}

static int session_filter_id(struct journal *journal, weir_session *session,
                             const weir_string *arguments, struct strbuf *answer,
                             struct error *error)
{
    struct record record;
    (void)journal, (void)arguments;
    record_init(&record, RECORD_COMPLETED, 0);
    record.text[RECORD_TEXT_account] = weir_current_user(session);
    record.text[RECORD_TEXT_user] = weir_user(session);
    record.text[RECORD_TEXT_host] = weir_host(session);
    encode_number(answer, filter_store_id(&record));
    if (answer->failed)
        error_set(error, "no memory");
    return answer->failed ? -1 : 0;
}

static int rotate(struct journal *journal, weir_session *session, const weir_string *arguments,
                  struct strbuf *answer, struct error *error)
{
    (void)session, (void)arguments;
    return journal_rotate(journal, answer, error);
}

static function *const functions[] = {
    [AUDIT_LOG_FILTER_SET_FILTER_FUNCTION] = set_filter,
    [AUDIT_LOG_FILTER_REMOVE_FILTER_FUNCTION] = remove_filter,
    [AUDIT_LOG_FILTER_SET_USER_FUNCTION] = set_user,
    [AUDIT_LOG_FILTER_REMOVE_USER_FUNCTION] = remove_user,
    [AUDIT_LOG_FILTER_FLUSH_FUNCTION] = flush_filters,
    [AUDIT_LOG_SESSION_FILTER_ID_FUNCTION] = session_filter_id,
    [AUDIT_LOG_ROTATE_FUNCTION] = rotate,
};

/* Names end at their first NUL: an argument with one in it would be another one. */
static bool are_texts(const weir_call *call)
{
    for (uint32_t i = 0; i < call->argument_count; i++) {
        weir_string argument = call->arguments[i];
        if (!argument.data || memchr(argument.data, '\0', argument.size))
            return false;
    }
    return true;
}

weir_verdict functions_call(struct journal *journal, weir_session *session, weir_call *call)
{
    struct strbuf answer = {0};
    struct error error = {"no memory"};
    int status = -1;
    if (call->index >= sizeof functions / sizeof *functions)
        return weir_fail("audit_log has no function %.*s", WEIR_STRING_ARGS(call->name));
    if (!are_texts(call))
        error_set(&error, "the arguments of %.*s are texts, and none is NULL",
                  WEIR_STRING_ARGS(call->name));
    else
        status = functions[call->index](journal, session, call->arguments, &answer, &error);
    if (status < 0) {
        strbuf_reset(&answer);
        strbuf_add_text(&answer, "ERROR: ");
        strbuf_add_text(&answer, error.message);
    } else if (answer.size == 0) {
        strbuf_add_text(&answer, "OK");
    }
    if (!answer.failed)
        weir_return_text(call, answer.data, answer.size);
    strbuf_release(&answer);
    return WEIR_OK;
}
