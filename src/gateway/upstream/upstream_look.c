/* SPDX-License-Identifier: Apache-2.0
 *
 * One look at a server: its name is looked up, and it is probed where there is reason to. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "gateway/upstream/account_check.h"
#include "gateway/upstream/probe.h"
#include "gateway/upstream/status_check.h"
#include "gateway/upstream/upstream_state.h"
#include "wire/wire.h"

#define NS_PER_MS UINT64_C(1000000)

static void take_into_use(struct upstream *upstream, const struct address *address,
                          const struct address_list *found, const struct upstream_profile *profile,
                          const struct probe_findings *findings)
{
    char text[ADDRESS_TEXT_BYTES];
    pthread_mutex_lock(&upstream->lock);
    bool has_moved = upstream->has_profile && !address_is_same(&upstream->address, address);
    upstream->turn += has_moved;
    upstream->address = *address;
    upstream->addresses = *found;
    upstream->profile = *profile;
    upstream->has_profile = true;
    memcpy(upstream->fingerprint, findings->fingerprint, sizeof upstream->fingerprint);
    upstream->tls_agreed = findings->tls_failed.message[0] ? "fails" : findings->tls_version;
    upstream->confirmed_ns = clock_monotonic_ns();
    pthread_mutex_unlock(&upstream->lock);
    if (has_moved)
        log_info("backend", "%s is now at %s", upstream->label, address_describe(address, text));
}

/* Moves the address in use to the front, so that a name with several does not make the gateway change
 * servers. Returns false if it is not among those found. */
static bool prefer(struct address_list *found, const struct address *current)
{
    for (size_t i = 0; i < found->count; i++) {
        if (address_is_same(&found->list[i], current)) {
            struct address first = found->list[0];
            found->list[0] = found->list[i];
            found->list[i] = first;
            return true;
        }
    }
    return false;
}

/* A name server that is out of order is no reason to leave an address that is known. */
static int find_addresses(struct upstream *upstream, const struct address *current,
                          struct address_list *found, struct error *error)
{
    bool failed = upstream->look_up(&upstream->name, found, error) != 0;
    if (failed && current->size == 0)
        return -1;
    if (failed) {
        *found = (struct address_list){.list = {*current}, .count = 1};
        if (!upstream->lookup_failed)
            log_warn("backend", "%s; its last address stays in use", error->message);
    }
    upstream->lookup_failed = failed;
    return 0;
}

/* Nobody can log in then: worth more than a warning, and saying once. */
static void say_header(struct upstream *upstream, const struct error *refused)
{
    const bool failed = refused->message[0] != 0;
    if (failed && !upstream->header_failed)
        log_error("backend",
                  "%s does not take the PROXY header, and nobody can log in: " WIRE_PROXY_REMEDY
                  " it_says=%s",
                  upstream->label, log_foreign(refused->message, strlen(refused->message)));
    else if (!failed && upstream->header_failed)
        log_info("backend", "%s takes the PROXY header now", upstream->label);
    upstream->header_failed = failed;
}

/* A server that answers, and that nobody can speak TLS with. */
static void say_tls(struct upstream *upstream, const struct error *failure)
{
    const bool failed = failure->message[0] != 0;
    if (failed && !upstream->tls_failed)
        log_error("backend", "%s: TLS fails, and nobody can log in (-backend-tls %s): %s",
                  upstream->label, upstream_tls_mode_name(upstream->tls.mode), failure->message);
    else if (!failed && upstream->tls_failed)
        log_info("backend", "%s: TLS works now", upstream->label);
    upstream->tls_failed = failed;
}

/* While sessions come, their greetings confirm the profile. One that stands alone is left in peace
 * for long; one of several is checked continuously, at each look. */
static bool is_due(const struct upstream *upstream, uint64_t confirmed_ns, bool is_up)
{
    const long interval_ms = atomic_load(&upstream->interval_ms);
    const uint64_t period_ns =
        (uint64_t)(interval_ms ? interval_ms / 2 : UPSTREAM_PROFILE_MS) * NS_PER_MS;
    return confirmed_ns == 0 ||
           (interval_ms &&
            (!is_up || upstream->options.checks.user || upstream->options.status_port)) ||
           clock_monotonic_ns() - confirmed_ns >= period_ns;
}

static bool is_one_of_several(const struct upstream *upstream)
{
    return atomic_load(&upstream->interval_ms) != 0;
}

/* One that stands alone is used whatever its checks say: there is no other. */
static int refuse(struct upstream *upstream, const struct error *error)
{
    if (is_one_of_several(upstream))
        return -1;
    log_warn("backend", "%s", error->message);
    upstream->accounts_were_told = true;
    return 0;
}

