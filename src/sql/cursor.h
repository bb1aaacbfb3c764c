/* SPDX-License-Identifier: Apache-2.0
 *
 * A lexer with the current token at hand, which is how statements are recognised, here and in rooms
 * that have a grammar of their own. One token of lookahead is the current one; for a second, copy
 * the cursor. A cursor borrows its text; reading on after the end stays at the end. */
#ifndef WEIR_SQL_CURSOR_H
#define WEIR_SQL_CURSOR_H

#include "sql/kind.h"
#include "sql/lexer.h"

struct sql_cursor {
    struct sql_lexer lexer;
    struct sql_token token; /* the current one */
};

static inline void sql_cursor_next(struct sql_cursor *cursor)
{
    sql_lexer_next(&cursor->lexer, &cursor->token);
}

static inline void sql_cursor_init(struct sql_cursor *cursor, struct sql_span text,
                                   const struct sql_mode *mode, enum sql_reading reading)
{
    sql_lexer_init(&cursor->lexer, text, mode, reading);
    sql_cursor_next(cursor);
}

/* The word at hand; SQL_NO_WORD for anything that is no keyword. */
static inline uint16_t sql_cursor_word(const struct sql_cursor *cursor)
{
    return cursor->token.word;
}

static inline bool sql_cursor_is(const struct sql_cursor *cursor, unsigned char byte)
{
    return sql_token_is(&cursor->token, byte);
}

static inline bool sql_cursor_at_end(const struct sql_cursor *cursor)
{
    return cursor->token.class == SQL_TOKEN_END || cursor->token.class == SQL_TOKEN_INVALID;
}

/* Moves on when the word (or the punctuation) is the current token. */
static inline bool sql_cursor_accept(struct sql_cursor *cursor, uint16_t word)
{
    if (cursor->token.word != word)
        return false;
    sql_cursor_next(cursor);
    return true;
}

static inline bool sql_cursor_accept_byte(struct sql_cursor *cursor, unsigned char byte)
{
    if (!sql_cursor_is(cursor, byte))
        return false;
    sql_cursor_next(cursor);
    return true;
}

/* The word after the current token. */
static inline uint16_t sql_cursor_second_word(const struct sql_cursor *cursor)
{
    struct sql_lexer ahead = cursor->lexer;
    struct sql_token token;
    sql_lexer_next(&ahead, &token);
    return token.word;
}

/* Whether the byte is the token after the current one. */
static inline bool sql_cursor_second_is(const struct sql_cursor *cursor, unsigned char byte)
{
    struct sql_lexer ahead = cursor->lexer;
    struct sql_token token;
    sql_lexer_next(&ahead, &token);
    return sql_token_is(&token, byte);
}

static inline struct sql_span sql_cursor_span(const struct sql_cursor *cursor)
{
    return (struct sql_span){(const char *)cursor->lexer.text + cursor->token.start,
                             cursor->token.end - cursor->token.start};
}

/* Skips [`(`]* and leading empty statements: where the first word of a statement stands. Returns
 * the number of parentheses. */
static inline size_t sql_cursor_skip_opening(struct sql_cursor *cursor)
{
    size_t opened = 0;
    while (sql_cursor_is(cursor, '(') || (opened == 0 && sql_cursor_is(cursor, ';'))) {
        opened += sql_cursor_is(cursor, '(');
        sql_cursor_next(cursor);
    }
    return opened;
}

/* Begins at the first word of a statement, which is how a recogniser begins. A statement that is all
 * in an executable comment which this server would not run is read as code, as
 * sql_statement_kind() does. */
static inline void sql_cursor_begin(struct sql_cursor *cursor, struct sql_span statement,
                                    const struct sql_mode *mode)
{
    sql_cursor_init(cursor, statement, mode, SQL_READING_SERVER);
    sql_cursor_skip_opening(cursor);
}

/* The current token without its quotes (doubled quotes and escapes inside are not undone). */
static inline struct sql_span sql_cursor_inside(const struct sql_cursor *cursor)
{
    return sql_token_inside(&cursor->lexer, &cursor->token);
}

/* Where a piece begins that is to be read alone from the current token on, `before` being where the
 * token before it ended: at the executable comment that opens in between, or at the token. Makes
 * mode->in_code what holds there. */
size_t sql_cursor_cut(const struct sql_cursor *cursor, size_t before, struct sql_mode *mode);

/* From an opening parenthesis (current) to after its closing one. */
void sql_cursor_skip_parentheses(struct sql_cursor *cursor);

/* From WITH (current) to after its list of common table expressions. */
void sql_cursor_skip_with(struct sql_cursor *cursor);

/* From after CREATE, ALTER or DROP to the word that says what object: OR REPLACE, TEMPORARY,
 * DEFINER = account, ALGORITHM = x, SQL SECURITY x, ... are skipped. */
void sql_cursor_skip_modifiers(struct sql_cursor *cursor);

/* The kind that the words at the cursor say; it stays there or moves on within the statement.
 * *holds_statement: another statement begins where it is now (EXPLAIN, TRACE). */
enum sql_kind sql_cursor_kind(struct sql_cursor *cursor, bool *holds_statement);

/* From EXPLAIN, DESCRIBE, ANALYZE or TRACE (current) to the statement it holds (*holds_statement),
 * or to the table it names; the kind it is. */
enum sql_kind sql_cursor_explain(struct sql_cursor *cursor, bool *holds_statement);

#endif
