/* SPDX-License-Identifier: Apache-2.0
 *
 * After each statement the reports of the backend come first, then what the absence of a report
 * proves, then what the text says; what none of them tells is forgotten. */
#include "gateway/statement/tracking.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "gateway/statement/session_identity.h"

/* X(enumerator, bit, name): what is reported of a session. Variables have their names. */
#define REPORTS(X)                                                                                 \
    X(REPORTED_SCHEMA, 0, "")                                                                      \
    X(REPORTED_CHANGE, 1, "") /* something has changed, named or not */                            \
    X(REPORTED_CHARSET, 2, "character_set_client")                                                 \
    X(REPORTED_SQL_MODE, 3, "sql_mode")                                                            \
    X(REPORTED_TRACKS_VARIABLES, 4, "session_track_system_variables")                              \
    X(REPORTED_TRACKS_SCHEMA, 5, "session_track_schema")                                           \
    X(REPORTED_TRACKS_CHANGE, 6, "session_track_state_change")

enum report {
#define X(enumerator, bit, name) enumerator = 1U << (bit),
    REPORTS(X)
#undef X
};

#define REPORTED_TRACKING                                                                          \
    (REPORTED_TRACKS_VARIABLES | REPORTED_TRACKS_SCHEMA | REPORTED_TRACKS_CHANGE)

/* What has to be in the list for everything to be reported. */
#define REPORTED_LISTED (REPORTED_CHARSET | REPORTED_SQL_MODE | REPORTED_TRACKING)

/* ---- What is reported ---- */

static bool is_text(struct wire_string value, const char *text)
{
    size_t size = strlen(text);
    return value.size == size && strncasecmp(value.data, text, size) == 0;
}

static unsigned report_of_variable(struct wire_string name)
{
#define X(enumerator, bit, text)                                                                   \
    if (name.size && is_text(name, text))                                                          \
        return enumerator;
    REPORTS(X)
#undef X
    return 0;
}

static unsigned report_of(const struct wire_session_state *state)
{
    switch (state->type) {
    case WIRE_SESSION_SCHEMA:
        return REPORTED_SCHEMA;
    case WIRE_SESSION_STATE_CHANGE:
        return REPORTED_CHANGE;
    case WIRE_SESSION_SYSTEM_VARIABLES:
        return report_of_variable(state->name);
    default:
        return 0;
    }
}

static void hide(struct identity *identity, unsigned reports, bool is_hidden)
{
    identity->hidden =
        (uint8_t)(is_hidden ? identity->hidden | reports : identity->hidden & ~reports);
}

static void doubt(struct identity *identity)
{
    if (identity->tracking != TRACKING_PROVES)
        return;
    identity->tracking = TRACKING_REPORTS;
    identity->tracking_is_in_doubt = true;
}

/* A tracking variable has another value: the client's own wish from now on. */
static void tracking_changed(struct identity *identity, unsigned report, struct wire_string value)
{
    bool is_on = is_text(value, "ON");
    if (report == REPORTED_TRACKS_VARIABLES)
        hide(identity, REPORTED_LISTED, false);
    if (report == REPORTED_TRACKS_SCHEMA)
        hide(identity, REPORTED_SCHEMA, !is_on);
    if (report == REPORTED_TRACKS_CHANGE)
        hide(identity, REPORTED_CHANGE, !is_on);
    doubt(identity);
}

static void take(struct observed *observed, const struct wire_session_state *state)
{
    struct identity *identity = &observed->identity;
    struct sql_span value = {state->value.data, state->value.size};
    unsigned report = report_of(state);
    identity->reported |= (uint8_t)report;
    if (report == REPORTED_SCHEMA)
        identity_set_database(observed, value.at, value.size);
    else if (report == REPORTED_CHARSET)
        identity->mode.charset = sql_charset_from_name(value);
    else if (report == REPORTED_SQL_MODE)
        sql_mode_set_flags(&identity->reported_mode, value); /* counts after the statement */
    else if (report & REPORTED_TRACKING)
        tracking_changed(identity, report, state->value);
}

void tracking_result(struct observed *observed, const struct wire_result *result)
{
    struct wire_session_states states;
    struct wire_session_state state;
    if (!has_plugins(observed) || result->is_error)
        return;
    if (result->status & WIRE_SERVER_SESSION_STATE_CHANGED)
        observed->identity.reported |= REPORTED_CHANGE;
    if (!result->session_state)
        return;
    wire_session_states_begin(&states, result->session_state, result->session_state_size);
    while (wire_session_state_next(&states, &state))
        take(observed, &state);
}

