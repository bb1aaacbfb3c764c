/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the room: the text of a normalised statement under construction, and the rules that are
 * shared by the two ways of taking tokens: normalize.c, which knows them all, and
 * normalize_short.c, which knows the common ones.
 *
 * The text is the list of tokens. What has been printed can be taken back, because rules look at
 * the tokens before (a sign is removed when a number follows, "? ," when another literal follows):
 * for each token in the text one word is kept, its place and what the rules want to know of it.
 *
 *     tokens[i] = offset in text of the space before it << 16 | is
 *
 * (So the text begins with a space, which is not given out.) No rule looks further back than four
 * tokens. The one about ORDER BY positions seems to (any number of commas), so each token carries
 * the answer for the list that ends with it. */
#ifndef WEIR_SQL_NORMALIZE_RUN_H
#define WEIR_SQL_NORMALIZE_RUN_H

#include "sql/digest_scan.h"
#include "sql/keywords.h"

#include <stdint.h>
#include <string.h>

/* What a token is to the rules. */
enum {
    IS_VALUE = 1 << 0,   /* ? or ... */
    IS_CHARSET = 1 << 1, /* (_charset) */
    IS_COMMA = 1 << 2,
    IS_OPEN = 1 << 3,
    IS_CLOSE = 1 << 4,
    IS_SIGN = 1 << 5,  /* + - */
    IS_UNARY = 1 << 6, /* a sign behind it belongs to the number: ( , + - >= is <= = < > select */
    IS_BY = 1 << 7,
    IS_ORDER = 1 << 8,     /* order, group */
    IS_HINT = 1 << 9,      /* force, use, ignore */
    IS_POSITION = 1 << 10, /* an integer behind it is a position in ORDER BY or GROUP BY */
    IS_INDEX = 1 << 11,
    IS_STAR = 1 << 12,
    IS_STRAIGHT = 1 << 13, /* straight_join */
};
#define IS_BITS 16

#define ALWAYS_INLINE inline __attribute__((always_inline))

/* So many empty tokens are at the front of the list, so that rules can look back without counting.
 */
#define SENTINELS 4

/* A digest_token's literal, decoded and lower-cased, that matters is never longer than this. */
#define NOTABLE_BYTES 16

struct normalize_run {
    struct digest_scanner scanner;
    unsigned char *text;
    size_t size;
    size_t capacity;
    uint64_t *tokens;
    size_t count;
    size_t token_capacity;
    bool failed; /* no memory */
};

/* By word and by byte: IS_ bits. */
extern const uint16_t normalize_word_roles[SQL_WORDS];
extern const uint16_t normalize_byte_roles[256];

/* What a literal is, by its lower-case text alone, whatever token it belongs to. */
uint16_t normalize_role_of(const unsigned char *literal, size_t size);

/* Whether a word that begins with _ names a character set before a string. */
bool normalize_is_introducer(const unsigned char *literal, size_t size);

/* Takes tokens as long as they are of the kinds it knows and there is room. */
void normalize_short_tokens(struct normalize_run *run);

/* The token `back` from the end (1: the last, at most SENTINELS); what the rules ask of a missing
 * one is false. */
static ALWAYS_INLINE uint64_t last(const struct normalize_run *run, size_t back)
{
    return run->tokens[run->count - back];
}

/* Begins a token: notes it, and prints the space before it. The caller has reserved the room. */
static ALWAYS_INLINE void begin(struct normalize_run *run, uint64_t is)
{
    if ((is & (IS_COMMA | IS_OPEN | IS_BY)) != 0) {
        uint64_t before = last(run, is & IS_OPEN ? 2 : 1);
        bool position = is & IS_COMMA  ? (last(run, 2) & IS_POSITION) != 0
                        : is & IS_OPEN ? (last(run, 1) & IS_BY) != 0 && (before & IS_ORDER) != 0
                                       : (before & IS_ORDER) != 0;
        is |= position ? IS_POSITION : 0;
    }
    run->tokens[run->count++] = (uint64_t)run->size << IS_BITS | is;
    run->text[run->size++] = ' ';
}

static ALWAYS_INLINE void take_back(struct normalize_run *run, size_t tokens)
{
    run->count -= tokens;
    run->size = run->tokens[run->count] >> IS_BITS;
}

/* Prints a token; the room is there. */
static ALWAYS_INLINE void put(struct normalize_run *run, uint64_t is, const void *text, size_t size)
{
    begin(run, is);
    memcpy(run->text + run->size, text, size);
    run->size += size;
}

