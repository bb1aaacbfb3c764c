/* SPDX-License-Identifier: Apache-2.0
 *
 * Where blocks begin and end, knowing no more of the grammar than that takes:
 *
 *     at_start   the next token begins a statement: only there do BEGIN, IF, LOOP ... open a block
 *                and does END close one (END, BEGIN and DO are ordinary names elsewhere)
 *     header     between CREATE PROCEDURE and the first word of the body (or DECLARE HANDLER and
 *                its statement): the first word that can begin a statement does
 *     frames     what is open: a block, a CASE expression, or ORACLE declarations (AS ... BEGIN)
 *
 * CASE is the hard one, being both: it opens a block at a start, and an expression elsewhere. */
#include "sql/blocks.h"

enum frame { FRAME_BLOCK, FRAME_EXPRESSION, FRAME_DECLARATIONS, FRAME_PACKAGE };

enum header {
    HEADER_NONE,
    HEADER_CREATE,   /* seen CREATE or ALTER: waiting for the kind of object */
    HEADER_NAME,     /* PROCEDURE, FUNCTION: [IF NOT EXISTS] name */
    HEADER_ROUTINE,  /* after the name: parameters, RETURNS, characteristics, then the body */
    HEADER_TRIGGER,  /* up to EACH ROW */
    HEADER_EVENT,    /* up to DO */
    HEADER_PACKAGE,  /* up to AS or IS */
    HEADER_HANDLER,  /* DECLARE ... HANDLER FOR conditions, then a statement */
    HEADER_SETTINGS, /* SET STATEMENT x = y, ... FOR, then a statement as at the start */
};

static void push(struct sql_blocks *blocks, enum frame frame)
{
    if (blocks->depth == SQL_BLOCKS_MAX) {
        blocks->overflow = true;
        return;
    }
    blocks->frames[blocks->depth++] = (uint8_t)frame;
}

