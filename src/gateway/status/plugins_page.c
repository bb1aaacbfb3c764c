/* SPDX-License-Identifier: Apache-2.0
 *
 * Plugins in /metrics: their states, what their callbacks add to statements, and the rows of their
 * own that their manifests declare ([[statusVars]]). There are at most PLUGIN_MAX_LOADED plugins, so
 * that the label `plugin` is bounded. */
#include "gateway/status/pages.h"

static struct exposition_label name_of(const struct status_source *source, size_t index)
{
    return (struct exposition_label){"plugin", plugin_row_at(source->registry, index).name};
}

static void expose_states(struct exposition *page, const struct status_source *source)
{
    const size_t count = plugin_count(source->registry);
    exposition_family(page, "plugin_info", EXPOSITION_GAUGE,
                      "1 for each plugin, with its version and its state as in SHOW PLUGINS");
    for (size_t i = 0; i < count; i++) {
        const struct plugin_row row = plugin_row_at(source->registry, i);
        const struct exposition_label labels[] = {
            {"plugin", row.name}, {"version", row.version}, {"state", row.status}};
        exposition_number(page, labels, 3, 1);
    }
    exposition_family(page, "plugin_enabled", EXPOSITION_GAUGE,
                      "1 where the plugin is loaded and enabled");
    for (size_t i = 0; i < count; i++) {
        const struct plugin_health health = plugin_health_at(source->registry, i);
        const struct exposition_label label = name_of(source, i);
        exposition_number(page, &label, 1, health.is_ready && health.is_enabled);
    }
    exposition_family(page, "plugin_failures", EXPOSITION_COUNTER,
                      "callbacks and pending answers of plugins that have failed");
    for (size_t i = 0; i < count; i++) {
        const struct exposition_label label = name_of(source, i);
        exposition_number(page, &label, 1, (int64_t)plugin_health_at(source->registry, i).failures);
    }
}

static void expose_work(struct exposition *page, const struct status_source *source,
                        const struct metrics *metrics)
{
    const size_t count = plugin_count(source->registry);
    const struct exposition_label gateway = {"plugin", ""};
    exposition_family(page, "refusals", EXPOSITION_COUNTER,
                      "logins and commands that were refused, by the plugin; without a name: by "
                      "the gateway itself, where it could not keep what plugins must see");
    for (size_t i = 0; i < count; i++) {
        const struct exposition_label label = name_of(source, i);
        exposition_number(page, &label, 1,
                          atomic_load_explicit(&metrics->refusals[i], memory_order_relaxed));
    }
    exposition_number(
        page, &gateway, 1,
        atomic_load_explicit(&metrics->refusals[PLUGIN_MAX_LOADED], memory_order_relaxed));
    if (count == 0)
        return;
    exposition_family(page, "plugin_callback_duration_seconds", EXPOSITION_HISTOGRAM,
                      "what a callback of the plugin's adds to a session, and to those that wait "
                      "for the same worker");
    for (size_t i = 0; i < count; i++) {
        const struct exposition_label label = name_of(source, i);
        exposition_histogram(page, &label, 1, &metrics->callbacks[i]);
    }
}

static void expose_number(void *user, const struct plugin_status_definition *what, int64_t value)
{
    struct exposition *page = user;
    char name[EXPOSITION_NAME_BYTES - 8];
    snprintf(name, sizeof name, "%s%s%s", what->name, *what->unit ? "_" : "", what->unit);
    exposition_family(page, name, what->is_counter ? EXPOSITION_COUNTER : EXPOSITION_GAUGE,
                      *what->description ? what->description : what->name);
    exposition_number(page, NULL, 0, value);
}

void plugins_expose(struct exposition *page, const struct status_source *source,
                    const struct metrics *metrics)
{
    if (plugin_count(source->registry))
        expose_states(page, source);
    expose_work(page, source, metrics);
    plugin_status_numbers(source->registry, expose_number, page);
}
