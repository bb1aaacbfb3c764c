/* SPDX-License-Identifier: Apache-2.0
 *
 * The journal's doors and its thread.
 *
 * The first half is called by the threads of sessions: journal_add() puts a record into the queue,
 * and the strategy decides what happens when the buffer is full or the sink is broken. If the
 * client has to wait, its reply is held before the record is queued, so that the writer can
 * release it at any moment after that.
 *
 * The second half is the writer's thread: it takes all queued records at once, builds units of
 * whole lines (journal_unit.c), adds the journal's own records (journal_records.c) and rotates on
 * request. Once it runs only this thread uses the sink, apart from reopen and size; `lock` guards
 * what both halves share. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "journal_inside.h"

#define UNIT_BYTES (256U << 10) /* a unit is committed when it is as big */
#define GATHER_MS  20           /* how long records may be collected when no reply is held */
#define RETRY_MS   250          /* between two tries to open what could not be opened */
/* How many times the buffer's size records may need that an emergency account is let through. */
#define EMERGENCY_SHARE 2
#define ROTATE_S        20 /* how long journal_rotate() waits */

/* ---- What the sessions' threads call ---- */

static bool is_waiting_strategy(enum strategy strategy)
{
    return strategy == STRATEGY_SYNCHRONOUS || strategy == STRATEGY_SEMISYNCHRONOUS;
}

static weir_verdict lose(struct journal *journal, uint64_t time_ns)
{
    atomic_fetch_add(&journal->counters.lost, 1);
    queue_lose(&journal->queue, time_ns);
    return WEIR_OK;
}

static weir_verdict fail(struct journal *journal)
{
    struct error error;
    if (atomic_load(&journal->allow))
        return WEIR_OK;
    journal_error(journal, &error);
    return weir_fail("%s", *error.message ? error.message : "no memory for a record");
}

/* The buffer is full: the strategy decides. */
static weir_verdict add_past_limit(struct journal *journal, weir_session *session,
                                   struct queue_entry *entry, const char *bodies, uint64_t time_ns)
{
    if (atomic_load(&journal->broken) || atomic_load(&journal->strategy) == STRATEGY_PERFORMANCE) {
        lose(journal, time_ns);
        return atomic_load(&journal->broken) ? fail(journal) : WEIR_OK;
    }
    atomic_fetch_add(&journal->counters.waits, 1);
    entry->hold = session ? weir_hold_reply(session) : NULL;
    if (queue_put(&journal->queue, entry, bodies, true, true) == QUEUE_PUT)
        return WEIR_OK;
    if (entry->hold)
        weir_release(entry->hold, WEIR_OK); /* the verdict below says it */
    lose(journal, time_ns);
    return fail(journal);
}

weir_verdict journal_add(struct journal *journal, weir_session *session,
                         const struct format *format, const struct strbuf *bodies, uint64_t time_ns)
{
    assert(journal && format && bodies);
    struct queue_entry entry = {.format = format, .size = bodies->size};
    if (bodies->failed) {
        lose(journal, time_ns);
        return fail(journal);
    }
    if (bodies->size == 0)
        return WEIR_OK;
    bool is_broken = atomic_load_explicit(&journal->broken, memory_order_relaxed);
    bool waits = !is_broken && is_waiting_strategy(
                                   atomic_load_explicit(&journal->strategy, memory_order_relaxed));
    if (waits && session)
        entry.hold = weir_hold_reply(session);
    /* Who waits is bounded by the number of sessions, and needs no other limit. */
    enum queue_answer answer =
        queue_put(&journal->queue, &entry, bodies->data, entry.hold != NULL, waits);
    if (answer == QUEUE_PUT)
        return is_broken && session ? fail(journal) : WEIR_OK;
    if (answer == QUEUE_FULL)
        return add_past_limit(journal, session, &entry, bodies->data, time_ns);
    if (entry.hold)
        weir_release(entry.hold, WEIR_OK); /* the verdict below says it */
    lose(journal, time_ns);
    return fail(journal);
}

