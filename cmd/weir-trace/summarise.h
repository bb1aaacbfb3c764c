/* SPDX-License-Identifier: Apache-2.0
 *
 * The summary of a recording or a capture, as a trace plugin that prints nothing until the end. */
#ifndef WEIR_TRACE_SUMMARISE_H
#define WEIR_TRACE_SUMMARISE_H

#include "trace/protocol/trace_protocol.h"
#include "trace/summary/trace_summary.h"

/* Sets the summary that the plugin adds to; borrowed until the plugin is unloaded. Returns the
 * plugin, which is static. It reads trace_output.conversation. */
struct st_mysql_client_plugin_TRACE *summarise_into(struct summary *summary);

#endif
