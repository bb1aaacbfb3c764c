/* SPDX-License-Identifier: Apache-2.0
 *
 * What is remembered of a client between its events: what it counts for, and which databases it may
 * use. */
#ifndef IP_FILTER_VISIT_H
#define IP_FILTER_VISIT_H

#include <stdbool.h>
#include <weir/plugin.h>

#include "tally.h"

struct visit {
    struct tally_key address, account; /* size 0: not counted */
    char **databases;                  /* owned, up to a NULL; NULL: any */
};

/* Replaces the databases by a copy of these (NULL: any). False: no memory. */
bool visit_set_databases(struct visit *visit, char *const *databases);

/* No longer counts, and frees what the visit owns. */
void visit_end(struct visit *visit);

/* Whether the statement keeps to the visit's databases. */
bool visit_allows(const struct visit *visit, const weir_session *session);

#endif
