/* SPDX-License-Identifier: Apache-2.0
 *
 * weir-trace's formats as a trace plugin, weir_trace.so, for the programs that it runs. weir-trace
 * sets the variables WEIR_TRACE_FORMAT, WEIR_TRACE_HEX, WEIR_TRACE_SHOW_SECRETS,
 * WEIR_TRACE_OUTPUT. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/protocol/trace_protocol.h"

static struct st_mysql_client_plugin_TRACE *format_plugin;

static int plugin_init(char *text, size_t size, int argc, va_list arguments)
{
    const char *format_name = getenv("WEIR_TRACE_FORMAT");
    const char *output = getenv("WEIR_TRACE_OUTPUT");
    enum trace_format format = TRACE_FORMAT_TEXT;
    if (format_name && trace_format_from_name(format_name, &format) < 0) {
        snprintf(text, size, "WEIR_TRACE_FORMAT=%s: no such format", format_name);
        return 1;
    }
    trace_output.stream = output ? fopen(output, "a") : stderr;
    if (!trace_output.stream) {
        snprintf(text, size, "%s: %s", output, strerror(errno));
        return 1;
    }
    setvbuf(trace_output.stream, NULL, _IOLBF, 0);
    trace_output.hex = getenv("WEIR_TRACE_HEX");
    trace_output.show_secrets = getenv("WEIR_TRACE_SHOW_SECRETS");
    test_trace_is_masking = !trace_output.show_secrets;
    trace_output.is_live = true;
    if (format == TRACE_FORMAT_TEST_TRACE)
        setenv("MYSQL_TEST_TRACE_DEBUG", "1", 0);
    format_plugin = trace_format_plugin(format);
    return format_plugin->init ? format_plugin->init(text, size, argc, arguments) : 0;
}

static int plugin_deinit(void)
{
    int result = format_plugin && format_plugin->deinit ? format_plugin->deinit() : 0;
    if (trace_output.stream && trace_output.stream != stderr)
        fclose(trace_output.stream);
    return result;
}

static void *trace_start(struct st_mysql_client_plugin_TRACE *self, MYSQL *handle,
                         enum protocol_stage stage)
{
    (void)self;
    return format_plugin->tracing_start(format_plugin, handle, stage);
}

static void trace_stop(struct st_mysql_client_plugin_TRACE *self, MYSQL *handle, void *data)
{
    (void)self;
    format_plugin->tracing_stop(format_plugin, handle, data);
}

static int trace_event(struct st_mysql_client_plugin_TRACE *self, void *data, MYSQL *handle,
                       enum protocol_stage stage, enum trace_event event,
                       struct st_trace_event_args args)
{
    (void)self;
    return format_plugin->trace_event(format_plugin, data, handle, stage, event, args);
}

/* clang-format off */
mysql_declare_client_plugin(TRACE)
    "weir_trace",
    "weir",
    "Shows the conversation in one of weir-trace's formats",
    {1, 0, 0},
    "Apache-2.0",
    NULL,
    plugin_init,
    plugin_deinit,
    NULL,
    trace_start,
    trace_stop,
    trace_event
mysql_end_client_plugin;
