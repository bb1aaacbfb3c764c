/* SPDX-License-Identifier: Apache-2.0
 *
 * The statements that a statement is made of, for rules that must not miss what is wrapped:
 * the statement itself first, then what EXPLAIN ANALYZE, TRACE, SET STATEMENT and BATCH run, what
 * stands in a compound statement or in the body of a routine, and the text of PREPARE ... FROM
 * 'text' and EXECUTE IMMEDIATE 'text', read like a statement of its own. What a plain EXPLAIN
 * explains is not run and is no part.
 *
 *     struct sql_parts parts;
 *     sql_parts_init(&parts);
 *     if (sql_parts_read(&parts, statement, &mode)) { ... parts.items[0 .. parts.count - 1] ... }
 *     sql_parts_release(&parts);
 *
 * A text that is computed at run time gives no part, and then they are not known.
 * Memory is kept between statements. Time in proportion to the text. */
#ifndef WEIR_SQL_PARTS_H
#define WEIR_SQL_PARTS_H

#include "base/base.h"
#include "sql/kind.h"
#include "sql/runs.h"

struct sql_part {
    enum sql_kind kind;
    bool has_where; /* a WHERE outside of parentheses that names more than constants; WHERE 1 is
                       none */
    bool in_text;   /* in the text of a PREPARE or EXECUTE IMMEDIATE */
    struct sql_span text; /* of this part, up to its end; in the statement, or owned by the parts */
    struct sql_mode mode; /* that the text is read in */
};

struct sql_parts {
    struct sql_part *items; /* owned */
    size_t count;
    bool known; /* false: a text is computed at run time, nested too deep, or read in a mode that is
                   not known. What CALL and EXECUTE run is not asked for */

    /* Private. */
    size_t capacity;
    struct sql_runs runs;
};

void sql_parts_init(struct sql_parts *parts);
void sql_parts_release(struct sql_parts *parts);

/* Reads one statement; the items live until the next call. At least one part, unless false: there
 * is no memory. */
WEIR_MUST_CHECK bool sql_parts_read(struct sql_parts *parts, struct sql_span statement,
                                    const struct sql_mode *mode);

#endif
