/* SPDX-License-Identifier: Apache-2.0
 *
 * Each server has a slot, whose number is its own for as long as it lives; those of the configuration also have a place in
 * the order. Both are written by the main thread, under the lock; others read them under it, or have a session or a
 * pin that keeps a server alive. Upstreams that a reload has removed are freed by the main thread once they are left. */
#include "gateway/upstream/upstream_set.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/net/net.h"
#include "gateway/upstream/upstream_state.h"
#include "wire/wire.h"

/* A change that is being prepared. */
struct upstream_plan {
    bool is_open;
    struct upstream *list[UPSTREAM_MOST];
    struct upstream_options options[UPSTREAM_MOST];
    struct tls_context *tls[UPSTREAM_MOST]; /* of those that stay, loaded again; NULL: none */
    size_t count;
    enum upstream_policy policy;
    void (*on_ready)(void *user);
    void *user;
};

struct upstream_set {
    pthread_mutex_t lock; /* of slots, order, count and policy */
    struct upstream *slots[UPSTREAM_MOST];
    struct upstream *order[UPSTREAM_MOST];
    size_t count; /* in order */
    enum upstream_policy policy;
    const void *(*tag)(void *user, const struct upstream *upstream, unsigned number);
    void *tag_user;
    struct uv_loop_s *loop;
    struct upstream_plan plan; /* main thread */
    upstream_on_looked *on_looked;
    void *user;
    struct upstream
        *model; /* the first in order that had been reached when all had been looked at: the
                               family of the set; main thread */
    atomic_uint_fast64_t draws; /* of random numbers */
    pthread_mutex_t modes;      /* held while one is changed: the last enabled one stays */
};

/* ---- Its life ---- */

static int check_names(struct upstream *const *list, size_t count, struct error *error)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(upstream_name(list[i]), upstream_name(list[j])) == 0)
                return error_set(error, "two backends are named %s; give each a name of its own",
                                 upstream_name(list[i]));
    return 0;
}

/* Makes one that has a slot. */
static struct upstream *add(struct upstream_set *set, const struct upstream_options *options,
                            struct error *error)
{
    unsigned number = 0;
    while (number < UPSTREAM_MOST && set->slots[number])
        number++;
    if (number == UPSTREAM_MOST) {
        error_set(error,
                  "there are more than %d backends, with those that were removed and still have "
                  "sessions; ADMIN BACKENDS DRAIN ends those",
                  UPSTREAM_MOST);
        return NULL;
    }
    struct upstream *upstream = upstream_new(options, error);
    if (!upstream)
        return NULL;
    upstream->number = number;
    pthread_mutex_lock(&set->lock);
    set->slots[number] = upstream;
    pthread_mutex_unlock(&set->lock);
    return upstream;
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
    pthread_mutex_init(&set->lock, NULL);
    pthread_mutex_init(&set->modes, NULL);
    set->policy = options->policy;
    set->tag = options->tag;
    set->tag_user = options->tag_user;
    atomic_init(&set->draws, clock_wall_ns());
    bool is_whole = true;
    for (size_t i = 0; is_whole && i < options->count; i++) {
        set->order[i] = add(set, &options->upstreams[i], error);
        is_whole = set->order[i] != NULL;
        set->count += is_whole;
    }
    if (is_whole && check_names(set->order, set->count, error) == 0)
        return set;
    upstream_set_free(set);
    return NULL;
}

