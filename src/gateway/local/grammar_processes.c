/* SPDX-License-Identifier: Apache-2.0
 *
 * ADMIN SHOW PROCESSLIST [CLUSTER], word by word. */
#include "gateway/local/grammar_processes.h"

#include "gateway/local/grammar_words.h"

bool grammar_processes(struct sql_span statement, const struct sql_mode *mode, bool *is_cluster,
                       bool *wrong)
{
    struct sql_cursor cursor;
    sql_cursor_begin(&cursor, statement, mode);
    if (!sql_cursor_accept(&cursor, SQL_WORD_ADMIN) || !sql_cursor_accept(&cursor, SQL_WORD_SHOW) ||
        !grammar_accept_text(&cursor, "processlist"))
        return false;
    *is_cluster = grammar_accept_text(&cursor, "cluster");
    sql_cursor_accept_byte(&cursor, ';');
    *wrong = cursor.token.class != SQL_TOKEN_END;
    return true;
}