/* ---- What a statement may hide ---- */

/* X(kind, what in its text may run something else): statements that are not listed may always. */
#define SHOWING_KINDS(X)                                                                           \
    X(SQL_KIND_CREATE_TABLE, HIDES_SELECT)                                                         \
    X(SQL_KIND_DROP_TABLE, HIDES_NOTHING)                                                          \
    X(SQL_KIND_CREATE_DATABASE, HIDES_NOTHING)                                                     \
    X(SQL_KIND_DROP_DATABASE, HIDES_NOTHING)                                                       \
    X(SQL_KIND_USE, HIDES_NOTHING)                                                                 \
    X(SQL_KIND_EXPLAIN, HIDES_CALLS)                                                               \
    X(SQL_KIND_SET, HIDES_CALLS | HIDES_SELECT)                                                    \
    X(SQL_KIND_SET_GLOBAL, HIDES_CALLS | HIDES_SELECT)                                             \
    X(SQL_KIND_SET_ROLE, HIDES_CALLS | HIDES_SELECT)                                               \
    X(SQL_KIND_SET_TRANSACTION, HIDES_NOTHING)                                                     \
    X(SQL_KIND_SET_STATEMENT, HIDES_CALLS)                                                         \
    X(SQL_KIND_PREPARE, HIDES_CALLS)                                                               \
    X(SQL_KIND_EXECUTE_IMMEDIATE, HIDES_CALLS)                                                     \
    X(SQL_KIND_DEALLOCATE, HIDES_NOTHING)

enum { HIDES_NOTHING = 0, HIDES_CALLS = 1, HIDES_SELECT = 2 };

static bool shows_itself(enum sql_kind kind, unsigned *hides)
{
    switch (kind) {
#define X(name, what)                                                                              \
    case name:                                                                                     \
        *hides = what;                                                                             \
        return true;
        SHOWING_KINDS(X)
#undef X
    default:
        return false;
    }
}

/* Whether a text may run what it does not show. A function of somebody's is not told from one of the
 * server's, and whoever names a tracking variable may turn the reporting off. */
static bool may_hide(const struct sql_run *run)
{
    static const char tracking[] = "session_track";
    struct sql_cursor cursor;
    unsigned what = 0;
    bool hides = !shows_itself(run->kind, &what);
    sql_cursor_begin(&cursor, run->text, &run->mode);
    for (; !hides && !sql_cursor_at_end(&cursor); sql_cursor_next(&cursor)) {
        enum sql_scope scope = SQL_SCOPE_SESSION;
        struct sql_span name = sql_variable_name(sql_cursor_span(&cursor), &scope);
        hides = ((what & HIDES_SELECT) && sql_cursor_word(&cursor) == SQL_WORD_SELECT) ||
                ((what & HIDES_CALLS) && sql_cursor_is(&cursor, '(')) ||
                (name.size >= sizeof tracking - 1 &&
                 strncasecmp(name.at, tracking, sizeof tracking - 1) == 0);
    }
    return hides;
}

/* Whether that something has changed is just what the statement shows. */
static bool shows_all(const struct sql_runs *runs)
{
    bool shows = runs->known;
    for (size_t i = 0; shows && i < runs->count; i++)
        shows = runs->items[i].later || !may_hide(&runs->items[i]);
    return shows;
}

/* ---- After a statement ---- */

static const char in_statement[] =
    "a statement has run of which neither its text nor the backend tells all that it changes";
static const char in_failure[] =
    "a statement has failed that may have changed it before, and an error does not tell";

/* NULL: there is no memory. */
static const struct sql_runs *read_runs_in(struct observed *observed,
                                           const struct statement *statement,
                                           struct sql_database database)
{
    struct sql_runs *runs = &observed->environment->runs;
    struct sql_session session = {
        .mode = statement->mode, .database = database, .named = &observed->identity.named};
    return sql_runs_read(runs, (struct sql_span){statement->text, statement->size}, &session)
               ? runs
               : NULL;
}

static const struct sql_runs *read_runs(struct observed *observed,
                                        const struct statement *statement)
{
    const struct identity *identity = &observed->identity;
    const struct sql_database database = {!(identity->unknown & IDENTITY_DATABASE),
                                          {identity->database.data, identity->database.size}};
    return read_runs_in(observed, statement, database);
}

