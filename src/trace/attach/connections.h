/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to the room: the connections of a client library that are traced.
 *
 * Bytes are matched to a trace session by the library's handle. Any thread: the library's own
 * threads call in. */
#ifndef WEIR_TRACE_CONNECTIONS_H
#define WEIR_TRACE_CONNECTIONS_H

#include "trace/attach/traffic.h"
#include "trace/protocol/trace_protocol.h"

/* From now on connections that begin are shown to the plugin, which is borrowed until the end. Before
 * any traffic is reported. */
void connections_begin(struct st_mysql_client_plugin_TRACE *plugin);

/* A traffic_function. Connections whose greeting was not seen are ignored. */
void connections_on_traffic(int is_write, MYSQL *handle, const unsigned char *bytes, size_t size);

/* Ends all sessions. No traffic must be reported any more. */
void connections_end(void);

#endif
