/* SPDX-License-Identifier: Apache-2.0
 *
 * audit_log: writes who did what, when, and how it ended. This file is the callbacks: facts become
 * a record (collect.h), the record becomes lines (format.h), the lines go into the journal
 * (journal.h), which writes them to a sink (sink.h).
 *
 * Nothing is lost without being counted in the log itself, and nothing unaudited runs unless the
 * setting on_failure says so: a statement is refused before it begins while the log cannot be
 * written. No callback waits for a disk. */
#include <stdio.h>
#include <stdlib.h>
#include <weir/account.h>

#include "filter_store.h"
#include "functions.h"
#include "settings.h"

static struct sink_options sink_options;
static struct journal *journal;
static char *filter_file; /* the settings' */

/* ---- Memory of the threads ---- */

/* A thread can outlive the plugin, and the plugin a thread. All scratches are in one list, and a
 * thread checks the generation before it uses its own. */
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

/* What runs inside of the statement, as the text of EXECUTE IMMEDIATE or a block: whoever records or
 * aborts DROP TABLE means that one, too. Each part is judged as a statement of its own, which changes
 * nothing of the session's filter. */
static void decide_parts(const struct filter_subject *subject, const struct filter_state *before,
                         struct filter_decision *decision)
{
    weir_part part;
    for (size_t i = 1; weir_statement_part(subject->session, i, &part); i++) {
        struct record inner = *subject->record;
        struct filter_subject of_part = *subject;
        struct filter_state state = *before;
        inner.text[RECORD_TEXT_kind] = part.specific_kind;
        inner.text[RECORD_TEXT_sql] = weir_part_text(subject->session, i, WEIR_TEXT_sql);
        inner.number[RECORD_NUMBER_sql_size] = inner.text[RECORD_TEXT_sql].size;
        of_part.record = &inner;
        struct filter_decision one = filter_store_decide(&of_part, &state);
        decision->log = decision->log || one.log;
        decision->abort = decision->abort || one.abort;
        decision->redact = decision->redact || one.redact;
        decision->without_general = decision->without_general && one.without_general;
        decision->table_skip &= one.table_skip;
    }
}

/* Returns what the session's filter decides, and switches to the filter that replaces it. An event
 * that has not happened yet (is_trial) changes nothing: it is decided again when it happens. */
static struct filter_decision decide(const struct record *record, const weir_session *session,
                                     struct audited *audited, bool is_trial)
{
    struct filter_subject subject = {.record = record, .session = session};
    struct filter_state state = {0};
    if (!filter_store_has_filters())
        return (struct filter_decision){.log = true};
    if (audited)
        state = *audited_filter(audited);
    settings_filter_subject(&subject);
    const struct filter_state before = state;
    struct filter_decision decision = filter_store_decide(&subject, &state);
    decide_parts(&subject, &before, &decision);
    if (audited && !is_trial)
        *audited_filter(audited) = state;
    return decision;
}

/* These accounts are never aborted: they can correct a filter that aborts too much. */
static bool is_exempt(const struct record *record)
{
    weir_string account = record->text[RECORD_TEXT_account], list = settings_abort_exempt();
    char name[400];
    if (!list.size || record_is_null(record, RECORD_TEXT_account))
        return false;
    if (!account.data) {
        snprintf(name, sizeof name, "%.*s@%.*s", WEIR_STRING_ARGS(record->text[RECORD_TEXT_user]),
                 WEIR_STRING_ARGS(record->text[RECORD_TEXT_host]));
        account = text_of(name);
    }
    return account_in_list(list, account);
}

static weir_verdict refuse_by_filter(weir_session *session, const struct record *record)
{
    if (is_exempt(record))
        return WEIR_OK;
    return weir_refuse(session, ERROR_ACCESS_DENIED, "28000",
                       "Statement was aborted by an audit log filter");
}

/* ---- Life ---- */

/* A format without room for links cannot be chained, and nobody is to believe that it is. */
static weir_verdict refuse_chain(int64_t format, int64_t chain)
{
    if (!chain || settings_format_at(format)->has_numbers)
        return WEIR_OK;
    return weir_fail("audit_log_chain: the format %s has no room for it; use another format, or "
                     "switch the chain off",
                     settings_format_at(format)->name);
}

weir_verdict Validate(const weir_manifest *manifest)
{
    (void)manifest;
    if (weir_number_of(AUDIT_LOG_HANDLER) == AUDIT_LOG_HANDLER_SOCKET &&
        weir_text_of(AUDIT_LOG_SOCKET).size == 0)
        return weir_fail("audit_log_handler is SOCKET: set audit_log_socket, to unix:///path or "
                         "tcp://host:port");
    return refuse_chain(weir_number_of(AUDIT_LOG_FORMAT), weir_number_of(AUDIT_LOG_CHAIN));
}

