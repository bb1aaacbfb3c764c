/* SPDX-License-Identifier: Apache-2.0
 *
 * The server's own functions and words, looked up by name. */
#include "sql/builtin.h"

#include <stdlib.h>
#include <string.h>

enum form {
    SQL_BUILTIN_NAME,     /* a function, also in quotes */
    SQL_BUILTIN_WORD,     /* a word of the grammar: in quotes it is a name */
    SQL_BUILTIN_ADJACENT, /* the same, where the parenthesis follows at once */
};

#define NEVER UINT32_MAX
struct builtin {
    const char *name;
    enum form form;
    uint32_t mariadb, mysql; /* since which version */
};

static const struct builtin rows[] = {
#define X(name, form, mariadb, mysql) {name, form, mariadb, mysql},
#include "sql/builtin.def"
#undef X
};

#define NAME_ROOM 40 /* more than the longest has */

static int compare(const void *name, const void *row)
{
    return strcmp(name, ((const struct builtin *)row)->name);
}

static const struct builtin *find(const struct sql_lexer *lexer, const struct sql_token *token)
{
    char name[NAME_ROOM];
    if (token->end - token->start >= sizeof name)
        return NULL;
    size_t size = sql_token_text(lexer, token, name, sizeof name - 1);
    for (size_t i = 0; i < size; i++)
        name[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] - 'A' + 'a' : name[i]);
    name[size] = '\0';
    return strlen(name) == size
               ? bsearch(name, rows, sizeof rows / sizeof *rows, sizeof *rows, compare)
               : NULL;
}

static bool is_since(uint32_t since, uint32_t version)
{
    return since != NEVER && (version == 0 ? since == 0 : version >= since);
}

bool sql_is_builtin(const struct sql_lexer *lexer, const struct sql_token *name, bool adjacent)
{
    const struct sql_mode *mode = &lexer->mode;
    const struct builtin *row = find(lexer, name);
    bool is_quoted = name->class == SQL_TOKEN_NAME;
    if (!row || (is_quoted && row->form != SQL_BUILTIN_NAME) ||
        (row->form == SQL_BUILTIN_ADJACENT && !adjacent))
        return false;
    switch (mode->dialect) {
    case SQL_DIALECT_MARIADB:
        return is_since(row->mariadb, mode->server_version);
    case SQL_DIALECT_MYSQL:
        return is_since(row->mysql, mode->server_version);
    default:
        return row->mariadb == 0 && row->mysql == 0;
    }
}
