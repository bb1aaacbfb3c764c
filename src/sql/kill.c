/* SPDX-License-Identifier: Apache-2.0
 *
 * KILL in all its forms. What is not replaced is copied byte by byte: the server sees the client's
 * comments and white space. */
#include "sql/kill.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "sql/charset.h"
#include "sql/cursor.h"
#include "sql/runs.h"
#include "sql/split.h"

/* ---- One statement ---- */

static bool read_number(struct sql_span digits, uint64_t *number)
{
    uint64_t value = 0;
    bool ok = digits.size <= 20;
    for (size_t i = 0; ok && i < digits.size; i++) {
        ok = sql_byte_is((unsigned char)digits.at[i], SQL_BYTE_DIGIT) &&
             !__builtin_mul_overflow(value, UINT64_C(10), &value) &&
             !__builtin_add_overflow(value, (uint64_t)(digits.at[i] - '0'), &value);
    }
    *number = ok ? value : 0;
    return ok;
}

bool sql_kill(struct sql_span statement, const struct sql_mode *mode, struct sql_kill *kill)
{
    struct sql_cursor cursor;
    *kill = (struct sql_kill){0};
    sql_cursor_begin(&cursor, statement, mode);
    if (!sql_cursor_accept(&cursor, SQL_WORD_KILL))
        return false;
    sql_cursor_accept(&cursor, SQL_WORD_TIDB);
    kill->soft = sql_cursor_accept(&cursor, SQL_WORD_SOFT);
    sql_cursor_accept(&cursor, SQL_WORD_HARD);
    if (!sql_cursor_accept(&cursor, SQL_WORD_CONNECTION) &&
        sql_cursor_accept(&cursor, SQL_WORD_QUERY)) {
        kill->query = true;
        kill->by_query_id = sql_cursor_accept(&cursor, SQL_WORD_ID);
    }
    struct sql_span digits = sql_cursor_span(&cursor);
    bool is_number = cursor.token.class == SQL_TOKEN_NUMBER;
    sql_cursor_next(&cursor);
    is_number = is_number && (cursor.token.class == SQL_TOKEN_END || sql_cursor_is(&cursor, ';'));
    if (is_number && read_number(digits, &kill->number)) {
        kill->is_number = true;
        kill->digits = digits;
    }
    return true;
}

/* ---- A text ---- */

bool sql_may_kill(struct sql_span text, enum sql_kind first, bool is_multi)
{
    assert(text.at || text.size == 0);
    if (first == SQL_KIND_KILL)
        return true;
    const char *at = is_multi && text.size ? memchr(text.at, ';', text.size) : NULL;
    for (; at && text.at + text.size - at >= 4; at++)
        if ((*at | 0x20) == 'k' && sql_span_is((struct sql_span){at, 4}, "kill"))
            return true;
    return false;
}

/* A text that is being copied. */
struct copying {
    struct strbuf *out;
    const char *at; /* what is before it is in out, once something was replaced */
    bool is_replaced;
    sql_kill_map *map;
    void *data;
};

static void replace(struct copying *copying, struct sql_span digits, uint32_t id)
{
    strbuf_add(copying->out, copying->at, (size_t)(digits.at - copying->at));
    strbuf_printf(copying->out, "%" PRIu32, id);
    copying->at = digits.at + digits.size;
    copying->is_replaced = true;
}

static void copy_statement(struct copying *copying, struct sql_span statement,
                           const struct sql_mode *mode)
{
    struct sql_kill kill;
    uint32_t id = 0;
    if (sql_statement_quick_kind(statement, mode).kind == SQL_KIND_KILL &&
        sql_kill(statement, mode, &kill) && kill.is_number && !kill.by_query_id &&
        copying->map(copying->data, kill.number, &id))
        replace(copying, kill.digits, id);
}

bool sql_kill_rewrite(struct strbuf *out, struct sql_span text, const struct sql_mode *mode,
                      bool is_multi, sql_kill_map *map, void *data)
{
    assert(map && (text.at || text.size == 0));
    struct copying copying = {.out = out, .at = text.at, .map = map, .data = data};
    struct sql_splitter splitter;
    struct sql_span statement;
    if (text.size == 0)
        return false;
    if (!is_multi) {
        copy_statement(&copying, text, mode);
    } else {
        sql_splitter_init(&splitter, text, mode);
        while (sql_splitter_next(&splitter, &statement)) {
            copy_statement(&copying, statement, &splitter.mode);
            sql_mode_follow(&splitter.mode, statement);
        }
    }
    if (copying.is_replaced)
        strbuf_add(out, copying.at, (size_t)(text.at + text.size - copying.at));
    return copying.is_replaced;
}
