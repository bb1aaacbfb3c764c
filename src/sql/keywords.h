/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the room: the table of words that keywords.gperf lists. */
#ifndef WEIR_SQL_KEYWORDS_H
#define WEIR_SQL_KEYWORDS_H

#include "sql/keyword_ids.h"

#include <stddef.h>
#include <stdint.h>

enum {
    SQL_KEYWORD_ANYWHERE = 1,           /* the digest prints it bare */
    SQL_KEYWORD_BEFORE_PARENTHESIS = 2, /* the digest prints it bare when "(" is the next byte */
};

struct sql_keyword {
    const char *name; /* lower case */
    uint16_t word;    /* enum sql_word */
    uint16_t flags;   /* SQL_KEYWORD_ bits */
};

#define SQL_KEYWORD_MAX_BYTES 32 /* no word is longer; keywords.gperf's longest has 30 */

/* The row of a word in lower case, or NULL. Made by gperf. */
const struct sql_keyword *sql_keyword_find(const char *lower, size_t size);

#endif
