/* SPDX-License-Identifier: Apache-2.0
 *
 * An array of states, one for each stride of elements that has been passed. */
#include "wire/waypoints.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 8U /* states */

static char *more_room(struct waypoints *waypoints, size_t size)
{
    size_t room = waypoints->room ? 2 * waypoints->room : FIRST_ROOM;
    char *states = reallocarray(waypoints->states, room, size);
    if (states) {
        waypoints->states = states;
        waypoints->room = room;
    }
    return states;
}

void waypoints_pass(struct waypoints *waypoints, size_t index, const void *state, size_t size)
{
    assert(state && size);
    /* The next one due and no other, so that their places say their indexes. */
    if (index != (waypoints->count + 1) * WAYPOINT_STRIDE)
        return;
    if (waypoints->count == waypoints->room && !more_room(waypoints, size))
        return;
    memcpy(waypoints->states + waypoints->count * size, state, size);
    waypoints->count++;
}

size_t waypoints_nearest(const struct waypoints *waypoints, size_t index)
{
    size_t stride = index / WAYPOINT_STRIDE;
    return (stride < waypoints->count ? stride : waypoints->count) * WAYPOINT_STRIDE;
}

void waypoints_take(const struct waypoints *waypoints, size_t index, void *state, size_t size)
{
    size_t stride = index / WAYPOINT_STRIDE;
    assert(index % WAYPOINT_STRIDE == 0 && stride > 0 && stride <= waypoints->count);
    memcpy(state, waypoints->states + (stride - 1) * size, size);
}

void waypoints_reset(struct waypoints *waypoints)
{
    free(waypoints->states);
    *waypoints = (struct waypoints){0};
}
