/* SPDX-License-Identifier: Apache-2.0
 *
 * Columns of a record, by the names that its fields have in the log. */
#ifndef WEIR_AUDIT_FIELDS_H
#define WEIR_AUDIT_FIELDS_H

#include "entry.h"

#define FIELDS_MOST 64

struct fields {
    size_t count;
    int columns[FIELDS_MOST]; /* an index into record_rows, or a COLUMN_* */
};

/* Reads "time,user,sql". -1 and the error, which names the nearest field. */
int fields_parse(struct fields *fields, const char *list, struct error *error) WEIR_MUST_CHECK;

/* Adds the fields with tabs between. Tabs and line ends within one become blanks; what is absent is
 * empty, and what is not known is NULL. Lists are JSON. */
void fields_add(const struct fields *fields, const struct entry *entry, struct strbuf *text);

#endif
