/* SPDX-License-Identifier: Apache-2.0
 *
 * From a conversation's events to a plugin's callbacks.
 *
 * A plugin may have been built with one of three headers: ours or MariaDB's (type 102), or Oracle's
 * (type 3), whose later versions have one more pointer before the methods. find_methods() is the
 * only place that knows this. */
#include "trace/protocol/traced_session.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { ORACLE_VERSION_WITH_GET_OPTIONS = 0x0200 };

#define SESSION_MAGIC 0x74726163655f7365ULL

struct methods {
    tracing_start_callback *start;
    tracing_stop_callback *stop;
    trace_event_handler *event;
};

struct trace_session {
    uint64_t
        magic; /* SESSION_MAGIC from begin to end: sessions are kept by code that is not ours */
    struct trace_conversation conversation;
    struct st_mysql_client_plugin_TRACE *plugin;
    struct methods methods;
    void *plugin_data;
    bool stopped;
    MYSQL *handle;        /* the client's, or own_handle */
    MYSQL *own_handle;    /* NULL: the client's is used */
    unsigned facts_shown; /* changes of the conversation's facts that the own handle shows */
};

static atomic_long live_sessions; /* that are not stopped */

static void check(const struct trace_session *session)
{
    assert(session && session->magic == SESSION_MAGIC);
}

static struct methods find_methods(const struct st_mysql_client_plugin_TRACE *plugin)
{
    struct methods methods = {plugin->tracing_start, plugin->tracing_stop, plugin->trace_event};
    if (plugin->type == TRACE_PLUGIN_TYPE_OF_ORACLE &&
        plugin->interface_version >= ORACLE_VERSION_WITH_GET_OPTIONS)
        memcpy(&methods,
               (const char *)plugin + offsetof(struct st_mysql_client_plugin_TRACE, tracing_stop),
               sizeof methods);
    return methods;
}

static void copy_text(char **slot, const char *text)
{
    if (text && (!*slot || strcmp(*slot, text) != 0)) {
        free(*slot);
        *slot = strdup(text);
    }
}

/* Copies the conversation's facts into the handle. A client's own handle gets only what the library
 * is about to set itself. */
static void refresh_handle(struct trace_session *session)
{
    const struct trace_facts *facts = &session->conversation.facts;
    MYSQL *handle = session->handle;
    if (facts->thread_id)
        handle->thread_id = facts->thread_id;
    if (!session->own_handle)
        return;
    handle->server_capabilities = (unsigned long)session->conversation.tracker.server_capabilities;
    handle->client_flag = (unsigned long)session->conversation.tracker.client_capabilities;
    handle->server_status = session->conversation.tracker.status;
    if (session->facts_shown == facts->changes)
        return; /* as before nearly every event */
    session->facts_shown = facts->changes;
    copy_text(&handle->user, facts->user);
    copy_text(&handle->db, facts->database);
    copy_text(&handle->server_version, facts->server_version);
    handle->net.last_errno = facts->error_number;
    snprintf(handle->net.last_error, sizeof handle->net.last_error, "%s", facts->error_text);
    memcpy(handle->net.sqlstate, facts->sqlstate, sizeof facts->sqlstate);
}

static void stop(struct trace_session *session)
{
    if (session->stopped)
        return;
    session->stopped = true;
    atomic_fetch_sub(&live_sessions, 1);
    if (session->methods.stop)
        session->methods.stop(session->plugin, session->handle, session->plugin_data);
}

static int on_event(void *context, enum protocol_stage stage, enum trace_event event,
                    const struct st_trace_event_args *args)
{
    struct trace_session *session = context;
    int refused = 0;
    check(session);
    if (session->stopped)
        return 1;
    refresh_handle(session);
    if (session->methods.event)
        refused = session->methods.event(session->plugin, session->plugin_data, session->handle,
                                         stage, event, *args);
    if (refused || event == TRACE_EVENT_DISCONNECTED)
        stop(session);
    return refused;
}

static struct trace_session *new_session(struct st_mysql_client_plugin_TRACE *plugin,
                                         const struct trace_session_info *info,
                                         enum protocol_stage stage)
{
    assert(plugin && info);
    assert(plugin->type == MYSQL_CLIENT_TRACE_PLUGIN ||
           plugin->type == TRACE_PLUGIN_TYPE_OF_ORACLE);
    struct trace_session *session = calloc(1, sizeof *session);
    MYSQL *own = info->handle ? NULL : calloc(1, sizeof *own);
    if (!session || (!own && !info->handle)) {
        free(session);
        free(own);
        return NULL;
    }
    session->magic = SESSION_MAGIC;
    session->plugin = plugin;
    session->methods = find_methods(plugin);
    session->own_handle = own;
    session->handle = own ? own : info->handle;
    if (own) {
        copy_text(&own->user, info->user);
        copy_text(&own->host, info->host);
        copy_text(&own->db, info->database);
        copy_text(&own->server_version, info->server_version);
        own->thread_id = info->thread_id;
        own->port = info->port;
    }
    atomic_fetch_add(&live_sessions, 1);
    if (session->methods.start)
        session->plugin_data = session->methods.start(plugin, session->handle, stage);
    return session;
}

struct trace_session *trace_session_begin(struct st_mysql_client_plugin_TRACE *plugin,
                                          const struct trace_session_info *info,
                                          const struct trace_options *options)
{
    struct trace_session *session = new_session(plugin, info, PROTOCOL_STAGE_CONNECTING);
    if (session)
        trace_conversation_begin(&session->conversation, options, on_event, session);
    return session;
}

struct trace_session *trace_session_resume(struct st_mysql_client_plugin_TRACE *plugin,
                                           const struct trace_session_info *info,
                                           const struct trace_options *options,
                                           uint64_t server_capabilities,
                                           uint64_t client_capabilities, uint16_t status)
{
    struct trace_session *session = new_session(plugin, info, PROTOCOL_STAGE_READY_FOR_COMMAND);
    if (session)
        trace_conversation_resume(&session->conversation, options, on_event, session,
                                  server_capabilities, client_capabilities, status);
    return session;
}

void trace_session_bytes(struct trace_session *session, enum wire_direction direction,
                         const uint8_t *bytes, size_t size)
{
    check(session);
    trace_conversation_bytes(&session->conversation, direction, bytes, size);
}

void trace_session_open_tls(struct trace_session *session)
{
    check(session);
    trace_conversation_open_tls(&session->conversation);
}

void trace_session_set_handle(struct trace_session *session, MYSQL *handle)
{
    check(session);
    assert(handle && !session->own_handle);
    session->handle = handle;
}

bool trace_session_is_over(const struct trace_session *session)
{
    check(session);
    return session->stopped || session->conversation.over;
}

const char *trace_session_problem(const struct trace_session *session)
{
    check(session);
    return session->conversation.problem;
}

const struct trace_conversation *trace_session_conversation(const struct trace_session *session)
{
    check(session);
    return &session->conversation;
}

long trace_session_count(void)
{
    return atomic_load(&live_sessions);
}

void trace_session_break_off(struct trace_session *session)
{
    if (!session)
        return;
    check(session);
    stop(session);
    session->magic = 0;
    trace_conversation_release(&session->conversation);
    if (session->own_handle) {
        free(session->own_handle->user);
        free(session->own_handle->host);
        free(session->own_handle->db);
        free(session->own_handle->server_version);
        free(session->own_handle);
    }
    free(session);
}

void trace_session_end(struct trace_session *session)
{
    if (!session)
        return;
    check(session);
    trace_conversation_end(&session->conversation);
    trace_session_break_off(session);
}
