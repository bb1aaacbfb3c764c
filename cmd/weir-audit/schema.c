/* SPDX-License-Identifier: Apache-2.0
 *
 * A definition of a database names no table, and means all of them: whoever looks for what was done
 * to a table must find DROP DATABASE, too. The name is the first one after DATABASE or SCHEMA and
 * IF [NOT] EXISTS. */
#include "schema.h"

#include <ctype.h>

static void skip_space(weir_string *text)
{
    while (text->size) {
        size_t skip = isspace((unsigned char)text->data[0]) ? 1 : 0;
        if (text->size > 2 && memcmp(text->data, "/*", 2) == 0) {
            const char *end = memmem(text->data + 2, text->size - 2, "*/", 2);
            bool is_run = text->data[2] == '!'; /* an executable comment is read */
            skip = is_run ? 3 : end ? (size_t)(end + 2 - text->data) : text->size;
            while (is_run && skip < text->size && isdigit((unsigned char)text->data[skip]))
                skip++;
        } else if (text->size >= 2 && memcmp(text->data, "*/", 2) == 0) {
            skip = 2;
        } else if (text->data[0] == '#' || (text->size > 2 && memcmp(text->data, "-- ", 3) == 0)) {
            const char *end = memchr(text->data, '\n', text->size);
            skip = end ? (size_t)(end - text->data) : text->size;
        }
        if (!skip)
            return;
        *text = (weir_string){text->data + skip, text->size - skip};
    }
}

static bool is_letter(char byte)
{
    return isalnum((unsigned char)byte) || byte == '_' || byte == '$' ||
           (unsigned char)byte >= 0x80;
}

/* Takes the next word, or what stands in quotes, or one byte. */
static bool take(weir_string *text, weir_string *word)
{
    skip_space(text);
    if (!text->size)
        return false;
    size_t size = 0, quotes = 0;
    char quote = text->data[0];
    if (quote == '`' || quote == '"') {
        const char *end = memchr(text->data + 1, quote, text->size - 1);
        if (!end)
            return false;
        size = (size_t)(end - text->data - 1);
        quotes = 1;
    } else {
        while (size < text->size && is_letter(text->data[size]))
            size++;
        size = size ? size : 1;
    }
    *word = (weir_string){text->data + quotes, size};
    *text = (weir_string){text->data + size + 2 * quotes, text->size - size - 2 * quotes};
    return true;
}

weir_string schema_of_definition(weir_string kind, weir_string sql)
{
    const weir_string none = {NULL, 0};
    weir_string word;
    if (!text_is(kind, "DropDatabase") && !text_is(kind, "CreateDatabase") &&
        !text_is(kind, "AlterDatabase"))
        return none;
    do {
        if (!take(&sql, &word))
            return none;
    } while (!text_is_word(word, "DATABASE") && !text_is_word(word, "SCHEMA"));
    do {
        if (!take(&sql, &word))
            return none;
    } while (text_is_word(word, "IF") || text_is_word(word, "NOT") || text_is_word(word, "EXISTS"));
    return word;
}
