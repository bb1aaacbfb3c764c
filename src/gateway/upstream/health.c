/* SPDX-License-Identifier: Apache-2.0
 *
 * Thresholds and the slow start: arithmetic on outcomes and a given clock. */
#include "gateway/upstream/health.h"

#include <assert.h>

static void enter(struct health *health, enum health_state state, uint64_t now_ns)
{
    if (health->state == HEALTH_DOWN && state == HEALTH_UP)
        health->returned_ns = now_ns;
    health->state = state;
    health->since_ns = now_ns;
    health->in_row = 0;
}

bool health_note(struct health *health, const struct health_options *options, bool success,
                 uint64_t now_ns)
{
    assert(options->rise > 0 && options->fall > 0);
    const enum health_state wanted = success ? HEALTH_UP : HEALTH_DOWN;
    if (health->state == wanted) {
        health->in_row = 0;
        return false;
    }
    health->in_row++;
    if (health->state != HEALTH_UNKNOWN &&
        health->in_row < (success ? options->rise : options->fall))
        return false;
    enter(health, wanted, now_ns);
    return true;
}

void health_return(struct health *health, uint64_t now_ns)
{
    health->returned_ns = now_ns;
}

unsigned health_share(const struct health *health, const struct health_options *options,
                      uint64_t now_ns)
{
    if (health->state != HEALTH_UP)
        return 0;
    const uint64_t back_ns = now_ns > health->returned_ns ? now_ns - health->returned_ns : 0;
    if (health->returned_ns == 0 || back_ns >= options->slow_start_ns)
        return HEALTH_SHARE_FULL;
    const double grown = (double)back_ns / (double)options->slow_start_ns;
    return HEALTH_SHARE_FIRST + (unsigned)((HEALTH_SHARE_FULL - HEALTH_SHARE_FIRST) * grown);
}
