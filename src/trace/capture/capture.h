/* SPDX-License-Identifier: Apache-2.0
 *
 * Network captures, from files (pcap, pcapng) and live interfaces, as TCP segments. */
#ifndef WEIR_TRACE_CAPTURE_FRAMES_H
#define WEIR_TRACE_CAPTURE_FRAMES_H

#include "trace/capture/streams.h"

/* Finds the TCP segment in one captured frame. link_type is libpcap's DLT_ number. Returns false if
 * there is none: another protocol, a fragment, cut short. segment->bytes points into frame; time_ns
 * is left as it is. Pure. */
WEIR_MUST_CHECK bool capture_decode(int link_type, const uint8_t *frame, size_t size,
                                    struct stream_segment *segment);

/* Feeds all of a file into streams. Returns -1 and error if the file can't be read. */
WEIR_MUST_CHECK int capture_file(const char *path, struct streams *streams, struct error *error);

/* Feeds the traffic of an interface into streams until *stop is other than 0 (looked at every 100
 * ms). Blocks. Returns -1 and error. */
WEIR_MUST_CHECK int capture_live(const char *interface, unsigned port, struct streams *streams,
                                 const volatile int *stop, struct error *error);

#endif
