/* SPDX-License-Identifier: Apache-2.0
 *
 * The normalised text: tokens printed one after the other with single spaces between, literals
 * replaced by
 * ?, lists of literals by "...", index hints left out. This is the long way, which knows every
 * token; normalize_run.h has what the two ways share. */
#include "sql/digest.h"

#include "sql/charset.h"
#include "sql/lower.h"
#include "sql/normalize_run.h"

#include <assert.h>
#include <stdlib.h>
#include <weir/strbuf.h>

const uint32_t normalize_word_roles[SQL_WORDS] = {
    [SQL_WORD_IS] = IS_UNARY,
    [SQL_WORD_SELECT] = IS_UNARY,
    [SQL_WORD_BY] = IS_BY,
    [SQL_WORD_ORDER] = IS_ORDER,
    [SQL_WORD_GROUP] = IS_ORDER,
    [SQL_WORD_FORCE] = IS_HINT,
    [SQL_WORD_USE] = IS_HINT,
    [SQL_WORD_IGNORE] = IS_HINT,
    [SQL_WORD_INDEX] = IS_INDEX,
    [SQL_WORD_STRAIGHT_JOIN] = IS_STRAIGHT,
    [SQL_WORD_NULL] = IS_NOTHING,
    [SQL_WORD__ASCII] = IS_INTRODUCER,
    [SQL_WORD__BINARY] = IS_INTRODUCER,
    [SQL_WORD__GB18030] = IS_INTRODUCER,
    [SQL_WORD__GBK] = IS_INTRODUCER,
    [SQL_WORD__LATIN1] = IS_INTRODUCER,
    [SQL_WORD__UTF8] = IS_INTRODUCER,
    [SQL_WORD__UTF8MB3] = IS_INTRODUCER,
    [SQL_WORD__UTF8MB4] = IS_INTRODUCER,
};

const uint32_t normalize_byte_roles[256] = {
    ['('] = IS_OPEN | IS_UNARY,
    [')'] = IS_CLOSE,
    [','] = IS_COMMA | IS_UNARY,
    ['+'] = IS_SIGN | IS_UNARY,
    ['-'] = IS_SIGN | IS_UNARY,
    ['='] = IS_UNARY,
    ['<'] = IS_UNARY,
    ['>'] = IS_UNARY,
    ['*'] = IS_STAR,
    ['.'] = IS_DOT,
};

uint32_t normalize_role_of(const unsigned char *literal, size_t size)
{
    if (size == 1)
        return normalize_byte_roles[literal[0]];
    if (size == 2 && (literal[0] == '<' || literal[0] == '>') && literal[1] == '=')
        return IS_UNARY;
    if (size > NOTABLE_BYTES)
        return 0;
    return normalize_word_roles[sql_keyword_find((const char *)literal, size).word];
}

/* Room for `more` bytes of text and one token. */
static bool grow(struct normalize_run *run, size_t more)
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

static bool grow_tokens(struct normalize_run *run, size_t more)
{
    size_t capacity = run->token_capacity * 2 + more + 64;
    uint64_t *tokens = realloc(run->tokens, capacity * sizeof *tokens);
    if (tokens == NULL) {
        run->failed = true;
        return false;
    }
    run->tokens = tokens;
    run->token_capacity = capacity;
    return true;
}

static inline bool reserve(struct normalize_run *run, size_t more)
{
    if (run->capacity - run->size < more && !grow(run, more))
        return false;
    return run->count < run->token_capacity || grow_tokens(run, 1);
}

/* The room that normalize_short_tokens() wants for so many bytes. */
static bool reserve_chunk(struct normalize_run *run, size_t bytes)
{
    size_t tokens = bytes + SENTINELS;
    return (run->token_capacity - run->count >= tokens || grow_tokens(run, tokens)) &&
           reserve(run, 4 * bytes + SHORT_ROOM);
}

/* What one large statement needed is not kept for all that come after it. */
static void give_back(struct sql_digester *digester)
{
    if (digester->copy_capacity > STRBUF_KEPT_BYTES) {
        free(digester->copy);
        digester->copy = NULL;
        digester->copy_capacity = 0;
    }
    if (digester->capacity > STRBUF_KEPT_BYTES) {
        free(digester->text);
        digester->text = NULL;
        digester->capacity = 0;
    }
    if (digester->token_capacity > STRBUF_KEPT_BYTES / sizeof *digester->tokens) {
        free(digester->tokens);
        digester->tokens = NULL;
        digester->token_capacity = 0;
    }
}

