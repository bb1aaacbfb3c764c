/* SPDX-License-Identifier: Apache-2.0
 *
 * A table of nodes, each with its values as they were read: when a value changes or goes, the old one says which keys it
 * was about, and what it said of them is dropped unless the new one says something. */
#include "other_nodes.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <weir/log_limit.h>
#include <weir/text.h>

#include "count_values.h"

struct node_value {
    char *bytes; /* owned; NULL: there is none */
    size_t size;
    int64_t revision;
    uint64_t seen;   /* the last EVERYTHING, or change, that it was in */
    size_t left_out; /* of its counts there was no room for so many */
};

struct other_node {
    char name[NODE_NAME_BYTES + 1]; /* "": the place is free */
    struct node_value presence;     /* its key without a part */
    struct node_value
        parts[TALLY_PARTS]; /* their source is the place of the node and that of the part */
};

static struct other_node nodes[OTHER_NODES_MOST];
static uint64_t everything; /* how often all was read */
static uint32_t reading;    /* of a value: a round of the tallies */
static atomic_size_t node_count, share_count, left_out;

/* ---- Keys ---- */

static bool is_hexadecimal(const char *text, size_t size)
{
    bool ok = true;
    for (size_t i = 0; ok && i < size; i++)
        ok = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
    return ok;
}

bool count_key_read(weir_string key, struct count_key *read)
{
    const size_t least = COUNT_PREFIX_BYTES + NODE_NAME_BYTES;
    if (key.size < least || memcmp(key.data, COUNT_PREFIX, COUNT_PREFIX_BYTES) != 0 ||
        !is_hexadecimal(key.data + COUNT_PREFIX_BYTES, NODE_NAME_BYTES))
        return false;
    memcpy(read->node, key.data + COUNT_PREFIX_BYTES, NODE_NAME_BYTES);
    read->node[NODE_NAME_BYTES] = '\0';
    read->part = key.size == least ? -1 : key.data[key.size - 1] - '0';
    return key.size == least || (key.size == least + 2 && key.data[least] == '/' &&
                                 read->part >= 0 && read->part < TALLY_PARTS);
}

/* ---- Values ---- */

struct taking {
    uint32_t source;
    int64_t now;
    bool has_age; /* it is known how old windows are */
    size_t left_out;
};

static void take_count(void *data, const struct tally_key *key, const struct tally_counts *counts)
{
    struct taking *taking = data;
    struct tally_counts taken = *counts;
    if (!taking->has_age)
        taken.rate = taken.failed = 0;
    const int added = atomic_load(&share_count) < OTHER_COUNTS_MOST
                          ? tally_set_share(key, taking->source, reading, &taken, taking->now)
                          : -1;
    if (added < 0)
        taking->left_out++;
    else
        atomic_fetch_add(&share_count, (size_t)added);
}

static void drop_count(void *data, const struct tally_key *key, const struct tally_counts *counts)
{
    const struct taking *taking = data;
    (void)counts;
    if (tally_drop_share(key, taking->source, reading))
        atomic_fetch_sub(&share_count, 1);
}

static struct node_value copy_value(weir_string value)
{
    struct node_value copy = {.bytes = malloc(value.size + 1), .size = value.size};
    if (copy.bytes && value.size)
        memcpy(copy.bytes, value.data, value.size);
    return copy;
}

/* Replaces a value by what it is now; value.data NULL: by none. */
static void replace(struct node_value *old, weir_string value, struct taking *taking)
{
    struct node_value next = value.data ? copy_value(value) : (struct node_value){0};
    reading++;
    if (next.bytes)
        count_value_read((weir_string){next.bytes, next.size}, take_count, taking);
    if (old->bytes)
        count_value_read((weir_string){old->bytes, old->size}, drop_count, taking);
    next.left_out = taking->left_out;
    atomic_fetch_add(&left_out, next.left_out - old->left_out);
    free(old->bytes);
    *old = next;
}

/* ---- Nodes ---- */