weir_verdict journal_add_emergency(struct journal *journal, weir_session *session,
                                   const struct format *format, const struct strbuf *bodies,
                                   uint64_t time_ns)
{
    assert(journal && format && bodies);
    struct queue_entry entry = {.format = format, .size = bodies->size};
    if (!journal_refuses(journal))
        return journal_add(journal, session, format, bodies, time_ns);
    /* There was room when the event was let through; what a few sessions do at once is beyond it by
     * one record each. */
    if (!bodies->failed &&
        queue_put(&journal->queue, &entry, bodies->data, true, false) == QUEUE_PUT)
        return WEIR_OK;
    lose(journal, time_ns);
    return fail(journal);
}

bool journal_has_emergency_room(struct journal *journal)
{
    return queue_has_room(&journal->queue, EMERGENCY_SHARE);
}

bool journal_refuses(const struct journal *journal)
{
    return atomic_load_explicit(&journal->broken, memory_order_relaxed) &&
           !atomic_load_explicit(&journal->allow, memory_order_relaxed);
}

void journal_error(struct journal *journal, struct error *error)
{
    assert(journal && error);
    pthread_mutex_lock(&journal->lock);
    *error = journal->error;
    pthread_mutex_unlock(&journal->lock);
}

int journal_reopen(struct journal *journal, struct error *error)
{
    assert(journal && error);
    pthread_mutex_lock(&journal->lock);
    struct sink *sink = journal->sink;
    pthread_mutex_unlock(&journal->lock);
    return sink ? sink->type->reopen(sink, error) : 0; /* what is not open yet is tried anyway */
}

int journal_rotate(struct journal *journal, struct strbuf *name, struct error *error)
{
    struct timespec end = clock_deadline(CLOCK_REALTIME, ROTATE_S * CLOCK_NS_PER_S);
    int status = 0;
    pthread_mutex_lock(&journal->lock);
    journal->rotation.is_wanted = true;
    pthread_mutex_unlock(&journal->lock);
    queue_wake(&journal->queue);
    pthread_mutex_lock(&journal->lock);
    while (journal->rotation.is_wanted && status == 0)
        status = pthread_cond_timedwait(&journal->rotated, &journal->lock, &end);
    if (journal->rotation.is_wanted) {
        journal->rotation.is_wanted = false;
        error_set(error, "the log is not being written: %.300s",
                  *journal->error.message ? journal->error.message : "the disk is too slow");
        status = -1;
    } else {
        status = journal->rotation.status;
        *error = journal->rotation.error;
        strbuf_add(name, journal->rotation.name.data, journal->rotation.name.size);
    }
    pthread_mutex_unlock(&journal->lock);
    return status;
}

void journal_set_strategy(struct journal *journal, enum strategy strategy)
{
    atomic_store(&journal->strategy, (int)strategy);
}

void journal_set_buffer_bytes(struct journal *journal, uint64_t bytes)
{
    queue_set_limit(&journal->queue, bytes);
}

void journal_set_chain(struct journal *journal, bool has_chain)
{
    atomic_store(&journal->has_chain, has_chain);
}

void journal_set_allow(struct journal *journal, bool allow_on_failure)
{
    atomic_store(&journal->allow, allow_on_failure);
}

const struct journal_counters *journal_counters(const struct journal *journal)
{
    return &journal->counters;
}

bool journal_is_broken(const struct journal *journal)
{
    return atomic_load_explicit(&journal->broken, memory_order_relaxed);
}

uint64_t journal_current_size(struct journal *journal)
{
    pthread_mutex_lock(&journal->lock);
    struct sink *sink = journal->sink;
    pthread_mutex_unlock(&journal->lock);
    return sink ? sink->type->size(sink) : 0;
}

static int open_sink(struct journal *journal, struct error *error)
{
    struct sink_end end = {.sequence = 0};
    memcpy(end.chain, chain_beginning, CHAIN_TEXT_BYTES);
    struct sink *sink =
        journal->sink_type->open(journal->sink_options, journal->format, &end, error);
    if (!sink)
        return -1;
    pthread_mutex_lock(&journal->lock);
    journal->sink = sink;
    pthread_mutex_unlock(&journal->lock);
    journal->sequence = end.sequence;
    memcpy(journal->chain, end.chain, CHAIN_TEXT_BYTES);
    unit_begin(journal);
    journal_add_start(journal, &end);
    return 0;
}

