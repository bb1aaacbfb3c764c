/* SPDX-License-Identifier: Apache-2.0
 *
 * audit_log: writes who did what, when, and how it ended. This file is the callbacks: facts become
 * a record (collect.h), the record becomes lines (format.h), the lines go into the journal
 * (journal.h), which writes them to a sink (sink.h).
 *
 * Nothing is lost without being counted in the log itself, and nothing unaudited runs unless the
 * setting on_failure says so: a statement is refused before it begins while the log cannot be
 * written. No callback waits for a disk. */
#include <stdlib.h>

#include "filter.h"
#include "settings.h"

static struct sink_options sink_options;
static struct journal *journal;

/* ---- Memory of the threads ---- */

/* Threads outlive the plugin or the plugin the threads: all scratches are in one list, and a thread
 * looks for the generation before it uses its own. */
struct thread_scratch {
    struct scratch scratch;
    struct thread_scratch *next;
};
static pthread_mutex_t scratch_lock = PTHREAD_MUTEX_INITIALIZER;
static struct thread_scratch *scratches;
static unsigned generation = 1; /* changed only while there are no events */
static __thread struct thread_scratch *mine;
static __thread unsigned mine_of;

static struct scratch *scratch_of_thread(void)
{
    if (mine_of == generation)
        return &mine->scratch;
    struct thread_scratch *fresh = calloc(1, sizeof *fresh);
    if (!fresh)
        return NULL;
    pthread_mutex_lock(&scratch_lock);
    fresh->next = scratches;
    scratches = fresh;
    pthread_mutex_unlock(&scratch_lock);
    mine = fresh;
    mine_of = generation;
    return &fresh->scratch;
}

static void release_scratches(void)
{
    while (scratches) {
        struct thread_scratch *next = scratches->next;
        scratch_release(&scratches->scratch);
        free(scratches);
        scratches = next;
    }
    generation++;
}

/* ---- Filters ---- */

#define ERROR_ACCESS_DENIED 1045 /* what MySQL answers to a statement that a filter aborts */

static struct filters *filters;
static atomic_bool has_filters; /* without them the lock is not taken */
static pthread_rwlock_t filters_lock = PTHREAD_RWLOCK_INITIALIZER;
static char *filter_file;

/* A file with a mistake changes nothing. */
static int read_filters(char problem[PROBLEM_BYTES])
{
    _Static_assert(FILTER_PROBLEM_BYTES <= PROBLEM_BYTES, "a problem fits");
    struct filters *next = filters_read(filter_file, problem);
    if (!next)
        return -1;
    pthread_rwlock_wrlock(&filters_lock);
    struct filters *old = filters;
    filters = next;
    atomic_store(&has_filters, !filters_are_empty(next));
    pthread_rwlock_unlock(&filters_lock);
    filters_free(old);
    return 0;
}

static struct filter_decision decide(const struct record *record)
{
    struct filter_decision decision = {.log = true};
    if (!atomic_load_explicit(&has_filters, memory_order_relaxed))
        return decision;
    pthread_rwlock_rdlock(&filters_lock);
    decision = filters_decide(filters, record);
    pthread_rwlock_unlock(&filters_lock);
    return decision;
}

static weir_verdict refuse_by_filter(weir_session *session)
{
    return weir_refuse(session, ERROR_ACCESS_DENIED, "28000",
                       "Statement was aborted by an audit log filter");
}

/* ---- Life ---- */

weir_verdict Validate(const weir_manifest *manifest)
{
    (void)manifest;
    if (weir_number_of(AUDIT_LOG_HANDLER) == AUDIT_LOG_HANDLER_SOCKET &&
        weir_text_of(AUDIT_LOG_SOCKET).size == 0)
        return weir_fail("audit_log_handler is SOCKET: set audit_log_socket, to unix:///path or "
                         "tcp://host:port");
    return WEIR_OK;
}

weir_verdict OnInit(const weir_manifest *manifest)
{
    struct journal_options options;
    char problem[PROBLEM_BYTES];
    if (settings_read(&options, &sink_options, &filter_file, problem) < 0 ||
        read_filters(problem) < 0)
        return weir_fail("%s", problem);
    options.detail = manifest->version;
    journal = journal_start(&options, problem);
    return journal ? WEIR_OK : weir_fail("%s", problem);
}

weir_verdict OnShutdown(const weir_manifest *manifest)
{
    (void)manifest;
    journal_stop(journal);
    journal = NULL;
    release_scratches();
    filters_free(filters);
    filters = NULL;
    atomic_store(&has_filters, false);
    settings_release();
    return WEIR_OK;
}

