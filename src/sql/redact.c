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
#include "sql/redact_accounts.h"
#include "sql/redact_words.h"

#define MASK "'***'"

enum expecting {
    NOTHING,
    PERHAPS,   /* after PASSWORD: an account's name may come first */
    AFTER_FOR, /* SET PASSWORD FOR account: words may come, too; until the statement's end */
    PLUGIN,    /* after IDENTIFIED VIA: the name of an authentication plugin */
    SURELY     /* after IDENTIFIED BY and the like: whatever comes */
};

/* Where the scan stands. */
struct scan {
    const char *begin, *at, *end;
    struct strbuf *out;
    size_t open;            /* parentheses */
    size_t function;        /* the number of them within which all is secret; 0: no such function */
    bool in_identified;     /* after IDENTIFIED, until the next clause */
    struct sql_span before; /* the word before, of this statement; at is NULL: none */
    bool was_secret;        /* the literal just before was one: 'a' 'b' is one literal */
    bool masked;
    enum expecting expecting;
    enum redact_place place;
};

static void keep(struct scan *scan, const char *end)
{
    strbuf_add(scan->out, scan->at, (size_t)(end - scan->at));
    scan->at = end;
}

static void mask(struct scan *scan, const char *end)
{
    strbuf_add_text(scan->out, MASK);
    scan->at = end;
    scan->masked = true;
}

/* ASCII only: beyond it is what one character set has for letters and another one for blanks. */
static bool is_word_byte(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$';
}

/* After SET PASSWORD at the beginning of a text. */
static bool is_set_password(const struct scan *scan)
{
    const char *at = scan->begin;
    while (at < scan->at && isspace((unsigned char)*at))
        at++;
    return scan->expecting == PERHAPS && scan->at - at > 4 && strncasecmp(at, "set", 3) == 0 &&
           !is_word_byte(at[3]);
}

/* What a word says of what comes after it. */
static void take_word(struct scan *scan, struct sql_span word)
{
    const struct sql_span before = scan->before;
    scan->was_secret = false;
    scan->before = word;
    switch (redact_word(word)) {
    case REDACT_PASSWORD:
        if (scan->expecting != SURELY && scan->expecting != AFTER_FOR)
            scan->expecting = PERHAPS;
        return;
    case REDACT_IDENTIFIED:
        scan->in_identified = true;
        scan->expecting = SURELY;
        return;
    case REDACT_LEADING:
        if (scan->in_identified || scan->expecting != NOTHING || redact_is_lonely_by(before, word))
            scan->expecting = scan->expecting == AFTER_FOR ? AFTER_FOR : SURELY;
        return;
    case REDACT_PLUGIN:
        if (scan->in_identified)
            scan->expecting = PLUGIN;
        return;
    case REDACT_FUNCTION:
        scan->function = scan->function ? scan->function : scan->open + 1;
        return;
    case REDACT_RELEASE:
        scan->in_identified = false;
        scan->expecting = NOTHING;
        return;
    case REDACT_FOR:
        scan->expecting = scan->expecting == PERHAPS ? AFTER_FOR : scan->expecting;
        return;
    default:
        if (is_set_password(scan)) /* FOR with a mistake in it */
            scan->expecting = AFTER_FOR;
        else if (scan->expecting != AFTER_FOR)
            scan->expecting = NOTHING;
    }
}

/* Whether the word at hand stands where a secret does, and is none of the grammar's words: a secret
 * without its quotes, or the word before one with a mistake in it. */
static bool word_is_secret(const struct scan *scan, struct sql_span word)
{
    bool is_number = isdigit((unsigned char)word.at[0]) != 0;
    if (is_number && word.at > scan->begin && word.at[-1] == '!')
        return false; /* the version of an executable comment */
    if (is_number)
        return scan->expecting != NOTHING || scan->in_identified || scan->function > 0;
    return (scan->expecting == SURELY && redact_word(word) == REDACT_OTHER) ||
           redact_word_is_out_of_place(scan->place, word);
}

