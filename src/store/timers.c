/* SPDX-License-Identifier: Apache-2.0
 *
 * Timers of a store: few, in a list. */
#include <stdlib.h>
#include <utlist.h>

#include "store/parts.h"

bool timer_add(struct timer **timers, struct store *store, uint64_t at_ns, store_timer *function,
               void *user)
{
    struct timer *made = calloc(1, sizeof *made);
    if (!made)
        return false;
    made->store = store;
    made->at_ns = at_ns;
    made->timer = function;
    made->user = user;
    DL_APPEND(*timers, made);
    return true;
}

struct timer *timer_first(struct timer *timers)
{
    struct timer *first = timers;
    for (struct timer *timer = timers; timer; timer = timer->next)
        if (timer->at_ns < first->at_ns)
            first = timer;
    return first;
}

void timer_run(struct timer **timers, struct timer *timer)
{
    DL_DELETE(*timers, timer);
    timer->timer(timer->user);
    free(timer);
}
