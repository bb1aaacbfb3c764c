/* SPDX-License-Identifier: Apache-2.0
 *
 * The one trace plugin of a process that is not a client itself: weir-server, weir-trace.
 *
 *     host = trace_host_load("simple_trace", "/usr/lib/weir/plugin", &error);
 *     session = trace_host_wants(host, &candidate) ?
 *                   trace_session_begin(trace_host_plugin(host), ...) : NULL;
 *
 * Any thread; but unloading must come after all other calls. */
#ifndef WEIR_TRACE_PLUGIN_HOST_H
#define WEIR_TRACE_PLUGIN_HOST_H

#include "trace/protocol/traced_session.h"

struct trace_host;

/* Loads DIRECTORY/NAME.so (or NAME itself when it has a '/'), checks it, and calls its init
 * function. Fails if a plugin is loaded already. Returns owned; NULL and error. */
WEIR_MUST_CHECK struct trace_host *trace_host_load(const char *name, const char *directory,
                                                   struct error *error);

/* The same for a plugin that is part of the program; it is borrowed. */
WEIR_MUST_CHECK struct trace_host *trace_host_adopt(struct st_mysql_client_plugin_TRACE *plugin,
                                                    struct error *error);

/* The plugin that weir was built to load by default (-DWITH_TEST_TRACE_PLUGIN=ON: test_trace), so
 * that its variables work and a second plugin is refused. Returns owned. NULL without an error:
 * weir was built to load none. */
WEIR_MUST_CHECK struct trace_host *trace_host_default(struct error *error);

/* That plugin's name; NULL: weir was built to load none. */
const char *trace_host_default_name(void);

/* Calls the deinit function and unloads. All sessions must have ended. NULL is allowed. */
void trace_host_unload(struct trace_host *host);

/* Borrowed until the host is unloaded. */
struct st_mysql_client_plugin_TRACE *trace_host_plugin(struct trace_host *host);

/* Which sessions are traced: those that match all of it. */
struct trace_selection {
    bool is_off;         /* none */
    const char *user;    /* NULL: any */
    const char *host;    /* a pattern as of LIKE; NULL: any */
    uint64_t session_id; /* 0: any */
};

/* A session that may be traced. Texts are borrowed. */
struct trace_candidate {
    const char *user; /* NULL: not known yet; does not match a selection by user */
    const char *host;
    uint64_t ids[2]; /* either selects the session; 0: none */
};

/* Sets which sessions are traced from now on; a host that was just loaded traces all. Texts are
 * copied. Returns -1 if there is no memory for the texts; the old selection stays. */
int trace_host_select(struct trace_host *host, const struct trace_selection *selection);

/* Returns the present selection. Its texts point into `texts`, to which they are appended. */
void trace_host_selection(struct trace_host *host, struct trace_selection *selection,
                          struct strbuf *texts);

/* Returns true if the session is to be traced. */
bool trace_host_wants(struct trace_host *host, const struct trace_candidate *candidate);

/* The type of weir_trace_adopt(), which libweir-trace exports and the host looks up by name among a
 * loaded plugin's dependencies. Gives the plugin its own init and deinit functions back: it will not
 * attach to a client library. Must be called before init. */
typedef void weir_trace_adopt_function(struct st_mysql_client_plugin_TRACE *plugin);

#endif
