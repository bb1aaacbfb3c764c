/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to the room: the table of functions through which Connector/C reads, writes and closes its
 * sockets. Functions of ours are put into it, which call the library's own and report the traffic.
 *
 * It serves two purposes. To see the bytes, the table is found by the declaration before it: type
 * and version of an I/O plugin and a pointer to its name, "pvio_socket", in the writable memory of
 * the file that holds `caller`, be it the library or a program that has it linked in. And to know
 * when a connection is closed, before the handle is freed: the library notifies nobody. */
#ifndef WEIR_TRACE_SOCKET_TABLE_H
#define WEIR_TRACE_SOCKET_TABLE_H

#include <stdbool.h>

#include "base/base.h"
#include "trace/attach/traffic.h"

/* Reports all traffic, and closed connections, to `callback` from now on. caller: an address in the
 * library. Returns false if the declaration is not there exactly once; nothing was changed then. */
WEIR_MUST_CHECK bool socket_table_attach(void *caller, traffic_function *callback);

/* Reports closed connections of those that share handle's table, unless the table is patched
 * already. Any thread. */
void socket_table_watch_close(const MYSQL *handle, traffic_function *callback);

/* Puts the library's own functions back. Does nothing if nothing is attached. */
void socket_table_detach(void);

#endif
