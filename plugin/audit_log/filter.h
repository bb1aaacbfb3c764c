/* SPDX-License-Identifier: Apache-2.0
 *
 * Filters in MySQL Enterprise Audit's JSON language: which events of which accounts are recorded,
 * which statements are refused (`abort`), whose text is replaced by its normalised form (`print`).
 * The file is one object:
 *
 *     {"filters": {"NAME": {"filter": {...}}}, "users": {"app@%": "NAME", "%": "NAME"}}
 *
 * "%" is every account that has no filter of its own. An account without any is recorded whole:
 * other than in MySQL, silence must be asked for. A mistake in the file is found when it is read,
 * and changes nothing. */
#ifndef AUDIT_LOG_FILTER_H
#define AUDIT_LOG_FILTER_H

#include "record.h"

#define FILTER_PROBLEM_BYTES 400

struct filters;

/* Reads the file; one that is not there has no filters. Returns owned, or NULL and the problem. */
struct filters *filters_read(const char *path, char problem[FILTER_PROBLEM_BYTES]);
/* The same from text; path is for messages. */
struct filters *filters_parse(const char *text, size_t size, const char *path,
                              char problem[FILTER_PROBLEM_BYTES]);
void filters_free(struct filters *filters);
/* There is none: nothing to decide. */
bool filters_are_empty(const struct filters *filters);

struct filter_decision {
    bool log;             /* the event is recorded */
    bool without_general; /* a statement: only its tables are */
    uint64_t table_skip;  /* bit i: table i is not */
    bool abort, redact;
};

/* Decides about a record. Any thread, while nobody frees. */
struct filter_decision filters_decide(const struct filters *filters, const struct record *record);

#endif
