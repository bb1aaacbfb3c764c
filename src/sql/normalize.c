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

#define ALWAYS_INLINE inline __attribute__((always_inline))

/* So many empty tokens stand before the first one, so that rules can look back without counting. */
#define SENTINELS 4

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
    bool first = run->tokens == NULL;
    uint64_t *tokens =
        realloc(first ? NULL : run->tokens - SENTINELS, (capacity + SENTINELS) * sizeof *tokens);
    if (tokens == NULL) {
        run->failed = true;
        return false;
    }
    if (first) {
        memset(tokens, 0, SENTINELS * sizeof *tokens);
    }
    run->tokens = tokens + SENTINELS;
    run->token_capacity = capacity;
    return true;
}

void sql_normalize_release(struct sql_digester *digester)
{
    if (digester->tokens != NULL) {
        free(digester->tokens - SENTINELS);
    }
    free(digester->text);
}

static inline bool reserve(struct run *run, size_t more)
{
    if (run->capacity - run->size < more && !grow(run, more)) {
        return false;
    }
    return run->count < run->token_capacity || grow_tokens(run);
}

/* The token `back` from the end (1: the last, at most SENTINELS); what the rules ask of a missing
 * one is false. */
static ALWAYS_INLINE uint64_t last(const struct run *run, size_t back)
{
    return run->tokens[(ptrdiff_t)run->count - (ptrdiff_t)back];
}

/* Begins a token: notes it, and prints the space before it. The caller has reserved the room. */
static ALWAYS_INLINE void begin(struct run *run, uint64_t is)
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

static ALWAYS_INLINE void take_back(struct run *run, size_t tokens)
{
    run->count -= tokens;
    run->size = run->tokens[run->count] >> IS_BITS;
}

/* Prints a token; the room is there. */
static ALWAYS_INLINE void put(struct run *run, uint64_t is, const void *text, size_t size)
{
    begin(run, is);
    memcpy(run->text + run->size, text, size);
    run->size += size;
}

static void print(struct run *run, uint64_t is, const void *text, size_t size)
{
    if (reserve(run, size + 1)) {
        put(run, is, text, size);
    }
}

/* A literal: what it becomes depends on what is before it. An integer that is a position stays what
 * it is. The room for it is there. */
