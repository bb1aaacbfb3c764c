/* SPDX-License-Identifier: Apache-2.0
 *
 * The store of this process, and the memory that outlives it. */
#include "cluster/process_store.h"

#include <stdlib.h>
#include <utlist.h>

struct process_store {
    struct store *shared; /* NULL: none */
    struct process_store_memory *kept;
};

struct process_store *process_store_open(const struct process_store_options *options,
                                         struct error *error)
{
    assert(options && error);
    const bool is_shared = options->etcd.endpoints && *options->etcd.endpoints;
    struct process_store *own = calloc(1, sizeof *own);
    if (!own) {
        error_set(error, "out of memory");
        return NULL;
    }
    if (is_shared)
        own->shared = etcd_new(&options->etcd, error);
    if (!is_shared || own->shared)
        return own;
    free(own);
    return NULL;
}

struct store *process_store_shared(const struct process_store *own)
{
    return own->shared;
}

void process_store_keep(struct process_store *own, struct process_store_memory *memory)
{
    assert(own && memory && memory->release);
    LL_PREPEND(own->kept, memory);
}

void process_store_close(struct process_store *own)
{
    if (!own)
        return;
    store_free(own->shared);
    while (own->kept) {
        struct process_store_memory *memory = own->kept;
        LL_DELETE(own->kept, memory);
        memory->release(memory);
    }
    free(own);
}
