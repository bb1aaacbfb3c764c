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
 * Rules and lists are under one lock: statements read, and FLUSH and learning write, for the time
 * it takes to exchange a pointer or to add an entry. Files are read and written outside of it. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <weir/plugin.h>

#include "allow_list.h"
#include "rules.h"
#include "saver.h"

#define LINES_PER_SECOND 20 /* that detecting writes to the log at most; the others are counted */

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static struct rules *rules;       /* NULL: there is no file of rules */
static struct allow_lists *lists; /* never NULL after OnInit */
static char rules_path[4096], lists_path[4096];
static pthread_mutex_t file_lock = PTHREAD_MUTEX_INITIALIZER; /* who reads or writes lists_path */
static atomic_bool is_unsaved; /* something was learned that the file does not have */
static atomic_ullong granted, denied, suspicious, learned_count;

/* ---- Telling ---- */

/* Whether another line may be written this second; before the first of a second, what was left out.
 */
static bool may_log(void)
{
    static atomic_ullong second;
    static atomic_uint lines;
    unsigned long long now = (unsigned long long)time(NULL), before = atomic_load(&second);
    if (now != before && atomic_compare_exchange_strong(&second, &before, now)) {
        unsigned written = atomic_exchange(&lines, 0);
        if (written > LINES_PER_SECOND)
            weir_log(WEIR_LOG_WARN, "and %u more statements", written - LINES_PER_SECOND);
    }
    return atomic_fetch_add(&lines, 1) < LINES_PER_SECOND;
}

static weir_string account_of(const weir_session *session, char room[256])
{
    weir_string account = weir_current_user(session);
    if (!account.data) {
        int size = snprintf(room, 256, "%.*s@%.*s", WEIR_STRING_ARGS(weir_user(session)),
                            WEIR_STRING_ARGS(weir_host(session)));
        account = (weir_string){room, size < 256 ? (size_t)size : 255};
    }
    return account;
}

/* The log's line: what happened to whose statement, and why. */
static void tell(const weir_session *session, const char *what, const char *why)
{
    char room[256];
    weir_string account = account_of(session, room), text = weir_normalized(session);
    if (!text.data)
        text = weir_command(session);
    if (may_log())
        weir_log(WEIR_LOG_WARN, "%s %s: account=%.*s connection=%llu digest=%.*s statement=%.*s",
                 what, why, WEIR_STRING_ARGS(account),
                 (unsigned long long)weir_connection_id(session),
                 WEIR_STRING_ARGS(weir_digest(session)), (int)(text.size < 400 ? text.size : 400),
                 text.data ? text.data : "");
}

static void tell_logged(const weir_session *session, const struct rule *rule)
{
    char why[200];
    snprintf(why, sizeof why, "rule \"%.100s\"", rule->name);
    atomic_fetch_add(&suspicious, 1);
    tell(session, "noticed by", why);
}

/* ---- Judging ---- */

/* Commands that carry no statement and tell nothing: they need not be on a list. */
static bool is_harmless(const weir_session *session)
{
    static const uint8_t codes[] = {0x01, 0x0e, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1f};
    /* Quit, Ping, Long Data, Close, Reset, Set Option and Fetch of what was executed, Reset
     * Connection */
    return !weir_sql(session).data &&
           memchr(codes, (int)weir_command_code(session), sizeof codes) != NULL;
}

/* Whether the account's list forbids the statement; *known: it has a list. */
static bool is_unlisted(const weir_session *session, weir_string account)
{
    struct key key;
    if (!allow_lists_has_account(lists, account))
        return rules && rules->refuse_unknown_accounts && !is_harmless(session);
    return !is_harmless(session) &&
           (!key_of(session, &key) || !allow_lists_has(lists, account, &key));
}

/* Why the statement is refused, in words; false: it is not. */
static bool is_denied(const weir_session *session, weir_string account, bool listed_only,
                      char why[200])
{
    bool blind = false;
    const struct rule *rule = rules_deny(rules, session, account, &blind, tell_logged);
    if (rule)
        snprintf(why, 200, "rule \"%.100s\"%s", rule->name,
                 blind ? " (what it does cannot be told)" : "");
    else if (listed_only && is_unlisted(session, account))
        snprintf(why, 200, "rule \"allow-list\" (not among the statements of %.*s)",
                 (int)(account.size < 100 ? account.size : 100), account.data);
    else
        return false;
    return true;
}

static enum firewall_mode global_mode(void)
{
    return (enum firewall_mode)weir_number_of(SQL_FIREWALL_MODE);
}

static weir_verdict judge(weir_session *session)
{
    char why[200] = "", room[256];
    weir_string account = account_of(session, room);
    pthread_rwlock_rdlock(&lock);
    enum firewall_mode mode = rules_mode(rules, account, global_mode());
    bool stopped =
        mode != FIREWALL_OFF && is_denied(session, account, mode != FIREWALL_RECORDING, why);
    pthread_rwlock_unlock(&lock);
    if (mode == FIREWALL_OFF)
        return WEIR_OK;
    if (!stopped) {
        atomic_fetch_add(&granted, 1);
        return WEIR_OK;
    }
    if (mode != FIREWALL_PROTECTING) {
        atomic_fetch_add(&suspicious, 1);
        tell(session, mode == FIREWALL_DETECTING ? "would be refused by" : "is denied by", why);
        return WEIR_OK;
    }
    atomic_fetch_add(&denied, 1);
    tell(session, "refused by", why);
    return weir_refuse(session, 0, NULL, "Statement blocked by sql_firewall: %s", why);
}

