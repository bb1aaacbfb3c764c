/* SPDX-License-Identifier: Apache-2.0
 *
 * ip_filter: refuses clients before the backend is contacted: by address, account, database,
 * country and time, by how many and how fast they come, and for a while when logins failed. The
 * files are read by OnInit and again by OnFlush; one with a mistake changes nothing. Clients of the
 * Unix socket have no address and always pass: the socket's own permissions say who may use it.
 * Reading the rules never waits. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <weir/account.h>
#include <weir/clock.h>
#include <weir/files.h>
#include <weir/log_limit.h>
#include <weir/readers.h>
#include <weir/shared_file.h>

#include "country.h"
#include "networks.h"
#include "shared_bans.h"
#include "shared_counts.h"
#include "visit.h"

#define ERROR_HOST_NOT_PRIVILEGED 1130 /* what MySQL answers to a host without any account */
#define ERROR_HOST_IS_BLOCKED     1129 /* ... to one with too many errors */
#define ERROR_TOO_MANY            1040
#define ERROR_ACCESS_DENIED       1045
#define ERROR_NO_PASSWORD         1698 /* MariaDB's other word for it */
#define ERROR_DATABASE_DENIED     1044
#define LINES_PER_SECOND          20 /* of refusals in the log; the others are counted */

struct ruling {
    struct networks *networks;
    struct countries *countries; /* NULL: there is no file */
};

static _Atomic(struct ruling *) current;
static struct readers readers;
static struct shared_file *rules_file;
static atomic_ullong passed, refused, bans;

static void ruling_free(struct ruling *ruling)
{
    if (!ruling)
        return;
    networks_free(ruling->networks);
    countries_close(ruling->countries);
    free(ruling);
}

/* Replaces the current ruling by `next`, and frees the old one. Takes next. Not reentrant.
 */
static void replace(struct ruling *next)
{
    struct ruling *old = atomic_exchange(&current, next);
    readers_wait(&readers);
    ruling_free(old);
}

/* ---- Deciding ---- */

/* Whether the rules let the client in; the visit, if any, gets its databases. -1: no memory. */
static int ask_rules(struct client *client, struct visit *visit)
{
    unsigned *reading = readers_enter(&readers);
    const struct ruling *ruling = atomic_load(&current);
    char **databases = NULL;
    if (ruling && networks_need_more(ruling->networks)) {
        time_t now = time(NULL);
        localtime_r(&now, &client->now);
        countries_find(ruling->countries, client->address, client->size, client->country);
    }
    int answer = ruling && networks_pass(ruling->networks, client, &databases);
    if (visit && !visit_set_databases(visit, databases))
        answer = -1;
    readers_leave(reading);
    return answer;
}

static int64_t now_ns(void)
{
    return (int64_t)clock_monotonic_ns();
}

static struct tally_key account_key(weir_string user)
{
    struct tally_key key = {.bytes = "u"};
    size_t size = user.size < TALLY_KEY_BYTES - 1 ? user.size : TALLY_KEY_BYTES - 1;
    if (size)
        memcpy(key.bytes + 1, user.data, size);
    key.size = (uint8_t)(size + 1);
    return key;
}

/* What strangers cause is not to fill the log. */
static bool may_log(void)
{
    static struct log_limit limit;
    uint32_t left_out;
    bool may = log_limit_allows(&limit, LINES_PER_SECOND, &left_out);
    if (left_out)
        weir_log(WEIR_LOG_WARN, "and %u more refusals", left_out);
    return may;
}

/* Refuses, or says what it would have refused. */
static weir_verdict refuse(weir_session *session, uint32_t code, const char *sqlstate,
                           const char *words)
{
    bool is_dry = weir_number_of(IP_FILTER_DRY_RUN);
    atomic_fetch_add(&refused, 1);
    if (may_log())
        weir_log(WEIR_LOG_WARN, "%s: Host '%.*s' %s: user=%.*s",
                 is_dry ? "dry_run: would refuse" : "refused",
                 WEIR_STRING_ARGS(weir_client_ip(session)), words,
                 WEIR_STRING_ARGS(weir_user(session)));
    if (is_dry)
        return WEIR_OK;
    return weir_refuse(session, code, sqlstate, "Host '%.*s' %s (ip_filter)",
                       WEIR_STRING_ARGS(weir_client_ip(session)), words);
}

