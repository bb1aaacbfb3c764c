/* SPDX-License-Identifier: Apache-2.0
 *
 * What an upstream is at the moment: the address in use, the profile and its health, which sessions copy and
 * looks replace. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/net/net.h"
#include "gateway/upstream/account_check.h"
#include "gateway/upstream/account_notice.h"
#include "gateway/upstream/account_session.h"
#include "gateway/upstream/greeting.h"
#include "gateway/upstream/policy.h"
#include "gateway/upstream/upstream_state.h"

struct health_options upstream_health_options(const struct upstream_checks *checks)
{
    return (struct health_options){.rise = checks->rise ? checks->rise : 1,
                                   .fall = checks->fall ? checks->fall : 1,
                                   .slow_start_ns =
                                       (uint64_t)checks->slow_start_s * UINT64_C(1000000000)};
}

struct upstream *upstream_new(const struct upstream_options *options, struct error *error)
{
    assert(options && options->connect_timeout_s > 0);
    struct upstream *upstream = calloc(1, sizeof *upstream);
    if (!upstream) {
        error_set(error, "out of memory");
        return NULL;
    }
    upstream->options = *options;
    atomic_init(&upstream->asked_accounts, options->asked_accounts);
    upstream->health_options = upstream_health_options(&options->checks);
    if (options->role && strcmp(options->role, ROLE_AUTOMATIC) != 0)
        snprintf(upstream->role, sizeof upstream->role, "%s", options->role);
    upstream->look_up = address_look_up;
    upstream->is_embedded = !options->address || !*options->address;
    upstream->sends_proxy_header = upstream->is_embedded || options->sends_proxy_header;
    if ((!upstream->is_embedded && address_parse(&upstream->name, options->address, error)) ||
        upstream_tls_open(&upstream->tls, &options->tls, upstream->name.host, error)) {
        free(upstream);
        return NULL;
    }
    atomic_init(&upstream->weight, options->weight);
    atomic_init(&upstream->interval_ms, options->checks.interval_ms);
    atomic_init(&upstream->connect_timeout_s, options->connect_timeout_s);
    atomic_init(&upstream->lost_s, options->checks.lost_s);
    if (options->hold_texts)
        options->hold_texts(options->texts);
    upstream_make_label(upstream);
    pthread_mutex_init(&upstream->lock, NULL);
    return upstream;
}

static bool has_name(const struct upstream *upstream)
{
    return upstream->options.name && *upstream->options.name;
}

void upstream_make_label(struct upstream *upstream)
{
    const char *address = upstream->name.text;
    if (has_name(upstream))
        snprintf(upstream->label, sizeof upstream->label, "%s (%s)", upstream->options.name,
                 address);
    else
        snprintf(upstream->label, sizeof upstream->label, "%s", address);
}

void upstream_free(struct upstream *upstream)
{
    if (!upstream)
        return;
    upstream_watch_free(upstream->watch);
    upstream_tls_close(&upstream->tls);
    pthread_mutex_destroy(&upstream->lock);
    if (upstream->options.drop_texts)
        upstream->options.drop_texts(upstream->options.texts);
    free(upstream);
}

const char *upstream_address(const struct upstream *upstream)
{
    return upstream->name.text;
}

const char *upstream_name(const struct upstream *upstream)
{
    return has_name(upstream) ? upstream->options.name : upstream->name.text;
}

const char *upstream_label(const struct upstream *upstream)
{
    return upstream->label;
}

bool upstream_is_embedded(const struct upstream *upstream)
{
    return upstream->is_embedded;
}

bool upstream_sends_proxy_header(const struct upstream *upstream)
{
    return upstream->sends_proxy_header;
}

const struct upstream_tls *upstream_tls(const struct upstream *upstream)
{
    return &upstream->tls;
}

bool upstream_is_local(const struct upstream *upstream)
{
    return !upstream->name.host[0];
}

bool upstream_profile(struct upstream *upstream, struct upstream_profile *profile)
{
    pthread_mutex_lock(&upstream->lock);
    bool known = upstream->has_profile;
    if (known)
        *profile = upstream->profile;
    pthread_mutex_unlock(&upstream->lock);
    return known;
}

/* ---- Connections ---- */

