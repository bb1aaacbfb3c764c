/* SPDX-License-Identifier: Apache-2.0
 *
 * TCP segments back to the bytes of connections.
 *
 * Segments come in the order in which they were captured: late, twice, overlapping, or not at all.
 * Out of them come, for each connection, the bytes of both directions in the order in which they
 * can first have been seen whole. A gap that is not filled within pending_limit bytes is a loss:
 * the connection's bytes are not understood from there on.
 *
 * A connection whose beginning was not captured is begun in its middle: at the first segment of the
 * client's that holds exactly whole commands. */
#ifndef WEIR_TRACE_STREAMS_H
#define WEIR_TRACE_STREAMS_H

#include "base/base.h"
#include "wire/wire.h"

struct stream_endpoint {
    uint8_t address[16]; /* IPv4: mapped into IPv6 */
    uint16_t port;
};

struct stream_segment {
    struct stream_endpoint source, destination;
    uint32_t sequence;
    bool syn, ack, fin, rst;
    const uint8_t *bytes;
    size_t size;
    uint64_t time_ns;
};

/* What a user of streams is told of one connection. `connection` is what began() returned. */
struct stream_events {
    /* is_whole: from the first byte on. */
    void *(*began)(void *context, const struct stream_segment *first, bool is_whole);
    void (*bytes)(void *connection, enum wire_direction direction, const uint8_t *bytes,
                  size_t size, uint64_t time_ns);
    void (*lost)(void *connection, enum wire_direction direction); /* bytes are missing */
    void (*ended)(void *connection);                               /* last call for it */
};

struct streams;

/* port: the server's; a connection is of interest only when one end has it. */
struct streams *streams_new(uint16_t port, size_t pending_limit, const struct stream_events *events,
                            void *context);
void streams_segment(struct streams *streams, const struct stream_segment *segment);

/* Ends all connections and frees. */
void streams_free(struct streams *streams);

#endif
