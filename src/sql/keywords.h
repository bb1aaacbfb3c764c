/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the room: the words that keywords.def lists. */
#ifndef WEIR_SQL_KEYWORDS_H
#define WEIR_SQL_KEYWORDS_H

#include <stddef.h>
#include <stdint.h>

enum sql_word {
    SQL_NO_WORD,
#define X(enumerator, name, flags) SQL_WORD_##enumerator,
#include "sql/keywords.def"
#undef X
    SQL_WORDS,
};

enum {
    SQL_KEYWORD_ANYWHERE = 1,           /* the digest prints it bare */
    SQL_KEYWORD_BEFORE_PARENTHESIS = 2, /* the digest prints it bare when "(" is the next byte */
    SQL_KEYWORD_INTRODUCER = 4,         /* _utf8mb4 and the like: a word to the digest alone */
};

struct sql_keyword {
    uint16_t word;  /* enum sql_word; SQL_NO_WORD: it is none */
    uint16_t flags; /* SQL_KEYWORD_ bits */
};

/* The keyword that a word in lower case is. keyword_find.h has it in line for short ones. */
struct sql_keyword sql_keyword_find(const char *lower, size_t size);

#endif
