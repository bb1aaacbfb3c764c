/* SPDX-License-Identifier: Apache-2.0
 *
 * The short way for the tokens that nearly all statements are made of. It prints what the long way
 * would; what it does not know, or has no room for, it leaves to that.
 *
 * What it costs is mispredicted branches, so that it does without them where texts differ: a word's
 * length, whether there is a space after it, whether it is a keyword. It reads the copy in lower
 * case, whose padding spares it to ask where the text ends (a zero byte belongs to no token), and
 * it works on a copy of the run, so that everything is in registers: nothing here may take that
 * copy's address and keep it from being so. */
#include "sql/charset.h"
#include "sql/normalize_run.h"

_Static_assert(DIGEST_PADDING >= SHORT_ROOM, "words are read by whole blocks");

enum start {
    START_OTHER,
    START_SPACE,
    START_WORD,
    START_DIGIT,
    START_BYTE, /* a token of its own */
    START_OPEN,
    START_COMMA,
    START_STAR,
    START_OPERATOR, /* a token of its own, unless goes_on[] knows the next byte */
    START_STRING,
    START_QUOTED,
    START_PARAM,
    START_VARIABLE,
};

static const unsigned char starts[256] = {
    ['\t' ... '\r'] = START_SPACE,
    [' '] = START_SPACE,
    ['a' ... 'z'] = START_WORD,
    ['_'] = START_WORD,
    ['$'] = START_WORD,
    ['0' ... '9'] = START_DIGIT,
    ['%'] = START_BYTE,
    [')'] = START_BYTE,
    ['+'] = START_BYTE,
    ['='] = START_BYTE,
    ['['] = START_BYTE,
    [']' ... '^'] = START_BYTE,
    ['{'] = START_BYTE,
    ['}' ... '~'] = START_BYTE,
    ['('] = START_OPEN,
    [','] = START_COMMA,
    ['*'] = START_STAR,
    ['!'] = START_OPERATOR,
    ['&'] = START_OPERATOR,
    ['-' ... '/'] = START_OPERATOR,
    [':' ... '<'] = START_OPERATOR,
    ['>'] = START_OPERATOR,
    ['|'] = START_OPERATOR,
    ['\''] = START_STRING,
    ['"'] = START_STRING,
    ['`'] = START_QUOTED,
    ['@'] = START_VARIABLE,
    ['?'] = START_PARAM,
};

/* Bytes that make a longer token, or a comment, or a number of the byte before them. */
enum {
    BEFORE_AND = 1 << 0,
    BEFORE_BAR = 1 << 1,
    BEFORE_COLON = 1 << 2, /* := and != */
    BEFORE_DOT = 1 << 3,
    BEFORE_GREATER = 1 << 4,
    BEFORE_LESS = 1 << 5,
    BEFORE_MINUS = 1 << 6,
    BEFORE_SLASH = 1 << 7,
    BEFORE_SEMICOLON = 1 << 8, /* the one that ends the text is no token */
};

static const uint16_t goes_on[256] = {
    ['&'] = BEFORE_AND,   ['|'] = BEFORE_BAR,       [':'] = BEFORE_COLON, ['!'] = BEFORE_COLON,
    ['.'] = BEFORE_DOT,   ['>'] = BEFORE_GREATER,   ['<'] = BEFORE_LESS,  ['-'] = BEFORE_MINUS,
    ['/'] = BEFORE_SLASH, [';'] = BEFORE_SEMICOLON,
};

static const uint16_t goes_on_with[256] = {
    ['&'] = BEFORE_AND,
    ['^'] = BEFORE_AND,
    ['|'] = BEFORE_BAR,
    ['='] = BEFORE_COLON | BEFORE_GREATER | BEFORE_LESS,
    ['>'] = BEFORE_GREATER | BEFORE_LESS | BEFORE_MINUS,
    ['<'] = BEFORE_LESS,
    ['-'] = BEFORE_MINUS,
    ['*'] = BEFORE_SLASH,
    ['0' ... '9'] = BEFORE_DOT,
    ['\0'] = BEFORE_SEMICOLON,
};

/* What the byte after a word says of it: the flags of keywords that print bare before it. */
enum { AFTER_ODD = 1 << 7 };

static const unsigned char after_word[256] = {
    [0 ... '&'] = SQL_KEYWORD_ANYWHERE,
    ['\''] = SQL_KEYWORD_ANYWHERE | AFTER_ODD, /* x'1F' and the like */
    ['('] = SQL_KEYWORD_ANYWHERE | SQL_KEYWORD_BEFORE_PARENTHESIS,
    [')' ... '-'] = SQL_KEYWORD_ANYWHERE,
    ['.'] = 0,
    ['/' ... 0x7f] = SQL_KEYWORD_ANYWHERE,
    [0x80 ... 0xff] = AFTER_ODD, /* it goes on, and is not ASCII */
};

