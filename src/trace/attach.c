/* SPDX-License-Identifier: Apache-2.0
 *
 * A trace plugin inside a program that uses MariaDB Connector/C.
 *
 * That library loads client plugins and calls their init function, but has no tracing of its own.
 * The bytes that it reads and writes are seen at its sockets and its calls of OpenSSL
 * (socket_table.h), or, where those are not found, as it shows them itself
 * (ma_pvio_register_callback). So:
 *
 *   the plugin's file is loaded  a constructor hands its declaration to weir_trace_attach(), which
 *                                puts functions of ours in place of init and deinit
 *   the library calls init       we listen to the library that called us (a program may have one
 *                                linked in and others loaded privately), then call the plugin's own
 *                                init
 *   bytes go by                  each connection handle has a trace session, found by the handle
 *   the library calls deinit     sessions end, and so does the listening
 *
 * The library does not say when a connection ends, either: that is learnt at its sockets
 * (socket_table.h), while the handle is still there. */
#include "trace/attach.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/session.h"
#include "trace/socket_table.h"

#define EXPORTED __attribute__((visibility("default")))

enum {
    PLUGINS_MAX = 8, /* declarations that a process may load; one of them can be at work */
    TABLE_SLOTS = 256,
    KEEP_LIMIT_BYTES = 1 << 30, /* the most that max_allowed_packet can be */
    GREETING_VERSION = 10,
};

typedef void pvio_callback(int is_write, MYSQL *handle, const unsigned char *bytes, size_t size);
typedef int register_function(char is_registration, pvio_callback *callback);

struct attached_plugin {
    struct st_mysql_client_plugin_TRACE *plugin;
    int (*init)(char *, size_t, int, va_list);
    int (*deinit)(void);
};

/* One connection that is traced. It is known by its socket's state, which outlives the handle when
 * the library reconnects by itself: then the new connection is made with a handle of its own and
 * moved into the old one. */
struct traced {
    const void *socket;
    MYSQL *handle;
    struct trace_session *session; /* NULL: no memory for one */
    struct traced *next;
};

static struct attached_plugin plugins[PLUGINS_MAX];
static unsigned plugin_count;
static struct st_mysql_client_plugin_TRACE *active; /* the one at work */
static register_function *register_callback;

static struct {
    pthread_mutex_t lock;
    struct traced *first;
} table[TABLE_SLOTS];

/* ---- connections ---- */

static unsigned slot_of(const MYSQL *handle)
{
    uintptr_t bits = (uintptr_t)handle->net.pvio;
    return (unsigned)((bits >> 5) ^ (bits >> 13)) % TABLE_SLOTS;
}

/* Where the connection hangs in its slot's list. */
static struct traced **find(struct traced **first, const MYSQL *handle)
{
    while (*first && (*first)->socket != handle->net.pvio)
        first = &(*first)->next;
    return first;
}

static struct trace_session *begin_session(MYSQL *handle)
{
    const struct trace_session_info info = {.handle = handle};
    const struct trace_options options = {.keep_limit = KEEP_LIMIT_BYTES};
    return trace_session_begin(active, &info, &options);
}

static bool is_greeting(const unsigned char *bytes, size_t size)
{
    return size > 4 && bytes[3] == 0 && bytes[4] == GREETING_VERSION;
}

static struct traced *connection_of(struct traced **first, MYSQL *handle, bool is_write,
                                    const unsigned char *bytes, size_t size)
{
    struct traced **link = find(first, handle);
    if (!*link && !is_write && is_greeting(bytes, size)) {
        *link = calloc(1, sizeof **link);
        if (*link)
            **link = (struct traced){handle->net.pvio, handle, begin_session(handle), NULL};
    } else if (*link && (*link)->handle != handle && (*link)->session) {
        (*link)->handle = handle;
        trace_session_set_handle((*link)->session, handle);
    }
    return *link;
}

static void forget(struct traced **link)
{
    struct traced *traced = *link;
    *link = traced->next;
    trace_session_end(traced->session);
    free(traced);
}

/* Called by the library with what it has read or written.
 *
 * The slot's lock is held while the plugin is called: connections whose handles fall into one slot
 * wait for each other, and a plugin must not use its own connection. A session that is over stays
 * in the table until the connection is closed, so that what follows is not taken for a beginning.
 */
static void on_bytes(int is_write, MYSQL *handle, const unsigned char *bytes, size_t size)
{
    bool is_closed = !bytes;
    if (!handle || !handle->net.pvio)
        return;
    if (!is_closed && (size == 0 || (ssize_t)size < 0))
        return; /* the call failed: the library closes the connection, or tries again */
    unsigned slot = slot_of(handle);
    pthread_mutex_lock(&table[slot].lock);
    struct traced **first = &table[slot].first;
    if (is_closed) {
        struct traced **link = find(first, handle);
        if (*link)
            forget(link);
    } else {
        struct traced *traced = connection_of(first, handle, is_write != 0, bytes, size);
        socket_table_watch_close(handle, on_bytes);
        if (traced && traced->session)
            trace_session_bytes(traced->session, is_write ? WIRE_FROM_CLIENT : WIRE_FROM_SERVER,
                                bytes, size);
    }
    pthread_mutex_unlock(&table[slot].lock);
}

