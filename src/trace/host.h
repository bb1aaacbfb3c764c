/* SPDX-License-Identifier: Apache-2.0
 *
 * The one trace plugin of a process that is not a client itself: weir-server, weir-trace.
 *
 *     host = trace_host_load("simple_trace", "/usr/lib/weir/plugin", &error);
 *     session = trace_host_wants(host, user, address, id) ?
 *                   trace_session_begin(trace_host_plugin(host), ...) : NULL;
 *
 * Loading and the filter: any thread, one at a time; trace_host_wants(): any thread. */
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

/* Calls the deinit function and unloads. All sessions must have ended. NULL is allowed. */
void trace_host_unload(struct trace_host *host);

struct st_mysql_client_plugin_TRACE *trace_host_plugin(struct trace_host *host);

/* Restricts tracing from now on: NULL or 0 is "any". Texts are copied. -1: no memory. */
int trace_host_filter(struct trace_host *host, const char *user, const char *client_host,
                      uint64_t session_id);

/* Whether a session is to be traced. */
bool trace_host_wants(struct trace_host *host, const char *user, const char *client_host,
                      uint64_t session_id);

/* Hands a plugin its option, as mysql_plugin_options() does. 0: taken. */
int trace_host_option(struct trace_host *host, const char *option, const char *value);

#endif