void upstream_set_free(struct upstream_set *set)
{
    if (!set)
        return;
    if (set->plan.is_open)
        upstream_set_abandon(set);
    for (size_t i = 0; i < UPSTREAM_MOST; i++)
        upstream_free(set->slots[i]);
    pthread_mutex_destroy(&set->modes);
    pthread_mutex_destroy(&set->lock);
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

/* A server that stands alone is what it is. The model is one of them. */
static void vet_all(struct upstream_set *set, struct upstream *const *list, size_t count)
{
    struct upstream_profile profile;
    bool has_model = false;
    for (size_t i = 0; i < count; i++)
        has_model = has_model || set->model == list[i];
    if (!has_model)
        set->model = NULL;
    for (size_t i = 0; !set->model && i < count; i++)
        if (upstream_profile(list[i], &profile))
            set->model = list[i];
    for (size_t i = 0; set->model && count > 1 && i < count; i++)
        vet(set, list[i]);
}

static bool were_looked_at(struct upstream *const *list, size_t count)
{
    bool were_all = true;
    for (size_t i = 0; i < count; i++)
        were_all = were_all && atomic_load(&list[i]->was_looked_at);
    return were_all;
}

/* Those that were removed: one without sessions is looked at no longer, and one that nobody has is freed. */
static void sweep(struct upstream_set *set)
{
    for (size_t i = 0; i < UPSTREAM_MOST; i++) {
        struct upstream *upstream = set->slots[i];
        if (!upstream || !atomic_load(&upstream->is_retired))
            continue;
        if (atomic_load(&upstream->sessions) == 0)
            upstream_stop(upstream);
        pthread_mutex_lock(&set->lock);
        const bool is_left = upstream_is_left(upstream);
        if (is_left)
            set->slots[i] = NULL;
        pthread_mutex_unlock(&set->lock);
        if (is_left)
            upstream_free(upstream);
    }
}

static void on_one_looked(void *user, bool answers)
{
    struct upstream_set *set = user;
    struct upstream_profile profile;
    sweep(set);
    if (set->plan.is_open && upstream_set_is_prepared(set) && set->plan.on_ready)
        set->plan.on_ready(set->plan.user);
    if (!were_looked_at(set->order, set->count))
        return;
    vet_all(set, set->order, set->count);
    set->on_looked(set->user, set->count > 1 ? upstream_set_profile(set, &profile) : answers);
}

static int start(struct upstream_set *set, struct upstream *upstream, struct error *error)
{
    const int status = upstream_start(upstream, set->loop, on_one_looked, set, error);
    if (status || !set->tag)
        return status;
    const void *tag = set->tag(set->tag_user, upstream, upstream->number);
    pthread_mutex_lock(&set->lock);
    upstream->tag = tag;
    pthread_mutex_unlock(&set->lock);
    return tag ? 0 : error_set(error, "out of memory");
}

int upstream_set_start(struct upstream_set *set, struct uv_loop_s *loop,
                       upstream_on_looked *on_looked, void *user, struct error *error)
{
    set->on_looked = on_looked;
    set->user = user;
    set->loop = loop;
    int status = 0;
    for (size_t i = 0; status == 0 && i < set->count; i++)
        status = start(set, set->order[i], error);
    return status;
}

void upstream_set_stop(struct upstream_set *set)
{
    if (set->plan.is_open)
        upstream_set_abandon(set);
    for (size_t i = 0; i < UPSTREAM_MOST; i++)
        if (set->slots[i])
            upstream_stop(set->slots[i]);
}

/* ---- Another set in place of it ---- */

static bool is_in_order(const struct upstream_set *set, const struct upstream *upstream)
{
    bool is_there = false;
    for (size_t i = 0; i < set->count; i++)
        is_there = is_there || set->order[i] == upstream;
    return is_there;
}

/* The one of that name; NULL: there is none. */
static struct upstream *find(const struct upstream_set *set, const struct upstream_options *options)
{
    const char *name = options->name && *options->name ? options->name : options->address;
    struct upstream *found = NULL;
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(upstream_name(set->order[i]), name) == 0)
            found = set->order[i];
    return found;
}

/* Fills a place of the plan: the one that there is, with its files loaded again, or another one. */
static int plan_one(struct upstream_set *set, const struct upstream_options *options,
                    struct error *error)
{
    struct upstream_plan *plan = &set->plan;
    struct upstream *before = find(set, options);
    const size_t place = plan->count;
    plan->options[place] = *options;
    if (before && upstream_can_be(before, options)) {
        plan->list[plan->count++] = before;
        return before->tls.context
                   ? tls_context_open(&plan->tls[place], tls_context_options(before->tls.context),
                                      error)
                   : 0;
    }
    struct upstream *fresh = add(set, options, error);
    if (!fresh)
        return -1;
    plan->list[plan->count++] = fresh;
    if (before)
        upstream_inherit(fresh, before);
    return start(set, fresh, error);
}

