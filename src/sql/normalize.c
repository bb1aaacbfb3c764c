/* SPDX-License-Identifier: Apache-2.0
 *
 * The normalised text: tokens printed one after the other with single spaces between, literals
 * replaced by ?, lists of literals by "...", index hints left out.
 *
 * The text under construction is the list of tokens. What has been printed can be taken back,
 * because rules look at the tokens before (a sign is removed when a number follows, "? ," when
 * another literal follows): for each token in the text one word is kept, its offset and what the
 * rules want to know of it.
 *
 *     tokens[i] = offset of its first byte in text (of the space before it, when there is one) <<
 * 16 | is
 *
 * No rule looks further back than four tokens. The one about ORDER BY positions seems to (any
 * number of commas), so each token carries the answer for the list that ends with it. */
#include "sql/digest.h"

#include "sql/charset.h"
#include "sql/digest_scan.h"
#include "sql/keywords.h"
#include "sql/lower.h"

#include <stdlib.h>
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

/* A digest_token's literal, decoded and lower-cased, that matters is never longer than this. */
#define NOTABLE_BYTES 16

struct run {
    struct digest_scanner scanner;
    unsigned char *text;
    size_t size;
    size_t capacity;
    uint64_t *tokens;
    size_t count;
    size_t token_capacity;
    bool failed; /* no memory */
};

static const uint16_t word_roles[SQL_WORDS] = {
    [SQL_WORD_IS] = IS_UNARY,    [SQL_WORD_SELECT] = IS_UNARY,
    [SQL_WORD_BY] = IS_BY,       [SQL_WORD_ORDER] = IS_ORDER,
    [SQL_WORD_GROUP] = IS_ORDER, [SQL_WORD_FORCE] = IS_HINT,
    [SQL_WORD_USE] = IS_HINT,    [SQL_WORD_IGNORE] = IS_HINT,
    [SQL_WORD_INDEX] = IS_INDEX, [SQL_WORD_STRAIGHT_JOIN] = IS_STRAIGHT,
};

static const uint16_t byte_roles[256] = {
    ['('] = IS_OPEN | IS_UNARY, [')'] = IS_CLOSE,           [','] = IS_COMMA | IS_UNARY,
    ['+'] = IS_SIGN | IS_UNARY, ['-'] = IS_SIGN | IS_UNARY, ['='] = IS_UNARY,
    ['<'] = IS_UNARY,           ['>'] = IS_UNARY,           ['*'] = IS_STAR,
};

/* What a literal is, by its lower-case text alone, whatever token it belongs to. */
static uint16_t role_of(const unsigned char *literal, size_t size)
{
    if (size == 1) {
        return byte_roles[literal[0]];
    }
    if (size == 2 && (literal[0] == '<' || literal[0] == '>') && literal[1] == '=') {
        return IS_UNARY;
    }
    if (size > NOTABLE_BYTES) {
        return 0;
    }
    const struct sql_keyword *keyword = sql_keyword_find((const char *)literal, size);
    return keyword != NULL ? word_roles[keyword->word] : 0;
}

/* Room for `more` bytes of text and one token. */
static bool grow(struct run *run, size_t more)
{
    size_t capacity = run->capacity + run->capacity / 2 + more + 256;
    unsigned char *text = realloc(run->text, capacity);
    if (text == NULL) {
        run->failed = true;
        return false;
    }
    run->text = text;
    run->capacity = capacity;
    return true;
}

static bool grow_tokens(struct run *run)
{
    size_t capacity = run->token_capacity * 2 + 64;
    uint64_t *tokens = realloc(run->tokens, capacity * sizeof *tokens);
    if (tokens == NULL) {
        run->failed = true;
        return false;
    }
    run->tokens = tokens;
    run->token_capacity = capacity;
    return true;
}

static inline bool reserve(struct run *run, size_t more)
{
    if (run->capacity - run->size < more && !grow(run, more)) {
        return false;
    }
    return run->count < run->token_capacity || grow_tokens(run);
}

/* The token `back` from the end (1: the last); what the rules ask of a missing one is false. */
static inline uint64_t last(const struct run *run, size_t back)
{
    return run->count >= back ? run->tokens[run->count - back] : 0;
}

/* Begins a token: notes it, and prints the space before it. The caller has reserved the room. */
static inline void begin(struct run *run, uint64_t is)
{
    if ((is & (IS_COMMA | IS_OPEN | IS_BY)) != 0) {
        uint64_t before = last(run, is & IS_OPEN ? 2 : 1);
        bool position = is & IS_COMMA  ? run->count >= 2 && (last(run, 2) & IS_POSITION) != 0
                        : is & IS_OPEN ? (last(run, 1) & IS_BY) != 0 && (before & IS_ORDER) != 0
                                       : (before & IS_ORDER) != 0;
        is |= position ? IS_POSITION : 0;
    }
    run->tokens[run->count] = (uint64_t)run->size << IS_BITS | is;
    run->text[run->size] = ' ';
    run->size += run->count > 0;
    run->count++;
}

