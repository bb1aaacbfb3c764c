/* SPDX-License-Identifier: Apache-2.0
 *
 * The plugins' calls of their store, and its answers and news: keys with the plugin's prefix before them on the way
 * there, and without it on the way back. */
#include "plugin/host/plugin_store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* ---- To the plugin ---- */

struct told {
    struct plugin_store *own;
    weir_store_done *done;
    weir_store_watcher *watcher;
    void *user;
    const weir_store_answer *answer;
    const weir_store_news *news;
};

static weir_verdict invoke(void *call)
{
    const struct told *told = call;
    if (told->done)
        told->done(told->user, told->answer);
    else
        told->watcher(told->user, told->news);
    return WEIR_OK;
}

static void enter(const struct told *told)
{
    struct weir_plugin *plugin = told->own->plugin;
    const char *event = told->done ? "a store's answer" : "a store's news";
    if (plugin_enter(plugin, event, invoke, (void *)told, NULL) == WEIR_OK)
        return;
    const char *reason = plugin_take_failure();
    plugin_complain(plugin, "failed in", event, *reason ? reason : "it didn't say why");
    plugin_note_failure(plugin);
}

void plugin_store_give_up(const struct plugin_store *own, weir_store_done *done, void *user)
{
    static const char message[] = "the server ends";
    const weir_store_answer answer = {.api_version = WEIR_API_VERSION,
                                      .struct_size = sizeof answer,
                                      .status = WEIR_STORE_UNKNOWN,
                                      .entry_size = sizeof(weir_store_entry),
                                      .message = {message, sizeof message - 1}};
    if (done)
        enter(&(struct told){
            .own = (struct plugin_store *)own, .done = done, .user = user, .answer = &answer});
}

/* The lock is held. */
static void begin_callback(struct plugin_store *own)
{
    own->is_calling = true;
    own->caller = pthread_self();
}

static void end_callback(struct plugin_store *own)
{
    pthread_mutex_lock(&own->lock);
    own->is_calling = false;
    pthread_cond_broadcast(&own->quiet);
    pthread_mutex_unlock(&own->lock);
}

/* Entries as plugins see them. Returns owned, or NULL without memory. */
static weir_store_entry *convert(const struct plugin_store *own, const struct store_entry *entries,
                                 size_t count)
{
    weir_store_entry *made = calloc(count + 1, sizeof *made);
    for (size_t i = 0; made && i < count; i++) {
        const struct store_entry *entry = &entries[i];
        assert(entry->key.size >= own->prefix_size);
        made[i] = (weir_store_entry){
            .key = {entry->key.data + own->prefix_size, entry->key.size - own->prefix_size},
            .value = {entry->value.data, entry->value.size},
            .revision = entry->revision,
            .lease = entry->lease,
            .is_deleted = entry->is_deleted};
    }
    return made;
}

/* ---- Answers ---- */

static const weir_store_status statuses[] = {
    [STORE_DONE] = WEIR_STORE_DONE,       [STORE_DIFFERS] = WEIR_STORE_DIFFERS,
    [STORE_GONE] = WEIR_STORE_GONE,       [STORE_FAILED] = WEIR_STORE_FAILED,
    [STORE_UNKNOWN] = WEIR_STORE_UNKNOWN,
};

/* Returns whether the plugin may be told of the lease. */
static bool note_lease(struct plugin_store *own, const struct plugin_store_call *call,
                       const struct store_answer *answer)
{
    const uint64_t ends_ns = store_now_ns(own->store) + (uint64_t)answer->ttl_s * CLOCK_NS_PER_S;
    const bool is_made = call->action == WEIR_STORE_DO_LEASE || call->action == WEIR_STORE_DO_KEEP;
    if (answer->status == STORE_DONE && is_made)
        return plugin_lease_note(own, answer->lease, ends_ns);
    if (call->lease &&
        answer->status == (call->action == WEIR_STORE_DO_END ? STORE_DONE : STORE_GONE))
        plugin_lease_forget(own, call->lease);
    return true;
}

/* Whether the plugin is to be told: it is not silent. Otherwise the call has been dealt with. */
static bool take_answered(struct plugin_store *own, struct plugin_store_call *call,
                          const struct store_answer *answer, bool *has_memory)
{
    pthread_mutex_lock(&own->lock);
    const bool is_told = !own->is_silent;
    if (is_told) {
        *has_memory = note_lease(own, call, answer);
        DL_DELETE(own->calls, call);
        own->pending--;
        begin_callback(own);
    } else if (call->is_listed) {
        call->is_answered = true;
        call = NULL; /* plugin_store_close()'s */
    }
    pthread_mutex_unlock(&own->lock);
    if (!is_told)
        free(call);
    return is_told;
}

