/* SPDX-License-Identifier: Apache-2.0
 *
 * What one node asks of another, by keys of the store: each node follows those below its own number, so that what two nodes
 * say to each other goes to nobody else.
 *
 *     asking node 7: put PREFIX 8/7-ID "?text" ──► wait ──► PREFIX 7/8-ID "!answer", or too late ──► both are deleted
 *     asked node 8:  "?" ──► asked() ──► node_requests_answer()
 *
 * A request is carried out once at most. One that was too late may have been carried out all the same. Keys have the
 * asking node's lease, so that none stays. */
#ifndef WEIR_CLUSTER_NODE_REQUESTS_H
#define WEIR_CLUSTER_NODE_REQUESTS_H

#include "cluster/membership.h"

#define NODE_REQUEST_BYTES 4096                    /* of a question, at most */
#define NODE_ANSWER_BYTES  (STORE_VALUE_BYTES - 1) /* of an answer, at most */

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

/* Follows what is asked of the node as it gets a number. store and membership are borrowed. Returns owned
 * (node_requests_free(), after the store), or NULL without memory. */
struct node_requests *
node_requests_new(struct store *store, const struct node_requests_options *options) WEIR_MUST_CHECK;

/* The node has that number now (0: none). Any thread. */
void node_requests_join(struct node_requests *requests, unsigned number);

/* A question to a node. */
struct node_question {
    unsigned to;
    struct strbuf *answer; /* what it has answered is added */
    bool is_answered;
};

/* Asks nodes the same, and waits for their answers. Returns 0 once all have answered; otherwise -1 and a message, and the
 * questions say which have. Any thread but the store's. */
int node_requests_ask_all(struct node_requests *requests, struct node_question *questions,
                          size_t count, struct store_bytes text, uint64_t wait_ms,
                          struct error *error) WEIR_MUST_CHECK;

/* Asks one. */
int node_requests_ask(struct node_requests *requests, unsigned to, struct store_bytes text,
                      uint64_t wait_ms, struct strbuf *answer, struct error *error) WEIR_MUST_CHECK;

/* Answers a request, whose text does not matter; nobody may be left who wants to know. Any thread. */
void node_requests_answer(struct node_requests *requests, const struct node_request *request,
                          struct store_bytes text);

/* From now on nothing is asked, and whoever waits reads that it ends. Any thread. */
void node_requests_stop(struct node_requests *requests);

void node_requests_free(struct node_requests *requests); /* may be NULL */

#endif
