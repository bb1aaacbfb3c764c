/* SPDX-License-Identifier: Apache-2.0
 *
 * Splitting needs to know where blocks begin and end, and no more of the grammar than that:
 *
 *     at_start   the next token begins a statement: only there do BEGIN, IF, LOOP ... open a block
 * and does END close one (END, BEGIN and DO are ordinary names elsewhere) header     between CREATE
 * PROCEDURE and the first word of the body (or DECLARE HANDLER and its statement): the first word
 * that can begin a statement does frames     what is open: a block, a CASE expression, or ORACLE
 * declarations (AS ... BEGIN)
 *
 * CASE is the hard one, being both: it opens a block at a start, and an expression elsewhere. */
#include "sql/split.h"

#include "sql/lexer.h"

#include <string.h>

#define FRAMES_MAX 1000 /* nested blocks; more make the splitter uncertain */

enum frame { FRAME_BLOCK, FRAME_EXPRESSION, FRAME_DECLARATIONS, FRAME_PACKAGE };

enum header {
    HEADER_NONE,
    HEADER_CREATE,  /* seen CREATE or ALTER: waiting for the kind of object */
    HEADER_NAME,    /* PROCEDURE, FUNCTION: [IF NOT EXISTS] name */
    HEADER_ROUTINE, /* behind the name: parameters, RETURNS, characteristics, then the body */
    HEADER_TRIGGER, /* up to EACH ROW */
    HEADER_EVENT,   /* up to DO */
    HEADER_PACKAGE, /* up to AS or IS */
    HEADER_HANDLER, /* DECLARE ... HANDLER FOR conditions, then a statement */
};

struct state {
    struct sql_lexer lexer;
    uint8_t frames[FRAMES_MAX]; /* enum frame */
    unsigned depth;             /* frames in use */
    unsigned parentheses;       /* open ones, in a header */
    uint16_t previous;          /* enum sql_word of the token before */
    uint8_t header;             /* enum header */
    bool at_start;
    bool first; /* at_start of the whole statement */
    bool overflow;
};

static void push(struct state *state, enum frame frame)
{
    if (state->depth == FRAMES_MAX) {
        state->overflow = true;
        return;
    }
    state->frames[state->depth++] = (uint8_t)frame;
}

static bool top_is(const struct state *state, enum frame frame)
{
    return state->depth > 0 && state->frames[state->depth - 1] == frame;
}

/* Words that can be the first of a statement in a routine's body, where a header ends. */
static bool begins_statement(uint16_t word)
{
    switch (word) {
    case SQL_WORD_BEGIN:
    case SQL_WORD_IF:
    case SQL_WORD_CASE:
    case SQL_WORD_LOOP:
    case SQL_WORD_WHILE:
    case SQL_WORD_REPEAT:
    case SQL_WORD_FOR:
    case SQL_WORD_SELECT:
    case SQL_WORD_INSERT:
    case SQL_WORD_UPDATE:
    case SQL_WORD_DELETE:
    case SQL_WORD_REPLACE:
    case SQL_WORD_SET:
    case SQL_WORD_CALL:
    case SQL_WORD_RETURN:
    case SQL_WORD_WITH:
    case SQL_WORD_VALUES:
    case SQL_WORD_DO:
    case SQL_WORD_CREATE:
    case SQL_WORD_DROP:
    case SQL_WORD_ALTER:
    case SQL_WORD_TRUNCATE:
    case SQL_WORD_RENAME:
    case SQL_WORD_PREPARE:
    case SQL_WORD_EXECUTE:
    case SQL_WORD_DEALLOCATE:
    case SQL_WORD_SIGNAL:
    case SQL_WORD_RESIGNAL:
    case SQL_WORD_GET:
    case SQL_WORD_SHOW:
    case SQL_WORD_LEAVE:
    case SQL_WORD_ITERATE:
    case SQL_WORD_OPEN:
    case SQL_WORD_FETCH:
    case SQL_WORD_CLOSE:
    case SQL_WORD_DECLARE:
    case SQL_WORD_START:
    case SQL_WORD_COMMIT:
    case SQL_WORD_ROLLBACK:
    case SQL_WORD_ANALYZE:
    case SQL_WORD_OPTIMIZE:
    case SQL_WORD_FLUSH:
    case SQL_WORD_GRANT:
    case SQL_WORD_REVOKE:
        return true;
    default:
        return false;
    }
}

/* The next token after `token`, without moving on. */
static struct sql_token look_ahead(const struct state *state)
{
    struct sql_lexer ahead = state->lexer;
    struct sql_token token;
    sql_lexer_next(&ahead, &token);
    return token;
}

