/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys in a sorted array, leases in another, and the changes since the last compaction. Plans reserve the
 * memory that they need, so that what is planned is done. */
#include "store/data.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* ---- Finding ---- */

static int compare_keys(struct store_bytes one, struct store_bytes other)
{
    const size_t least = one.size < other.size ? one.size : other.size;
    const int order = memcmp(one.data, other.data, least);
    return order ? order : (one.size > other.size) - (one.size < other.size);
}

static bool begins_with(struct store_bytes key, struct store_bytes prefix)
{
    return key.size >= prefix.size && memcmp(key.data, prefix.data, prefix.size) == 0;
}

/* The first key that is not before this one. */
static size_t position_of(const struct store_data *data, struct store_bytes key)
{
    size_t low = 0, high = data->key_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (compare_keys(data->keys[middle]->entry.key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct store_data *data, size_t position, struct store_bytes key)
{
    return position < data->key_count && compare_keys(data->keys[position]->entry.key, key) == 0;
}

static size_t lease_position(const struct store_data *data, int64_t id)
{
    size_t low = 0, high = data->lease_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (data->leases[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct data_lease *data_find_lease(const struct store_data *data, int64_t id)
{
    const size_t position = lease_position(data, id);
    return position < data->lease_count && data->leases[position].id == id ? &data->leases[position]
                                                                           : NULL;
}

uint64_t data_next_end_ns(const struct store_data *data)
{
    uint64_t next = UINT64_MAX;
    for (size_t i = 0; i < data->lease_count; i++)
        if (data->leases[i].ends_ns < next)
            next = data->leases[i].ends_ns;
    return next;
}

/* ---- Steps ---- */

static void drop_item(struct data_item *item)
{
    if (--item->uses == 0)
        free(item);
}

bool data_step_add(struct data_step *step, const struct store_entry *entry)
{
    struct data_item *item = malloc(sizeof *item + entry->key.size + entry->value.size);
    if (!item)
        return false;
    item->uses = 1;
    item->entry = *entry;
    item->entry.key.data = item->bytes;
    item->entry.value.data = item->bytes + entry->key.size;
    memcpy(item->bytes, entry->key.data, entry->key.size);
    if (entry->value.size)
        memcpy(item->bytes + entry->key.size, entry->value.data, entry->value.size);
    DL_APPEND(step->items, item);
    return true;
}

void data_step_release(struct data_step *step)
{
    while (step->items) {
        struct data_item *item = step->items;
        DL_DELETE(step->items, item);
        drop_item(item);
    }
    *step = (struct data_step){0};
}

/* Returns false without memory. */
static bool grow(void **array, size_t *room, size_t needed, size_t item_size)
{
    if (needed <= *room)
        return true;
    const size_t wanted = needed * 2 > 16 ? needed * 2 : 16;
    void *grown = realloc(*array, wanted * item_size);
    if (!grown)
        return false;
    *array = grown;
    *room = wanted;
    return true;
}

bool data_reserve(struct store_data *data, const struct data_step *step)
{
    size_t items = 0;
    for (const struct data_item *item = step->items; item; item = item->next)
        items++;
    return grow((void **)&data->keys, &data->key_room, data->key_count + items,
                sizeof(struct data_item *)) &&
           grow((void **)&data->leases, &data->lease_room,
                data->lease_count + (step->lease.id != 0), sizeof *data->leases);
}

static size_t bytes_of(const struct data_item *item)
{
    return item->entry.key.size + item->entry.value.size;
}

/* Takes over one use of the item by the changes, and adds one of the keys. */
static void apply_item(struct store_data *data, struct data_item *item)
{
    const size_t at = position_of(data, item->entry.key);
    const bool was_there = is_at(data, at, item->entry.key);
    struct data_item **place = data->keys + at;
    if (was_there) {
        data->bytes -= bytes_of(*place);
        drop_item(*place);
    }
    if (item->entry.is_deleted) {
        if (was_there)
            memmove(place, place + 1, (--data->key_count - at) * sizeof(struct data_item *));
    } else {
        if (!was_there) {
            assert(data->key_count < data->key_room);
            memmove(place + 1, place, (data->key_count++ - at) * sizeof(struct data_item *));
        }
        *place = item;
        item->uses++;
        data->bytes += bytes_of(item);
    }
    DL_APPEND(data->changes, item);
}

static void apply_lease(struct store_data *data, const struct data_lease *lease)
{
    const size_t at = lease_position(data, lease->id);
    struct data_lease *place = data->leases + at;
    if (!data_find_lease(data, lease->id)) {
        assert(data->lease_count < data->lease_room);
        memmove(place + 1, place, (data->lease_count++ - at) * sizeof *place);
    }
    *place = *lease;
    if (lease->id > data->last_lease)
        data->last_lease = lease->id;
}

static void apply_end(struct store_data *data, int64_t id)
{
    struct data_lease *lease = data_find_lease(data, id);
    if (lease)
        memmove(lease, lease + 1,
                (size_t)(data->leases + --data->lease_count - lease) * sizeof *lease);
}

void data_apply(struct store_data *data, struct data_step *step)
{
    while (step->items) {
        struct data_item *item = step->items;
        DL_DELETE(step->items, item);
        apply_item(data, item);
    }
    if (step->lease.id)
        apply_lease(data, &step->lease);
    if (step->ended_lease)
        apply_end(data, step->ended_lease);
    if (step->last_lease > data->last_lease)
        data->last_lease = step->last_lease;
    data->revision = step->revision;
    *step = (struct data_step){0};
}

/* ---- Plans ---- */

static enum store_status plan_write(const struct store_data *data,
                                    const struct store_request *request, struct data_step *step)
{
    for (size_t i = 0; i < request->compare_count; i++) {
        const struct store_compare *compare = &request->compares[i];
        const size_t at = position_of(data, compare->key);
        const bool is_there = is_at(data, at, compare->key);
        if ((is_there ? data->keys[at]->entry.revision : 0) != compare->revision)
            return STORE_DIFFERS;
    }
    for (size_t i = 0; i < request->write_count; i++)
        if (request->writes[i].lease && !data_find_lease(data, request->writes[i].lease))
            return STORE_GONE;
    step->revision = data->revision + 1;
    bool ok = true;
    for (size_t i = 0; ok && i < request->write_count; i++)
        ok = data_step_add(step, &(struct store_entry){.key = request->writes[i].key,
                                                       .value = request->writes[i].value,
                                                       .revision = step->revision,
                                                       .lease = request->writes[i].lease});
    return ok ? STORE_DONE : STORE_FAILED;
}

static bool plan_deletion(const struct store_data *data, const struct data_item *item,
                          struct data_step *step)
{
    step->revision = data->revision + 1;
    return data_step_add(step, &(struct store_entry){.key = item->entry.key,
                                                     .value = {.data = ""},
                                                     .revision = step->revision,
                                                     .is_deleted = true});
}

static enum store_status plan_delete(const struct store_data *data,
                                     const struct store_request *request, struct data_step *step)
{
    bool ok = true;
    size_t at = position_of(data, request->key);
    if (!request->is_prefix)
        return is_at(data, at, request->key) && !plan_deletion(data, data->keys[at], step)
                   ? STORE_FAILED
                   : STORE_DONE;
    for (; ok && at < data->key_count && begins_with(data->keys[at]->entry.key, request->key); at++)
        ok = plan_deletion(data, data->keys[at], step);
    return ok ? STORE_DONE : STORE_FAILED;
}

static bool plan_lease_end(const struct store_data *data, int64_t id, struct data_step *step)
{
    bool ok = true;
    step->ended_lease = id;
    for (size_t i = 0; ok && i < data->key_count; i++)
        if (data->keys[i]->entry.lease == id)
            ok = plan_deletion(data, data->keys[i], step);
    return ok;
}

bool data_plan_end(struct store_data *data, uint64_t now_ns, struct data_step *step)
{
    const struct data_lease *due = NULL;
    *step = (struct data_step){.revision = data->revision};
    for (size_t i = 0; !due && i < data->lease_count; i++)
        if (data->leases[i].ends_ns <= now_ns)
            due = &data->leases[i];
    if (!due)
        return false;
    const bool ok = plan_lease_end(data, due->id, step) && data_reserve(data, step);
    if (!ok)
        data_step_release(step);
    return ok;
}

/* GRANT, KEEP and REVOKE. */
static enum store_status plan_lease(const struct store_data *data,
                                    const struct store_request *request, uint64_t now_ns,
                                    struct data_step *step, struct store_answer *answer)
{
    const bool is_new = request->action == STORE_GRANT;
    const struct data_lease *found = is_new ? NULL : data_find_lease(data, request->lease);
    if (!is_new && !found)
        return STORE_GONE;
    struct data_lease lease = {.id = is_new ? data->last_lease + 1 : found->id,
                               .ttl_s = is_new ? request->ttl_s : found->ttl_s};
    lease.ends_ns = now_ns + (uint64_t)lease.ttl_s * CLOCK_NS_PER_S;
    answer->lease = lease.id;
    answer->ttl_s = lease.ttl_s;
    if (request->action != STORE_REVOKE) {
        step->lease = lease;
        return STORE_DONE;
    }
    return plan_lease_end(data, lease.id, step) ? STORE_DONE : STORE_FAILED;
}

void data_plan(struct store_data *data, const struct store_request *request, uint64_t now_ns,
               struct data_step *step, struct store_answer *answer)
{
    *step = (struct data_step){.revision = data->revision};
    *answer = (struct store_answer){.message = ""};
    assert(request->action != STORE_READ);
    if (request->action == STORE_WRITE)
        answer->status = plan_write(data, request, step);
    else if (request->action == STORE_DELETE)
        answer->status = plan_delete(data, request, step);
    else
        answer->status = plan_lease(data, request, now_ns, step, answer);
    if (answer->status == STORE_DONE && !data_reserve(data, step))
        answer->status = STORE_FAILED;
    if (answer->status == STORE_DIFFERS)
        answer->message = "another one has changed it";
    else if (answer->status == STORE_GONE)
        answer->message = "the lease has ended";
    else if (answer->status == STORE_FAILED)
        answer->message = "out of memory";
    answer->revision = answer->status == STORE_DONE ? step->revision : data->revision;
    if (answer->status != STORE_DONE)
        data_step_release(step);
}

/* ---- Reading ---- */

void data_read(const struct store_data *data, const struct store_request *request,
               struct store_answer *answer)
{
    assert(request->action == STORE_READ);
    struct store_entry *entries = data_keys(data, request->key, &answer->count);
    *answer = (struct store_answer){.status = entries ? STORE_DONE : STORE_FAILED,
                                    .message = entries ? "" : "out of memory",
                                    .revision = data->revision,
                                    .entries = entries,
                                    .count = answer->count};
    if (!request->is_prefix) { /* only the first can be the key itself */
        const bool is_it = entries && answer->count && entries[0].key.size == request->key.size;
        answer->count = is_it ? 1 : 0;
    }
}

struct store_entry *data_keys(const struct store_data *data, struct store_bytes prefix,
                              size_t *count)
{
    const size_t first = position_of(data, prefix);
    *count = 0;
    while (first + *count < data->key_count &&
           begins_with(data->keys[first + *count]->entry.key, prefix))
        ++*count;
    struct store_entry *entries = calloc(*count + 1, sizeof *entries);
    for (size_t i = 0; entries && i < *count; i++)
        entries[i] = data->keys[first + i]->entry;
    *count = entries ? *count : 0;
    return entries;
}

struct store_entry *data_changes(const struct store_data *data, struct store_bytes prefix,
                                 int64_t after, size_t *count)
{
    size_t room = 1;
    *count = 0;
    for (const struct data_item *item = data->changes; item; item = item->next)
        room++;
    struct store_entry *entries = calloc(room, sizeof *entries);
    for (const struct data_item *item = data->changes; entries && item; item = item->next)
        if (item->entry.revision > after && begins_with(item->entry.key, prefix))
            entries[(*count)++] = item->entry;
    return entries;
}

void data_compact(struct store_data *data)
{
    while (data->changes) {
        struct data_item *item = data->changes;
        DL_DELETE(data->changes, item);
        drop_item(item);
    }
    data->compacted = data->revision;
}

void data_release(struct store_data *data)
{
    for (size_t i = 0; i < data->key_count; i++)
        drop_item(data->keys[i]);
    data_compact(data);
    free(data->keys);
    free(data->leases);
    *data = (struct store_data){.revision = 1};
}
