/* SPDX-License-Identifier: Apache-2.0
 *
 * Network captures, from files (pcap, pcapng) and live interfaces, as TCP segments. */
#ifndef WEIR_TRACE_CAPTURE_H
#define WEIR_TRACE_CAPTURE_H

#include "trace/streams.h"

/* Finds the TCP segment in one captured frame. link_type is libpcap's DLT_ number. false: there is
 * none (another protocol, a fragment, cut short). segment->bytes points into frame; time_ns is left
 * alone. */
bool capture_decode(int link_type, const uint8_t *frame, size_t size,
                    struct stream_segment *segment);

/* Feeds all of a file into streams. -1 and error when it can't be read. */
int capture_file(const char *path, struct streams *streams, struct error *error);

/* Feeds what passes an interface until *stop is other than 0. */
int capture_live(const char *interface, unsigned port, struct streams *streams,
                 const volatile int *stop, struct error *error);

#endif
