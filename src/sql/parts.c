/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts are what runs.h lists, each with what a rule about it needs.
 *
 * A WHERE counts only if it names something that can vary: WHERE 1 or WHERE NULL selects all rows
 * or none, and protects nothing. */
#include "sql/parts.h"

#include "sql/cursor.h"

#include <stdlib.h>

void sql_parts_init(struct sql_parts *parts)
{
    *parts = (struct sql_parts){0};
    sql_runs_init(&parts->runs);
}

void sql_parts_release(struct sql_parts *parts)
{
    sql_runs_release(&parts->runs);
    free(parts->items);
    sql_parts_init(parts);
}

/* Whether a token of a WHERE clause makes its outcome depend on anything. */
static bool names_something(const struct sql_token *token)
{
    switch (token->word) {
    case SQL_WORD_AND:
    case SQL_WORD_BETWEEN:
    case SQL_WORD_BINARY:
    case SQL_WORD_DIV:
    case SQL_WORD_FALSE:
    case SQL_WORD_IN:
    case SQL_WORD_IS:
    case SQL_WORD_LIKE:
    case SQL_WORD_MOD:
    case SQL_WORD_NOT:
    case SQL_WORD_NULL:
    case SQL_WORD_OR:
    case SQL_WORD_TRUE:
    case SQL_WORD_UNKNOWN:
    case SQL_WORD_XOR:
        return false;
    default:
        return token->class == SQL_TOKEN_WORD || token->class == SQL_TOKEN_NAME ||
               token->class == SQL_TOKEN_VARIABLE || token->class == SQL_TOKEN_SYSTEM;
    }
}

static bool has_where(struct sql_span text, const struct sql_mode *mode, enum sql_reading reading)
{
    struct sql_cursor cursor;
    size_t depth = 0;
    bool inside = false;
    for (sql_cursor_init(&cursor, text, mode, reading); !sql_cursor_at_end(&cursor);
         sql_cursor_next(&cursor)) {
        uint16_t word = sql_cursor_word(&cursor);
        depth += sql_cursor_is(&cursor, '(');
        depth -= sql_cursor_is(&cursor, ')') && depth > 0;
        if (depth == 0 && word == SQL_WORD_WHERE)
            inside = true;
        else if (depth == 0 &&
                 (word == SQL_WORD_ORDER || word == SQL_WORD_LIMIT || word == SQL_WORD_RETURNING))
            inside = false;
        else if (inside && names_something(&cursor.token))
            return true;
    }
    return false;
}

static bool make_room(struct sql_parts *parts, size_t count)
{
    if (count <= parts->capacity)
        return true;
    struct sql_part *grown = realloc(parts->items, count * sizeof *grown);
    if (grown == NULL)
        return false;
    parts->items = grown;
    parts->capacity = count;
    return true;
}

bool sql_parts_read(struct sql_parts *parts, struct sql_span statement, const struct sql_mode *mode)
{
    const struct sql_session session = {.mode = *mode};
    const struct sql_runs *runs = &parts->runs;
    parts->count = 0;
    if (!sql_runs_read(&parts->runs, statement, &session) || !make_room(parts, runs->count))
        return false;
    for (size_t i = 0; i < runs->count; i++) {
        const struct sql_run *run = &runs->items[i];
        parts->items[i] = (struct sql_part){
            .kind = run->kind,
            .has_where = has_where(run->text, &run->mode, SQL_READING_SERVER),
            .in_text = run->in_text,
            .text = run->text,
            .mode = run->mode,
        };
    }
    parts->count = runs->count;
    parts->known = runs->texts_known;
    return true;
}
