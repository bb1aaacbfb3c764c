/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the room: what could not be put, or read, is tried again a second later. However often that is asked for, it is
 * done once; where the store is not reached, news say when it is, and nothing is tried. */
#ifndef WEIR_CLUSTER_KEY_RETRY_H
#define WEIR_CLUSTER_KEY_RETRY_H

#include <pthread.h>

#include "store/store.h"

struct key_retry {
    struct store *store;   /* borrowed */
    pthread_mutex_t *lock; /* borrowed: the user's; it is held when retry() is called */
    /* Tries what is due. On the store's thread. */
    void (*retry)(void *user);
    void *user;
    bool is_reached, is_stopped; /* the user's to set */
    bool has_timer;
};

/* Has it tried again. The lock is held. */
void key_retry_later(struct key_retry *retry);

#endif
