/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether the digest's scanner and the server's lexer see the same in a text: both are run side by
 * side, and their tokens must cover the same bytes, literals the same as literals. Where they
 * differ a text can hide from the digest what the server will run: a quote after a backslash that
 * the session's sql_mode makes an ordinary byte, the second byte of a GBK character that looks like
 * a backslash, an executable comment that only one of the two runs. */
#include "sql/digest.h"
#include "sql/digest_scan.h"
#include "sql/lexer.h"
#include "sql/reading.h"

enum group {
    ANY,     /* goes with either */
    SHOWN,   /* the digest prints it */
    ERASED,  /* a literal: the digest prints a question mark */
    STOPPED, /* the end of the text */
    STRANGE, /* what the digest loses, or gives up at */
};

struct side {
    size_t start, end;
    enum group group;
};

static struct side server_side(struct sql_lexer *lexer)
{
    static const enum group groups[] = {
        [SQL_TOKEN_END] = STOPPED,   [SQL_TOKEN_WORD] = SHOWN,        [SQL_TOKEN_NAME] = SHOWN,
        [SQL_TOKEN_STRING] = ERASED, [SQL_TOKEN_NUMBER] = ERASED,     [SQL_TOKEN_VARIABLE] = SHOWN,
        [SQL_TOKEN_SYSTEM] = SHOWN,  [SQL_TOKEN_PUNCTUATION] = SHOWN, [SQL_TOKEN_INVALID] = STRANGE,
    };
    struct sql_token token;
    sql_lexer_next(lexer, &token);
    return (struct side){token.start, token.end, groups[token.class]};
}

static struct side digest_side(struct digest_scanner *scanner)
{
    static const enum group groups[] = {
        [DIGEST_END] = STOPPED,
        [DIGEST_INVALID] = STRANGE,
        [DIGEST_IDENTIFIER] = SHOWN,
        [DIGEST_QUOTED] = SHOWN,
        [DIGEST_STRING] = ERASED,
        [DIGEST_INT] = ERASED,
        [DIGEST_NUMBER] = ERASED,
        [DIGEST_BIT] = ERASED,
        [DIGEST_NULL] = ANY,
        [DIGEST_PARAM] = ANY,
        [DIGEST_CHARSET] = ANY,
        [DIGEST_USER_VARIABLE] = SHOWN,
        [DIGEST_SYSTEM_VARIABLE] = SHOWN,
        [DIGEST_PUNCTUATION] = SHOWN,
        [DIGEST_EMPTY] = STRANGE,
    };
    struct digest_token token;
    digest_scan(scanner, &token);
    enum group group = groups[token.class];
    if (token.class == DIGEST_EMPTY && token.start < scanner->size &&
        scanner->text[token.start] == '-')
        group = SHOWN; /* -> and ->>: what it points to is after it */
    if (token.class == DIGEST_INVALID && scanner->text[token.start] == '\0')
        group =
            STOPPED; /* what is behind a NUL is in no digest: right where the server ends there */
    return (struct side){token.start, scanner->at, group};
}

static bool agree(const struct side *a, const struct side *b)
{
    if (a->group == STOPPED && b->group == STOPPED)
        return true; /* perhaps at a NUL, which is a byte of a comment to one of them */
    return a->start == b->start && a->group != STRANGE && b->group != STRANGE &&
           (a->group == b->group || (a->group == ANY && b->group != STOPPED) ||
            (b->group == ANY && a->group != STOPPED));
}

bool sql_digest_is_exact(struct sql_span statement, const struct sql_mode *mode)
{
    struct sql_lexer lexer;
    struct digest_scanner scanner = {.text = (const unsigned char *)statement.at,
                                     .size = statement.size};
    sql_lexer_init(&lexer, statement, mode, SQL_READING_SERVER);
    struct side server = server_side(&lexer);
    struct side digest = digest_side(&scanner);
    bool same = agree(&server, &digest);
    while (same && server.group != STOPPED) {
        size_t end = server.end < digest.end ? server.end : digest.end;
        /* The longer one goes on after the shorter one: <= is one token here and two there. */
        bool server_done = server.end == end, digest_done = digest.end == end;
        server.start = digest.start = end;
        if (server_done)
            server = server_side(&lexer);
        if (digest_done)
            digest = digest_side(&scanner);
        same = agree(&server, &digest);
    }
    bool server_known = mode->server_version != 0 || mode->dialect == SQL_DIALECT_TIDB;
    return same && sql_reading_is_sure(statement, mode) && (server_known || !lexer.conditional) &&
           !lexer.doubtful;
}
