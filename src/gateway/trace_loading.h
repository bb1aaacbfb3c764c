/* SPDX-License-Identifier: Apache-2.0
 *
 * The trace plugin of the process: loaded at the start or by a statement, and then it stays. */
#ifndef WEIR_GATEWAY_TRACE_LOADING_H
#define WEIR_GATEWAY_TRACE_LOADING_H

#include "gateway/worker.h"

/* Loads what the options name. -1 and error. Before the workers start. */
WEIR_MUST_CHECK int trace_loading_open(struct gateway *gateway, struct error *error);

/* Unloads the plugin. All sessions have ended. */
void trace_loading_close(struct gateway *gateway);

/* Loads a plugin that traces nobody yet: NAME.so in -plugin-dir, or of those that came with weir.
 * -1 and error, as when one is loaded already. Any thread. */
WEIR_MUST_CHECK int trace_loading_load(struct gateway *gateway, const char *name,
                                       struct error *error);

#endif