int upstream_connect(struct upstream *upstream, bool *in_progress)
{
    pthread_mutex_lock(&upstream->lock);
    struct address address = upstream->address;
    pthread_mutex_unlock(&upstream->lock);
    return address_connect(&address, in_progress);
}

uint32_t upstream_turn(struct upstream *upstream, size_t *addresses)
{
    pthread_mutex_lock(&upstream->lock);
    const uint32_t turn = upstream->turn;
    *addresses = upstream->addresses.count;
    pthread_mutex_unlock(&upstream->lock);
    return turn;
}

/* The lock is held. */
static void turn_to_next_address(struct upstream *upstream)
{
    const struct address_list *all = &upstream->addresses;
    size_t at = 0;
    while (at < all->count && !address_is_same(&all->list[at], &upstream->address))
        at++;
    upstream->address = all->list[at < all->count ? (at + 1) % all->count : 0];
    upstream->turn++;
}

bool upstream_connection_failed(struct upstream *upstream, uint32_t turn, const char *why)
{
    pthread_mutex_lock(&upstream->lock);
    const bool has_others = upstream->addresses.count > 1;
    upstream->confirmed_ns = 0;
    if (has_others && upstream->turn == turn)
        turn_to_next_address(upstream);
    if (upstream->watch && !atomic_load(&upstream->is_retired))
        upstream_watch_wake(upstream->watch);
    pthread_mutex_unlock(&upstream->lock);
    upstream_note(upstream, false, why);
    return has_others;
}

static bool tls_is_due(const struct upstream *upstream, const struct upstream_profile *profile)
{
    return upstream->tls.mode >= UPSTREAM_TLS_REQUIRED ||
           (upstream->tls.mode == UPSTREAM_TLS_PREFERRED &&
            profile->capabilities & WIRE_CAP(CLIENT_SSL));
}

/* A greeting does not say enough of a server that sessions need more of. One
 * that connected just before the address changed may bring the old server's greeting; the
 * next session's corrects it. */
void upstream_learn(struct upstream *upstream, const struct wire_greeting *greeting)
{
    struct upstream_profile profile = greeting_profile(greeting);
    pthread_mutex_lock(&upstream->lock);
    assert(upstream->has_profile); /* nobody connects before a probe has */
    upstream->profile = profile;
    upstream->confirmed_ns = upstream->answered_ns = clock_monotonic_ns();
    pthread_mutex_unlock(&upstream->lock);
    const bool asks_more = upstream->options.checks.user || upstream->options.status_port;
    if (!asks_more && !tls_is_due(upstream, &profile))
        upstream_note(upstream, true, NULL);
}

struct account_target upstream_account(const struct upstream *upstream,
                                       const struct address *address, const char *fingerprint)
{
    const struct upstream_options *options = &upstream->options;
    return (struct account_target){.address = address,
                                   .label = upstream->label,
                                   .user = options->checks.user,
                                   .password = options->checks.password,
                                   .sends_proxy_header = upstream->sends_proxy_header,
                                   .tls = &upstream->tls,
                                   .fingerprint = fingerprint,
                                   .timeout_s = atomic_load(&upstream->connect_timeout_s)};
}

/* A session of the account of its checks. Returns owned; NULL: *error says why not. */
static struct account_session *open_account(struct upstream *upstream, struct error *error)
{
    char fingerprint[UPSTREAM_FINGERPRINT_BYTES];
    pthread_mutex_lock(&upstream->lock);
    const struct address address = upstream->address;
    memcpy(fingerprint, upstream->fingerprint, sizeof fingerprint);
    pthread_mutex_unlock(&upstream->lock);
    const struct account_target target = upstream_account(upstream, &address, fingerprint);
    return account_session_open(&target, error);
}

