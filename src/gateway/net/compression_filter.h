/* SPDX-License-Identifier: Apache-2.0
 *
 * MySQL's compressed protocol as a filter of a leg: zlib or zstd, over TLS or a socket. */
#ifndef WEIR_GATEWAY_NET_COMPRESSION_FILTER_H
#define WEIR_GATEWAY_NET_COMPRESSION_FILTER_H

#include "compression/compression.h"
#include "gateway/leg/leg.h"

struct compression_settings {
    enum compression_algorithm algorithm;
    int level;
    bool is_server;    /* the peer is a client: it begins each exchange */
    size_t most_bytes; /* that a frame of the peer's may have */
};

/* Puts the filter on top of the leg's, where the login's OK has been agreed upon. What the leg has yet to
 * send, and raw_packets more of whole packets (the OK itself), go out as they are; everything after
 * them, and all that is read from now on, is compressed. Nothing may have been read ahead. false: no
 * memory. */
WEIR_MUST_CHECK bool compression_push(struct leg *leg, const struct compression_settings *settings,
                                      unsigned raw_packets);

#endif
