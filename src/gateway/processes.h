/* SPDX-License-Identifier: Apache-2.0
 *
 * The sessions of this gateway, as a list. Each worker adds its own between two events of its loop; no session waits for
 * that, and none is held up for longer than the listing takes. */
#ifndef WEIR_GATEWAY_PROCESSES_H
#define WEIR_GATEWAY_PROCESSES_H

#include "cluster/cluster.h"
#include "gateway/worker.h"

struct processes;

/* Whether workers may be asked: from the start of all until before the first is joined. Main thread. */
void processes_open(struct gateway *gateway);
void processes_close(struct gateway *gateway);

/* Asks all workers. done(user, processes) is called once, on the last one's thread, or from within this call where there is
 * none; rows that there was no memory for are missing. Returns whether it will be. Any thread; does not block. */
WEIR_MUST_CHECK bool processes_read(struct gateway *gateway,
                                    void (*done)(void *user, struct processes *processes),
                                    void *user);

/* Within done(). */
const struct node_process *processes_rows(const struct processes *processes, size_t *count);

/* Gives a statement the rows of a node that it wants. */
void processes_give(struct session_process_list *list, unsigned node,
                    const struct node_processes *processes);

/* Gives a statement those of this gateway, which is that node. Blocks; any thread but a worker's. */
void processes_list(struct gateway *gateway, unsigned node, struct session_process_list *list);

#endif
