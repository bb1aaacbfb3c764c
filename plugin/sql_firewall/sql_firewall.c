/* SPDX-License-Identifier: Apache-2.0
 *
 * sql_firewall: refuses statements that a rule denies, and those of accounts with an allow-list
 * that are not on it. Modes and their meaning are those of MySQL Enterprise Firewall:
 *
 *     OFF         nothing is looked at
 *     RECORDING   what succeeds is learned; nothing is refused, what a rule denies is logged
 *     DETECTING   what would be refused is logged
 *     PROTECTING  it is refused
 *
 * Statements read rules and lists without a lock; files are read and written outside of events. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <weir/clock.h>
#include <weir/files.h>
#include <weir/log_limit.h>
#include <weir/shared_file.h>
#include <weir/text.h>

#include "crowd.h"
#include "firewall.h"
#include "noise.h"
#include "places.h"
#include "refused.h"
#include "sharing.h"
#include "statement.h"

#define COMMAND_CHANGE_USER 0x11
#define COMMAND_CLOSE       0x19 /* COM_STMT_CLOSE */
#define WHY_BYTES           400
#define LINES_PER_SECOND    20 /* that detecting writes to the log at most; the others are counted */

static _Atomic(struct rules *) rules;  /* NULL: there is no file of rules */
static struct shared_file *rules_file; /* likewise */
static atomic_ullong denied, suspicious, learned_count;
static struct {
    _Alignas(64) atomic_ullong count;
} granted[READER_STRIPES]; /* of every statement: no thread disturbs another */

/* ---- The log ---- */

/* Whether another line may be written this second. */
static bool may_log(void)
{
    static struct log_limit limit;
    uint32_t left_out;
    bool may = log_limit_allows(&limit, LINES_PER_SECOND, &left_out);
    if (left_out)
        weir_log(WEIR_LOG_WARN, "and %u more statements", left_out);
    return may;
}

/* The log's line: what happened to whose statement, and why. */
static void log_statement(struct statement *statement, const char *what, const char *why)
{
    weir_string text = statement_normalized(statement);
    if (!text.data)
        text = statement_command(statement);
    if (may_log())
        weir_log(WEIR_LOG_WARN, "%s %s: account=%.*s%s connection=%llu digest=%.*s statement=%.*s",
                 what, why, WEIR_STRING_ARGS(statement->account),
                 statement->has_known_account ? "" : " (not known)",
                 (unsigned long long)weir_connection_id(statement->session),
                 WEIR_STRING_ARGS(statement_digest(statement)),
                 (int)(text.size < 400 ? text.size : 400), text.data ? text.data : "");
}

static void log_noticed(struct statement *statement, const struct rule *rule)
{
    char why[200];
    snprintf(why, sizeof why, "rule \"%.100s\"", rule->name);
    atomic_fetch_add(&suspicious, 1);
    log_statement(statement, "noticed by", why);
}

/* ---- Judging ---- */

enum firewall_mode firewall_mode_of(weir_string account, const struct account *list)
{
    int own = list ? account_mode(list) : NO_MODE;
    return own != NO_MODE ? (enum firewall_mode)own
                          : rules_mode(atomic_load(&rules), account,
                                       (enum firewall_mode)weir_number_of(SQL_FIREWALL_MODE));
}

/* The mode of the statement's account; of one that is not known the strictest that it can have. */
static enum firewall_mode mode_of(const struct statement *statement, const struct account *list)
{
    if (statement->has_known_account)
        return firewall_mode_of(statement->account, list);
    enum firewall_mode mode = rules_strictest_mode(
        atomic_load(&rules), (enum firewall_mode)weir_number_of(SQL_FIREWALL_MODE));
    int own = allow_lists_strictest_mode(keeper_lists());
    return own > (int)mode ? (enum firewall_mode)own : mode;
}

static const struct account *list_of(const struct statement *statement)
{
    return statement->has_known_account ? allow_lists_find(keeper_lists(), statement->account)
                                        : NULL;
}

enum listing { LISTED, UNLISTED, LISTING_UNKNOWN };

/* What is on no list, and is sent by drivers whatever the application does. */
static bool may_pass_as_noise(struct statement *statement)
{
    return weir_number_of(SQL_FIREWALL_ALLOW_DRIVER_STATEMENTS) && statement_is_noise(statement);
}