static weir_verdict answer_tally(weir_session *session, enum tally_answer answer, bool is_account)
{
    switch (answer) {
    case TALLY_TOO_MANY:
        return refuse(session, ERROR_TOO_MANY, "08004",
                      is_account ? "has a user with too many connections"
                                 : "has too many connections");
    case TALLY_TOO_FAST:
        return refuse(session, ERROR_TOO_MANY, "08004",
                      is_account ? "has a user that connects too often" : "connects too often");
    case TALLY_BANNED:
        return refuse(session, ERROR_HOST_IS_BLOCKED, "HY000",
                      "is blocked for a while because of failed logins");
    default:
        return WEIR_OK;
    }
}

/* Counts the visit for a key, and judges it by the limits. */
static weir_verdict count(weir_session *session, struct tally_key *slot, struct tally_key key,
                          const struct tally_limits *limits)
{
    enum tally_answer answer = tally_enter(&key, limits, now_ns());
    *slot = key;
    return answer_tally(session, answer, key.bytes[0] == 'u');
}

static weir_verdict count_address(weir_session *session, struct visit *visit,
                                  const struct client *client)
{
    struct tally_limits limits = {weir_number_of(IP_FILTER_CONNECTIONS_PER_ADDRESS),
                                  weir_number_of(IP_FILTER_RATE_PER_ADDRESS),
                                  weir_number_of(IP_FILTER_RATE_WINDOW)};
    if (!limits.connections && !limits.rate && !weir_number_of(IP_FILTER_BAN_AFTER) &&
        !shared_bans_are_known())
        return WEIR_OK;
    return count(session, &visit->address, tally_key_of_address(client->address, client->size),
                 &limits);
}

/* By the rule that names the account, or the variable. */
static int64_t connections_of(weir_string user)
{
    unsigned *reading = readers_enter(&readers);
    const struct ruling *ruling = atomic_load(&current);
    int64_t limit = ruling ? networks_limit(ruling->networks, user) : -1;
    readers_leave(reading);
    return limit >= 0 ? limit : weir_number_of(IP_FILTER_CONNECTIONS_PER_ACCOUNT);
}

static weir_verdict count_account(weir_session *session, struct visit *visit)
{
    struct tally_limits limits = {connections_of(weir_user(session)),
                                  weir_number_of(IP_FILTER_RATE_PER_ACCOUNT),
                                  weir_number_of(IP_FILTER_RATE_WINDOW)};
    if (visit->account.size)
        tally_leave(&visit->account);
    visit->account.size = 0;
    if (!limits.connections && !limits.rate)
        return WEIR_OK;
    return count(session, &visit->account, account_key(weir_user(session)), &limits);
}

static weir_verdict refuse_host(weir_session *session)
{
    return refuse(session, ERROR_HOST_NOT_PRIVILEGED, "HY000",
                  "is not allowed to connect to this server");
}

/* The rules, for a user that is new here. */
static weir_verdict judge(weir_session *session, struct visit *visit, struct client *client)
{
    weir_string user = weir_user(session);
    client->user = user.data ? user.data : "";
    client->user_size = user.size;
    client->has_tls = weir_tls_version(session).data != NULL;
    client->subject = weir_client_cert_subject(session);
    client->issuer = weir_client_cert_issuer(session);
    int answer = ask_rules(client, visit);
    if (answer < 0)
        return weir_fail("out of memory");
    weir_verdict verdict = WEIR_OK;
    if (answer == 0)
        verdict = refuse_host(session);
    return verdict == WEIR_OK ? count_account(session, visit) : verdict;
}

/* Remembers of the client what there is to remember; nothing for most. */
static weir_verdict remember(weir_session *session, struct visit *visit)
{
    struct visit *kept = visit_of(session);
    bool is_needed = visit->address.size || visit->account.size || visit->databases;
    if (!kept && is_needed)
        kept = malloc(sizeof *kept);
    if (!kept && is_needed) {
        visit_end(visit);
        return weir_fail("out of memory");
    }
    if (kept) {
        *kept = *visit;
        kept->magic = VISIT_MAGIC;
    }
    weir_set_session_data(session, kept);
    return WEIR_OK;
}

/* What can be said of an address before the user is known. PreAuth comes after it, and says the rest;
 * in a dry run all of it. */
static weir_verdict knock(weir_session *session, struct client *client)
{
    struct visit visit = {0};
    weir_verdict verdict = count_address(session, &visit, client);
    if (verdict == WEIR_OK && !weir_number_of(IP_FILTER_DRY_RUN) && !ask_rules(client, NULL))
        verdict = refuse_host(session);
    if (verdict == WEIR_OK)
        return remember(session, &visit);
    visit_end(&visit);
    return verdict;
}