struct sql_effects tracking_forecast(struct observed *observed, const struct statement *statement,
                                     struct sql_database database)
{
    const struct sql_runs *runs = read_runs_in(observed, statement, database);
    return runs ? runs->after : (struct sql_effects){.database = SQL_UNSURE};
}

static void set_flags(struct sql_mode *mode, const struct sql_mode *flags)
{
    mode->ansi_quotes = flags->ansi_quotes;
    mode->no_backslash_escapes = flags->no_backslash_escapes;
    mode->oracle = flags->oracle;
    mode->brackets = flags->brackets;
}

/* What the text says of the parts that were not reported. MariaDB reports no SET @@name = ..., which
 * has no scope: of sql_mode and the character set the absence of a report proves nothing. */
static void follow_text(struct observed *observed, const struct sql_effects *after,
                        unsigned reported, bool proves)
{
    struct identity *identity = &observed->identity;
    unsigned lost = 0;
    if (!(reported & REPORTED_SQL_MODE) && after->flags == SQL_CHANGED)
        set_flags(&identity->mode, &after->mode);
    if (!(reported & REPORTED_CHARSET) && after->charset == SQL_CHANGED)
        identity->mode.charset = after->mode.charset;
    if ((!(reported & REPORTED_SQL_MODE) && after->flags == SQL_UNSURE) ||
        (!(reported & REPORTED_CHARSET) && after->charset == SQL_UNSURE))
        lost |= IDENTITY_READING;
    if (!(reported & REPORTED_SCHEMA) && after->database == SQL_CHANGED) {
        identity_set_database(observed, after->name.at, after->name.size);
        doubt(identity); /* it should have been reported */
    }
    if (!proves && !(reported & REPORTED_SCHEMA) && after->database == SQL_UNSURE)
        lost |= IDENTITY_DATABASE;
    if (!proves && after->account != SQL_UNCHANGED)
        lost |= IDENTITY_ROLES;
    identity_forget(observed, lost, in_statement);
}

/* Whether a text has run that nobody has seen: it may have switched the reporting off as well, by a
 * SET @@name that is not reported. */
static bool hides_text(const struct sql_runs *runs)
{
    return !runs->known && (runs->after.flags == SQL_UNSURE || runs->after.charset == SQL_UNSURE);
}

static unsigned take_reports(struct identity *identity)
{
    unsigned reported = identity->reported;
    identity->reported = 0;
    return reported;
}

void tracking_after_statement(struct observed *observed, const struct statement *statement)
{
    struct identity *identity = &observed->identity;
    unsigned reported = take_reports(identity);
    if (!has_plugins(observed) || !statement->text)
        return;
    const bool has_changed = reported & REPORTED_CHANGE;
    const bool is_plain = sql_kind_is_plain(statement->kinds.kind);
    const bool is_for_one = statement->kinds.kind == SQL_KIND_SET_STATEMENT;
    if (is_plain && !has_changed)
        return; /* most statements */
    if (is_for_one)
        reported &=
            ~(unsigned)REPORTED_SQL_MODE; /* what it was inside; it is restored unreported */
    if (reported & REPORTED_SQL_MODE)
        set_flags(&identity->mode, &identity->reported_mode);
    const struct sql_runs *runs = read_runs(observed, statement);
    if (!runs) {
        identity_forget(observed, IDENTITY_ALL & ~IDENTITY_ACCOUNT, "there was no memory");
        sql_named_clear(&identity->named);
        return;
    }
    const bool shows = !hides_text(runs) && ((!has_changed && !is_for_one) || shows_all(runs));
    const bool proves = identity->tracking == TRACKING_PROVES && !has_changed && shows;
    follow_text(observed, &runs->after, reported, proves);
    if (!shows) {
        identity_forget(observed, IDENTITY_ROLES, in_statement);
        doubt(identity);
    }
    sql_named_follow(&identity->named, &runs->naming, false);
}

