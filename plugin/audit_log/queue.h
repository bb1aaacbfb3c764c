/* SPDX-License-Identifier: Apache-2.0
 *
 * The queue between the sessions' threads, which put records in, and the writer, which takes all
 * there are at once. Two buffers are swapped: putting is one copy under a lock that is never held
 * across a system call, so that no session waits for the disk here.
 *
 * The limit is not a hard one: past it put() returns QUEUE_FULL and the caller decides, by its
 * strategy, whether to force the record in (and make its client wait) or to lose it. What was lost
 * is counted at its place in the order, so that the writer can say so there. */
#ifndef AUDIT_LOG_QUEUE_H
#define AUDIT_LOG_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/check.h>
#include <weir/plugin.h>

struct format;

struct queue_entry {
    const struct format *format; /* in which its bodies are written */
    weir_hold *hold;             /* to release when it is written; NULL: none */
    size_t size;                 /* bytes of bodies that follow, filled up to a multiple of 8 */
};

/* Events that are in no record. */
struct loss {
    uint64_t count, since_ns, until_ns;
};

struct batch {
    char *data;
    size_t size, capacity;
    struct loss loss; /* after the batch's last entry */
};

enum queue_answer { QUEUE_PUT, QUEUE_FULL, QUEUE_NO_MEMORY };

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct batch filling;
    size_t limit;      /* bytes */
    bool writer_waits; /* for entries */
    bool is_urgent;    /* a held reply waits for what is in the queue */
    bool is_woken;     /* queue_take must return, even with nothing */
    bool stopped;
};

WEIR_MUST_CHECK int queue_init(struct queue *queue, size_t limit);
void queue_release(struct queue *queue);
void queue_set_limit(struct queue *queue, size_t limit);

/* Puts one record's bodies in. force: also past the limit. urgent: the writer must not collect
 * more before it writes. Takes the hold if it says QUEUE_PUT. */
enum queue_answer queue_put(struct queue *queue, const struct queue_entry *entry,
                            const char *bodies, bool force, bool urgent);

/* Counts an event as lost, here in the order. */
void queue_lose(struct queue *queue, uint64_t time_ns);

/* Waits for entries or a loss, and up to gather_ms milliseconds more for others to join, unless
 * an entry is urgent or queue_wake() was called; then gives all, and takes the memory of the
 * batch given before. false: the queue was stopped and is empty. */
bool queue_take(struct queue *queue, struct batch *batch, unsigned gather_ms);

/* Makes queue_take return immediately. */
void queue_wake(struct queue *queue);

bool queue_is_empty(struct queue *queue);
/* Whether less is in the queue than `times` its limit. */
bool queue_has_room(struct queue *queue, unsigned times);

/* Waits up to ms milliseconds, less when the queue is stopped. Returns whether it is. */
bool queue_pause(struct queue *queue, unsigned ms);

/* Releases all holds of entries that have not been taken yet. */
void queue_release_holds(struct queue *queue, weir_verdict verdict);

/* From now on queue_take ends when the queue is empty. */
void queue_stop(struct queue *queue);

/* Walks over a batch: *at begins at 0. NULL at the end. */
struct queue_entry *batch_next(const struct batch *batch, size_t *at);
static inline const char *batch_bodies(const struct queue_entry *entry)
{
    return (const char *)(entry + 1);
}

#endif
