/* SPDX-License-Identifier: Apache-2.0
 *
 * A statement with a mistake in it is an error to the server, but its password is as good as any:
 * IDENTIFIED and PASSWORD are known with two (one) letters wrong, missing, doubled or changed about.
 * Texts are looked through in two steps: sixteen places at a time for a pair of letters that one of
 * the words has; and word by word only in texts with such a pair, and in those that may be about
 * accounts. */
#include "sql/redact_words.h"

#include "sql/block.h"
#include "sql/charset.h"
#include "sql/redact.h"
#include "sql/redact_accounts.h"

#include <assert.h>
#include <ctype.h>

static bool ends_with(struct sql_span word, const char *ending)
{
    size_t size = strlen(ending);
    return word.size >= size &&
           sql_span_is((struct sql_span){word.at + (word.size - size), size}, ending);
}

bool redact_is_one_of(struct sql_span word, const char *const *names)
{
    for (; *names; names++)
        if (sql_span_is(word, *names))
            return true;
    return false;
}

#define LONGEST 16

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Letters to put in, leave out or replace, and neighbours to change about, that make `name` of the
 * word; both have at most LONGEST letters. */
static size_t distance(struct sql_span word, const char *name, size_t size)
{
    size_t rows[LONGEST + 1][LONGEST + 1];
    for (size_t i = 0; i <= word.size; i++)
        for (size_t j = 0; j <= size; j++) {
            if (i == 0 || j == 0) {
                rows[i][j] = i + j;
                continue;
            }
            unsigned char letter = sql_byte_lower((unsigned char)word.at[i - 1]);
            size_t cost = letter == (unsigned char)name[j - 1] ? 0 : 1;
            rows[i][j] =
                least(rows[i - 1][j - 1] + cost, least(rows[i - 1][j], rows[i][j - 1]) + 1);
            if (i > 1 && j > 1 && letter == (unsigned char)name[j - 2] &&
                sql_byte_lower((unsigned char)word.at[i - 2]) == (unsigned char)name[j - 1])
                rows[i][j] = least(rows[i][j], rows[i - 2][j - 2] + 1);
        }
    return rows[word.size][size];
}

static bool is_nearly(struct sql_span word, const char *name, size_t mistakes)
{
    size_t size = strlen(name);
    return word.size + mistakes >= size && word.size <= size + mistakes && word.size <= LONGEST &&
           distance(word, name, size) <= mistakes;
}

static bool is_secret_name(struct sql_span word)
{
    static const char *const endings[] = {"password",   "passwd",    "pwd",
                                          "secret",     "sst_auth",  "passwort",
                                          "secret_key", "secret_id", NULL};
    for (const char *const *ending = endings; *ending; ending++)
        if (ends_with(word, *ending))
            return true;
    struct sql_span last = word; /* of MASTER_PASWORD */
    for (size_t i = 0; i < word.size; i++)
        if (word.at[i] == '_')
            last = (struct sql_span){word.at + i + 1, word.size - i - 1};
    return is_nearly(last, "password", 1) && !sql_span_is(last, "passwords");
}

enum redact_word redact_word(struct sql_span word)
{
    static const char *const leading[] = {"by", "as", "using", "replace", "to", NULL};
    static const char *const plugin[] = {"with",           "via", "or", "and", "initial",
                                         "authentication", NULL};
    static const char *const release[] = {"require", "comment", "attribute", "account",
                                          "random",  "retain",  "discard",   NULL};
    static const char *const other[] = {"identifier", "identifiers", "identifies", "identities",
                                        NULL};
    if (is_secret_name(word))
        return REDACT_PASSWORD;
    if (redact_is_one_of(word, leading))
        return REDACT_LEADING;
    if (redact_is_one_of(word, plugin))
        return REDACT_PLUGIN;
    if (redact_is_one_of(word, release))
        return REDACT_RELEASE;
    if (sql_span_is(word, "for"))
        return REDACT_FOR;
    if (ends_with(word, "encrypt") || ends_with(word, "decrypt") ||
        sql_span_is(word, "keyring_key_store"))
        return REDACT_FUNCTION;
    if (is_nearly(word, "identified", 2) && !redact_is_one_of(word, other))
        return REDACT_IDENTIFIED;
    return REDACT_OTHER;
}

