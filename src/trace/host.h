/* SPDX-License-Identifier: Apache-2.0
 *
 * The one trace plugin of a process that is not a client itself: weir-server, weir-trace.
 *
 *     host = trace_host_load("simple_trace", "/usr/lib/weir/plugin", &error);
 *     session = trace_host_wants(host, &candidate) ?
 *                   trace_session_begin(trace_host_plugin(host), ...) : NULL;
 *
 * Any thread, but for unloading. */
#ifndef WEIR_TRACE_HOST_H
#define WEIR_TRACE_HOST_H

#include "trace/session.h"

struct trace_host;

/* Loads DIRECTORY/NAME.so (or NAME itself when it has a '/'), checks it, and calls its init
 * function. A second plugin is refused while one is loaded. Returns owned; NULL and error. */
struct trace_host *trace_host_load(const char *name, const char *directory, struct error *error);

/* The same for a plugin that is part of the program; it is borrowed. */
struct trace_host *trace_host_adopt(struct st_mysql_client_plugin_TRACE *plugin,
                                    struct error *error);

/* The plugin that weir was built to load by default (-DWITH_TEST_TRACE_PLUGIN=ON: test_trace), so
 * that its variables work and a second plugin is refused. NULL without an error: weir was built to
 * load none. */
struct trace_host *trace_host_default(struct error *error);

/* That plugin's name; NULL: weir was built to load none. */
const char *trace_host_default_name(void);

/* Calls the deinit function and unloads. All sessions must have ended. NULL is allowed. */
void trace_host_unload(struct trace_host *host);

struct st_mysql_client_plugin_TRACE *trace_host_plugin(struct trace_host *host);

/* Which sessions are traced: those that all of it fits. */
struct trace_selection {
    bool is_off;         /* none */
    const char *user;    /* NULL: any */
    const char *host;    /* a pattern as of LIKE; NULL: any */
    uint64_t session_id; /* 0: any */
};

/* A session that may be traced. Texts are borrowed. */
struct trace_candidate {
    const char *user; /* NULL: not known yet, so that no selection by user fits */
    const char *host;
    uint64_t ids[2]; /* by any of which it can be selected; 0: none */
};

/* Says which sessions are traced from now on; a host that was just loaded traces all. Texts are
 * copied. -1: no memory, and the old selection stays. */
int trace_host_select(struct trace_host *host, const struct trace_selection *selection);

/* The selection as it is; its texts are put into `texts`, which must live as long. */
void trace_host_selection(struct trace_host *host, struct trace_selection *selection,
                          struct strbuf *texts);

/* Whether a session is to be traced. */
bool trace_host_wants(struct trace_host *host, const struct trace_candidate *candidate);

/* Hands a plugin its option, as mysql_plugin_options() does. 0: taken. */
int trace_host_option(struct trace_host *host, const char *option, const char *value);

#endif
