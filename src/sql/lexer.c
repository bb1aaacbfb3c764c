/* SPDX-License-Identifier: Apache-2.0
 *
 * The server's lexer. Invariants: `at` only grows, every byte is looked at a bounded number of
 * times (a number at most twice), and no function here recurses, so that any text costs time in
 * proportion to its length and a constant stack.
 *
 * Deviations, all harmless for what the room does: a number is never judged (1e, 0x and the like
 * become words), strings are not checked for valid characters, and hints are dropped as comments.
 */
#include "sql/lexer.h"

#include "sql/charset.h"
#include "sql/comment.h"
#include "sql/keyword_find.h"

#include <assert.h>
#include <string.h>

/* How the end of a word is found. */
enum words {
    WORDS_HIGH,  /* all bytes of 80 and above are letters */
    WORDS_ASCII, /* the classes decide on them */
    WORDS_SLOW,  /* the classes decide on every byte */
};

static enum words words_of(const struct sql_mode *mode)
{
    if (mode->dialect == SQL_DIALECT_TIDB)
        return sql_charset_is_tricky(mode->charset) ? WORDS_ASCII : WORDS_HIGH;
    switch (mode->charset) {
    case SQL_CHARSET_UTF8MB4:
    case SQL_CHARSET_OTHER:
        return WORDS_HIGH;
    case SQL_CHARSET_SWE7:
        return WORDS_SLOW;
    default:
        return WORDS_ASCII;
    }
}

void sql_lexer_init(struct sql_lexer *lexer, struct sql_span text, const struct sql_mode *mode,
                    enum sql_reading reading)
{
    assert(text.at || text.size == 0);
    *lexer = (struct sql_lexer){
        .text = (const unsigned char *)text.at,
        .size = text.size,
        .mode = *mode,
        .reading = reading,
        .bytes =
            mode->dialect == SQL_DIALECT_TIDB ? sql_byte_class : sql_charset_bytes[mode->charset],
        .words = (uint8_t)words_of(mode),
        .tricky = sql_charset_is_tricky(mode->charset),
        .in_code = mode->in_code,
        .doubtful = mode->charset == SQL_CHARSET_OTHER,
    };
    lexer->mode.in_code = false; /* of this text, not of those in it */
}

static unsigned char peek(const struct sql_lexer *lexer, size_t ahead)
{
    return ahead < lexer->size - lexer->at ? lexer->text[lexer->at + ahead] : 0;
}

static bool is(const struct sql_lexer *lexer, unsigned char byte, unsigned classes)
{
    return (lexer->bytes[byte] & classes) != 0;
}

/* Notes a byte of 80 or above outside of quotes. TiDB's classes are its own; nobody has tried how
 * MySQL reads those of GB18030. */
static void note_high(struct sql_lexer *lexer, unsigned char byte)
{
    bool is_utf8 = lexer->mode.charset == SQL_CHARSET_UTF8MB4;
    bool is_tidb_blank = byte == 0x85 || byte == 0xa0;
    if (lexer->mode.dialect == SQL_DIALECT_UNKNOWN && (!is_utf8 || is_tidb_blank))
        lexer->doubtful = true;
    if (lexer->mode.dialect != SQL_DIALECT_TIDB && lexer->mode.charset == SQL_CHARSET_GB18030)
        lexer->doubtful = true;
}

static bool is_tidb_space(const struct sql_lexer *lexer, unsigned char byte)
{
    return (byte == 0x85 || byte == 0xa0) && lexer->mode.dialect == SQL_DIALECT_TIDB;
}

/* "--" opens a comment only before white space, a control byte or the end; TiDB wants white space.
 */
static bool opens_dash_comment(struct sql_lexer *lexer)
{
    if (peek(lexer, 1) != '-')
        return false;
    if (lexer->size - lexer->at == 2)
        return true;
    unsigned char byte = peek(lexer, 2);
    if (byte >= 0x80)
        note_high(lexer, byte);
    else if (lexer->mode.dialect == SQL_DIALECT_UNKNOWN && !sql_byte_is(byte, SQL_BYTE_SPACE))
        lexer->doubtful = lexer->doubtful || byte < ' ' || byte == 0x7f;
    return is(lexer, byte, SQL_BYTE_COMMENTS) || is_tidb_space(lexer, byte);
}

