/* SPDX-License-Identifier: Apache-2.0 */
#include "journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define UNIT_BYTES (256U << 10) /* a unit is committed when it is as big */
#define GATHER_MS  20           /* how long records may be collected when nobody waits for them */
#define RETRY_MS   250          /* between two tries of what failed */
#define NS         1000000000U

const char *const strategy_names[] = {
#define X(enumerator, name) name,
    STRATEGIES(X)
#undef X
};

struct journal {
    struct queue queue;
    pthread_t thread;
    atomic_int strategy;
    atomic_bool has_chain, allow, broken;
    const struct sink_type *sink_type;
    const struct sink_options *sink_options;
    const char *detail; /* of the Start record; may be NULL */
    struct sink *sink;  /* NULL: could not be opened yet */
    struct journal_counters counters;
    pthread_mutex_t lock; /* of problem, and of sink coming into being */
    char problem[PROBLEM_BYTES];

    /* The thread's own from here on. */
    const struct format *format; /* of the sink's current file */
    uint64_t sequence;           /* of the last record that was taken */
    char chain[CHAIN_TEXT_BYTES];
    struct text unit;
    uint64_t unit_sequence; /* what they will be when the unit is taken */
    char unit_chain[CHAIN_TEXT_BYTES];
    weir_hold **holds; /* of the unit */
    size_t hold_count, hold_room;
    uint64_t broken_since_ns;
    bool has_recovered; /* a Gap record is due, when what was queued meanwhile is written */
    bool gap_is_late;
    struct text own; /* bodies of the journal's own records */
};

