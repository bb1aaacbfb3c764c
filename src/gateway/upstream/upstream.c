/* SPDX-License-Identifier: Apache-2.0
 *
 * What an upstream is at the moment: the address in use and the profile, which sessions copy and
 * looks replace. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/net/net.h"
#include "gateway/upstream/greeting.h"
#include "gateway/upstream/probe.h"
#include "gateway/upstream/upstream_state.h"

struct upstream *upstream_new(const struct upstream_options *options, struct error *error)
{
    assert(options && options->connect_timeout_s > 0);
    struct upstream *upstream = calloc(1, sizeof *upstream);
    if (!upstream) {
        error_set(error, "out of memory");
        return NULL;
    }
    upstream->options = *options;
    upstream->look_up = address_look_up;
    upstream->is_embedded = !options->address || !*options->address;
    upstream->sends_proxy_header = upstream->is_embedded || options->sends_proxy_header;
    if ((!upstream->is_embedded && address_parse(&upstream->name, options->address, error)) ||
        upstream_tls_open(&upstream->tls, &options->tls, upstream->name.host, error)) {
        free(upstream);
        return NULL;
    }
    pthread_mutex_init(&upstream->lock, NULL);
    return upstream;
}

void upstream_free(struct upstream *upstream)
{
    if (!upstream)
        return;
    upstream_watch_free(upstream->watch);
    upstream_tls_close(&upstream->tls);
    pthread_mutex_destroy(&upstream->lock);
    free(upstream);
}

const char *upstream_address(const struct upstream *upstream)
{
    return upstream->name.text;
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

int upstream_reload_tls(struct upstream *upstream, struct error *error)
{
    return upstream->tls.context ? tls_context_reload(upstream->tls.context, error) : 0;
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

void upstream_connection_failed(struct upstream *upstream)
{
    pthread_mutex_lock(&upstream->lock);
    upstream->confirmed_ns = 0;
    pthread_mutex_unlock(&upstream->lock);
}

/* A session that connected just before the address changed may bring the old server's greeting; the
 * next session's corrects it. */
void upstream_learn(struct upstream *upstream, const struct wire_greeting *greeting)
{
    struct upstream_profile profile = greeting_profile(greeting);
    pthread_mutex_lock(&upstream->lock);
    assert(upstream->has_profile); /* nobody connects before a probe has */
    upstream->profile = profile;
    upstream->confirmed_ns = clock_monotonic_ns();
    pthread_mutex_unlock(&upstream->lock);
}

/* ---- Looking ---- */

static void take_into_use(struct upstream *upstream, const struct address *address,
                          const struct upstream_profile *profile)
{
    char text[ADDRESS_TEXT_BYTES];
    pthread_mutex_lock(&upstream->lock);
    bool has_moved = upstream->has_profile && !address_is_same(&upstream->address, address);
    upstream->address = *address;
    upstream->profile = *profile;
    upstream->has_profile = true;
    upstream->confirmed_ns = clock_monotonic_ns();
    pthread_mutex_unlock(&upstream->lock);
    if (has_moved)
        log_info("backend", "%s is now at %s", upstream->name.text,
                 address_describe(address, text));
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
                  upstream->name.text, log_foreign(refused->message, strlen(refused->message)));
    else if (!failed && upstream->header_failed)
        log_info("backend", "%s takes the PROXY header now", upstream->name.text);
    upstream->header_failed = failed;
}

/* A server that answers, and that nobody can speak TLS with. */
static void say_tls(struct upstream *upstream, const struct error *failure)
{
    const bool failed = failure->message[0] != 0;
    if (failed && !upstream->tls_failed)
        log_error("backend", "%s: TLS fails, and nobody can log in (-backend-tls %s): %s",
                  upstream->name.text, upstream_tls_mode_name(upstream->tls.mode),
                  failure->message);
    else if (!failed && upstream->tls_failed)
        log_info("backend", "%s: TLS works now", upstream->name.text);
    upstream->tls_failed = failed;
}

int upstream_look(struct upstream *upstream, struct error *error)
{
    struct address_list found;
    pthread_mutex_lock(&upstream->lock);
    struct address current = upstream->address;
    uint64_t confirmed_ns = upstream->confirmed_ns;
    pthread_mutex_unlock(&upstream->lock);
    if (find_addresses(upstream, &current, &found, error))
        return -1;
    bool is_old = confirmed_ns == 0 ||
                  clock_monotonic_ns() - confirmed_ns >= (uint64_t)UPSTREAM_PROFILE_MS * 1000000;
    bool has_moved = !prefer(&found, &current) && current.size;
    if (!has_moved && !is_old)
        return 0;
    struct probe_target target = {.text = upstream->name.text,
                                  .sends_proxy_header = upstream->sends_proxy_header,
                                  .tls = &upstream->tls,
                                  .timeout_s = upstream->options.connect_timeout_s};
    for (size_t i = 0; i < found.count; i++) {
        struct upstream_profile profile;
        struct probe_findings findings;
        target.address = &found.list[i];
        if (probe_server(&target, &profile, &findings, error) == 0) {
            say_header(upstream, &findings.header_refused);
            say_tls(upstream, &findings.tls_failed);
            take_into_use(upstream, target.address, &profile);
            return 0;
        }
    }
    char text[ADDRESS_TEXT_BYTES];
    if (has_moved)
        error_prefix(error, "its name has another address than %s, which stays in use meanwhile",
                     address_describe(&current, text));
    return -1;
}
