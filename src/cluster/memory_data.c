/* SPDX-License-Identifier: Apache-2.0
 *
 * The keys of stores in memory, with etcd's rules: one revision for each request that changes something,
 * a lease that ends takes its keys along. Out of memory is the end of a test. */
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "cluster/memory_state.h"

/* ---- Items ---- */

static int compare_keys(struct store_bytes one, struct store_bytes other)
{
    const size_t least = one.size < other.size ? one.size : other.size;
    const int order = memcmp(one.data, other.data, least);
    return order ? order : (one.size > other.size) - (one.size < other.size);
}

static bool matches(struct store_bytes key, struct store_bytes wanted, bool is_prefix)
{
    return key.size >= wanted.size && (is_prefix || key.size == wanted.size) &&
           memcmp(key.data, wanted.data, wanted.size) == 0;
}

static struct memory_item *copy_entry(const struct store_entry *entry)
{
    struct memory_item *item = malloc(sizeof *item + entry->key.size + entry->value.size);
    assert(item);
    item->entry = *entry;
    item->entry.key.data = item->bytes;
    item->entry.value.data = item->bytes + entry->key.size;
    memcpy(item->bytes, entry->key.data, entry->key.size);
    if (entry->value.size)
        memcpy(item->bytes + entry->key.size, entry->value.data, entry->value.size);
    return item;
}

static void free_items(struct memory_item **list)
{
    while (*list) {
        struct memory_item *item = *list;
        DL_DELETE(*list, item);
        free(item);
    }
}

static struct memory_item *find(const struct memory_data *data, struct store_bytes key)
{
    struct memory_item *item = data->keys;
    while (item && compare_keys(item->entry.key, key))
        item = item->next;
    return item;
}

/* ---- Changes ---- */

static void note(struct memory_data *data, const struct store_entry *entry)
{
    struct memory_item *change = copy_entry(entry);
    DL_APPEND(data->changes, change);
}

static void put(struct memory_data *data, const struct store_write *write)
{
    const struct store_entry entry = {.key = write->key,
                                      .value = write->value,
                                      .revision = data->revision,
                                      .lease = write->lease};
    struct memory_item *old = find(data, write->key), *made = copy_entry(&entry);
    struct memory_item *after = data->keys;
    while (after && compare_keys(after->entry.key, write->key) < 0)
        after = after->next;
    if (old)
        DL_REPLACE_ELEM(data->keys, old, made);
    else if (after)
        DL_PREPEND_ELEM(data->keys, after, made);
    else
        DL_APPEND(data->keys, made);
    free(old);
    note(data, &entry);
}

/* Deletes what `wanted` matches, or what has the lease where that is not 0. */
static void drop(struct memory_data *data, struct store_bytes wanted, bool is_prefix, int64_t lease)
{
    bool has_changed = false;
    for (struct memory_item *item = data->keys, *next; item; item = next) {
        next = item->next;
        if (lease ? item->entry.lease != lease : !matches(item->entry.key, wanted, is_prefix))
            continue;
        if (!has_changed)
            data->revision++;
        has_changed = true;
        DL_DELETE(data->keys, item);
        note(data, &(struct store_entry){.key = item->entry.key,
                                         .value = {.data = ""},
                                         .revision = data->revision,
                                         .is_deleted = true});
        free(item);
    }
}

/* ---- Leases ---- */

static struct memory_lease *find_lease(const struct memory_data *data, int64_t id)
{
    struct memory_lease *lease = data->leases;
    while (lease && lease->id != id)
        lease = lease->next;
    return lease;
}

static void end_lease(struct memory_data *data, struct memory_lease *lease)
{
    drop(data, (struct store_bytes){.data = ""}, false, lease->id);
    DL_DELETE(data->leases, lease);
    free(lease);
}

static struct memory_lease *grant(struct memory_data *data, long ttl_s)
{
    struct memory_lease *lease = calloc(1, sizeof *lease);
    assert(lease);
    lease->id = ++data->last_lease;
    lease->ttl_s = ttl_s;
    DL_APPEND(data->leases, lease);
    return lease;
}

