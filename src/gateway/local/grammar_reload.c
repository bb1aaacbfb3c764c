/* SPDX-License-Identifier: Apache-2.0
 *
 * ADMIN RELOAD CONFIG, word by word. */
#include "gateway/local/grammar_reload.h"

#include "gateway/local/grammar_words.h"

bool grammar_reload(struct sql_span statement, const struct sql_mode *mode, bool *wrong)
{
    struct sql_cursor cursor;
    sql_cursor_begin(&cursor, statement, mode);
    if (!sql_cursor_accept(&cursor, SQL_WORD_ADMIN) || !grammar_accept_text(&cursor, "reload"))
        return false;
    *wrong = !grammar_accept_text(&cursor, "config");
    sql_cursor_accept_byte(&cursor, ';');
    *wrong = *wrong || cursor.token.class != SQL_TOKEN_END;
    return true;
}
