/* SPDX-License-Identifier: Apache-2.0
 *
 * What kind of statement a text is: TiDB's label, and weir's own finer kind.
 *
 * Comments, white space and parentheses in front do not matter. Executable comments are code, not
 * comments, whatever version they name: a rule must not miss what they hide. When the mode
 * names the server and that server would not run one, the statement's kind is that of what the
 * server runs; only when nothing would remain of the statement does the hidden code count. (The
 * digest is TiDB's and sees the same text on every server: it takes the code of slash*! comments of
 * any version, drops slash*M! ones, and does not judge by the mode.) */
#ifndef WEIR_SQL_KIND_H
#define WEIR_SQL_KIND_H

#include "sql/mode.h"

enum sql_label {
#define X(enumerator, text) SQL_LABEL_##enumerator,
#include "sql/labels.def"
#undef X
    SQL_LABEL_COUNT,
};

enum sql_kind {
#define X(enumerator, text, label) SQL_KIND_##enumerator,
#include "sql/kinds.def"
#undef X
    SQL_KIND_COUNT,
};

/* "Select", "CreateTable", "other": TiDB's text of a label. Static, never NULL. */
const char *sql_label_name(enum sql_label label);

/* "SetRole", "LockTables": weir's text of a kind. Static, never NULL. */
const char *sql_kind_name(enum sql_kind kind);

/* The index-th of all labels and kinds; some are both. NULL: there are no more. */
const char *sql_kind_name_at(size_t index);

/* TiDB's label of a kind. */
enum sql_label sql_kind_label(enum sql_kind kind);

struct sql_kinds {
    enum sql_label label;
    enum sql_kind kind;
    enum sql_kind
        inner; /* what EXPLAIN, TRACE, SET STATEMENT, BATCH hold; otherwise equal to kind */
};

/* The kind of one statement. Reads a query to its end (a UNION far on makes it a set
 * operation), anything else only as far as it needs. */
struct sql_kinds sql_statement_kind(struct sql_span statement, const struct sql_mode *mode);

/* The same from the first words alone: a set operation is told as the SELECT it begins with. For
 * callers that only want to recognise what they must act upon; some 30 ns for any statement. */
struct sql_kinds sql_statement_quick_kind(struct sql_span statement, const struct sql_mode *mode);

#endif
