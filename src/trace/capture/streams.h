/* SPDX-License-Identifier: Apache-2.0
 *
 * TCP segments back to the bytes of connections.
 *
 * Segments are given in the order in which they were captured: late, twice, overlapping, or not at
 * all. The result is, for each connection, the bytes of both directions in the order in which they
 * can first have been complete. A gap that is not filled within pending_limit bytes, or before the
 * connection ends, is a loss; no bytes of the connection are delivered after it.
 *
 * Conversations are found by the server's greeting, on any port, or are all connections with one
 * port. A connection whose beginning was not captured begins in its middle: at the client's first
 * segment that holds exactly whole commands; where the port is not given, only once the next segment
 * looks like a reply. Pure: no thread, no socket, no file. */
#ifndef WEIR_TRACE_STREAMS_H
#define WEIR_TRACE_STREAMS_H

#include "base/base.h"
#include "wire/wire.h"

struct stream_endpoint {
    uint8_t address[16]; /* IPv4: mapped into IPv6 */
    uint16_t port;
};

enum { STREAM_ADDRESS_BYTES = 46 }; /* of an address as text, with its NUL */

/* Writes the address, without the port. */
void stream_address_text(const struct stream_endpoint *endpoint, char text[STREAM_ADDRESS_BYTES]);

struct stream_segment {
    struct stream_endpoint source, destination;
    uint32_t sequence;
    bool syn, ack, fin, rst;
    const uint8_t *bytes;
    size_t size;
    uint64_t time_ns;
};

struct stream_beginning {
    const struct stream_endpoint *client, *server;
    uint64_t time_ns; /* of the first segment of the connection that was seen */
    bool is_whole;    /* from the first byte on */
};

/* Callbacks about one conversation. `connection` is what began() returned, which may be NULL. All are
 * required. What is passed is borrowed for the call. */
struct stream_events {
    void *(*began)(void *context, const struct stream_beginning *beginning);
    void (*bytes)(void *connection, enum wire_direction direction, const uint8_t *bytes,
                  size_t size, uint64_t time_ns);
    void (*lost)(void *connection, enum wire_direction direction); /* bytes are missing */
    void (*ended)(void *connection);                               /* last call for it */
};

struct streams;

/* What was seen so far. */
struct stream_counts {
    uint64_t segments;      /* of TCP, on whatever port */
    uint64_t conversations; /* that began */
    uint64_t missing_bytes; /* of those, in both directions */
};

/* Returns owned; NULL: no memory. port: the server's, and connections without it are ignored; 0: any.
 * events are copied, context is borrowed until the end. pending_limit: bytes, of each direction. */
WEIR_MUST_CHECK struct streams *streams_new(uint16_t port, size_t pending_limit,
                                            const struct stream_events *events, void *context);

/* Adds one segment; borrowed for the call. */
void streams_segment(struct streams *streams, const struct stream_segment *segment);

/* Borrowed; what is missing before segments that came early is counted when a connection ends. */
const struct stream_counts *streams_counts(const struct streams *streams);

/* Ends all connections. */
void streams_end_all(struct streams *streams);

/* Ends all connections and frees. NULL is allowed. */
void streams_free(struct streams *streams);

#endif
