/* SPDX-License-Identifier: Apache-2.0
 *
 * TiDB's scanner. Everything goes by bytes; bytes of 80 and above are letters, but 85 and A0 are
 * white space where a token would begin. Comments are skipped in a loop, so that no text needs more
 * stack than another. What looks odd here (0x1F.5 being three tokens, @@global. printing as
 * nothing) is what TiDB does, and what its digests are made of. */
#include "sql/digest_scan.h"

#include "sql/charset.h"
#include "sql/comment.h"

#include <string.h>

static unsigned char byte_at(const struct digest_scanner *scanner, size_t at)
{
    return at < scanner->size ? scanner->text[at] : 0;
}

static bool is_digit(unsigned char byte)
{
    return sql_byte_is(byte, SQL_BYTE_DIGIT);
}

static bool is_space(unsigned char byte)
{
    return sql_byte_is(byte, SQL_BYTE_SPACE) || byte == 0x85 || byte == 0xa0;
}

static size_t run(const struct digest_scanner *scanner, size_t at, unsigned classes)
{
    while (at < scanner->size && sql_byte_is(scanner->text[at], classes))
        at++;
    return at;
}

static size_t binary_run(const struct digest_scanner *scanner, size_t at)
{
    while (byte_at(scanner, at) == '0' || byte_at(scanner, at) == '1')
        at++;
    return at;
}

static size_t variable_run(const struct digest_scanner *scanner, size_t at)
{
    while (at < scanner->size &&
           (scanner->text[at] == '.' || sql_byte_is(scanner->text[at], SQL_BYTE_WORD)))
        at++;
    return at;
}

static void finish(struct digest_scanner *scanner, struct digest_token *token,
                   enum digest_class class, size_t end)
{
    token->class = class;
    token->literal = token->start;
    token->literal_size = end - token->start;
    scanner->at = end;
}

static void fail(struct digest_scanner *scanner, struct digest_token *token, size_t at)
{
    token->class = DIGEST_INVALID;
    scanner->at = at;
}

/* Takes the quoted text whose opening quote is at `at`; without an end the token is INVALID. */
static void take_quoted(struct digest_scanner *scanner, struct digest_token *token,
                        enum digest_class class, size_t at)
{
    unsigned char quote = scanner->text[at];
    token->literal = ++at;
    token->quote = quote;
    while (at < scanner->size) {
        unsigned char byte = scanner->text[at];
        if (byte == quote) {
            if (byte_at(scanner, at + 1) != quote) {
                token->class = class;
                token->literal_size = at - token->literal;
                scanner->at = at + 1;
                return;
            }
            at += 2;
        } else if (byte == '\\' && quote != '`') {
            at += scanner->size - at >= 2 ? 2 : 1;
        } else {
            at++;
        }
    }
    fail(scanner, token, scanner->size);
}

static bool is_quote(unsigned char byte)
{
    return byte == '\'' || byte == '"' || byte == '`';
}

/* A number with a fraction or an exponent, from `start`; an exponent without digits makes it a
 * word. */
static void take_float(struct digest_scanner *scanner, struct digest_token *token)
{
    size_t at = run(scanner, token->start, SQL_BYTE_DIGIT);
    if (byte_at(scanner, at) == '.')
        at = run(scanner, at + 1, SQL_BYTE_DIGIT);
    if ((byte_at(scanner, at) | 0x20) == 'e') {
        size_t digit = at + 1;
        digit += byte_at(scanner, digit) == '+' || byte_at(scanner, digit) == '-';
        if (!is_digit(byte_at(scanner, digit))) {
            size_t end = run(scanner, token->start, SQL_BYTE_WORD);
            if (end == token->start)
                fail(scanner, token, end);
            else
                finish(scanner, token, DIGEST_IDENTIFIER, end);
            return;
        }
        at = run(scanner, digit, SQL_BYTE_DIGIT);
    }
    finish(scanner, token, DIGEST_NUMBER, at);
}

