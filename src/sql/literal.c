/* SPDX-License-Identifier: Apache-2.0
 *
 * A literal is one token, and one of which all servers say the same: whatever holds a backslash, a
 * doubled quote, a byte beyond ASCII or an exponent is left to the server. */
#include "sql/literal.h"

#include <assert.h>
#include <string.h>

#include "sql/charset.h"
#include "sql/cursor.h"

/* Whether all bytes have one of the classes, and there is one. */
static bool is_made_of(struct sql_span text, unsigned classes)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        if (byte >= 0x80 || !sql_byte_is(byte, classes))
            return false;
    }
    return text.size > 0;
}

/* Whether there is no byte in it that any server would read as something else than itself. */
static bool is_plain_string(struct sql_span inside, char quote)
{
    for (size_t i = 0; i < inside.size; i++) {
        char byte = inside.at[i];
        if (byte < ' ' || byte > '~' || byte == '\\' || byte == quote)
            return false;
    }
    return inside.size > 0;
}

static enum sql_literal_kind read_number(struct sql_span digits)
{
    size_t points = 0;
    if (!sql_byte_is((unsigned char)digits.at[0], SQL_BYTE_DIGIT))
        return SQL_LITERAL_NONE; /* .5 */
    for (size_t i = 0; i < digits.size; i++) {
        points += digits.at[i] == '.';
        if (digits.at[i] != '.' && !sql_byte_is((unsigned char)digits.at[i], SQL_BYTE_DIGIT))
            return SQL_LITERAL_NONE;
    }
    return points ? SQL_LITERAL_DECIMAL : SQL_LITERAL_INTEGER;
}

static enum sql_literal_kind read_word(struct sql_span *word)
{
    bool is_true = sql_span_is(*word, "true");
    if (is_true || sql_span_is(*word, "false")) {
        *word = (struct sql_span){is_true ? "1" : "0", 1};
        return SQL_LITERAL_INTEGER;
    }
    if (sql_span_is(*word, "default"))
        return SQL_LITERAL_DEFAULT;
    if (sql_span_is(*word, "null"))
        return SQL_LITERAL_NULL;
    bool begins = sql_byte_is((unsigned char)word->at[0], SQL_BYTE_LETTER) && word->at[0] != '$';
    return begins && is_made_of(*word, SQL_BYTE_WORD) ? SQL_LITERAL_TEXT : SQL_LITERAL_NONE;
}

static enum sql_literal_kind read_token(uint8_t class, struct sql_span written,
                                        struct sql_span *value)
{
    char first = written.at[0];
    switch (class) {
    case SQL_TOKEN_NUMBER:
        return read_number(*value);
    case SQL_TOKEN_WORD:
        return read_word(value);
    case SQL_TOKEN_NAME:
        if (first == '`')
            return is_made_of(*value, SQL_BYTE_WORD) ? SQL_LITERAL_TEXT : SQL_LITERAL_NONE;
        break; /* "x" is a string in other modes */
    case SQL_TOKEN_STRING:
        break;
    default:
        return SQL_LITERAL_NONE;
    }
    bool is_quoted = first == '\'' || first == '"'; /* and not x'41' */
    return is_quoted && is_plain_string(*value, first) ? SQL_LITERAL_TEXT : SQL_LITERAL_NONE;
}

enum sql_literal_kind sql_literal_read(struct sql_span expression, const struct sql_mode *mode,
                                       struct sql_span *value)
{
    assert(expression.at || expression.size == 0);
    struct sql_cursor cursor;
    enum sql_literal_kind kind = SQL_LITERAL_NONE;
    sql_cursor_init(&cursor, expression, mode, SQL_READING_SERVER);
    if (!sql_cursor_at_end(&cursor)) {
        uint8_t class = cursor.token.class;
        struct sql_span written = sql_cursor_span(&cursor);
        struct sql_span inside = sql_token_inside(&cursor.lexer, &cursor.token);
        sql_cursor_next(&cursor);
        if (cursor.token.class == SQL_TOKEN_END) {
            *value = inside;
            kind = read_token(class, written, value);
        }
    }
    if (kind == SQL_LITERAL_NONE)
        *value = expression;
    return kind;
}
