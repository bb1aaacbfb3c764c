/* SPDX-License-Identifier: Apache-2.0
 *
 * The grammar of dynamic SQL, in the order of its words. */
#include "sql/dynamic.h"

#include "sql/charset.h"

bool sql_dynamic_text_is_literal(const struct sql_cursor *cursor)
{
    struct sql_cursor ahead = *cursor;
    if (cursor->token.class != SQL_TOKEN_STRING) /* at the end there is no byte to look at */
        return false;
    char quote = *sql_cursor_span(cursor).at;
    if (quote != '\'' && quote != '"')
        return false;
    sql_cursor_next(&ahead);
    return ahead.token.class == SQL_TOKEN_END || sql_cursor_is(&ahead, ';') ||
           sql_cursor_word(&ahead) == SQL_WORD_USING;
}

static bool is_plain_name(struct sql_span name)
{
    bool plain = name.size > 0;
    for (size_t i = 0; i < name.size; i++) {
        unsigned char byte = (unsigned char)name.at[i];
        plain = plain && byte < 0x80 && sql_byte_is(byte, SQL_BYTE_WORD);
    }
    return plain;
}

void sql_dynamic_read(struct sql_cursor *cursor, struct sql_dynamic *dynamic)
{
    *dynamic = (struct sql_dynamic){0};
    bool prepares = sql_cursor_word(cursor) == SQL_WORD_PREPARE;
    sql_cursor_next(cursor);
    bool executes_text = !prepares && sql_cursor_accept(cursor, SQL_WORD_IMMEDIATE);
    sql_cursor_accept(cursor, SQL_WORD_PREPARE); /* DEALLOCATE PREPARE, DROP PREPARE */
    if (!executes_text && sql_token_is_name(&cursor->token)) {
        dynamic->name = sql_cursor_inside(cursor);
        dynamic->has_name = is_plain_name(dynamic->name);
        sql_cursor_next(cursor);
    }
    bool has_text = executes_text || (prepares && sql_cursor_accept(cursor, SQL_WORD_FROM));
    dynamic->has_text = has_text && sql_dynamic_text_is_literal(cursor);
    dynamic->text = cursor->token;
}