/* Room for the copy of a statement; false: no memory. */
static bool grow_copy(struct sql_digester *digester, size_t needed)
{
    if (needed <= digester->copy_capacity)
        return true;
    free(digester->copy);
    digester->copy_capacity = 0;
    digester->copy = malloc(needed + needed / 4);
    if (digester->copy == NULL)
        return false;
    digester->copy_capacity = needed + needed / 4;
    return true;
}

static void print(struct normalize_run *run, uint64_t is, const void *text, size_t size)
{
    if (reserve(run, size + 1))
        put(run, is, text, size);
}

/* The same, out of line, and it makes the room. */
static void print_value(struct normalize_run *run, enum digest_class class,
                        const unsigned char *literal, size_t size)
{
    if (reserve(run, size + 8))
        value(run, class, literal, size);
}

/* An index hint: true when it was left out, with the word before it. False: it has no closing
 * parenthesis, INDEX is a word like others, and scanning goes on from where the search ended. */
static bool skip_hint(struct normalize_run *run)
{
    struct digest_token token;
    unsigned char literal[NOTABLE_BYTES];
    for (;;) {
        digest_scan(&run->scanner, &token);
        if (token.class == DIGEST_END || token.class == DIGEST_INVALID)
            return false;
        if (token.class != DIGEST_EMPTY && token.prefix_size == 0 && token.literal_size <= 2 &&
            digest_literal(&run->scanner, &token, literal) == 1 && literal[0] == ')') {
            take_back(run, 1);
            return true;
        }
    }
}

/* Lower-cases in place; the room is 3 * size at least. */
static size_t lower_in_place(unsigned char *at, size_t size)
{
    unsigned char high = 0;
    for (size_t i = 0; i < size; i++) {
        high |= at[i];
        at[i] = sql_byte_lower(at[i]);
    }
    if (high < 0x80)
        return size;
    memmove(at + 2 * size, at, size);
    return sql_lower_utf8(at + 2 * size, size, at);
}

static bool is_literal(enum digest_class class)
{
    return class >= DIGEST_STRING && class <= DIGEST_PARAM;
}

/* Any token that is not an unquoted word. */
static void other(struct normalize_run *run, const struct digest_token *token, size_t size)
{
    unsigned char *literal = literal_place(run);
    uint32_t is = normalize_role_of(literal, size);
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
    begin(run, placed(run, is));
    memmove(run->text + at + lead, literal, size);
    if (lead)
        run->text[at] = quoted ? '`' : '@';
    run->size = at + lead + size;
    if (quoted)
        run->text[run->size++] = '`';
}

/* Whether a dot is before `start`, with nothing but spaces between. */
static bool dot_before(const struct normalize_run *run, size_t start)
{
    const unsigned char *before = run->copy->text + start - 1; /* a zero is before the text */
    while (*before == ' ')
        before--;
    return *before == '.';
}

/* An unquoted word. What is directly after it stands where the scanner is: after a hint that had
 * no end, elsewhere. */
static void word(struct normalize_run *run, size_t start, size_t size)
{
    unsigned char *literal = literal_place(run);
    struct sql_keyword keyword = sql_keyword_find((const char *)literal, size);
    uint32_t is = normalize_word_roles[keyword.word];
    if (is == IS_NOTHING) {
        print_value(run, DIGEST_NULL, literal, size);
        return;
    }
    if (is == IS_STRAIGHT) {
        memcpy(literal, "join", size = 4);
        is = 0;
    }
    if (is == IS_INTRODUCER) {
        print(run, IS_CHARSET, "(_charset)", 10);
        return;
    }
    unsigned char next = run->copy->text[run->scanner.at];
    bool bare = (keyword.flags & SQL_KEYWORD_ANYWHERE) != 0 ||
                ((keyword.flags & SQL_KEYWORD_BEFORE_PARENTHESIS) != 0 && next == '(');
    bool quoted = !bare || next == '.' || dot_before(run, start);
    size_t at = run->size + 1;
    begin(run, placed(run, is));
    memmove(run->text + at + quoted, literal, size);
    run->size = at + size;
    if (quoted) {
        run->text[at] = '`';
        run->text[at + 1 + size] = '`';
        run->size += 2;
    }
}

