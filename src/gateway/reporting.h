/* SPDX-License-Identifier: Apache-2.0
 *
 * The status port of this gateway: opens it as the options say, and answers what its pages ask. */
#ifndef WEIR_GATEWAY_REPORTING_H
#define WEIR_GATEWAY_REPORTING_H

#include "gateway/worker.h"

struct reporting;

/* Once the workers have been started. *reporting NULL and 0: there is no status port, as the options
 * want it, or because the usual one is taken, which is logged. gateway outlives it. */
WEIR_MUST_CHECK int reporting_open(struct reporting **reporting, struct gateway *gateway,
                                   struct error *error);

/* The certificates have been read again; so is the token. NULL is allowed. */
WEIR_MUST_CHECK int reporting_reload(struct reporting *reporting, struct error *error);

/* Before the workers are joined. NULL is allowed. */
void reporting_close(struct reporting *reporting);

#endif
