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

/* Returns true if frames of this link layer can be decoded. Pure. */
bool capture_link_is_known(int link_type);

struct capture_counts {
    uint64_t packets;   /* frames of whatever protocol */
    uint64_t cut_short; /* of those, captured in part only (snaplen) */
    uint64_t dropped;   /* live: by the system, because they came too fast */
};

/* Feeds all of a file into streams, and counts. Returns -1 and error if the file can't be read. */
WEIR_MUST_CHECK int capture_file(const char *path, struct streams *streams,
                                 struct capture_counts *counts, struct error *error);

/* Feeds the traffic of an interface into streams until *stop is other than 0 (looked at every 100
 * ms), and counts. port 0: of all ports. Blocks. Returns -1 and error. */
WEIR_MUST_CHECK int capture_live(const char *interface, unsigned port, struct streams *streams,
                                 struct capture_counts *counts, const volatile int *stop,
                                 struct error *error);

#endif