/* To MariaDB and MySQL a NUL ends the line, too, and the statement with it. */
static void skip_line(struct sql_lexer *lexer)
{
    const unsigned char *from = lexer->text + lexer->at;
    const unsigned char *newline = memchr(from, '\n', lexer->size - lexer->at);
    size_t end = newline != NULL ? (size_t)(newline - lexer->text) : lexer->size;
    const unsigned char *nul =
        lexer->mode.dialect != SQL_DIALECT_TIDB ? memchr(from, '\0', end - lexer->at) : NULL;
    lexer->at = nul != NULL ? (size_t)(nul - lexer->text) : end;
}

/* Skips white space and comments. False: a comment has no end. */
static bool skip_blank(struct sql_lexer *lexer)
{
    const unsigned char *text = lexer->text;
    const unsigned char *bytes = lexer->bytes;
    const size_t size = lexer->size;
    for (;;) {
        size_t at = lexer->at;
        while (at < size && (bytes[text[at]] & SQL_BYTE_SPACE) != 0)
            at++;
        lexer->at = at;
        if (at == size || (bytes[text[at]] & SQL_BYTE_NEVER_BLANK) != 0)
            return true;
        unsigned char byte = text[at];
        if (byte >= 0x80) {
            note_high(lexer, byte);
            if (!is_tidb_space(lexer, byte))
                return true;
            lexer->at++;
        } else if (byte == '#') {
            skip_line(lexer);
        } else if (byte == '-' && opens_dash_comment(lexer)) {
            skip_line(lexer);
        } else if (byte == '/' && peek(lexer, 1) == '*') {
            if (!sql_comment_skip(lexer))
                return false;
        } else if (byte == '*' && lexer->in_code && peek(lexer, 1) == '/') {
            lexer->at += 2;
            lexer->in_code = false;
        } else {
            return true;
        }
    }
}

/* A-Z a-z 0-9 _ $ and what is beyond ASCII. */
static block in_word(block bytes)
{
    return block_word(bytes) | (block)(bytes >= 0x80);
}

static size_t word_end(struct sql_lexer *lexer, size_t at)
{
    const unsigned char *text = lexer->text;
    size_t size = lexer->size;
    size_t run = BLOCK_BYTES;
    if (lexer->words == WORDS_HIGH) {
        while (run == BLOCK_BYTES && at < size) {
            run = block_run(in_word(block_load_at(text, at, size)));
            at += run;
        }
        return at;
    }
    while (at < size && is(lexer, text[at], SQL_BYTE_WORD)) {
        if (text[at] >= 0x80)
            note_high(lexer, text[at]);
        at += sql_char_bytes(lexer->mode.charset, text + at, text + size);
    }
    if (at < size && text[at] >= 0x80)
        note_high(lexer, text[at]);
    return at;
}

/* Whether the dot before or after makes a name of a keyword (from.where). Servers differ where
 * white space is next to the dot: there MariaDB and MySQL see a keyword and TiDB a name. When the
 * server is not known it is taken for a name, and noted. */
static bool touches_dot(struct sql_lexer *lexer, const struct sql_token *token)
{
    const unsigned char *text = lexer->text;
    bool tidb = lexer->mode.dialect == SQL_DIALECT_TIDB;
    size_t start = token->start;
    if (token->end < lexer->size && text[token->end] == '.') {
        size_t next = token->end + 1;
        bool name = next < lexer->size && is(lexer, text[next], SQL_BYTE_WORD);
        /* word.* holds for all servers: a keyword with that after it begins nothing. */
        bool all =
            next < lexer->size && text[next] == '*' && lexer->mode.dialect == SQL_DIALECT_UNKNOWN;
        if (name || all || tidb)
            return true;
    } else {
        while (start > 0 && text[start - 1] == ' ')
            start--;
        if (start == 0 || !lexer->dot_before || lexer->dot_end != start)
            return false;
        if (start == token->start)
            return true;
    }
    if (tidb || lexer->mode.dialect == SQL_DIALECT_UNKNOWN) {
        lexer->ambiguous = lexer->ambiguous || !tidb;
        return true;
    }
    return false;
}

