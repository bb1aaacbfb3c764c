/* SPDX-License-Identifier: Apache-2.0
 *
 * What one node asks of another, by keys of the store: PREFIX TO/ID with "?" and a text, which is replaced by "!" and
 * the answer.
 *
 *     asking: put "?" ──► wait ──► "!" or too late ──► delete
 *     asked:  "?" to this node's number ──► asked() ──► node_requests_answer()
 *
 * A request is carried out once at most. One that was too late may have been carried out all the same. Keys have the
 * asking node's lease, so that none stays. */
#ifndef WEIR_CLUSTER_NODE_REQUESTS_H
#define WEIR_CLUSTER_NODE_REQUESTS_H

#include "cluster/membership.h"

#define NODE_REQUEST_BYTES 4096 /* of a text, at most */

struct node_requests;

/* A request that was asked of this node. Borrowed; all but its text is what the answer needs. */
struct node_request {
    const char *key; /* NUL-terminated */
    int64_t revision, lease;
    struct store_bytes text; /* foreign */
};

struct node_requests_options {
    const char *prefix; /* copied */
    struct membership *membership;
    void (*asked)(void *user, const struct node_request *request); /* on the store's thread */
    void *user;
};

/* Begins to follow. store and membership are borrowed. Returns owned (node_requests_free(), after the store), or NULL
 * without memory. */
struct node_requests *
node_requests_new(struct store *store, const struct node_requests_options *options) WEIR_MUST_CHECK;

/* Asks a node, and waits for its answer, which is added to *answer. Returns 0, or -1 and a message. Any thread but the
 * store's. */
int node_requests_ask(struct node_requests *requests, unsigned to, struct store_bytes text,
                      uint64_t wait_ms, struct strbuf *answer, struct error *error) WEIR_MUST_CHECK;

/* Answers a request, whose text does not matter; nobody may be left who wants to know. Any thread. */
void node_requests_answer(struct node_requests *requests, const struct node_request *request,
                          struct store_bytes text);

/* From now on nothing is asked, and whoever waits reads that it ends. Any thread. */
void node_requests_stop(struct node_requests *requests);

void node_requests_free(struct node_requests *requests); /* may be NULL */

#endif
