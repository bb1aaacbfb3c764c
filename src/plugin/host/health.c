/* SPDX-License-Identifier: Apache-2.0
 *
 * How plugins are: whether they are loaded and enabled, and how often and when they have failed. */
#include <assert.h>

#include "plugin/host/registry.h"

void plugin_note_failure(const struct weir_plugin *plugin)
{
    struct weir_plugin *its = (struct weir_plugin *)plugin; /* has atomics */
    atomic_fetch_add_explicit(&its->failures, 1, memory_order_relaxed);
    atomic_store_explicit(&its->failed_ns, clock_monotonic_ns(), memory_order_relaxed);
}

struct plugin_health plugin_health_at(const struct plugin_registry *registry, size_t index)
{
    assert(index < registry->count);
    const struct weir_plugin *plugin = registry->plugins[index];
    return (struct plugin_health){
        .is_ready = plugin->state == PLUGIN_STATE_READY,
        .is_enabled = atomic_load(&plugin->enabled),
        .refuses_on_failure = plugin->identity.refuses_on_failure,
        .failures = atomic_load_explicit(&plugin->failures, memory_order_relaxed),
        .failed_ns = atomic_load_explicit(&plugin->failed_ns, memory_order_relaxed),
    };
}
