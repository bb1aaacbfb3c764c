/* SPDX-License-Identifier: Apache-2.0
 *
 * Loads a trace plugin where there is no client library that would do it.
 *
 * A plugin built with our header is linked with libweir-trace, whose init function would patch a
 * client library. weir_trace_adopt() of that library gives the plugin its own init function back
 * (src/trace/attach): the same file works in a client and here.
 *
 * This file is the only one of the room that loads code and has locks. */
#include "trace/protocol/trace_plugin_host.h"

#include <assert.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "trace/protocol/format.h"

static const char declaration_symbol[] = "_mysql_client_plugin_declaration_";

enum { INIT_ERROR_BYTES = 512 };

#define HOST_MAGIC 0x74726163655f686fULL

struct trace_host {
    uint64_t magic; /* HOST_MAGIC from load to unload */
    struct st_mysql_client_plugin_TRACE *plugin;
    void *library;         /* NULL: part of the program */
    pthread_rwlock_t lock; /* of selection */
    struct trace_selection selection;
    char *user, *client_host; /* the selection's texts; owned */
    atomic_int extent;        /* enum extent: spares most sessions the lock */
};

enum extent { ALL, SOME, NONE };

/* MySQL allows one trace plugin at a time, and so do we. The lock also keeps two from being loaded
 * at once. */
static struct trace_host *the_host;
static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER;

static void check(const struct trace_host *host)
{
    assert(host && host->magic == HOST_MAGIC);
}

static int call_init(struct st_mysql_client_plugin_TRACE *plugin, char *text, size_t size, ...)
{
    va_list none;
    va_start(none, size);
    int result = plugin->init ? plugin->init(text, size, 0, none) : 0;
    va_end(none);
    return result;
}

static int check_type(const struct st_mysql_client_plugin_TRACE *plugin, const char *name,
                      struct error *error)
{
    if (plugin->type != MYSQL_CLIENT_TRACE_PLUGIN && plugin->type != TRACE_PLUGIN_TYPE_OF_ORACLE)
        return error_set(error,
                         "trace plugin %s: it is a client plugin of type %d, not a trace plugin",
                         name, plugin->type);
    return 0;
}

/* Takes ownership of `library`, and closes it on failure. */
static struct trace_host *start_plugin(struct st_mysql_client_plugin_TRACE *plugin, void *library,
                                       struct error *error)
{
    char text[INIT_ERROR_BYTES] = "";
    struct trace_host *host = calloc(1, sizeof *host);
    if (!host) {
        error_set(error, "trace plugin %s: out of memory", plugin->name);
    } else if (call_init(plugin, text, sizeof text) != 0) {
        error_set(error, "trace plugin %s: its init function failed%s%s", plugin->name,
                  text[0] ? ": " : "", text);
        free(host);
        host = NULL;
    }
    if (!host) {
        if (library)
            dlclose(library);
        return NULL;
    }
    host->magic = HOST_MAGIC;
    host->plugin = plugin;
    host->library = library;
    pthread_rwlock_init(&host->lock, NULL);
    the_host = host;
    return host;
}

static int refuse_second(const char *name, struct error *error)
{
    if (!the_host)
        return 0;
    return error_set(error,
                     "trace plugin %s: %s is loaded already, and only one trace plugin can be; "
                     "it stays at work until the program ends",
                     name, the_host->plugin->name);
}

struct trace_host *trace_host_adopt(struct st_mysql_client_plugin_TRACE *plugin,
                                    struct error *error)
{
    struct trace_host *host = NULL;
    assert(plugin && plugin->name);
    pthread_mutex_lock(&loading);
    if (refuse_second(plugin->name, error) == 0)
        host = start_plugin(plugin, NULL, error);
    pthread_mutex_unlock(&loading);
    return host;
}

static struct st_mysql_client_plugin_TRACE *const built_in =
#ifdef WEIR_WITH_TEST_TRACE_PLUGIN
    &trace_test_trace_plugin;
#else
    NULL;
#endif

struct trace_host *trace_host_default(struct error *error)
{
    return built_in ? trace_host_adopt(built_in, error) : NULL;
}

const char *trace_host_default_name(void)
{
    return built_in ? built_in->name : NULL;
}

