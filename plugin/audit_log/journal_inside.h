/* SPDX-License-Identifier: Apache-2.0
 *
 * The journal's inside, for its own files: journal.c is what other threads call and how it begins
 * and ends, journal_unit.c are units of lines on their way into the sink, journal_records.c what
 * the journal itself adds to the log. */
#ifndef AUDIT_LOG_JOURNAL_INSIDE_H
#define AUDIT_LOG_JOURNAL_INSIDE_H

#include <weir/clock.h>

#include "journal.h"

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
    pthread_mutex_t lock; /* of error, of sink coming into being, and of rotation */
    struct error error;   /* why the log is not being written */
    pthread_cond_t rotated;
    struct {
        bool is_wanted;
        int status;
        struct strbuf name; /* of the file that was rotated away */
        struct error error;
    } rotation;

    /* The thread's own from here on. */
    const struct format *format; /* of the sink's current file */
    uint64_t sequence;           /* of the last record that was taken */
    char chain[CHAIN_TEXT_BYTES];
    struct strbuf unit;
    uint64_t unit_sequence; /* what they will be when the unit is taken */
    char unit_chain[CHAIN_TEXT_BYTES];
    weir_hold **holds; /* of the unit */
    size_t hold_count, hold_room;
    uint64_t broken_since_ns;
    bool has_recovered; /* a Gap record is due, when what was queued meanwhile is written */
    bool gap_is_late;
    struct strbuf own; /* bodies of the journal's own records */
};

/* Everything from here on is called by the journal's thread alone, or before there is one. */

void unit_begin(struct journal *journal);
/* Adds bodies to the unit as numbered lines. */
void unit_add_lines(struct journal *journal, const char *bodies, size_t size);
/* Keeps a hold for the end of the unit. Without memory its client learns now that it failed. */
void unit_add_hold(struct journal *journal, weir_hold *hold);
/* Commits the unit, however long it takes; gives up only when the plugin ends. */
void unit_commit(struct journal *journal);
/* The entries that follow are in another format: the sink begins a new file. */
void unit_change_format(struct journal *journal, const struct format *format);

/* The sink has failed. Clients that wait are released with the failure; the unit stays. */
void journal_enter_broken(struct journal *journal, const struct error *error);

void journal_add_start(struct journal *journal, const struct sink_end *end);
void journal_add_stop(struct journal *journal);
/* Adds a Gap record where events are missing. */
void journal_add_gaps(struct journal *journal, const struct loss *loss);
/* Adds a Reopen record, once, after the file had been removed. */
void journal_add_removed(struct journal *journal);

#endif