static ALWAYS_INLINE void value(struct run *run, enum digest_class class,
                                const unsigned char *literal, size_t size)
{
    bool integer = class == DIGEST_INT;
    size_t merged = 0;
    if ((integer || class == DIGEST_NUMBER) && (last(run, 1) & IS_SIGN) != 0 &&
        (run->count == 1 || (last(run, 2) & IS_UNARY) != 0)) {
        take_back(run, 1);
    }
    if ((last(run, 1) & IS_COMMA) != 0) {
        merged = (last(run, 2) & IS_VALUE) != 0 ? 2 : 0;
    } else if ((last(run, 1) & IS_OPEN) != 0) {
        bool rows = (last(run, 2) & IS_COMMA) != 0 && (last(run, 3) & IS_CLOSE) != 0 &&
                    (last(run, 4) & IS_VALUE) != 0;
        merged = rows ? 4 : 0;
    } else if ((last(run, 1) & IS_CHARSET) != 0) {
        bool listed =
            run->count >= 4 && (last(run, 2) & IS_COMMA) != 0 && (last(run, 3) & IS_VALUE) != 0;
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

/* The same, out of line, and it makes the room. */
static void print_value(struct run *run, enum digest_class class, const unsigned char *literal,
                        size_t size)
{
    if (reserve(run, size + 8)) {
        value(run, class, literal, size);
    }
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

/* Lower-cases in place; the room is 3 * size at least. */
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

/* Where word() and other() expect the lower-case literal: in the free part of the text, so that a
 * quoted name is in its place already. */
static ALWAYS_INLINE unsigned char *literal_place(const struct run *run)
{
    return run->text + run->size + 2;
}

/* What word() and other() need beyond the literal. */
#define LITERAL_ROOM 40

/* Longer tokens are left to any_token(). */
#define SHORT_BYTES 64

/* An unquoted word that starts at `start`. */
static ALWAYS_INLINE void word(struct run *run, size_t start, size_t size)
{
    /* "Behind the word" is where the scanner stands: behind a hint that had no end, elsewhere. */
    size_t end = run->scanner.at;
    unsigned char *literal = literal_place(run);
    const struct sql_keyword *keyword =
        size <= SQL_KEYWORD_MAX_BYTES ? sql_keyword_find((const char *)literal, size) : NULL;
    uint16_t is = 0;
    bool bare = false;
    if (keyword != NULL) {
        is = word_roles[keyword->word];
        bare = (keyword->flags & SQL_KEYWORD_ANYWHERE) != 0 ||
               ((keyword->flags & SQL_KEYWORD_BEFORE_PARENTHESIS) != 0 && end < run->scanner.size &&
                run->scanner.text[end] == '(');
        if (keyword->word == SQL_WORD_NULL) {
            value(run, DIGEST_NULL, NULL, 0);
            return;
        }
        if (is == IS_STRAIGHT) {
            memcpy(literal, "join", size = 4);
            is = 0;
        }
    } else if (literal[0] == '_' && is_introducer(literal, size)) {
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

static bool is_literal(enum digest_class class)
{
    return class >= DIGEST_STRING && class <= DIGEST_PARAM;
}

/* Any token that is not an unquoted word. */
static void other(struct run *run, const struct digest_token *token, size_t size)
{
    unsigned char *literal = literal_place(run);
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
        print_value(run, token->class, run->scanner.text + token->literal, token->literal_size);
        return;
    }
    if (token->class == DIGEST_CHARSET) {
        print(run, IS_CHARSET, "(_charset)", 10);
        return;
    }
    bool quoted = token->class == DIGEST_QUOTED;
    size_t at = run->size + 1;
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
    if (!reserve(run, 3 * (token->prefix_size + token->literal_size) + LITERAL_ROOM)) {
        return false;
    }
    unsigned char *literal = literal_place(run);
    *size = lower_in_place(literal, digest_literal(&run->scanner, token, literal));
    return true;
}

static bool is_notable_string(const struct digest_token *token, const struct run *run)
{
    return token->literal_size <= 2 || (last(run, 1) & IS_HINT) != 0;
}

/* One token, whatever it is, by the rules in their order. False: the text ends here. */
static bool any_token(struct run *run)
{
    struct digest_token token;
    size_t size = 0;
    digest_scan(&run->scanner, &token);
    if (token.class == DIGEST_END || token.class == DIGEST_INVALID ||
        (token.start + 1 == run->scanner.size && run->scanner.text[token.start] == ';')) {
        return false;
    }
    if (token.class == DIGEST_EMPTY) {
        print(run, 0, "", 0);
        return true;
    }
    if (is_literal(token.class) &&
        !(token.class == DIGEST_STRING && is_notable_string(&token, run))) {
        print_value(run, token.class, run->scanner.text + token.literal, token.literal_size);
        return true;
    }
    if (!put_literal(run, &token, &size)) {
        return false;
    }
    if ((last(run, 1) & IS_HINT) != 0 && role_of(literal_place(run), size) == IS_INDEX) {
        if (skip_hint(run) || !put_literal(run, &token, &size)) {
            return true;
        }
    }
    if (token.class == DIGEST_IDENTIFIER) {
        word(run, token.start, size);
    } else {
        other(run, &token, size);
    }
    return true;
}

/* The rest of this file is the short way for the tokens that nearly all statements are made of. It
 * prints what any_token() would; what it does not know it leaves to that. */

enum start {
    START_OTHER,
    START_SPACE,
    START_WORD,
    START_DIGIT,
    START_BYTE, /* always a token of its own */
    START_HALF, /* a token of its own unless a byte follows that `half` knows */
    START_STRING,
    START_QUOTED,
    START_PARAM,
};

static const unsigned char starts[256] = {
    ['\t' ... '\r'] = START_SPACE,
    [' '] = START_SPACE,
    ['a' ... 'z'] = START_WORD,
    ['A' ... 'Z'] = START_WORD,
    ['_'] = START_WORD,
    ['$'] = START_WORD,
    ['0' ... '9'] = START_DIGIT,
    ['('] = START_BYTE,
    [')'] = START_BYTE,
    [','] = START_BYTE,
    ['='] = START_BYTE,
    ['+'] = START_BYTE,
    ['%'] = START_BYTE,
    ['.'] = START_HALF,
    ['<'] = START_HALF,
    ['>'] = START_HALF,
    ['-'] = START_HALF,
    ['/'] = START_HALF,
    ['\''] = START_STRING,
    ['"'] = START_STRING,
    ['`'] = START_QUOTED,
    ['?'] = START_PARAM,
};

static bool is_half(unsigned char byte, unsigned char next)
{
    switch (byte) {
    case '.':
        return sql_byte_is(next, SQL_BYTE_DIGIT);
    case '/':
        return next == '*';
    case '-':
        return next == '-' || next == '>';
    default:
        return next == '<' || next == '=' || next == '>';
    }
}

/* Copies size bytes in lower case, eight at a time, writing up to seven more. `left` bytes can be
 * read at from. False: there is a byte above 7F. */
static ALWAYS_INLINE bool lower_copy(unsigned char *to, const unsigned char *from, size_t size,
                                     size_t left)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t high = 0;
    for (size_t i = 0; i < size; i += 8) {
        uint64_t x = 0;
        if (left - i >= 8) {
            memcpy(&x, from + i, 8);
        } else {
            memcpy(&x, from + i, left - i);
        }
        if (size - i < 8) {
            x &= (UINT64_C(1) << (size - i) * 8) - 1; /* little endian: see the assertion */
        }
        uint64_t low = x & (ones * 0x7f);
        uint64_t upper = (low + ones * (0x80 - 'A')) & ~(low + ones * (0x7f - 'Z')) & (ones * 0x80);
        high |= x;
        x |= upper >> 2;
        memcpy(to + i, &x, 8);
    }
    return (high & (ones * 0x80)) == 0;
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "lower_copy() masks the last bytes");

static ALWAYS_INLINE size_t run_of(const unsigned char *text, size_t at, size_t size,
                                   unsigned classes)
{
    while (at < size && (sql_byte_class[text[at]] & classes) != 0) {
        at++;
    }
    return at;
}

/* Where the number at `at` ends; 0: it is for digest_scan(). */
static ALWAYS_INLINE size_t number_end(const unsigned char *text, size_t at, size_t size,
                                       enum digest_class *class)
{
    *class = DIGEST_INT;
    size_t end = run_of(text, at + 1, size, SQL_BYTE_DIGIT);
    if (text[at] == '0' && end == at + 1 && end < size && sql_byte_is(text[end], SQL_BYTE_WORD)) {
        return 0;
    }
    if (end < size && text[end] == '.') {
        *class = DIGEST_NUMBER;
        end = run_of(text, end + 1, size, SQL_BYTE_DIGIT);
    }
    return end < size && (text[end] == '.' || sql_byte_is(text[end], SQL_BYTE_WORD)) ? 0 : end;
}

/* Where the quoted text at `at` ends, behind its closing quote; 0: it has none, or has escapes or
 * doubled quotes. */
static ALWAYS_INLINE size_t quoted_end(const unsigned char *text, size_t at, size_t size,
                                       bool escapes)
{
    unsigned char quote = text[at];
    size_t end = at + 1;
    while (end < size && text[end] != quote && !(escapes && text[end] == '\\')) {
        end++;
    }
    if (end == size || text[end] != quote || (end + 1 < size && text[end + 1] == quote)) {
        return 0;
    }
    return end + 1;
}

/* Takes tokens as long as they are of the kinds it knows and there is room. Works on a copy of the
 * run, so that it can be kept in registers. */
static void short_tokens(struct run *whole)
{
    struct run run = *whole;
    const unsigned char *const text = run.scanner.text;
    const size_t size = run.scanner.size;
    for (;;) {
        size_t at = run.scanner.at;
        size_t end;
        enum digest_class class;
        unsigned char byte = 0;
        unsigned start = START_OTHER;
        for (; at < size; at++) {
            byte = text[at];
            start = starts[byte];
            if (start != START_SPACE) {
                break;
            }
        }
        bool room =
            run.capacity - run.size >= SHORT_BYTES + LITERAL_ROOM && run.count < run.token_capacity;
        /* A semicolon may be the last one, and INDEX behind USE a hint. */
        if (at == size || !room || (last(&run, 1) & IS_HINT) != 0) {
            break;
        }
        switch (start) {
        case START_WORD:
            end = run_of(text, at + 1, size, SQL_BYTE_WORD);
            if (end - at > SHORT_BYTES || (end == at + 1 && end < size && text[end] == '\'') ||
                !lower_copy(literal_place(&run), text + at, end - at, size - at)) {
                goto out; /* long, or x'1F' and the like, or not ASCII */
            }
            run.scanner.at = end;
            word(&run, at, end - at);
            continue;
        case START_HALF:
            if (at + 1 == size || is_half(byte, text[at + 1])) {
                goto out;
            }
            /* fall through */
        case START_BYTE:
            run.scanner.at = at + 1;
            begin(&run, byte_roles[byte]);
            run.text[run.size++] = byte;
            continue;
        case START_QUOTED:
            end = quoted_end(text, at, size, false);
            if (end == 0 || end - at > SHORT_BYTES ||
                !lower_copy(literal_place(&run), text + at + 1, end - at - 2, size - at - 1) ||
                role_of(literal_place(&run), end - at - 2) != 0) {
                goto out;
            }
            run.scanner.at = end;
            begin(&run, 0);
            run.text[run.size] = '`';
            run.size += end - at;
            run.text[run.size - 1] = '`';
            continue;
        case START_DIGIT:
            end = number_end(text, at, size, &class);
            if (end == 0 || end - at > SHORT_BYTES) {
                goto out;
            }
            break;
        case START_STRING:
            class = DIGEST_STRING;
            end = quoted_end(text, at, size, true);
            if (end == 0 || (end - at == 3 && text[at + 1] == '*')) {
                goto out;
            }
            break;
        case START_PARAM:
            class = DIGEST_PARAM;
            end = at + 1;
            break;
        default:
            goto out;
        }
        run.scanner.at = end;
        value(&run, class, text + at, end - at);
    }
out:
    *whole = run;
}

static void normalize(struct run *run)
{
    do {
        short_tokens(run);
    } while (!run->failed && any_token(run));
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
    if (reserve(&run, 0)) { /* the sentinels, too */
        normalize(&run);
    }
    digester->text = run.text;
    digester->capacity = run.capacity;
    digester->tokens = run.tokens;
    digester->token_capacity = run.token_capacity;
    bool empty = run.count == 0;
    *normalized = (struct sql_span){(const char *)run.text + !empty, run.size - !empty};
    return !run.failed;
}
