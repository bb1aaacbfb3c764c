/* SPDX-License-Identifier: Apache-2.0
 *
 * The backends of the configuration: as upstreams, and as sessions see them. */
#ifndef WEIR_GATEWAY_BACKENDS_H
#define WEIR_GATEWAY_BACKENDS_H

#include "gateway/worker.h"

/* The set that the options describe; its texts are the options'. list is filled in for it. Returns 0, or -1 and a
 * message about what does not go together. */
WEIR_MUST_CHECK int backends_describe(const struct gateway_options *options,
                                      struct upstream_options list[GATEWAY_BACKENDS_MOST],
                                      struct upstream_set_options *set, struct error *error);

/* Makes gateway->upstreams and has them looked at. on_looked: see upstream_set_start(). */
WEIR_MUST_CHECK int backends_start(struct gateway *gateway, uv_loop_t *loop,
                                   upstream_on_looked *on_looked, void *user, struct error *error);

/* Sessions that were logging in when a drain began are drained now. */
void backends_drain_on(struct gateway *gateway);

void backends_free(struct gateway *gateway); /* after the loop */

#endif
