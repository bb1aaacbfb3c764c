/* SPDX-License-Identifier: Apache-2.0
 *
 * Who may do what the gateway itself answers: what a row of SHOW GRANTS grants on everything, and the
 * message of the error when none does. The rows come from the backend, for the session's user, so
 * that roles count.
 *
 *     GRANT privilege [, privilege] ... ON *.* TO account [IDENTIFIED | REQUIRE | WITH ...]
 *
 * is the one shape that counts, token by token. Every other row of SHOW GRANTS has names in it that
 * clients choose (of tables, columns, routines, roles), and they may look like anything: but none is
 * written before ON without a parenthesis or a quote. The privileges are words of capital letters;
 * settings of the session that bend the row (its character set) can only make it another shape, which
 * grants nothing. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "gateway/local/local.h"

const char *const *local_privileges(enum local_privilege row)
{
    static const char *const rows[][8] = {
#define X(enumerator, statement, why, ...) [LOCAL_PRIVILEGE_##enumerator] = {__VA_ARGS__, NULL},
#include "gateway/local/privileges.def"
#undef X
    };
    return rows[row];
}

struct local_action local_demand(const char *const *privileges, local_next *next)
{
    return (struct local_action){.kind = LOCAL_PRIVILEGE, .privileges = privileges, .next = next};
}

/* ---- Rows of SHOW GRANTS ---- */

/* The words of a privilege, as they stand in the row: "REPLICATION SLAVE". size 0: no such. */
static struct sql_span read_privilege(struct sql_cursor *cursor)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_ ";
    struct sql_span words = sql_cursor_span(cursor);
    words.size = 0;
    while (cursor->token.class == SQL_TOKEN_WORD && cursor->token.word != SQL_WORD_ON) {
        struct sql_span word = sql_cursor_span(cursor);
        words.size = (size_t)(word.at + word.size - words.at);
        sql_cursor_next(cursor);
    }
    for (size_t i = 0; i < words.size; i++)
        if (!memchr(letters, words.at[i], sizeof letters - 1))
            return (struct sql_span){0};
    return words;
}

static bool span_is(struct sql_span span, const char *text)
{
    return span.size == strlen(text) && memcmp(span.at, text, span.size) == 0;
}

static bool is_one_of(struct sql_span privilege, const char *const *privileges)
{
    bool found = false;
    for (; !found && *privileges; privileges++)
        found = span_is(privilege, *privileges);
    return found;
}

/* From ON to the end of the account. */
static bool accept_everything_to(struct sql_cursor *cursor)
{
    if (!sql_cursor_accept(cursor, SQL_WORD_ON) || !sql_cursor_accept_byte(cursor, '*') ||
        !sql_cursor_accept_byte(cursor, '.') || !sql_cursor_accept_byte(cursor, '*') ||
        !sql_cursor_accept(cursor, SQL_WORD_TO))
        return false;
    if (!sql_token_is_name(&cursor->token) && cursor->token.class != SQL_TOKEN_STRING)
        return false;
    sql_cursor_next(cursor);
    if (cursor->token.class == SQL_TOKEN_VARIABLE) /* @host */
        sql_cursor_next(cursor);
    return true;
}

bool local_grants(struct wire_string line, const char *const *privileges)
{
    static const struct sql_mode plain;
    struct sql_cursor cursor;
    size_t count = 0;
    bool is_all = false, granted = false;
    if (!line.data)
        return false;
    sql_cursor_init(&cursor, (struct sql_span){line.data, line.size}, &plain, SQL_READING_CODE);
    if (!sql_cursor_accept(&cursor, SQL_WORD_GRANT))
        return false;
    do {
        struct sql_span privilege = read_privilege(&cursor);
        if (privilege.size == 0)
            return false;
        count++;
        is_all = span_is(privilege, "ALL PRIVILEGES");
        granted = granted || is_one_of(privilege, privileges);
    } while (sql_cursor_accept_byte(&cursor, ','));
    if (!accept_everything_to(&cursor))
        return false;
    const uint16_t next = sql_cursor_word(&cursor);
    bool is_end = cursor.token.class == SQL_TOKEN_END || next == SQL_WORD_IDENTIFIED ||
                  next == SQL_WORD_REQUIRE || next == SQL_WORD_WITH;
    return is_end && (granted || (is_all && count == 1));
}

void local_denied_message(const char *const *privileges, char *message, size_t room)
{
    assert(*privileges);
    struct strbuf list = STRBUF_INIT;
    for (const char *const *one = privileges; *one; one++)
        strbuf_printf(&list, "%s%s", one == privileges ? "" : " or ", *one);
    snprintf(message, room,
             "Access denied; you need (at least one of) the %s privilege(s) for this operation",
             list.data);
    strbuf_release(&list);
}