static bool top_is(const struct sql_blocks *blocks, enum frame frame)
{
    return blocks->depth > 0 && blocks->frames[blocks->depth - 1] == frame;
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
static struct sql_token look_ahead(const struct sql_blocks *blocks)
{
    struct sql_lexer ahead = *blocks->lexer;
    struct sql_token token;
    sql_lexer_next(&ahead, &token);
    return token;
}

/* BEGIN where a statement begins; false: it begins a transaction. */
static bool start_block(struct sql_blocks *blocks, bool outermost)
{
    if (top_is(blocks, FRAME_DECLARATIONS) || top_is(blocks, FRAME_PACKAGE)) {
        /* The end of the declarations, or a package's initialisation, which the package's END ends.
         */
        blocks->frames[blocks->depth - 1] = FRAME_BLOCK;
    } else if (!outermost || blocks->oracle || look_ahead(blocks).word == SQL_WORD_NOT) {
        push(blocks, FRAME_BLOCK);
    } else {
        return false;
    }
    blocks->at_start = true;
    return true;
}

/* A word where a statement begins. */
static enum sql_block_token start_word(struct sql_blocks *blocks, uint16_t word)
{
    bool outermost = blocks->first;
    blocks->at_start = false;
    blocks->first = false;
    switch (word) {
    case SQL_WORD_BEGIN:
        return start_block(blocks, outermost) ? SQL_BLOCK_STRUCTURE : SQL_BLOCK_VERB;
    case SQL_WORD_LOOP:
    case SQL_WORD_REPEAT:
        push(blocks, FRAME_BLOCK);
        blocks->at_start = true;
        return SQL_BLOCK_STRUCTURE;
    case SQL_WORD_IF:
    case SQL_WORD_CASE:
    case SQL_WORD_WHILE:
    case SQL_WORD_FOR:
        push(blocks, FRAME_BLOCK);
        return SQL_BLOCK_STRUCTURE;
    case SQL_WORD_ELSE:
    case SQL_WORD_EXCEPTION:
        blocks->at_start = true;
        return SQL_BLOCK_STRUCTURE;
    case SQL_WORD_NOT: /* of BEGIN NOT ATOMIC */
    case SQL_WORD_WHEN:
    case SQL_WORD_ELSEIF:
    case SQL_WORD_ELSIF:
    case SQL_WORD_UNTIL:
        return SQL_BLOCK_STRUCTURE;
    case SQL_WORD_CURSOR:
        blocks->cursor = true; /* in ORACLE declarations there is no DECLARE before it */
        return SQL_BLOCK_STRUCTURE;
    case SQL_WORD_DECLARE:
        if (blocks->oracle && !top_is(blocks, FRAME_DECLARATIONS)) {
            push(blocks, FRAME_DECLARATIONS);
            blocks->at_start = true;
        }
        return SQL_BLOCK_STRUCTURE;
    case SQL_WORD_END:
        blocks->depth -= blocks->depth > 0;
        return SQL_BLOCK_STRUCTURE;
    case SQL_WORD_SET:
        if (outermost && look_ahead(blocks).word == SQL_WORD_STATEMENT)
            blocks->header = HEADER_SETTINGS;
        return SQL_BLOCK_VERB;
    case SQL_WORD_CREATE:
    case SQL_WORD_ALTER:
        blocks->header = outermost ? HEADER_CREATE : HEADER_NONE;
        return SQL_BLOCK_VERB;
    case SQL_WORD_PROCEDURE:
    case SQL_WORD_FUNCTION:
        if (top_is(blocks, FRAME_DECLARATIONS) || top_is(blocks, FRAME_PACKAGE)) {
            blocks->header = HEADER_NAME;
            return SQL_BLOCK_STRUCTURE;
        }
        return SQL_BLOCK_VERB;
    default:
        /* In declarations a word is the name of a variable. */
        return top_is(blocks, FRAME_DECLARATIONS) || top_is(blocks, FRAME_PACKAGE)
                   ? SQL_BLOCK_STRUCTURE
                   : SQL_BLOCK_VERB;
    }
}

/* A word elsewhere, in a compound statement. */
static void inner_word(struct sql_blocks *blocks, uint16_t word)
{
    if (word == SQL_WORD_CASE && blocks->previous != SQL_WORD_END) {
        push(blocks, FRAME_EXPRESSION);
    } else if (top_is(blocks, FRAME_EXPRESSION)) {
        blocks->depth -= word == SQL_WORD_END;
    } else if (blocks->depth == 0) {
        return;
    } else if (word == SQL_WORD_THEN || word == SQL_WORD_ELSE || word == SQL_WORD_DO ||
               (word == SQL_WORD_LOOP && blocks->previous != SQL_WORD_END)) {
        blocks->at_start = true;
    } else if (word == SQL_WORD_ATOMIC && blocks->previous == SQL_WORD_NOT) {
        blocks->at_start = true;
    } else if (word == SQL_WORD_END && look_ahead(blocks).word == SQL_WORD_REPEAT) {
        blocks->depth--; /* UNTIL condition END REPEAT */
    } else if (word == SQL_WORD_FOR && blocks->previous == SQL_WORD_HANDLER) {
        blocks->header = HEADER_HANDLER;
    } else if (word == SQL_WORD_CURSOR) {
        blocks->cursor = true;
    } else if (blocks->cursor && (word == SQL_WORD_FOR || word == SQL_WORD_IS)) {
        blocks->cursor = false;
        blocks->at_start = true;
    }
}

static void create_word(struct sql_blocks *blocks, uint16_t word)
{
    switch (word) {
    case SQL_WORD_PROCEDURE:
    case SQL_WORD_FUNCTION:
        blocks->header = HEADER_NAME;
        break;
    case SQL_WORD_TRIGGER:
        blocks->header = HEADER_TRIGGER;
        break;
    case SQL_WORD_EVENT:
        blocks->header = HEADER_EVENT;
        break;
    case SQL_WORD_PACKAGE:
        blocks->header = HEADER_PACKAGE;
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
        blocks->header = HEADER_NONE;
        break;
    default:
        break;
    }
}

static enum sql_block_token body(struct sql_blocks *blocks, uint16_t word)
{
    blocks->header = HEADER_NONE;
    blocks->at_start = true;
    blocks->first = false;
    return start_word(blocks, word);
}

static enum sql_block_token routine_word(struct sql_blocks *blocks, uint16_t word)
{
    bool oracle = blocks->oracle;
    bool of_type = blocks->previous == SQL_WORD_RETURNS ||
                   (oracle && (word == SQL_WORD_RETURN || blocks->previous == SQL_WORD_RETURN)) ||
                   (word == SQL_WORD_SET &&
                    (blocks->previous == SQL_WORD_CHARACTER || blocks->previous == SQL_WORD_CHAR));
    if (blocks->parentheses > 0 || of_type)
        return SQL_BLOCK_INSIDE;
    if (oracle && (word == SQL_WORD_AS || word == SQL_WORD_IS)) {
        push(blocks, FRAME_DECLARATIONS);
        blocks->header = HEADER_NONE;
        blocks->at_start = true;
    } else if (begins_statement(word)) {
        return body(blocks, word);
    }
    return SQL_BLOCK_INSIDE;
}

static enum sql_block_token header_word(struct sql_blocks *blocks, uint16_t word)
{
    switch (blocks->header) {
    case HEADER_CREATE:
        create_word(blocks, word);
        break;
    case HEADER_NAME:
        /* IF NOT EXISTS, or the name. */
        if (word != SQL_WORD_IF && word != SQL_WORD_NOT && word != SQL_WORD_EXISTS)
            blocks->header = HEADER_ROUTINE;
        break;
    case HEADER_TRIGGER:
        if (word == SQL_WORD_ROW && blocks->previous == SQL_WORD_EACH)
            blocks->header = HEADER_HANDLER;
        break;
    case HEADER_EVENT:
        if (word == SQL_WORD_DO) {
            blocks->header = HEADER_NONE;
            blocks->at_start = true;
        }
        break;
    case HEADER_PACKAGE:
        if (word == SQL_WORD_AS || word == SQL_WORD_IS) {
            push(blocks, FRAME_PACKAGE);
            blocks->header = HEADER_NONE;
            blocks->at_start = true;
        } else if (word == SQL_WORD_PROCEDURE || word == SQL_WORD_FUNCTION) {
            push(blocks, FRAME_PACKAGE); /* no AS outside of ORACLE mode */
            blocks->header = HEADER_NAME;
        }
        break;
    case HEADER_ROUTINE:
        return routine_word(blocks, word);
    case HEADER_SETTINGS:
        if (word == SQL_WORD_FOR && blocks->parentheses == 0) {
            blocks->header = HEADER_NONE;
            blocks->at_start = blocks->first = true;
        }
        break;
    default: /* HEADER_HANDLER */
        if (begins_statement(word))
            return body(blocks, word);
        break;
    }
    return SQL_BLOCK_INSIDE;
}

bool sql_blocks_semicolon(struct sql_blocks *blocks)
{
    blocks->header = HEADER_NONE; /* in a package: of a forward declaration */
    blocks->cursor = false;
    while (top_is(blocks, FRAME_EXPRESSION))
        blocks->depth--;
    blocks->at_start = true;
    return blocks->depth == 0;
}

static enum sql_block_token take_header(struct sql_blocks *blocks, const struct sql_token *token)
{
    if (blocks->header == HEADER_ROUTINE || blocks->header == HEADER_NAME ||
        blocks->header == HEADER_SETTINGS) {
        blocks->parentheses += sql_token_is(token, '(');
        blocks->parentheses -= sql_token_is(token, ')') && blocks->parentheses > 0;
    }
    if (token->class == SQL_TOKEN_WORD)
        return header_word(blocks, token->word);
    if (blocks->header == HEADER_NAME && token->class == SQL_TOKEN_NAME) {
        blocks->header = HEADER_ROUTINE;
    } else if (sql_token_is(token, ':') && blocks->header >= HEADER_ROUTINE &&
               blocks->header != HEADER_SETTINGS) {
        blocks->header = HEADER_NONE; /* label: BEGIN */
        blocks->at_start = true;
    }
    return SQL_BLOCK_INSIDE;
}

static enum sql_block_token take_start(struct sql_blocks *blocks, struct sql_lexer *lexer,
                                       const struct sql_token *token)
{
    struct sql_token next = {0};
    if (sql_token_is_name(token) && !blocks->oracle) /* there IF:NEW.a has a variable */
        next = look_ahead(blocks);
    if (sql_token_is(&next, ':')) {
        sql_lexer_next(lexer, &next); /* label: */
        return SQL_BLOCK_STRUCTURE;
    }
    if (token->class == SQL_TOKEN_WORD)
        return start_word(blocks, token->word);
    if (sql_token_is(token, '<')) {
        for (int i = 0; i < 4; i++) /* the rest of <<label>> */
            sql_lexer_next(lexer, &next);
        return SQL_BLOCK_STRUCTURE;
    }
    blocks->at_start = blocks->first = false;
    return SQL_BLOCK_VERB;
}

void sql_blocks_init(struct sql_blocks *blocks, const struct sql_mode *mode)
{
    blocks->depth = blocks->parentheses = 0; /* frames need no clearing */
    blocks->previous = SQL_NO_WORD;
    blocks->header = HEADER_NONE;
    blocks->at_start = blocks->first = true;
    blocks->cursor = blocks->overflow = false;
    blocks->oracle = mode->oracle;
    blocks->lexer = NULL;
}

enum sql_block_token sql_blocks_take(struct sql_blocks *blocks, struct sql_lexer *lexer,
                                     const struct sql_token *token)
{
    enum sql_block_token is = SQL_BLOCK_INSIDE;
    blocks->lexer = lexer;
    if (blocks->header != HEADER_NONE)
        is = take_header(blocks, token);
    else if (blocks->at_start)
        is = take_start(blocks, lexer, token);
    else if (token->class == SQL_TOKEN_WORD)
        inner_word(blocks, token->word);
    blocks->previous = token->class == SQL_TOKEN_WORD ? token->word : SQL_NO_WORD;
    return is;
}
