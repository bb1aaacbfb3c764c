/* SPDX-License-Identifier: Apache-2.0
 *
 * Health of one server: from the outcomes of checks to up or down, and how much of its share it gets.
 *
 *     unknown ──first check──► up ◄──`rise` successes in a row── down
 *                               └───`fall` failures in a row────► down
 *
 * A server that comes back begins gently: its share of new sessions grows evenly from a tenth to all of
 * it within slow_start_ns. One that was never down has all of it from the start. Pure: whoever calls
 * brings the time, in ns of a clock that only goes forward. */
#ifndef WEIR_GATEWAY_UPSTREAM_HEALTH_H
#define WEIR_GATEWAY_UPSTREAM_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#define HEALTH_SHARE_FULL  1000 /* of health_share() */
#define HEALTH_SHARE_FIRST 100  /* of a server that has just come back */

struct health_options {
    unsigned rise, fall; /* checks in a row; 1 or more */
    uint64_t slow_start_ns;
};

enum health_state { HEALTH_UNKNOWN, HEALTH_UP, HEALTH_DOWN };

/* Zeroed: nothing is known. */
struct health {
    enum health_state state;
    unsigned in_row;      /* outcomes in a row that speak against the state */
    uint64_t since_ns;    /* when the state was entered */
    uint64_t returned_ns; /* when it came back; 0: it was never away */
};

/* Notes the outcome of a check, or of a session's connection. Returns whether the state has changed. */
bool health_note(struct health *health, const struct health_options *options, bool success,
                 uint64_t now_ns);

/* It was taken out on purpose and comes back now: its share begins anew. */
void health_return(struct health *health, uint64_t now_ns);

/* Its share of new sessions, HEALTH_SHARE_FIRST to HEALTH_SHARE_FULL; 0 if it is not up. */
unsigned health_share(const struct health *health, const struct health_options *options,
                      uint64_t now_ns);

#endif
