/* SPDX-License-Identifier: Apache-2.0
 *
 * From captured frames to TCP segments: link layer, IP, TCP. Everything is read through the bounded
 * reader; what does not fit is no segment. Network byte order is big-endian, the reader's is
 * little-endian: hence wire_read_u16_network(). */
#include <arpa/inet.h>
#include <assert.h>
#include <pcap/dlt.h>
#include <string.h>

#include "trace/capture/capture.h"

enum {
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_IPV6 = 0x86dd,
    ETHERTYPE_VLAN = 0x8100,
    ETHERTYPE_QINQ = 0x88a8,
    PROTOCOL_TCP = 6,
    FLAG_FIN = 0x01,
    FLAG_SYN = 0x02,
    FLAG_RST = 0x04,
    FLAG_ACK = 0x10,
};

bool capture_link_is_known(int link_type)
{
    switch (link_type) {
    case DLT_EN10MB:
    case DLT_LINUX_SLL:
    case DLT_LINUX_SLL2:
    case DLT_NULL:
    case DLT_LOOP:
    case DLT_RAW:
    case DLT_IPV4:
    case DLT_IPV6:
        return true;
    default:
        return false;
    }
}

/* Skips the link layer. Returns the ethertype; 0 if there is no IP. */
static uint16_t skip_link(int link_type, struct wire_reader *r)
{
    uint16_t type = 0;
    switch (link_type) {
    case DLT_EN10MB:
        wire_skip(r, 12);
        type = wire_read_u16_network(r);
        while (type == ETHERTYPE_VLAN || type == ETHERTYPE_QINQ) {
            wire_skip(r, 2);
            type = wire_read_u16_network(r);
        }
        return r->failed ? 0 : type;
    case DLT_LINUX_SLL:
        wire_skip(r, 14);
        return wire_read_u16_network(r);
    case DLT_LINUX_SLL2:
        type = wire_read_u16_network(r);
        wire_skip(r, 18);
        return type;
    case DLT_NULL:
    case DLT_LOOP:
        wire_skip(r, 4);
        break;
    case DLT_RAW:
    case DLT_IPV4:
    case DLT_IPV6:
        break;
    default:
        return 0;
    }
    if (wire_left(r) == 0)
        return 0;
    return *r->pos >> 4 == 6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4;
}

/* What IPv4 addresses begin with when they are mapped into IPv6. */
static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

void stream_address_text(const struct stream_endpoint *endpoint, char text[STREAM_ADDRESS_BYTES])
{
    if (memcmp(endpoint->address, mapped, sizeof mapped) == 0)
        inet_ntop(AF_INET, endpoint->address + sizeof mapped, text, STREAM_ADDRESS_BYTES);
    else
        inet_ntop(AF_INET6, endpoint->address, text, STREAM_ADDRESS_BYTES);
}

static void set_ipv4(struct stream_endpoint *endpoint, struct wire_string address)
{
    memcpy(endpoint->address, mapped, sizeof mapped);
    memcpy(endpoint->address + sizeof mapped, address.data, 4);
}

/* Cuts r to the packet's payload. */
static bool read_ipv4(struct wire_reader *r, struct stream_segment *segment)
{
    const uint8_t *start = r->pos;
    unsigned header = (wire_read_u8(r) & 0x0f) * 4U;
    wire_skip(r, 1);
    uint16_t total = wire_read_u16_network(r);
    wire_skip(r, 2);
    uint16_t fragment = wire_read_u16_network(r) & 0x3fff;
    wire_skip(r, 1);
    uint8_t protocol = wire_read_u8(r);
    wire_skip(r, 2);
    struct wire_string source = wire_read_bytes(r, 4);
    struct wire_string destination = wire_read_bytes(r, 4);
    if (r->failed || protocol != PROTOCOL_TCP || fragment != 0 || header < 20)
        return false;
    set_ipv4(&segment->source, source);
    set_ipv4(&segment->destination, destination);
    wire_skip(r, header - 20);
    /* 0: the network card cuts the packet later (segmentation offload). */
    if (total > header && !r->failed) {
        size_t payload = (size_t)total - (size_t)(r->pos - start);
        if (total < (size_t)(r->pos - start) || payload > wire_left(r))
            return false;
        r->end = r->pos + payload;
    }
    return !r->failed;
}

static bool read_ipv6(struct wire_reader *r, struct stream_segment *segment)
{
    wire_skip(r, 4);
    uint16_t payload = wire_read_u16_network(r);
    uint8_t next = wire_read_u8(r);
    wire_skip(r, 1);
    struct wire_string source = wire_read_bytes(r, 16);
    struct wire_string destination = wire_read_bytes(r, 16);
    if (r->failed || payload > wire_left(r))
        return false;
    memcpy(segment->source.address, source.data, 16);
    memcpy(segment->destination.address, destination.data, 16);
    if (payload > 0)
        r->end = r->pos + payload;
    while (!r->failed && (next == 0 || next == 43 || next == 60)) { /* options, routing */
        next = wire_read_u8(r);
        unsigned length = wire_read_u8(r);
        wire_skip(r, 6 + 8U * length);
    }
    return !r->failed && next == PROTOCOL_TCP;
}

static bool read_tcp(struct wire_reader *r, struct stream_segment *segment)
{
    segment->source.port = wire_read_u16_network(r);
    segment->destination.port = wire_read_u16_network(r);
    segment->sequence = wire_read_u32_network(r);
    wire_skip(r, 4);
    unsigned header = (wire_read_u8(r) >> 4) * 4U;
    uint8_t flags = wire_read_u8(r);
    if (r->failed || header < 20)
        return false;
    wire_skip(r, header - 14);
    segment->syn = flags & FLAG_SYN;
    segment->ack = flags & FLAG_ACK;
    segment->fin = flags & FLAG_FIN;
    segment->rst = flags & FLAG_RST;
    segment->bytes = r->pos;
    segment->size = wire_left(r);
    return !r->failed;
}

bool capture_decode(int link_type, const uint8_t *frame, size_t size,
                    struct stream_segment *segment)
{
    assert(frame || size == 0);
    struct wire_reader r = wire_reader_of(frame, size);
    switch (skip_link(link_type, &r)) {
    case ETHERTYPE_IPV4:
        return read_ipv4(&r, segment) && read_tcp(&r, segment);
    case ETHERTYPE_IPV6:
        return read_ipv6(&r, segment) && read_tcp(&r, segment);
    default:
        return false;
    }
}
