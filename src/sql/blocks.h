/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the room: follows compound statements token by token, and tells where the statements
 * inside of them begin and where the whole ends. */
#ifndef WEIR_SQL_BLOCKS_H
#define WEIR_SQL_BLOCKS_H

#include "sql/lexer.h"

#define SQL_BLOCKS_MAX 1000 /* nested blocks; more set `overflow` */

struct sql_blocks {
    uint8_t frames[SQL_BLOCKS_MAX]; /* enum frame of blocks.c */
    unsigned depth;                 /* frames in use */
    unsigned parentheses;           /* open ones, in a header */
    uint16_t previous;              /* enum sql_word of the token before */
    uint8_t header;                 /* enum header of blocks.c */
    bool at_start;
    bool first;  /* at_start of the whole statement */
    bool cursor; /* in the declaration of a cursor, before its query */
    bool oracle; /* sql_mode=ORACLE */
    bool overflow;
    const struct sql_lexer *lexer; /* borrowed during sql_blocks_take() */
};

enum sql_block_token {
    SQL_BLOCK_INSIDE,    /* of a statement */
    SQL_BLOCK_VERB,      /* the first token of one */
    SQL_BLOCK_STRUCTURE, /* the first token of what only structures others: BEGIN, IF, END, label:
                          */
};

void sql_blocks_init(struct sql_blocks *blocks, const struct sql_mode *mode);

/* Takes a token that is no semicolon. The lexer stands after it; it is copied to look one token
 * ahead, and moved on over the rest of a label. */
enum sql_block_token sql_blocks_take(struct sql_blocks *blocks, struct sql_lexer *lexer,
                                     const struct sql_token *token);

/* Takes a semicolon; true: it ends the whole statement. */
bool sql_blocks_semicolon(struct sql_blocks *blocks);

#endif
