/* SPDX-License-Identifier: Apache-2.0
 *
 * A text is fixed when three things hold. Its bytes are of a set that no mode reads otherwise (the
 * quotes, brackets and letters of some character sets are not among them). Each statement begins
 * with a verb that no mode gives another meaning: sql_mode=ORACLE has blocks where others have
 * transactions and routines. And none of the words in it has a meaning in one mode only.
 *
 * The verbs are a list of what is let through, because what a future mode changes is not on it. */
#include "sql/reading.h"

#include "sql/charset.h"
#include "sql/cursor.h"
#include "sql/dynamic.h"

#include <assert.h>
#include <string.h>

/* Double quotes are strings or names; a backslash escapes or not; brackets are quotes to MSSQL; the
 * letters of swe7 are these brackets, the circumflex and the tilde; pipes join or are OR. */
static bool is_fixed_byte(unsigned char byte)
{
    switch (byte) {
    case '"':
    case '\\':
    case '[':
    case ']':
    case '{':
    case '|':
    case '}':
    case '^':
    case '~':
        return false;
    case '\t':
    case '\n':
    case '\r':
        return true;
    default:
        return byte >= ' ' && byte < 0x7f;
    }
}

/* Code in a comment is left to those who know the server: whether the byte at I opens some. */
static bool opens_code(struct sql_span text, size_t i)
{
    return text.at[i] == '*' && i > 0 && text.at[i - 1] == '/' && i + 1 < text.size &&
           (text.at[i + 1] == '!' || text.at[i + 1] == 'M' || text.at[i + 1] == 'T');
}

/* After @ comes a host or a variable, to which @ and ` belong in swe7 and not in others. */
static bool has_fixed_bytes(struct sql_span text)
{
    const unsigned char *bytes = sql_charset_bytes[SQL_CHARSET_ASCII];
    bool fixed = true;
    bool in_host = false;
    for (size_t i = 0; i < text.size && fixed; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        bool is_sign = byte == '@' || byte == '`';
        fixed = is_fixed_byte(byte) && !opens_code(text, i) &&
                !(is_sign && in_host && text.at[i - 1] != '@');
        in_host = byte == '@' || (in_host && (bytes[byte] & SQL_BYTE_HOST) != 0);
    }
    return fixed;
}

static bool is_fixed_verb(uint16_t word)
{
    switch (word) {
    case SQL_WORD_SELECT:
    case SQL_WORD_WITH:
    case SQL_WORD_VALUES:
    case SQL_WORD_INSERT:
    case SQL_WORD_REPLACE:
    case SQL_WORD_UPDATE:
    case SQL_WORD_DELETE:
    case SQL_WORD_DO:
    case SQL_WORD_CALL:
    case SQL_WORD_USE:
    case SQL_WORD_SET:
    case SQL_WORD_SHOW:
    case SQL_WORD_EXPLAIN:
    case SQL_WORD_DESCRIBE:
    case SQL_WORD_DESC:
    case SQL_WORD_ANALYZE:
    case SQL_WORD_START:
    case SQL_WORD_COMMIT:
    case SQL_WORD_ROLLBACK:
    case SQL_WORD_SAVEPOINT:
    case SQL_WORD_RELEASE:
    case SQL_WORD_LOCK:
    case SQL_WORD_UNLOCK:
    case SQL_WORD_CREATE:
    case SQL_WORD_ALTER:
    case SQL_WORD_DROP:
    case SQL_WORD_TRUNCATE:
    case SQL_WORD_RENAME:
    case SQL_WORD_GRANT:
    case SQL_WORD_REVOKE:
    case SQL_WORD_CHECK:
    case SQL_WORD_OPTIMIZE:
    case SQL_WORD_REPAIR:
    case SQL_WORD_FLUSH:
    case SQL_WORD_KILL:
    case SQL_WORD_PREPARE:
    case SQL_WORD_EXECUTE:
    case SQL_WORD_DEALLOCATE:
        return true;
    default:
        return false;
    }
}

/* Words of blocks and routines, and MINUS, a set operation to ORACLE and a name to others. */
static bool is_fixed_word(uint16_t word)
{
    switch (word) {
    case SQL_WORD_BEGIN:
    case SQL_WORD_DECLARE:
    case SQL_WORD_LOOP:
    case SQL_WORD_WHILE:
    case SQL_WORD_MINUS:
    case SQL_WORD_PROCEDURE:
    case SQL_WORD_FUNCTION:
    case SQL_WORD_TRIGGER:
    case SQL_WORD_EVENT:
    case SQL_WORD_PACKAGE:
        return false;
    default:
        return true;
    }
}

/* seq.NEXTVAL and seq.CURRVAL use a sequence in ORACLE mode, and are columns in others. */
static bool is_fixed_name(const struct sql_token *token, struct sql_span name)
{
    return !token->after_dot || !(sql_span_is(name, "nextval") || sql_span_is(name, "currval"));
}

/* The string of PREPARE and EXECUTE IMMEDIATE is a text of its own: one string, without any in it. */
static bool is_fixed_text(const struct sql_cursor *cursor)
{
    struct sql_span text = sql_cursor_inside(cursor);
    return sql_dynamic_text_is_literal(cursor) && !memchr(text.at, '\'', text.size) &&
           sql_reading_is_fixed(text);
}

/* Reads one statement, up to a semicolon or the end. */
static bool is_fixed_statement(struct sql_cursor *cursor)
{
    sql_cursor_skip_opening(cursor);
    if (cursor->token.class == SQL_TOKEN_END)
        return true;
    uint16_t verb = sql_cursor_word(cursor);
    bool fixed = is_fixed_verb(verb);
    bool prepares = verb == SQL_WORD_PREPARE;
    for (; fixed && !sql_cursor_at_end(cursor) && !sql_cursor_is(cursor, ';');
         sql_cursor_next(cursor)) {
        prepares = prepares || sql_cursor_word(cursor) == SQL_WORD_IMMEDIATE;
        bool is_text = prepares && cursor->token.class == SQL_TOKEN_STRING;
        fixed = is_fixed_word(sql_cursor_word(cursor)) && !sql_cursor_is(cursor, ':') &&
                is_fixed_name(&cursor->token, sql_cursor_span(cursor)) &&
                (!is_text || is_fixed_text(cursor));
    }
    return fixed && cursor->token.class != SQL_TOKEN_INVALID;
}

/* Enters itself once at most: the text of a PREPARE holds no string. */
bool sql_reading_is_fixed(struct sql_span text) // NOLINT(misc-no-recursion)
{
    static const struct sql_mode any;
    struct sql_cursor cursor;
    assert(text.at || text.size == 0);
    if (!has_fixed_bytes(text))
        return false;
    sql_cursor_init(&cursor, text, &any, SQL_READING_SERVER);
    bool fixed = true;
    while (fixed && cursor.token.class != SQL_TOKEN_END)
        fixed = is_fixed_statement(&cursor);
    return fixed;
}
