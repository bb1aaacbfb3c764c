/* SPDX-License-Identifier: Apache-2.0
 *
 * Deciding about one event: a compiled filter is walked, and says whether the event is recorded,
 * aborted, its text replaced, and which filter is in force afterwards. Nothing is allocated. */
#ifndef AUDIT_LOG_FILTER_RUN_H
#define AUDIT_LOG_FILTER_RUN_H

#include "filter_tree.h"
#include "record.h"

/* What conditions can read besides the record. */
struct filter_subject {
    const struct record *record;
    const weir_session *session;      /* for the digest; NULL: there is none */
    uint64_t variables[VARIABLE_END]; /* the policies' numbers */
    weir_string included, excluded;   /* lists of accounts; empty: NULL */
};

/* One event in MySQL's terms. */
struct filter_occasion {
    const struct filter_subject *subject;
    enum filter_event event;
    const weir_table *table; /* of a table_access event; else NULL */
    bool is_possible; /* a table_access event of a table that is not known, if there is one */
};

/* What cannot be told, because a fact is not known, counts as true: in doubt an event is recorded,
 * aborted, and its text replaced. */
struct filter_outcome {
    bool log, abort, redact;
    const struct filter_tree *next; /* the filter in force for the next event */
};

struct filter_outcome filter_run(const struct filter_tree *tree,
                                 const struct filter_occasion *occasion);

#endif