/* An account without a list; one that is not known may have one of those that there are. */
static enum listing judge_without_list(struct statement *statement)
{
    const struct rules *now = atomic_load(&rules);
    if (now && now->refuse_unknown_accounts && statement->has_known_account)
        return may_pass_as_noise(statement) ? LISTED : UNLISTED;
    if (now && now->refuse_unknown_accounts)
        return LISTING_UNKNOWN;
    return statement->has_known_account || allow_lists_are_empty(keeper_lists()) ? LISTED
                                                                                 : LISTING_UNKNOWN;
}

/* Whether the account's list allows the statement: each key must be on it. */
static enum listing judge_by_list(struct statement *statement, const struct account *list)
{
    struct key key;
    enum key_answer answer = KEY_FOUND;
    if (statement_is_harmless(statement))
        return LISTED;
    if (!list)
        return judge_without_list(statement);
    if (statement_is_execution(statement))
        statement_set_database(statement, places_find(statement->session, PLACE_PREPARED,
                                                      weir_prepared_id(statement->session)));
    for (size_t i = 0; (answer = key_of(statement, i, &key)) == KEY_FOUND; i++)
        if (!account_allows(list, &key))
            return may_pass_as_noise(statement) ? LISTED : UNLISTED;
    return answer == KEY_UNKNOWABLE ? LISTING_UNKNOWN : LISTED;
}

/* Says, with the host's words, which fact is not known. */
static void say_blind(const struct statement *statement, const char *what, char *why, size_t size)
{
    weir_string unknown = weir_unknown(statement->session);
    snprintf(why, size, " (what it does cannot be told: %s%s%.*s)", what, unknown.size ? ": " : "",
             (int)(unknown.size < 160 ? unknown.size : 160), unknown.size ? unknown.data : "");
}

static void say_unlisted(struct statement *statement, char *why, size_t size)
{
    weir_string name = statement->account, database = statement_database(statement);
    int length = snprintf(why, size, " (not among the statements of %.*s",
                          (int)(name.size < 100 ? name.size : 100), name.data);
    bool is_elsewhere = length > 0 && statement_sql(statement).data;
    if (is_elsewhere && database.size)
        snprintf(why + length, size - (size_t)length, " in %.*s)",
                 (int)(database.size < 64 ? database.size : 64), database.data);
    else if (length > 0)
        snprintf(why + length, size - (size_t)length, "%s)",
                 is_elsewhere ? " without a database" : "");
}

/* Why no list can tell. */
static const char *unlistable(struct statement *statement)
{
    return !statement->has_known_account         ? "its account is not known"
           : !statement_is_read(statement)       ? "in which way it is read is not known"
           : !statement_database(statement).data ? "its database is not known"
           : statement_is_computed(statement)    ? "it runs a text that is computed"
                                                 : "its digest is not known";
}

/* Keeps what an administrator may want to allow. */
static void note_unlisted(struct statement *statement, const struct account *list)
{
    struct key key;
    uint8_t digest[KEY_BYTES];
    weir_string hex = statement_digest(statement);
    if (hex.size != 2 * (size_t)KEY_BYTES || !key_from_hex(hex.data, digest))
        return;
    for (size_t i = 0; key_of(statement, i, &key) == KEY_FOUND; i++)
        if (!list || !account_allows(list, &key))
            refused_note(statement->account, digest, &key);
}

/* Writes why the statement is refused, and what the client reads of a rule that has a message of its own,
 * otherwise nothing. False: it is not refused. */
static bool is_denied(struct statement *statement, const struct account *list, bool listed_only,
                      char why[WHY_BYTES], char message[RULE_MESSAGE_BYTES])
{
    const char *blind = NULL;
    enum listing listing = LISTED;
    const struct rule *rule = rules_deny(atomic_load(&rules), statement, &blind, log_noticed);
    if (!rule && listed_only)
        listing = judge_by_list(statement, list);
    if (!rule && listing == LISTED && !statement->unlimited)
        return false;
    if (!rule && listing == LISTED)
        rule = statement->unlimited;
    int length = snprintf(why, WHY_BYTES, "rule \"%.100s\"", rule ? rule->name : "allow-list");
    char *more = why + (length > 0 ? length : 0);
    size_t size = (size_t)(why + WHY_BYTES - more);
    snprintf(message, RULE_MESSAGE_BYTES, "%s", rule && rule->message ? rule->message : "");
    if (listing == UNLISTED)
        note_unlisted(statement, list);
    if (blind || listing == LISTING_UNKNOWN)
        say_blind(statement, blind ? blind : unlistable(statement), more, size);
    else if (!rule)
        say_unlisted(statement, more, size);
    return true;
}

