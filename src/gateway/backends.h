/* SPDX-License-Identifier: Apache-2.0
 *
 * The backends of the configuration: as upstreams, and as sessions see them. */
#ifndef WEIR_GATEWAY_BACKENDS_H
#define WEIR_GATEWAY_BACKENDS_H

#include "gateway/worker.h"

/* The set that the configuration describes; it holds that for its texts. list is filled in for it. */
void backends_describe(struct gateway_configuration *configuration,
                       struct upstream_options list[GATEWAY_BACKENDS_MOST],
                       struct upstream_set_options *set);

/* Makes gateway->upstreams and has them looked at. on_looked: see upstream_set_start(). */
WEIR_MUST_CHECK int backends_start(struct gateway *gateway, uv_loop_t *loop,
                                   upstream_on_looked *on_looked, void *user, struct error *error);

/* For a reload: as upstream_set_prepare(), which says what is due; and the commit of that. Workers are to be woken. */
WEIR_MUST_CHECK int backends_prepare(struct gateway *gateway, struct gateway_configuration *fresh,
                                     void (*on_ready)(void *user), void *user, struct error *error);
void backends_commit(struct gateway *gateway);

/* The number of what an upstream's tag is, for backend_view_at(). Any thread. */
unsigned backend_view_index(const struct session_backend *backend);
const struct session_backend *backend_view_at(struct gateway *gateway, unsigned index);

/* Runs a KILL statement at a backend, by the account of its checks. Blocks: threads of the pool. Returns 0, or -1 and why. */
WEIR_MUST_CHECK int backend_kill(struct gateway *gateway, const struct session_backend *backend,
                                 const char *statement, struct error *error);

/* Sessions of backends that are lost are ended, and those that were logging in when a drain began. */
void backends_end_sessions(struct gateway *gateway);

void backends_free(struct gateway *gateway); /* after the loop */

#endif
