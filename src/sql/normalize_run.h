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
 *     tokens[i] = offset in text of the space before it << IS_BITS | is
 *
 * (So the text begins with a space, which is not given out.) No rule looks further back than four
 * tokens. The one about ORDER BY positions seems to (any number of commas), so each token carries
 * the answer for the list that ends with it. */
#ifndef WEIR_SQL_NORMALIZE_RUN_H
#define WEIR_SQL_NORMALIZE_RUN_H

#include "sql/digest_copy.h"
#include "sql/digest_scan.h"
#include "sql/keyword_find.h"

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
    IS_UNARY = 1 << 6, /* a sign after it belongs to the number: ( , + - >= is <= = < > select */
    IS_BY = 1 << 7,
    IS_ORDER = 1 << 8,       /* order, group */
    IS_HINT = 1 << 9,        /* force, use, ignore */
    IS_POSITION = 1 << 10,   /* an integer after it is a position in ORDER BY or GROUP BY */
    IS_ORDER_BY = 1 << 11,   /* the BY of these */
    IS_DOT = 1 << 12,        /* a dot ends it, and no more than spaces come after */
    IS_INDEX = 1 << 13,      /* of words only, as are these: */
    IS_STRAIGHT = 1 << 14,   /* straight_join */
    IS_NOTHING = 1 << 15,    /* null */
    IS_INTRODUCER = 1 << 16, /* _utf8mb4 and the like */
    IS_STAR = 1 << 17,       /* of bytes only */
};
#define IS_BITS 18

#define ALWAYS_INLINE inline __attribute__((always_inline))

/* So many empty tokens are at the front of the list, so that rules can look back without counting.
 */
#define SENTINELS 4

/* A digest_token's literal, decoded and lower-cased, that matters is never longer than this. */
#define NOTABLE_BYTES 16

struct normalize_run {
    struct digest_scanner scanner;
    const struct digest_copy *copy; /* of scanner.text */
    unsigned char *text;
    size_t size;
    size_t capacity;
    uint64_t *tokens;
    size_t count;
    size_t token_capacity;
    bool failed; /* no memory */
};

/* What the last token before `stop` needs: longer ones are left to the long way. */
#define SHORT_BYTES (4 * BLOCK_BYTES)
#define SHORT_ROOM  (SHORT_BYTES + BLOCK_BYTES)

/* By word and by byte: IS_ bits. */
extern const uint32_t normalize_word_roles[SQL_WORDS] SQL_HIDDEN;
extern const uint32_t normalize_byte_roles[256] SQL_HIDDEN;

/* What a literal is, by its lower-case text alone, whatever token it belongs to. */
uint32_t normalize_role_of(const unsigned char *literal, size_t size);

/* Takes tokens as long as they are of the kinds it knows and begin before `stop` (an offset in the
 * text). There is room for a token and for 4 bytes of text from each byte up to there, and for
 * SHORT_ROOM more. */
void normalize_short_tokens(struct normalize_run *run, size_t stop);

/* The token `back` from the end (1: the last, at most SENTINELS); what the rules ask of a missing
 * one is false. */
static ALWAYS_INLINE uint64_t last(const struct normalize_run *run, size_t back)
{
    return run->tokens[run->count - back];
}

/* Begins a token: notes it, and prints the space before it. The caller has reserved the room. */
static ALWAYS_INLINE void begin(struct normalize_run *run, uint64_t is)
{
    run->tokens[run->count++] = (uint64_t)run->size << IS_BITS | is;
    run->text[run->size++] = ' ';
}

/* What a token becomes by those before it: whether integers after it are positions. */
static ALWAYS_INLINE uint64_t placed(const struct normalize_run *run, uint64_t is)
{
    uint64_t one = last(run, 1);
    bool position = ((is & IS_COMMA) != 0 && (last(run, 2) & IS_POSITION) != 0) ||
                    ((is & IS_OPEN) != 0 && (one & IS_ORDER_BY) != 0);
    if ((is & IS_BY) != 0 && (one & IS_ORDER) != 0)
        is |= IS_POSITION | IS_ORDER_BY;
    return is | (position ? IS_POSITION : 0);
}

static ALWAYS_INLINE void take_back(struct normalize_run *run, size_t tokens)
{
    run->count -= tokens;
    run->size = run->tokens[run->count] >> IS_BITS;
}

/* 1 or 0, to be reckoned with instead of branched upon. */
static ALWAYS_INLINE size_t has_role(uint64_t token, uint64_t role)
{
    return (token & role) != 0;
}

/* How many tokens before a literal it makes a list with: "? ," or "? ) , (". */
static ALWAYS_INLINE size_t list_before(const struct normalize_run *run)
{
    uint64_t one = last(run, 1);
    uint64_t two = last(run, 2);
    size_t items = has_role(one, IS_COMMA) & has_role(two, IS_VALUE);
    size_t rows = has_role(one, IS_OPEN) & has_role(two, IS_COMMA) &
                  has_role(last(run, 3), IS_CLOSE) & has_role(last(run, 4), IS_VALUE);
    return 2 * items + 4 * rows;
}

/* Prints a token; the room is there. */
static ALWAYS_INLINE void put(struct normalize_run *run, uint64_t is, const void *text, size_t size)
{
    begin(run, is);
    memcpy(run->text + run->size, text, size);
    run->size += size;
}

/* A literal after a sign, a character set or a position. An integer that is a position stays what
 * it is. The room for it is there. */
static ALWAYS_INLINE void odd_value(struct normalize_run *run, enum digest_class class,
                                    const unsigned char *literal, size_t size)
{
    bool integer = class == DIGEST_INT;
    size_t merged = 0;
    if ((integer || class == DIGEST_NUMBER) && (last(run, 1) & IS_SIGN) != 0 &&
        (run->count == SENTINELS + 1 || (last(run, 2) & IS_UNARY) != 0))
        take_back(run, 1);
    if ((last(run, 1) & IS_CHARSET) != 0) {
        bool listed = run->count >= SENTINELS + 4 && (last(run, 2) & IS_COMMA) != 0 &&
                      (last(run, 3) & IS_VALUE) != 0;
        merged = !listed ? 0 : (last(run, 4) & IS_CHARSET) != 0 ? 4 : 3;
    } else {
        merged = list_before(run);
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

/* A literal: what it becomes depends on what is before it. The room for it is there. Whether it
 * joins a list is as likely as not, and is answered without a branch. */
static ALWAYS_INLINE void value(struct normalize_run *run, enum digest_class class,
                                const unsigned char *literal, size_t size)
{
    if ((last(run, 1) & (IS_SIGN | IS_CHARSET | IS_POSITION)) != 0) {
        odd_value(run, class, literal, size);
        return;
    }
    size_t merged = list_before(run);
    run->tokens[run->count] = (uint64_t)run->size << IS_BITS;
    take_back(run, merged);
    run->tokens[run->count++] = (uint64_t)run->size << IS_BITS | IS_VALUE;
    memcpy(run->text + run->size, merged > 0 ? " ..." : " ?  ", 4);
    run->size += merged > 0 ? 4 : 2;
}

/* Where word() and other() expect the lower-case literal: in the free part of the text, so that a
 * quoted name is in its place already. */
static ALWAYS_INLINE unsigned char *literal_place(const struct normalize_run *run)
{
    return run->text + run->size + 2;
}

/* What word() and other() need beyond the literal. */
#define LITERAL_ROOM 16

#endif
