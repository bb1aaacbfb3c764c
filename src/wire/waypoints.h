/* SPDX-License-Identifier: Apache-2.0
 *
 * Waypoints of a walk over elements that lie one after the other and have no index: the walker's
 * state at every 32nd element. Whoever asks for elements in any order, also backwards, walks from
 * the nearest one, a few elements and not all of those in front.
 *
 *     size_t near = waypoints_nearest(&waypoints, wanted);
 *     if (near > index || wanted < index)
 *         ... waypoints_take(&waypoints, index = near, &at, sizeof at), or the beginning for 0
 *     while (index < wanted && step(&at))
 *         waypoints_pass(&waypoints, ++index, &at, sizeof at);
 *
 * Short walks allocate nothing. Without memory a walk is only slower. The states are copied as
 * bytes; what they point at must outlive the waypoints. */
#ifndef WEIR_WIRE_WAYPOINTS_H
#define WEIR_WIRE_WAYPOINTS_H

#include <stddef.h>

#define WAYPOINT_STRIDE 32U /* elements */

/* Zeroed: none. */
struct waypoints {
    char *states; /* owns: of the elements WAYPOINT_STRIDE, 2 * WAYPOINT_STRIDE, ... */
    size_t count, room;
};

/* Keeps the state in which element `index` is the next, unless that is known or not wanted. All of
 * one list must be of the same size. */
void waypoints_pass(struct waypoints *waypoints, size_t index, const void *state, size_t size);

/* The index of the waypoint from which element `index` is reached in the fewest steps; 0: there is
 * none, and the walk is from the beginning. */
size_t waypoints_nearest(const struct waypoints *waypoints, size_t index);

/* Copies what waypoints_pass() was given at that waypoint, which must not be 0. */
void waypoints_take(const struct waypoints *waypoints, size_t index, void *state, size_t size);

/* Frees them: none again. */
void waypoints_reset(struct waypoints *waypoints);

#endif