void tracking_after_failure(struct observed *observed, const struct statement *statement,
                            unsigned error_code)
{
    struct identity *identity = &observed->identity;
    take_reports(identity);
    if (!has_plugins(observed) || !statement->text)
        return;
    const bool is_plain = sql_kind_is_plain(statement->kinds.kind);
    const struct sql_runs *runs = is_plain ? NULL : read_runs(observed, statement);
    const bool is_no_statement =
        statement->kinds.kind == SQL_KIND_UNKNOWN && !statement->mode.unsure;
    /* In a block, the error may be one of a text within, or of a SIGNAL. */
    const bool is_unread =
        error_code == WIRE_ER_PARSE_ERROR &&
        (is_plain || is_no_statement || (runs && runs->known && runs->fails_as_whole));
    if (identity->tracking == TRACKING_PROVES && !is_unread)
        identity->tracking = TRACKING_REPORTS; /* asked again with the next question */
    if (is_plain)
        return;
    unsigned lost = runs ? 0 : IDENTITY_ALL & ~IDENTITY_ACCOUNT;
    if (runs && !is_unread && !runs->fails_as_whole) {
        const struct sql_effects *after = &runs->after;
        lost |= after->database != SQL_UNCHANGED ? IDENTITY_DATABASE : 0;
        lost |=
            after->flags != SQL_UNCHANGED || after->charset != SQL_UNCHANGED ? IDENTITY_READING : 0;
        lost |= after->account != SQL_UNCHANGED ? IDENTITY_ROLES : 0;
    }
    identity_forget(observed, lost, in_failure);
    if (runs)
        sql_named_follow(&identity->named, &runs->naming, true);
    else
        sql_named_clear(&identity->named);
}

void tracking_after_unknown(struct observed *observed)
{
    struct identity *identity = &observed->identity;
    take_reports(identity);
    identity_forget(observed, IDENTITY_ALL & ~IDENTITY_ACCOUNT, in_statement);
    sql_named_clear(&identity->named);
    doubt(identity);
}

enum sql_results tracking_results(struct observed *observed, const struct statement *statement)
{
    if (!statement->text || sql_kind_is_plain(statement->kinds.kind))
        return SQL_RESULTS_ONE;
    const struct sql_runs *runs = read_runs(observed, statement);
    return runs ? runs->results : SQL_RESULTS_UNKNOWN;
}

/* ---- Beginning, and asking ---- */

void tracking_begin(struct observed *observed, uint64_t backend_capabilities)
{
    tracking_reset(observed);
    observed->identity.tracking =
        backend_capabilities & WIRE_CAP(CLIENT_SESSION_TRACK) ? TRACKING_REPORTS : TRACKING_NONE;
}

void tracking_reset(struct observed *observed)
{
    struct identity *identity = &observed->identity;
    if (identity->tracking == TRACKING_PROVES)
        identity->tracking = TRACKING_REPORTS;
    identity->tracking_is_in_doubt = false;
    identity->reported = identity->hidden = 0;
    sql_named_clear(&identity->named);
}

/* Which variables a list has. */
static unsigned reports_of_list(struct wire_string list)
{
    unsigned reports = 0;
    const char *at = list.data, *end = at + list.size;
    while (at < end) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        size_t size = (size_t)((comma ? comma : end) - at);
        struct wire_string name = {at, size};
        reports |= is_text(name, "*") ? REPORTED_LISTED : report_of_variable(name);
        at += size + 1;
    }
    return reports;
}

static bool is_on(struct wire_string value)
{
    return is_text(value, "1") || is_text(value, "ON");
}

/* What was not reported before the question set it is hidden; what was may be the client's wish or
 * ours from an earlier question, so it stays as it is. */
void tracking_answer(struct observed *observed, const struct tracking_variables *variables)
{
    struct identity *identity = &observed->identity;
    identity->tracking_is_in_doubt = false;
    if (identity->tracking == TRACKING_NONE || !variables->system_variables.data)
        return;
    identity->tracking = TRACKING_PROVES;
    hide(identity, REPORTED_LISTED & ~reports_of_list(variables->system_variables), true);
    if (!is_on(variables->schema))
        hide(identity, REPORTED_SCHEMA, true);
    if (!is_on(variables->state_change))
        hide(identity, REPORTED_CHANGE, true);
}

/* ---- What the client reads ---- */

bool tracking_reports_too_much(const struct observed *observed, uint64_t client_capabilities,
                               const struct wire_result *result)
{
    return observed->identity.tracking != TRACKING_NONE && result->session_state &&
           (observed->identity.hidden || !(client_capabilities & WIRE_CAP(CLIENT_SESSION_TRACK)));
}

bool tracking_is_reported(const struct wire_session_state *state, const void *data)
{
    const struct observed *observed = data;
    return !(report_of(state) & observed->identity.hidden);
}