int upstream_set_prepare(struct upstream_set *set, const struct upstream_set_options *options,
                         void (*on_ready)(void *user), void *user, struct error *error)
{
    assert(!set->plan.is_open && options->count > 0 && options->count <= UPSTREAM_MOST);
    set->plan = (struct upstream_plan){
        .is_open = true, .policy = options->policy, .on_ready = on_ready, .user = user};
    sweep(set);
    int status = 0;
    for (size_t i = 0; status == 0 && i < options->count; i++)
        status = plan_one(set, &options->upstreams[i], error);
    if (status == 0)
        status = check_names(set->plan.list, set->plan.count, error);
    if (status)
        upstream_set_abandon(set);
    return status;
}

bool upstream_set_is_prepared(const struct upstream_set *set)
{
    return set->plan.is_open && were_looked_at(set->plan.list, set->plan.count);
}

void upstream_set_commit(struct upstream_set *set)
{
    struct upstream_plan *plan = &set->plan;
    struct upstream *before[UPSTREAM_MOST];
    const size_t count = set->count;
    assert(upstream_set_is_prepared(set));
    plan->is_open = false;
    for (size_t i = 0; i < plan->count; i++) {
        upstream_change(plan->list[i], &plan->options[i]);
        if (plan->tls[i])
            tls_context_adopt(plan->list[i]->tls.context, plan->tls[i]);
    }
    vet_all(set, plan->list, plan->count);
    memcpy(before, set->order, sizeof before);
    pthread_mutex_lock(&set->lock);
    memcpy(set->order, plan->list, sizeof set->order);
    set->count = plan->count;
    set->policy = plan->policy;
    pthread_mutex_unlock(&set->lock);
    for (size_t i = 0; i < count; i++)
        if (!is_in_order(set, before[i])) {
            log_info("backend", "%s is removed; sessions that it has go on",
                     upstream_label(before[i]));
            upstream_retire(before[i]);
        }
    sweep(set);
}

void upstream_set_abandon(struct upstream_set *set)
{
    struct upstream_plan *plan = &set->plan;
    plan->is_open = false;
    for (size_t i = 0; i < UPSTREAM_MOST; i++)
        tls_context_free(plan->tls[i]);
    for (size_t i = 0; i < plan->count; i++)
        if (!is_in_order(set, plan->list[i]))
            upstream_retire(plan->list[i]);
    sweep(set);
}

/* ---- What is in it ---- */

size_t upstream_set_count(struct upstream_set *set)
{
    pthread_mutex_lock(&set->lock);
    const size_t count = set->count;
    pthread_mutex_unlock(&set->lock);
    return count;
}

struct upstream *upstream_set_at(struct upstream_set *set, size_t number)
{
    assert(number < UPSTREAM_MOST);
    pthread_mutex_lock(&set->lock);
    struct upstream *upstream = set->slots[number];
    pthread_mutex_unlock(&set->lock);
    assert(upstream);
    return upstream;
}

/* The lock is held. Those in order, then those that were removed and still have sessions. */
static struct upstream *at_place(const struct upstream_set *set, size_t place)
{
    struct upstream *found = place < set->count ? set->order[place] : NULL;
    size_t at = set->count;
    for (size_t i = 0; !found && place >= set->count && i < UPSTREAM_MOST; i++) {
        struct upstream *upstream = set->slots[i];
        if (upstream && atomic_load(&upstream->is_retired) && atomic_load(&upstream->sessions) &&
            at++ == place)
            found = upstream;
    }
    return found;
}

struct upstream *upstream_set_pin_at(struct upstream_set *set, size_t place)
{
    pthread_mutex_lock(&set->lock);
    struct upstream *found = at_place(set, place);
    if (found)
        upstream_pin(found);
    pthread_mutex_unlock(&set->lock);
    return found;
}

