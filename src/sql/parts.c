/* SPDX-License-Identifier: Apache-2.0
 *
 * Takes apart statements that contain other statements.
 *
 * read_part() adds one statement, and then what runs inside of it: for a compound statement or a
 * routine's body each statement between its verb and its semicolon (read_blocks), for PREPARE and
 * EXECUTE IMMEDIATE the string with its escapes undone (read_prepared). It recurses only into such
 * strings, SQL_TABLES_TEXTS_MAX deep; blocks of any depth are read in one loop.
 *
 * A WHERE counts only if it names something that can vary: WHERE 1 or WHERE NULL selects all rows
 * or none, and protects nothing. */
#include "sql/parts.h"

#include "sql/blocks.h"
#include "sql/cursor.h"
#include "sql/tables.h"

#include <assert.h>
#include <stdlib.h>

void sql_parts_init(struct sql_parts *parts)
{
    *parts = (struct sql_parts){0};
}

/* A list, newest first. */
struct sql_part_text {
    struct sql_part_text *older;
    char bytes[];
};

static void free_texts(struct sql_parts *parts)
{
    while (parts->texts != NULL) {
        struct sql_part_text *text = parts->texts;
        parts->texts = text->older;
        free(text);
    }
}

void sql_parts_release(struct sql_parts *parts)
{
    free_texts(parts);
    free(parts->items);
    sql_parts_init(parts);
}

static void add(struct sql_parts *parts, const struct sql_part *part)
{
    if (parts->count == parts->capacity && parts->count < SQL_PARTS_MAX) {
        size_t capacity = parts->capacity ? 2 * parts->capacity : 4;
        struct sql_part *grown = realloc(parts->items, capacity * sizeof *grown);
        if (grown == NULL) {
            parts->failed = true;
            return;
        }
        parts->items = grown;
        parts->capacity = capacity;
    }
    if (parts->count == SQL_PARTS_MAX) {
        parts->items[SQL_PARTS_MAX - 1].kind = SQL_KIND_UNKNOWN;
        return;
    }
    parts->items[parts->count++] = *part;
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

static void read_part(struct sql_parts *parts, struct sql_span text, const struct sql_mode *mode,
                      unsigned texts, bool in_block);

/* The text of a string token, its escapes undone. */
static void read_string(struct sql_parts *parts, const struct sql_cursor *cursor, unsigned texts)
{
    size_t most = cursor->token.end - cursor->token.start;
    struct sql_part_text *decoded = malloc(sizeof *decoded + most);
    if (decoded == NULL) {
        parts->failed = true;
        return;
    }
    decoded->older = parts->texts;
    parts->texts = decoded;
    size_t size = sql_token_text(&cursor->lexer, &cursor->token, decoded->bytes, most);
    read_part(parts, (struct sql_span){decoded->bytes, size < most ? size : most},
              &cursor->lexer.mode, texts + 1, false);
}

/* The string after the FROM of a PREPARE, or after the IMMEDIATE of an EXECUTE. */
static void read_prepared(struct sql_parts *parts, struct sql_span text,
                          const struct sql_mode *mode, enum sql_kind kind, unsigned texts)
{
    uint16_t before = kind == SQL_KIND_PREPARE ? SQL_WORD_FROM : SQL_WORD_IMMEDIATE;
    struct sql_cursor cursor;
    sql_cursor_init(&cursor, text, mode, SQL_READING_SERVER);
    while (!sql_cursor_at_end(&cursor)) {
        bool here = sql_cursor_accept(&cursor, before);
        if (here && cursor.token.class == SQL_TOKEN_STRING)
            read_string(parts, &cursor, texts);
        else if (!here)
            sql_cursor_next(&cursor);
    }
}

/* The statements of a compound one or of a body: each from its verb to the semicolon after it. */
static void read_blocks(struct sql_parts *parts, struct sql_span text, const struct sql_mode *mode,
                        unsigned texts)
{
    struct sql_blocks blocks;
    struct sql_cursor cursor;
    size_t verb = 0; /* 1 + where the statement at hand begins; 0: there is none */
    sql_blocks_init(&blocks, mode);
    sql_cursor_init(&cursor, text, mode, SQL_READING_SERVER);
    bool outermost = true;
    for (bool more = true; more && !parts->failed; sql_cursor_next(&cursor)) {
        size_t at = cursor.token.start;
        more = !sql_cursor_at_end(&cursor);
        bool ends = !more || sql_cursor_is(&cursor, ';');
        bool begins =
            !ends && sql_blocks_take(&blocks, &cursor.lexer, &cursor.token) == SQL_BLOCK_VERB;
        if ((ends || begins) && verb > 0) {
            read_part(parts, (struct sql_span){text.at + verb - 1, at - (verb - 1)}, mode, texts,
                      true);
        }
        if (ends || begins)
            verb = begins && !outermost ? at + 1 : 0;
        if (ends)
            sql_blocks_semicolon(&blocks);
        outermost = outermost && !begins && blocks.first;
    }
    if (blocks.overflow) {
        add(parts,
            &(struct sql_part){.kind = SQL_KIND_UNKNOWN, .in_text = texts > 0, .text = text});
    }
}

static bool holds_blocks(enum sql_kind kind)
{
    return kind == SQL_KIND_COMPOUND || kind == SQL_KIND_CREATE_PROCEDURE ||
           kind == SQL_KIND_CREATE_FUNCTION || kind == SQL_KIND_CREATE_TRIGGER ||
           kind == SQL_KIND_CREATE_EVENT || kind == SQL_KIND_ALTER_EVENT ||
           kind == SQL_KIND_CREATE_PACKAGE;
}

/* Nests no deeper than texts in texts: a statement in a block is no block, read_blocks() has seen
 * to the bottom of it. */
static void read_part(struct sql_parts *parts, struct sql_span text, const struct sql_mode *mode,
                      unsigned texts, bool in_block)
{
    struct sql_kinds kinds = sql_statement_kind(text, mode);
    bool runs_inner = kinds.inner != kinds.kind && kinds.kind != SQL_KIND_EXPLAIN;
    enum sql_kind last = runs_inner ? kinds.inner : kinds.kind;
    struct sql_part part = {.kind = kinds.kind,
                            .has_where = has_where(text, mode, SQL_READING_SERVER),
                            .in_text = texts > 0,
                            .text = text};
    add(parts, &part);
    if (runs_inner) {
        part.kind = kinds.inner;
        add(parts, &part);
    }
    if (texts == SQL_TABLES_TEXTS_MAX)
        return;
    if (last == SQL_KIND_PREPARE || last == SQL_KIND_EXECUTE_IMMEDIATE)
        read_prepared(parts, text, mode, last, texts);
    else if (!in_block && holds_blocks(last))
        read_blocks(parts, text, mode, texts);
}

bool sql_parts_read(struct sql_parts *parts, struct sql_span statement, const struct sql_mode *mode)
{
    assert(statement.at || statement.size == 0);
    free_texts(parts);
    parts->count = 0;
    parts->failed = false;
    read_part(parts, statement, mode, 0, false);
    return !parts->failed;
}
