/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/tracing.h"

#include "trace/trace.h"

static bool is_wanted(const struct session *session, const char *user)
{
    struct trace_host *host = session->worker->gateway->trace;
    return host &&
           trace_host_wants(host, user, session->facts.text[WEIR_TEXT_host].data, session->id);
}

static struct trace_session_info info_of(const struct session *session)
{
    return (struct trace_session_info){
        .user = session->user,
        .host = session->facts.text[WEIR_TEXT_host].data,
        .database = session->database.data,
        .thread_id = session->id,
        .port = (unsigned)session->facts.number[WEIR_NUMBER_client_port],
    };
}

static struct trace_options options_of(const struct session *session)
{
    return (struct trace_options){.keep_limit =
                                      (size_t)session->worker->gateway->options->max_command_bytes};
}

void tracing_accept(struct session *session)
{
    if (!is_wanted(session, NULL))
        return;
    struct trace_session_info info = info_of(session);
    struct trace_options options = options_of(session);
    session->trace =
        trace_session_begin(trace_host_plugin(session->worker->gateway->trace), &info, &options);
}

void tracing_command(struct session *session)
{
    if (session->trace || !is_wanted(session, session->user))
        return;
    struct trace_session_info info = info_of(session);
    struct trace_options options = options_of(session);
    session->trace =
        trace_session_resume(trace_host_plugin(session->worker->gateway->trace), &info, &options,
                             session->tracker.server_capabilities,
                             session->tracker.client_capabilities, session->tracker.status);
}

void tracing_show(struct session *session, enum wire_direction direction, const void *bytes,
                  size_t size)
{
    if (!trace_session_is_over(session->trace))
        trace_session_bytes(session->trace, direction, bytes, size);
}

void tracing_end(struct session *session)
{
    trace_session_end(session->trace);
    session->trace = NULL;
}
