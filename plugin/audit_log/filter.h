/* SPDX-License-Identifier: Apache-2.0
 *
 * Filters in MySQL Enterprise Audit's JSON language: which events of which accounts are recorded,
 * which statements are refused (`abort`), whose text is replaced by its normalised form (`print`).
 * All of them are one object:
 *
 *     {"filters": {"NAME": {"filter": {...}}}, "users": {"app@%": "NAME", "%": "NAME"}}
 *
 * "%" is every account that has no filter of its own. An account without any is recorded whole:
 * other than in MySQL, silence must be asked for.
 *
 * A set of filters is immutable. To change it, make another one of this one
 * (filter_store.h); a mistake is found then, and changes nothing. */
#ifndef AUDIT_LOG_FILTER_H
#define AUDIT_LOG_FILTER_H

#include <weir/account.h>
#include <weir/check.h>

#include "filter_run.h"

struct filters;

/* Reads the text of a file; path is for messages. Returns owned, or NULL and the problem. */
WEIR_MUST_CHECK struct filters *filters_parse(const char *text, size_t size, const char *path,
                                              struct error *error);
/* The same from JSON, of which it takes the reference, also when it fails. */
WEIR_MUST_CHECK struct filters *filters_of_json(json_t *root, const char *path,
                                                struct error *error);
void filters_free(struct filters *filters);

/* Reads an account as people write it, and writes it in the one way that it has in the file:
 * app@10.% for 'app'@'10.%'; % alone is all others. -1 and the problem. */
#define FILTERS_ACCOUNT_BYTES (ACCOUNT_QUOTED_BYTES + 1)
WEIR_MUST_CHECK int filters_name_account(const char *text, char name[FILTERS_ACCOUNT_BYTES],
                                         struct error *error);

/* There is none: nothing to decide. */
bool filters_are_empty(const struct filters *filters);
/* What it was made of; borrowed. */
const json_t *filters_json(const struct filters *filters);
/* The number of the filter that an account has, from 1; 0: it has none. */
unsigned filters_id(const struct filters *filters, const struct record *record);

/* Which filter a session has at the moment: one can hand over to another (`activate`). All zeros at
 * first, and after the account has changed. */
struct filter_state {
    uint64_t set; /* the set's number: a new set starts from its first filter */
    const struct filter_definition *definition;
    const struct filter_tree *active;
};

struct filter_decision {
    bool log;             /* the event is recorded */
    bool without_general; /* a statement: only its tables are */
    uint64_t table_skip;  /* bit i: table i is not */
    bool abort, redact;
};

/* Decides about a record, and updates the state. Any thread; not while the set is freed. */
struct filter_decision filters_decide(const struct filters *filters,
                                      const struct filter_subject *subject,
                                      struct filter_state *state);

#endif