/* What a greeting does not say. */
static int ask_more(struct upstream *upstream, const struct address *address,
                    const struct probe_findings *findings, struct error *error)
{
    const struct account_target target = upstream_account(upstream, address, findings->fingerprint);
    char role[UPSTREAM_NAME_BYTES];
    const bool notices = !upstream->accounts_were_told &&
                         (!upstream->sends_proxy_header || upstream->options.accounts_question);
    if (!upstream->options.checks.user || !(notices || is_one_of_several(upstream)))
        return 0;
    if (account_check(&upstream->options, &target, notices, role, error))
        return refuse(upstream, error);
    upstream->accounts_were_told = true;
    pthread_mutex_lock(&upstream->lock);
    const bool has_changed = *role && strcmp(role, upstream->role) != 0;
    if (*role)
        memcpy(upstream->role, role, sizeof role);
    pthread_mutex_unlock(&upstream->lock);
    if (has_changed)
        log_info("backend", "%s is a %s", upstream->label, role);
    return 0;
}

/* Whether it is about to stop. One that stands alone is used all the same. */
static int ask_status(struct upstream *upstream, const struct address *address, struct error *error)
{
    const long port = upstream->options.status_port;
    if (port == 0 || !is_one_of_several(upstream))
        return 0;
    return status_check(address, port, atomic_load(&upstream->connect_timeout_s), error);
}

static void note_answer(struct upstream *upstream)
{
    pthread_mutex_lock(&upstream->lock);
    upstream->answered_ns = clock_monotonic_ns();
    pthread_mutex_unlock(&upstream->lock);
}

/* What a probe has found at an address. */
struct answer {
    const struct address *address; /* NULL: nothing yet */
    struct upstream_profile profile;
    struct probe_findings findings;
};

static bool lets_sessions_in(const struct answer *answer)
{
    return !answer->findings.tls_failed.message[0];
}

/* The address that has answered is the one in use. */
static int settle(struct upstream *upstream, const struct address_list *found,
                  const struct answer *answer, struct error *error)
{
    const struct probe_findings *findings = &answer->findings;
    say_header(upstream, &findings->header_refused);
    say_tls(upstream, &findings->tls_failed);
    take_into_use(upstream, answer->address, found, &answer->profile, findings);
    if (is_one_of_several(upstream) && !lets_sessions_in(answer))
        return error_set(error, "TLS with it fails: %s", findings->tls_failed.message);
    if (ask_status(upstream, answer->address, error))
        return -1;
    return ask_more(upstream, answer->address, findings, error);
}

/* Returns 0 once an address has answered; all are tried, and one that TLS fails with is taken only where there is no
 * better one. One of several must also let sessions in. */
static int probe_all(struct upstream *upstream, const struct address_list *found,
                     struct error *error)
{
    struct probe_target target = {.text = upstream->label,
                                  .sends_proxy_header = upstream->sends_proxy_header,
                                  .tls = &upstream->tls,
                                  .timeout_s = atomic_load(&upstream->connect_timeout_s)};
    struct answer first = {.address = NULL};
    for (size_t i = 0; i < found->count; i++) {
        struct answer answer = {.address = &found->list[i]};
        target.address = answer.address;
        const int status = probe_server(&target, &answer.profile, &answer.findings, error);
        if (answer.findings.has_answered)
            note_answer(upstream);
        if (status == 0 && lets_sessions_in(&answer))
            return settle(upstream, found, &answer, error);
        if (status == 0 && !first.address)
            first = answer;
    }
    return first.address ? settle(upstream, found, &first, error) : -1;
}

int upstream_look(struct upstream *upstream, struct error *error)
{
    struct address_list found;
    char text[ADDRESS_TEXT_BYTES];
    pthread_mutex_lock(&upstream->lock);
    struct address current = upstream->address;
    uint64_t confirmed_ns = upstream->confirmed_ns;
    bool is_up = upstream->health.state == HEALTH_UP;
    pthread_mutex_unlock(&upstream->lock);
    if (find_addresses(upstream, &current, &found, error)) {
        upstream_note(upstream, false, error->message);
        return -1;
    }
    bool has_moved = !prefer(&found, &current) && current.size;
    if (!has_moved && !is_due(upstream, confirmed_ns, is_up))
        return 0;
    int status = probe_all(upstream, &found, error);
    if (status && has_moved)
        error_prefix(error, "its name has another address than %s, which stays in use meanwhile",
                     address_describe(&current, text));
    upstream_note(upstream, status == 0, status ? error->message : NULL);
    return status;
}