/* ---- The thread ---- */

static void write_batch(struct journal *journal, const struct batch *batch)
{
    struct queue_entry *entry;
    size_t at = 0;
    while ((entry = batch_next(batch, &at))) {
        if (entry->format != journal->format)
            unit_change_format(journal, entry->format);
        unit_add_lines(journal, batch_bodies(entry), entry->size);
        if (entry->hold)
            unit_add_hold(journal, entry->hold);
        if (journal->unit.size >= UNIT_BYTES)
            unit_commit(journal);
    }
    unit_commit(journal);
    journal_add_removed(journal);
    journal_add_gaps(journal, &batch->loss);
    unit_commit(journal);
}

/* The sink could not be opened at the start, and on_failure is allow: tries until it can. Meanwhile
 * the queue fills up, and what does not fit is counted. false: the plugin ends first. */
static bool wait_for_sink(struct journal *journal)
{
    struct error error;
    while (!journal->sink) {
        if (queue_pause(&journal->queue, RETRY_MS))
            return false;
        if (open_sink(journal, &error) < 0)
            journal_enter_broken(journal, &error);
    }
    return true;
}

/* What journal_rotate() waits for: records that were queued before are in the old file. */
static void rotate_if_wanted(struct journal *journal)
{
    struct error error = {""};
    struct strbuf name = {0};
    pthread_mutex_lock(&journal->lock);
    bool is_wanted = journal->rotation.is_wanted;
    pthread_mutex_unlock(&journal->lock);
    if (!is_wanted)
        return;
    int status = journal->sink->type->rotate(journal->sink, &name, &error);
    pthread_mutex_lock(&journal->lock);
    strbuf_release(&journal->rotation.name);
    journal->rotation.name = name;
    journal->rotation.status = status;
    journal->rotation.error = error;
    journal->rotation.is_wanted = false;
    pthread_cond_signal(&journal->rotated);
    pthread_mutex_unlock(&journal->lock);
}

static void *run_journal(void *argument)
{
    struct journal *journal = argument;
    struct batch batch = {0};
    if (!wait_for_sink(journal))
        return NULL;
    unit_commit(journal); /* the Start record */
    while (queue_take(&journal->queue, &batch, GATHER_MS)) {
        write_batch(journal, &batch);
        rotate_if_wanted(journal);
    }
    free(batch.data);
    journal_add_stop(journal);
    unit_commit(journal);
    return NULL;
}

static void journal_free(struct journal *journal)
{
    if (journal->sink)
        journal->sink->type->close(journal->sink);
    queue_release(&journal->queue);
    pthread_cond_destroy(&journal->rotated);
    pthread_mutex_destroy(&journal->lock);
    strbuf_release(&journal->rotation.name);
    strbuf_release(&journal->unit);
    strbuf_release(&journal->own);
    free(journal->holds);
    free(journal);
}

struct journal *journal_start(const struct journal_options *options, struct error *error)
{
    struct journal *journal = calloc(1, sizeof *journal);
    if (!journal || queue_init(&journal->queue, options->buffer_bytes) < 0) {
        error_set(error, "no memory");
        free(journal);
        return NULL;
    }
    pthread_mutex_init(&journal->lock, NULL);
    pthread_cond_init(&journal->rotated, NULL);
    journal->sink_type = options->sink;
    journal->sink_options = options->sink_options;
    journal->format = options->format;
    journal->detail = options->detail;
    atomic_store(&journal->strategy, (int)options->strategy);
    atomic_store(&journal->has_chain, options->has_chain);
    atomic_store(&journal->allow, options->allow_on_failure);
    if (open_sink(journal, error) < 0) {
        if (!options->allow_on_failure)
            goto fail;
        journal_enter_broken(journal, error);
    }
    if (pthread_create(&journal->thread, NULL, run_journal, journal) == 0)
        return journal;
    error_set(error, "no thread for the writer");
fail:
    journal_free(journal);
    return NULL;
}

void journal_stop(struct journal *journal)
{
    if (!journal)
        return;
    queue_stop(&journal->queue);
    pthread_join(journal->thread, NULL);
    journal_free(journal);
}
