/* SPDX-License-Identifier: Apache-2.0
 *
 * What a node says of its sessions when another one asks, as JSON: the texts of node_requests.h. An answer has as many as
 * fit; the rest is asked for by the id of the last one.
 *
 * Statements are there as their normalised text and digest: no literal goes to the store. */
#ifndef WEIR_CLUSTER_NODE_PROCESSES_H
#define WEIR_CLUSTER_NODE_PROCESSES_H

#include "store/store.h"

#define NODE_PROCESS_TEXT_BYTES 1024 /* of a statement's text, at most; the rest is cut off */

/* A session. Texts may be "": not known, or none. */
struct node_process {
    uint32_t id;
    int64_t time_s; /* in its state; -1: not known */
    const char *user, *host, *database, *command, *state, *digest, *text;
};

struct node_processes_question {
    uint32_t after;   /* only sessions with a higher id */
    const char *user; /* only that user's; "": all. Of one that was read: borrowed from `owned` */
    void *owned;
};

struct node_processes {
    struct node_process *rows; /* owned; texts are borrowed from `owned` */
    size_t count;
    bool has_more; /* they did not fit */
    void *owned;
};

/* Appends it. */
void node_processes_ask(struct strbuf *out, const struct node_processes_question *question);

/* Appends as many rows, by rising ids from the question's on, as room has bytes for. */
void node_processes_write(struct strbuf *out, const struct node_process *rows, size_t count,
                          const struct node_processes_question *question, size_t room);

/* Read foreign bytes. Return false if they are none; otherwise a release is due. */
bool node_processes_question_read(struct node_processes_question *question,
                                  struct store_bytes bytes) WEIR_MUST_CHECK;
bool node_processes_read(struct node_processes *processes,
                         struct store_bytes bytes) WEIR_MUST_CHECK;
void node_processes_question_release(struct node_processes_question *question);
void node_processes_release(struct node_processes *processes);

#endif
