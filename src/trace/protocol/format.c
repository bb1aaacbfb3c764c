/* SPDX-License-Identifier: Apache-2.0
 *
 * What the formats share: their names, the time, and what is masked. */
#include "trace/protocol/format.h"

#include <assert.h>
#include <string.h>

struct trace_output trace_output;

static const char *const names[] = {
#define X(enumerator, text, plugin) [enumerator] = (text),
    TRACE_FORMATS(X)
#undef X
};

const char *trace_format_name(enum trace_format format)
{
    assert((unsigned)format < sizeof names / sizeof names[0]);
    return names[format];
}

int trace_format_from_name(const char *name, enum trace_format *format)
{
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0) {
            *format = (enum trace_format)i;
            return 0;
        }
    }
    return -1;
}

struct st_mysql_client_plugin_TRACE *trace_format_plugin(enum trace_format format)
{
    static struct st_mysql_client_plugin_TRACE *const plugins[] = {
#define X(enumerator, text, plugin) [enumerator] = &(plugin),
        TRACE_FORMATS(X)
#undef X
    };
    assert((unsigned)format < sizeof plugins / sizeof plugins[0]);
    return plugins[format];
}

uint64_t trace_now(void)
{
    return trace_output.is_live ? clock_wall_ns() : trace_output.now_ns;
}

bool trace_is_secret(enum trace_event event, const struct st_trace_event_args *args)
{
    bool authenticates = event == TRACE_EVENT_SEND_AUTH_RESPONSE ||
                         event == TRACE_EVENT_SEND_AUTH_DATA ||
                         (event == TRACE_EVENT_SEND_COMMAND && args->cmd == WIRE_COM_CHANGE_USER);
    return authenticates && !trace_output.show_secrets;
}