static uint64_t wall_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * NS + (uint64_t)now.tv_nsec;
}

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
    char problem[PROBLEM_BYTES];
    if (atomic_load(&journal->allow))
        return WEIR_OK;
    journal_problem(journal, problem);
    return weir_fail("%s", *problem ? problem : "no memory for a record");
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
                         const struct format *format, const struct text *bodies, uint64_t time_ns)
{
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

bool journal_refuses(const struct journal *journal)
{
    return atomic_load_explicit(&journal->broken, memory_order_relaxed) &&
           !atomic_load_explicit(&journal->allow, memory_order_relaxed);
}

void journal_problem(struct journal *journal, char problem[PROBLEM_BYTES])
{
    pthread_mutex_lock(&journal->lock);
    memcpy(problem, journal->problem, PROBLEM_BYTES);
    pthread_mutex_unlock(&journal->lock);
}

int journal_reopen(struct journal *journal, char problem[PROBLEM_BYTES])
{
    pthread_mutex_lock(&journal->lock);
    struct sink *sink = journal->sink;
    pthread_mutex_unlock(&journal->lock);
    return sink ? sink->type->reopen(sink, problem) : 0; /* what is not open yet is tried anyway */
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

uint64_t journal_current_size(struct journal *journal)
{
    pthread_mutex_lock(&journal->lock);
    struct sink *sink = journal->sink;
    pthread_mutex_unlock(&journal->lock);
    return sink ? sink->type->size(sink) : 0;
}

/* ---- The thread: failing and recovering ---- */

static void release_unit(struct journal *journal, weir_verdict verdict)
{
    for (size_t i = 0; i < journal->hold_count; i++)
        weir_release(journal->holds[i], verdict);
    journal->hold_count = 0;
}

/* The sink has failed. Whoever waits is told; the unit stays. */
static void enter_broken(struct journal *journal, const char *problem)
{
    bool allow = atomic_load(&journal->allow), first = !atomic_load(&journal->broken);
    weir_verdict verdict = allow ? WEIR_OK : WEIR_FAIL;
    pthread_mutex_lock(&journal->lock);
    snprintf(journal->problem, sizeof journal->problem, "%s", problem);
    pthread_mutex_unlock(&journal->lock);
    if (first) {
        journal->broken_since_ns = wall_ns();
        atomic_store(&journal->broken, true);
        weir_log(WEIR_LOG_ERROR, "%s; %s until it works again", problem,
                 allow ? "statements run unaudited" : "statements are refused");
    }
    atomic_fetch_add(&journal->counters.write_errors, 1);
    release_unit(journal, verdict);
    queue_release_holds(&journal->queue, verdict);
}

static void leave_broken(struct journal *journal)
{
    if (!atomic_load(&journal->broken))
        return;
    pthread_mutex_lock(&journal->lock);
    journal->problem[0] = '\0';
    pthread_mutex_unlock(&journal->lock);
    atomic_store(&journal->broken, false);
    journal->has_recovered = true;
    weir_log(WEIR_LOG_WARN, "the log can be written again");
}

/* ---- The thread: units ---- */

static void begin_unit(struct journal *journal)
{
    text_reset(&journal->unit);
    journal->unit_sequence = journal->sequence;
    memcpy(journal->unit_chain, journal->chain, CHAIN_TEXT_BYTES);
}

/* Adds bodies to the unit as numbered lines. */
static void add_lines(struct journal *journal, const char *bodies, size_t size)
{
    struct text *unit = &journal->unit;
    const char *end = bodies + size;
    bool has_chain = atomic_load_explicit(&journal->has_chain, memory_order_relaxed);
    while (bodies < end) {
        const char *newline = memchr(bodies, '\n', (size_t)(end - bodies));
        size_t begin = unit->size;
        journal->format->write_prefix(unit, ++journal->unit_sequence,
                                      has_chain ? journal->unit_chain : NULL);
        text_add(unit, bodies, (size_t)(newline - bodies));
        if (has_chain && !unit->failed)
            chain_of(unit->data + begin, unit->size - begin, journal->unit_chain);
        text_add_words(unit, journal->format->separator);
        text_add_byte(unit, '\n');
        bodies = newline + 1;
    }
    if (!has_chain)
        memcpy(journal->unit_chain, chain_beginning, CHAIN_TEXT_BYTES);
}

/* Keeps a hold for the end of the unit. Without memory its client learns now that it failed. */
static void add_hold(struct journal *journal, weir_hold *hold)
{
    if (journal->hold_count == journal->hold_room) {
        size_t room = journal->hold_room ? 2 * journal->hold_room : 64;
        weir_hold **holds = realloc(journal->holds, room * sizeof(weir_hold *));
        if (!holds) {
            weir_release(hold, atomic_load(&journal->allow) ? WEIR_OK : WEIR_FAIL);
            return;
        }
        journal->holds = holds;
        journal->hold_room = room;
    }
    journal->holds[journal->hold_count++] = hold;
}

/* One try to commit what is left of the unit. */
static int try_commit(struct journal *journal, size_t *done, char problem[PROBLEM_BYTES])
{
    bool sync = atomic_load(&journal->strategy) == STRATEGY_SYNCHRONOUS;
    size_t taken = 0;
    int status = journal->sink->type->commit(journal->sink, journal->unit.data + *done,
                                             journal->unit.size - *done, sync, &taken, problem);
    *done += taken;
    if (status == 0 && sync)
        atomic_fetch_add(&journal->counters.syncs, 1);
    return status;
}

/* Commits the unit, however long it takes; gives up only when the plugin ends. */
static void commit_unit(struct journal *journal)
{
    char problem[PROBLEM_BYTES] = "no memory to write records";
    size_t done = 0;
    bool given_up = false;
    if (journal->unit.failed) /* no memory: these records are gone, and the numbers go on without */
        enter_broken(journal, problem);
    else if (journal->unit.size == 0)
        return;
    while (!journal->unit.failed && try_commit(journal, &done, problem) < 0) {
        enter_broken(journal, problem);
        if (given_up)
            break;
        given_up = queue_pause(&journal->queue, RETRY_MS); /* then once more */
        queue_release_holds(&journal->queue, atomic_load(&journal->allow) ? WEIR_OK : WEIR_FAIL);
    }
    if (done == journal->unit.size && !journal->unit.failed) {
        atomic_fetch_add(&journal->counters.events, journal->unit_sequence - journal->sequence);
        atomic_fetch_add(&journal->counters.bytes, done);
        journal->sequence = journal->unit_sequence;
        memcpy(journal->chain, journal->unit_chain, CHAIN_TEXT_BYTES);
        leave_broken(journal);
        release_unit(journal, WEIR_OK);
    } else {
        atomic_fetch_add(&journal->counters.lost, journal->unit_sequence - journal->sequence);
        weir_log(WEIR_LOG_ERROR, "%llu records are lost: %s",
                 (unsigned long long)(journal->unit_sequence - journal->sequence), problem);
    }
    begin_unit(journal);
}

/* The entries that follow are in another format: the sink begins a new file. */
static void change_format(struct journal *journal, const struct format *format)
{
    char problem[PROBLEM_BYTES];
    commit_unit(journal);
    if (journal->sink && journal->sink->type->set_format(journal->sink, format, problem) < 0)
        enter_broken(journal, problem);
    journal->format = format;
}

/* ---- The thread: its own records ---- */

static void add_own(struct journal *journal, const struct record *record)
{
    text_reset(&journal->own);
    journal->format->write(&journal->own, record);
    if (!journal->own.failed)
        add_lines(journal, journal->own.data, journal->own.size);
}

static void add_gap(struct journal *journal, const struct loss *loss, const char *reason)
{
    struct record record;
    struct text since = {0}, until = {0};
    record_init(&record, RECORD_GAP, wall_ns());
    text_add_time(&since, loss->since_ns);
    text_add_time(&until, loss->until_ns);
    record.number[RECORD_NUMBER_lost] = loss->count;
    record.text[RECORD_TEXT_since] = (weir_string){since.data, since.size};
    record.text[RECORD_TEXT_until] = (weir_string){until.data, until.size};
    record.text[RECORD_TEXT_reason] = record_string(reason);
    add_own(journal, &record);
    text_release(&since);
    text_release(&until);
}

/* Says what is missing before the place where the log goes on. */
static void tell_gaps(struct journal *journal, const struct loss *loss)
{
    struct loss gap = *loss;
    bool recovered = journal->has_recovered;
    if (recovered && !gap.count && !journal->gap_is_late && !queue_is_empty(&journal->queue)) {
        journal->gap_is_late = true; /* what was lost meanwhile comes with the next batch */
        return;
    }
    journal->gap_is_late = false;
    if (recovered) {
        if (!gap.count)
            gap.until_ns = wall_ns();
        gap.since_ns = journal->broken_since_ns;
    }
    if (gap.count || recovered)
        add_gap(journal, &gap, recovered ? "the log could not be written" : "the buffer was full");
    journal->has_recovered = false;
}

static void tell_removed(struct journal *journal)
{
    struct record record;
    if (!journal->sink || !journal->sink->was_removed)
        return;
    journal->sink->was_removed = false;
    weir_log(WEIR_LOG_WARN, "%s had been removed; a new one was begun",
             journal->sink_options->file ? journal->sink_options->file : "the log");
    record_init(&record, RECORD_REOPEN, wall_ns());
    record.text[RECORD_TEXT_reason] = record_string("the file had been removed");
    add_own(journal, &record);
}

static void add_start(struct journal *journal, const struct sink_end *end)
{
    struct record record;
    record_init(&record, RECORD_START, wall_ns());
    record.text[RECORD_TEXT_detail] = record_string(journal->detail);
    if (end->torn_bytes)
        record.number[RECORD_NUMBER_torn_bytes] = end->torn_bytes;
    add_own(journal, &record);
}

static int open_sink(struct journal *journal, char problem[PROBLEM_BYTES])
{
    struct sink_end end = {.sequence = 0};
    memcpy(end.chain, chain_beginning, CHAIN_TEXT_BYTES);
    struct sink *sink =
        journal->sink_type->open(journal->sink_options, journal->format, &end, problem);
    if (!sink)
        return -1;
    pthread_mutex_lock(&journal->lock);
    journal->sink = sink;
    pthread_mutex_unlock(&journal->lock);
    journal->sequence = end.sequence;
    memcpy(journal->chain, end.chain, CHAIN_TEXT_BYTES);
    begin_unit(journal);
    add_start(journal, &end);
    return 0;
}

/* ---- The thread ---- */

static void write_batch(struct journal *journal, const struct batch *batch)
{
    struct queue_entry *entry;
    size_t at = 0;
    while ((entry = batch_next(batch, &at))) {
        if (entry->format != journal->format)
            change_format(journal, entry->format);
        add_lines(journal, batch_bodies(entry), entry->size);
        if (entry->hold)
            add_hold(journal, entry->hold);
        if (journal->unit.size >= UNIT_BYTES)
            commit_unit(journal);
    }
    commit_unit(journal);
    tell_removed(journal);
    tell_gaps(journal, &batch->loss);
    commit_unit(journal);
}

/* The sink could not be opened at the start, and on_failure is allow: tries until it can. Meanwhile
 * the queue fills up, and what does not fit is counted. false: the plugin ends first. */
static bool wait_for_sink(struct journal *journal)
{
    char problem[PROBLEM_BYTES];
    while (!journal->sink) {
        if (queue_pause(&journal->queue, RETRY_MS))
            return false;
        if (open_sink(journal, problem) < 0)
            enter_broken(journal, problem);
    }
    return true;
}

static void *run(void *argument)
{
    struct journal *journal = argument;
    struct batch batch = {0};
    struct record record;
    if (!wait_for_sink(journal))
        return NULL;
    commit_unit(journal); /* the Start record */
    while (queue_take(&journal->queue, &batch, GATHER_MS))
        write_batch(journal, &batch);
    free(batch.data);
    record_init(&record, RECORD_STOP, wall_ns());
    add_own(journal, &record);
    commit_unit(journal);
    return NULL;
}

static void journal_free(struct journal *journal)
{
    if (journal->sink)
        journal->sink->type->close(journal->sink);
    queue_release(&journal->queue);
    pthread_mutex_destroy(&journal->lock);
    text_release(&journal->unit);
    text_release(&journal->own);
    free(journal->holds);
    free(journal);
}

struct journal *journal_start(const struct journal_options *options, char problem[PROBLEM_BYTES])
{
    struct journal *journal = calloc(1, sizeof *journal);
    if (!journal || queue_init(&journal->queue, options->buffer_bytes) < 0) {
        snprintf(problem, PROBLEM_BYTES, "no memory");
        free(journal);
        return NULL;
    }
    pthread_mutex_init(&journal->lock, NULL);
    journal->sink_type = options->sink;
    journal->sink_options = options->sink_options;
    journal->format = options->format;
    journal->detail = options->detail;
    atomic_store(&journal->strategy, (int)options->strategy);
    atomic_store(&journal->has_chain, options->has_chain);
    atomic_store(&journal->allow, options->allow_on_failure);
    if (open_sink(journal, problem) < 0) {
        if (!options->allow_on_failure)
            goto fail;
        enter_broken(journal, problem);
    }
    if (pthread_create(&journal->thread, NULL, run, journal) == 0)
        return journal;
    snprintf(problem, PROBLEM_BYTES, "no thread for the writer");
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