static struct trace_host *load_file(const char *name, const char *directory, struct error *error)
{
    struct strbuf path = STRBUF_INIT;
    struct st_mysql_client_plugin_TRACE *plugin = NULL;
    void *library = NULL;
    if (strchr(name, '/') || !directory)
        strbuf_add_text(&path, name);
    else
        strbuf_printf(&path, "%s/%s.so", directory, name);
    library = dlopen(path.data, RTLD_NOW | RTLD_LOCAL);
    if (library)
        plugin = dlsym(library, declaration_symbol);
    if (!library)
        error_set(error, "trace plugin %s: %s", name, dlerror());
    else if (!plugin)
        error_set(error, "trace plugin %s: %s does not define %s: it is no client plugin", name,
                  path.data, declaration_symbol);
    strbuf_release(&path);
    if (!plugin || check_type(plugin, name, error) < 0) {
        if (library)
            dlclose(library);
        return NULL;
    }
    weir_trace_adopt_function *adopt = NULL;
    *(void **)&adopt = dlsym(library, "weir_trace_adopt");
    if (adopt)
        adopt(plugin);
    return start_plugin(plugin, library, error);
}

struct trace_host *trace_host_load(const char *name, const char *directory, struct error *error)
{
    struct trace_host *host = NULL;
    pthread_mutex_lock(&loading);
    if (refuse_second(name, error) == 0)
        host = load_file(name, directory, error);
    pthread_mutex_unlock(&loading);
    return host;
}

void trace_host_unload(struct trace_host *host)
{
    if (!host)
        return;
    check(host);
    pthread_mutex_lock(&loading);
    if (host->plugin->deinit)
        host->plugin->deinit();
    if (host->library)
        dlclose(host->library);
    pthread_rwlock_destroy(&host->lock);
    free(host->user);
    free(host->client_host);
    host->magic = 0;
    free(host);
    the_host = NULL;
    pthread_mutex_unlock(&loading);
}

struct st_mysql_client_plugin_TRACE *trace_host_plugin(struct trace_host *host)
{
    check(host);
    return host->plugin;
}

int trace_host_select(struct trace_host *host, const struct trace_selection *selection)
{
    check(host);
    char *user = selection->user ? strdup(selection->user) : NULL;
    char *client_host = selection->host ? strdup(selection->host) : NULL;
    bool failed = (selection->user && !user) || (selection->host && !client_host);
    if (!failed) {
        pthread_rwlock_wrlock(&host->lock);
        char *old_user = host->user, *old_host = host->client_host;
        host->selection = *selection;
        host->selection.user = host->user = user;
        host->selection.host = host->client_host = client_host;
        bool is_all = !user && !client_host && !selection->session_id;
        atomic_store(&host->extent, selection->is_off ? NONE : is_all ? ALL : SOME);
        pthread_rwlock_unlock(&host->lock);
        user = old_user;
        client_host = old_host;
    }
    free(user);
    free(client_host);
    return failed ? -1 : 0;
}

void trace_host_selection(struct trace_host *host, struct trace_selection *selection,
                          struct strbuf *texts)
{
    check(host);
    pthread_rwlock_rdlock(&host->lock);
    *selection = host->selection;
    size_t user_size = host->user ? strlen(host->user) + 1 : 0;
    if (host->user)
        strbuf_add(texts, host->user, user_size);
    if (host->client_host)
        strbuf_add_text(texts, host->client_host);
    selection->user = host->user && !texts->failed ? texts->data : NULL;
    selection->host = host->client_host && !texts->failed ? texts->data + user_size : NULL;
    pthread_rwlock_unlock(&host->lock);
}

static bool matches(const struct trace_selection *selection,
                    const struct trace_candidate *candidate)
{
    if (selection->user && (!candidate->user || strcmp(selection->user, candidate->user) != 0))
        return false;
    if (selection->host && (!candidate->host || !text_is_like(candidate->host, selection->host,
                                                              strlen(selection->host))))
        return false;
    return !selection->session_id || selection->session_id == candidate->ids[0] ||
           selection->session_id == candidate->ids[1];
}

bool trace_host_wants(struct trace_host *host, const struct trace_candidate *candidate)
{
    check(host);
    int extent = atomic_load_explicit(&host->extent, memory_order_relaxed);
    if (extent != SOME)
        return extent == ALL;
    pthread_rwlock_rdlock(&host->lock);
    bool wanted = !host->selection.is_off && matches(&host->selection, candidate);
    pthread_rwlock_unlock(&host->lock);
    return wanted;
}
