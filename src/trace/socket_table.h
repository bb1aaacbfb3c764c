/* SPDX-License-Identifier: Apache-2.0
 *
 * The way into a Connector/C that is linked into a program and exports nothing (mariadb-dump is
 * one): the table of functions through which it reads, writes and closes its sockets.
 *
 * The table is found by the declaration that stands in front of it: type and version of an I/O
 * plugin and a pointer to its name, "pvio_socket", in the writable memory of the file that holds
 * `caller`. Nothing else is touched, and nothing is done when the declaration is not there exactly
 * once. TLS goes past these functions: of such connections only the part before the handshake is
 * seen. */
#ifndef WEIR_TRACE_SOCKET_TABLE_H
#define WEIR_TRACE_SOCKET_TABLE_H

#include <stdbool.h>

#include <mysql/plugin_trace.h>

/* is_write: 0 read, 1 written; size 0: the socket was closed, or the call failed. */
typedef void socket_bytes(int is_write, MYSQL *handle, const unsigned char *bytes, size_t size);

/* Has `callback` called from now on. caller: an address in the library. false: no table was found.
 */
bool socket_table_attach(void *caller, socket_bytes *callback);

/* Puts the library's own functions back. */
void socket_table_detach(void);

#endif
