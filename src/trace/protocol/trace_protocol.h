/* SPDX-License-Identifier: Apache-2.0
 *
 * trace/protocol: from the bytes of a MySQL connection to MySQL's protocol trace callbacks.
 *
 * Promises: bytes of both directions, however cut, become tracing_start, trace_event and
 * tracing_stop exactly as a blocking client library would have made them. Whoever has the bytes can
 * use it: the gateway, a recording, a client library that was attached to.
 *
 *   conversation.h       bytes of one connection in, stages and events out
 *   traced_session.h     one connection under a plugin
 *   trace_plugin_host.h  loads the one plugin of a process; which sessions it sees
 *   format.h             plugins that are part of the programs: text, JSON, test_trace
 *
 * Uses wire and base. No sockets and no threads; only the host loads code and has locks
 * (tests/unit/trace/pure_protocol.py reads the symbols). */
#ifndef WEIR_TRACE_PROTOCOL_H
#define WEIR_TRACE_PROTOCOL_H

#include "trace/protocol/conversation.h"
#include "trace/protocol/format.h"
#include "trace/protocol/trace_plugin_host.h"
#include "trace/protocol/traced_session.h"

#endif
