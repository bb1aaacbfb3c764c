/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the configuration again, and has it take effect: on SIGHUP, and on ADMIN RELOAD CONFIG.
 *
 *     asked ──► read ──► prepare: whatever can fail ──► commit: nothing can ──► idle
 *                 └─────────────────┴── failed: nothing has changed ────────────► idle
 *
 * One at a time. A SIGHUP that comes meanwhile has it done once more; a statement is refused. */
#ifndef WEIR_GATEWAY_RELOAD_H
#define WEIR_GATEWAY_RELOAD_H

#include "gateway/listeners.h"
#include "gateway/reporting.h"

struct reload;

/* reporting: where the status port is, or will be. Returns owned (reload_free), or NULL without memory.
 * Main thread, as all but reload_by_statement(). */
WEIR_MUST_CHECK struct reload *reload_new(struct gateway *gateway, uv_loop_t *loop,
                                          struct reporting **reporting,
                                          struct listeners *listeners);

/* From now on it serves requests. */
void reload_start(struct reload *reload);

/* SIGHUP: also has the log opened again, whatever is wrong with the configuration. */
void reload_by_signal(struct reload *reload);

/* Blocks until it is done. notes: as those of gateway_options.read_again(). Returns 0, or -1 and a
 * message: nothing has changed. Any thread but the main one and workers. */
WEIR_MUST_CHECK int reload_by_statement(struct reload *reload, struct strbuf *notes,
                                        struct error *error);

/* Ends the one that is going on and refuses others; idempotent. */
void reload_stop(struct reload *reload);

/* Closes its handles, once no statement runs any more. */
void reload_close(struct reload *reload);

void reload_free(struct reload *reload); /* after the loop; NULL is allowed */

#endif
