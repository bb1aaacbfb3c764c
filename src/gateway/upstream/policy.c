/* SPDX-License-Identifier: Apache-2.0
 *
 * The tiers, and the choice within one. */
#include "gateway/upstream/policy.h"

#include <assert.h>

#include "gateway/upstream/health.h"

enum tier { TIER_UP, TIER_STANDBY, TIER_NOT_UP, TIER_COUNT };

static bool is_in(const struct policy_candidate *candidate, enum tier tier)
{
    const enum tier own = candidate->share == 0   ? TIER_NOT_UP
                          : candidate->is_standby ? TIER_STANDBY
                                                  : TIER_UP;
    return candidate->is_eligible && own == tier;
}

/* Of a server that is not up the weight alone counts. */
static uint64_t pull_of(const struct policy_candidate *candidate)
{
    return (uint64_t)candidate->weight * (candidate->share ? candidate->share : HEALTH_SHARE_FULL);
}

/* The random number is used up digit by digit, so that each server has a chance of its own. */
static size_t first(enum tier tier, const struct policy_candidate *candidates, size_t count,
                    uint64_t random)
{
    size_t best = POLICY_NONE;
    for (size_t i = 0; i < count; i++) {
        if (!is_in(&candidates[i], tier))
            continue;
        if (best == POLICY_NONE)
            best = i; /* if all are passed over */
        if (tier == TIER_NOT_UP || random % HEALTH_SHARE_FULL < candidates[i].share)
            return i;
        random /= HEALTH_SHARE_FULL;
    }
    return best;
}

/* Where two have as few, they take turns at random. */
static size_t least(enum tier tier, const struct policy_candidate *candidates, size_t count,
                    uint64_t random)
{
    size_t best = POLICY_NONE, ties = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_in(&candidates[i], tier))
            continue;
        const uint64_t load = (uint64_t)(candidates[i].sessions + 1);
        const uint64_t left = best == POLICY_NONE ? 0 : load * pull_of(&candidates[best]);
        const uint64_t right = best == POLICY_NONE ? 0
                                                   : (uint64_t)(candidates[best].sessions + 1) *
                                                         pull_of(&candidates[i]);
        ties = best == POLICY_NONE || left < right ? 1 : ties + (left == right);
        if (best == POLICY_NONE || left < right || (left == right && random % ties == 0))
            best = i;
    }
    return best;
}

static size_t weighted(enum tier tier, const struct policy_candidate *candidates, size_t count,
                       uint64_t random)
{
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += is_in(&candidates[i], tier) ? pull_of(&candidates[i]) : 0;
    uint64_t at = total ? random % total : 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_in(&candidates[i], tier))
            continue;
        if (at < pull_of(&candidates[i]))
            return i;
        at -= pull_of(&candidates[i]);
    }
    return POLICY_NONE;
}

size_t policy_pick(enum upstream_policy policy, const struct policy_candidate *candidates,
                   size_t count, uint64_t random)
{
    static size_t (*const choose[])(enum tier, const struct policy_candidate *, size_t,
                                    uint64_t) = {
        [POLICY_ORDER] = first, [POLICY_LEAST_CONNECTIONS] = least, [POLICY_WEIGHTS] = weighted};
    assert(policy < sizeof choose / sizeof *choose);
    size_t found = POLICY_NONE;
    for (enum tier tier = TIER_UP; tier < TIER_COUNT && found == POLICY_NONE; tier++)
        found = choose[policy](tier, candidates, count, random);
    return found;
}