/* A keyword, unless a dot makes a name of it. */
static void set_word(struct sql_lexer *lexer, struct sql_token *token, struct sql_keyword keyword)
{
    bool known = keyword.word != SQL_NO_WORD && (keyword.flags & SQL_KEYWORD_INTRODUCER) == 0;
    if (known && !token->after_dot && !touches_dot(lexer, token))
        token->word = keyword.word;
}

static __attribute__((noinline)) struct sql_keyword find_keyword(const struct sql_lexer *lexer,
                                                                 size_t start, size_t end)
{
    unsigned char lower[2 * BLOCK_BYTES];
    _Static_assert(sizeof lower >= KEYWORD_LONGEST, "a keyword fits");
    size_t size = end - start;
    if (size > KEYWORD_LONGEST)
        return (struct sql_keyword){SQL_NO_WORD, 0};
    for (size_t i = 0; i < size; i++)
        lower[i] = sql_byte_lower(lexer->text[start + i]);
    return sql_keyword_find((const char *)lower, size);
}

/* Where the next byte is that a quoted text cannot pass over: the quote, a backslash, a character
 * that may have an ASCII byte in it. */
static size_t plain_end(const struct sql_lexer *lexer, size_t at, unsigned char quote)
{
    size_t run = BLOCK_BYTES;
    while (run == BLOCK_BYTES && at < lexer->size) {
        block bytes = block_load_at(lexer->text, at, lexer->size);
        block stop = block_is(bytes, quote) | block_is(bytes, '\\');
        run = block_run(~(lexer->tricky ? stop | (block)(bytes >= 0x80) : stop));
        at += run;
    }
    return at < lexer->size ? at : lexer->size;
}

/* Whether the quote at `at` is there, and is not doubled. */
static bool closes_here(const struct sql_lexer *lexer, size_t at, unsigned char quote)
{
    return at < lexer->size && lexer->text[at] == quote &&
           (at + 1 == lexer->size || lexer->text[at + 1] != quote);
}

/* Takes a quoted text whose opening quote is at `at`. False: it has no end. */
static bool take_quoted(struct sql_lexer *lexer, bool escapes)
{
    const unsigned char *text = lexer->text;
    unsigned char quote = text[lexer->at];
    size_t size = lexer->size;
    size_t at = plain_end(lexer, lexer->at + 1, quote);
    while (at < size) {
        unsigned char byte = text[at];
        if (byte == quote) {
            if (at + 1 >= size || text[at + 1] != quote) {
                lexer->at = at + 1;
                return true;
            }
            at += 2;
        } else if (byte == '\\') {
            /* The byte after a backslash is taken as one byte even where a character begins:
             * servers do the same. */
            at += escapes && size - at >= 2 ? 2 : 1;
        } else {
            size_t bytes = sql_char_bytes(lexer->mode.charset, text + at, text + size);
            /* The servers' own names for what such a text names lack the byte after the quote. */
            if (bytes > 1 && text[at + 1] == quote)
                lexer->doubtful = lexer->doubtful || !closes_here(lexer, at + bytes, quote);
            at += bytes;
        }
        at = plain_end(lexer, at, quote);
    }
    return false;
}

static bool take_string(struct sql_lexer *lexer)
{
    return take_quoted(lexer, !lexer->mode.no_backslash_escapes);
}

/* x'1F', b'01', N'text': the letter is at hand. */
static void take_letter_string(struct sql_lexer *lexer, struct sql_token *token)
{
    unsigned char letter = lexer->text[lexer->at] | 0x20;
    lexer->at++;
    bool ended = letter == 'n' ? take_string(lexer) : take_quoted(lexer, false);
    token->class = ended ? SQL_TOKEN_STRING : SQL_TOKEN_INVALID;
}