static void take_number(struct digest_scanner *scanner, struct digest_token *token)
{
    enum digest_class class = DIGEST_INT;
    size_t at = token->start + 1;
    unsigned char second = byte_at(scanner, at);
    if (scanner->text[token->start] == '0') {
        bool hex = (second | 0x20) == 'x';
        if (hex || second == 'b') {
            size_t end = hex ? run(scanner, at + 1, SQL_BYTE_HEX) : binary_run(scanner, at + 1);
            if (end == at + 1 || is_digit(byte_at(scanner, end))) {
                finish(scanner, token, DIGEST_IDENTIFIER, run(scanner, at, SQL_BYTE_WORD));
                return;
            }
            class = hex ? DIGEST_NUMBER : DIGEST_BIT;
            at = end;
        } else if (second == 'B') {
            finish(scanner, token, DIGEST_IDENTIFIER, run(scanner, at, SQL_BYTE_WORD));
            return;
        }
    }
    at = run(scanner, at, SQL_BYTE_DIGIT);
    unsigned char next = byte_at(scanner, at);
    if (next == '.' || (next | 0x20) == 'e')
        take_float(scanner, token);
    else if (at < scanner->size && sql_byte_is(next, SQL_BYTE_WORD))
        finish(scanner, token, DIGEST_IDENTIFIER, run(scanner, at, SQL_BYTE_WORD));
    else
        finish(scanner, token, class, at);
}

/* x'1F', b'01', N'text', or a word. */
static void take_word(struct digest_scanner *scanner, struct digest_token *token)
{
    size_t at = token->start;
    unsigned char first = scanner->text[at] | 0x20;
    if (byte_at(scanner, at + 1) == '\'' && scanner->text[at] < 0x80) {
        if (first == 'n') {
            finish(scanner, token, DIGEST_CHARSET, at + 1);
            return;
        }
        if (first == 'x' || first == 'b') {
            size_t end =
                first == 'x' ? run(scanner, at + 2, SQL_BYTE_HEX) : binary_run(scanner, at + 2);
            if (byte_at(scanner, end) == '\'')
                finish(scanner, token, first == 'x' ? DIGEST_NUMBER : DIGEST_BIT, end + 1);
            else
                fail(scanner, token, end);
            return;
        }
    }
    finish(scanner, token, DIGEST_IDENTIFIER, run(scanner, at, SQL_BYTE_WORD));
}

static size_t scope_prefix(const struct digest_scanner *scanner, size_t at)
{
    static const char *const scopes[] = {"global.", "session.", "local."};
    for (size_t i = 0; i < sizeof scopes / sizeof scopes[0]; i++) {
        size_t size = strlen(scopes[i]);
        struct sql_span span = {(const char *)scanner->text + at, size};
        if (scanner->size - at >= size && sql_span_is(span, scopes[i]))
            return size;
    }
    return 0;
}

static void take_variable(struct digest_scanner *scanner, struct digest_token *token)
{
    size_t at = token->start + 1;
    enum digest_class class = DIGEST_USER_VARIABLE;
    bool system = byte_at(scanner, at) == '@';
    if (system) {
        class = DIGEST_SYSTEM_VARIABLE;
        at++;
        at += scope_prefix(scanner, at);
        token->prefix_size = at - token->start;
    }
    size_t end = variable_run(scanner, at);
    if (end > at) {
        finish(scanner, token, class, end);
        token->prefix_size = 0;
        token->literal += !system; /* without its @ */
        token->literal_size -= !system;
    } else if (is_quote(byte_at(scanner, at))) {
        take_quoted(scanner, token, class, at);
    } else {
        token->class = system ? DIGEST_EMPTY : DIGEST_USER_VARIABLE;
        scanner->at = at;
    }
}

/* The operators of several bytes; how long the one at `at` is. */
static size_t operator_size(const struct digest_scanner *scanner, size_t at)
{
    unsigned char second = byte_at(scanner, at + 1);
    switch (scanner->text[at]) {
    case '<':
        if (second == '=')
            return byte_at(scanner, at + 2) == '>' ? 3 : 2;
        return second == '>' || second == '<' ? 2 : 1;
    case '>':
        return second == '=' || second == '>' ? 2 : 1;
    case '!':
    case ':':
        return second == '=' ? 2 : 1;
    case '&':
        return second == '&' || second == '^' ? 2 : 1;
    case '|':
        return second == '|' ? 2 : 1;
    default:
        return 1;
    }
}

/* Skips what a slash and star open. False: it has no end. */
static bool skip_comment(struct digest_scanner *scanner)
{
    size_t at = scanner->at + 2;
    unsigned char first = byte_at(scanner, at);
    if (first == '!') {
        size_t digits = run(scanner, at + 1, SQL_BYTE_DIGIT);
        scanner->at = at + 1 + (digits - at - 1 >= 5 ? 5 : 0);
        scanner->in_code = true;
        return true;
    }
    if (first == 'T' && byte_at(scanner, at + 1) == '!') {
        size_t code = at + 2;
        if (sql_comment_tidb_runs(scanner->text, scanner->size, &code)) {
            scanner->at = code;
            scanner->in_code = true;
            return true;
        }
    }
    /* The byte after the opening belongs to the comment's end only when it is a star. */
    size_t end = sql_comment_end(scanner->text, scanner->size, first == '*' ? at : at + 1);
    scanner->at = end > 0 ? end : scanner->size;
    return end > 0;
}

