/* SPDX-License-Identifier: Apache-2.0
 *
 * What is remembered of a client between its events: what it counts for, and which databases it may
 * use. */
#ifndef IP_FILTER_VISIT_H
#define IP_FILTER_VISIT_H

#include <stdbool.h>
#include <stdint.h>
#include <weir/check.h>
#include <weir/plugin.h>

#include "tally.h"

#define VISIT_MAGIC 0x1bf117e2U

struct visit {
    uint32_t magic;                    /* of one that is kept with a session */
    struct tally_key address, account; /* size 0: not counted */
    char **databases;                  /* owned, up to a NULL; NULL: any */
};

/* Returns the visit that is kept with the session; NULL: none. Borrowed. */
static inline struct visit *visit_of(const weir_session *session)
{
    struct visit *visit = (struct visit *)weir_session_data(session);
    if (visit)
        WEIR_CHECK(visit, VISIT_MAGIC);
    return visit;
}

/* Replaces the databases by a copy of these (NULL: any). False: no memory. */
WEIR_MUST_CHECK bool visit_set_databases(struct visit *visit, char *const *databases);

/* No longer counts, and frees what the visit owns. */
void visit_end(struct visit *visit);

/* Whether the statement keeps to the visit's databases. */
bool visit_allows(const struct visit *visit, const weir_session *session);

#endif
