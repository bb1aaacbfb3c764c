/* SPDX-License-Identifier: Apache-2.0
 *
 * One pass over the text with a lexer of its own, which does not depend on the mode: what a server
 * might read in any mode is masked. Each byte is looked at a bounded number of times, but for the
 * inside of a literal, which is looked through for the words once. */
#include "sql/redact.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "sql/block.h"

#define MASK "'***'"

/* Words without which there is no secret; has_hint() knows them, too. */
static const char *const announcing[] = {"password", "identified", "passwd"};

static bool is_word_byte(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || (c & 0x80);
}

static bool find_word(struct sql_span text, const char *word)
{
    size_t size = strlen(word);
    const char *at = text.at, *end = text.at + text.size;
    unsigned char lower = (unsigned char)word[0], upper = (unsigned char)toupper(lower);
    while (end - at >= (ptrdiff_t)size) {
        if (((unsigned char)*at == lower || (unsigned char)*at == upper) &&
            strncasecmp(at, word, size) == 0)
            return true;
        at++;
    }
    return false;
}

/* Whether "sw" or "if" begins at one of the first 16 bytes, in any case; `next` is what follows
 * each. Every announcing word has one of them, and most statements have none. */
static inline bool has_hint(block bytes, block next)
{
    bytes |= 0x20;
    next |= 0x20;
    return block_bits((block_is(bytes, 's') & block_is(next, 'w')) |
                      (block_is(bytes, 'i') & block_is(next, 'f'))) != 0;
}

static bool may_announce(struct sql_span text)
{
    const unsigned char *bytes = (const unsigned char *)text.at;
    size_t at = 0;
    for (; text.size - at > BLOCK_BYTES; at += BLOCK_BYTES)
        if (has_hint(block_load(bytes + at), block_load(bytes + at + 1)))
            return true;
    return at < text.size &&
           has_hint(block_load_at(bytes, at, text.size), block_load_at(bytes, at + 1, text.size));
}

bool sql_may_hold_secret(struct sql_span text)
{
    assert(text.at || text.size == 0);
    if (!may_announce(text))
        return false;
    for (size_t i = 0; i < sizeof announcing / sizeof *announcing; i++)
        if (find_word(text, announcing[i]))
            return true;
    return false;
}

enum expecting {
    NOTHING,
    PERHAPS,   /* after PASSWORD: an account's name may come first */
    AFTER_FOR, /* SET PASSWORD FOR account: words may come, too */
    SURELY     /* after IDENTIFIED BY and the like */
};

/* Where the scan stands. */
struct scan {
    const char *begin, *at, *end;
    struct strbuf *out;
    bool in_identified; /* after IDENTIFIED, until the next account or clause */
    bool was_secret;    /* the literal just before was one: 'a' 'b' is one literal */
    bool masked;
    enum expecting expecting;
};

static void keep(struct scan *scan, const char *end)
{
    strbuf_add(scan->out, scan->at, (size_t)(end - scan->at));
    scan->at = end;
}

static bool word_is(const char *word, size_t size, const char *name)
{
    return strlen(name) == size && strncasecmp(word, name, size) == 0;
}

static bool ends_with(const char *word, size_t size, const char *ending)
{
    size_t length = strlen(ending);
    return size >= length && strncasecmp(word + size - length, ending, length) == 0;
}

static bool is_one_of(const char *word, size_t size, const char *const *names)
{
    for (; *names; names++)
        if (word_is(word, size, *names))
            return true;
    return false;
}

/* What a word says of the literal after it. Numbers say nothing: one stands in an executable
 * comment. */
static void take_word(struct scan *scan, const char *word, size_t size)
{
    static const char *const leading[] = {"by", "as", "using", "replace", "to", NULL};
    if (isdigit((unsigned char)*word))
        return;
    scan->was_secret = false;
    if (ends_with(word, size, "password") || ends_with(word, size, "passwd")) {
        if (scan->expecting != SURELY)
            scan->expecting = PERHAPS;
    } else if (word_is(word, size, "identified")) {
        scan->in_identified = true;
        scan->expecting = SURELY;
    } else if (is_one_of(word, size, leading)) {
        if (scan->in_identified || scan->expecting != NOTHING)
            scan->expecting = SURELY;
    } else if (scan->expecting == PERHAPS && word_is(word, size, "for")) {
        scan->expecting = AFTER_FOR;
    } else if (scan->expecting != AFTER_FOR) {
        scan->expecting = NOTHING;
        scan->in_identified = scan->in_identified && !word_is(word, size, "require");
    }
}

/* N'...', x'...', _utf8'...': the word belongs to the literal. */
static bool is_introducer(const char *word, size_t size)
{
    return *word == '_' || (size == 1 && strchr("nNxXbB", *word));
}

/* The end of a literal that begins at `at` with its quote; *is_doubtful when that depends on
 * whether a backslash escapes. */
