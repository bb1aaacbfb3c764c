/* SPDX-License-Identifier: Apache-2.0
 *
 * From recordings and captures (trace/capture) to trace sessions (trace/protocol). */
#ifndef WEIR_TRACE_REPLAY_H
#define WEIR_TRACE_REPLAY_H

#include "trace/capture/trace_capture.h"
#include "trace/protocol/trace_protocol.h"

/* Traces a recording; the plugin is borrowed. Returns -1 and error. */
WEIR_MUST_CHECK int replay_wire_file(struct st_mysql_client_plugin_TRACE *plugin, const char *path,
                                     struct error *error);

/* Traces a capture: the file `path` if interface is NULL, else the interface until *stop is other
 * than 0. Returns -1 and error. */
WEIR_MUST_CHECK int replay_capture(struct st_mysql_client_plugin_TRACE *plugin, const char *path,
                                   const char *interface, uint16_t port, const volatile int *stop,
                                   struct error *error);

#endif