/* ---- Learning ---- */

static void save(void)
{
    char problem[PROBLEM_BYTES];
    pthread_mutex_lock(&file_lock);
    atomic_store(&is_unsaved, false);
    pthread_rwlock_rdlock(&lock);
    bool fine = allow_lists_write(lists, lists_path, problem);
    pthread_rwlock_unlock(&lock);
    pthread_mutex_unlock(&file_lock);
    if (!fine)
        weir_log(WEIR_LOG_ERROR, "what was learned is not saved: %s", problem);
}

/* A statement that has succeeded. What a rule denies is not learned: it would be refused anyway. */
static void learn(weir_session *session)
{
    struct key key;
    bool blind;
    char room[256];
    weir_string account = account_of(session, room);
    pthread_rwlock_rdlock(&lock);
    bool is_new = rules_mode(rules, account, global_mode()) == FIREWALL_RECORDING &&
                  !is_harmless(session) && key_of(session, &key) &&
                  !allow_lists_has(lists, account, &key) &&
                  !rules_deny(rules, session, account, &blind, NULL);
    pthread_rwlock_unlock(&lock);
    if (!is_new)
        return;
    pthread_rwlock_wrlock(&lock);
    enum learned learned = allow_lists_learn(lists, account, &key);
    pthread_rwlock_unlock(&lock);
    if (learned == LEARNED_FULL && may_log())
        weir_log(WEIR_LOG_WARN, "the allow-list of %.*s is full: a statement is not learned",
                 WEIR_STRING_ARGS(account));
    if (learned == LEARNED_NEW) {
        atomic_fetch_add(&learned_count, 1);
        atomic_store(&is_unsaved, true);
        saver_wake();
    }
}

weir_verdict OnGeneralEvent(weir_session *session, weir_general_event event, const char *command)
{
    (void)command;
    weir_verdict verdict = WEIR_OK;
    if (event == WEIR_STARTING)
        verdict = judge(session);
    else if (event == WEIR_COMPLETED)
        learn(session);
    return verdict;
}

/* ---- Life ---- */

/* A relative path begins at the folder of the plugin's .so. */
static bool find_file(weir_string name, char *path, size_t size)
{
    weir_string library = weir_library();
    const char *slash = strrchr(library.data, '/');
    int folder = name.data[0] == '/' || !slash ? 0 : (int)(slash - library.data) + 1;
    int length = snprintf(path, size, "%.*s%s", folder, library.data, name.data);
    return length >= 0 && (size_t)length < size;
}

/* Puts what the files say in place of what was there; a file with a mistake changes nothing. */
static weir_verdict read_files(void)
{
    char problem[PROBLEM_BYTES];
    struct rules *old_rules, *next_rules = rules_path[0] ? rules_read(rules_path, problem) : NULL;
    if (rules_path[0] && !next_rules)
        return weir_fail("%s", problem);
    pthread_mutex_lock(&file_lock);
    struct allow_lists *old_lists, *next_lists = allow_lists_read(lists_path, problem);
    if (!next_lists) {
        pthread_mutex_unlock(&file_lock);
        rules_free(next_rules);
        return weir_fail("%s", problem);
    }
    pthread_rwlock_wrlock(&lock);
    old_rules = rules;
    old_lists = lists;
    rules = next_rules;
    lists = next_lists;
    pthread_rwlock_unlock(&lock);
    pthread_mutex_unlock(&file_lock);
    rules_free(old_rules);
    allow_lists_free(old_lists);
    weir_log(WEIR_LOG_INFO, "%zu rules, %zu statements on allow-lists",
             next_rules ? next_rules->count : 0, allow_lists_count(next_lists));
    return WEIR_OK;
}

weir_verdict OnInit(const weir_manifest *manifest)
{
    (void)manifest;
    weir_string file = weir_text_of(SQL_FIREWALL_RULES);
    rules_path[0] = '\0';
    if ((file.size && !find_file(file, rules_path, sizeof rules_path)) ||
        !find_file(weir_text_of(SQL_FIREWALL_ALLOW_LIST), lists_path, sizeof lists_path))
        return weir_fail("the path of a file is too long");
    weir_verdict verdict = read_files();
    if (verdict == WEIR_OK && !saver_start(save))
        verdict = weir_fail("there is no thread to be had");
    return verdict;
}

/* What was learned since the last save would be lost by reading the file. */
weir_verdict OnFlush(const weir_manifest *manifest)
{
    (void)manifest;
    if (atomic_load(&is_unsaved))
        save();
    return read_files();
}

weir_verdict OnShutdown(const weir_manifest *manifest)
{
    (void)manifest;
    saver_stop();
    rules_free(rules);
    allow_lists_free(lists);
    rules = NULL;
    lists = NULL;
    return WEIR_OK;
}

weir_verdict OnStatus(weir_session *session, weir_status *status)
{
    (void)session;
    pthread_rwlock_rdlock(&lock);
    size_t entries = allow_lists_count(lists);
    pthread_rwlock_unlock(&lock);
    weir_status_number(status, "sql_firewall_access_granted", atomic_load(&granted));
    weir_status_number(status, "sql_firewall_access_denied", atomic_load(&denied));
    weir_status_number(status, "sql_firewall_access_suspicious", atomic_load(&suspicious));
    weir_status_number(status, "sql_firewall_cached_entries", entries);
    weir_status_number(status, "sql_firewall_learned", atomic_load(&learned_count));
    return WEIR_OK;
}
