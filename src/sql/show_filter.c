/* SPDX-License-Identifier: Apache-2.0
 *
 * The filter of SHOW VARIABLES, as far as a name alone decides it.
 *
 * LIKE of SHOW is no operator: MariaDB compares bytes, with a backslash as the escape in every
 * sql_mode, and an empty pattern lets everything through. In WHERE, comparisons of Variable_name
 * with literals are read, and AND, OR and parentheses around them; whatever else there is may be
 * true or not. What could be read in two ways gives the whole filter up. */
#include <assert.h>
#include <string.h>
#include <weir/pattern.h>

#include "sql/charset.h"
#include "sql/cursor.h"
#include "sql/variables.h"

enum {
    MOST_BYTES = 4096,   /* of a filter that is read */
    LITERAL_BYTES = 256, /* of a literal; no name is longer than 64 */
    MOST_DEPTH = 16,     /* of parentheses */
};

struct reader {
    struct sql_cursor cursor;
    struct sql_span name;
    size_t depth;
    bool is_given_up;
};

struct literal {
    char bytes[LITERAL_BYTES];
    size_t size;
};

/* A string in plain quotes that is read to the byte, whatever a statement before has changed. */
static bool accept_literal(struct sql_cursor *cursor, struct literal *literal)
{
    struct sql_span written = sql_cursor_span(cursor);
    if (cursor->token.class != SQL_TOKEN_STRING || (written.at[0] != '\'' && written.at[0] != '"'))
        return false;
    if (cursor->lexer.mode.unsure &&
        (written.at[0] == '"' || memchr(written.at, '\\', written.size)))
        return false;
    literal->size = sql_token_text(&cursor->lexer, &cursor->token, literal->bytes, LITERAL_BYTES);
    sql_cursor_next(cursor);
    return literal->size <= LITERAL_BYTES;
}

static bool is_printable(const struct literal *literal)
{
    for (size_t i = 0; i < literal->size; i++)
        if (literal->bytes[i] < ' ' || literal->bytes[i] > '~')
            return false;
    return true;
}

static enum sql_passes passes_if(bool is_true)
{
    return is_true ? SQL_PASSES : SQL_PASSES_NOT;
}

/* ---- LIKE of SHOW ---- */

/* MariaDB's pattern ends with a NUL. A byte beyond ASCII is no letter of a name. */
static enum sql_passes like_of_show(const struct sql_mode *mode, struct literal *literal,
                                    struct sql_span name)
{
    if (mode->dialect == SQL_DIALECT_MARIADB) {
        size_t size = strnlen(literal->bytes, literal->size);
        return passes_if(size == 0 || pattern_like(literal->bytes, size, name.at, name.size));
    }
    if (literal->size == 0 || !is_printable(literal) ||
        (mode->no_backslash_escapes && memchr(literal->bytes, '\\', literal->size)))
        return SQL_PASSES_PERHAPS;
    return passes_if(pattern_like(literal->bytes, literal->size, name.at, name.size));
}

/* ---- WHERE ---- */

static size_t without_blanks(const char *text, size_t size)
{
    while (size > 0 && text[size - 1] == ' ')
        size--;
    return size;
}

/* = of strings: case and blanks at the end do not count. */
static bool equals(const struct literal *literal, struct sql_span name)
{
    struct sql_span written = {literal->bytes, without_blanks(literal->bytes, literal->size)};
    return sql_span_same(written, name);
}

/* ('a', 'b') at the cursor. */
static bool accept_list(struct reader *reader, bool *is_in)
{
    struct literal literal;
    if (!sql_cursor_accept_byte(&reader->cursor, '('))
        return false;
    do {
        if (!accept_literal(&reader->cursor, &literal) || !is_printable(&literal))
            return false;
        *is_in = *is_in || equals(&literal, reader->name);
    } while (sql_cursor_accept_byte(&reader->cursor, ','));
    return sql_cursor_accept_byte(&reader->cursor, ')');
}

static bool accept_comparison(struct reader *reader, bool *is_true)
{
    struct sql_cursor *cursor = &reader->cursor;
    struct literal literal;
    bool is_like = sql_cursor_accept(cursor, SQL_WORD_LIKE);
    *is_true = false;
    if (!is_like && sql_cursor_accept(cursor, SQL_WORD_IN))
        return accept_list(reader, is_true);
    if (!is_like && !sql_cursor_accept_byte(cursor, '='))
        return false;
    if (!accept_literal(cursor, &literal) || !is_printable(&literal))
        return false;
    if (!is_like) {
        *is_true = equals(&literal, reader->name);
        return true;
    }
    *is_true = pattern_like(literal.bytes, literal.size, reader->name.at, reader->name.size);
    return !cursor->lexer.mode.no_backslash_escapes || !memchr(literal.bytes, '\\', literal.size);
}

