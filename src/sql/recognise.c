/* SPDX-License-Identifier: Apache-2.0
 *
 * One function a statement, each the grammar in the order of its words. */
#include "sql/recognise.h"

bool sql_set_role(struct sql_span statement, const struct sql_mode *mode, struct sql_span *role)
{
    struct sql_cursor cursor;
    sql_cursor_begin(&cursor, statement, mode);
    if (!sql_cursor_accept(&cursor, SQL_WORD_SET) || !sql_cursor_accept(&cursor, SQL_WORD_ROLE))
        return false;
    bool named = sql_token_is_name(&cursor.token) || cursor.token.class == SQL_TOKEN_STRING;
    *role = sql_cursor_inside(&cursor);
    if (sql_cursor_word(&cursor) == SQL_WORD_NONE)
        role->size = 0;
    return named;
}
