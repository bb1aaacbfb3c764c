/* SPDX-License-Identifier: Apache-2.0
 *
 * A trace plugin that does nothing: what is left is the price of tracing itself. */
#include <mysql/plugin_trace.h>

static int trace_event(struct st_mysql_client_plugin_TRACE *self, void *data, MYSQL *handle,
                       enum protocol_stage stage, enum trace_event event,
                       struct st_trace_event_args args)
{
    (void)self;
    (void)data;
    (void)handle;
    (void)stage;
    (void)event;
    (void)args;
    return 0;
}

/* clang-format off */
mysql_declare_client_plugin(TRACE)
    "empty_trace", "weir", "Does nothing", {1, 0, 0}, "Apache-2.0", NULL,
    NULL, NULL, NULL,
    NULL, NULL, trace_event
mysql_end_client_plugin;