struct upstream *upstream_set_pin(struct upstream_set *set, const void *tag)
{
    struct upstream *found = NULL;
    pthread_mutex_lock(&set->lock);
    for (size_t i = 0; !found && i < UPSTREAM_MOST; i++)
        if (set->slots[i] && set->slots[i]->tag == tag)
            found = set->slots[i];
    if (found)
        upstream_pin(found);
    pthread_mutex_unlock(&set->lock);
    return found;
}

/* What a client is greeted with counts until it has logged in, so those that are disabled or down are
 * asked too. */
bool upstream_set_profile(struct upstream_set *set, struct upstream_profile *profile)
{
    bool is_known = false, is_up = false;
    uint64_t common = UINT64_MAX;
    pthread_mutex_lock(&set->lock);
    for (size_t i = 0; i < set->count; i++) {
        struct upstream_profile own;
        struct policy_candidate candidate;
        bool is_refused = false;
        pthread_mutex_lock(&set->order[i]->lock);
        is_refused = set->order[i]->refused[0] != 0;
        pthread_mutex_unlock(&set->order[i]->lock);
        if (is_refused || !upstream_profile(set->order[i], &own))
            continue;
        upstream_candidate(set->order[i], NULL, &candidate);
        common &= own.capabilities;
        if (!is_known || (!is_up && candidate.is_eligible && candidate.share))
            *profile = own;
        is_up = is_up || (candidate.is_eligible && candidate.share);
        is_known = true;
    }
    pthread_mutex_unlock(&set->lock);
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
        upstream_status(set->order[i], &status);
        strbuf_printf(&list, "%s%s is %s", i ? ", " : "", upstream_name(set->order[i]),
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
    pthread_mutex_lock(&set->lock);
    for (size_t i = 0; i < set->count; i++) {
        upstream_candidate(set->order[i], wanted, &candidates[i]);
        if (tried & UINT32_C(1) << set->order[i]->number)
            candidates[i].is_eligible = false;
        eligible += candidates[i].is_eligible;
    }
    const size_t place = policy_pick(set->policy, candidates, set->count, draw(set));
    *others = eligible ? eligible - 1 : 0;
    if (place == POLICY_NONE)
        say_none(set, wanted, error);
    else
        upstream_count_session(set->order[place], 1);
    const size_t number = place == POLICY_NONE ? POLICY_NONE : set->order[place]->number;
    pthread_mutex_unlock(&set->lock);
    return number;
}

/* The lock is held. One that was removed can be drained, where no other has its name. */
static struct upstream *find_removed(const struct upstream_set *set, const char *name)
{
    struct upstream *found = NULL;
    for (size_t i = 0; i < UPSTREAM_MOST; i++) {
        struct upstream *upstream = set->slots[i];
        if (upstream && atomic_load(&upstream->is_retired) && atomic_load(&upstream->sessions) &&
            strcmp(upstream_name(upstream), name) == 0)
            found = upstream;
    }
    return found;
}

int upstream_set_change(struct upstream_set *set, const char *name, enum upstream_mode mode,
                        struct error *error)
{
    struct upstream *found = NULL;
    size_t others = 0;
    pthread_mutex_lock(&set->modes);
    pthread_mutex_lock(&set->lock);
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(upstream_name(set->order[i]), name) == 0)
            found = set->order[i];
        else
            others += upstream_mode(set->order[i]) == UPSTREAM_ENABLED;
    struct upstream *removed = found || mode != UPSTREAM_DRAINING ? NULL : find_removed(set, name);
    int status = 0;
    if (!found && !removed)
        status = error_set(error, "there is no backend %s; ADMIN SHOW BACKENDS lists them", name);
    else if (found && mode != UPSTREAM_ENABLED && others == 0)
        status = error_set(error,
                           "%s is the last backend that is enabled: nobody could log in to enable "
                           "one again",
                           name);
    else
        upstream_set_mode(found ? found : removed, mode);
    pthread_mutex_unlock(&set->lock);
    pthread_mutex_unlock(&set->modes);
    return status;
}
