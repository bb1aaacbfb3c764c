/* SPDX-License-Identifier: Apache-2.0
 *
 * The pages: each writes its body. On the status port's thread. */
#ifndef WEIR_GATEWAY_STATUS_PAGES_H
#define WEIR_GATEWAY_STATUS_PAGES_H

#include "gateway/status/exposition.h"
#include "gateway/status/status.h"

struct status_request {
    const struct status_source *source;
    bool is_trusted;         /* it has shown the token, or none is asked for */
    bool takes_open_metrics; /* by its Accept */
    struct strbuf body;      /* what is answered */
};

/* Each returns the HTTP status. */
unsigned page_status(struct status_request *request);
unsigned page_health(struct status_request *request);
unsigned page_ready(struct status_request *request);
unsigned page_config(struct status_request *request);
unsigned page_metrics(struct status_request *request);

/* The parts of page_metrics(). */
void plugins_expose(struct exposition *page, const struct status_source *source,
                    const struct metrics *metrics);
void process_expose(struct exposition *page);

#endif
