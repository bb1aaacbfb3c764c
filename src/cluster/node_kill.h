/* SPDX-License-Identifier: Apache-2.0
 *
 * A KILL that one node asks of another, and its answer, as JSON: the texts of node_requests.h. */
#ifndef WEIR_CLUSTER_NODE_KILL_H
#define WEIR_CLUSTER_NODE_KILL_H

#include "store/store.h"

#define NODE_KILL_TEXT_BYTES 512 /* of a user's name, and of a message, with the NUL */

struct node_kill {
    uint32_t id;   /* of the session, as its client knows it */
    int64_t lease; /* of the node that has handed it out: another one may have its number by now */
    bool is_query, is_soft;
    bool is_granted;                 /* it may be anybody's session */
    char user[NODE_KILL_TEXT_BYTES]; /* whose session it may be otherwise; "": nobody's */
};

/* X(enumerator, name): what came of it. */
#define NODE_KILL_OUTCOMES(X)                                                                      \
    X(NODE_KILL_FAILED, "failed") /* and a message says why */                                     \
    X(NODE_KILL_DONE, "done")                                                                      \
    X(NODE_KILL_NOBODY, "nobody") /* has that id */                                                \
    X(NODE_KILL_DENIED, "denied") /* it is another user's */

enum node_kill_outcome {
#define X(enumerator, name) enumerator,
    NODE_KILL_OUTCOMES(X)
#undef X
};

struct node_kill_answer {
    enum node_kill_outcome outcome;
    char message[NODE_KILL_TEXT_BYTES];
};

/* Append them. A user that JSON cannot have (no UTF-8) is nobody. */
void node_kill_write(struct strbuf *out, const struct node_kill *kill);
void node_kill_answer_write(struct strbuf *out, const struct node_kill_answer *answer);

/* Read foreign bytes. Return false if they are none. */
bool node_kill_read(struct node_kill *kill, struct store_bytes bytes) WEIR_MUST_CHECK;
bool node_kill_answer_read(struct node_kill_answer *answer,
                           struct store_bytes bytes) WEIR_MUST_CHECK;

#endif
