/* SPDX-License-Identifier: Apache-2.0
 *
 * trace: protocol trace plugins, from bytes to tracing_start / trace_event / tracing_stop.
 *
 *   conversation.h  bytes of one connection in, stages and events out
 *   session.h       one connection under a plugin
 *   host.h          loads the one plugin of a process; which sessions it is to see
 *   format.h        plugins that are part of the programs: text, JSON, test_trace
 *   wirefile.h      recordings as lines of JSON
 *   streams.h       TCP segments back to bytes; capture.h: segments from pcap files and interfaces
 *
 * attach.c and socket_table.c are not here: they make the library libweir-trace, which trace
 * plugins are linked with, so that the same plugin works inside an unmodified client program. */
#ifndef WEIR_TRACE_TRACE_H
#define WEIR_TRACE_TRACE_H

#include "trace/capture.h"
#include "trace/conversation.h"
#include "trace/format.h"
#include "trace/host.h"
#include "trace/session.h"
#include "trace/streams.h"
#include "trace/wirefile.h"

#endif
