/* SPDX-License-Identifier: Apache-2.0 */
#include "journal_inside.h"

static void add_own(struct journal *journal, const struct record *record)
{
    strbuf_reset(&journal->own);
    journal->format->write(&journal->own, record);
    if (!journal->own.failed)
        unit_add_lines(journal, journal->own.data, journal->own.size);
}

static void add_gap(struct journal *journal, const struct loss *loss, const char *reason)
{
    struct record record;
    struct strbuf since = {0}, until = {0};
    record_init(&record, RECORD_GAP, clock_wall_ns());
    encode_time(&since, loss->since_ns);
    encode_time(&until, loss->until_ns);
    record.number[RECORD_NUMBER_lost] = loss->count;
    record.text[RECORD_TEXT_since] = (weir_string){since.data, since.size};
    record.text[RECORD_TEXT_until] = (weir_string){until.data, until.size};
    record.text[RECORD_TEXT_reason] = text_of(reason);
    add_own(journal, &record);
    strbuf_release(&since);
    strbuf_release(&until);
}

void journal_add_gaps(struct journal *journal, const struct loss *loss)
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
            gap.until_ns = clock_wall_ns();
        gap.since_ns = journal->broken_since_ns;
    }
    if (gap.count || recovered)
        add_gap(journal, &gap, recovered ? "the log could not be written" : "the buffer was full");
    journal->has_recovered = false;
}

void journal_add_removed(struct journal *journal)
{
    struct record record;
    if (!journal->sink || !journal->sink->was_removed)
        return;
    journal->sink->was_removed = false;
    weir_log(WEIR_LOG_WARN, "%s had been removed; a new one was begun",
             journal->sink_options->file ? journal->sink_options->file : "the log");
    record_init(&record, RECORD_REOPEN, clock_wall_ns());
    record.text[RECORD_TEXT_reason] = text_of("the file had been removed");
    add_own(journal, &record);
}

void journal_add_start(struct journal *journal, const struct sink_end *end)
{
    struct record record;
    record_init(&record, RECORD_START, clock_wall_ns());
    record.text[RECORD_TEXT_detail] = text_of(journal->detail);
    if (end->torn_bytes)
        record.number[RECORD_NUMBER_torn_bytes] = end->torn_bytes;
    add_own(journal, &record);
}

void journal_add_stop(struct journal *journal)
{
    struct record record;
    record_init(&record, RECORD_STOP, clock_wall_ns());
    add_own(journal, &record);
}