weir_verdict OnFlush(const weir_manifest *manifest)
{
    char problem[PROBLEM_BYTES];
    (void)manifest;
    if (journal_reopen(journal, problem) < 0 || read_filters(problem) < 0)
        return weir_fail("%s", problem);
    return WEIR_OK;
}

weir_verdict OnVariable(weir_session *session, weir_variable_event event, weir_variable *variable)
{
    (void)session;
    (void)variable;
    if (event == WEIR_VARIABLE_CHANGED && journal)
        settings_apply(journal, &sink_options);
    return WEIR_OK;
}

weir_verdict OnStatus(weir_session *session, weir_status *status)
{
    const struct journal_counters *counters = journal_counters(journal);
    (void)session;
#define X(member, what)                                                                            \
    weir_status_number(status, "audit_log_" #member, atomic_load(&counters->member));
    JOURNAL_COUNTERS(X)
#undef X
    weir_status_number(status, "audit_log_current_size", journal_current_size(journal));
    return WEIR_OK;
}

/* ---- Events ---- */

static weir_verdict add(struct scratch *scratch, struct audited *audited, weir_session *session,
                        const struct filter_decision *decision)
{
    const struct format *format = settings_format();
    struct record *record = &scratch->record;
    record->table_skip = decision->table_skip;
    record->without_general = decision->without_general;
    if (decision->redact) {
        record->text[RECORD_TEXT_sql] = weir_normalized(session);
        record->number[RECORD_NUMBER_redacted] = 1;
        record->parameter_count = 0;
    }
    collect_session_part(scratch, audited, format);
    text_reset(&scratch->bodies);
    format->write(&scratch->bodies, record);
    return journal_add(journal, session, format, &scratch->bodies, record->time_ns);
}

/* What cannot be recorded must not begin. */
static weir_verdict refuse_if_broken(void)
{
    char problem[PROBLEM_BYTES];
    if (!journal_refuses(journal))
        return WEIR_OK;
    journal_problem(journal, problem);
    return weir_fail("%s", problem);
}

static weir_verdict fail_without_memory(void)
{
    return weir_fail("no memory for a record");
}

weir_verdict OnGeneralEvent(weir_session *session, weir_general_event event, const char *command)
{
    struct collect_options options;
    (void)command;
    if (event == WEIR_STARTING) {
        weir_verdict verdict = refuse_if_broken();
        bool is_wanted = settings_log_starting() || atomic_load(&has_filters);
        if (verdict != WEIR_OK || !is_wanted)
            return verdict;
    }
    struct scratch *scratch = scratch_of_thread();
    if (!scratch)
        return fail_without_memory();
    struct audited *audited = weir_session_data(session);
    settings_collect(&options);
    options.with_tables = options.with_tables || atomic_load(&has_filters);
    collect_statement(scratch, audited, session, event, &options);
    struct filter_decision decision = decide(&scratch->record);
    if (event == WEIR_STARTING && decision.abort)
        return refuse_by_filter(session);
    if (!decision.log || (event == WEIR_STARTING && !settings_log_starting()))
        return WEIR_OK;
    return add(scratch, audited, session, &decision);
}

/* PreAuth is no record: it is where a client can still be turned away. */
static weir_verdict before_login(weir_session *session, struct scratch *scratch)
{
    weir_verdict verdict = refuse_if_broken();
    if (verdict != WEIR_OK || !atomic_load(&has_filters))
        return verdict;
    collect_connection(scratch, NULL, session, WEIR_CONNECTED);
    return decide(&scratch->record).abort ? refuse_by_filter(session) : WEIR_OK;
}

weir_verdict OnConnectionEvent(weir_session *session, weir_connection_event event)
{
    struct scratch *scratch = scratch_of_thread();
    if (!scratch)
        return fail_without_memory();
    if (event == WEIR_PRE_AUTH)
        return before_login(session, scratch);
    struct audited *audited = weir_session_data(session);
    if (!audited) {
        audited = audited_new(session);
        weir_set_session_data(session, audited);
    } else if (event == WEIR_CHANGE_USER) {
        audited_forget(audited);
    }
    collect_connection(scratch, audited, session, event);
    struct filter_decision decision = decide(&scratch->record);
    weir_verdict verdict = decision.log ? add(scratch, audited, session, &decision) : WEIR_OK;
    if (event == WEIR_DISCONNECT || event == WEIR_REJECT) {
        weir_set_session_data(session, NULL);
        audited_free(audited);
    }
    return verdict;
}