static weir_verdict arrive(weir_session *session, struct client *client)
{
    const struct visit *knocked = visit_of(session);
    struct visit visit = knocked ? *knocked : (struct visit){0};
    weir_verdict verdict = visit.address.size ? WEIR_OK : count_address(session, &visit, client);
    if (verdict == WEIR_OK)
        verdict = judge(session, &visit, client);
    if (verdict == WEIR_OK)
        atomic_fetch_add(&passed, 1);
    if (verdict != WEIR_OK && !knocked) {
        visit_end(&visit);
        return verdict;
    }
    weir_verdict kept = remember(session, &visit);
    return verdict == WEIR_OK ? kept : verdict;
}

/* Another user on the same connection. What is counted so far stays counted until it ends. */
static weir_verdict change_user(weir_session *session, struct client *client)
{
    const struct visit *before = visit_of(session);
    struct visit visit = before ? *before : (struct visit){0};
    weir_verdict verdict = judge(session, &visit, client);
    weir_verdict kept = remember(session, &visit);
    return verdict == WEIR_OK ? kept : verdict;
}

/* A client that the rules let in and the server did not: was it a wrong password? */
static void note_failure(const weir_session *session, const struct visit *visit)
{
    uint64_t code = weir_error_code(session);
    int64_t after = weir_number_of(IP_FILTER_BAN_AFTER);
    if ((code != ERROR_ACCESS_DENIED && code != ERROR_NO_PASSWORD) || !after ||
        !visit->address.size)
        return;
    int64_t ban_time = weir_number_of(IP_FILTER_BAN_TIME);
    if (tally_failure(&visit->address, after, weir_number_of(IP_FILTER_BAN_WINDOW), ban_time,
                      now_ns())) {
        atomic_fetch_add(&bans, 1);
        shared_bans_add(&visit->address, ban_time);
        weir_log(WEIR_LOG_WARN, "%.*s is banned after %lld failed logins",
                 WEIR_STRING_ARGS(weir_client_ip(session)), (long long)after);
    }
}

weir_verdict OnConnectionEvent(weir_session *session, weir_connection_event event)
{
    struct visit *visit = visit_of(session);
    struct client client = {0};
    weir_verdict verdict = WEIR_OK;
    client.size = weir_client_address(session, client.address);
    if (event == WEIR_PRE_CONNECT && client.size) {
        verdict = knock(session, &client);
    } else if (event == WEIR_PRE_AUTH && client.size) {
        verdict = arrive(session, &client);
    } else if (event == WEIR_CHANGE_USER && client.size) {
        verdict = change_user(session, &client);
    } else if ((event == WEIR_REJECT || event == WEIR_DISCONNECT) && visit) {
        if (event == WEIR_REJECT)
            note_failure(session, visit);
        weir_set_session_data(session, NULL);
        visit_end(visit);
        free(visit);
    }
    return verdict;
}

/* Sessions that may use some databases only, and passwords that are tried by COM_CHANGE_USER. For all
 * others this is one load. */
weir_verdict OnGeneralEvent(weir_session *session, weir_general_event event, const char *command)
{
    const struct visit *visit = visit_of(session);
    if (visit && event == WEIR_ERROR && strcmp(command, "Change User") == 0)
        note_failure(session, visit);
    if (!visit || !visit->databases || event != WEIR_STARTING || visit_allows(visit, session))
        return WEIR_OK;
    atomic_fetch_add(&refused, 1);
    bool is_dry = weir_number_of(IP_FILTER_DRY_RUN);
    if (may_log())
        weir_log(WEIR_LOG_WARN,
                 "%s a statement outside of its databases: Host '%.*s': user=%.*s connection=%llu",
                 is_dry ? "dry_run: would refuse" : "refused",
                 WEIR_STRING_ARGS(weir_client_ip(session)), WEIR_STRING_ARGS(weir_user(session)),
                 (unsigned long long)weir_connection_id(session));
    if (is_dry)
        return WEIR_OK;
    return weir_refuse(session, ERROR_DATABASE_DENIED, "42000",
                       "Access denied for user '%.*s'@'%.*s' to this database (ip_filter)",
                       WEIR_STRING_ARGS(weir_user(session)),
                       WEIR_STRING_ARGS(weir_client_ip(session)));
}

/* ---- What the nodes of a cluster count together ---- */

static struct shared_limits limits_of(const struct tally_key *key)
{
    if (key->bytes[0] == 'u')
        return (struct shared_limits){
            .connections = connections_of((weir_string){key->bytes + 1, key->size - 1U}),
            .rate = weir_number_of(IP_FILTER_RATE_PER_ACCOUNT)};
    return (struct shared_limits){.connections = weir_number_of(IP_FILTER_CONNECTIONS_PER_ADDRESS),
                                  .rate = weir_number_of(IP_FILTER_RATE_PER_ADDRESS),
                                  .failed = weir_number_of(IP_FILTER_BAN_AFTER)};
}

