/* SPDX-License-Identifier: Apache-2.0
 *
 * The smallest useful trace plugin: it prints the number of each stage and event. */
#include <stdio.h>

#include <mysql.h>
#include <mysql/plugin_trace.h>

static int plugin_init(char *errbuf, size_t errbuf_len, int argc, va_list args)
{
    if (errbuf_len > 0)
        errbuf[0] = 0; /* nothing can fail here */
    (void)argc;
    (void)args;
    return 0;
}

static int plugin_deinit(void)
{
    return 0;
}

static int plugin_options(const char *option, const void *value)
{
    (void)option;
    (void)value;
    return 0;
}

static void *trace_start(struct st_mysql_client_plugin_TRACE *self, MYSQL *conn,
                         enum protocol_stage stage)
{
    static int no_data;
    (void)self;
    (void)conn;
    printf("Initializing trace: stage %d\n", (int)stage);
    printf("Trace initialized\n");
    return &no_data;
}

static int trace_event(struct st_mysql_client_plugin_TRACE *self, void *data, MYSQL *conn,
                       enum protocol_stage stage, enum trace_event event,
                       struct st_trace_event_args args)
{
    (void)self;
    (void)data;
    (void)conn;
    (void)args;
    if (event == TRACE_EVENT_DISCONNECTED)
        printf("Connection closed\n");
    else
        printf("Trace event received: stage %d, event %d\n", (int)stage, (int)event);
    return 0; /* anything else stops the tracing of this connection */
}

static void trace_stop(struct st_mysql_client_plugin_TRACE *self, MYSQL *conn, void *data)
{
    (void)self;
    (void)conn;
    (void)data;
    printf("Terminating trace\n");
}

/* clang-format off */
mysql_declare_client_plugin(TRACE)
    "simple_trace",
    "weir",
    "Prints the number of each stage and event",
    {1, 0, 0},
    "Apache-2.0",
    NULL,
    plugin_init,
    plugin_deinit,
    plugin_options,
    trace_start,
    trace_stop,
    trace_event
mysql_end_client_plugin;
