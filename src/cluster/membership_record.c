/* SPDX-License-Identifier: Apache-2.0
 *
 * What a node says of itself: the value of its number's key, written when it has changed and the number is the node's. One
 * write is under way at a time. */
#include "cluster/membership_state.h"

/* The record with the lock held: it may not change while the request is copied. */
struct store_request membership_write_of(struct membership *own, char key[MEMBERSHIP_KEY_BYTES],
                                         int64_t revision)
{
    struct store_request request = {.action = STORE_WRITE, .compare_count = 1, .write_count = 1};
    request.compares[0] = (struct store_compare){
        .key = membership_key(own->prefix, own->number, key), .revision = revision};
    request.writes[0] = (struct store_write){
        .key = request.compares[0].key,
        .value = {.data = own->record ? own->record : "", .size = own->record_size},
        .lease = own->lease};
    return request;
}

/* Whose the key is now is read from its lease. */
static void on_own_read(void *user, const struct store_answer *answer)
{
    struct membership *own = user;
    own->is_writing = false;
    if (own->state != MEMBERSHIP_MEMBER || membership_is_stopping(own) ||
        answer->status != STORE_DONE)
        return;
    if (answer->count == 0 || answer->entries[0].lease != own->lease) {
        membership_lose(own, "its key is gone, or somebody else's");
        return;
    }
    own->revision = answer->entries[0].revision;
    own->is_unsure = false;
    membership_write_record(own);
}

static void on_written(void *user, const struct store_answer *answer)
{
    struct membership *own = user;
    own->is_writing = false;
    if (own->state != MEMBERSHIP_MEMBER || membership_is_stopping(own))
        return;
    if (answer->status == STORE_DONE)
        own->revision = answer->revision;
    else
        own->is_dirty = true; /* once the lease is kept again */
    own->is_unsure = answer->status == STORE_DIFFERS || answer->status == STORE_UNKNOWN;
    if (answer->status == STORE_DONE ? own->is_dirty : answer->status == STORE_DIFFERS)
        membership_write_record(own);
}

void membership_write_record(struct membership *own)
{
    char key[MEMBERSHIP_KEY_BYTES];
    if (own->is_writing || own->state != MEMBERSHIP_MEMBER)
        return;
    pthread_mutex_lock(&own->lock);
    struct store_request request = membership_write_of(own, key, own->revision);
    request.done = on_written;
    request.user = own;
    if (own->is_unsure)
        request = (struct store_request){.action = STORE_READ,
                                         .key = membership_key(own->prefix, own->number, key),
                                         .done = on_own_read,
                                         .user = own};
    own->is_dirty = own->is_unsure;
    own->is_writing = store_call(own->store, &request);
    pthread_mutex_unlock(&own->lock);
    own->is_dirty = own->is_dirty || !own->is_writing;
}

static void on_publish(void *user)
{
    struct membership *own = user;
    pthread_mutex_lock(&own->lock);
    own->publishes = false;
    const bool stops = own->is_stopping;
    pthread_mutex_unlock(&own->lock);
    own->is_dirty = true;
    if (!stops)
        membership_write_record(own);
}

void membership_publish(struct membership *own, const char *record, size_t size)
{
    assert(own && size <= STORE_VALUE_BYTES);
    char *copy = malloc(size + 1);
    if (!copy)
        return;
    if (size)
        memcpy(copy, record, size);
    copy[size] = 0;
    pthread_mutex_lock(&own->lock);
    free(own->record);
    own->record = copy;
    own->record_size = size;
    if (!own->publishes && !own->is_stopping)
        own->publishes = store_after(own->store, 0, on_publish, own);
    pthread_mutex_unlock(&own->lock);
}
