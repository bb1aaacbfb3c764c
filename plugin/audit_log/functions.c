/* SPDX-License-Identifier: Apache-2.0 */
#include "functions.h"

#include <stdio.h>

#include "filter_store.h"

/* A function of the plugin: what is wrong with the call as a whole has been said before. Returns
 * -1 and the problem, or 0 with what it answers in `answer`; empty: "OK". */
typedef int function(struct journal *journal, weir_session *session, const weir_string *arguments,
                     struct text *answer, char problem[PROBLEM_BYTES]);

_Static_assert(FILTER_PROBLEM_BYTES <= PROBLEM_BYTES, "a problem fits");

static int set_filter(struct journal *journal, weir_session *session, const weir_string *arguments,
                      struct text *answer, char problem[PROBLEM_BYTES])
{
    (void)journal, (void)session, (void)answer;
    return filter_store_set_filter(arguments[0].data, arguments[1], problem);
}

static int remove_filter(struct journal *journal, weir_session *session,
                         const weir_string *arguments, struct text *answer,
                         char problem[PROBLEM_BYTES])
{
    (void)journal, (void)session, (void)answer;
    return filter_store_remove_filter(arguments[0].data, problem);
}

static int set_user(struct journal *journal, weir_session *session, const weir_string *arguments,
                    struct text *answer, char problem[PROBLEM_BYTES])
{
    (void)journal, (void)session, (void)answer;
    return filter_store_set_user(arguments[0].data, arguments[1].data, problem);
}

static int remove_user(struct journal *journal, weir_session *session, const weir_string *arguments,
                       struct text *answer, char problem[PROBLEM_BYTES])
{
    (void)journal, (void)session, (void)answer;
    return filter_store_remove_user(arguments[0].data, problem);
}

static int flush_filters(struct journal *journal, weir_session *session,
                         const weir_string *arguments, struct text *answer,
                         char problem[PROBLEM_BYTES])
{
    (void)journal, (void)session, (void)arguments, (void)answer;
    return filter_store_reload(problem);
}

static int session_filter_id(struct journal *journal, weir_session *session,
                             const weir_string *arguments, struct text *answer,
                             char problem[PROBLEM_BYTES])
{
    struct record record;
    (void)journal, (void)arguments;
    record_init(&record, RECORD_COMPLETED, 0);
    record.text[RECORD_TEXT_account] = weir_current_user(session);
    record.text[RECORD_TEXT_user] = weir_user(session);
    record.text[RECORD_TEXT_host] = weir_host(session);
    text_add_number(answer, filter_store_id(&record));
    if (answer->failed)
        snprintf(problem, PROBLEM_BYTES, "no memory");
    return answer->failed ? -1 : 0;
}

static int rotate(struct journal *journal, weir_session *session, const weir_string *arguments,
                  struct text *answer, char problem[PROBLEM_BYTES])
{
    (void)session, (void)arguments;
    return journal_rotate(journal, answer, problem);
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
    struct text answer = {0};
    char problem[PROBLEM_BYTES] = "no memory";
    int status = -1;
    if (call->index >= sizeof functions / sizeof *functions)
        return weir_fail("audit_log has no function %.*s", WEIR_STRING_ARGS(call->name));
    if (!are_texts(call))
        snprintf(problem, sizeof problem, "the arguments of %.*s are texts, and none is NULL",
                 WEIR_STRING_ARGS(call->name));
    else
        status = functions[call->index](journal, session, call->arguments, &answer, problem);
    if (status < 0) {
        text_reset(&answer);
        text_add_words(&answer, "ERROR: ");
        text_add_words(&answer, problem);
    } else if (answer.size == 0) {
        text_add_words(&answer, "OK");
    }
    if (!answer.failed)
        weir_return_text(call, answer.data, answer.size);
    text_release(&answer);
    return WEIR_OK;
}
