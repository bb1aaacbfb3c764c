/* SPDX-License-Identifier: Apache-2.0
 *
 * Asks a store, and waits for what it says: the answer of a request, and the news of a prefix as one text, such as
 * "everything@6 foo=bar; changes@7 foo gone; lost; ". */
#ifndef WEIR_TESTS_ASKING_H
#define WEIR_TESTS_ASKING_H

#include <pthread.h>

#include "cluster/cluster.h"

struct asked {
    pthread_mutex_t lock;
    pthread_cond_t more;
    int answers;
    enum store_status status; /* of the last one */
    char message[512];
    int64_t revision, lease;
    long ttl_s;
    size_t count;
    struct strbuf news;
};

#define ASKED_INIT                                                                                 \
    {                                                                                              \
        .lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER                        \
    }

/* Sends it and waits for its answer. */
enum store_status ask(struct store *store, struct asked *asked, struct store_request request);
/* done() of requests, with the struct as their user. */
store_done asked_done;
void asked_wait(struct asked *asked, int answers);
/* store_follow()'s, with the struct as its user. */
store_follower asked_news;
/* Waits until `text` is in the news. */
void asked_wait_news(struct asked *asked, const char *text);
void asked_release(struct asked *asked);

#endif
