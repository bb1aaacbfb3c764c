/* SPDX-License-Identifier: Apache-2.0
 *
 * A node's life in its cluster: it joins before clients are served, or goes on alone, and leaves last. */
#include "gateway/cluster_link.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/cluster_state.h"

#define LEASE_S    10
#define JOIN_MS    3000 /* a node that need not join waits for it no longer */
#define LEAVE_MS   1000
#define PREFIX     "/weir/%s/"
#define EVERY_HOST "0.0.0.0"

/* ---- Joining ---- */

static void on_settled(uv_async_t *handle)
{
    struct cluster_link *link = handle->data;
    link->settled(link->settled_user);
}

static void on_join_timer(uv_timer_t *timer)
{
    struct cluster_link *link = timer->data;
    if (!cluster_link_may_serve(link) && !link->options.required) {
        link->goes_alone = true;
        log_warn("cluster", "serving alone until the cluster is reached (-cluster-required waits)");
    }
    link->settled(link->settled_user);
}

/* On the store's thread. */
static void on_joined(void *user, unsigned number, const char *why)
{
    struct cluster_link *link = user;
    if (*why && link->options.required)
        log_warn("cluster",
                 "clients are not served before the cluster is reached (-cluster-required)");
    pthread_mutex_lock(&link->lock);
    link->number = number;
    struct node_requests *requests = link->requests;
    if (!link->is_stopped)
        uv_async_send(&link->joined);
    pthread_mutex_unlock(&link->lock);
    if (requests)
        node_requests_join(requests, number);
}

bool cluster_link_may_serve(const struct cluster_link *link)
{
    return !link || link->goes_alone ||
           (membership_number(link->membership) != 0 && atomic_load(&link->has_variables));
}

unsigned cluster_link_number(const struct cluster_link *link)
{
    return link ? membership_number(link->membership) : 0;
}

unsigned cluster_link_node(const struct cluster_link *link)
{
    if (!link)
        return CONNECTION_IDS_ALONE;
    const unsigned number = membership_number(link->membership);
    return number ? number : CONNECTION_IDS_NUMBERLESS;
}

unsigned cluster_link_other_node(const struct cluster_link *link, uint32_t id)
{
    const unsigned node = link ? connection_ids_node(id) : CONNECTION_IDS_ALONE;
    const bool is_other =
        node != CONNECTION_IDS_ALONE && membership_lease_of(link->membership, node);
    return is_other ? node : CONNECTION_IDS_ALONE;
}

/* ---- Start and end ---- */

static void release(struct process_store_memory *memory)
{
    struct cluster_link *link = (struct cluster_link *)memory;
    membership_free(link->membership);
    plugin_keys_free(link->keys);
    variable_keys_free(link->variable_keys);
    cluster_variables_release(link);
    node_requests_free(link->requests);
    pthread_mutex_destroy(&link->kills_lock);
    pthread_cond_destroy(&link->more_kills);
    pthread_mutex_destroy(&link->lock);
    pthread_cond_destroy(&link->more);
    for (size_t i = 0; i < link->order_count; i++)
        free(link->orders[i].name);
    free(link->orders);
    free(link->address);
    free(link->prefix);
    free(link);
}

/* Where other nodes' people find this one. */
static char *address_of(const struct gateway_options *options)
{
    struct strbuf text = STRBUF_INIT;
    char name[256] = "";
    const char *host = options->host;
    if (options->cluster.advertise && *options->cluster.advertise) {
        strbuf_add_text(&text, options->cluster.advertise);
    } else {
        if (strcmp(host, EVERY_HOST) == 0 || strcmp(host, "::") == 0 || options->port == 0)
            host = gethostname(name, sizeof name - 1) == 0 ? name : host;
        strbuf_printf(&text, strchr(host, ':') ? "[%s]:%ld" : "%s:%ld", host, options->port);
    }
    return strbuf_detach(&text);
}

static char *prefix_of(const char *name)
{
    struct strbuf text = STRBUF_INIT;
    strbuf_printf(&text, PREFIX, name);
    return strbuf_detach(&text);
}

static bool begin_membership(struct cluster_link *link)
{
    struct strbuf prefix = STRBUF_INIT, used = STRBUF_INIT;
    strbuf_printf(&prefix, "%snodes/", link->prefix);
    strbuf_printf(&used, "%snumbers/", link->prefix);
    const struct membership_options options = {.prefix = prefix.data,
                                               .used_prefix = used.data,
                                               .first = CONNECTION_IDS_FIRST_NODE,
                                               .last = CONNECTION_IDS_LAST_NODE,
                                               .lease_s = LEASE_S,
                                               .joined = on_joined,
                                               .user = link};
    if (!prefix.failed && !used.failed)
        link->membership = membership_new(link->store, &options);
    strbuf_release(&prefix);
    strbuf_release(&used);
    return link->membership;
}