static bool is_string_letter(unsigned char byte)
{
    return (byte | 0x20) == 'x' || (byte | 0x20) == 'b' || (byte | 0x20) == 'n';
}

/* Whether the run of a word's bytes at the beginning of a block is the word. */
static bool is_whole_word(const struct sql_lexer *lexer, block bytes, size_t size)
{
    if (size == BLOCK_BYTES || lexer->words == WORDS_SLOW)
        return false;
    return lexer->words == WORDS_HIGH ||
           (block_bits((block)(bytes >= 0x80)) & ((1U << size) - 1)) == 0;
}

static void take_word(struct sql_lexer *lexer, struct sql_token *token)
{
    const unsigned char *text = lexer->text;
    size_t start = lexer->at;
    block bytes = block_load_at(text, start, lexer->size);
    size_t size = block_run(in_word(bytes));
    token->class = SQL_TOKEN_WORD;
    if (is_whole_word(lexer, bytes, size)) { /* nearly all words */
        if (size == 1 && peek(lexer, 1) == '\'' && !token->after_dot &&
            is_string_letter(text[start])) {
            take_letter_string(lexer, token);
            return;
        }
        token->end = lexer->at = start + size;
        set_word(lexer, token, sql_keyword_of_block(block_first(block_lower(bytes), size)));
        return;
    }
    if (peek(lexer, 1) == '\'' && !token->after_dot && is_string_letter(text[start])) {
        take_letter_string(lexer, token);
        return;
    }
    token->end = lexer->at = word_end(lexer, start);
    set_word(lexer, token, find_keyword(lexer, start, token->end));
}

static size_t digits_end(const struct sql_lexer *lexer, size_t at, unsigned classes)
{
    while (at < lexer->size && sql_byte_is(lexer->text[at], classes))
        at++;
    return at;
}

/* Where the exponent at `at` ends, or `at` when there is none. */
static size_t exponent_end(const struct sql_lexer *lexer, size_t at)
{
    if (at >= lexer->size || (lexer->text[at] | 0x20) != 'e')
        return at;
    size_t digit = at + 1;
    if (digit < lexer->size && (lexer->text[digit] == '+' || lexer->text[digit] == '-'))
        digit++;
    size_t end = digits_end(lexer, digit, SQL_BYTE_DIGIT);
    return end > digit ? end : at;
}

/* A number, or a word that begins with a digit. `at` is at a digit, or at a dot before one. */
static void take_number(struct sql_lexer *lexer, struct sql_token *token)
{
    const unsigned char *text = lexer->text;
    size_t start = lexer->at;
    token->class = SQL_TOKEN_NUMBER;
    if (text[start] == '0' && (peek(lexer, 1) == 'x' || peek(lexer, 1) == 'b')) {
        size_t end = digits_end(lexer, start + 2, SQL_BYTE_HEX);
        size_t run = word_end(lexer, start);
        token->class = end == run && end > start + 2 ? SQL_TOKEN_NUMBER : SQL_TOKEN_WORD;
        lexer->at = run;
        return;
    }
    size_t at = digits_end(lexer, start, SQL_BYTE_DIGIT);
    bool range = lexer->size - at >= 2 && text[at] == '.' && text[at + 1] == '.';
    if (at < lexer->size && text[at] == '.' && !range) {
        at = digits_end(lexer, at + 1, SQL_BYTE_DIGIT);
        lexer->at = exponent_end(lexer, at);
        return;
    }
    lexer->at = at;
    if (at < lexer->size && is(lexer, text[at], SQL_BYTE_WORD)) {
        lexer->at = exponent_end(lexer, at);
        if (lexer->at == at) {
            lexer->at = word_end(lexer, at);
            token->class = SQL_TOKEN_WORD;
        }
    }
}

/* Where the name of a user's variable or of a host ends. Servers take it byte by byte, even where
 * characters have several. */
