/* SPDX-License-Identifier: Apache-2.0
 *
 * A string literal of printable ASCII means the same in every mode. Anything else is written as a
 * hexadecimal literal, to which neither sql_mode nor the character set matters. */
#include "sql/quote.h"

#include <assert.h>

void sql_quote_name(struct strbuf *out, struct sql_span name)
{
    assert(name.at || name.size == 0);
    strbuf_add_byte(out, '`');
    for (size_t i = 0; i < name.size; i++) {
        if (name.at[i] == '`')
            strbuf_add_byte(out, '`');
        strbuf_add_byte(out, (unsigned char)name.at[i]);
    }
    strbuf_add_byte(out, '`');
}

static bool is_plain(struct sql_span text)
{
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.at[i];
        if (byte < ' ' || byte > '~' || byte == '\'' || byte == '\\')
            return false;
    }
    return true;
}

void sql_quote_text(struct strbuf *out, struct sql_span text)
{
    static const char digits[] = "0123456789ABCDEF";
    assert(text.at || text.size == 0);
    if (is_plain(text)) {
        strbuf_add_byte(out, '\'');
        strbuf_add(out, text.at, text.size);
        strbuf_add_byte(out, '\'');
        return;
    }
    strbuf_add_text(out, "CONVERT(X'");
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        strbuf_add_byte(out, (unsigned char)digits[byte >> 4]);
        strbuf_add_byte(out, (unsigned char)digits[byte & 15]);
    }
    strbuf_add_text(out, "' USING utf8mb4)");
}

static unsigned digit_of(char digit)
{
    return (unsigned)(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10) & 15;
}

void sql_unhex(struct strbuf *out, struct sql_span digits)
{
    assert(digits.at || digits.size == 0);
    for (size_t i = 0; i + 1 < digits.size; i += 2) {
        unsigned byte = digit_of(digits.at[i]) << 4 | digit_of(digits.at[i + 1]);
        strbuf_add_byte(out, (unsigned char)byte);
    }
}
