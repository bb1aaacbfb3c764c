/* SPDX-License-Identifier: Apache-2.0
 *
 * From recordings and captures to trace sessions. */
#ifndef WEIR_TRACE_REPLAY_H
#define WEIR_TRACE_REPLAY_H

#include "trace/capture/trace_capture.h"
#include "trace/protocol/trace_protocol.h"

int replay_wire_file(struct st_mysql_client_plugin_TRACE *plugin, const char *path,
                     struct error *error);

/* interface NULL: path is a file; else until *stop is other than 0. */
int replay_capture(struct st_mysql_client_plugin_TRACE *plugin, const char *path,
                   const char *interface, uint16_t port, const volatile int *stop,
                   struct error *error);

#endif
