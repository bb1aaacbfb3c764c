/* SPDX-License-Identifier: Apache-2.0
 *
 * The values of plugins' variables that the nodes share: what statements set here goes to the cluster, and what the
 * cluster has is taken by the link's thread, because plugins may read files meanwhile.
 *
 *     order ──► is it taken? ── no: with a refusal, which the node's record says; tried again with the next order, because
 *                              │    a value may be right only with another one
 *                              yes: the cluster's, at PREFIX variables/NAME@REVISION */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cluster_state.h"

#define WHY_BYTES 256

/* ---- Orders; the store's thread ---- */

/* The lock is held. NULL without memory. */
static struct cluster_variable *find_or_add(struct cluster_link *link, const char *name)
{
    for (size_t i = 0; i < link->variable_count; i++)
        if (strcmp(link->variables[i].name, name) == 0)
            return &link->variables[i];
    if (link->variable_count == link->variable_capacity) {
        const size_t capacity = link->variable_capacity ? 2 * link->variable_capacity : 32;
        struct cluster_variable *grown = realloc(link->variables, capacity * sizeof *grown);
        if (!grown)
            return NULL;
        link->variables = grown;
        link->variable_capacity = capacity;
    }
    struct cluster_variable *variable = &link->variables[link->variable_count];
    *variable = (struct cluster_variable){.name = strdup(name)};
    link->variable_count += variable->name != NULL;
    return variable->name ? variable : NULL;
}

void cluster_variables_order(void *user, const struct variable_order *order)
{
    struct cluster_link *link = user;
    char *text = order->text ? strdup(order->text) : NULL;
    pthread_mutex_lock(&link->lock);
    struct cluster_variable *variable = find_or_add(link, order->name);
    if (variable && (text || !order->text)) {
        free(variable->text);
        variable->text = text;
        variable->revision = order->revision;
        variable->is_taken = false;
        link->has_new_variables = true;
        text = NULL;
        pthread_cond_broadcast(&link->more);
    } else {
        log_error("cluster", "no memory for the cluster's value of %s", order->name);
    }
    pthread_mutex_unlock(&link->lock);
    free(text);
}

void cluster_variables_begun(void *user)
{
    struct cluster_link *link = user;
    pthread_mutex_lock(&link->lock);
    link->variables_begun = link->has_new_variables = true;
    pthread_cond_broadcast(&link->more);
    pthread_mutex_unlock(&link->lock);
}

/* ---- Taking them; the link's thread ---- */

/* Copies of those that are not taken. */
struct batch {
    struct cluster_variable *copies;     /* owned */
    struct plugin_cluster_value *values; /* owned */
    char **places;                       /* owned, with what they point to */
    size_t count;
};

static void release_batch(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        free(batch->copies[i].name);
        free(batch->copies[i].text);
        free(batch->places[i]);
    }
    free(batch->copies);
    free(batch->values);
    free(batch->places);
}

static bool add_to_batch(const struct cluster_link *link, struct batch *batch,
                         const struct cluster_variable *variable)
{
    const size_t at = batch->count++;
    struct strbuf place = STRBUF_INIT;
    strbuf_printf(&place, "%svariables/%s@%" PRId64, link->prefix, variable->name,
                  variable->revision);
    batch->places[at] = strbuf_detach(&place);
    batch->copies[at] =
        (struct cluster_variable){.name = strdup(variable->name),
                                  .text = variable->text ? strdup(variable->text) : NULL,
                                  .revision = variable->revision};
    batch->values[at] = (struct plugin_cluster_value){
        .name = batch->copies[at].name, .text = batch->copies[at].text, .place = batch->places[at]};
    return batch->places[at] && batch->copies[at].name &&
           (batch->copies[at].text || !variable->text);
}

