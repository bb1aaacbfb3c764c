/* SPDX-License-Identifier: Apache-2.0
 *
 * trace: protocol trace plugins, from bytes to tracing_start / trace_event / tracing_stop.
 *
 *   conversation.h  bytes of one connection in, stages and events out
 *   wirefile.h      recordings as lines of JSON
 */
#ifndef WEIR_TRACE_TRACE_H
#define WEIR_TRACE_TRACE_H

#include "trace/conversation.h"
#include "trace/wirefile.h"

#endif
