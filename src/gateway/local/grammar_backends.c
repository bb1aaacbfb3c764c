/* SPDX-License-Identifier: Apache-2.0
 *
 * ADMIN BACKENDS and ADMIN SHOW BACKENDS, in the order of their words. */
#include "gateway/local/grammar_backends.h"

#include "gateway/local/grammar_words.h"

static bool is_name(const struct sql_cursor *cursor)
{
    return sql_token_is_name(&cursor->token) || cursor->token.class == SQL_TOKEN_STRING;
}

static bool is_end(struct sql_cursor *cursor)
{
    sql_cursor_accept_byte(cursor, ';');
    return cursor->token.class == SQL_TOKEN_END;
}

/* Whether names separated by commas, and nothing else, are left. */
static bool list_is_right(struct sql_cursor cursor)
{
    do {
        if (!is_name(&cursor))
            return false;
        sql_cursor_next(&cursor);
    } while (sql_cursor_accept_byte(&cursor, ','));
    return is_end(&cursor);
}

static bool read_order(struct grammar_backends *backends)
{
    if (sql_cursor_accept(&backends->cursor, SQL_WORD_ENABLE))
        backends->order = SESSION_BACKEND_ENABLE;
    else if (sql_cursor_accept(&backends->cursor, SQL_WORD_DISABLE))
        backends->order = SESSION_BACKEND_DISABLE;
    else if (grammar_accept_text(&backends->cursor, "drain"))
        backends->order = SESSION_BACKEND_DRAIN;
    else
        return false;
    return true;
}

bool grammar_backends(struct sql_span statement, const struct sql_mode *mode,
                      struct grammar_backends *backends)
{
    struct sql_cursor *cursor = &backends->cursor;
    *backends = (struct grammar_backends){.order = SESSION_BACKEND_ENABLE};
    sql_cursor_begin(cursor, statement, mode);
    if (!sql_cursor_accept(cursor, SQL_WORD_ADMIN))
        return false;
    backends->is_show = sql_cursor_accept(cursor, SQL_WORD_SHOW);
    if (!grammar_accept_text(cursor, "backends"))
        return false;
    if (backends->is_show)
        backends->wrong = !is_end(cursor);
    else
        backends->wrong = !read_order(backends) || !list_is_right(*cursor);
    backends->done = backends->wrong || backends->is_show;
    return true;
}

bool grammar_backends_next(struct grammar_backends *backends, struct sql_span *name)
{
    if (backends->done)
        return false;
    *name = sql_cursor_inside(&backends->cursor);
    sql_cursor_next(&backends->cursor);
    backends->done = !sql_cursor_accept_byte(&backends->cursor, ',');
    return true;
}
