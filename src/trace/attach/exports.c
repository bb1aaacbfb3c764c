/* SPDX-License-Identifier: Apache-2.0
 *
 * libweir-trace: the three functions that it exports, and nothing else. */
#include <stdio.h>

#include "trace/attach/trace_attach.h"

#define EXPORTED __attribute__((visibility("default")))

EXPORTED weir_trace_adopt_function weir_trace_adopt;

/* Called by the constructor of a plugin's file (<mysql/plugin_trace.h>). */
EXPORTED void weir_trace_attach(struct st_mysql_client_plugin_TRACE *plugin)
{
    if (!trace_attach_declare(plugin))
        fprintf(stderr, "weir-trace: %s: too many trace plugins in this program\n", plugin->name);
}

/* Called by weir-server and weir-trace, which feed the plugin themselves (trace_plugin_host.c). */
EXPORTED void weir_trace_adopt(struct st_mysql_client_plugin_TRACE *plugin)
{
    trace_attach_undo(plugin);
}

/* MySQL's call, which Connector/C lacks. */
EXPORTED int mysql_plugin_options(struct st_mysql_client_plugin *plugin, const char *option,
                                  const void *value)
{
    return plugin && plugin->options ? plugin->options(option, value) : 1;
}
