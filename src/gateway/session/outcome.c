/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/outcome.h"

#include "gateway/answer.h"
#include "gateway/relay.h"
#include "gateway/statement.h"

void outcome_error(struct session *session, unsigned code, const char *sqlstate,
                   const char *message)
{
    if (!sqlstate)
        sqlstate = wire_error_sqlstate((uint16_t)code);
    statement_failed(session, code, sqlstate, message);
    answer_error(session, code, sqlstate, message);
    statement_end(session);
}

bool outcome_complete(struct session *session, const struct wire_result *result)
{
    bool fine = statement_answered(session, result);
    if (!fine)
        session_fail_refused(session, CLOSE_PLUGIN_FAILED);
    statement_end(session);
    return fine;
}

void outcome_rows(struct session *session, const char *const *columns, size_t column_count,
                  const char *const *values, size_t row_count)
{
    struct answer answer;
    answer_write_rows(session, &answer, columns, column_count, values, row_count);
    struct wire_result result = {.rows = row_count,
                                 .bytes = answer.out.size,
                                 .status = session->tracker.status,
                                 .is_result_set = true};
    if (outcome_complete(session, &result))
        answer_send(session, &answer);
    else
        strbuf_release(&answer.out);
}

void outcome_go_on(struct session *session)
{
    if (!session_is_open(session))
        return;
    session_enter(session, SESSION_READY);
    relay_go_on(session);
    session_update_interest(session);
}
