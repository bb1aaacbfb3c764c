/* SPDX-License-Identifier: Apache-2.0
 *
 * Which leases a plugin has got. Those that have ended are cleared when there are twice as many as there were, so
 * that each costs a few steps, however many there are. */
#define HASH_NONFATAL_OOM 1 /* before uthash.h: out of memory is reported */
#include <stdlib.h>

#include <uthash.h>

#include "plugin/host/plugin_store.h"

#define LINGER_NS   (60 * CLOCK_NS_PER_S) /* that one which has ended by our clock is kept */
#define PRUNE_LEAST 64

struct plugin_lease {
    int64_t id;
    uint64_t ends_ns;
    UT_hash_handle hh;
};

static struct plugin_lease *find(const struct plugin_store *own, int64_t id)
{
    struct plugin_lease *found = NULL;
    HASH_FIND(hh, own->leases, &id, sizeof id, found);
    return found;
}

static void remove_lease(struct plugin_store *own, struct plugin_lease *lease)
{
    HASH_DEL(own->leases, lease);
    free(lease);
}

static void prune(struct plugin_store *own)
{
    const uint64_t now = store_now_ns(own->store);
    struct plugin_lease *lease, *next;
    HASH_ITER(hh, own->leases, lease, next)
    if (lease->ends_ns + LINGER_NS < now)
        remove_lease(own, lease);
    const size_t twice = 2 * (size_t)HASH_COUNT(own->leases);
    own->prune_at = twice > PRUNE_LEAST ? twice : PRUNE_LEAST;
}

bool plugin_lease_note(struct plugin_store *own, int64_t id, uint64_t ends_ns)
{
    struct plugin_lease *lease = find(own, id);
    if (lease) {
        lease->ends_ns = ends_ns;
        return true;
    }
    lease = calloc(1, sizeof *lease);
    if (!lease)
        return false;
    lease->id = id;
    lease->ends_ns = ends_ns;
    HASH_ADD(hh, own->leases, id, sizeof lease->id, lease);
    if (!lease->hh.tbl) {
        free(lease);
        return false;
    }
    if (HASH_COUNT(own->leases) >= own->prune_at)
        prune(own);
    return true;
}

bool plugin_lease_is_known(const struct plugin_store *own, int64_t id)
{
    return find(own, id) != NULL;
}

void plugin_lease_forget(struct plugin_store *own, int64_t id)
{
    struct plugin_lease *lease = find(own, id);
    if (lease)
        remove_lease(own, lease);
}

void plugin_leases_release(struct plugin_store *own)
{
    struct plugin_lease *lease, *next;
    HASH_ITER(hh, own->leases, lease, next)
    remove_lease(own, lease);
}