/* What is learned when the statement has ended was run in the database of now. */
static void note_beginning(struct statement *statement, weir_session *session)
{
    weir_string database = statement_is_execution(statement)
                               ? places_find(session, PLACE_PREPARED, weir_prepared_id(session))
                               : weir_database(session);
    if (statement_sql(statement).data && database.data &&
        !places_put(session, PLACE_BEGUN, weir_statement_number(session), database) && may_log())
        weir_log(WEIR_LOG_WARN, "no memory: a statement of %.*s will not be learned",
                 WEIR_STRING_ARGS(statement->account));
}

/* The reply of what passes is limited. What cannot be, is refused; a change of the user has no rows. */
static void limit_reply(struct statement *statement, const struct rule *rule)
{
    const weir_limits limits = {.struct_size = sizeof limits,
                                .rows = rule->rows_over,
                                .bytes = rule->bytes_over,
                                .time = rule->seconds_over * CLOCK_NS_PER_S};
    char text[RULE_MESSAGE_BYTES];
    snprintf(text, sizeof text, "Statement ended by sql_firewall: rule \"%.100s\"", rule->name);
    /* a callback's session is not const: statement_begin() only reads it */
    bool done = weir_limit_statement((weir_session *)statement->session, &limits, "%s",
                                     rule->message ? rule->message : text);
    if (!done && weir_command_code(statement->session) != COMMAND_CHANGE_USER)
        statement->unlimited = rule;
}

static weir_verdict judge(weir_session *session)
{
    char why[WHY_BYTES] = "", message[RULE_MESSAGE_BYTES] = "";
    struct statement statement;
    if (weir_command_code(session) == COMMAND_CLOSE)
        return WEIR_OK; /* it frees what was prepared, and cannot be refused */
    statement_begin(&statement, session);
    unsigned *reading = readers_enter(&keeper_readers);
    const struct account *list = list_of(&statement);
    enum firewall_mode mode = mode_of(&statement, list);
    statement.is_counted = true;
    statement.limited = mode == FIREWALL_PROTECTING ? limit_reply : NULL;
    if (rules_ask_sessions(atomic_load(&rules)) && places_crowd(session))
        statement.session_position = crowd_position(places_crowd(session));
    bool stopped = mode != FIREWALL_OFF &&
                   is_denied(&statement, list, mode != FIREWALL_RECORDING, why, message);
    readers_leave(reading);
    if (mode == FIREWALL_OFF)
        return WEIR_OK;
    if (mode == FIREWALL_RECORDING && statement.has_known_account)
        note_beginning(&statement, session);
    if (!stopped) {
        atomic_fetch_add_explicit(&granted[readers_stripe()].count, 1, memory_order_relaxed);
        return WEIR_OK;
    }
    if (mode != FIREWALL_PROTECTING) {
        atomic_fetch_add(&suspicious, 1);
        log_statement(&statement,
                      mode == FIREWALL_DETECTING ? "would be refused by" : "is denied by", why);
        return WEIR_OK;
    }
    atomic_fetch_add(&denied, 1);
    log_statement(&statement, "refused by", why);
    if (message[0])
        return weir_refuse(session, 0, NULL, "%s", message);
    return weir_refuse(session, 0, NULL, "Statement blocked by sql_firewall: %s", why);
}

/* ---- Learning ---- */

/* Whether the statement has a key that the account's list lacks, and may be learned: what a rule
 * denies is not, it would be refused anyway, and neither is what has an unknown key. */
static bool is_to_learn(struct statement *statement)
{
    struct key key;
    const char *blind;
    bool is_new = false;
    unsigned *reading = readers_enter(&keeper_readers);
    const struct account *list = list_of(statement);
    if (statement->has_known_account && mode_of(statement, list) == FIREWALL_RECORDING &&
        !statement_is_harmless(statement) && !may_pass_as_noise(statement)) {
        enum key_answer answer;
        for (size_t i = 0; (answer = key_of(statement, i, &key)) == KEY_FOUND; i++)
            is_new = is_new || !list || !account_has(list, &key);
        is_new = is_new && answer == KEY_NO_MORE &&
                 !rules_deny(atomic_load(&rules), statement, &blind, NULL);
    }
    readers_leave(reading);
    return is_new;
}

