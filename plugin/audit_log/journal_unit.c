/* SPDX-License-Identifier: Apache-2.0
 *
 * A unit is what is committed to the sink at once: whole lines, each with its sequence number and
 * the hash of the line before, and the held replies that wait for them.
 *
 * Number and chain advance for good only when the sink has taken the whole unit. A unit that
 * failed is kept and tried again, from where the sink stopped, until it succeeds or the plugin
 * ends; so numbers have no gap and no line is written twice. From the first failure to the next
 * success the journal is broken, and held replies are released at once with the verdict of the
 * setting on_failure. */
#include <stdio.h>
#include <stdlib.h>

#include "journal_inside.h"

#define RETRY_MS 250 /* between two tries of what failed */

/* ---- The thread: failing and recovering ---- */

static void release_unit(struct journal *journal, weir_verdict verdict)
{
    for (size_t i = 0; i < journal->hold_count; i++)
        weir_release(journal->holds[i], verdict);
    journal->hold_count = 0;
}

void journal_enter_broken(struct journal *journal, const struct error *error)
{
    bool allow = atomic_load(&journal->allow), first = !atomic_load(&journal->broken);
    weir_verdict verdict = allow ? WEIR_OK : WEIR_FAIL;
    pthread_mutex_lock(&journal->lock);
    journal->error = *error;
    pthread_mutex_unlock(&journal->lock);
    if (first) {
        journal->broken_since_ns = clock_wall_ns();
        atomic_store(&journal->broken, true);
        weir_log(WEIR_LOG_ERROR, "%s; %s until it works again", error->message,
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
    journal->error.message[0] = '\0';
    pthread_mutex_unlock(&journal->lock);
    atomic_store(&journal->broken, false);
    journal->has_recovered = true;
    weir_log(WEIR_LOG_WARN, "the log can be written again");
}

/* ---- The thread: units ---- */

void unit_begin(struct journal *journal)
{
    strbuf_reset(&journal->unit);
    journal->unit_sequence = journal->sequence;
    memcpy(journal->unit_chain, journal->chain, CHAIN_TEXT_BYTES);
}

void unit_add_lines(struct journal *journal, const char *bodies, size_t size)
{
    struct strbuf *unit = &journal->unit;
    const char *end = bodies + size;
    bool has_chain = atomic_load_explicit(&journal->has_chain, memory_order_relaxed);
    while (bodies < end) {
        const char *newline = memchr(bodies, '\n', (size_t)(end - bodies));
        size_t begin = unit->size;
        journal->format->write_prefix(unit, ++journal->unit_sequence,
                                      has_chain ? journal->unit_chain : NULL);
        strbuf_add(unit, bodies, (size_t)(newline - bodies));
        if (has_chain && !unit->failed)
            chain_of(unit->data + begin, unit->size - begin, journal->unit_chain);
        strbuf_add_text(unit, journal->format->separator);
        strbuf_add_byte(unit, '\n');
        bodies = newline + 1;
    }
    if (!has_chain)
        memcpy(journal->unit_chain, chain_beginning, CHAIN_TEXT_BYTES);
}

void unit_add_hold(struct journal *journal, weir_hold *hold)
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
static int try_commit(struct journal *journal, size_t *done, struct error *error)
{
    bool sync = atomic_load(&journal->strategy) == STRATEGY_SYNCHRONOUS;
    size_t taken = 0;
    int status = journal->sink->type->commit(journal->sink, journal->unit.data + *done,
                                             journal->unit.size - *done, sync, &taken, error);
    *done += taken;
    if (status == 0 && sync)
        atomic_fetch_add(&journal->counters.syncs, 1);
    return status;
}

void unit_commit(struct journal *journal)
{
    struct error error = {"no memory to write records"};
    size_t done = 0;
    bool given_up = false;
    if (journal->unit.failed) /* no memory: these records are lost, and their numbers are reused */
        journal_enter_broken(journal, &error);
    else if (journal->unit.size == 0)
        return;
    while (!journal->unit.failed && try_commit(journal, &done, &error) < 0) {
        journal_enter_broken(journal, &error);
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
                 (unsigned long long)(journal->unit_sequence - journal->sequence), error.message);
    }
    unit_begin(journal);
}

void unit_change_format(struct journal *journal, const struct format *format)
{
    struct error error;
    unit_commit(journal);
    if (journal->sink && journal->sink->type->set_format(journal->sink, format, &error) < 0)
        journal_enter_broken(journal, &error);
    journal->format = format;
}
