/* SPDX-License-Identifier: Apache-2.0
 *
 * A session of statements on standard input, each ended by a NUL; a line for each of what its text
 * says: the results that it has, whether an error leaves all as it was, and flags, character set,
 * database and account afterwards. "=": unchanged, "?": not known. What runs without an error is
 * followed; a statement that begins with "!" has failed. For tests/integration/test_result_counts.py. */
#include "sql/sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *change_text(enum sql_change change, const char *value)
{
    return change == SQL_UNCHANGED ? "=" : change == SQL_UNSURE ? "?" : value;
}

/* All of the utf8 family are one for a lexer. */
static const char *charset_name(enum sql_charset charset)
{
#define X(enumerator, name)                                                                        \
    if (charset == SQL_CHARSET_##enumerator)                                                       \
        return charset == SQL_CHARSET_UTF8MB4 ? "utf8" : (name);
    SQL_CHARSET_ROWS(X)
#undef X
    return "other";
}

static void show(const struct sql_runs *runs)
{
    static const char *const results[] = {"one", "until_ok", "unknown"};
    const struct sql_effects *after = &runs->after;
    const struct sql_mode *mode = &after->mode;
    char flags[8] = "", database[256] = "";
    snprintf(flags, sizeof flags, "%s%s%s%s", mode->ansi_quotes ? "A" : "",
             mode->no_backslash_escapes ? "N" : "", mode->oracle ? "O" : "",
             mode->brackets ? "B" : "");
    snprintf(database, sizeof database, "%.*s", (int)after->name.size,
             after->name.at ? after->name.at : "");
    printf("%s\t%s\t%s\t%s\t%s\t%s\n", results[runs->results],
           runs->fails_as_whole ? "whole" : "half", change_text(after->flags, flags),
           change_text(after->charset, charset_name(mode->charset)),
           change_text(after->database, database), change_text(after->account, ""));
}

static void follow(struct sql_session *session, struct sql_named *named,
                   const struct sql_runs *runs, bool failed, char *database, size_t room)
{
    const struct sql_effects *after = &runs->after;
    sql_named_follow(named, &runs->naming, failed);
    if (failed)
        return;
    session->mode = after->mode;
    if (after->database == SQL_CHANGED)
        snprintf(database, room, "%.*s", (int)after->name.size,
                 after->name.at ? after->name.at : "");
    session->database.known = after->database != SQL_UNSURE;
    session->database.name = (struct sql_span){database, strlen(database)};
}

int main(int count, char **arguments)
{
    struct sql_named named = {0};
    struct sql_session session = {.database = {.known = true, .name = {"", 0}}, .named = &named};
    struct sql_runs runs;
    char *text = NULL, database[256] = "";
    size_t capacity = 0;
    ssize_t size;
    if (count != 2)
        return 2;
    sql_mode_set_server(&session.mode, (struct sql_span){arguments[1], strlen(arguments[1])});
    sql_runs_init(&runs);
    while ((size = getdelim(&text, &capacity, 0, stdin)) > 0) {
        bool failed = text[0] == '!';
        struct sql_span statement = {text + failed, strlen(text + failed)};
        if (!sql_runs_read(&runs, statement, &session))
            return 1;
        show(&runs);
        follow(&session, &named, &runs, failed, database, sizeof database);
    }
    free(text);
    sql_named_clear(&named);
    sql_runs_release(&runs);
    return 0;
}