bool redact_is_nearly_user(struct sql_span word)
{
    return is_nearly(word, "user", 1);
}

bool redact_is_lonely_by(struct sql_span before, struct sql_span word)
{
    static const char *const usual[] = {"order",     "group",      "partition",   "subpartition",
                                        "enclosed",  "terminated", "starting",    "escaped",
                                        "increment", "distribute", "distributed", "cluster",
                                        "clustered", "sort",       NULL};
    return before.at && sql_span_is(word, "by") && !redact_is_one_of(before, usual);
}

/* Pairs of letters of which every announcing word has one if it is without mistakes, and most
 * statements have none; `next` is what follows each of 16 bytes. */
static inline bool has_hint(block bytes, block next)
{
    const unsigned char underscore = '_' | 0x20;
    bytes |= 0x20;
    next |= 0x20;
    return block_bits((block_is(bytes, 's') & block_is(next, 'w')) |
                      (block_is(bytes, 'i') & block_is(next, 'f')) |
                      (block_is(bytes, 'p') & (block_is(next, 'w') | block_is(next, 't'))) |
                      (block_is(bytes, 'c') & block_is(next, 'r')) |
                      (block_is(bytes, 't') & block_is(next, underscore)) |
                      (block_is(bytes, 'e') & block_is(next, 'y')) |
                      (block_is(bytes, ':') & block_is(next, '/'))) != 0;
}

static bool has_hints(struct sql_span text)
{
    const unsigned char *bytes = (const unsigned char *)text.at;
    size_t at = 0;
    for (; text.size - at > BLOCK_BYTES; at += BLOCK_BYTES)
        if (has_hint(block_load(bytes + at), block_load(bytes + at + 1)))
            return true;
    return at < text.size &&
           has_hint(block_load_at(bytes, at, text.size), block_load_at(bytes, at + 1, text.size));
}

/* Whether it is one statement that reads or writes rows, in which nobody tells the server a password,
 * nor makes a mistake in doing so. */
static bool is_about_rows(struct sql_span text)
{
    static const char *const verbs[] = {"select", "insert", "update", "delete", "show",
                                        "commit", "begin",  "with",   NULL};
    size_t start = 0;
    while (start < text.size && isspace((unsigned char)text.at[start]))
        start++;
    size_t end = start;
    while (end < text.size && isalpha((unsigned char)text.at[end]))
        end++;
    const char *semicolon = text.size ? memchr(text.at, ';', text.size - 1) : NULL;
    return !semicolon && redact_is_one_of((struct sql_span){text.at + start, end - start}, verbs);
}

/* scheme://user:password@host */
static bool is_address_with_password(struct sql_span rest)
{
    if (rest.size < 3 || memcmp(rest.at, "://", 3) != 0)
        return false;
    enum { LONGEST_ADDRESS = 512 }; /* bytes that are looked at */
    bool has_colon = false;
    for (size_t i = 3; i < rest.size && i < LONGEST_ADDRESS && !isspace((unsigned char)rest.at[i]);
         i++) {
        has_colon = has_colon || rest.at[i] == ':';
        if (rest.at[i] == '@' && has_colon)
            return true;
    }
    return false;
}

bool sql_may_hold_secret(struct sql_span text)
{
    assert(text.at || text.size == 0);
    if (text.size == 0 || (!has_hints(text) && is_about_rows(text)))
        return false;
    struct sql_span before = {NULL, 0};
    for (size_t at = 0; at < text.size;) {
        size_t end = at;
        while (end < text.size &&
               (isalnum((unsigned char)text.at[end]) || text.at[end] == '_' || text.at[end] == '$'))
            end++;
        const struct sql_span word = {text.at + at, end - at};
        enum redact_word is = word.size >= 3 ? redact_word(word) : REDACT_OTHER;
        if (is == REDACT_PASSWORD || is == REDACT_IDENTIFIED || is == REDACT_FUNCTION ||
            redact_is_lonely_by(before, word) || redact_begins_accounts(before, word))
            return true;
        if (word.size > 0 && !isdigit((unsigned char)*word.at)) /* versions in comments */
            before = word;
        if (end == at && is_address_with_password((struct sql_span){text.at + at, text.size - at}))
            return true;
        at = end > at ? end : at + 1;
    }
    return false;
}