int upstream_kill(struct upstream *upstream, const char *statement, struct error *error)
{
    char nothing[8];
    if (!upstream->options.checks.user)
        return error_set(error,
                         "the gateway has no account at the backend %s that could do this: give "
                         "-backend-check-user, with the privilege CONNECTION ADMIN there",
                         upstream->label);
    struct account_session *session = open_account(upstream, error);
    int status =
        session ? account_session_ask(session, statement, nothing, sizeof nothing, error) : -1;
    account_session_close(session);
    return status;
}

size_t upstream_asked_accounts(const struct upstream *upstream)
{
    return atomic_load(&upstream->asked_accounts);
}

void upstream_notice_missing(struct upstream *upstream, const char *rows_question,
                             size_t asked_accounts)
{
    struct error error = {""};
    const bool asks = upstream->options.checks.user && rows_question;
    struct account_session *session = asks ? open_account(upstream, &error) : NULL;
    if (session)
        account_notice_missing(session, rows_question, upstream->label);
    if (session || !asks)
        atomic_store(&upstream->asked_accounts, asked_accounts);
    else
        log_warn("backend", "%s cannot be asked for the accounts that plugins name: %s",
                 upstream->label, error.message);
    account_session_close(session);
}

/* ---- Its state ---- */

#define NS_PER_S UINT64_C(1000000000)

static int64_t wall_s(void)
{
    return (int64_t)(clock_wall_ns() / NS_PER_S);
}

/* A server that stands alone says so in the words of its looks (probing.c). */
static void log_health(const struct upstream *upstream, bool is_up, bool was_known, const char *why)
{
    if (!atomic_load(&upstream->interval_ms))
        return;
    if (is_up)
        log_info("backend", "%s is %s", upstream->label, was_known ? "up again" : "up");
    else
        log_warn("backend", "%s is down: %s; others are chosen until it answers", upstream->label,
                 log_foreign(why, strlen(why)));
}

void upstream_note(struct upstream *upstream, bool success, const char *why)
{
    assert(success || why);
    pthread_mutex_lock(&upstream->lock);
    const bool was_known = upstream->health.state != HEALTH_UNKNOWN;
    const bool has_changed =
        health_note(&upstream->health, &upstream->health_options, success, clock_monotonic_ns());
    if (has_changed)
        upstream->health_since_s = wall_s();
    upstream->checks++;
    upstream->checks_failed += !success;
    if (!success)
        snprintf(upstream->last_error, sizeof upstream->last_error, "%s", why);
    pthread_mutex_unlock(&upstream->lock);
    if (has_changed)
        log_health(upstream, success, was_known, why);
}

/* A check that fails may have been answered: by "Too many connections", or by a node that is not synced.
 * Such a server has its sessions' connections. */
bool upstream_is_lost(struct upstream *upstream, uint64_t heard_ns)
{
    const uint64_t lost_ns = (uint64_t)atomic_load(&upstream->lost_s) * NS_PER_S;
    pthread_mutex_lock(&upstream->lock);
    const uint64_t last_ns = heard_ns > upstream->answered_ns ? heard_ns : upstream->answered_ns;
    const bool is_lost = lost_ns && upstream->health.state == HEALTH_DOWN && last_ns &&
                         clock_monotonic_ns() - last_ns >= lost_ns;
    pthread_mutex_unlock(&upstream->lock);
    return is_lost;
}

void upstream_set_mode(struct upstream *upstream, enum upstream_mode mode)
{
    pthread_mutex_lock(&upstream->lock);
    const bool has_changed = upstream->mode != mode;
    upstream->mode = mode;
    if (has_changed)
        upstream->mode_since_s = wall_s();
    if (has_changed && mode == UPSTREAM_ENABLED)
        health_return(&upstream->health, clock_monotonic_ns());
    pthread_mutex_unlock(&upstream->lock);
}