/* N'...', x'...', _utf8'...': the word belongs to the literal. */
static bool is_introducer(struct sql_span word)
{
    return *word.at == '_' || (word.size == 1 && strchr("nNxXbB", *word.at));
}

static void take_any_word(struct scan *scan)
{
    const char *end = scan->at;
    while (end < scan->end && is_word_byte(*end))
        end++;
    struct sql_span word = {scan->at, (size_t)(end - scan->at)};
    if (end < scan->end && (*end == '\'' || *end == '"') && is_introducer(word)) {
        keep(scan, end);
    } else if (word_is_secret(scan, word)) {
        mask(scan, end); /* and so is what comes after it */
    } else {
        if (!isdigit((unsigned char)*scan->at)) {
            take_word(scan, word);
            scan->place = redact_place_after_word(scan->place, word);
        }
        keep(scan, end);
    }
}

/* The end of a literal or a quoted name that begins at `at` with its quote; *is_doubtful when it
 * depends on the mode: on whether a backslash escapes, on whether a quote is a character's second
 * byte; or when there is no end. */
static const char *literal_end(const char *at, const char *end, bool *is_doubtful)
{
    char quote = *at++;
    for (; at < end; at++) {
        if (*at == '\\' && at + 1 < end && quote != '`') {
            *is_doubtful = *is_doubtful || at[1] == quote;
            at++;
        } else if (*at == quote) {
            *is_doubtful = *is_doubtful || (quote == '`' && (at[-1] & 0x80));
            if (at + 1 < end && at[1] == quote)
                at++;
            else
                return at + 1;
        }
    }
    *is_doubtful = *is_doubtful || quote == '`';
    return end;
}

/* A statement within a literal has some, or a list of options; the name of an authentication plugin
 * has none. */
static bool has_sign(struct sql_span text)
{
    for (size_t i = 1; i + 1 < text.size; i++)
        if (isspace((unsigned char)text.at[i]) || strchr("*\\=:;,(\"'", text.at[i]))
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
    bool is_plugin = scan->expecting == PLUGIN && !has_sign(inside);
    bool is_announced = scan->expecting != NOTHING || scan->in_identified;
    bool is_secret = scan->was_secret || scan->function || scan->expecting == SURELY ||
                     (is_announced && !is_account && !is_plugin) ||
                     (redact_literal_is_out_of_place(scan->place) && !is_plugin);
    scan->place = redact_place_after_name(scan->place);
    if (is_doubtful) {
        mask(scan, scan->end);
    } else if (is_secret || (has_sign(inside) && sql_may_hold_secret(inside))) {
        mask(scan, end);
        scan->was_secret = is_secret;
    } else {
        keep(scan, end);
    }
    if (scan->expecting == SURELY || scan->expecting == PLUGIN)
        scan->expecting = NOTHING; /* in_identified is left */
}

static void take_quoted_name(struct scan *scan)
{
    bool is_doubtful = false;
    const char *end = literal_end(scan->at, scan->end, &is_doubtful);
    if (is_doubtful)
        mask(scan, scan->end);
    else if (scan->expecting == SURELY || scan->was_secret || scan->place == REDACT_ACCOUNT_READ)
        mask(scan, end);
    else
        keep(scan, end);
    scan->place = redact_place_after_name(scan->place);
}

/* Comments are kept; what stands in an executable one is read like the rest. What is a comment to
 * some servers or in some character sets, and code to others, may hide where a literal begins. */