/* The bytes of the number at `at`; 0: it is for digest_scan(). */
static ALWAYS_INLINE size_t number_bytes(const unsigned char *at, enum digest_class *class)
{
    size_t bytes = block_run(block_digits(block_load(at)));
    *class = DIGEST_INT;
    if (bytes < BLOCK_BYTES && at[bytes] == '.') {
        size_t fraction = block_run(block_digits(block_load(at + bytes + 1)));
        *class = DIGEST_NUMBER;
        bytes = fraction > 0 && fraction < BLOCK_BYTES ? bytes + 1 + fraction : BLOCK_BYTES;
    }
    bool odd = at[bytes] == '.' || sql_byte_is(at[bytes], SQL_BYTE_WORD);
    return odd || bytes == BLOCK_BYTES ? 0 : bytes;
}

/* Where the quoted text at `at` ends, after its closing quote; 0: it does not. */
static ALWAYS_INLINE size_t quoted_end(const unsigned char *text, size_t at, size_t size,
                                       bool escapes)
{
    unsigned char quote = text[at];
    size_t end = at + 1;
    while (end < size) {
        block bytes = block_load(text + end);
        block stop = block_is(bytes, quote);
        unsigned found = block_bits(escapes ? stop | block_is(bytes, '\\') : stop);
        end += found != 0 ? (size_t)__builtin_ctz(found) : BLOCK_BYTES;
        if (found == 0 || end >= size)
            continue;
        if (text[end] == quote && text[end + 1] != quote)
            return end + 1;
        end += 2; /* an escape, or a doubled quote */
    }
    return 0;
}

/* Prints size bytes after the space, by whole blocks. The room is there. */
static ALWAYS_INLINE void put_short(struct normalize_run *run, const unsigned char *bytes,
                                    size_t size, bool quoted)
{
    unsigned char *out = run->text + run->size;
    *out = '`';
    out += quoted;
    block_store(out, block_load(bytes));
    if (__builtin_expect(size > BLOCK_BYTES, 0))
        memcpy(out + BLOCK_BYTES, bytes + BLOCK_BYTES, SHORT_BYTES - BLOCK_BYTES);
    out[size] = '`';
    run->size += size + 2 * (size_t)quoted;
}

static ALWAYS_INLINE void put_byte(struct normalize_run *run, uint64_t is, unsigned char byte)
{
    run->tokens[run->count++] = (uint64_t)run->size << IS_BITS | is;
    run->text[run->size] = ' ';
    run->text[run->size + 1] = byte;
    run->size += 2;
}

/* The comparisons of two bytes, but for <=>. */
static ALWAYS_INLINE bool take_operator(struct normalize_run *run, const unsigned char *text,
                                        size_t *at)
{
    unsigned char byte = text[*at];
    unsigned char next = text[*at + 1];
    bool simple = (byte == '<' || byte == '>' || byte == '!') && (next == '=' || next == '>');
    if (!simple || text[*at + 2] == '>')
        return false;
    begin(run, next == '=' && byte != '!' ? IS_UNARY : 0);
    run->text[run->size] = byte;
    run->text[run->size + 1] = next;
    run->size += 2;
    *at += 2;
    return true;
}

/* Whether the inside of back quotes means nothing to any rule and is ASCII. */
static ALWAYS_INLINE bool is_plain_name(const unsigned char *name, size_t size)
{
    block bytes = block_first(block_load(name), size);
    return block_run(block_word(bytes)) == size &&
           normalize_word_roles[sql_keyword_of_block(bytes).word] == 0;
}

/* `name`, when it is a short and plain one. */
static ALWAYS_INLINE bool take_name(struct normalize_run *run, const unsigned char *text,
                                    size_t size, size_t *at)
{
    size_t end = quoted_end(text, *at, size, false);
    if (end < *at + 3 || end - *at - 2 > BLOCK_BYTES ||
        !is_plain_name(text + *at + 1, end - *at - 2))
        return false;
    begin(run, 0);
    put_short(run, text + *at + 1, end - *at - 2, true);
    *at = end;
    return true;
}

/* count(*) counts as a literal. */
static ALWAYS_INLINE void put_star(struct normalize_run *run)
{
    bool literal = (last(run, 1) & IS_OPEN) != 0;
    put(run, literal ? IS_VALUE : IS_STAR, literal ? "?" : "*", 1);
}

/* @name and @@name; others are for the long way. */
static ALWAYS_INLINE bool take_variable(struct normalize_run *run, const struct digest_copy *copy,
                                        size_t *at)
{
    const unsigned char *text = copy->text + *at;
    size_t start = text[1] == '@' ? 2 : 1;
    size_t size = digest_copy_word(copy, *at + start);
    unsigned char next = text[start + size];
    if (size == 0 || size == BLOCK_BYTES || next == '.' || next >= 0x80 ||
        !is_plain_name(text + start, size))
        return false;
    begin(run, 0);
    block_store(run->text + run->size, block_load(text));
    block_store(run->text + run->size + start, block_load(text + start));
    run->size += start + size;
    *at += start + size;
    return true;
}

/* Prints a word of ASCII, of `size` bytes. False: what it is, or the byte after it, is for the long
 * way. */
