/* SPDX-License-Identifier: Apache-2.0
 *
 * What other threads have done on a worker's. */
#include <utlist.h>

#include "gateway/worker.h"

void worker_give_visit(struct worker *worker, struct worker_visit *visit)
{
    pthread_mutex_lock(&worker->lock);
    LL_PREPEND(worker->visits, visit);
    if (!worker->has_ended)
        uv_async_send(&worker->wake);
    pthread_mutex_unlock(&worker->lock);
}

/* The visit may be gone once it has run. */
void worker_run_visits(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    struct worker_visit *visits = worker->visits;
    worker->visits = NULL;
    pthread_mutex_unlock(&worker->lock);
    while (visits) {
        struct worker_visit *visit = visits;
        visits = visit->next;
        visit->run(worker, visit);
    }
}
