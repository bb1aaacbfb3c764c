/* SPDX-License-Identifier: Apache-2.0
 *
 * What etcd's JSON gateway says: the answer to a request, or a line of a watch, as one struct. */
#ifndef WEIR_CLUSTER_ETCD_ANSWER_H
#define WEIR_CLUSTER_ETCD_ANSWER_H

#include "store/store.h"

/* Codes of gRPC, which are etcd's errors. */
enum {
    ETCD_INVALID_ARGUMENT = 3,
    ETCD_NOT_FOUND = 5,
    ETCD_UNAVAILABLE = 14,
    ETCD_UNAUTHENTICATED = 16,
};

struct etcd_answer {
    bool is_error;
    long code;                   /* error: of gRPC; 0: it has none */
    char message[256];           /* error */
    int64_t revision;            /* of the store; 0: not said */
    struct store_entry *entries; /* owned, with their bytes in `bytes` */
    size_t count;
    char *bytes;      /* owned */
    bool succeeded;   /* a transaction's compares held */
    int64_t lease;    /* its id */
    long ttl_s;       /* of the lease; 0: it does not exist */
    char *token;      /* owned; of authenticate; NULL: none */
    bool is_created;  /* the watch has begun */
    bool is_canceled; /* ... and has ended */
    int64_t
        compacted; /* because what is before this revision is forgotten; 0: for another reason */
};

/* Reads size bytes of foreign JSON. Returns 0, or -1 and *error if it is none of etcd's answers. The
 * answer is to be released either way. */
int etcd_answer_read(struct etcd_answer *answer, const char *text, size_t size,
                     struct error *error) WEIR_MUST_CHECK;
void etcd_answer_release(struct etcd_answer *answer);

#endif
