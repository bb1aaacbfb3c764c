/* SPDX-License-Identifier: Apache-2.0
 *
 * The gateway as a node of a cluster: its number, what it says of itself, and the plugins' flushes and states that
 * nodes share.
 *
 *     a statement here ──► plugin_keys ──► the other nodes
 *     another node ──► plugin_keys ──► orders ──► the link's thread ──► the registry
 *
 * Orders are carried out by a thread of their own, because a flush may read files and the store's thread must not
 * block. Nothing of a session waits for the store. */
#ifndef WEIR_GATEWAY_CLUSTER_LINK_H
#define WEIR_GATEWAY_CLUSTER_LINK_H

#include "cluster/cluster.h"
#include "gateway/worker.h"

struct cluster_link;

/* Begins to join. settled(user) is called in the loop, once or more often, when cluster_link_may_serve() may have
 * changed. own outlives it. Returns owned (cluster_link_stop()), or NULL and *error. Main thread. */
WEIR_MUST_CHECK struct cluster_link *cluster_link_start(struct gateway *gateway,
                                                        struct process_store *own, uv_loop_t *loop,
                                                        void (*settled)(void *user), void *user,
                                                        struct error *error);

/* Whether clients may be served: the node has its number, or need not have it. link NULL: in no cluster. Main thread. */
bool cluster_link_may_serve(const struct cluster_link *link);

/* This node's number; 0: it has none now, or is in no cluster. Any thread. */
unsigned cluster_link_number(const struct cluster_link *link);

/* The node for connection_ids_next(). Any thread. */
unsigned cluster_link_node(const struct cluster_link *link);

/* The other node that hands out that connection id now; CONNECTION_IDS_ALONE: none does. link may be NULL. Any
 * thread. */
unsigned cluster_link_other_node(const struct cluster_link *link, uint32_t id);

/* Leaves the cluster, and closes its handles. The memory goes with the store. Main thread; link may be NULL. */
void cluster_link_stop(struct cluster_link *link);

/* For sessions; their owner is a worker. */
extern const struct session_cluster cluster_link_operations;

#endif
