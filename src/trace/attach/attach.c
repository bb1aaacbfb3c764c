/* SPDX-License-Identifier: Apache-2.0
 *
 * From a plugin's declaration to a traced client library, and back.
 *
 *   the plugin's file is loaded  a constructor hands its declaration to trace_attach_declare(),
 *                                which puts functions of ours in place of init and deinit
 *   the library calls init       the library that called us is patched (a program may have one
 *                                linked in and others loaded privately), then the plugin's own init
 *                                is called
 *   bytes are read or written    connections.c finds the connection's trace session
 *   the library calls deinit     everything is put back, sessions end
 *
 * README.md says what is patched and what that assumes. */
#include "trace/attach/trace_attach.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/attach/connections.h"
#include "trace/attach/loaded_file.h"
#include "trace/attach/openssl_calls.h"
#include "trace/attach/socket_table.h"

enum { PLUGINS_MAX = 8 }; /* declarations that a process may load; one of them can be active */

/* Connector/C's own way to show its traffic. */
typedef int register_function(char is_registration, traffic_function *callback);

struct declared_plugin {
    struct st_mysql_client_plugin_TRACE *plugin;
    int (*init)(char *, size_t, int, va_list);
    int (*deinit)(void);
};

static struct declared_plugin plugins[PLUGINS_MAX];
static unsigned plugin_count;
static struct st_mysql_client_plugin_TRACE *active; /* NULL: nothing is patched */
static register_function *register_callback;        /* NULL: not used */

/* ---- the folder of plugins ---- */

/* The library looks for all of its plugins in the folder where it found this one, and would miss
 * those for authentication. Whoever set the variable (weir-trace does) can give its previous value
 * in a second one: the library gets that value from here until deinit, after which it may start
 * again and must find this plugin. */
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

static void set_own_plugin_dir(void)
{
    if (own_plugin_dir)
        setenv("MARIADB_PLUGIN_DIR", own_plugin_dir, 1);
    free(own_plugin_dir);
    own_plugin_dir = NULL;
}

/* ---- patching ---- */

static void unpatch(void)
{
    openssl_calls_detach();
    socket_table_detach();
}

/* Patches the library that holds `caller`. Returns false, with nothing patched, if its sockets are
 * not found; or if they are, its TLS is not, and the library's own callback shows more. */
static bool patch(void *caller, bool has_own_callback)
{
    if (!socket_table_attach(caller, connections_on_traffic))
        return false;
    if (openssl_calls_attach(caller, connections_on_traffic) || !has_own_callback)
        return true;
    unpatch();
    return false;
}

/* The library's own callback is the second choice: after mysql_library_end() the library follows a
 * pointer to memory that it has freed, which crashes programs that use it again. */
static bool choose_source(void *caller)
{
    *(void **)&register_callback = loaded_file_function(caller, "ma_pvio_register_callback");
    if (patch(caller, register_callback != NULL)) {
        register_callback = NULL;
        return true;
    }
    return register_callback != NULL;
}

/* ---- init and deinit ---- */

static int begin_plugin(unsigned place, void *caller, char *text, size_t size, int argc,
                        va_list arguments)
{
    struct declared_plugin *declared = &plugins[place];
    assert(place < plugin_count && declared->plugin);
    if (active) {
        snprintf(text, size, "%s is loaded already, and only one trace plugin can be",
                 active->name);
        return 1;
    }
    if (!choose_source(caller)) {
        snprintf(text, size,
                 "the client library that loads it shows no traffic (no "
                 "ma_pvio_register_callback): it must be MariaDB Connector/C 3");
        return 1;
    }
    int result = declared->init ? declared->init(text, size, argc, arguments) : 0;
    if (result != 0) {
        unpatch();
        return result;
    }
    active = declared->plugin;
    connections_begin(active);
    if (register_callback)
        register_callback(1, connections_on_traffic);
    restore_plugin_dir();
    return 0;
}

static int end_plugin(unsigned place)
{
    struct declared_plugin *declared = &plugins[place];
    assert(place < plugin_count && declared->plugin);
    if (active == declared->plugin) {
        if (register_callback)
            register_callback(0, connections_on_traffic);
        unpatch();
        connections_end();
        active = NULL;
        set_own_plugin_dir();
    }
    return declared->deinit ? declared->deinit() : 0;
}

/* init and deinit get no argument that identifies the plugin, so each place has its own pair. */
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

bool trace_attach_declare(struct st_mysql_client_plugin_TRACE *plugin)
{
    assert(plugin && plugin->name);
    unsigned place = 0; /* the one it had, if its file was unloaded and loaded again */
    while (place < plugin_count && plugins[place].plugin != plugin)
        place++;
    if (place == PLUGINS_MAX)
        return false;
    plugins[place] = (struct declared_plugin){plugin, plugin->init, plugin->deinit};
    plugin->init = places[place].init;
    plugin->deinit = places[place].deinit;
    if (place == plugin_count)
        plugin_count++;
    return true;
}

void trace_attach_undo(struct st_mysql_client_plugin_TRACE *plugin)
{
    assert(plugin && plugin != active);
    for (unsigned place = 0; place < plugin_count; place++) {
        if (plugins[place].plugin == plugin) {
            plugin->init = plugins[place].init;
            plugin->deinit = plugins[place].deinit;
        }
    }
}
