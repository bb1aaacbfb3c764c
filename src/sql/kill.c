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
#include "sql/dynamic.h"
#include "sql/runs.h"
#include "sql/split.h"

#define MAX_DEPTH 4 /* of texts in texts */

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

/* From after KILL to after its id. Parentheses around a number change nothing. */
static void read_kill(struct sql_cursor *cursor, struct sql_kill *kill)
{
    size_t opened = 0;
    *kill = (struct sql_kill){0};
    sql_cursor_accept(cursor, SQL_WORD_TIDB);
    kill->soft = sql_cursor_accept(cursor, SQL_WORD_SOFT);
    sql_cursor_accept(cursor, SQL_WORD_HARD);
    if (!sql_cursor_accept(cursor, SQL_WORD_CONNECTION) &&
        sql_cursor_accept(cursor, SQL_WORD_QUERY)) {
        kill->query = true;
        kill->by_query_id = sql_cursor_accept(cursor, SQL_WORD_ID);
    }
    while (sql_cursor_accept_byte(cursor, '('))
        opened++;
    const struct sql_token token = cursor->token;
    struct sql_span id = sql_cursor_span(cursor);
    sql_cursor_next(cursor);
    while (opened && sql_cursor_accept_byte(cursor, ')'))
        opened--;
    if (opened || (cursor->token.class != SQL_TOKEN_END && !sql_cursor_is(cursor, ';')))
        return; /* an expression */
    kill->is_number = token.class == SQL_TOKEN_NUMBER && read_number(id, &kill->number);
    kill->is_parameter = sql_token_is(&token, '?');
    kill->is_variable = token.class == SQL_TOKEN_VARIABLE;
    if (kill->is_number || kill->is_parameter || kill->is_variable)
        kill->id = id;
}

bool sql_kill(struct sql_span statement, const struct sql_mode *mode, struct sql_kill *kill)
{
    struct sql_cursor cursor;
    *kill = (struct sql_kill){0};
    sql_cursor_begin(&cursor, statement, mode);
    if (!sql_cursor_accept(&cursor, SQL_WORD_KILL))
        return false;
    read_kill(&cursor, kill);
    return true;
}

/* ---- Nothing but a KILL ---- */

static bool is_alone(struct sql_span statement, const struct sql_mode *mode,
                     const struct sql_named *named, unsigned depth, struct sql_kill *kill);

/* From SET STATEMENT (the second word is current) to what it is set for. */
static void skip_settings(struct sql_cursor *cursor)
{
    while (!sql_cursor_at_end(cursor) && !sql_cursor_accept(cursor, SQL_WORD_FOR))
        if (sql_cursor_is(cursor, '('))
            sql_cursor_skip_parentheses(cursor);
        else
            sql_cursor_next(cursor);
}

/* Moves on to what is run. *blocks: how many ENDs are due after it. */
static void skip_wrappers(struct sql_cursor *cursor, size_t *blocks)
{
    bool goes_on = true;
    *blocks = 0;
    while (goes_on) {
        if (sql_cursor_word(cursor) == SQL_WORD_SET &&
            sql_cursor_second_word(cursor) == SQL_WORD_STATEMENT) {
            sql_cursor_next(cursor);
            skip_settings(cursor);
        } else if (sql_cursor_word(cursor) == SQL_WORD_BEGIN &&
                   sql_cursor_second_word(cursor) == SQL_WORD_NOT) {
            sql_cursor_next(cursor);
            sql_cursor_next(cursor);
            goes_on = sql_cursor_accept(cursor, SQL_WORD_ATOMIC);
            ++*blocks;
        } else {
            goes_on = false;
        }
    }
}

/* Characters that are what is written. */
static bool is_plain(struct sql_span text)
{
    for (size_t i = 0; i < text.size; i++)
        if (strchr("\\'\"", text.at[i]))
            return false;
    return true;
}

/* What is kept under a name, or stands in a string. */
static bool is_alone_in_text(struct sql_cursor *cursor, const struct sql_named *named,
                             unsigned depth, struct sql_kill *kill)
{
    struct sql_dynamic dynamic;
    const bool keeps = sql_cursor_word(cursor) == SQL_WORD_PREPARE;
    sql_dynamic_read(cursor, &dynamic);
    const struct sql_prepared *prepared = !dynamic.has_text && !keeps && dynamic.has_name
                                              ? sql_named_find(named, dynamic.name)
                                              : NULL;
    bool is_such = false;
    if (prepared) {
        is_such = is_alone(prepared->text, &prepared->mode, NULL, depth + 1, kill);
    } else if (dynamic.has_text) {
        const struct sql_span inside = sql_cursor_inside(cursor);
        is_such = is_plain(inside) && is_alone(inside, &cursor->lexer.mode, NULL, depth + 1, kill);
        sql_cursor_next(cursor);
    }
    kill->is_kept = keeps;
    return is_such;
}