static size_t host_end(struct sql_lexer *lexer, size_t at)
{
    while (at < lexer->size && is(lexer, lexer->text[at], SQL_BYTE_HOST)) {
        if (lexer->text[at] >= 0x80)
            note_high(lexer, lexer->text[at]);
        at++;
    }
    if (at < lexer->size && lexer->text[at] >= 0x80)
        note_high(lexer, lexer->text[at]);
    return at;
}

/* @x, @'x', @`x`, @@x, @@global.x, @@`x`; a lone @ is a VARIABLE without a name. */
static void take_variable(struct sql_lexer *lexer, struct sql_token *token)
{
    bool system = peek(lexer, 1) == '@';
    lexer->at += system ? 2 : 1;
    token->class = system ? SQL_TOKEN_SYSTEM : SQL_TOKEN_VARIABLE;
    unsigned char next = peek(lexer, 0);
    if (!system && (next == '\'' || next == '"')) {
        token->class = take_string(lexer) ? SQL_TOKEN_VARIABLE : SQL_TOKEN_INVALID;
        return;
    }
    if (!system && next != '`') {
        lexer->at = host_end(lexer, lexer->at);
        return;
    }
    size_t end = lexer->at;
    do {
        lexer->at = end;
        end = word_end(lexer, end);
        if (end < lexer->size && lexer->text[end] == '.')
            end++;
    } while (end > lexer->at);
    if (peek(lexer, 0) == '`')
        token->class = take_quoted(lexer, false) ? token->class : SQL_TOKEN_INVALID;
}

static void take_other(struct sql_lexer *lexer, struct sql_token *token)
{
    unsigned char byte = lexer->text[lexer->at];
    switch (byte) {
    case '`':
        token->class = take_quoted(lexer, false) ? SQL_TOKEN_NAME : SQL_TOKEN_INVALID;
        return;
    case '\'':
        token->class = take_string(lexer) ? SQL_TOKEN_STRING : SQL_TOKEN_INVALID;
        return;
    case '"':
        if (lexer->mode.ansi_quotes)
            token->class = take_quoted(lexer, false) ? SQL_TOKEN_NAME : SQL_TOKEN_INVALID;
        else
            token->class = take_string(lexer) ? SQL_TOKEN_STRING : SQL_TOKEN_INVALID;
        return;
    case '@':
        take_variable(lexer, token);
        return;
    case '.':
        if (sql_byte_is(peek(lexer, 1), SQL_BYTE_DIGIT) &&
            !(lexer->name_before && lexer->name_end == lexer->at)) {
            take_number(lexer, token);
            return;
        }
        break;
    case ':':
        if (peek(lexer, 1) == '=') {
            lexer->at += 2;
            token->class = SQL_TOKEN_PUNCTUATION;
            return;
        }
        break;
    case '\\':
        if (peek(lexer, 1) == 'N') { /* NULL, whatever follows: \Nfrom is two tokens */
            lexer->at += 2;
            token->class = SQL_TOKEN_NUMBER;
            return;
        }
        break;
    default:
        break;
    }
    lexer->at++;
    token->byte = byte;
    token->class = byte > ' ' && byte < 0x7f ? SQL_TOKEN_PUNCTUATION : SQL_TOKEN_INVALID;
}

/* Whether the server takes the NUL at hand for the end of the text. MariaDB cuts white space and
 * semicolons off the end of a text; a NUL that is last then is its end. So is one after the
 * semicolon of a text that may hold one statement only: what is behind is not read. Elsewhere a NUL
 * makes a syntax error. MySQL has the same parser, but was not asked; TiDB has another one. */
static bool is_end(struct sql_lexer *lexer)
{
    bool mariadb = lexer->mode.dialect == SQL_DIALECT_MARIADB;
    size_t after = lexer->at + 1;
    if (mariadb && lexer->semicolon_before)
        return true;
    while (after < lexer->size &&
           (lexer->text[after] == ';' || is(lexer, lexer->text[after], SQL_BYTE_SPACE)))
        after++;
    if (after < lexer->size)
        return false;
    lexer->doubtful = lexer->doubtful || !mariadb;
    return true;
}