static void skip_line(struct digest_scanner *scanner)
{
    const unsigned char *from = scanner->text + scanner->at;
    const unsigned char *newline = memchr(from, '\n', scanner->size - scanner->at);
    scanner->at = newline != NULL ? (size_t)(newline - scanner->text) : scanner->size;
}

static bool opens_dash_comment(const struct digest_scanner *scanner)
{
    size_t at = scanner->at;
    return byte_at(scanner, at + 1) == '-' &&
           (at + 2 >= scanner->size || is_space(scanner->text[at + 2]));
}

/* Skips white space and comments; false: a comment without an end, which is a token of its own. */
static bool skip_blank(struct digest_scanner *scanner, size_t *start)
{
    while (scanner->at < scanner->size) {
        unsigned char byte = scanner->text[scanner->at];
        unsigned char second = byte_at(scanner, scanner->at + 1);
        *start = scanner->at;
        if (is_space(byte)) {
            scanner->at++;
        } else if (byte == '#' || (byte == '-' && opens_dash_comment(scanner))) {
            skip_line(scanner);
        } else if (byte == '/' && second == '*') {
            if (!skip_comment(scanner))
                return false;
        } else if (byte == '*' && second == '/' && scanner->in_code) {
            scanner->at += 2;
            scanner->in_code = false;
        } else {
            return true;
        }
    }
    *start = scanner->at;
    return true;
}

bool digest_skip_blank(struct digest_scanner *scanner)
{
    struct digest_scanner copy = *scanner;
    size_t start = 0;
    if (!skip_blank(&copy, &start))
        return false;
    *scanner = copy;
    return true;
}

void digest_scan(struct digest_scanner *scanner, struct digest_token *token)
{
    *token = (struct digest_token){.class = DIGEST_END};
    if (!skip_blank(scanner, &token->start)) {
        token->class = DIGEST_EMPTY;
        return;
    }
    size_t at = scanner->at;
    if (at >= scanner->size)
        return;
    unsigned char byte = scanner->text[at];
    unsigned char second = byte_at(scanner, at + 1);
    if (sql_byte_is(byte, SQL_BYTE_LETTER))
        take_word(scanner, token);
    else if (is_digit(byte))
        take_number(scanner, token);
    else if (byte == '.' && is_digit(second))
        take_float(scanner, token);
    else if (is_quote(byte))
        take_quoted(scanner, token, byte == '`' ? DIGEST_QUOTED : DIGEST_STRING, at);
    else if (byte == '@')
        take_variable(scanner, token);
    else if (byte == '-' && second == '>')
        finish(scanner, token, DIGEST_EMPTY, at + (byte_at(scanner, at + 2) == '>' ? 3 : 2));
    else if (byte == '?')
        finish(scanner, token, DIGEST_PARAM, at + 1);
    else if (byte == '\\' && second == 'N')
        finish(scanner, token, DIGEST_NULL, at + 2);
    else if (byte < ' ' || byte == 0x7f)
        fail(scanner, token, at);
    else
        finish(scanner, token, DIGEST_PUNCTUATION, at + operator_size(scanner, at));
}

static unsigned char unescape(unsigned char byte)
{
    static const char from[] = "n0bZrt";
    static const char to[] = "\n\0\b\032\r\t";
    const char *found = byte != '\0' ? strchr(from, byte) : NULL;
    return found != NULL ? (unsigned char)to[found - from] : byte;
}

size_t digest_literal(const struct digest_scanner *scanner, const struct digest_token *token,
                      unsigned char *out)
{
    const unsigned char *at = scanner->text + token->literal;
    const unsigned char *end = at + token->literal_size;
    if (token->quote == 0) {
        memcpy(out, at, token->literal_size);
        return token->literal_size;
    }
    size_t size = token->prefix_size;
    memcpy(out, scanner->text + token->start, size);
    while (at < end) {
        if (*at == token->quote && end - at >= 2) {
            at++; /* doubled */
        } else if (*at == '\\' && token->quote != '`' && end - at >= 2) {
            at++;
            if (*at == '%' || *at == '_')
                out[size++] = '\\';
            out[size++] = unescape(*at++);
            continue;
        }
        out[size++] = *at++;
    }
    return size;
}