static inline void take_back(struct run *run, size_t tokens)
{
    run->count -= tokens;
    run->size = run->tokens[run->count] >> IS_BITS;
}

static void print(struct run *run, uint64_t is, const void *text, size_t size)
{
    if (reserve(run, size + 1)) {
        begin(run, is);
        memcpy(run->text + run->size, text, size);
        run->size += size;
    }
}

/* A literal: what it becomes depends on what is before it. The number is what to print of an
 * integer that is a position. */
static void value(struct run *run, const struct digest_token *token)
{
    bool integer = token->class == DIGEST_INT;
    if ((integer || token->class == DIGEST_NUMBER) && (last(run, 1) & IS_SIGN) != 0 &&
        (run->count == 1 || (last(run, 2) & IS_UNARY) != 0)) {
        take_back(run, 1);
    }
    if ((last(run, 1) & IS_COMMA) != 0 && (last(run, 2) & IS_VALUE) != 0) {
        take_back(run, 2);
        print(run, IS_VALUE, "...", 3);
        return;
    }
    if (run->count >= 4 && (last(run, 1) & IS_CHARSET) != 0 && (last(run, 2) & IS_COMMA) != 0 &&
        (last(run, 3) & IS_VALUE) != 0) {
        take_back(run, (last(run, 4) & IS_CHARSET) != 0 ? 4 : 3);
        print(run, IS_VALUE, "...", 3);
        return;
    }
    if ((last(run, 1) & IS_OPEN) != 0 && (last(run, 2) & IS_COMMA) != 0 &&
        (last(run, 3) & IS_CLOSE) != 0 && (last(run, 4) & IS_VALUE) != 0) {
        take_back(run, 4);
        print(run, IS_VALUE, "...", 3);
        return;
    }
    if (integer && (last(run, 1) & IS_POSITION) != 0) {
        print(run, 0, run->scanner.text + token->literal, token->literal_size);
        return;
    }
    print(run, IS_VALUE, "?", 1);
}

/* An index hint: true when it was left out, with the word before it. False: it has no closing
 * parenthesis, INDEX is a word like others, and scanning goes on from where the search ended. */
static bool skip_hint(struct run *run)
{
    struct digest_token token;
    unsigned char literal[NOTABLE_BYTES];
    for (;;) {
        digest_scan(&run->scanner, &token);
        if (token.class == DIGEST_END || token.class == DIGEST_INVALID) {
            return false;
        }
        if (token.class != DIGEST_EMPTY && token.prefix_size == 0 && token.literal_size <= 2 &&
            digest_literal(&run->scanner, &token, literal) == 1 && literal[0] == ')') {
            take_back(run, 1);
            return true;
        }
    }
}

static const char *const introducers[] = {"ascii",  "binary", "gb18030", "gbk",
                                          "latin1", "utf8",   "utf8mb3", "utf8mb4"};

