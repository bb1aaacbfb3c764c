/* SPDX-License-Identifier: Apache-2.0
 *
 * The set of filters in force: in memory for deciding, and in a file that survives restarts. It is
 * changed by whole sets: a new one is made, checked, written and brought to the disk, and then put
 * in the place of the old one. What fails changes nothing. A change is in force for every session
 * from its next event on.
 *
 * Deciding may happen on any thread; changes come one at a time (OnInit, OnFlush, OnFunction). */
#ifndef AUDIT_LOG_FILTER_STORE_H
#define AUDIT_LOG_FILTER_STORE_H

#include <weir/check.h>

#include "filter.h"

/* Reads the file, now and with each call again. Copies the path. -1 and the problem. */
WEIR_MUST_CHECK int filter_store_open(const char *path, struct error *error);
WEIR_MUST_CHECK int filter_store_reload(struct error *error);

/* All nodes of a cluster have the same filters from now on. Waits for theirs, two seconds at most. */
void filter_store_share(void);
/* Whether the cluster has filters that this node cannot take. */
bool filter_store_is_refused(void);

void filter_store_close(void);

/* Whether there is anything to decide. One load. */
bool filter_store_has_filters(void);
struct filter_decision filter_store_decide(const struct filter_subject *subject,
                                           struct filter_state *state);
unsigned filter_store_id(const struct record *record);

/* What clients do by SELECT. Texts are NUL-terminated; a definition is {"filter": {...}}. What is
 * not there is removed without complaint. -1 and the problem. */
WEIR_MUST_CHECK int filter_store_set_filter(const char *name, weir_string definition,
                                            struct error *error);
WEIR_MUST_CHECK int filter_store_remove_filter(const char *name, struct error *error);
WEIR_MUST_CHECK int filter_store_set_user(const char *account, const char *filter,
                                          struct error *error);
WEIR_MUST_CHECK int filter_store_remove_user(const char *account, struct error *error);

#endif