static bool take_comment(struct scan *scan)
{
    const char *at = scan->at;
    size_t left = (size_t)(scan->end - at);
    bool is_dashes = left >= 2 && memcmp(at, "--", 2) == 0;
    if (is_dashes && left > 2 && !isspace((unsigned char)at[2]) &&
        ((at[2] & 0x80) || iscntrl((unsigned char)at[2]))) {
        mask(scan, scan->end);
        return true;
    }
    if (*at == '#' || (is_dashes && (left == 2 || isspace((unsigned char)at[2])))) {
        const char *newline = memchr(at, '\n', left);
        const char *nul = memchr(at, '\0', newline ? (size_t)(newline - at) : left);
        if (nul) {
            mask(scan, scan->end);
            return true;
        }
        keep(scan, newline ? newline : scan->end);
        return true;
    }
    if (left < 3 || memcmp(at, "/*", 2) != 0 || at[2] == '!' ||
        ((at[2] == 'M' || at[2] == 'T') && left > 3 && at[3] == '!'))
        return false;
    const char *close = memmem(at + 2, left - 2, "*/", 2);
    if (close)
        keep(scan, close + 2);
    else
        mask(scan, scan->end);
    return true;
}

static void take_mark(struct scan *scan)
{
    char byte = *scan->at;
    scan->open += byte == '(';
    scan->open -= byte == ')' && scan->open > 0;
    if (byte == ')' && scan->function > scan->open)
        scan->function = 0;
    if (byte == ';' || (byte == ',' && scan->expecting != AFTER_FOR))
        scan->expecting = NOTHING;
    if (byte == ';') {
        scan->in_identified = false;
        scan->before = (struct sql_span){NULL, 0};
    }
    if (!isspace((unsigned char)byte) && !(byte & 0x80) && byte != '@')
        scan->was_secret = false;
    scan->place = redact_place_after_mark(scan->place, byte);
    keep(scan, scan->at + 1);
}

static void mask_secrets(struct scan *scan)
{
    while (scan->at < scan->end && !scan->out->failed)
        if (*scan->at == '\'' || *scan->at == '"')
            take_literal(scan);
        else if (*scan->at == '`')
            take_quoted_name(scan);
        else if (is_word_byte(*scan->at))
            take_any_word(scan);
        else if (!take_comment(scan))
            take_mark(scan);
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

/* Messages about statements with secrets that quote none of them, but accounts. */
static bool quotes_accounts_only(struct sql_span message)
{
    static const char *const beginnings[] = {"Operation ", "Access denied", "You are not allowed",
                                             "Can't find any matching row"};
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
        size_t size = strlen(beginnings[i]);
        if (message.size >= size && memcmp(message.at, beginnings[i], size) == 0)
            return true;
    }
    return false;
}

bool sql_redact_message(struct strbuf *out, struct sql_span message, bool of_secret)
{
    static const char quoting[] = "near '";
    const char *near =
        message.size ? memmem(message.at, message.size, quoting, sizeof quoting - 1) : NULL;
    if (!of_secret && (!near || !sql_may_hold_secret(message)))
        return !near && sql_redact(out, message);
    if (of_secret && quotes_accounts_only(message))
        return false;
    /* In another language than English another word stands before the quote. */
    const char *quote = near           ? near + sizeof quoting - 2
                        : message.size ? memchr(message.at, '\'', message.size)
                                       : NULL;
    if (!quote)
        return sql_redact(out, message);
    strbuf_add(out, message.at, (size_t)(quote - message.at));
    strbuf_add_text(out, MASK);
    return true;
}

bool sql_message_quotes_other(struct sql_span message, struct sql_span statement)
{
    static const char quoting[] = "near '";
    enum { LOOKED_AT = 24 }; /* bytes of what it quotes */
    size_t size = sizeof quoting - 1;
    const char *near = message.size ? memmem(message.at, message.size, quoting, size) : NULL;
    if (!near)
        return false;
    const char *quoted = near + size, *end = message.at + message.size;
    size_t shown = (size_t)(end - quoted) > LOOKED_AT ? LOOKED_AT : (size_t)(end - quoted);
    const char *stop = memmem(quoted, shown, "' at line", strlen("' at line"));
    if (stop)
        shown = (size_t)(stop - quoted);
    return shown > 0 && (!statement.size || !memmem(statement.at, statement.size, quoted, shown));
}