/* Whether an operand of AND and OR is over here. */
static bool ends_operand(const struct sql_cursor *cursor)
{
    return sql_cursor_word(cursor) == SQL_WORD_AND || sql_cursor_word(cursor) == SQL_WORD_OR ||
           sql_cursor_is(cursor, ')') || sql_cursor_at_end(cursor);
}

/* Whether AND and OR around this token may be no operands of it, or bind otherwise: BETWEEN 1 AND
 * 2, a := b OR c, a || b, (SELECT 0 WHERE a OR b). */
static bool is_confusing(const struct sql_cursor *cursor)
{
    const struct sql_token *token = &cursor->token;
    bool is_assignment = token->class == SQL_TOKEN_PUNCTUATION && token->byte == 0;
    return sql_cursor_word(cursor) == SQL_WORD_BETWEEN ||
           sql_cursor_word(cursor) == SQL_WORD_CASE || sql_cursor_word(cursor) == SQL_WORD_XOR ||
           sql_cursor_word(cursor) == SQL_WORD_SELECT || sql_cursor_is(cursor, '|') ||
           sql_cursor_is(cursor, '&') || is_assignment;
}

static void skip_operand(struct reader *reader)
{
    struct sql_cursor *cursor = &reader->cursor;
    while (!ends_operand(cursor) && !reader->is_given_up) {
        reader->is_given_up = is_confusing(cursor);
        if (sql_cursor_is(cursor, '('))
            sql_cursor_skip_parentheses(cursor);
        else
            sql_cursor_next(cursor);
    }
}

static enum sql_passes read_expression(struct reader *reader);

/* What an operand says that is read whole; anything else is skipped. */
static enum sql_passes read_operand(struct reader *reader)
{
    struct sql_cursor *cursor = &reader->cursor, start = *cursor;
    enum sql_passes passes = SQL_PASSES_PERHAPS;
    bool is_true = false, is_read = false;
    if (sql_token_is_name(&cursor->token) &&
        sql_span_is(sql_cursor_inside(cursor), "variable_name")) {
        sql_cursor_next(cursor);
        is_read = accept_comparison(reader, &is_true);
        passes = passes_if(is_true);
    } else if (reader->depth < MOST_DEPTH && sql_cursor_accept_byte(cursor, '(')) {
        reader->depth++;
        passes = read_expression(reader);
        reader->depth--;
        is_read = sql_cursor_accept_byte(cursor, ')');
    }
    if (is_read && ends_operand(cursor))
        return passes;
    *cursor = start;
    skip_operand(reader);
    return SQL_PASSES_PERHAPS;
}

static enum sql_passes read_conjunction(struct reader *reader)
{
    enum sql_passes passes = read_operand(reader);
    while (!reader->is_given_up && sql_cursor_accept(&reader->cursor, SQL_WORD_AND)) {
        enum sql_passes operand = read_operand(reader);
        passes = operand < passes ? operand : passes;
    }
    return passes;
}

static enum sql_passes read_expression(struct reader *reader)
{
    enum sql_passes passes = read_conjunction(reader);
    while (!reader->is_given_up && sql_cursor_accept(&reader->cursor, SQL_WORD_OR)) {
        enum sql_passes operand = read_conjunction(reader);
        passes = operand > passes ? operand : passes;
    }
    return passes;
}

enum sql_passes sql_show_passes(const struct sql_show_variables *show, const struct sql_mode *mode,
                                struct sql_span name)
{
    assert(name.at || name.size == 0);
    struct reader reader = {.name = name};
    struct literal pattern;
    enum sql_passes passes = SQL_PASSES_PERHAPS;
    if (show->filter.size == 0)
        return SQL_PASSES;
    if (show->filter.size > MOST_BYTES || mode->brackets || (mode->unsure && !show->is_like))
        return SQL_PASSES_PERHAPS;
    sql_cursor_init(&reader.cursor, show->filter, mode, SQL_READING_SERVER);
    if (!show->is_like)
        passes = read_expression(&reader);
    else if (accept_literal(&reader.cursor, &pattern))
        passes = like_of_show(mode, &pattern, name);
    bool is_whole = reader.cursor.token.class == SQL_TOKEN_END && !reader.is_given_up &&
                    !reader.cursor.lexer.doubtful;
    return is_whole ? passes : SQL_PASSES_PERHAPS;
}
