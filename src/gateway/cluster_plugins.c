/* SPDX-License-Identifier: Apache-2.0
 *
 * The thread of a link to the cluster: it carries out what other nodes want of the plugins here, and says what this
 * node is when that has changed.
 *
 * What holds for statements holds for orders: a plugin that is locked is left alone, and one that demands a privilege of
 * whom that disables it is disabled only if a node has asked for that privilege. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cluster_state.h"

#define LOOK_S 10 /* at how many sessions there are */

size_t cluster_plugins_find(const struct cluster_link *link, const char *name)
{
    const struct plugin_registry *registry = link->gateway->registry;
    for (size_t i = 0; i < plugin_count(registry); i++)
        if (strcmp(plugin_row_at(registry, i).name, name) == 0)
            return i;
    return SIZE_MAX;
}

/* ---- Orders ---- */

/* The lock is held. */
static bool make_room(struct cluster_link *link)
{
    if (link->order_count < link->order_capacity)
        return true;
    const size_t capacity = link->order_capacity ? 2 * link->order_capacity : 16;
    struct cluster_order *orders = realloc(link->orders, capacity * sizeof *orders);
    if (!orders)
        return false;
    link->orders = orders;
    link->order_capacity = capacity;
    return true;
}

void cluster_plugins_order(void *user, const struct plugin_order *order)
{
    struct cluster_link *link = user;
    char *name = strdup(order->name);
    pthread_mutex_lock(&link->lock);
    if (name && make_room(link)) {
        link->orders[link->order_count++] = (struct cluster_order){.name = name,
                                                                   .disabled = order->disabled,
                                                                   .is_granted = order->is_granted,
                                                                   .flushes = order->flushes};
        name = NULL;
        pthread_cond_broadcast(&link->more);
    } else {
        log_error("cluster", "no memory to carry out what another node wants of a plugin");
    }
    pthread_mutex_unlock(&link->lock);
    free(name);
}

void cluster_plugins_note(struct cluster_link *link, const char *plugin, const char *what,
                          const char *failure)
{
    char when[CLOCK_RFC3339_BYTES];
    const size_t index = cluster_plugins_find(link, plugin);
    if (index == SIZE_MAX)
        return;
    clock_rfc3339(clock_wall_ns(), when);
    pthread_mutex_lock(&link->lock);
    snprintf(link->outcomes[index], OUTCOME_BYTES, "%s %s: %s", when, what,
             failure ? failure : "OK");
    link->has_changed = true;
    pthread_cond_broadcast(&link->more);
    pthread_mutex_unlock(&link->lock);
}

static void refuse(struct cluster_link *link, const struct cluster_order *order, const char *what,
                   const char *why)
{
    log_warn("cluster", "%s is not %s for another node: %s", order->name, what, why);
    cluster_plugins_note(link, order->name, what, why);
}

/* Returns whether it was not refused. */
static bool set_state(struct cluster_link *link, const struct cluster_order *order)
{
    struct plugin_registry *registry = link->gateway->registry;
    const char *what = order->disabled ? "disabled" : "enabled";
    struct error error = {""};
    if (order->disabled && !order->is_granted &&
        *plugin_disable_privileges(registry, order->name)) {
        refuse(link, order, what,
               "its manifest demands a privilege for that, which no node has asked for");
        return false;
    }
    const int status = plugin_set_enabled(registry, NULL, order->name, !order->disabled, &error);
    cluster_plugins_note(link, order->name, what, status ? error.message : NULL);
    return true;
}

static void carry_out(struct cluster_link *link, const struct cluster_order *order)
{
    struct plugin_registry *registry = link->gateway->registry;
    const size_t index = cluster_plugins_find(link, order->name);
    if (index == SIZE_MAX)
        return;
    const bool changes = plugin_health_at(registry, index).is_enabled == order->disabled;
    struct plugin_refusal refusal;
    struct error error = {""};
    if (!changes && !order->flushes)
        return;
    if (!plugin_may_change(registry, order->name, &refusal)) {
        refuse(link, order, changes ? order->disabled ? "disabled" : "enabled" : "flushed",
               "-plugin-locked names it");
        return;
    }
    if (changes && !set_state(link, order))
        return; /* and the refusal is what is said of it */
    if (!order->flushes || !plugin_can_flush(registry, index))
        return;
    const int status = plugin_flush(registry, NULL, order->name, &error);
    if (status)
        log_error("cluster", "%s, which another node has asked for", error.message);
    cluster_plugins_note(link, order->name, "flushed", status ? error.message : NULL);
}

/* ---- What the node says of itself ---- */

static void publish(struct cluster_link *link, int64_t sessions)
{
    const struct plugin_registry *registry = link->gateway->registry;
    struct node_record record = {.address = link->address,
                                 .version = WEIR_VERSION,
                                 .since_s = link->since_s,
                                 .sessions = sessions};
    struct strbuf text = STRBUF_INIT;
    pthread_mutex_lock(&link->lock);
    link->has_changed = false;
    for (size_t i = 0; i < plugin_count(registry) && i < NODE_RECORD_PLUGINS; i++) {
        const struct plugin_row row = plugin_row_at(registry, i);
        record.plugins[record.plugin_count++] = (struct node_plugin){.name = row.name,
                                                                     .version = row.version,
                                                                     .state = row.status,
                                                                     .flush = link->outcomes[i]};
    }
    cluster_variables_list(link, &record);
    node_record_write(&text, &record);
    pthread_mutex_unlock(&link->lock);
    if (!text.failed && text.size <= STORE_VALUE_BYTES)
        membership_publish(link->membership, text.data, text.size);
    strbuf_release(&text);
}

/* ---- The thread ---- */

/* The lock is held. Returns whether something has happened. */
static bool wait_for_more(struct cluster_link *link)
{
    const struct timespec until = clock_deadline(CLOCK_MONOTONIC, LOOK_S * CLOCK_NS_PER_S);
    int status = 0;
    while (!link->is_stopped && !link->order_count && !link->has_changed &&
           !link->has_new_variables && status != ETIMEDOUT)
        status = pthread_cond_timedwait(&link->more, &link->lock, &until);
    return status != ETIMEDOUT;
}

static struct cluster_order take_first(struct cluster_link *link)
{
    const struct cluster_order first = link->orders[0];
    link->order_count--;
    memmove(link->orders, link->orders + 1, link->order_count * sizeof *link->orders);
    return first;
}

void *cluster_plugins_run(void *user)
{
    struct cluster_link *link = user;
    int64_t said = 0;
    publish(link, said);
    pthread_mutex_lock(&link->lock);
    while (!link->is_stopped) {
        wait_for_more(link);
        if (link->order_count && !link->is_stopped) {
            struct cluster_order order = take_first(link);
            pthread_mutex_unlock(&link->lock);
            carry_out(link, &order);
            free(order.name);
            pthread_mutex_lock(&link->lock);
            continue;
        }
        if (link->has_new_variables && !link->is_stopped) {
            pthread_mutex_unlock(&link->lock);
            cluster_variables_take(link);
            pthread_mutex_lock(&link->lock);
            continue;
        }
        const int64_t sessions = atomic_load(&link->gateway->connections);
        const bool is_due = (link->has_changed || sessions != said) && !link->is_stopped;
        pthread_mutex_unlock(&link->lock);
        if (is_due)
            publish(link, sessions);
        said = sessions;
        pthread_mutex_lock(&link->lock);
    }
    pthread_mutex_unlock(&link->lock);
    return NULL;
}