static void end_all(void)
{
    for (unsigned slot = 0; slot < TABLE_SLOTS; slot++) {
        pthread_mutex_lock(&table[slot].lock);
        while (table[slot].first)
            forget(&table[slot].first);
        pthread_mutex_unlock(&table[slot].lock);
    }
}

/* ---- the plugin's life ---- */

/* The function of the library that has `caller` in it. */
static register_function *find_register_function(void *caller)
{
    static const char symbol[] = "ma_pvio_register_callback";
    register_function *found = NULL;
    Dl_info info;
    if (dladdr(caller, &info) && info.dli_fname) {
        void *library = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
        if (library) {
            *(void **)&found = dlsym(library, symbol);
            dlclose(library);
        }
    }
    if (!found) /* linked into the program */
        *(void **)&found = dlsym(RTLD_DEFAULT, symbol);
    return found;
}

/* The library looks for every plugin where it was told to look for this one, and would miss those
 * for authentication. Whoever set the variable (weir-trace does) can say in a second one what it
 * was before: that is what the library reads from now on, until it ends and may begin again. */
static char *own_plugin_dir; /* NULL: nothing was changed */

static void restore_plugin_dir(void)
{
    const char *before = getenv("WEIR_TRACE_OTHER_PLUGIN_DIR");
    const char *own = getenv("MARIADB_PLUGIN_DIR");
    own_plugin_dir = before && own ? strdup(own) : NULL;
    if (before && *before)
        setenv("MARIADB_PLUGIN_DIR", before, 1);
    else if (before)
        unsetenv("MARIADB_PLUGIN_DIR");
}

static int begin_plugin(unsigned index, void *caller, char *text, size_t size, int argc,
                        va_list arguments)
{
    struct attached_plugin *attached = &plugins[index];
    if (active) {
        snprintf(text, size, "%s is loaded already, and only one trace plugin can be",
                 active->name);
        return 1;
    }
    /* The library's own way comes second: after mysql_library_end() the library follows a pointer
     * to what it has freed, which ends programs that use it again. */
    register_callback = find_register_function(caller);
    if (socket_table_attach(caller, on_bytes, register_callback != NULL)) {
        register_callback = NULL;
    } else if (!register_callback) {
        snprintf(text, size,
                 "the client library that loads it shows no traffic (no "
                 "ma_pvio_register_callback): it must be MariaDB Connector/C 3");
        return 1;
    }
    int result = attached->init ? attached->init(text, size, argc, arguments) : 0;
    if (result != 0) {
        socket_table_detach();
        return result;
    }
    active = attached->plugin;
    for (unsigned slot = 0; slot < TABLE_SLOTS; slot++)
        pthread_mutex_init(&table[slot].lock, NULL);
    if (register_callback)
        register_callback(1, on_bytes);
    restore_plugin_dir();
    return 0;
}

static int end_plugin(unsigned index)
{
    struct attached_plugin *attached = &plugins[index];
    if (active == attached->plugin) {
        if (register_callback)
            register_callback(0, on_bytes);
        socket_table_detach();
        end_all();
        active = NULL;
        if (own_plugin_dir)
            setenv("MARIADB_PLUGIN_DIR", own_plugin_dir, 1);
        free(own_plugin_dir);
        own_plugin_dir = NULL;
    }
    return attached->deinit ? attached->deinit() : 0;
}

/* init and deinit do not say whose they are: each place in the array has functions of its own. */
#define PLACES(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
#define X(n)                                                                                       \
    static int init_##n(char *text, size_t size, int argc, va_list arguments)                      \
    {                                                                                              \
        return begin_plugin(n, __builtin_return_address(0), text, size, argc, arguments);          \
    }                                                                                              \
    static int deinit_##n(void)                                                                    \
    {                                                                                              \
        return end_plugin(n);                                                                      \
    }
PLACES(X)
#undef X

static const struct {
    int (*init)(char *, size_t, int, va_list);
    int (*deinit)(void);
} places[PLUGINS_MAX] = {
#define X(n) {init_##n, deinit_##n},
    PLACES(X)
#undef X
};

EXPORTED void weir_trace_attach(struct st_mysql_client_plugin_TRACE *plugin)
{
    unsigned place = 0; /* that of before, when its file was unloaded and is there again */
    while (place < plugin_count && plugins[place].plugin != plugin)
        place++;
    if (place == PLUGINS_MAX) {
        fprintf(stderr, "weir-trace: %s: too many trace plugins in this program\n", plugin->name);
        return;
    }
    plugins[place] = (struct attached_plugin){plugin, plugin->init, plugin->deinit};
    plugin->init = places[place].init;
    plugin->deinit = places[place].deinit;
    if (place == plugin_count)
        plugin_count++;
}

EXPORTED void weir_trace_adopt(struct st_mysql_client_plugin_TRACE *plugin)
{
    for (unsigned i = 0; i < plugin_count; i++) {
        if (plugins[i].plugin == plugin) {
            plugin->init = plugins[i].init;
            plugin->deinit = plugins[i].deinit;
        }
    }
}

EXPORTED int mysql_plugin_options(struct st_mysql_client_plugin *plugin, const char *option,
                                  const void *value)
{
    return plugin && plugin->options ? plugin->options(option, value) : 1;
}