enum upstream_mode upstream_mode(struct upstream *upstream)
{
    pthread_mutex_lock(&upstream->lock);
    const enum upstream_mode mode = upstream->mode;
    pthread_mutex_unlock(&upstream->lock);
    return mode;
}

void upstream_refuse(struct upstream *upstream, const char *why)
{
    pthread_mutex_lock(&upstream->lock);
    const bool was_refused = upstream->refused[0] != 0;
    const bool has_changed = strcmp(upstream->refused, why) != 0;
    snprintf(upstream->refused, sizeof upstream->refused, "%s", why);
    if (*why)
        snprintf(upstream->last_error, sizeof upstream->last_error, "%s", why);
    pthread_mutex_unlock(&upstream->lock);
    if (has_changed && *why)
        log_error("backend", "%s is not used: %s", upstream->label, log_foreign(why, strlen(why)));
    else if (was_refused && !*why)
        log_info("backend", "%s may be used now", upstream->label);
}

/* The lock is held. */
static const char *state_of(const struct upstream *upstream, int64_t *since_s)
{
    static const char *const states[] = {
        [HEALTH_UNKNOWN] = "unknown", [HEALTH_UP] = "up", [HEALTH_DOWN] = "down"};
    const bool is_empty = atomic_load(&upstream->sessions) == 0;
    *since_s = upstream->mode_since_s;
    if (atomic_load(&upstream->is_retired))
        return upstream->mode == UPSTREAM_DRAINING ? "draining" : "removed";
    if (upstream->mode == UPSTREAM_DISABLED)
        return "disabled";
    if (upstream->mode == UPSTREAM_DRAINING)
        return is_empty ? "drained" : "draining";
    *since_s = upstream->health_since_s;
    return upstream->refused[0] ? "refused" : states[upstream->health.state];
}

void upstream_status(struct upstream *upstream, struct upstream_status *status)
{
    *status = (struct upstream_status){.sessions = atomic_load(&upstream->sessions),
                                       .connects = atomic_load(&upstream->connects),
                                       .connect_ns = atomic_load(&upstream->connect_ns)};
    pthread_mutex_lock(&upstream->lock);
    status->state = state_of(upstream, &status->since_s);
    status->tls = upstream->tls_agreed;
    status->checks = upstream->checks;
    status->checks_failed = upstream->checks_failed;
    memcpy(status->last_error, upstream->last_error, sizeof status->last_error);
    memcpy(status->version, upstream->profile.version, sizeof status->version);
    memcpy(status->role, upstream->role, sizeof status->role);
    pthread_mutex_unlock(&upstream->lock);
}

void upstream_candidate(struct upstream *upstream, const char *wanted,
                        struct policy_candidate *candidate)
{
    const unsigned weight = atomic_load(&upstream->weight);
    *candidate = (struct policy_candidate){.weight = weight ? weight : 1,
                                           .sessions = atomic_load(&upstream->sessions)};
    pthread_mutex_lock(&upstream->lock);
    candidate->share =
        health_share(&upstream->health, &upstream->health_options, clock_monotonic_ns());
    candidate->is_standby = !wanted && strcmp(upstream->role, "standby") == 0;
    candidate->is_eligible = upstream->has_profile && upstream->mode == UPSTREAM_ENABLED &&
                             !upstream->refused[0] &&
                             (!wanted || (*wanted && strcmp(upstream->role, wanted) == 0) ||
                              strcmp(upstream_name(upstream), wanted) == 0);
    pthread_mutex_unlock(&upstream->lock);
}

void upstream_count_connect(struct upstream *upstream, uint64_t took_ns)
{
    atomic_fetch_add_explicit(&upstream->connects, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&upstream->connect_ns, took_ns, memory_order_relaxed);
}

void upstream_count_session(struct upstream *upstream, long more)
{
    const long before = atomic_fetch_add(&upstream->sessions, more);
    assert(before + more >= 0);
}