static void on_answer(void *user, const struct store_answer *answer)
{
    struct plugin_store_call *call = user;
    struct plugin_store *own = call->own;
    bool has_memory = true;
    if (!take_answered(own, call, answer, &has_memory))
        return;
    weir_store_entry *entries = convert(own, answer->entries, answer->count);
    has_memory = has_memory && entries;
    const char *message = has_memory ? answer->message : "out of memory";
    const weir_store_answer said = {.api_version = WEIR_API_VERSION,
                                    .struct_size = sizeof said,
                                    .status =
                                        has_memory ? statuses[answer->status] : WEIR_STORE_FAILED,
                                    .entry_size = sizeof(weir_store_entry),
                                    .message = {message, strlen(message)},
                                    .revision = answer->revision,
                                    .entries = entries,
                                    .count = has_memory ? answer->count : 0,
                                    .lease = answer->lease,
                                    .ttl = (uint64_t)answer->ttl_s * CLOCK_NS_PER_S};
    if (call->done)
        enter(&(struct told){.own = own, .done = call->done, .user = call->user, .answer = &said});
    free(entries);
    free(call);
    end_callback(own);
}

/* ---- Calls ---- */

static void fill_write(struct store_request *to, const struct weir_store_request *request,
                       struct store_bytes key)
{
    to->action = STORE_WRITE;
    to->writes[0] =
        (struct store_write){.key = key,
                             .value = {.data = request->value.data ? request->value.data : "",
                                       .size = request->value.size},
                             .lease = request->lease};
    to->write_count = 1;
    if (request->revision == WEIR_STORE_ANY)
        return;
    to->compares[0] = (struct store_compare){.key = key, .revision = request->revision};
    to->compare_count = 1;
}

/* Seconds, rounded up; more than there may be: none. */
static long ttl_of(uint64_t ns)
{
    const uint64_t seconds = ns / CLOCK_NS_PER_S + (ns % CLOCK_NS_PER_S != 0);
    return seconds > 0 && seconds <= STORE_TTL_MOST_S ? (long)seconds : 0;
}

static void fill(struct store_request *to, const struct weir_store_request *request,
                 struct store_bytes key)
{
    static const enum store_action actions[] = {
        [WEIR_STORE_DO_PUT] = STORE_WRITE,         [WEIR_STORE_DO_GET] = STORE_READ,
        [WEIR_STORE_DO_LIST] = STORE_READ,         [WEIR_STORE_DO_DELETE] = STORE_DELETE,
        [WEIR_STORE_DO_DELETE_ALL] = STORE_DELETE, [WEIR_STORE_DO_LEASE] = STORE_GRANT,
        [WEIR_STORE_DO_KEEP] = STORE_KEEP,         [WEIR_STORE_DO_END] = STORE_REVOKE,
    };
    if (request->action == WEIR_STORE_DO_PUT) {
        fill_write(to, request, key);
        return;
    }
    to->action = actions[request->action];
    if (to->action == STORE_READ || to->action == STORE_DELETE)
        to->key = key;
    to->is_prefix =
        request->action == WEIR_STORE_DO_LIST || request->action == WEIR_STORE_DO_DELETE_ALL;
    to->lease = request->lease;
    to->ttl_s = to->action == STORE_GRANT ? ttl_of(request->ttl) : 0;
}

/* Whether the request is one that plugins may make. */
static bool is_sound(const struct weir_store_request *request)
{
    const bool is_of_prefix =
        request->action == WEIR_STORE_DO_LIST || request->action == WEIR_STORE_DO_DELETE_ALL;
    const bool is_of_lease = request->action >= WEIR_STORE_DO_LEASE;
    return request->struct_size >= sizeof *request && request->action <= WEIR_STORE_DO_END &&
           request->key.size <= WEIR_STORE_KEY_BYTES &&
           request->value.size <= WEIR_STORE_VALUE_BYTES && request->revision >= WEIR_STORE_ANY &&
           request->lease >= 0 && (is_of_prefix || is_of_lease || request->key.size > 0) &&
           (request->action != WEIR_STORE_DO_LEASE || ttl_of(request->ttl) > 0);
}

/* Once the plugin is closed, its callbacks may finish what they have begun: a put that has waited for its lease. The lock is
 * held. */
static bool may_call(const struct plugin_store *own)
{
    return !own->is_closed ||
           (!own->is_silent && own->is_calling && pthread_equal(own->caller, pthread_self()));
}

