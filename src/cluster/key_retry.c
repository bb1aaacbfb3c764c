/* SPDX-License-Identifier: Apache-2.0
 *
 * One timer at a time. */
#include "cluster/key_retry.h"

#define RETRY_MS 1000

static void on_timer(void *user)
{
    struct key_retry *retry = user;
    pthread_mutex_lock(retry->lock);
    retry->has_timer = false;
    if (retry->is_reached && !retry->is_stopped)
        retry->retry(retry->user);
    pthread_mutex_unlock(retry->lock);
}

void key_retry_later(struct key_retry *retry)
{
    if (!retry->has_timer)
        retry->has_timer = store_after(retry->store, RETRY_MS, on_timer, retry);
}