/* The lock is held. Returns false without memory. */
static bool make_batch(const struct cluster_link *link, struct batch *batch)
{
    const size_t room = link->variable_count + 1;
    *batch = (struct batch){.copies = calloc(room, sizeof *batch->copies),
                            .values = calloc(room, sizeof *batch->values),
                            .places = calloc(room, sizeof *batch->places)};
    bool ok = batch->copies && batch->values && batch->places;
    for (size_t i = 0; ok && i < link->variable_count; i++)
        if (!link->variables[i].is_taken)
            ok = add_to_batch(link, batch, &link->variables[i]);
    return ok;
}

/* The lock is held. Newer ones have been ordered meanwhile where the revision is another one. */
static void note(struct cluster_link *link, const struct cluster_variable *copy,
                 const struct plugin_cluster_value *value)
{
    struct cluster_variable *variable = find_or_add(link, copy->name);
    const bool is_refused = !value->is_taken;
    if (!variable || variable->revision != copy->revision)
        return;
    if (is_refused &&
        (!variable->refusal || strcmp(variable->refusal, value->refusal.message) != 0))
        log_warn("cluster", "the cluster's value of %s is not taken, and the old one is kept: %s",
                 copy->name, value->refusal.message);
    link->has_changed = link->has_changed || is_refused || variable->refusal;
    free(variable->refusal);
    variable->refusal = is_refused ? strdup(value->refusal.message) : NULL;
    variable->is_taken = !is_refused;
}

static void say_begun(struct cluster_link *link)
{
    plugin_variables_report_own(link->gateway->registry);
    pthread_mutex_lock(&link->lock);
    atomic_store(&link->has_variables, true);
    if (!link->is_stopped)
        uv_async_send(&link->joined);
    pthread_mutex_unlock(&link->lock);
}

void cluster_variables_take(struct cluster_link *link)
{
    struct batch batch;
    pthread_mutex_lock(&link->lock);
    link->has_new_variables = false;
    const bool has_begun = link->variables_begun;
    const bool ok = make_batch(link, &batch);
    pthread_mutex_unlock(&link->lock);
    if (ok && batch.count)
        plugin_variables_take(link->gateway->registry, batch.values, batch.count);
    else if (!ok)
        log_error("cluster", "no memory to take the cluster's values of variables");
    pthread_mutex_lock(&link->lock);
    for (size_t i = 0; ok && i < batch.count; i++)
        note(link, &batch.copies[i], &batch.values[i]);
    pthread_mutex_unlock(&link->lock);
    release_batch(&batch);
    if (has_begun && !atomic_load(&link->has_variables))
        say_begun(link);
}

void cluster_variables_list(const struct cluster_link *link, struct node_record *record)
{
    for (size_t i = 0; i < link->variable_count; i++)
        if (link->variables[i].refusal && record->refusal_count < NODE_RECORD_REFUSALS)
            record->refusals[record->refusal_count++] = (struct node_refusal){
                .variable = link->variables[i].name, .why = link->variables[i].refusal};
}

void cluster_variables_release(struct cluster_link *link)
{
    for (size_t i = 0; i < link->variable_count; i++) {
        free(link->variables[i].name);
        free(link->variables[i].text);
        free(link->variables[i].refusal);
    }
    free(link->variables);
}

/* ---- Statements ---- */

int cluster_variables_begin(void *owner, struct error *error)
{
    return cluster_may_act(((const struct worker *)owner)->gateway->cluster, error);
}

void cluster_variables_end(void *owner, const char *name, const char *text, struct strbuf *warnings)
{
    const struct cluster_link *link = ((const struct worker *)owner)->gateway->cluster;
    char why[WHY_BYTES];
    struct strbuf what = STRBUF_INIT;
    const bool is_reached = plugin_keys_are_reached(link->keys, why, sizeof why);
    const bool is_put = variable_keys_set(link->variable_keys, name, text);
    strbuf_add_text(&what, name);
    if (!is_put)
        cluster_add_warning(warnings, what.data, "set on this node only: out of memory");
    strbuf_add_text(
        &what, " is set here; the cluster is not reached, and the other nodes get it when it is");
    if (is_put && !is_reached)
        cluster_add_warning(warnings, what.data, why);
    strbuf_release(&what);
}
