/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of functions through which Connector/C reads, writes and closes its sockets.
 *
 * It is used for two things. To see the bytes: then the table is found by the declaration that stands
 * in front of it, type and version of an I/O plugin and a pointer to its name, "pvio_socket", in the
 * writable memory of the file that holds `caller`, be it the library or a program that has it linked
 * in. Nothing is done when the declaration is not there exactly once. TLS goes past these functions:
 * its plaintext is seen at the file's own calls of OpenSSL (import_table.h), where OpenSSL is a shared
 * library. And to learn when a connection is closed, which the library tells nobody, before the
 * handle is freed. */
#ifndef WEIR_TRACE_SOCKET_TABLE_H
#define WEIR_TRACE_SOCKET_TABLE_H

#include <stdbool.h>

#include <mysql/plugin_trace.h>

/* is_write: 0 read, 1 written. size 0, or negative as a signed number: the call failed. bytes NULL:
 * the socket is about to be closed. */
typedef void socket_bytes(int is_write, MYSQL *handle, const unsigned char *bytes, size_t size);

/* Has `callback` called for all of these from now on. caller: an address in the library. needs_tls:
 * only if the plaintext of TLS connections is seen too. false: nothing is seen, and nothing has been
 * changed. */
bool socket_table_attach(void *caller, socket_bytes *callback, bool needs_tls);

/* Has `callback` called when connections are closed, those that share handle's table. Any thread.
 */
void socket_table_watch_close(const MYSQL *handle, socket_bytes *callback);

/* Puts the library's own functions back. */
void socket_table_detach(void);

#endif