/* A word where a statement begins. */
static void start_word(struct state *state, uint16_t word)
{
    bool oracle = state->lexer.mode.oracle;
    bool outermost = state->first;
    state->at_start = false;
    state->first = false;
    switch (word) {
    case SQL_WORD_BEGIN:
        if (top_is(state, FRAME_DECLARATIONS)) {
            state->frames[state->depth - 1] = FRAME_BLOCK;
            state->at_start = true;
        } else if (top_is(state, FRAME_PACKAGE)) {
            state->at_start =
                true; /* a package body's initialisation: ended by the package's END */
            state->frames[state->depth - 1] = FRAME_BLOCK;
        } else if (!outermost || oracle || look_ahead(state).word == SQL_WORD_NOT) {
            push(state, FRAME_BLOCK);
            state->at_start = true;
        }
        return;
    case SQL_WORD_LOOP:
    case SQL_WORD_REPEAT:
        push(state, FRAME_BLOCK);
        state->at_start = true;
        return;
    case SQL_WORD_IF:
    case SQL_WORD_CASE:
    case SQL_WORD_WHILE:
    case SQL_WORD_FOR:
        push(state, FRAME_BLOCK);
        return;
    case SQL_WORD_ELSE:
    case SQL_WORD_EXCEPTION:
        state->at_start = true;
        return;
    case SQL_WORD_DECLARE:
        if (oracle && !top_is(state, FRAME_DECLARATIONS)) {
            push(state, FRAME_DECLARATIONS);
            state->at_start = true;
        }
        return;
    case SQL_WORD_END:
        state->depth -= state->depth > 0;
        return;
    case SQL_WORD_CREATE:
    case SQL_WORD_ALTER:
        state->header = outermost ? HEADER_CREATE : HEADER_NONE;
        return;
    case SQL_WORD_PROCEDURE:
    case SQL_WORD_FUNCTION:
        if (top_is(state, FRAME_DECLARATIONS) || top_is(state, FRAME_PACKAGE)) {
            state->header = HEADER_NAME;
        }
        return;
    default:
        return;
    }
}

/* A word elsewhere, in a compound statement. */
static void inner_word(struct state *state, uint16_t word)
{
    if (word == SQL_WORD_CASE && state->previous != SQL_WORD_END) {
        push(state, FRAME_EXPRESSION);
    } else if (top_is(state, FRAME_EXPRESSION)) {
        state->depth -= word == SQL_WORD_END;
    } else if (state->depth == 0) {
        return;
    } else if (word == SQL_WORD_THEN || word == SQL_WORD_ELSE || word == SQL_WORD_DO ||
               (word == SQL_WORD_LOOP && state->previous != SQL_WORD_END)) {
        state->at_start = true;
    } else if (word == SQL_WORD_ATOMIC && state->previous == SQL_WORD_NOT) {
        state->at_start = true;
    } else if (word == SQL_WORD_END && look_ahead(state).word == SQL_WORD_REPEAT) {
        state->depth--; /* UNTIL condition END REPEAT */
    } else if (word == SQL_WORD_FOR && state->previous == SQL_WORD_HANDLER) {
        state->header = HEADER_HANDLER;
    }
}

static void create_word(struct state *state, uint16_t word)
{
    switch (word) {
    case SQL_WORD_PROCEDURE:
    case SQL_WORD_FUNCTION:
        state->header = HEADER_NAME;
        break;
    case SQL_WORD_TRIGGER:
        state->header = HEADER_TRIGGER;
        break;
    case SQL_WORD_EVENT:
        state->header = HEADER_EVENT;
        break;
    case SQL_WORD_PACKAGE:
        state->header = HEADER_PACKAGE;
        break;
    case SQL_WORD_TABLE:
    case SQL_WORD_VIEW:
    case SQL_WORD_INDEX:
    case SQL_WORD_DATABASE:
    case SQL_WORD_SCHEMA:
    case SQL_WORD_USER:
    case SQL_WORD_ROLE:
    case SQL_WORD_SEQUENCE:
    case SQL_WORD_SERVER:
    case SQL_WORD_TABLESPACE:
        state->header = HEADER_NONE;
        break;
    default:
        break;
    }
}

static void body(struct state *state, uint16_t word)
{
    state->header = HEADER_NONE;
    state->at_start = true;
    state->first = false;
    start_word(state, word);
}

static void routine_word(struct state *state, uint16_t word)
{
    bool oracle = state->lexer.mode.oracle;
    bool of_type = state->previous == SQL_WORD_RETURNS ||
                   (oracle && (word == SQL_WORD_RETURN || state->previous == SQL_WORD_RETURN)) ||
                   (word == SQL_WORD_SET &&
                    (state->previous == SQL_WORD_CHARACTER || state->previous == SQL_WORD_CHAR));
    if (state->parentheses > 0 || of_type) {
        return;
    }
    if (oracle && (word == SQL_WORD_AS || word == SQL_WORD_IS)) {
        push(state, FRAME_DECLARATIONS);
        state->header = HEADER_NONE;
        state->at_start = true;
    } else if (begins_statement(word)) {
        body(state, word);
    }
}

