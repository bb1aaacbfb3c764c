/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the room: PREPARE, EXECUTE, EXECUTE IMMEDIATE and DEALLOCATE taken apart. */
#ifndef WEIR_SQL_DYNAMIC_H
#define WEIR_SQL_DYNAMIC_H

#include "sql/cursor.h"

/* Whether the text of a PREPARE or EXECUTE IMMEDIATE stands at the cursor, as a single string in
 * plain quotes. Anything else is an expression that the server computes ('a' 'b', x'61', _utf8'a',
 * @a). */
bool sql_dynamic_text_is_literal(const struct sql_cursor *cursor);

struct sql_dynamic {
    struct sql_span name; /* of the prepared statement, as written; empty of EXECUTE IMMEDIATE */
    bool has_name;        /* name is made of ASCII letters, digits and underscores */
    bool has_text;        /* text is the string's token, in the cursor's text */
    struct sql_token text;
};

/* From one of these statements' first word (current): moves on to its text, or to after its name. */
void sql_dynamic_read(struct sql_cursor *cursor, struct sql_dynamic *dynamic);

#endif
