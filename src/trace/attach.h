/* SPDX-License-Identifier: Apache-2.0
 *
 * What libweir-trace exports, besides the two calls that <mysql/plugin_trace.h> declares. */
#ifndef WEIR_TRACE_ATTACH_H
#define WEIR_TRACE_ATTACH_H

#include <mysql/plugin_trace.h>

/* Found by name in a loaded plugin's dependencies: gives the plugin its own init and deinit
 * functions back, so that it does not attach to a client library. */
typedef void weir_trace_adopt_function(struct st_mysql_client_plugin_TRACE *plugin);
weir_trace_adopt_function weir_trace_adopt;

#endif
