/* SPDX-License-Identifier: Apache-2.0
 *
 * The servers are an array that never changes; what changes is theirs, under the lock of each. */
#include "gateway/upstream/upstream_set.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/upstream/upstream_state.h"
#include "wire/wire.h"

struct upstream_set {
    struct upstream *list[UPSTREAM_MOST];
    size_t count;
    enum upstream_policy policy;
    upstream_on_looked *on_looked;
    void *user;
    struct upstream *model;     /* the first that was reached: the family of the set; main thread */
    atomic_uint_fast64_t draws; /* of random numbers */
    pthread_mutex_t modes;      /* held while one is changed: the last enabled one stays */
};

/* ---- Its life ---- */

static int check_names(const struct upstream_set *set, struct error *error)
{
    for (size_t i = 0; i < set->count; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(upstream_name(set->list[i]), upstream_name(set->list[j])) == 0)
                return error_set(error, "two backends are named %s; give each a name of its own",
                                 upstream_name(set->list[i]));
    return 0;
}

struct upstream_set *upstream_set_new(const struct upstream_set_options *options,
                                      struct error *error)
{
    assert(options->count > 0 && options->count <= UPSTREAM_MOST);
    struct upstream_set *set = calloc(1, sizeof *set);
    if (!set) {
        error_set(error, "out of memory");
        return NULL;
    }
    pthread_mutex_init(&set->modes, NULL);
    set->policy = options->policy;
    atomic_init(&set->draws, clock_wall_ns());
    bool is_whole = true;
    for (size_t i = 0; is_whole && i < options->count; i++) {
        set->list[i] = upstream_new(&options->upstreams[i], error);
        is_whole = set->list[i] != NULL;
        set->count += is_whole;
    }
    if (is_whole && check_names(set, error) == 0)
        return set;
    upstream_set_free(set);
    return NULL;
}

void upstream_set_free(struct upstream_set *set)
{
    if (!set)
        return;
    for (size_t i = 0; i < set->count; i++)
        upstream_free(set->list[i]);
    pthread_mutex_destroy(&set->modes);
    free(set);
}

/* ---- Who may be one of them ---- */

/* As sql_mode_set_server() tells them apart. */
static bool is_mariadb(const struct upstream_profile *profile)
{
    return strstr(profile->version, "MariaDB") || strstr(profile->version, "mariadb");
}

static void vet(const struct upstream_set *set, struct upstream *upstream)
{
    static const uint64_t needed = WIRE_CAP(CLIENT_PROTOCOL_41) |
                                   WIRE_CAP(CLIENT_SECURE_CONNECTION) |
                                   WIRE_CAP(CLIENT_PLUGIN_AUTH);
    struct upstream_profile own, model;
    char why[UPSTREAM_ERROR_BYTES] = "";
    if (!upstream_profile(upstream, &own) || !upstream_profile(set->model, &model))
        return;
    if (is_mariadb(&own) != is_mariadb(&model))
        snprintf(why, sizeof why,
                 "it is %.30s and %.40s is %.30s: clients choose their dialect by the version that "
                 "they are greeted with; put servers of one family "
                 "behind one gateway",
                 own.version, upstream_name(set->model), model.version);
    else if ((own.capabilities & needed) != needed)
        snprintf(
            why, sizeof why,
            "it lacks CLIENT_PROTOCOL_41, CLIENT_SECURE_CONNECTION or CLIENT_PLUGIN_AUTH, without "
            "which the clients of this gateway cannot log in");
    upstream_refuse(upstream, why);
}

/* A server that stands alone is what it is. */
static void vet_all(struct upstream_set *set)
{
    struct upstream_profile profile;
    for (size_t i = 0; !set->model && i < set->count; i++)
        if (upstream_profile(set->list[i], &profile))
            set->model = set->list[i];
    for (size_t i = 0; set->model && set->count > 1 && i < set->count; i++)
        vet(set, set->list[i]);
}

static void on_one_looked(void *user, bool answers)
{
    struct upstream_set *set = user;
    struct upstream_profile profile;
    bool were_all = true;
    vet_all(set);
    for (size_t i = 0; i < set->count; i++)
        were_all = were_all && atomic_load(&set->list[i]->was_looked_at);
    if (were_all)
        set->on_looked(set->user, set->count > 1 ? upstream_set_profile(set, &profile) : answers);
}