static bool begin_keys(struct cluster_link *link)
{
    const struct plugin_keys_options options = {
        .prefix = link->prefix, .order = cluster_plugins_order, .user = link};
    link->keys = plugin_keys_new(link->store, &options);
    return link->keys;
}

static bool begin_variables(struct cluster_link *link)
{
    struct strbuf prefix = STRBUF_INIT;
    strbuf_printf(&prefix, "%svariables/", link->prefix);
    const struct variable_keys_options options = {.prefix = prefix.data,
                                                  .order = cluster_variables_order,
                                                  .begun = cluster_variables_begun,
                                                  .user = link};
    if (!prefix.failed)
        link->variable_keys = variable_keys_new(link->store, &options);
    strbuf_release(&prefix);
    return link->variable_keys;
}

static bool begin_requests(struct cluster_link *link)
{
    struct strbuf prefix = STRBUF_INIT;
    strbuf_printf(&prefix, "%srequests/", link->prefix);
    const struct node_requests_options options = {.prefix = prefix.data,
                                                  .membership = link->membership,
                                                  .asked = cluster_asked,
                                                  .user = link};
    struct node_requests *requests =
        prefix.failed ? NULL : node_requests_new(link->store, &options);
    strbuf_release(&prefix);
    pthread_mutex_lock(&link->lock);
    link->requests = requests;
    const unsigned number = link->number;
    pthread_mutex_unlock(&link->lock);
    if (requests)
        node_requests_join(requests, number); /* otherwise on_joined() does */
    return requests;
}

static bool begin_threads(struct cluster_link *link)
{
    link->has_thread = pthread_create(&link->thread, NULL, cluster_plugins_run, link) == 0;
    link->has_kills_thread =
        pthread_create(&link->kills_thread, NULL, cluster_kills_run, link) == 0;
    return link->has_thread && link->has_kills_thread;
}

static struct cluster_link *make(struct gateway *gateway, struct store *store)
{
    struct cluster_link *link = calloc(1, sizeof *link);
    if (!link)
        return NULL;
    link->memory.release = release;
    link->gateway = gateway;
    link->store = store;
    link->options = gateway->options->cluster;
    link->address = address_of(gateway->options);
    link->prefix = prefix_of(link->options.name);
    link->since_s = (int64_t)(clock_wall_ns() / CLOCK_NS_PER_S);
    pthread_mutex_init(&link->lock, NULL);
    pthread_mutex_init(&link->kills_lock, NULL);
    pthread_cond_init(&link->more_kills, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&link->more, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return link;
}

struct cluster_link *cluster_link_start(struct gateway *gateway, struct process_store *own,
                                        uv_loop_t *loop, void (*settled)(void *user), void *user,
                                        struct error *error)
{
    struct cluster_link *link = make(gateway, process_store_shared(own));
    if (!link) {
        error_set(error, "out of memory");
        return NULL;
    }
    process_store_keep(own, &link->memory);
    link->settled = settled;
    link->settled_user = user;
    uv_async_init(loop, &link->joined, on_settled);
    uv_timer_init(loop, &link->join_timer);
    link->joined.data = link->join_timer.data = link;
    uv_timer_start(&link->join_timer, on_join_timer, JOIN_MS, 0);
    /* What it says of itself is there before it joins. */
    if (link->address && link->prefix && begin_membership(link) && begin_keys(link) &&
        begin_variables(link) && begin_requests(link) && begin_threads(link))
        return link;
    error_set(error, "out of memory for the cluster");
    cluster_link_stop(link);
    return NULL;
}

static void stop_threads(struct cluster_link *link)
{
    pthread_mutex_lock(&link->lock);
    link->is_stopped = true;
    pthread_cond_broadcast(&link->more);
    pthread_mutex_unlock(&link->lock);
    pthread_mutex_lock(&link->kills_lock);
    link->kills_stop = true;
    pthread_cond_broadcast(&link->more_kills);
    pthread_mutex_unlock(&link->kills_lock);
    if (link->has_thread)
        pthread_join(link->thread, NULL);
    if (link->has_kills_thread)
        pthread_join(link->kills_thread, NULL);
}

void cluster_link_stop(struct cluster_link *link)
{
    if (!link || link->is_stopped)
        return;
    if (link->keys)
        plugin_keys_stop(link->keys);
    if (link->variable_keys)
        variable_keys_stop(link->variable_keys);
    if (link->requests)
        node_requests_stop(link->requests);
    stop_threads(link);
    if (link->membership)
        membership_leave(link->membership, LEAVE_MS);
    uv_close((uv_handle_t *)&link->joined, NULL);
    uv_close((uv_handle_t *)&link->join_timer, NULL);
}
