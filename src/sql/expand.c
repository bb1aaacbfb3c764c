/* SPDX-License-Identifier: Apache-2.0
 *
 * Markers are question marks that are tokens: those in quotes, names and comments are text. Values
 * are quoted so that the session's own mode reads them back; text that is not made of whole
 * characters of a character set in which a backslash can be half of one is written in hex instead.
 */
#include "sql/expand.h"

#include "sql/charset.h"
#include "sql/lexer.h"

#include <string.h>

static void add_hex(struct strbuf *out, struct sql_span bytes)
{
    static const char digits[] = "0123456789ABCDEF";
    strbuf_add_text(out, "x'");
    for (size_t i = 0; i < bytes.size; i++) {
        unsigned char byte = (unsigned char)bytes.at[i];
        char hex[2] = {digits[byte >> 4], digits[byte & 15]};
        strbuf_add(out, hex, 2);
    }
    strbuf_add_byte(out, '\'');
}

static bool is_whole(struct sql_span text, const struct sql_mode *mode)
{
    const unsigned char *at = (const unsigned char *)text.at;
    const unsigned char *end = at + text.size;
    bool is_sjis = mode->charset == SQL_CHARSET_SJIS || mode->charset == SQL_CHARSET_CP932;
    while (at < end) {
        size_t bytes = sql_char_bytes(mode->charset, at, end);
        if (bytes == 1 && *at >= 0x80 && !(is_sjis && *at >= 0xa1 && *at <= 0xdf))
            return false;
        at += bytes;
    }
    return true;
}

/* What a byte is after a backslash, or 0 when it needs none. */
static char escape_of(unsigned char byte)
{
    switch (byte) {
    case '\0':
        return '0';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\032':
        return 'Z';
    case '\\':
    case '\'':
        return (char)byte;
    default:
        return 0;
    }
}

static void add_text(struct strbuf *out, struct sql_span text, const struct sql_mode *mode)
{
    bool tricky = sql_charset_is_tricky(mode->charset);
    if (tricky && !is_whole(text, mode)) {
        add_hex(out, text);
        return;
    }
    const unsigned char *at = (const unsigned char *)text.at;
    const unsigned char *end = at + text.size;
    strbuf_add_byte(out, '\'');
    while (at < end) {
        size_t bytes = tricky ? sql_char_bytes(mode->charset, at, end) : 1;
        char escape = bytes == 1 ? escape_of(*at) : 0;
        if (escape != 0 && !mode->no_backslash_escapes) {
            strbuf_add_byte(out, '\\');
            strbuf_add_byte(out, (unsigned char)escape);
        } else {
            if (*at == '\'')
                strbuf_add_byte(out, '\''); /* doubled: a backslash would be text */
            strbuf_add(out, at, bytes);
        }
        at += bytes;
    }
    strbuf_add_byte(out, '\'');
}

static bool is_number(struct sql_span text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        if (!sql_byte_is(byte, SQL_BYTE_DIGIT) && byte != '.' && byte != '-' && byte != '+' &&
            byte != 'e' && byte != 'E')
            return false;
    }
    return text.size > 0;
}

void sql_expand_literal(struct strbuf *out, const struct sql_parameter *parameter,
                        const struct sql_mode *mode)
{
    switch (parameter->kind) {
    case SQL_PARAMETER_NULL:
        strbuf_add_text(out, "NULL");
        break;
    case SQL_PARAMETER_NUMBER:
        if (is_number(parameter->text))
            strbuf_add(out, parameter->text.at, parameter->text.size);
        else /* infinity and the like */
            add_text(out, parameter->text, mode);
        break;
    case SQL_PARAMETER_TEXT:
        add_text(out, parameter->text, mode);
        break;
    case SQL_PARAMETER_BYTES:
        add_hex(out, parameter->text);
        break;
    case SQL_PARAMETER_DEFAULT:
        strbuf_add_text(out, "DEFAULT");
        break;
    case SQL_PARAMETER_IGNORE:
        strbuf_add_text(out, "IGNORE");
        break;
    default:
        strbuf_add_byte(out, '?');
        break;
    }
}

/* Adds a piece of the text, as much as the limit leaves. False: it is reached. */
static bool add_limited(struct strbuf *out, const void *bytes, size_t size, size_t most)
{
    size_t left = most - out->size;
    strbuf_add(out, bytes, size < left ? size : left);
    return size < left && !out->failed;
}

/* A negative number after a minus would make a comment of the two. */
static bool needs_space(const struct strbuf *out, const struct sql_parameter *parameter)
{
    return parameter->kind == SQL_PARAMETER_NUMBER && parameter->text.size > 0 &&
           parameter->text.at[0] == '-' && out->size > 0 && out->data[out->size - 1] == '-';
}

size_t sql_expand(struct strbuf *out, struct sql_span statement, const struct sql_mode *mode,
                  const struct sql_parameter *parameters, size_t count, size_t limit)
{
    struct sql_lexer lexer;
    struct sql_token token;
    size_t most = limit == 0 || limit > SIZE_MAX - out->size ? SIZE_MAX : out->size + limit;
    size_t copied = 0;
    size_t markers = 0;
    bool room = true;
    sql_lexer_init(&lexer, statement, mode, SQL_READING_SERVER);
    do {
        sql_lexer_next(&lexer, &token);
        if (!sql_token_is(&token, '?'))
            continue;
        if (room && markers < count) {
            const struct sql_parameter *parameter = &parameters[markers];
            room = add_limited(out, statement.at + copied, token.start - copied, most) &&
                   (!needs_space(out, parameter) || add_limited(out, " ", 1, most));
            if (room)
                sql_expand_literal(out, parameter, mode);
            if (out->size > most) { /* one value may be long; it is cut afterwards */
                out->size = most;
                out->data[most] = 0;
                room = false;
            }
            copied = token.end;
        }
        markers++;
    } while (token.class != SQL_TOKEN_END && token.class != SQL_TOKEN_INVALID);
    if (room)
        add_limited(out, statement.at + copied, statement.size - copied, most);
    return markers;
}
