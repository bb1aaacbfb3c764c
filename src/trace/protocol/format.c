/* SPDX-License-Identifier: Apache-2.0
 *
 * What the formats share: their names, the time, and what is masked. */
#include "trace/protocol/format.h"

#include <assert.h>
#include <string.h>

#include "sql/sql.h"

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

double trace_seconds(uint64_t from_ns, uint64_t to_ns)
{
    return to_ns >= from_ns ? (double)(to_ns - from_ns) / 1e9 : -(double)(from_ns - to_ns) / 1e9;
}

/* ---- What is masked ---- */

struct wire_string trace_statement(const MYSQL *handle, const struct st_trace_event_args *args)
{
    uint64_t capabilities = (uint64_t)handle->client_flag & handle->server_capabilities;
    struct wire_query query;
    if (args->cmd != WIRE_COM_QUERY && args->cmd != WIRE_COM_STMT_PREPARE)
        return (struct wire_string){NULL, 0};
    /* The decoder counts the command byte, which is the byte before. */
    if (args->cmd == WIRE_COM_QUERY && capabilities & WIRE_CAP(CLIENT_QUERY_ATTRIBUTES) &&
        wire_decode_query(args->pkt - 1, args->pkt_len + 1, capabilities, &query))
        return query.text;
    return (struct wire_string){(const char *)args->pkt, args->pkt_len};
}

static struct sql_span span_of(struct wire_string text)
{
    return (struct sql_span){text.data, text.size};
}

bool trace_mask_statement(struct strbuf *masked, struct wire_string statement)
{
    return !trace_output.show_secrets && statement.data &&
           sql_may_hold_secret(span_of(statement)) && sql_redact(masked, span_of(statement));
}

bool trace_mask_message(struct strbuf *masked, struct wire_string message, bool of_secret)
{
    return !trace_output.show_secrets && message.data &&
           sql_redact_message(masked, span_of(message), of_secret);
}

static bool authenticates(enum trace_event event, const struct st_trace_event_args *args)
{
    return event == TRACE_EVENT_SEND_AUTH_RESPONSE || event == TRACE_EVENT_SEND_AUTH_DATA ||
           (event == TRACE_EVENT_SEND_COMMAND && args->cmd == WIRE_COM_CHANGE_USER);
}

bool trace_is_secret(enum trace_event event, const MYSQL *handle,
                     const struct st_trace_event_args *args, bool of_secret)
{
    struct strbuf masked = STRBUF_INIT;
    struct wire_err err;
    bool is_secret = !trace_output.show_secrets && authenticates(event, args);
    if (event == TRACE_EVENT_SEND_COMMAND)
        is_secret = is_secret || trace_mask_statement(&masked, trace_statement(handle, args));
    else if (event == TRACE_EVENT_PACKET_RECEIVED && args->pkt_len > 0 && args->pkt[0] == 0xff &&
             wire_decode_err(args->pkt, args->pkt_len, &err))
        is_secret = trace_mask_message(&masked, err.message, of_secret);
    strbuf_release(&masked);
    return is_secret;
}