/* Puts the token's lower-case literal where word() and other() expect it. */
static bool put_literal(struct normalize_run *run, const struct digest_token *token, size_t *size)
{
    if (!reserve(run, 3 * (token->prefix_size + token->literal_size) + LITERAL_ROOM))
        return false;
    unsigned char *literal = literal_place(run);
    *size = lower_in_place(literal, digest_literal(&run->scanner, token, literal));
    return true;
}

static bool is_notable_string(const struct digest_token *token, const struct normalize_run *run)
{
    return token->literal_size <= 2 || (last(run, 1) & IS_HINT) != 0;
}

/* One token, whatever it is, by the rules in their order. False: the text ends here. */
static bool any_token(struct normalize_run *run)
{
    struct digest_token token;
    size_t size = 0;
    digest_scan(&run->scanner, &token);
    if (token.class == DIGEST_END || token.class == DIGEST_INVALID ||
        (token.start + 1 == run->scanner.size && run->scanner.text[token.start] == ';'))
        return false;
    if (token.class == DIGEST_EMPTY) {
        print(run, 0, "", 0);
        return true;
    }
    if (is_literal(token.class) &&
        !(token.class == DIGEST_STRING && is_notable_string(&token, run))) {
        print_value(run, token.class, run->scanner.text + token.literal, token.literal_size);
        return true;
    }
    if (!put_literal(run, &token, &size))
        return false;
    if ((last(run, 1) & IS_HINT) != 0 && normalize_role_of(literal_place(run), size) == IS_INDEX) {
        if (skip_hint(run) || !put_literal(run, &token, &size))
            return true;
    }
    if (token.class == DIGEST_IDENTIFIER)
        word(run, token.start, size);
    else
        other(run, &token, size);
    return true;
}

/* For the word that may come next: whether a dot is before it (IS_DOT). */
static void note_dot(struct normalize_run *run)
{
    uint64_t *token = &run->tokens[run->count - 1];
    bool dot = run->scanner.at > 0 && run->scanner.text[run->scanner.at - 1] == '.';
    *token = dot ? *token | IS_DOT : *token & ~(uint64_t)IS_DOT;
}

/* Bytes of text between two looks at the room. */
#define CHUNK 4096

/* The long way: after comments, or after one token. False: the text ends here. */
static bool take_long(struct normalize_run *run)
{
    size_t at = run->scanner.at;
    unsigned char byte = run->scanner.text[at];
    if (byte == ';' && at + 1 == run->scanner.size)
        return false;
    bool comment = byte == '/' || byte == '#' || byte == '-';
    bool more =
        (comment && digest_skip_blank(&run->scanner) && run->scanner.at > at) || any_token(run);
    note_dot(run);
    return more;
}

static void normalize(struct normalize_run *run)
{
    do {
        size_t left = run->scanner.size - run->scanner.at;
        size_t chunk = left < CHUNK ? left : CHUNK;
        if (!reserve_chunk(run, chunk))
            return;
        normalize_short_tokens(run, run->scanner.at + chunk);
    } while (run->scanner.at < run->scanner.size && take_long(run) && !run->failed);
}

bool sql_normalize(struct sql_digester *digester, struct sql_span statement,
                   struct sql_span *normalized)
{
    assert(statement.at || statement.size == 0);
    give_back(digester);
    if (!grow_copy(digester, digest_copy_bytes(statement.size)))
        return false;
    struct digest_copy copy = digest_copy(statement, digester->copy);
    struct normalize_run run = {
        .scanner = {.text = (const unsigned char *)statement.at, .size = statement.size},
        .copy = &copy,
        .text = digester->text,
        .capacity = digester->capacity,
        .tokens = digester->tokens,
        .token_capacity = digester->token_capacity,
    };
    if (reserve_chunk(&run, 1)) {
        memset(run.tokens, 0, SENTINELS * sizeof *run.tokens);
        run.count = SENTINELS;
        normalize(&run);
    }
    digester->text = run.text;
    digester->capacity = run.capacity;
    digester->tokens = run.tokens;
    digester->token_capacity = run.token_capacity;
    bool empty = run.count <= SENTINELS;
    *normalized = (struct sql_span){(const char *)run.text + !empty, run.size - !empty};
    return !run.failed;
}
