/* SPDX-License-Identifier: Apache-2.0
 *
 * Which server of a set gets the next session: a pure function of what is known of each.
 *
 *     order              the first that is up; the others stand by
 *     least-connections  the one with the fewest sessions for its weight
 *     weights            at random, in the proportion of the weights
 *
 * Whatever the policy, servers are tried in tiers: those that are up and no standby; standbys that are
 * up; those that are not up, since what a check said may be out of date and there is nothing to lose.
 * A share below HEALTH_SHARE_FULL (health.h) counts as a smaller weight; with `order` it is the
 * probability that the server is not passed over while another of its tier could take the session. */
#ifndef WEIR_GATEWAY_UPSTREAM_POLICY_H
#define WEIR_GATEWAY_UPSTREAM_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(enumerator, name) */
#define UPSTREAM_POLICIES(X)                                                                       \
    X(POLICY_ORDER, "order")                                                                       \
    X(POLICY_LEAST_CONNECTIONS, "least-connections")                                               \
    X(POLICY_WEIGHTS, "weights")

enum upstream_policy {
#define X(enumerator, name) enumerator,
    UPSTREAM_POLICIES(X)
#undef X
};

struct policy_candidate {
    bool is_eligible; /* false: as if it were not there */
    bool is_standby;
    unsigned weight; /* 1 or more */
    unsigned share;  /* 0: it is not up */
    long sessions;   /* that it has now */
};

#define POLICY_NONE SIZE_MAX

/* Returns the index of a candidate, or POLICY_NONE if none is eligible. random: any number, new for
 * each call. */
size_t policy_pick(enum upstream_policy policy, const struct policy_candidate *candidates,
                   size_t count, uint64_t random);

#endif
