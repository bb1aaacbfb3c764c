/* SPDX-License-Identifier: Apache-2.0
 *
 * Words of the gateway's own statements that are no keywords of any server. */
#ifndef WEIR_GATEWAY_LOCAL_GRAMMAR_WORDS_H
#define WEIR_GATEWAY_LOCAL_GRAMMAR_WORDS_H

#include <string.h>
#include <strings.h>

#include "sql/sql.h"

/* Goes on after the word (in lower case) if it is there. */
static inline bool grammar_accept_text(struct sql_cursor *cursor, const char *word)
{
    struct sql_span here = sql_cursor_span(cursor);
    bool found = cursor->token.class == SQL_TOKEN_WORD && here.size == strlen(word) &&
                 strncasecmp(here.at, word, here.size) == 0;
    if (found)
        sql_cursor_next(cursor);
    return found;
}

#endif