/* Learns a statement that has succeeded. Its reply is held until the file has been synced. */
static void learn(weir_session *session)
{
    struct statement statement;
    struct key key;
    bool is_new = false;
    statement_begin(&statement, session);
    statement_set_database(&statement,
                           places_find(session, PLACE_BEGUN, weir_statement_number(session)));
    if (!is_to_learn(&statement))
        return;
    for (size_t i = 0; key_of(&statement, i, &key) == KEY_FOUND; i++) {
        enum learned learned = keeper_learn(statement.account, &key);
        if (learned == LEARNED_FULL && may_log())
            weir_log(WEIR_LOG_WARN,
                     "the allow-list of %.*s is full, or cannot name the database: a statement is "
                     "not learned",
                     WEIR_STRING_ARGS(statement.account));
        is_new = is_new || learned == LEARNED_NEW;
        atomic_fetch_add(&learned_count, learned == LEARNED_NEW);
    }
    weir_hold *hold = is_new ? weir_hold_reply(session) : NULL;
    if (hold)
        keeper_release_when_saved(hold);
}

/* In any mode, because a list may count before a prepared statement is executed. */
static void follow_prepared(weir_session *session)
{
    enum { CHANGE_USER = 0x11, PREPARE = 0x16, CLOSE = 0x19, RESET_CONNECTION = 0x1f };
    switch (weir_command_code(session)) {
    case PREPARE:
        if (!places_put(session, PLACE_PREPARED, weir_prepared_id(session), weir_database(session)))
            weir_log(WEIR_LOG_WARN, "no memory: the database of a prepared statement is not known");
        break;
    case CLOSE:
        places_drop(session, PLACE_PREPARED, weir_prepared_id(session));
        break;
    case CHANGE_USER:
    case RESET_CONNECTION:
        places_drop_prepared(session);
        break;
    default:
        break;
    }
}

weir_verdict OnGeneralEvent(weir_session *session, weir_general_event event, const char *command)
{
    (void)command;
    if (event == WEIR_STARTING)
        return judge(session);
    if (event == WEIR_COMPLETED) {
        learn(session);
        follow_prepared(session);
    }
    places_drop(session, PLACE_BEGUN, weir_statement_number(session));
    return WEIR_OK;
}

weir_verdict OnConnectionEvent(weir_session *session, weir_connection_event event)
{
    if (event == WEIR_CONNECTED || event == WEIR_CHANGE_USER) {
        struct crowd_place *place = places_make_crowd(session);
        if (place)
            crowd_join(place, weir_current_user(session));
    }
    if (event == WEIR_DISCONNECT || event == WEIR_REJECT)
        places_free(session);
    return WEIR_OK;
}

/* ---- Life ---- */

/* Whoever sets PROTECTING expects that something is refused. */
static void warn_if_nothing_is_protected(void)
{
    unsigned *reading = readers_enter(&keeper_readers);
    const struct rules *now = atomic_load(&rules);
    bool has_list = !allow_lists_are_empty(keeper_lists());
    bool protects = has_list || rules_deny_something(now) || (now && now->refuse_unknown_accounts);
    readers_leave(reading);
    if (weir_number_of(SQL_FIREWALL_MODE) == FIREWALL_PROTECTING && !protects)
        weir_log(WEIR_LOG_WARN, "sql_firewall_mode is PROTECTING, and nothing is refused: there is "
                                "neither a rule that denies nor an account with an allow-list");
}

/* A client that flushes reads which of them the server does not have. Patterns (app*) may be of none yet. */
static void expect_accounts(const struct text_list *accounts)
{
    for (size_t i = 0; i < accounts->count; i++)
        if (strchr(accounts->items[i], '@'))
            weir_expect_account(text_of(accounts->items[i]));
}

static void expect_accounts_of(const struct rules *read)
{
    for (size_t i = 0; read && i < read->count; i++) {
        expect_accounts(&read->rules[i].accounts);
        expect_accounts(&read->rules[i].except_accounts);
    }
    for (size_t i = 0; read && i < read->mode_count; i++)
        expect_accounts(&read->modes[i].accounts);
}

/* Replaces the rules. Takes next; NULL: there are none. */
static void replace_rules(struct rules *next)
{
    size_t count = next ? next->count : 0;
    struct rules *old = atomic_exchange(&rules, next);
    readers_wait(&keeper_readers);
    rules_free(old);
    unsigned *reading = readers_enter(&keeper_readers);
    size_t statements = allow_lists_count(keeper_lists());
    size_t unbound = allow_lists_unbound(keeper_lists());
    readers_leave(reading);
    weir_log(WEIR_LOG_INFO, "%zu rules, %zu statements on allow-lists", count, statements);
    for (size_t i = 0; next && i < next->warnings.count; i++)
        weir_log(WEIR_LOG_WARN, "%s", next->warnings.items[i]);
    warn_if_nothing_is_protected();
    expect_accounts_of(next);
    if (unbound)
        weir_log(WEIR_LOG_WARN,
                 "%zu statements on allow-lists have no database, and count in every one: record "
                 "them anew, and take these out of the file",
                 unbound);
}