static const char *literal_end(const char *at, const char *end, bool *is_doubtful)
{
    char quote = *at++;
    for (; at < end; at++) {
        if (*at == '\\' && at + 1 < end) {
            *is_doubtful = *is_doubtful || at[1] == quote;
            at++;
        } else if (*at == quote) {
            if (at + 1 < end && at[1] == quote)
                at++;
            else
                return at + 1;
        }
    }
    return end;
}

static void mask_rest(struct scan *scan)
{
    strbuf_add_text(scan->out, MASK);
    scan->at = scan->end;
    scan->masked = true;
}

/* A statement within a literal has some; the name of an authentication plugin has none. */
static bool has_space(struct sql_span text)
{
    for (size_t i = 0; i < text.size; i++)
        if (isspace((unsigned char)text.at[i]) || text.at[i] == '*' || text.at[i] == '\\')
            return true;
    return false;
}

static void take_literal(struct scan *scan)
{
    bool is_doubtful = false;
    const char *end = literal_end(scan->at, scan->end, &is_doubtful);
    struct sql_span inside = {scan->at, (size_t)(end - scan->at)};
    bool is_account = (scan->at > scan->begin && scan->at[-1] == '@') ||
                      (end < scan->end && *end == '@'); /* 'user'@'host' */
    bool is_secret = scan->was_secret || scan->expecting == SURELY ||
                     (scan->expecting != NOTHING && !is_account);
    if (is_doubtful) {
        mask_rest(scan);
    } else if (is_secret || (has_space(inside) && sql_may_hold_secret(inside))) {
        strbuf_add_text(scan->out, MASK);
        scan->at = end;
        scan->masked = true;
        scan->was_secret = is_secret;
    } else {
        keep(scan, end);
    }
    if (is_secret)
        scan->expecting = NOTHING;
}

/* Comments are kept; what stands in an executable one is read like the rest. */
static bool take_comment(struct scan *scan)
{
    const char *at = scan->at;
    size_t left = (size_t)(scan->end - at);
    if (*at == '#' ||
        (left >= 2 && memcmp(at, "--", 2) == 0 && (left == 2 || isspace((unsigned char)at[2])))) {
        const char *newline = memchr(at, '\n', left);
        keep(scan, newline ? newline : scan->end);
        return true;
    }
    if (left < 3 || memcmp(at, "/*", 2) != 0 || at[2] == '!' ||
        (at[2] == 'M' && left > 3 && at[3] == '!'))
        return false;
    const char *close = memmem(at + 2, left - 2, "*/", 2);
    keep(scan, close ? close + 2 : scan->end);
    return true;
}

static void take_mark(struct scan *scan)
{
    char mark = *scan->at;
    if (mark == ',' || mark == ';') {
        scan->expecting = NOTHING;
        scan->in_identified = scan->in_identified && mark == ',';
    }
    if (!isspace((unsigned char)mark))
        scan->was_secret = false;
    keep(scan, scan->at + 1);
}

static void take_any_word(struct scan *scan)
{
    const char *end = scan->at;
    while (end < scan->end && is_word_byte(*end))
        end++;
    size_t size = (size_t)(end - scan->at);
    bool is_before_literal = end < scan->end && (*end == '\'' || *end == '"');
    if (!is_before_literal || !is_introducer(scan->at, size))
        take_word(scan, scan->at, size);
    keep(scan, end);
}

static void mask_secrets(struct scan *scan)
{
    while (scan->at < scan->end && !scan->out->failed) {
        if (*scan->at == '\'' || *scan->at == '"') {
            take_literal(scan);
        } else if (*scan->at == '`') {
            const char *close = memchr(scan->at + 1, '`', (size_t)(scan->end - scan->at - 1));
            keep(scan, close ? close + 1 : scan->end);
        } else if (is_word_byte(*scan->at)) {
            take_any_word(scan);
        } else if (!take_comment(scan)) {
            take_mark(scan);
        }
    }
}

bool sql_redact(struct strbuf *out, struct sql_span text)
{
    if (!sql_may_hold_secret(text))
        return false;
    struct scan scan = {.begin = text.at, .at = text.at, .end = text.at + text.size, .out = out};
    size_t before = out->size;
    mask_secrets(&scan);
    if (!scan.masked && !out->failed)
        strbuf_cut(out, before);
    return scan.masked || out->failed;
}

bool sql_redact_message(struct strbuf *out, struct sql_span message, bool of_secret)
{
    static const char quoting[] = "near '";
    const char *near =
        message.size ? memmem(message.at, message.size, quoting, sizeof quoting - 1) : NULL;
    if (!near)
        return sql_redact(out, message);
    if (!of_secret && !sql_may_hold_secret(message))
        return false;
    strbuf_add(out, message.at, (size_t)(near - message.at));
    strbuf_add_text(out, "near " MASK);
    return true;
}