static bool is_introducer(const unsigned char *literal, size_t size)
{
    if (size < 4 || size > 8) {
        return false;
    }
    for (size_t i = 0; i < sizeof introducers / sizeof introducers[0]; i++) {
        if (strlen(introducers[i]) == size - 1 &&
            memcmp(introducers[i], literal + 1, size - 1) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether a dot touches the word: directly behind it, or before it with nothing but spaces between.
 */
static bool touches_dot(const struct digest_scanner *scanner, size_t start, size_t end)
{
    if (end < scanner->size && scanner->text[end] == '.') {
        return true;
    }
    while (start > 0 && scanner->text[start - 1] == ' ') {
        start--;
    }
    return start > 0 && scanner->text[start - 1] == '.';
}

/* Writes the lower-case form of what digest_literal() gave to `to`; the room is 3 * size at least.
 */
static size_t lower_in_place(unsigned char *at, size_t size)
{
    unsigned char high = 0;
    for (size_t i = 0; i < size; i++) {
        high |= at[i];
        at[i] = sql_byte_lower(at[i]);
    }
    if (high < 0x80) {
        return size;
    }
    memmove(at + 2 * size, at, size);
    return sql_lower_utf8(at + 2 * size, size, at);
}

/* A word, its lower-case literal being at `literal` in the free part of the text. */
static void word(struct run *run, const struct digest_token *token, size_t size)
{
    /* "Behind the word" is where the scanner stands: behind a hint that had no end, elsewhere. */
    size_t end = run->scanner.at;
    unsigned char *literal = run->text + run->size + 2;
    const struct sql_keyword *keyword =
        size <= SQL_KEYWORD_MAX_BYTES ? sql_keyword_find((const char *)literal, size) : NULL;
    uint16_t is = keyword != NULL ? word_roles[keyword->word] : 0;
    uint16_t flags = keyword != NULL ? keyword->flags : 0;
    if (keyword != NULL && keyword->word == SQL_WORD_NULL) {
        value(run, token);
        return;
    }
    if (is == IS_STRAIGHT) {
        memcpy(literal, "join", size = 4);
        is = 0;
    }
    if (literal[0] == '_' && is_introducer(literal, size)) {
        print(run, IS_CHARSET, "(_charset)", 10);
        return;
    }
    bool call = end < run->scanner.size && run->scanner.text[end] == '(';
    bool bare = (flags & SQL_KEYWORD_ANYWHERE) != 0 ||
                ((flags & SQL_KEYWORD_BEFORE_PARENTHESIS) != 0 && call);
    size_t at = run->size + (run->count > 0);
    begin(run, is);
    if (bare && !touches_dot(&run->scanner, token->start, end)) {
        memmove(run->text + at, literal, size);
        run->size = at + size;
    } else {
        memmove(run->text + at + 1, literal, size);
        run->text[at] = '`';
        run->text[at + 1 + size] = '`';
        run->size = at + size + 2;
    }
}

static bool is_literal(enum digest_class class)
{
    return class >= DIGEST_STRING && class <= DIGEST_PARAM;
}

/* Any token that is not an unquoted word; the literal is at run->text + run->size + 2, as for
 * word(). */
static void other(struct run *run, const struct digest_token *token, size_t size)
{
    unsigned char *literal = run->text + run->size + 2;
    uint16_t is = role_of(literal, size);
    if (is == IS_STRAIGHT) {
        memcpy(literal, "join", size = 4);
        is = 0;
    }
    if (is == IS_STAR && (last(run, 1) & IS_OPEN) != 0) {
        print(run, IS_VALUE, "?", 1);
        return;
    }
    if (is_literal(token->class) && is != IS_STAR) {
        value(run, token);
        return;
    }
    if (token->class == DIGEST_CHARSET) {
        print(run, IS_CHARSET, "(_charset)", 10);
        return;
    }
    bool quoted = token->class == DIGEST_QUOTED;
    size_t at = run->size + (run->count > 0);
    size_t lead = quoted || token->class == DIGEST_USER_VARIABLE;
    begin(run, is);
    memmove(run->text + at + lead, literal, size);
    if (lead) {
        run->text[at] = quoted ? '`' : '@';
    }
    run->size = at + lead + size;
    if (quoted) {
        run->text[run->size++] = '`';
    }
}

/* Puts the token's lower-case literal where word() and other() expect it. */
static bool put_literal(struct run *run, const struct digest_token *token, size_t *size)
{
    if (!reserve(run, 3 * (token->prefix_size + token->literal_size) + 16)) {
        return false;
    }
    unsigned char *literal = run->text + run->size + 2;
    *size = lower_in_place(literal, digest_literal(&run->scanner, token, literal));
    return true;
}

static bool is_notable_string(const struct digest_token *token, const struct run *run)
{
    return token->literal_size <= 2 || (last(run, 1) & IS_HINT) != 0;
}

static void normalize(struct run *run)
{
    struct digest_token token;
    size_t size = 0;
    while (!run->failed) {
        digest_scan(&run->scanner, &token);
        bool ends = token.class == DIGEST_END || token.class == DIGEST_INVALID ||
                    (token.start + 1 == run->scanner.size && run->scanner.text[token.start] == ';');
        if (ends) {
            return;
        }
        if (token.class == DIGEST_EMPTY) {
            print(run, 0, "", 0);
            continue;
        }
        if (is_literal(token.class) &&
            !(token.class == DIGEST_STRING && is_notable_string(&token, run))) {
            value(run, &token);
            continue;
        }
        if (!put_literal(run, &token, &size)) {
            return;
        }
        if ((last(run, 1) & IS_HINT) != 0 && role_of(run->text + run->size + 2, size) == IS_INDEX) {
            if (skip_hint(run) || !put_literal(run, &token, &size)) {
                continue;
            }
        }
        if (token.class == DIGEST_IDENTIFIER) {
            word(run, &token, size);
        } else {
            other(run, &token, size);
        }
    }
}

bool sql_normalize(struct sql_digester *digester, struct sql_span statement,
                   struct sql_span *normalized)
{
    struct run run = {
        .scanner = {.text = (const unsigned char *)statement.at, .size = statement.size},
        .text = digester->text,
        .capacity = digester->capacity,
        .tokens = digester->tokens,
        .token_capacity = digester->token_capacity,
    };
    normalize(&run);
    digester->text = run.text;
    digester->capacity = run.capacity;
    digester->tokens = run.tokens;
    digester->token_capacity = run.token_capacity;
    *normalized = (struct sql_span){(const char *)run.text, run.size};
    return !run.failed;
}
