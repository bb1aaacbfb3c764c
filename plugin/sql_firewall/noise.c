/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole normalised texts, and two forms that have names in them. None of these reads a table, and
 * none changes anything but the session itself. What sets sql_mode is not among them: it decides
 * how later texts are read. */
#include "noise.h"

#include <string.h>
#include <weir/text.h>

static const char *const texts[] = {
    "begin",
    "begin `work`",
    "start transaction",
    "start transaction read only",
    "start transaction read write",
    "start transaction with consistent snapshot",
    "commit",
    "commit `work`",
    "rollback",
    "rollback `work`",
    "set `autocommit` = ?",
    "set @@autocommit = ?",
    "set @@session.autocommit = ?",
    "set session `autocommit` = ?",
    "set session transaction read only",
    "set session transaction read write",
    "set session transaction isolation level read uncommitted",
    "set session transaction isolation level read committed",
    "set session transaction isolation level repeatable read",
    "set session transaction isolation level serializable",
    "set `character_set_results` = ?",
    "set names ?",
    "set names default",
    "show warnings",
    "show warnings limit ?",
    "show count ( ? ) warnings",
    "show errors",
    "select ?",
    "select ? from dual",
    "select true",
    "select database ( )",
    "select `version` ( )",
    "select `connection_id` ( )",
};

/* Reads a word up to the next space. */
static weir_string next_word(weir_string *text)
{
    size_t size = 0;
    while (size < text->size && text->data[size] != ' ')
        size++;
    weir_string word = {text->data, size};
    size_t more = size < text->size ? size + 1 : size;
    *text = (weir_string){text->data + more, text->size - more};
    return word;
}

/* `name` or ?, and not a text of several. */
static bool is_name(weir_string word)
{
    return text_is(word, "?") ||
           (word.size > 2 && word.data[0] == '`' && word.data[word.size - 1] == '`' &&
            !memchr(word.data + 1, '`', word.size - 2));
}

/* SET NAMES name [COLLATE name] */
static bool is_set_names(weir_string text)
{
    weir_string set = next_word(&text), names = next_word(&text), name = next_word(&text);
    if (!text_is(set, "set") || !text_is(names, "names") || !is_name(name))
        return false;
    if (!text.size)
        return true;
    weir_string collate = next_word(&text), collation = next_word(&text);
    return text_is(collate, "collate") && is_name(collation) && !text.size;
}

/* Only @@name, which is a system variable; @name and @@a := b are not. */
static bool is_variable(weir_string word)
{
    bool ok = word.size > 2 && word.data[0] == '@' && word.data[1] == '@';
    for (size_t i = 2; ok && i < word.size; i++) {
        char byte = word.data[i];
        ok = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '_' ||
             byte == '.';
    }
    return ok;
}

/* SELECT @@name [AS name], ... [LIMIT 1] */
static bool is_read_of_variables(weir_string text)
{
    weir_string word = next_word(&text);
    if (!text_is(word, "select"))
        return false;
    do {
        if (!is_variable(next_word(&text)))
            return false;
        word = next_word(&text);
        if (text_is(word, "as")) {
            if (!is_name(next_word(&text)))
                return false;
            word = next_word(&text);
        }
    } while (text_is(word, ","));
    return (word.size == 0 || (text_is(word, "limit") && text_is(next_word(&text), "?"))) &&
           !text.size;
}

bool noise_is(weir_string normalized)
{
    bool found = false;
    for (size_t i = 0; i < sizeof texts / sizeof *texts && !found; i++)
        found = text_is(normalized, texts[i]);
    return found ||
           (normalized.size && (is_set_names(normalized) || is_read_of_variables(normalized)));
}

bool statement_is_noise(struct statement *statement)
{
    return statement_is_read(statement) && statement_sql(statement).data &&
           statement_is_plain(statement) && !statement_has_text(statement) &&
           noise_is(statement_normalized(statement));
}
