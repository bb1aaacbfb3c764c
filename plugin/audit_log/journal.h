/* SPDX-License-Identifier: Apache-2.0
 *
 * The journal: one thread that takes records out of the queue, numbers and chains them, and commits
 * them to the sink in units of whole lines. Only what the sink has taken counts: number and chain
 * move on with it, and the clients that wait are let go. A unit that failed is kept and tried
 * again, so that numbers have no gap and nothing is written twice.
 *
 * While the sink fails the journal is broken. What happens then is the setting on_failure's:
 *   refuse   held replies end with an error, and no statement may begin: the callbacks ask
 *            journal_is_broken() before a statement runs
 *   allow    sessions continue; records are kept up to the buffer's size, and counted beyond
 * Under refuse an emergency account may be let through: its records are kept up to twice the
 * buffer's size, and it is refused like all others when there is no room for another.
 * When it works again a Gap record says how long it did not, and how many events are lost. */
#ifndef AUDIT_LOG_JOURNAL_H
#define AUDIT_LOG_JOURNAL_H

#include <stdatomic.h>
#include <weir/check.h>

#include "queue.h"
#include "sink.h"

/* Percona's strategies:
 *   ASYNCHRONOUS     into the buffer; a client waits when that is full
 *   PERFORMANCE      into the buffer; lost, and counted, when that is full
 *   SEMISYNCHRONOUS  written before the client reads its result
 *   SYNCHRONOUS      on the disk before the client reads its result */
enum strategy {
    STRATEGY_ASYNCHRONOUS,
    STRATEGY_PERFORMANCE,
    STRATEGY_SEMISYNCHRONOUS,
    STRATEGY_SYNCHRONOUS
};

struct journal_options {
    const struct sink_type *sink;
    const struct sink_options *sink_options; /* borrowed until journal_stop */
    const struct format *format;
    enum strategy strategy;
    uint64_t buffer_bytes;
    bool has_chain;
    bool allow_on_failure; /* else refuse */
    const char *detail;    /* for the Start record; NULL: none */
};

/* X(member, what): what SHOW STATUS prints. */
#define JOURNAL_COUNTERS(X)                                                                        \
    X(events, "records written")                                                                   \
    X(bytes, "bytes written")                                                                      \
    X(lost, "events that are in no record")                                                        \
    X(waits, "times that a client had to wait because the buffer was full")                        \
    X(write_errors, "commits that failed")                                                         \
    X(syncs, "commits brought to the disk")

struct journal_counters {
#define X(member, what) atomic_ullong member;
    JOURNAL_COUNTERS(X)
#undef X
};

struct journal;

/* Opens the sink, writes the Start record, starts the thread. NULL and the problem; with
 * allow_on_failure a sink that cannot be opened is tried again instead. */
WEIR_MUST_CHECK struct journal *journal_start(const struct journal_options *options,
                                              struct error *error);

/* Writes what is left, then the Stop record, and ends. What cannot be written is lost and said so
 * in the server's log. */
void journal_stop(struct journal *journal);

/* Any thread. Adds a record's bodies (format.h), written in `format`. session: whose event this is,
 * for holding its reply back; NULL: no reply is held. WEIR_FAIL: the record could not be kept, and
 * on_failure is refuse. */
weir_verdict journal_add(struct journal *journal, weir_session *session,
                         const struct format *format, const struct strbuf *bodies,
                         uint64_t time_ns);

/* The same for an event that journal_has_emergency_room() has let through: it is kept in memory while
 * nothing can be written, and its reply is not held then. */
weir_verdict journal_add_emergency(struct journal *journal, weir_session *session,
                                   const struct format *format, const struct strbuf *bodies,
                                   uint64_t time_ns);
/* Whether the record of one more event can be kept while nothing can be written. */
bool journal_has_emergency_room(struct journal *journal);

/* Whether nothing can be written at the moment and on_failure is refuse. One load. */
bool journal_refuses(const struct journal *journal);
/* Why; NUL-terminated, "" when all is well. */
void journal_error(struct journal *journal, struct error *error);

/* Any thread: what FLUSH does. */
WEIR_MUST_CHECK int journal_reopen(struct journal *journal, struct error *error);

/* One thread at a time, and it waits: begins a new file. Adds the name of the old one. -1 and the
 * problem. */
WEIR_MUST_CHECK int journal_rotate(struct journal *journal, struct strbuf *name,
                                   struct error *error);

/* Any thread: settings that may change at any time. */
void journal_set_strategy(struct journal *journal, enum strategy strategy);
void journal_set_buffer_bytes(struct journal *journal, uint64_t bytes);
void journal_set_chain(struct journal *journal, bool has_chain);
void journal_set_allow(struct journal *journal, bool allow_on_failure);

const struct journal_counters *journal_counters(const struct journal *journal);
uint64_t journal_current_size(struct journal *journal);

/* Whether records cannot be written now. Any thread. */
bool journal_is_broken(const struct journal *journal);

#endif
