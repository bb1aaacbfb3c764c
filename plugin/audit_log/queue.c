/* SPDX-License-Identifier: Apache-2.0
 *
 * The queue is a buffer of entries, each followed by its bodies, that grows as needed. The writer
 * swaps the full buffer for an empty one under the lock and works on it without.
 *
 * Waking the writer costs a system call, so it is done only if the writer sleeps and nobody has
 * woken it: when it waits for the first record, when a client waits (urgent), or when a quarter of
 * the limit is filled. Otherwise the writer gathers records for some milliseconds. */
#include "queue.h"

#include <stdlib.h>
#include <string.h>
#include <weir/clock.h>

#define FIRST_BYTES 65536
#define KEPT_BYTES  (8U << 20) /* a batch that grew beyond is given back to the system */
#define NS_PER_MS   1000000U

int queue_init(struct queue *queue, size_t limit)
{
    pthread_condattr_t attributes;
    memset(queue, 0, sizeof *queue);
    queue->limit = limit;
    if (pthread_mutex_init(&queue->lock, NULL) != 0)
        return -1;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    int status = pthread_cond_init(&queue->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    if (status == 0)
        return 0;
    pthread_mutex_destroy(&queue->lock);
    return -1;
}

void queue_release(struct queue *queue)
{
    free(queue->filling.data);
    pthread_cond_destroy(&queue->wake);
    pthread_mutex_destroy(&queue->lock);
}

void queue_set_limit(struct queue *queue, size_t limit)
{
    pthread_mutex_lock(&queue->lock);
    queue->limit = limit;
    pthread_mutex_unlock(&queue->lock);
}

static bool grow(struct batch *batch, size_t more)
{
    size_t capacity = batch->capacity ? batch->capacity : FIRST_BYTES;
    while (capacity - batch->size < more) {
        if (capacity > SIZE_MAX / 2)
            return false;
        capacity *= 2;
    }
    char *data = capacity == batch->capacity ? batch->data : realloc(batch->data, capacity);
    if (!data)
        return false;
    batch->data = data;
    batch->capacity = capacity;
    return true;
}

static size_t filled_up(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

/* Under the lock. */
static enum queue_answer append(struct queue *queue, const struct queue_entry *entry,
                                const char *bodies, bool force)
{
    struct batch *batch = &queue->filling;
    size_t more = sizeof *entry + filled_up(entry->size);
    if (!force && (batch->size > queue->limit || more > queue->limit - batch->size) && batch->size)
        return QUEUE_FULL;
    if (more > batch->capacity - batch->size && !grow(batch, more))
        return QUEUE_NO_MEMORY;
    memcpy(batch->data + batch->size, entry, sizeof *entry);
    memcpy(batch->data + batch->size + sizeof *entry, bodies, entry->size);
    batch->size += more;
    return QUEUE_PUT;
}

enum queue_answer queue_put(struct queue *queue, const struct queue_entry *entry,
                            const char *bodies, bool force, bool urgent)
{
    pthread_mutex_lock(&queue->lock);
    enum queue_answer answer = append(queue, entry, bodies, force);
    bool hurry = (urgent || queue->filling.size > queue->limit / 4) && !queue->is_urgent;
    bool wake = queue->writer_waits || hurry;
    queue->writer_waits = false;
    queue->is_urgent = queue->is_urgent || hurry;
    pthread_mutex_unlock(&queue->lock);
    if (wake)
        pthread_cond_signal(&queue->wake);
    return answer;
}

void queue_lose(struct queue *queue, uint64_t time_ns)
{
    pthread_mutex_lock(&queue->lock);
    struct loss *loss = &queue->filling.loss;
    if (loss->count++ == 0)
        loss->since_ns = time_ns;
    loss->until_ns = time_ns;
    pthread_mutex_unlock(&queue->lock);
    pthread_cond_signal(&queue->wake);
}

static bool is_empty(const struct queue *queue)
{
    return queue->filling.size == 0 && queue->filling.loss.count == 0;
}

bool queue_is_empty(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    bool empty = is_empty(queue);
    pthread_mutex_unlock(&queue->lock);
    return empty;
}

bool queue_has_room(struct queue *queue, unsigned times)
{
    pthread_mutex_lock(&queue->lock);
    bool has_room = queue->filling.size / times < queue->limit;
    pthread_mutex_unlock(&queue->lock);
    return has_room;
}

bool queue_take(struct queue *queue, struct batch *batch, unsigned gather_ms)
{
    struct batch next = {.data = batch->data, .capacity = batch->capacity};
    if (next.capacity > KEPT_BYTES) {
        free(next.data);
        next = (struct batch){0};
    }
    pthread_mutex_lock(&queue->lock);
    while (is_empty(queue) && !queue->stopped && !queue->is_woken) {
        queue->writer_waits = true;
        pthread_cond_wait(&queue->wake, &queue->lock);
    }
    queue->writer_waits = false;
    struct timespec end = clock_deadline(CLOCK_MONOTONIC, gather_ms * (uint64_t)NS_PER_MS);
    while (gather_ms && !queue->is_urgent && !queue->stopped && !queue->is_woken)
        if (pthread_cond_timedwait(&queue->wake, &queue->lock, &end) != 0)
            break;
    *batch = queue->filling;
    queue->filling = next;
    bool goes_on = batch->size || batch->loss.count || queue->is_woken;
    queue->is_urgent = queue->is_woken = false;
    pthread_mutex_unlock(&queue->lock);
    return goes_on;
}

void queue_wake(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->is_woken = true;
    pthread_mutex_unlock(&queue->lock);
    pthread_cond_signal(&queue->wake);
}

bool queue_pause(struct queue *queue, unsigned ms)
{
    struct timespec end = clock_deadline(CLOCK_MONOTONIC, ms * (uint64_t)NS_PER_MS);
    pthread_mutex_lock(&queue->lock);
    while (!queue->stopped && pthread_cond_timedwait(&queue->wake, &queue->lock, &end) == 0)
        ;
    bool stopped = queue->stopped;
    pthread_mutex_unlock(&queue->lock);
    return stopped;
}

void queue_release_holds(struct queue *queue, weir_verdict verdict)
{
    struct queue_entry *entry;
    size_t at = 0;
    pthread_mutex_lock(&queue->lock);
    while ((entry = batch_next(&queue->filling, &at))) {
        if (entry->hold)
            weir_release(entry->hold, verdict);
        entry->hold = NULL;
    }
    pthread_mutex_unlock(&queue->lock);
}

void queue_stop(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->stopped = true;
    pthread_mutex_unlock(&queue->lock);
    pthread_cond_signal(&queue->wake);
}

struct queue_entry *batch_next(const struct batch *batch, size_t *at)
{
    if (*at >= batch->size)
        return NULL;
    struct queue_entry *entry = (struct queue_entry *)(batch->data + *at);
    *at += sizeof *entry + filled_up(entry->size);
    return entry;
}