int upstream_set_start(struct upstream_set *set, struct uv_loop_s *loop,
                       upstream_on_looked *on_looked, void *user, struct error *error)
{
    set->on_looked = on_looked;
    set->user = user;
    int status = 0;
    for (size_t i = 0; status == 0 && i < set->count; i++)
        status = upstream_start(set->list[i], loop, on_one_looked, set, error);
    return status;
}

void upstream_set_stop(struct upstream_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        upstream_stop(set->list[i]);
}

/* ---- What is in it ---- */

size_t upstream_set_count(const struct upstream_set *set)
{
    return set->count;
}

struct upstream *upstream_set_at(const struct upstream_set *set, size_t number)
{
    assert(number < set->count);
    return set->list[number];
}

/* What a client is greeted with counts until it has logged in, so those that are disabled or down are
 * asked too. */
bool upstream_set_profile(struct upstream_set *set, struct upstream_profile *profile)
{
    bool is_known = false, is_up = false;
    uint64_t common = UINT64_MAX;
    for (size_t i = 0; i < set->count; i++) {
        struct upstream_profile own;
        struct policy_candidate candidate;
        bool is_refused = false;
        pthread_mutex_lock(&set->list[i]->lock);
        is_refused = set->list[i]->refused[0] != 0;
        pthread_mutex_unlock(&set->list[i]->lock);
        if (is_refused || !upstream_profile(set->list[i], &own))
            continue;
        upstream_candidate(set->list[i], NULL, &candidate);
        common &= own.capabilities;
        if (!is_known || (!is_up && candidate.is_eligible && candidate.share))
            *profile = own;
        is_up = is_up || (candidate.is_eligible && candidate.share);
        is_known = true;
    }
    if (is_known)
        profile->capabilities = common;
    return is_known;
}

/* splitmix64 of a counter that all threads share. */
static uint64_t draw(struct upstream_set *set)
{
    uint64_t at = atomic_fetch_add(&set->draws, UINT64_C(0x9e3779b97f4a7c15));
    at = (at ^ at >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    at = (at ^ at >> 27) * UINT64_C(0x94d049bb133111eb);
    return at ^ at >> 31;
}

static int say_none(const struct upstream_set *set, const char *wanted, struct error *error)
{
    struct strbuf list = STRBUF_INIT;
    for (size_t i = 0; i < set->count; i++) {
        struct upstream_status status;
        upstream_status(set->list[i], &status);
        strbuf_printf(&list, "%s%s is %s", i ? ", " : "", upstream_name(set->list[i]),
                      status.state);
    }
    if (wanted)
        error_set(error, "there is no backend with the name or role %s that takes sessions: %s",
                  wanted, list.failed ? "" : list.data);
    else
        error_set(error, "there is no backend that takes sessions: %s",
                  list.failed ? "" : list.data);
    strbuf_release(&list);
    return -1;
}

size_t upstream_set_choose(struct upstream_set *set, const char *wanted, uint32_t tried,
                           size_t *others, struct error *error)
{
    struct policy_candidate candidates[UPSTREAM_MOST];
    size_t eligible = 0;
    for (size_t i = 0; i < set->count; i++) {
        upstream_candidate(set->list[i], wanted, &candidates[i]);
        if (tried & UINT32_C(1) << i)
            candidates[i].is_eligible = false;
        eligible += candidates[i].is_eligible;
    }
    const size_t number = policy_pick(set->policy, candidates, set->count, draw(set));
    *others = eligible ? eligible - 1 : 0;
    if (number == POLICY_NONE) {
        say_none(set, wanted, error);
        return POLICY_NONE;
    }
    upstream_count_session(set->list[number], 1);
    return number;
}

int upstream_set_change(struct upstream_set *set, const char *name, enum upstream_mode mode,
                        struct error *error)
{
    struct upstream *found = NULL;
    size_t others = 0;
    pthread_mutex_lock(&set->modes);
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(upstream_name(set->list[i]), name) == 0)
            found = set->list[i];
        else
            others += upstream_mode(set->list[i]) == UPSTREAM_ENABLED;
    int status = 0;
    if (!found)
        status = error_set(error, "there is no backend %s; ADMIN SHOW BACKENDS lists them", name);
    else if (mode != UPSTREAM_ENABLED && others == 0)
        status = error_set(error,
                           "%s is the last backend that is enabled: nobody could log in to enable "
                           "one again",
                           name);
    else
        upstream_set_mode(found, mode);
    pthread_mutex_unlock(&set->modes);
    return status;
}
