/* SPDX-License-Identifier: Apache-2.0
 *
 * What a node says of itself to the others, as JSON. Members that a newer version adds are passed over; what is missing or
 * of another type is empty. */
#ifndef WEIR_CLUSTER_NODE_RECORD_H
#define WEIR_CLUSTER_NODE_RECORD_H

#include "store/store.h"

#define NODE_RECORD_PLUGINS  32 /* at most */
#define NODE_RECORD_REFUSALS 32 /* at most */

struct node_plugin {
    const char *name, *version, *state;
    const char *flush; /* what came of the last flush or change of its state; "": nothing */
};

/* A variable of which the node could not take the cluster's value. */
struct node_refusal {
    const char *variable, *why;
};

struct node_record {
    const char *address, *version;
    int64_t since_s; /* seconds since 1970 UTC */
    int64_t sessions;
    struct node_plugin plugins[NODE_RECORD_PLUGINS];
    size_t plugin_count;
    struct node_refusal refusals[NODE_RECORD_REFUSALS];
    size_t refusal_count;
    void *owned; /* of one that was read */
};

/* Appends it. */
void node_record_write(struct strbuf *out, const struct node_record *record);

/* Reads foreign bytes. Returns false if they are none. node_record_release() is due if it returns true. */
bool node_record_read(struct node_record *record, struct store_bytes bytes) WEIR_MUST_CHECK;
void node_record_release(struct node_record *record);

bool node_record_has(const struct node_record *record, const char *plugin);

#endif