weir_verdict OnInit(const weir_manifest *manifest)
{
    struct journal_options options;
    struct error error;
    if (settings_read(&options, &sink_options, &filter_file, &error) < 0 ||
        filter_store_open(filter_file, &error) < 0)
        return weir_fail("%s", error.message);
    options.detail = manifest->version;
    journal = journal_start(&options, &error);
    if (!journal) {
        filter_store_close();
        return weir_fail("%s", error.message);
    }
    if (weir_number_of(AUDIT_LOG_SHARE_FILTERS))
        filter_store_share();
    return WEIR_OK;
}

weir_verdict OnShutdown(const weir_manifest *manifest)
{
    (void)manifest;
    journal_stop(journal);
    journal = NULL;
    release_scratches();
    filter_store_close();
    return WEIR_OK;
}

weir_verdict OnFlush(const weir_manifest *manifest)
{
    struct error error;
    (void)manifest;
    if (journal_reopen(journal, &error) < 0 || filter_store_reload(&error) < 0)
        return weir_fail("%s", error.message);
    return WEIR_OK;
}

static weir_verdict check_accounts(const weir_variable *variable)
{
    weir_string entry;
    const char *wrong = account_list_check(variable->text, &entry);
    if (wrong)
        return weir_fail("%.*s: \"%.*s\" is no account, it %s", WEIR_STRING_ARGS(variable->name),
                         WEIR_STRING_ARGS(entry), wrong);
    account_list_expect(variable->text);
    return WEIR_OK;
}

weir_verdict OnVariable(weir_session *session, weir_variable_event event, weir_variable *variable)
{
    (void)session;
    if (event == WEIR_VARIABLE_VALIDATE && (variable->index == AUDIT_LOG_INCLUDE_ACCOUNTS ||
                                            variable->index == AUDIT_LOG_EXCLUDE_ACCOUNTS ||
                                            variable->index == AUDIT_LOG_ABORT_EXEMPT ||
                                            variable->index == AUDIT_LOG_EMERGENCY_ACCOUNT))
        return check_accounts(variable);
    if (event == WEIR_VARIABLE_VALIDATE &&
        (variable->index == AUDIT_LOG_FORMAT || variable->index == AUDIT_LOG_CHAIN))
        return refuse_chain(weir_pending_number(variable, AUDIT_LOG_FORMAT),
                            weir_pending_number(variable, AUDIT_LOG_CHAIN));
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
    weir_status_number(status, "audit_log_broken", journal_is_broken(journal));
    weir_status_number(status, "audit_log_filters_refused", filter_store_is_refused());
    return WEIR_OK;
}

weir_verdict OnFunction(weir_session *session, weir_call *call)
{
    return functions_call(journal, session, call);
}

/* ---- Events ---- */

static bool is_emergency_account(weir_string account)
{
    weir_string list = settings_emergency_accounts();
    return list.size && account.data && account_in_list(list, account);
}

static weir_verdict add(struct scratch *scratch, struct audited *audited, weir_session *session,
                        const struct filter_decision *decision)
{
    const struct format *format = settings_format();
    struct record *record = &scratch->record;
    record->table_skip = decision->table_skip;
    record->without_general = decision->without_general;
    if (decision->redact)
        collect_redact(scratch, session);
    collect_session_part(scratch, audited, format);
    strbuf_reset(&scratch->bodies);
    format->write(&scratch->bodies, record);
    bool is_kept =
        record->event != RECORD_REJECT && is_emergency_account(weir_current_user(session));
    return (is_kept ? journal_add_emergency : journal_add)(journal, session, format,
                                                           &scratch->bodies, record->time_ns);
}

/* Refuses a statement or login that could not be recorded. */
static weir_verdict refuse_if_broken(void)
{
    struct error error;
    if (!journal_refuses(journal))
        return WEIR_OK;
    journal_error(journal, &error);
    return weir_fail("%s", error.message);
}

/* The same, but for an emergency account as long as what it does can be kept. */
static weir_verdict refuse_unless_emergency(bool is_emergency)
{
    return is_emergency && journal_has_emergency_room(journal) ? WEIR_OK : refuse_if_broken();
}

static weir_verdict refuse_statement_if_broken(const weir_session *session)
{
    return journal_refuses(journal)
               ? refuse_unless_emergency(is_emergency_account(weir_current_user(session)))
               : WEIR_OK;
}