/* A text with a mistake changes nothing. */
static bool take_rules(void *user, weir_string text, const char *name, struct error *error)
{
    (void)user;
    struct rules *next = rules_parse(text, name, error);
    if (next)
        replace_rules(next);
    return next != NULL;
}

/* The file of rules, if there is one. False and the problem. */
static bool open_rules(const char *path, struct error *error)
{
    static const struct shared_file_plan plan = {.what = "rules",
                                                 .prefix = "rules/",
                                                 .copy = "sql_firewall.cluster_rules",
                                                 .take = take_rules};
    rules_file = *path ? shared_file_open(&plan, path, error) : NULL;
    if (!*path)
        replace_rules(NULL);
    return !*path || rules_file;
}

weir_verdict OnInit(const weir_manifest *manifest)
{
    (void)manifest;
    char path[4096], rules_path[4096] = "";
    struct error error;
    weir_string file = weir_text_of(SQL_FIREWALL_RULES);
    if ((file.size && !files_beside_plugin(file, rules_path, sizeof rules_path)) ||
        !files_in_data_directory(weir_text_of(SQL_FIREWALL_ALLOW_LIST), path, sizeof path))
        return weir_fail("the path of a file is too long");
    if (!keeper_open(path, &error))
        return weir_fail("%s", error.message);
    if (!open_rules(rules_path, &error)) {
        keeper_close();
        return weir_fail("%s", error.message);
    }
    sharing_begin();
    if (rules_file && weir_number_of(SQL_FIREWALL_SHARE_RULES))
        shared_file_join(rules_file);
    return WEIR_OK;
}

/* Reads each file by itself: a mistake in one is reported, and the other is read all the same. */
weir_verdict firewall_flush(void)
{
    struct error error, rules_error;
    bool ok = keeper_reload(&error), rules_ok = true;
    if (rules_file)
        rules_ok = shared_file_flush(rules_file, &rules_error);
    else
        replace_rules(NULL);
    if (!ok)
        return weir_fail("%s", error.message);
    return rules_ok ? WEIR_OK : weir_fail("%s", rules_error.message);
}

weir_verdict OnFlush(const weir_manifest *manifest)
{
    (void)manifest;
    return firewall_flush();
}

weir_verdict OnVariable(weir_session *session, weir_variable_event event, weir_variable *variable)
{
    (void)session;
    if (event == WEIR_VARIABLE_CHANGED && variable->index == SQL_FIREWALL_MODE && keeper_lists())
        warn_if_nothing_is_protected();
    return WEIR_OK;
}

weir_verdict OnShutdown(const weir_manifest *manifest)
{
    (void)manifest;
    shared_file_close(rules_file);
    rules_file = NULL;
    keeper_close();
    refused_clear();
    rules_free(atomic_exchange(&rules, NULL));
    return WEIR_OK;
}

weir_verdict OnStatus(weir_session *session, weir_status *status)
{
    (void)session;
    unsigned long long passed = 0;
    for (size_t i = 0; i < READER_STRIPES; i++)
        passed += atomic_load(&granted[i].count);
    unsigned *reading = readers_enter(&keeper_readers);
    size_t entries = allow_lists_count(keeper_lists());
    size_t unbound = allow_lists_unbound(keeper_lists());
    readers_leave(reading);
    weir_status_number(status, "sql_firewall_access_granted", passed);
    weir_status_number(status, "sql_firewall_access_denied", atomic_load(&denied));
    weir_status_number(status, "sql_firewall_access_suspicious", atomic_load(&suspicious));
    weir_status_number(status, "sql_firewall_cached_entries", entries);
    weir_status_number(status, "sql_firewall_any_database", unbound);
    weir_status_number(status, "sql_firewall_learned", atomic_load(&learned_count));
    weir_status_number(status, "sql_firewall_unsaved", keeper_unsaved());
    weir_status_number(status, "sql_firewall_rules_refused",
                       rules_file && shared_file_is_refused(rules_file));
    return WEIR_OK;
}