/* Adds it to the plugin's calls, if it may be made. */
static bool admit(struct plugin_store *own, struct plugin_store_call *call,
                  const struct weir_store_request *request)
{
    const bool needs_lease = request->action == WEIR_STORE_DO_KEEP ||
                             request->action == WEIR_STORE_DO_END || request->lease;
    pthread_mutex_lock(&own->lock);
    const bool ok = may_call(own) && own->pending < WEIR_STORE_PENDING &&
                    (!needs_lease || plugin_lease_is_known(own, request->lease));
    if (ok) {
        DL_APPEND(own->calls, call);
        own->pending++;
        call->is_listed = true;
    }
    pthread_mutex_unlock(&own->lock);
    return ok;
}

static void take_back(struct plugin_store *own, struct plugin_store_call *call)
{
    pthread_mutex_lock(&own->lock);
    DL_DELETE(own->calls, call);
    own->pending--;
    pthread_cond_broadcast(&own->quiet);
    pthread_mutex_unlock(&own->lock);
}

int plugin_host_store_call(const weir_plugin *plugin, const struct weir_store_request *request)
{
    struct plugin_store *own = is_sound(request) ? plugin_store_of(plugin) : NULL;
    struct plugin_store_call *call = own ? calloc(1, sizeof *call) : NULL;
    struct strbuf key = STRBUF_INIT;
    struct store_request to = {.done = on_answer, .user = call};
    if (!call)
        return 0;
    *call = (struct plugin_store_call){.own = own,
                                       .action = request->action,
                                       .done = request->done,
                                       .user = request->user,
                                       .lease = request->lease};
    strbuf_add(&key, own->prefix, own->prefix_size);
    strbuf_add(&key, request->key.data, request->key.size);
    bool ok = !key.failed && admit(own, call, request);
    if (ok) {
        fill(&to, request, (struct store_bytes){.data = key.data, .size = key.size});
        ok = store_call(own->store, &to);
        if (!ok)
            take_back(own, call);
    }
    if (!ok)
        free(call);
    strbuf_release(&key);
    return ok;
}

/* ---- News ---- */

static void on_news(void *user, const struct store_news *news)
{
    static const weir_store_news_kind kinds[] = {[STORE_EVERYTHING] = WEIR_STORE_EVERYTHING,
                                                 [STORE_CHANGES] = WEIR_STORE_CHANGES,
                                                 [STORE_LOST] = WEIR_STORE_LOST};
    const struct plugin_store_watch *watch = user;
    struct plugin_store *own = watch->own;
    pthread_mutex_lock(&own->lock);
    const bool is_told = !own->is_silent;
    if (is_told)
        begin_callback(own);
    pthread_mutex_unlock(&own->lock);
    if (!is_told)
        return;
    weir_store_entry *entries = convert(own, news->entries, news->count);
    const weir_store_news said = {.api_version = WEIR_API_VERSION,
                                  .struct_size = sizeof said,
                                  .kind = kinds[news->kind],
                                  .entry_size = sizeof(weir_store_entry),
                                  .message = {news->message, strlen(news->message)},
                                  .revision = news->revision,
                                  .entries = entries,
                                  .count = news->count,
                                  .is_shared = own->is_shared};
    if (entries)
        enter(&(struct told){
            .own = own, .watcher = watch->watcher, .user = watch->user, .news = &said});
    else
        plugin_complain(own->plugin, "was not notified of", "a store's news", "out of memory");
    free(entries);
    end_callback(own);
}

int plugin_host_store_watch(const weir_plugin *plugin, weir_string prefix,
                            weir_store_watcher *watcher, void *user)
{
    struct plugin_store *own =
        watcher && prefix.size <= WEIR_STORE_KEY_BYTES ? plugin_store_of(plugin) : NULL;
    struct plugin_store_watch *watch = own ? calloc(1, sizeof *watch) : NULL;
    struct strbuf whole = STRBUF_INIT;
    if (!watch)
        return 0;
    *watch = (struct plugin_store_watch){.own = own, .watcher = watcher, .user = user};
    strbuf_add(&whole, own->prefix, own->prefix_size);
    strbuf_add(&whole, prefix.data, prefix.size);
    pthread_mutex_lock(&own->lock);
    bool ok = !own->is_closed && !whole.failed;
    if (ok) {
        watch->next = own->watches;
        own->watches = watch;
    }
    pthread_mutex_unlock(&own->lock);
    if (!ok)
        free(watch);
    /* What cannot be followed stays in the list, which frees it. */
    ok =
        ok && store_follow(own->store, (struct store_bytes){.data = whole.data, .size = whole.size},
                           on_news, watch);
    strbuf_release(&whole);
    return ok;
}
