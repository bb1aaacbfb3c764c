/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the room: tokens as the server's parser would see them, one at a time, in place.
 *
 * This is the lexer for kind, tables and splitting; it goes by the session's mode. The digest has
 * one of its own (digest_scan.h), because TiDB's digest never depends on the session. The grammar
 * followed is MariaDB's; where MySQL and TiDB lex the same bytes otherwise, the difference is named
 * in lexer.c.
 *
 * Executable comments are code. Which of them a server runs depends on its version, so that a text
 * can have several readings:
 *
 *     SQL_READING_SERVER  what the server named in the mode does; when it is unknown: all run
 *     SQL_READING_CODE    all of them run
 *     SQL_READING_SKIP    those whose running depends on the server do not
 *
 * `conditional` tells whether any of these readings can differ for this text. */
#ifndef WEIR_SQL_LEXER_H
#define WEIR_SQL_LEXER_H

#include "sql/keywords.h"
#include "sql/mode.h"

enum sql_token_class {
    SQL_TOKEN_END,         /* of the text, or a NUL at which the server ends it: start is there */
    SQL_TOKEN_WORD,        /* unquoted name or keyword; word is its enumerator or SQL_NO_WORD */
    SQL_TOKEN_NAME,        /* `quoted`, or "quoted" under ANSI_QUOTES */
    SQL_TOKEN_STRING,      /* 'text', "text", N'text', x'00', b'01' */
    SQL_TOKEN_NUMBER,      /* and \N */
    SQL_TOKEN_VARIABLE,    /* @x, also the @host of an account */
    SQL_TOKEN_SYSTEM,      /* @@x, @@global.x */
    SQL_TOKEN_PUNCTUATION, /* byte is it; ASSIGN is 0 */
    SQL_TOKEN_INVALID, /* unterminated quote or comment, stray control byte; the text ends here */
};

struct sql_token {
    uint8_t class;      /* enum sql_token_class */
    unsigned char byte; /* of PUNCTUATION; 0 for := and for every other class */
    uint16_t word;      /* of WORD: enum sql_word; a word right after a dot is never a keyword */
    bool after_dot;     /* the byte before it is a dot that belongs to a name */
    size_t start;       /* offsets into the text, bytes */
    size_t end;
};

enum sql_reading {
    SQL_READING_SERVER,
    SQL_READING_CODE,
    SQL_READING_SKIP,
};

struct sql_lexer {
    const unsigned char *text; /* borrowed */
    size_t size;
    size_t at; /* offset of the next byte to look at */
    struct sql_mode mode;
    enum sql_reading reading;
    const unsigned char *bytes; /* their classes, for the character set and the server */
    uint8_t words;              /* enum words of lexer.c: how long words are measured */
    bool tricky;                /* trail bytes can be quotes and backslashes */
    bool in_code; /* inside an executable comment; a flag, not a depth: the first end ends it */
    size_t code_start;     /* where that comment began, when it did in this text */
    bool conditional;      /* met an executable comment that some server would not run */
    bool name_before;      /* the token before was a name, ending at `at` or before */
    bool dot_before;       /* it was a dot, ending at dot_end */
    bool semicolon_before; /* it was a semicolon */
    bool ambiguous;        /* a word was taken for a name that is a keyword to some servers */
    bool doubtful; /* met bytes that some server reads otherwise, and which it is is not known; or
                      nobody knows how this character set is read */
    size_t dot_end;
    size_t name_end; /* where it ended */
};

void sql_lexer_init(struct sql_lexer *lexer, struct sql_span text, const struct sql_mode *mode,
                    enum sql_reading reading);

/* Reads one token. After END or INVALID every further call answers END. */
void sql_lexer_next(struct sql_lexer *lexer, struct sql_token *token);

static inline bool sql_token_is(const struct sql_token *token, unsigned char byte)
{
    return token->class == SQL_TOKEN_PUNCTUATION && token->byte == byte;
}

static inline bool sql_token_is_name(const struct sql_token *token)
{
    return token->class == SQL_TOKEN_WORD || token->class == SQL_TOKEN_NAME;
}

/* The characters of a NAME, STRING or WORD as the server would store them: quotes taken off,
 * doubled quotes and escapes undone. Writes at most `room` bytes to out and returns the whole
 * length in bytes (more than room: it was cut). Nothing needs undoing when the returned length is
 * the raw one. */
size_t sql_token_text(const struct sql_lexer *lexer, const struct sql_token *token, char *out,
                      size_t room);

/* The token's bytes between its quotes (the whole of an unquoted one), not decoded. */
struct sql_span sql_token_inside(const struct sql_lexer *lexer, const struct sql_token *token);

#endif
