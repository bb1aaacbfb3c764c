/* SPDX-License-Identifier: Apache-2.0
 *
 * What a reload makes of an upstream. One whose address, TLS, account or questions differ is another one, which takes over
 * what is known of the server; numbers and roles are changed in place. One that is none of the configuration's any
 * more lives until its last session has gone. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "gateway/upstream/account_check.h"
#include "gateway/upstream/upstream_state.h"

static bool is_same(const char *text, const char *other)
{
    return strcmp(text ? text : "", other ? other : "") == 0;
}

static bool is_same_tls(const struct upstream_tls_options *tls,
                        const struct upstream_tls_options *other)
{
    return is_same(tls->mode, other->mode) && is_same(tls->ca, other->ca) &&
           is_same(tls->certificate, other->certificate) && is_same(tls->key, other->key) &&
           is_same(tls->version, other->version) && is_same(tls->cipher, other->cipher) &&
           is_same(tls->name, other->name);
}

static bool are_same_questions(const struct upstream_checks *checks,
                               const struct upstream_checks *other)
{
    return is_same(checks->user, other->user) && is_same(checks->password, other->password) &&
           is_same(checks->query, other->query) && is_same(checks->expected, other->expected) &&
           checks->galera == other->galera;
}

static bool finds_role(const struct upstream_options *options)
{
    return is_same(options->role, ROLE_AUTOMATIC);
}

bool upstream_can_be(const struct upstream *upstream, const struct upstream_options *options)
{
    const struct upstream_options *own = &upstream->options;
    return is_same(own->name, options->name) && is_same(own->address, options->address) &&
           own->sends_proxy_header == options->sends_proxy_header &&
           own->status_port == options->status_port && finds_role(own) == finds_role(options) &&
           is_same_tls(&own->tls, &options->tls) &&
           are_same_questions(&own->checks, &options->checks);
}

void upstream_change(struct upstream *upstream, const struct upstream_options *options)
{
    atomic_store(&upstream->weight, options->weight);
    atomic_store(&upstream->interval_ms, options->checks.interval_ms);
    atomic_store(&upstream->connect_timeout_s, options->connect_timeout_s);
    atomic_store(&upstream->lost_s, options->checks.lost_s);
    pthread_mutex_lock(&upstream->lock);
    upstream->health_options = upstream_health_options(&options->checks);
    if (!finds_role(options))
        snprintf(upstream->role, sizeof upstream->role, "%s", options->role ? options->role : "");
    pthread_mutex_unlock(&upstream->lock);
}

/* Both are of the main thread here: the fresh one is nobody else's yet. */
void upstream_inherit(struct upstream *upstream, struct upstream *before)
{
    const bool is_same_server = is_same(upstream->name.text, before->name.text);
    pthread_mutex_lock(&before->lock);
    upstream->mode = before->mode;
    upstream->mode_since_s = before->mode_since_s;
    if (is_same_server) {
        upstream->address = before->address;
        upstream->addresses = before->addresses;
        upstream->turn = before->turn;
        upstream->health = before->health;
        upstream->health_since_s = before->health_since_s;
        upstream->answered_ns = before->answered_ns;
        upstream->checks = before->checks;
        upstream->checks_failed = before->checks_failed;
        upstream->profile = before->profile;
        upstream->has_profile = before->has_profile;
        if (finds_role(&upstream->options) && finds_role(&before->options))
            memcpy(upstream->role, before->role, sizeof upstream->role);
    }
    pthread_mutex_unlock(&before->lock);
}

void upstream_retire(struct upstream *upstream)
{
    pthread_mutex_lock(&upstream->lock);
    atomic_store(&upstream->is_retired, true);
    pthread_mutex_unlock(&upstream->lock);
}

/* A session counts before it pins and as long as it may: so sessions are looked at first. */
bool upstream_is_left(struct upstream *upstream)
{
    return atomic_load(&upstream->sessions) == 0 && atomic_load(&upstream->pins) == 0 &&
           upstream_watch_is_over(upstream->watch);
}

void upstream_pin(struct upstream *upstream)
{
    atomic_fetch_add(&upstream->pins, 1);
}

void upstream_unpin(struct upstream *upstream)
{
    const long before = atomic_fetch_sub(&upstream->pins, 1);
    assert(before > 0);
}

const void *upstream_tag(const struct upstream *upstream)
{
    return upstream->tag;
}
