/* SPDX-License-Identifier: Apache-2.0
 *
 * Which leases a plugin has got, in a sorted array. Those that have ended are cleared when there is no more room, which
 * is doubled unless half of it is free then: each costs a few steps, however many there are. */
#include <stdlib.h>
#include <string.h>

#include "plugin/host/plugin_store.h"

#define LINGER_NS  (60 * CLOCK_NS_PER_S) /* that one which has ended by our clock is kept */
#define ROOM_LEAST 32

static size_t position_of(const struct plugin_store *own, int64_t id)
{
    size_t low = 0, high = own->lease_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (own->leases[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool plugin_lease_is_known(const struct plugin_store *own, int64_t id)
{
    const size_t at = position_of(own, id);
    return at < own->lease_count && own->leases[at].id == id;
}

static void prune(struct plugin_store *own)
{
    const uint64_t now = store_now_ns(own->store);
    size_t kept = 0;
    for (size_t i = 0; i < own->lease_count; i++)
        if (own->leases[i].ends_ns + LINGER_NS >= now)
            own->leases[kept++] = own->leases[i];
    own->lease_count = kept;
}

/* Returns false without memory. */
static bool make_room(struct plugin_store *own)
{
    if (own->lease_count < own->lease_room)
        return true;
    prune(own);
    if (own->lease_count < own->lease_room / 2)
        return true;
    const size_t room = own->lease_room ? 2 * own->lease_room : ROOM_LEAST;
    struct plugin_lease *grown = realloc(own->leases, room * sizeof *grown);
    if (!grown)
        return false;
    own->leases = grown;
    own->lease_room = room;
    return true;
}

bool plugin_lease_note(struct plugin_store *own, int64_t id, uint64_t ends_ns)
{
    const bool is_known = plugin_lease_is_known(own, id);
    if (!is_known && !make_room(own))
        return false;
    const size_t at = position_of(own, id);
    struct plugin_lease *place = own->leases + at;
    if (!is_known)
        memmove(place + 1, place, (own->lease_count++ - at) * sizeof *place);
    *place = (struct plugin_lease){.id = id, .ends_ns = ends_ns};
    return true;
}

void plugin_lease_forget(struct plugin_store *own, int64_t id)
{
    if (!plugin_lease_is_known(own, id))
        return;
    const size_t at = position_of(own, id);
    struct plugin_lease *place = own->leases + at;
    memmove(place, place + 1, (--own->lease_count - at) * sizeof *place);
}

void plugin_leases_release(struct plugin_store *own)
{
    free(own->leases);
    own->leases = NULL;
    own->lease_count = own->lease_room = 0;
}
