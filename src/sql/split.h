/* SPDX-License-Identifier: Apache-2.0
 *
 * The statements of a multi-statement text, one after the other, in place.
 *
 * A statement ends after the first semicolon that is not inside of quotes, comments, or a compound
 * statement (BEGIN NOT ATOMIC ... END, IF, CASE, LOOP, WHILE, REPEAT, FOR; the bodies of CREATE
 * PROCEDURE, FUNCTION, TRIGGER, EVENT, PACKAGE). Its text keeps that semicolon and the white space
 * and comments before it. An empty statement (`;;`) is part of the one after it; what follows the
 * last semicolon is a statement only when it holds more than white space and comments. A text
 * without any statement gives none. A NUL is more: after a semicolon it begins a statement, which the
 * server refuses. TiDB cuts in the same places, and like there one newline is in
 * no statement where the text begins, right after a semicolon, and where the text ends. A semicolon
 * in an executable comment that the server runs is a semicolon.
 *
 *     struct sql_splitter splitter;
 *     struct sql_span statement;
 *     sql_splitter_init(&splitter, text, &mode);
 *     while (sql_splitter_next(&splitter, &statement)) { ... }
 *
 * Pure, no allocation; any text takes time in proportion to its length. One thread at a time per
 * splitter. */
#ifndef WEIR_SQL_SPLIT_H
#define WEIR_SQL_SPLIT_H

#include "sql/mode.h"

struct sql_splitter {
    struct sql_span rest; /* not yet given out; borrowed */
    struct sql_mode mode;
    bool uncertain; /* blocks were nested deeper than 1000: the statement given last is all of the
                       rest and may hold several */
};

/* text is borrowed until the last call of sql_splitter_next(). */
void sql_splitter_init(struct sql_splitter *splitter, struct sql_span text,
                       const struct sql_mode *mode);

/* False: there is no further statement. */
bool sql_splitter_next(struct sql_splitter *splitter, struct sql_span *statement);

/* Whether the text holds more than one statement; costs one memchr() for most texts. */
bool sql_is_multi(struct sql_span text, const struct sql_mode *mode);

#endif