uint64_t memory_data_next_end_ns(const struct memory_data *data)
{
    uint64_t next = UINT64_MAX;
    for (const struct memory_lease *lease = data->leases; lease; lease = lease->next)
        if (lease->ends_ns < next)
            next = lease->ends_ns;
    return next;
}

void memory_data_end_leases(struct memory_data *data, uint64_t now_ns)
{
    for (struct memory_lease *lease = data->leases, *next; lease; lease = next) {
        next = lease->next;
        if (lease->ends_ns <= now_ns)
            end_lease(data, lease);
    }
}

/* ---- Requests ---- */

static enum store_status write_all(struct memory_data *data, const struct store_request *request)
{
    for (size_t i = 0; i < request->compare_count; i++) {
        const struct memory_item *item = find(data, request->compares[i].key);
        if ((item ? item->entry.revision : 0) != request->compares[i].revision)
            return STORE_DIFFERS;
    }
    for (size_t i = 0; i < request->write_count; i++)
        if (request->writes[i].lease && !find_lease(data, request->writes[i].lease))
            return STORE_GONE;
    data->revision++;
    for (size_t i = 0; i < request->write_count; i++)
        put(data, &request->writes[i]);
    return STORE_DONE;
}

/* KEEP, GRANT and REVOKE. */
static void change_lease(struct memory_data *data, const struct store_request *request,
                         uint64_t now_ns, struct store_answer *answer)
{
    struct memory_lease *lease = request->action == STORE_GRANT ? grant(data, request->ttl_s)
                                                                : find_lease(data, request->lease);
    if (!lease) {
        answer->status = STORE_GONE;
        return;
    }
    answer->lease = lease->id;
    answer->ttl_s = lease->ttl_s;
    lease->ends_ns = now_ns + (uint64_t)lease->ttl_s * CLOCK_NS_PER_S;
    if (request->action == STORE_REVOKE)
        end_lease(data, lease);
}

void memory_data_carry_out(struct memory_data *data, const struct store_request *request,
                           uint64_t now_ns, struct store_answer *answer)
{
    *answer = (struct store_answer){.status = STORE_DONE, .message = ""};
    switch (request->action) {
    case STORE_READ:
        answer->entries = memory_data_keys(data, request->key, &answer->count);
        if (!request->is_prefix) { /* only the first can be the key itself */
            const bool is_it = answer->count && answer->entries[0].key.size == request->key.size;
            answer->count = is_it ? 1 : 0;
        }
        break;
    case STORE_WRITE:
        answer->status = write_all(data, request);
        break;
    case STORE_DELETE:
        drop(data, request->key, request->is_prefix, 0);
        break;
    case STORE_GRANT:
    case STORE_KEEP:
    case STORE_REVOKE:
        change_lease(data, request, now_ns, answer);
        break;
    }
    if (answer->status == STORE_DIFFERS)
        answer->message = "another one has changed it";
    else if (answer->status == STORE_GONE)
        answer->message = "the lease has ended";
    answer->revision = data->revision;
}

static struct store_entry *select_items(const struct memory_item *list, struct store_bytes prefix,
                                        int64_t after, size_t *count)
{
    size_t room = 1;
    *count = 0;
    for (const struct memory_item *item = list; item; item = item->next)
        room++;
    struct store_entry *entries = calloc(room, sizeof *entries);
    assert(entries);
    for (const struct memory_item *item = list; item; item = item->next)
        if (item->entry.revision > after && matches(item->entry.key, prefix, true))
            entries[(*count)++] = item->entry;
    return entries;
}

struct store_entry *memory_data_keys(const struct memory_data *data, struct store_bytes prefix,
                                     size_t *count)
{
    return select_items(data->keys, prefix, 0, count);
}

struct store_entry *memory_data_changes(const struct memory_data *data, struct store_bytes prefix,
                                        int64_t after, size_t *count)
{
    return select_items(data->changes, prefix, after, count);
}

void memory_data_compact(struct memory_data *data)
{
    free_items(&data->changes);
    data->compacted = data->revision;
}

void memory_data_release(struct memory_data *data)
{
    free_items(&data->keys);
    free_items(&data->changes);
    while (data->leases) {
        struct memory_lease *lease = data->leases;
        DL_DELETE(data->leases, lease);
        free(lease);
    }
}
