/* SPDX-License-Identifier: Apache-2.0
 *
 * SHOW PLUGINS, FLUSH [TIDB] PLUGINS, ADMIN PLUGINS and ADMIN SHOW VARIABLES, each in the order of its words. */
#include "gateway/local/grammar_plugins.h"

bool grammar_show_plugins(struct sql_span statement, const struct sql_mode *mode,
                          struct grammar_show_plugins *show)
{
    struct sql_cursor cursor;
    *show = (struct grammar_show_plugins){0};
    sql_cursor_begin(&cursor, statement, mode);
    if (!sql_cursor_accept(&cursor, SQL_WORD_SHOW) || !sql_cursor_accept(&cursor, SQL_WORD_PLUGINS))
        return false;
    if (sql_cursor_accept(&cursor, SQL_WORD_LIKE)) {
        show->filtered = true;
        show->is_like = cursor.token.class == SQL_TOKEN_STRING;
        if (show->is_like)
            show->pattern = sql_cursor_inside(&cursor);
        return true;
    }
    show->filtered = sql_cursor_word(&cursor) == SQL_WORD_WHERE;
    return show->filtered || cursor.token.class == SQL_TOKEN_END || sql_cursor_is(&cursor, ';');
}

/* Whether names separated by commas, and nothing else, are left. */
static bool list_is_right(struct sql_cursor cursor)
{
    do {
        if (!sql_token_is_name(&cursor.token))
            return false;
        sql_cursor_next(&cursor);
    } while (sql_cursor_accept_byte(&cursor, ','));
    return cursor.token.class == SQL_TOKEN_END ||
           (sql_cursor_accept_byte(&cursor, ';') && cursor.token.class == SQL_TOKEN_END);
}

bool grammar_admin_variables(struct sql_span statement, const struct sql_mode *mode,
                             struct grammar_show_plugins *show)
{
    struct sql_cursor cursor;
    *show = (struct grammar_show_plugins){0};
    sql_cursor_begin(&cursor, statement, mode);
    if (!sql_cursor_accept(&cursor, SQL_WORD_ADMIN) || !sql_cursor_accept(&cursor, SQL_WORD_SHOW) ||
        !sql_cursor_accept(&cursor, SQL_WORD_VARIABLES))
        return false;
    if (sql_cursor_accept(&cursor, SQL_WORD_LIKE)) {
        show->is_like = cursor.token.class == SQL_TOKEN_STRING;
        show->pattern = sql_cursor_inside(&cursor);
        sql_cursor_next(&cursor);
    }
    sql_cursor_accept_byte(&cursor, ';');
    if (cursor.token.class != SQL_TOKEN_END)
        show->is_like = false;
    show->filtered = show->is_like || show->pattern.at || cursor.token.class != SQL_TOKEN_END;
    return true;
}

bool grammar_plugins(struct sql_span statement, const struct sql_mode *mode,
                     struct grammar_plugins *plugins)
{
    struct sql_cursor *cursor = &plugins->cursor;
    sql_cursor_begin(cursor, statement, mode);
    plugins->wrong = plugins->done = false;
    plugins->action = GRAMMAR_PLUGINS_FLUSH;
    if (sql_cursor_accept(cursor, SQL_WORD_FLUSH)) {
        sql_cursor_accept(cursor, SQL_WORD_TIDB);
        if (!sql_cursor_accept(cursor, SQL_WORD_PLUGINS))
            return false;
    } else if (sql_cursor_accept(cursor, SQL_WORD_ADMIN)) {
        if (!sql_cursor_accept(cursor, SQL_WORD_PLUGINS))
            return false;
        if (sql_cursor_accept(cursor, SQL_WORD_ENABLE)) {
            plugins->action = GRAMMAR_PLUGINS_ENABLE;
        } else {
            plugins->action = GRAMMAR_PLUGINS_DISABLE;
            plugins->wrong = !sql_cursor_accept(cursor, SQL_WORD_DISABLE);
        }
    } else {
        return false;
    }
    plugins->wrong = plugins->wrong || !list_is_right(*cursor);
    plugins->done = plugins->wrong;
    return true;
}

bool grammar_plugins_next(struct grammar_plugins *plugins, struct sql_span *name)
{
    if (plugins->done)
        return false;
    *name = sql_cursor_inside(&plugins->cursor);
    sql_cursor_next(&plugins->cursor);
    plugins->done = !sql_cursor_accept_byte(&plugins->cursor, ',');
    return true;
}