/* A literal: what it becomes depends on what is before it. An integer that is a position stays what
 * it is. The room for it is there. */
static ALWAYS_INLINE void value(struct normalize_run *run, enum digest_class class,
                                const unsigned char *literal, size_t size)
{
    bool integer = class == DIGEST_INT;
    size_t merged = 0;
    if ((integer || class == DIGEST_NUMBER) && (last(run, 1) & IS_SIGN) != 0 &&
        (run->count == SENTINELS + 1 || (last(run, 2) & IS_UNARY) != 0)) {
        take_back(run, 1);
    }
    if ((last(run, 1) & IS_COMMA) != 0) {
        merged = (last(run, 2) & IS_VALUE) != 0 ? 2 : 0;
    } else if ((last(run, 1) & IS_OPEN) != 0) {
        bool rows = (last(run, 2) & IS_COMMA) != 0 && (last(run, 3) & IS_CLOSE) != 0 &&
                    (last(run, 4) & IS_VALUE) != 0;
        merged = rows ? 4 : 0;
    } else if ((last(run, 1) & IS_CHARSET) != 0) {
        bool listed = run->count >= SENTINELS + 4 && (last(run, 2) & IS_COMMA) != 0 &&
                      (last(run, 3) & IS_VALUE) != 0;
        merged = !listed ? 0 : (last(run, 4) & IS_CHARSET) != 0 ? 4 : 3;
    }
    if (merged > 0) {
        take_back(run, merged);
        put(run, IS_VALUE, "...", 3);
    } else if (integer && (last(run, 1) & IS_POSITION) != 0) {
        put(run, 0, literal, size);
    } else {
        put(run, IS_VALUE, "?", 1);
    }
}

/* Whether a dot touches the word: directly behind it, or before it with nothing but spaces between.
 */
static ALWAYS_INLINE bool touches_dot(const struct digest_scanner *scanner, size_t start,
                                      size_t end)
{
    if (end < scanner->size && scanner->text[end] == '.') {
        return true;
    }
    while (start > 0 && scanner->text[start - 1] == ' ') {
        start--;
    }
    return start > 0 && scanner->text[start - 1] == '.';
}

/* Where word() and other() expect the lower-case literal: in the free part of the text, so that a
 * quoted name is in its place already. */
static ALWAYS_INLINE unsigned char *literal_place(const struct normalize_run *run)
{
    return run->text + run->size + 2;
}

/* What word() and other() need beyond the literal. */
#define LITERAL_ROOM 40

/* Longer tokens are left to any_token(). */
#define SHORT_BYTES 64

/* An unquoted word that starts at `start`. */
static ALWAYS_INLINE void word(struct normalize_run *run, size_t start, size_t size)
{
    /* "Behind the word" is where the scanner stands: behind a hint that had no end, elsewhere. */
    size_t end = run->scanner.at;
    unsigned char *literal = literal_place(run);
    const struct sql_keyword *keyword =
        size <= SQL_KEYWORD_MAX_BYTES ? sql_keyword_find((const char *)literal, size) : NULL;
    uint16_t is = 0;
    bool bare = false;
    if (keyword != NULL) {
        is = normalize_word_roles[keyword->word];
        bare = (keyword->flags & SQL_KEYWORD_ANYWHERE) != 0 ||
               ((keyword->flags & SQL_KEYWORD_BEFORE_PARENTHESIS) != 0 && end < run->scanner.size &&
                run->scanner.text[end] == '(');
        if (keyword->word == SQL_WORD_NULL) {
            value(run, DIGEST_NULL, literal, size);
            return;
        }
        if (is == IS_STRAIGHT) {
            memcpy(literal, "join", size = 4);
            is = 0;
        }
    } else if (literal[0] == '_' && normalize_is_introducer(literal, size)) {
        put(run, IS_CHARSET, "(_charset)", 10);
        return;
    }
    size_t at = run->size + 1;
    begin(run, is);
    if (bare && !touches_dot(&run->scanner, start, end)) {
        memmove(run->text + at, literal, SQL_KEYWORD_MAX_BYTES); /* the room is there */
        run->size = at + size;
        return;
    }
    if (literal != run->text + at + 1) {
        memmove(run->text + at + 1, literal, size);
    }
    run->text[at] = '`';
    run->text[at + 1 + size] = '`';
    run->size = at + size + 2;
}

#endif
