/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to the room: how the patched places of a client library report what they see. */
#ifndef WEIR_TRACE_TRAFFIC_H
#define WEIR_TRACE_TRAFFIC_H

#include <stddef.h>

#include <mysql.h>

/* Called on the library's thread, after it has read or written. is_write: 0 read, 1 written. size:
 * 0, or negative as a signed number, if the call failed. bytes NULL: the socket is about to be
 * closed. handle may be NULL. Must keep errno. */
typedef void traffic_function(int is_write, MYSQL *handle, const unsigned char *bytes, size_t size);

#endif
