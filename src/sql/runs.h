/* SPDX-License-Identifier: Apache-2.0
 *
 * What runs when a statement runs: the statement itself and what it wraps, to any depth; how many
 * results the server answers with; and what of the session is another afterwards. Wrappers are SET
 * STATEMENT ... FOR, EXECUTE IMMEDIATE, EXECUTE, EXPLAIN ANALYZE, TRACE, BATCH and compound
 * statements; PREPARE and the bodies of routines hold statements that run later.
 *
 *     struct sql_runs runs;
 *     struct sql_session session = {.mode = mode, .database = {.known = true, .name = database}};
 *     sql_runs_init(&runs);
 *     if (sql_runs_read(&runs, statement, &session)) { ... runs.items, runs.results, runs.after }
 *     sql_runs_release(&runs);
 *
 * Whatever the text does not tell is unknown (SQL_UNSURE, known = false, SQL_RESULTS_UNKNOWN),
 * never what it was before. What servers do was found out with MariaDB 10.11 and is held by
 * tests/integration/test_result_counts.py: a text is read in the mode of the moment in which it is
 * prepared or executed, and the statement around it in the mode of before; SET STATEMENT gives back
 * the sql_mode that it sets, whatever was set inside (but not surely where one stands in another); CALL and compound statements give back
 * sql_mode, CALL also the character set; a stored function changes none of these.
 *
 * Ask sql_kind_is_plain() first: of a plain statement all this is known without reading it. */
#ifndef WEIR_SQL_RUNS_H
#define WEIR_SQL_RUNS_H

#include "base/base.h"
#include "sql/kind.h"
#include "sql/mode.h"
#include "sql/named.h"
#include "sql/session.h"

#define SQL_RUNS_MAX       4096 /* what lies beyond makes the last one of kind UNKNOWN */
#define SQL_RUNS_TEXTS_MAX 4    /* texts in texts; what is deeper is not known */

struct sql_run {
    enum sql_kind kind;
    struct sql_span text; /* in the statement, in a prepared statement, or owned by the runs */
    struct sql_mode mode; /* that it is read in */
    struct sql_database database; /* in which its names are looked up */
    bool wraps;                   /* runs others, which come after it */
    bool later;   /* does not run now: the text of a PREPARE, the body of a routine */
    bool in_text; /* in the text of a PREPARE, EXECUTE IMMEDIATE or EXECUTE */
    bool is_text; /* and is the whole of it */
};

/* How many results end the statement, unless an error does, which is always the last. */
enum sql_results {
    SQL_RESULTS_ONE,      /* exactly one: a result set or an OK */
    SQL_RESULTS_UNTIL_OK, /* any number of result sets, then an OK */
    SQL_RESULTS_UNKNOWN,  /* one of the two */
};

struct sql_runs {
    struct sql_run *items; /* owned; at least one, the statement itself */
    size_t count;
    bool known;          /* all that runs now is in the list, and read rightly */
    bool texts_known;    /* all texts are in the list, also those that run later; what CALL and
                           EXECUTE run is not asked for */
    bool fails_as_whole; /* an error leaves the session as it was; otherwise what `after` has not
                            UNCHANGED is unsure then */
    enum sql_results results;
    struct sql_effects after; /* if it succeeds. Its database is borrowed as a run's text is */
    struct sql_naming naming; /* what it does to prepared statements: for sql_named_follow() */

    /* Private. */
    size_t capacity;
    struct sql_runs_text *texts; /* of strings, their escapes undone */
    bool failed;                 /* no memory */
};

void sql_runs_init(struct sql_runs *runs);
void sql_runs_release(struct sql_runs *runs);

/* Reads one statement; all lives until the next call, and as long as the statement, the session and
 * its prepared statements. False: there is no memory. Time in proportion to the texts. */
WEIR_MUST_CHECK bool sql_runs_read(struct sql_runs *runs, struct sql_span statement,
                                   const struct sql_session *session);

/* Whether any statement of the kind is plain: it wraps none, changes nothing of the session that
 * struct sql_effects has, names no prepared statement, and has one result. Costs a look. */
bool sql_kind_is_plain(enum sql_kind kind);

/* The server reads each statement of a text in the mode that those before it have set: makes *mode
 * that in which the statement after this one is read; unsure where the text does not tell, and
 * where there is no memory. */
void sql_mode_follow(struct sql_mode *mode, struct sql_span statement);

#endif