static void header_word(struct state *state, uint16_t word)
{
    switch (state->header) {
    case HEADER_CREATE:
        create_word(state, word);
        break;
    case HEADER_NAME:
        /* IF NOT EXISTS, or the name. */
        if (word != SQL_WORD_IF && word != SQL_WORD_NOT && word != SQL_WORD_EXISTS) {
            state->header = HEADER_ROUTINE;
        }
        break;
    case HEADER_TRIGGER:
        if (word == SQL_WORD_ROW && state->previous == SQL_WORD_EACH) {
            state->header = HEADER_HANDLER;
        }
        break;
    case HEADER_EVENT:
        if (word == SQL_WORD_DO) {
            state->header = HEADER_NONE;
            state->at_start = true;
        }
        break;
    case HEADER_PACKAGE:
        if (word == SQL_WORD_AS || word == SQL_WORD_IS) {
            push(state, FRAME_PACKAGE);
            state->header = HEADER_NONE;
            state->at_start = true;
        } else if (word == SQL_WORD_PROCEDURE || word == SQL_WORD_FUNCTION) {
            push(state, FRAME_PACKAGE); /* no AS outside of ORACLE mode */
            state->header = HEADER_NAME;
        }
        break;
    case HEADER_ROUTINE:
        routine_word(state, word);
        break;
    default: /* HEADER_HANDLER */
        if (begins_statement(word)) {
            body(state, word);
        }
        break;
    }
}

/* A semicolon; true when the whole statement ends with it. */
static bool semicolon(struct state *state)
{
    state->header = HEADER_NONE; /* in a package: of a forward declaration */
    while (top_is(state, FRAME_EXPRESSION)) {
        state->depth--;
    }
    state->at_start = true;
    return state->depth == 0;
}

static void take_header(struct state *state, const struct sql_token *token)
{
    if (state->header == HEADER_ROUTINE || state->header == HEADER_NAME) {
        state->parentheses += sql_token_is(token, '(');
        state->parentheses -= sql_token_is(token, ')') && state->parentheses > 0;
    }
    if (token->class == SQL_TOKEN_WORD) {
        header_word(state, token->word);
    } else if (state->header == HEADER_NAME && token->class == SQL_TOKEN_NAME) {
        state->header = HEADER_ROUTINE;
    } else if (sql_token_is(token, ':') && state->header >= HEADER_ROUTINE) {
        state->header = HEADER_NONE; /* label: BEGIN */
        state->at_start = true;
    }
}

static void take(struct state *state, const struct sql_token *token)
{
    if (state->header != HEADER_NONE) {
        take_header(state, token);
    } else if (state->at_start) {
        struct sql_token next = {0};
        if (sql_token_is_name(token)) {
            next = look_ahead(state);
        }
        if (sql_token_is(&next, ':')) {
            sql_lexer_next(&state->lexer, &next); /* label: */
        } else if (token->class == SQL_TOKEN_WORD) {
            start_word(state, token->word);
        } else if (sql_token_is(token, '<')) {
            for (int i = 0; i < 4; i++) { /* the rest of <<label>> */
                sql_lexer_next(&state->lexer, &next);
            }
        } else {
            state->at_start = state->first = false;
        }
    } else if (token->class == SQL_TOKEN_WORD) {
        inner_word(state, token->word);
    }
    state->previous = token->class == SQL_TOKEN_WORD ? token->word : SQL_NO_WORD;
}

void sql_splitter_init(struct sql_splitter *splitter, struct sql_span text,
                       const struct sql_mode *mode)
{
    *splitter = (struct sql_splitter){.rest = text, .mode = *mode};
}

/* Gives out the first `size` bytes of what is left. */
static bool give(struct sql_splitter *splitter, size_t size, struct sql_span *statement)
{
    *statement = (struct sql_span){splitter->rest.at, size};
    splitter->rest.at += size;
    splitter->rest.size -= size;
    return true;
}

bool sql_splitter_next(struct sql_splitter *splitter, struct sql_span *statement)
{
    struct state state;
    struct sql_token token;
    struct sql_span rest = splitter->rest;
    if (rest.size == 0) {
        return false;
    }
    sql_lexer_init(&state.lexer, rest, &splitter->mode, SQL_READING_SERVER);
    do {
        sql_lexer_next(&state.lexer, &token);
    } while (sql_token_is(&token, ';'));
    if (token.class == SQL_TOKEN_END) {
        splitter->rest.size = 0;
        return false;
    }
    if (memchr(rest.at + token.start, ';', rest.size - token.start) == NULL) {
        return give(splitter, rest.size, statement);
    }
    state.depth = state.parentheses = 0;
    state.previous = SQL_NO_WORD;
    state.header = HEADER_NONE;
    state.at_start = state.first = true;
    state.overflow = false;
    while (token.class != SQL_TOKEN_END && token.class != SQL_TOKEN_INVALID) {
        if (sql_token_is(&token, ';')) {
            if (semicolon(&state) && !state.overflow) {
                return give(splitter, token.end, statement);
            }
        } else {
            take(&state, &token);
        }
        sql_lexer_next(&state.lexer, &token);
    }
    splitter->uncertain = splitter->uncertain || state.overflow;
    return give(splitter, rest.size, statement);
}

bool sql_is_multi(struct sql_span text, const struct sql_mode *mode)
{
    if (text.size == 0 || memchr(text.at, ';', text.size - 1) == NULL) {
        return false;
    }
    struct sql_splitter splitter;
    struct sql_span statement;
    sql_splitter_init(&splitter, text, mode);
    return sql_splitter_next(&splitter, &statement) && sql_splitter_next(&splitter, &statement);
}
