/* SPDX-License-Identifier: Apache-2.0
 *
 * One connection under a trace plugin: the conversation's events become the plugin's callbacks.
 *
 * The order of calls that a plugin may rely on is kept here: tracing_start once, events until the
 * connection ends or the plugin declines more, tracing_stop once. Methods that are NULL are not
 * called.
 *
 * Any thread, one at a time for each session. A plugin must not call back into its session. */
#ifndef WEIR_TRACE_TRACED_SESSION_H
#define WEIR_TRACE_TRACED_SESSION_H

#include "trace/protocol/conversation.h"

/* The type that Oracle's header gives to trace plugins; ours and MariaDB's is
 * MYSQL_CLIENT_TRACE_PLUGIN. */
enum { TRACE_PLUGIN_TYPE_OF_ORACLE = 3 };

struct trace_session;

/* What is known when the connection begins; all texts are borrowed for the call and may be NULL. */
struct trace_session_info {
    const char *user, *host, *database;
    const char *server_version; /* NULL: from the greeting */
    unsigned long thread_id;    /* 0: from the greeting */
    unsigned port;
    MYSQL *handle; /* the client's own, borrowed; NULL: the session makes one with these facts */
};

/* Begins: tracing_start, CONNECTING, CONNECTED. The plugin is borrowed until the session has ended,
 * options are copied. Returns owned; NULL: no memory. */
WEIR_MUST_CHECK struct trace_session *
trace_session_begin(struct st_mysql_client_plugin_TRACE *plugin,
                    const struct trace_session_info *info, const struct trace_options *options);

/* Begins in the middle of a connection whose login was not seen; the next bytes must be a command.
 * Returns owned; NULL: no memory. */
WEIR_MUST_CHECK struct trace_session *
trace_session_resume(struct st_mysql_client_plugin_TRACE *plugin,
                     const struct trace_session_info *info, const struct trace_options *options,
                     uint64_t server_capabilities, uint64_t client_capabilities, uint16_t status);

/* Reads bytes of the connection, in the order seen, however cut; borrowed for the call. */
void trace_session_bytes(struct trace_session *session, enum wire_direction direction,
                         const uint8_t *bytes, size_t size);

/* See trace_conversation_open_tls(). */
void trace_session_open_tls(struct trace_session *session);

/* The client's handle has moved. Only for sessions that were begun with one. */
void trace_session_set_handle(struct trace_session *session, MYSQL *handle);

/* Returns true if the plugin declined more events or the connection has ended: further bytes are
 * ignored. */
bool trace_session_is_over(const struct trace_session *session);

/* Why bytes are no longer understood, as static text; NULL while they are. */
const char *trace_session_problem(const struct trace_session *session);

/* The state of the connection; borrowed until the session has ended. */
const struct trace_conversation *trace_session_conversation(const struct trace_session *session);

/* The connection goes on and is no longer traced: calls tracing_stop unless that was done, and
 * frees. NULL is allowed. */
void trace_session_break_off(struct trace_session *session);

/* The number of sessions, in the whole process, that have begun and whose tracing_stop was not
 * called. Any thread. */
long trace_session_count(void);

/* The connection is closed: reports what is left, calls tracing_stop unless that was done, and
 * frees. NULL is allowed. */
void trace_session_end(struct trace_session *session);

#endif
