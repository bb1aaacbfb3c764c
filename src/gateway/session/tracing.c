/* SPDX-License-Identifier: Apache-2.0
 *
 * Joins a session to the trace plugin of the process, which is loaded once and stays. */
#include "gateway/session/tracing.h"

#include "trace/protocol/trace_protocol.h"

static struct trace_host *host_of(const struct session *session)
{
    return atomic_load_explicit(environment_of(session)->trace, memory_order_acquire);
}

static bool is_wanted(const struct session *session, const char *user)
{
    struct trace_host *host = host_of(session);
    const struct trace_candidate candidate = {user,
                                              session->observed.handle.text[WEIR_TEXT_host].data,
                                              {session->observed.id, session->backend_id}};
    return host && trace_host_wants(host, &candidate);
}

static struct trace_session_info info_of(const struct session *session)
{
    const struct observed *observed = &session->observed;
    return (struct trace_session_info){
        .user = observed->identity.user,
        .host = observed->handle.text[WEIR_TEXT_host].data,
        .database = observed->identity.database.data,
        .server_version = observed->backend_version,
        .thread_id = observed->id,
        .port = (unsigned)observed->handle.number[WEIR_NUMBER_client_port],
    };
}

static struct trace_options options_of(const struct session *session)
{
    return (struct trace_options){.keep_limit = environment_of(session)->max_command_bytes,
                                  .is_inflated = true};
}

void tracing_accept(struct session *session)
{
    if (!is_wanted(session, NULL))
        return;
    struct trace_session_info info = info_of(session);
    struct trace_options options = options_of(session);
    session->trace = trace_session_begin(trace_host_plugin(host_of(session)), &info, &options);
}

void tracing_begin_late(struct session *session)
{
    if (!is_wanted(session, session->observed.identity.user))
        return;
    struct trace_session_info info = info_of(session);
    struct trace_options options = options_of(session);
    session->trace = trace_session_resume(trace_host_plugin(host_of(session)), &info, &options,
                                          session->tracker.server_capabilities,
                                          session->client.capabilities, session->tracker.status);
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

void session_follow_trace(struct session *session)
{
    session_check(session);
    if (!session->trace || is_wanted(session, session->observed.identity.user))
        return;
    trace_session_break_off(session->trace);
    session->trace = NULL;
}