static ALWAYS_INLINE bool put_word(struct normalize_run *run, const unsigned char *word,
                                   size_t size, struct sql_keyword keyword)
{
    unsigned after = after_word[word[size]];
    if ((after & AFTER_ODD) != 0 && (word[size] != '\'' || size == 1))
        return false;
    uint64_t is = normalize_word_roles[keyword.word];
    if ((is & (IS_BY | IS_HINT | IS_INTRODUCER | IS_NOTHING | IS_STRAIGHT)) != 0) {
        if (is == IS_NOTHING) {
            value(run, DIGEST_NULL, word, size);
            return true;
        }
        if (is != IS_BY)
            return false;
        is = placed(run, is);
    }
    after &= (unsigned)((last(run, 1) & IS_DOT) / IS_DOT) - 1;
    begin(run, is);
    put_short(run, word, size, (keyword.flags & after) == 0);
    return true;
}

/* A word of 16 bytes and more. */
static ALWAYS_INLINE bool take_long_word(struct normalize_run *run, const struct digest_copy *copy,
                                         size_t *at)
{
    size_t more = BLOCK_BYTES;
    size_t bytes = BLOCK_BYTES;
    while (more == BLOCK_BYTES && bytes < SHORT_BYTES) {
        more = digest_copy_word(copy, *at + bytes);
        bytes += more;
    }
    const unsigned char *word = copy->text + *at;
    if (more == BLOCK_BYTES ||
        !put_word(run, word, bytes, sql_keyword_find((const char *)word, bytes)))
        return false;
    *at += bytes;
    return true;
}

/* Takes a word, and the space after it. Where the next token begins is settled first and needs no
 * look at the byte after the word, so that the next token does not wait for this one. */
static ALWAYS_INLINE bool take_word(struct normalize_run *run, const struct digest_copy *copy,
                                    size_t *at)
{
    size_t size = digest_copy_word(copy, *at);
    const unsigned char *word = copy->text + *at;
    block bytes = block_load(word);
    unsigned spaces = block_bits(block_is(bytes, ' ') | block_is(bytes, '\n'));
    if (__builtin_expect(size == BLOCK_BYTES, 0))
        return take_long_word(run, copy, at);
    struct sql_keyword keyword = sql_keyword_of_block(block_first(bytes, size));
    *at += size + (spaces >> size & 1);
    if (!put_word(run, word, size, keyword)) {
        *at = (size_t)(word - copy->text);
        return false;
    }
    return true;
}

void normalize_short_tokens(struct normalize_run *whole, size_t stop)
{
    struct normalize_run run = {
        .text = whole->text, .size = whole->size, .tokens = whole->tokens, .count = whole->count};
    const struct digest_copy copy = *whole->copy;
    const unsigned char *const text = copy.text;
    const size_t size = whole->scanner.size;
    size_t at = whole->scanner.at;
    if ((last(&run, 1) & IS_HINT) != 0)
        return; /* INDEX may come, in any dress */
    while (at < stop) {
        unsigned char byte = text[at];
        size_t end;
        enum digest_class class;
        uint64_t is;
        if (starts[byte] == START_WORD) {
            if (!take_word(&run, &copy, &at))
                goto out;
            continue;
        }
        switch (starts[byte]) {
        case START_OPERATOR:
            if ((goes_on[byte] & goes_on_with[text[at + 1]]) != 0) {
                if (!take_operator(&run, text, &at))
                    goto out;
                continue;
            }
            /* fall through */
        case START_BYTE:
            put_byte(&run, normalize_byte_roles[byte], byte);
            at += 1 + (text[at + 1] == ' ');
            continue;
        case START_COMMA:
            put_byte(&run, IS_COMMA | IS_UNARY | (last(&run, 2) & IS_POSITION), ',');
            at += 1 + (text[at + 1] == ' ');
            continue;
        case START_OPEN:
            is = (last(&run, 1) & IS_ORDER_BY) / IS_ORDER_BY * IS_POSITION;
            put_byte(&run, IS_OPEN | IS_UNARY | is, '(');
            at += 1 + (text[at + 1] == ' ');
            continue;
        case START_SPACE:
            run.tokens[run.count - 1] &= ~(uint64_t)(byte == ' ' ? 0 : IS_DOT);
            at += 1 + block_run(block_is(block_load(text + at + 1), ' '));
            continue;
        case START_STAR:
            if (text[at + 1] == '/')
                goto out;
            put_star(&run);
            at++;
            continue;
        case START_QUOTED:
            if (!take_name(&run, text, size, &at))
                goto out;
            continue;
        case START_DIGIT:
            end = at + number_bytes(text + at, &class);
            if (end == at)
                goto out;
            break;
        case START_STRING:
            class = DIGEST_STRING;
            end = quoted_end(text, at, size, true);
            if (end == 0 || (end - at <= 4 && text[end - 2] == '*'))
                goto out;
            break;
        case START_VARIABLE:
            if (!take_variable(&run, &copy, &at))
                goto out;
            continue;
        case START_PARAM:
            class = DIGEST_PARAM;
            end = at + 1;
            break;
        default:
            goto out;
        }
        value(&run, class, text + at, end - at);
        at = end + (text[end] == ' ');
    }
out:
    whole->scanner.at = at;
    whole->size = run.size;
    whole->count = run.count;
}