static struct tally_windows windows(void)
{
    return (struct tally_windows){.rate = weir_number_of(IP_FILTER_RATE_WINDOW),
                                  .failed = weir_number_of(IP_FILTER_BAN_WINDOW)};
}

/* ---- Life ---- */

/* A client that flushes reads which of the users have no account of the server, whatever its host. */
static void expect_users_of(const struct networks *networks)
{
    struct account_name name;
    const char *user;
    for (size_t i = 0; (user = networks_limited_user(networks, i)); i++)
        if (!strchr(user, '*') && !account_parse_named(text_of(user), &name))
            weir_expect_account(account_text(&name));
}

/* Whether the rules can be asked with the files that they need. */
static bool has_country_file(const struct networks *networks, weir_string country_file,
                             const char *name, struct error *error)
{
    unsigned line = networks_country_line(networks);
    if (!line || country_file.size)
        return true;
    error_set(error,
              "%s:%u: the rule asks for the country, and ip_filter_country_file, which tells it, "
              "is not set",
              name, line);
    return false;
}

/* Puts rules in force, with the file of countries as it is now. A mistake changes nothing. */
static bool take_rules(void *user, weir_string text, const char *name, struct error *error)
{
    char countries[4096];
    weir_string country_file = weir_text_of(IP_FILTER_COUNTRY_FILE);
    struct ruling *next = calloc(1, sizeof *next);
    (void)user;
    bool ok = next && files_beside_plugin(country_file, countries, sizeof countries);
    if (!ok)
        error_set(error, next ? "the path of a file is too long" : "out of memory");
    ok = ok && (next->networks = networks_parse(text, name, error)) != NULL;
    if (ok && country_file.size)
        ok = (next->countries = countries_open(countries, error)) != NULL;
    ok = ok && has_country_file(next->networks, country_file, name, error);
    if (!ok) {
        ruling_free(next);
        return false;
    }
    weir_log(WEIR_LOG_INFO, "read %zu rules of %s", networks_count(next->networks), name);
    expect_users_of(next->networks);
    replace(next);
    shared_counts_review();
    return true;
}

weir_verdict OnInit(const weir_manifest *manifest)
{
    static const struct shared_file_plan plan = {
        .what = "rules", .prefix = "rules/", .copy = "ip_filter.cluster_rules", .take = take_rules};
    static const struct shared_counts_rules rules = {.limits_of = limits_of, .windows = windows};
    char path[4096];
    struct error error;
    (void)manifest;
    if (!files_beside_plugin(weir_text_of(IP_FILTER_FILE), path, sizeof path))
        return weir_fail("the path of a file is too long");
    rules_file = shared_file_open(&plan, path, &error);
    if (!rules_file)
        return weir_fail("%s", error.message);
    shared_bans_begin();
    shared_counts_begin(&rules);
    if (weir_number_of(IP_FILTER_SHARE_RULES))
        shared_file_join(rules_file);
    return WEIR_OK;
}

weir_verdict OnFlush(const weir_manifest *manifest)
{
    struct error error;
    (void)manifest;
    if (!shared_file_flush(rules_file, &error))
        return weir_fail("%s", error.message);
    tally_unban();
    shared_bans_clear();
    return WEIR_OK;
}

weir_verdict OnShutdown(const weir_manifest *manifest)
{
    (void)manifest;
    shared_file_close(rules_file);
    rules_file = NULL;
    shared_counts_end();
    replace(NULL);
    shared_bans_end();
    tally_clear();
    return WEIR_OK;
}

weir_verdict OnStatus(weir_session *session, weir_status *status)
{
    (void)session;
    weir_status_number(status, "ip_filter_passed", atomic_load(&passed));
    weir_status_number(status, "ip_filter_refused", atomic_load(&refused));
    weir_status_number(status, "ip_filter_bans", atomic_load(&bans));
    weir_status_number(status, "ip_filter_banned", tally_banned(now_ns()));
    weir_status_number(status, "ip_filter_bans_not_stored", shared_bans_left_out());
    weir_status_number(status, "ip_filter_nodes_counted", shared_counts_nodes());
    weir_status_number(status, "ip_filter_counts_not_shared", shared_counts_left_out());
    weir_status_number(status, "ip_filter_rules_refused", shared_file_is_refused(rules_file));
    return WEIR_OK;
}
