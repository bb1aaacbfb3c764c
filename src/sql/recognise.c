/* SPDX-License-Identifier: Apache-2.0
 *
 * One function a statement, each the grammar in the order of its words. */
#include "sql/recognise.h"

bool sql_use_target(struct sql_span statement, const struct sql_mode *mode,
                    struct sql_span *database)
{
    struct sql_cursor cursor;
    sql_cursor_begin(&cursor, statement, mode);
    if (!sql_cursor_accept(&cursor, SQL_WORD_USE) || !sql_token_is_name(&cursor.token)) {
        return false;
    }
    *database = sql_cursor_inside(&cursor);
    return true;
}

bool sql_drop_database_target(struct sql_span statement, const struct sql_mode *mode,
                              struct sql_span *database)
{
    struct sql_cursor cursor;
    sql_cursor_begin(&cursor, statement, mode);
    if (!sql_cursor_accept(&cursor, SQL_WORD_DROP) ||
        !(sql_cursor_accept(&cursor, SQL_WORD_DATABASE) ||
          sql_cursor_accept(&cursor, SQL_WORD_SCHEMA))) {
        return false;
    }
    if (sql_cursor_accept(&cursor, SQL_WORD_IF)) {
        sql_cursor_accept(&cursor, SQL_WORD_EXISTS);
    }
    *database = sql_cursor_inside(&cursor);
    return sql_token_is_name(&cursor.token);
}

bool sql_set_role(struct sql_span statement, const struct sql_mode *mode, struct sql_span *role)
{
    struct sql_cursor cursor;
    sql_cursor_begin(&cursor, statement, mode);
    if (!sql_cursor_accept(&cursor, SQL_WORD_SET) || !sql_cursor_accept(&cursor, SQL_WORD_ROLE)) {
        return false;
    }
    bool named = sql_token_is_name(&cursor.token) || cursor.token.class == SQL_TOKEN_STRING;
    *role = sql_cursor_inside(&cursor);
    if (sql_cursor_word(&cursor) == SQL_WORD_NONE) {
        role->size = 0;
    }
    return named;
}

bool sql_show_plugins(struct sql_span statement, const struct sql_mode *mode,
                      struct sql_show_plugins *show)
{
    struct sql_cursor cursor;
    *show = (struct sql_show_plugins){0};
    sql_cursor_begin(&cursor, statement, mode);
    if (!sql_cursor_accept(&cursor, SQL_WORD_SHOW) ||
        !sql_cursor_accept(&cursor, SQL_WORD_PLUGINS)) {
        return false;
    }
    if (sql_cursor_accept(&cursor, SQL_WORD_LIKE)) {
        show->filtered = true;
        show->is_like = cursor.token.class == SQL_TOKEN_STRING;
        show->pattern = show->is_like ? sql_cursor_inside(&cursor) : (struct sql_span){0};
        return true;
    }
    show->filtered = sql_cursor_word(&cursor) == SQL_WORD_WHERE;
    return show->filtered || cursor.token.class == SQL_TOKEN_END || sql_cursor_is(&cursor, ';');
}

/* Whether names separated by commas, and nothing else, are left. */
static bool list_is_right(struct sql_cursor cursor)
{
    do {
        if (!sql_token_is_name(&cursor.token)) {
            return false;
        }
        sql_cursor_next(&cursor);
    } while (sql_cursor_accept_byte(&cursor, ','));
    return cursor.token.class == SQL_TOKEN_END ||
           (sql_cursor_accept_byte(&cursor, ';') && cursor.token.class == SQL_TOKEN_END);
}

bool sql_plugin_statement(struct sql_span statement, const struct sql_mode *mode,
                          struct sql_plugin_names *names)
{
    struct sql_cursor *cursor = &names->cursor;
    sql_cursor_begin(cursor, statement, mode);
    names->wrong = names->done = false;
    names->action = SQL_PLUGIN_FLUSH;
    if (sql_cursor_accept(cursor, SQL_WORD_FLUSH)) {
        sql_cursor_accept(cursor, SQL_WORD_TIDB);
        if (!sql_cursor_accept(cursor, SQL_WORD_PLUGINS)) {
            return false;
        }
    } else if (sql_cursor_accept(cursor, SQL_WORD_ADMIN)) {
        if (!sql_cursor_accept(cursor, SQL_WORD_PLUGINS)) {
            return false;
        }
        if (sql_cursor_accept(cursor, SQL_WORD_ENABLE)) {
            names->action = SQL_PLUGIN_ENABLE;
        } else {
            names->action = SQL_PLUGIN_DISABLE;
            names->wrong = !sql_cursor_accept(cursor, SQL_WORD_DISABLE);
        }
    } else {
        return false;
    }
    names->wrong = names->wrong || !list_is_right(*cursor);
    names->done = names->wrong;
    return true;
}

bool sql_plugin_names_next(struct sql_plugin_names *names, struct sql_span *name)
{
    if (names->done) {
        return false;
    }
    *name = sql_cursor_inside(&names->cursor);
    sql_cursor_next(&names->cursor);
    names->done = !sql_cursor_accept_byte(&names->cursor, ',');
    return true;
}
