/* SPDX-License-Identifier: Apache-2.0
 *
 * trace/capture: where weir-trace gets the bytes of connections that it is no part of.
 *
 * Promises: recordings and network captures, in files and live, come out as the bytes of both
 * directions of each connection, in order. What the bytes mean is not known here; cmd/weir-trace
 * gives them to trace/protocol.
 *
 *   wirefile.h  recordings as lines of JSON
 *   streams.h   TCP segments back to the bytes of connections
 *   capture.h   segments from pcap files and interfaces
 *
 * Uses wire and base. One thread at a time for each object. All of this reads foreign bytes: each
 * part has a fuzz target in tests/fuzz/trace. */
#ifndef WEIR_TRACE_CAPTURE_H
#define WEIR_TRACE_CAPTURE_H

#include "trace/capture/capture.h"
#include "trace/capture/streams.h"
#include "trace/capture/wirefile.h"

#endif
