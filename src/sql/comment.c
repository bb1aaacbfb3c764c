/* SPDX-License-Identifier: Apache-2.0
 *
 * Comments, and the executable ones among them.
 *
 *     slash*! code *slash          every server runs it
 *     slash*!50101 code *slash     run by servers of at least that version; MariaDB leaves out
 *                                  those from 50700 to 99999, which mean MySQL's later features;
 *                                  TiDB runs all
 *     slash*M! code *slash         MariaDB only, with or without a version
 *     slash*T![feature] code ...   TiDB only
 *
 * A server that does not run one skips to its end, allowing one level of comments inside. */
#include "sql/comment.h"

#include "sql/charset.h"

#include <string.h>

size_t sql_comment_end(const unsigned char *text, size_t size, size_t at)
{
    while (at < size) {
        const unsigned char *star = memchr(text + at, '*', size - at);
        if (star == NULL)
            return 0;
        at = (size_t)(star - text) + 1;
        if (at < size && text[at] == '/')
            return at + 1;
    }
    return 0;
}

/* The same, with comments inside. */
static size_t nested_end(const unsigned char *text, size_t size, size_t at)
{
    bool inside = false;
    while (at + 1 < size) {
        if (text[at] == '*' && text[at + 1] == '/') {
            at += 2;
            if (!inside)
                return at;
            inside = false;
        } else if (text[at] == '/' && text[at + 1] == '*' && !inside) {
            inside = true;
            at += 2;
        } else {
            at++;
        }
    }
    return 0;
}

/* The version at `at`: its digits' count (5 or 6, or 0 when there is none) and value. */
static size_t version_digits(const struct sql_lexer *lexer, size_t at, uint32_t *version)
{
    size_t digits = 0;
    *version = 0;
    while (digits < 6 && digits < lexer->size - at &&
           sql_byte_is(lexer->text[at + digits], SQL_BYTE_DIGIT)) {
        *version = *version * 10 + (uint32_t)(lexer->text[at + digits] - '0');
        digits++;
    }
    if (digits == 6 && lexer->mode.dialect == SQL_DIALECT_TIDB) {
        *version /= 10;
        return 5;
    }
    return digits >= 5 ? digits : 0;
}

enum verdict { RUNS, SKIPPED, UNKNOWN };

static enum verdict versioned(const struct sql_lexer *lexer, uint32_t version, bool mariadb_only)
{
    switch (lexer->mode.dialect) {
    case SQL_DIALECT_TIDB:
        return mariadb_only ? SKIPPED : RUNS;
    case SQL_DIALECT_MYSQL:
        return mariadb_only                            ? SKIPPED
               : lexer->mode.server_version == 0       ? UNKNOWN
               : version <= lexer->mode.server_version ? RUNS
                                                       : SKIPPED;
    case SQL_DIALECT_MARIADB:
        if (version >= 50700 && version <= 99999 && !mariadb_only)
            return SKIPPED;
        return lexer->mode.server_version == 0         ? UNKNOWN
               : version <= lexer->mode.server_version ? RUNS
                                                       : SKIPPED;
    default:
        return UNKNOWN;
    }
}

/* Whether the reading runs it; notes that another reading would not. */
static bool decide(struct sql_lexer *lexer, enum verdict verdict)
{
    lexer->conditional = true;
    if (lexer->reading == SQL_READING_SERVER)
        return verdict != SKIPPED;
    return lexer->reading == SQL_READING_CODE;
}

/* Skips a comment whose content (after its opening) starts at `content`. Only one that some server
 * might run can have comments inside. */
static bool skip_to_end(struct sql_lexer *lexer, size_t content, bool nested)
{
    size_t end = nested ? nested_end(lexer->text, lexer->size, content)
                        : sql_comment_end(lexer->text, lexer->size, content);
    if (end == 0)
        return false;
    lexer->at = end;
    return true;
}

static bool enter_code(struct sql_lexer *lexer, size_t content)
{
    lexer->code_start = lexer->at;
    lexer->at = content;
    lexer->in_code = true;
    return true;
}

static bool skip_executable(struct sql_lexer *lexer, size_t content, bool mariadb_only)
{
    uint32_t version = 0;
    size_t digits = version_digits(lexer, content, &version);
    if (digits == 0 && !mariadb_only)
        return enter_code(lexer, content);
    bool other = mariadb_only && (lexer->mode.dialect == SQL_DIALECT_MYSQL ||
                                  lexer->mode.dialect == SQL_DIALECT_TIDB);
    enum verdict verdict = versioned(lexer, version, mariadb_only);
    if (digits == 0 && lexer->mode.dialect == SQL_DIALECT_MARIADB)
        return enter_code(lexer, content);
    if (decide(lexer, verdict))
        return enter_code(lexer, content + digits);
    return skip_to_end(lexer, content, !other);
}

/* The features whose comments TiDB runs. */
static const char *const tidb_features[] = {
    "auto_rand", "auto_id_cache", "auto_rand_base", "clustered_index", "force_inc",    "placement",
    "ttl",       "global_index",  "pre_split",      "affinity",        "region_split",
};

static bool is_tidb_feature(const unsigned char *name, size_t size)
{
    for (size_t i = 0; i < sizeof tidb_features / sizeof tidb_features[0]; i++)
        if (strlen(tidb_features[i]) == size && memcmp(tidb_features[i], name, size) == 0)
            return true;
    return false;
}

bool sql_comment_tidb_runs(const unsigned char *text, size_t size, size_t *at)
{
    size_t p = *at;
    bool all_known = true;
    if (p >= size || text[p] != '[')
        return true;
    do {
        size_t name = ++p;
        while (p < size && sql_byte_is(text[p], SQL_BYTE_WORD))
            p++;
        if (p == name || p >= size || (text[p] != ',' && text[p] != ']'))
            return true; /* no list: counts as an empty one, and is code itself */
        all_known = all_known && is_tidb_feature(text + name, p - name);
    } while (text[p] == ',');
    if (all_known)
        *at = p + 1;
    return all_known;
}

bool sql_comment_skip(struct sql_lexer *lexer)
{
    const unsigned char *text = lexer->text;
    size_t size = lexer->size;
    size_t content = lexer->at + 2;
    if (content < size && text[content] == '!')
        return skip_executable(lexer, content + 1, false);
    if (size - content >= 2 && text[content] == 'M' && text[content + 1] == '!')
        return skip_executable(lexer, content + 2, true);
    if (size - content >= 2 && text[content] == 'T' && text[content + 1] == '!' &&
        (lexer->mode.dialect == SQL_DIALECT_TIDB || lexer->mode.dialect == SQL_DIALECT_UNKNOWN)) {
        size_t code = content + 2;
        if (sql_comment_tidb_runs(text, size, &code)) {
            if (lexer->mode.dialect == SQL_DIALECT_TIDB || decide(lexer, UNKNOWN))
                return enter_code(lexer, code);
        }
    }
    return skip_to_end(lexer, content, false);
}