static struct other_node *find(const char *name, bool makes)
{
    struct other_node *vacant = NULL;
    for (size_t i = 0; i < OTHER_NODES_MOST; i++) {
        if (strcmp(nodes[i].name, name) == 0)
            return &nodes[i];
        if (!vacant && !*nodes[i].name)
            vacant = &nodes[i];
    }
    if (!makes || !vacant)
        return NULL;
    memcpy(vacant->name, name, sizeof vacant->name);
    atomic_fetch_add(&node_count, 1);
    return vacant;
}

static void drop_if_empty(struct other_node *node)
{
    bool is_there = node->presence.bytes != NULL;
    for (size_t i = 0; i < TALLY_PARTS; i++)
        is_there = is_there || node->parts[i].bytes;
    if (is_there)
        return;
    node->name[0] = '\0';
    atomic_fetch_sub(&node_count, 1);
}

static uint32_t source_of(const struct other_node *node, size_t part)
{
    return (uint32_t)((size_t)(node - nodes) * TALLY_PARTS + part);
}

static void take_entry(const weir_store_entry *entry, const struct count_key *key, bool has_age,
                       int64_t now)
{
    struct other_node *node = find(key->node, !entry->is_deleted);
    if (!node)
        return;
    struct node_value *value = key->part < 0 ? &node->presence : &node->parts[key->part];
    struct taking taking = {.source = source_of(node, key->part < 0 ? 0 : (size_t)key->part),
                            .now = now,
                            .has_age = has_age};
    /* Of presence the value means nothing. And of one that cannot be read nothing is taken over, but the one before it
     * counts no more. */
    const weir_string text = key->part < 0 || !entry->value.data ? text_of("") : entry->value;
    const bool is_new = !value->bytes || value->revision != entry->revision;
    if (entry->is_deleted)
        replace(value, (weir_string){NULL, 0}, &taking);
    else if (is_new)
        replace(value, text, &taking);
    value->revision = entry->revision;
    value->seen = everything;
    drop_if_empty(node);
}

static void complain(void)
{
    static struct log_limit limit;
    uint32_t more;
    if (log_limit_allows(&limit, 1, &more))
        weir_log(WEIR_LOG_WARN,
                 "a key of the store has no counts that can be read, and is left alone");
}

/* What was not in EVERYTHING is gone. */
static void drop_missing(int64_t now)
{
    for (size_t i = 0; i < OTHER_NODES_MOST; i++) {
        struct other_node *node = &nodes[i];
        if (!*node->name)
            continue;
        for (size_t part = 0; part < TALLY_PARTS; part++) {
            struct taking taking = {.source = source_of(node, part), .now = now};
            if (node->parts[part].seen != everything)
                replace(&node->parts[part], (weir_string){NULL, 0}, &taking);
        }
        if (node->presence.seen != everything) {
            free(node->presence.bytes);
            node->presence = (struct node_value){0};
        }
        drop_if_empty(node);
    }
}

void other_nodes_take(const weir_store_news *news, const char *own, const char *former, int64_t now)
{
    const bool is_everything = news->kind == WEIR_STORE_EVERYTHING;
    struct count_key key;
    everything += is_everything;
    for (size_t i = 0; i < news->count; i++) {
        const weir_store_entry *entry = weir_store_entry_at(news->entries, news->entry_size, i);
        const bool is_count = count_key_read(entry->key, &key);
        if (!is_count ||
            (!entry->is_deleted && key.part >= 0 && !count_value_read(entry->value, NULL, NULL)))
            complain();
        if (is_count && strcmp(key.node, own) != 0 && strcmp(key.node, former) != 0)
            take_entry(entry, &key, !is_everything, now);
    }
    if (is_everything)
        drop_missing(now);
}

void other_nodes_clear(void)
{
    for (size_t i = 0; i < OTHER_NODES_MOST; i++) {
        free(nodes[i].presence.bytes);
        for (size_t part = 0; part < TALLY_PARTS; part++)
            free(nodes[i].parts[part].bytes);
        nodes[i] = (struct other_node){0};
    }
    atomic_store(&node_count, 0);
    atomic_store(&share_count, 0);
    atomic_store(&left_out, 0);
}

size_t other_nodes_count(void)
{
    return atomic_load(&node_count);
}

size_t other_nodes_left_out(void)
{
    return atomic_load(&left_out);
}