void sql_lexer_next(struct sql_lexer *lexer, struct sql_token *token)
{
    size_t before = lexer->at;
    *token = (struct sql_token){.class = SQL_TOKEN_END};
    bool commented = !skip_blank(lexer);
    token->start = lexer->at;
    token->end = lexer->at;
    if (commented) {
        token->class = SQL_TOKEN_INVALID;
        lexer->at = token->end = lexer->size;
        return;
    }
    if (lexer->at >= lexer->size)
        return;
    unsigned char byte = lexer->text[lexer->at];
    if (byte == '\0' && is_end(lexer)) {
        lexer->at = lexer->size;
        return;
    }
    /* A dot before it: the part of a name that follows a name. */
    token->after_dot = before > 0 && lexer->at == before && lexer->text[before - 1] == '.' &&
                       lexer->name_before && lexer->name_end == before - 1;
    unsigned classes = lexer->bytes[byte];
    if ((classes & SQL_BYTE_LETTER) != 0 || (token->after_dot && (classes & SQL_BYTE_DIGIT) != 0))
        take_word(lexer, token);
    else if ((classes & SQL_BYTE_DIGIT) != 0)
        take_number(lexer, token);
    else
        take_other(lexer, token);
    if (token->class == SQL_TOKEN_INVALID)
        lexer->at = lexer->size;
    token->end = lexer->at;
    lexer->dot_before = sql_token_is(token, '.');
    lexer->semicolon_before = sql_token_is(token, ';');
    lexer->dot_end = token->end;
    if (sql_token_is_name(token)) {
        lexer->name_before = true;
        lexer->name_end = token->end;
    } else if (!sql_token_is(token, '.')) {
        lexer->name_before = false;
    }
}

struct sql_span sql_token_inside(const struct sql_lexer *lexer, const struct sql_token *token)
{
    const char *text = (const char *)lexer->text;
    bool quoted = token->class == SQL_TOKEN_NAME || token->class == SQL_TOKEN_STRING;
    if (!quoted)
        return (struct sql_span){text + token->start, token->end - token->start};
    /* x'..', b'..' and n'..' have a letter before the quote. */
    size_t start =
        token->start + (sql_byte_is((unsigned char)text[token->start], SQL_BYTE_LETTER) ? 2 : 1);
    return (struct sql_span){text + start, token->end - 1 - start};
}

static char unescape(unsigned char byte)
{
    switch (byte) {
    case 'n':
        return '\n';
    case 't':
        return '\t';
    case 'r':
        return '\r';
    case 'b':
        return '\b';
    case '0':
        return '\0';
    case 'Z':
        return '\032';
    default:
        return (char)byte;
    }
}

size_t sql_token_text(const struct sql_lexer *lexer, const struct sql_token *token, char *out,
                      size_t room)
{
    struct sql_span inside = sql_token_inside(lexer, token);
    const unsigned char *at = (const unsigned char *)inside.at;
    const unsigned char *end = at + inside.size;
    bool quoted = token->class != SQL_TOKEN_WORD;
    unsigned char quote = quoted ? lexer->text[token->end - 1] : 0;
    bool escapes = token->class == SQL_TOKEN_STRING && !lexer->mode.no_backslash_escapes;
    size_t size = 0;
    while (at < end) {
        size_t bytes = lexer->tricky ? sql_char_bytes(lexer->mode.charset, at, end) : 1;
        if (bytes == 1 && *at == '\\' && escapes && end - at >= 2) {
            at++;
            if (*at == '%' || *at == '_') {
                if (size < room)
                    out[size] = '\\';
                size++;
            }
            if (size < room)
                out[size] = unescape(*at);
            size++;
            at++;
            continue;
        }
        if (bytes == 1 && quoted && *at == quote && end - at >= 2)
            at++;
        for (size_t i = 0; i < bytes; i++, size++)
            if (size < room)
                out[size] = (char)at[i];
        at += bytes;
    }
    return size;
}
