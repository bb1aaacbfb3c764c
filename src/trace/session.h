/* SPDX-License-Identifier: Apache-2.0
 *
 * One connection under a trace plugin: the conversation's events become the plugin's callbacks.
 *
 * The life that a plugin may rely on is kept here: tracing_start once, events until the connection
 * ends or the plugin wants no more, tracing_stop once; methods that are NULL are not called. */
#ifndef WEIR_TRACE_SESSION_H
#define WEIR_TRACE_SESSION_H

#include "trace/conversation.h"

struct trace_session;

/* What is known when the connection begins; all texts are borrowed for the call and may be NULL. */
struct trace_session_info {
    const char *user, *host, *database;
    const char *server_version; /* NULL: taken from the greeting */
    unsigned long thread_id;    /* 0: taken from the greeting */
    unsigned port;
    MYSQL *
        handle; /* the client's own, borrowed; NULL: the session makes one that shows these facts */
};

/* Begins: tracing_start, CONNECTING, CONNECTED. The plugin lives longer than the session. NULL: no
 * memory. */
struct trace_session *trace_session_begin(struct st_mysql_client_plugin_TRACE *plugin,
                                          const struct trace_session_info *info,
                                          const struct trace_options *options);

/* Begins in the middle of a connection whose login was not seen; the next bytes must be a command.
 */
struct trace_session *trace_session_resume(struct st_mysql_client_plugin_TRACE *plugin,
                                           const struct trace_session_info *info,
                                           const struct trace_options *options,
                                           uint64_t server_capabilities,
                                           uint64_t client_capabilities, uint16_t status);

/* Bytes of the connection, in the order seen, however cut. */
void trace_session_bytes(struct trace_session *session, enum wire_direction direction,
                         const uint8_t *bytes, size_t size);

/* The client's handle has moved. Only for sessions that were begun with one. */
void trace_session_set_handle(struct trace_session *session, MYSQL *handle);

/* True when the plugin wants no more, or the connection has ended: bytes need not be given. */
bool trace_session_is_over(const struct trace_session *session);

/* Why bytes are no longer understood: a static sentence; NULL while all is well. */
const char *trace_session_problem(const struct trace_session *session);

/* For what asks where the connection stands. */
const struct trace_conversation *trace_session_conversation(const struct trace_session *session);

/* The connection goes on and is not traced any longer: calls tracing_stop unless that is done,
 * frees. NULL is allowed. */
void trace_session_break_off(struct trace_session *session);

/* Connections that a plugin is being shown at this moment, in the whole process. Any thread. */
long trace_session_count(void);

/* The connection is closed: reports what is left, calls tracing_stop unless that is done, frees.
 * NULL is allowed. */
void trace_session_end(struct trace_session *session);

#endif
