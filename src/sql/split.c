/* SPDX-License-Identifier: Apache-2.0
 *
 * Splitting: a statement ends at the first semicolon that is in no block (blocks.h). */
#include "sql/split.h"

#include "sql/blocks.h"

#include <assert.h>
#include <string.h>

void sql_splitter_init(struct sql_splitter *splitter, struct sql_span text,
                       const struct sql_mode *mode)
{
    assert(text.at || text.size == 0);
    *splitter = (struct sql_splitter){.rest = text, .mode = *mode};
}

/* Gives out the first `size` bytes of what is left. */
static bool give(struct sql_splitter *splitter, size_t size, struct sql_span *statement)
{
    *statement = (struct sql_span){splitter->rest.at, size};
    splitter->rest.at += size;
    splitter->rest.size -= size;
    return true;
}

/* The same for all of it, but for a newline in the last place. */
static bool give_rest(struct sql_splitter *splitter, struct sql_span *statement)
{
    size_t size = splitter->rest.size;
    bool newline = splitter->rest.at[size - 1] == '\n';
    give(splitter, size, statement);
    statement->size -= newline;
    return true;
}

bool sql_splitter_next(struct sql_splitter *splitter, struct sql_span *statement)
{
    struct sql_lexer lexer;
    struct sql_blocks blocks;
    struct sql_token token;
    if (splitter->rest.size > 0 && splitter->rest.at[0] == '\n') {
        splitter->rest.at++;
        splitter->rest.size--;
    }
    struct sql_span rest = splitter->rest;
    if (rest.size == 0)
        return false;
    sql_lexer_init(&lexer, rest, &splitter->mode, SQL_READING_SERVER);
    do {
        sql_lexer_next(&lexer, &token);
    } while (sql_token_is(&token, ';'));
    if (token.class == SQL_TOKEN_END && token.start == rest.size) { /* a NUL makes a statement */
        splitter->rest.size = 0;
        return false;
    }
    if (memchr(rest.at + token.start, ';', rest.size - token.start) == NULL)
        return give_rest(splitter, statement);
    sql_blocks_init(&blocks, &splitter->mode);
    while (token.class != SQL_TOKEN_END && token.class != SQL_TOKEN_INVALID) {
        if (sql_token_is(&token, ';')) {
            if (sql_blocks_semicolon(&blocks) && !blocks.overflow)
                return give(splitter, token.end, statement);
        } else {
            sql_blocks_take(&blocks, &lexer, &token);
        }
        sql_lexer_next(&lexer, &token);
    }
    splitter->uncertain = splitter->uncertain || blocks.overflow;
    return give_rest(splitter, statement);
}

bool sql_is_multi(struct sql_span text, const struct sql_mode *mode)
{
    if (text.size == 0 || memchr(text.at, ';', text.size - 1) == NULL)
        return false;
    struct sql_splitter splitter;
    struct sql_span statement;
    sql_splitter_init(&splitter, text, mode);
    size_t count = 0;
    while (count < 2 && sql_splitter_next(&splitter, &statement))
        count++;
    return count == 2;
}