/* Who it wants to be decides; when the backend has found out who it is, that does. */
static weir_verdict refuse_login_if_broken(const weir_session *session)
{
    char name[400];
    if (!journal_refuses(journal))
        return WEIR_OK;
    snprintf(name, sizeof name, "%.*s@%.*s", WEIR_STRING_ARGS(weir_user(session)),
             WEIR_STRING_ARGS(weir_host(session)));
    return refuse_unless_emergency(is_emergency_account(text_of(name)));
}

/* Who was let in is in the server's log, too: what is kept in memory can be lost. */
static void announce_emergency(const weir_session *session)
{
    weir_string account = weir_current_user(session);
    if (journal_refuses(journal) && is_emergency_account(account))
        weir_log(WEIR_LOG_WARN,
                 "the log cannot be written; the emergency account %.*s from %.*s is let in, and "
                 "its records are kept in memory",
                 WEIR_STRING_ARGS(account), WEIR_STRING_ARGS(weir_host(session)));
}

/* Only slow statements are wanted; what failed is recorded anyway. */
static bool is_left_out(const struct record *record)
{
    uint64_t slow = settings_slow_us(), duration = record->number[RECORD_NUMBER_duration_us];
    return slow && record->event == RECORD_COMPLETED && duration != WEIR_ABSENT && duration < slow;
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
        weir_verdict verdict = refuse_statement_if_broken(session);
        bool is_wanted = settings_log_starting() || filter_store_has_filters();
        if (verdict != WEIR_OK || !is_wanted)
            return verdict;
    }
    struct scratch *scratch = scratch_of_thread();
    if (!scratch)
        return fail_without_memory();
    struct audited *audited = audited_of(session);
    settings_collect(&options);
    bool has_filters = filter_store_has_filters();
    options.with_tables = options.with_tables || has_filters;
    options.format = has_filters ? NULL : settings_format();
    collect_statement(scratch, audited, session, event, &options);
    bool is_trial = event == WEIR_STARTING;
    struct filter_decision decision = decide(&scratch->record, session, audited, is_trial);
    if (is_trial && decision.abort) {
        weir_verdict verdict = refuse_by_filter(session, &scratch->record);
        if (verdict != WEIR_OK)
            return verdict;
    }
    if (!decision.log || (event == WEIR_STARTING && !settings_log_starting()) ||
        is_left_out(&scratch->record))
        return WEIR_OK;
    return add(scratch, audited, session, &decision);
}

/* No reply can be held here. The record of the statement that did it comes after this one, and
 * its reply is held. */
weir_verdict OnPluginEvent(weir_session *session, weir_plugin_event event, weir_string plugin)
{
    struct scratch *scratch = scratch_of_thread();
    const struct format *format = settings_format();
    if (!scratch)
        return fail_without_memory();
    collect_plugin(scratch, session ? audited_of(session) : NULL, session, event, plugin);
    strbuf_reset(&scratch->bodies);
    format->write(&scratch->bodies, &scratch->record);
    return journal_add(journal, NULL, format, &scratch->bodies, scratch->record.time_ns);
}

/* Writes no record for PreAuth, but refuses the client if it could not be audited. */
static weir_verdict before_login(weir_session *session, struct scratch *scratch)
{
    weir_verdict verdict = refuse_login_if_broken(session);
    if (verdict != WEIR_OK || !filter_store_has_filters())
        return verdict;
    collect_connection(scratch, NULL, session, WEIR_CONNECTED);
    scratch->record.nulls = 0; /* there is no account yet: who it wants to be counts */
    struct filter_decision decision = decide(&scratch->record, session, NULL, true);
    return decision.abort ? refuse_by_filter(session, &scratch->record) : WEIR_OK;
}

weir_verdict OnConnectionEvent(weir_session *session, weir_connection_event event)
{
    struct scratch *scratch = scratch_of_thread();
    if (!scratch)
        return fail_without_memory();
    if (event == WEIR_PRE_CONNECT) /* nobody yet; PreAuth comes, or Reject */
        return refuse_unless_emergency(settings_emergency_accounts().size > 0);
    if (event == WEIR_PRE_AUTH)
        return before_login(session, scratch);
    struct audited *audited = audited_of(session);
    if (!audited) {
        audited = audited_new(session);
        weir_set_session_data(session, audited);
    } else if (event == WEIR_CHANGE_USER) {
        audited_reset(audited);
    }
    if (event == WEIR_CONNECTED)
        announce_emergency(session);
    collect_connection(scratch, audited, session, event);
    struct filter_decision decision = decide(&scratch->record, session, audited, false);
    weir_verdict verdict = decision.log ? add(scratch, audited, session, &decision) : WEIR_OK;
    if (event == WEIR_DISCONNECT || event == WEIR_REJECT) {
        weir_set_session_data(session, NULL);
        audited_free(audited);
    }
    return verdict;
}