static bool is_alone(struct sql_span statement, const struct sql_mode *mode,
                     const struct sql_named *named, unsigned depth, struct sql_kill *kill)
{
    struct sql_cursor cursor;
    size_t blocks = 0;
    bool is_such = false;
    if (depth > MAX_DEPTH)
        return false;
    sql_cursor_begin(&cursor, statement, mode);
    skip_wrappers(&cursor, &blocks);
    if (sql_cursor_accept(&cursor, SQL_WORD_KILL)) {
        read_kill(&cursor, kill);
        is_such = true;
    } else if (sql_cursor_word(&cursor) == SQL_WORD_EXECUTE ||
               sql_cursor_word(&cursor) == SQL_WORD_PREPARE) {
        is_such = is_alone_in_text(&cursor, named, depth, kill);
    }
    for (; is_such && blocks; blocks--)
        is_such = sql_cursor_accept_byte(&cursor, ';') && sql_cursor_accept(&cursor, SQL_WORD_END);
    while (sql_cursor_accept_byte(&cursor, ';'))
        continue;
    return is_such && sql_cursor_at_end(&cursor);
}

bool sql_kill_alone(struct sql_span statement, const struct sql_mode *mode,
                    const struct sql_named *named, struct sql_kill *kill)
{
    assert(statement.at || statement.size == 0);
    *kill = (struct sql_kill){0};
    const bool is_such = is_alone(statement, mode, named, 0, kill);
    kill->id = (struct sql_span){0};
    return is_such;
}

/* ---- A text ---- */

/* Whether a statement of this kind is a KILL, or may run one that its text shows. What is stored
 * keeps its text. */
static bool may_run_kill(enum sql_kind kind)
{
    switch (kind) {
    case SQL_KIND_KILL:
    case SQL_KIND_SET_STATEMENT:
    case SQL_KIND_COMPOUND:
    case SQL_KIND_PREPARE:
    case SQL_KIND_EXECUTE_IMMEDIATE:
        return true;
    default:
        return false;
    }
}

bool sql_may_kill(struct sql_span text, enum sql_kind first, bool is_multi)
{
    assert(text.at || text.size == 0);
    if (first == SQL_KIND_KILL)
        return true;
    const char *at = is_multi && text.size ? memchr(text.at, ';', text.size) : NULL;
    if (may_run_kill(first))
        at = text.at;
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

static void copy_kill(struct copying *copying, struct sql_cursor *cursor)
{
    struct sql_kill kill;
    uint32_t id = 0;
    read_kill(cursor, &kill);
    if (kill.is_number && !kill.by_query_id && copying->map(copying->data, kill.number, &id))
        replace(copying, kill.id, id);
}

static void copy_statement(struct copying *copying, struct sql_span statement,
                           const struct sql_mode *mode, unsigned depth);

/* The text that PREPARE or EXECUTE IMMEDIATE runs: a string by itself, in which the characters are
 * those that are written. */
static void copy_text(struct copying *copying, struct sql_cursor *cursor, unsigned depth)
{
    struct sql_span inside = sql_cursor_inside(cursor);
    if (cursor->token.class != SQL_TOKEN_STRING)
        return;
    sql_cursor_next(cursor);
    bool is_alone = cursor->token.class == SQL_TOKEN_END || sql_cursor_is(cursor, ';') ||
                    sql_cursor_word(cursor) == SQL_WORD_USING;
    for (size_t i = 0; i < inside.size; i++)
        is_alone = is_alone && !strchr("\\'\"", inside.at[i]);
    if (is_alone && depth < MAX_DEPTH)
        copy_statement(copying, inside, &cursor->lexer.mode, depth + 1);
}

/* KILL is reserved by every server: the word is the statement, wherever it stands. */
static void copy_statement(struct copying *copying, struct sql_span statement,
                           const struct sql_mode *mode, unsigned depth)
{
    struct sql_cursor cursor;
    if (!may_run_kill(sql_statement_quick_kind(statement, mode).kind))
        return;
    sql_cursor_begin(&cursor, statement, mode);
    while (!sql_cursor_at_end(&cursor)) {
        if (sql_cursor_accept(&cursor, SQL_WORD_KILL)) {
            copy_kill(copying, &cursor);
        } else if (sql_cursor_accept(&cursor, SQL_WORD_EXECUTE)) {
            if (sql_cursor_accept(&cursor, SQL_WORD_IMMEDIATE))
                copy_text(copying, &cursor, depth);
        } else if (sql_cursor_accept(&cursor, SQL_WORD_PREPARE)) {
            sql_cursor_next(&cursor); /* the name */
            if (sql_cursor_accept(&cursor, SQL_WORD_FROM))
                copy_text(copying, &cursor, depth);
        } else {
            sql_cursor_next(&cursor);
        }
    }
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
    sql_splitter_init(&splitter, text, mode);
    while (sql_splitter_next(&splitter, &statement)) {
        copy_statement(&copying, statement, &splitter.mode, 0);
        sql_mode_follow(&splitter.mode, statement);
        if (!is_multi) /* the server refuses what comes after it */
            break;
    }
    if (copying.is_replaced)
        strbuf_add(out, copying.at, (size_t)(text.at + text.size - copying.at));
    return copying.is_replaced;
}
