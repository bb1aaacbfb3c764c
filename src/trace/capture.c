/* SPDX-License-Identifier: Apache-2.0
 *
 * From captured frames to TCP segments: link layer, IP, TCP. Everything is read through the bounded
 * reader; what does not fit is no segment. Network byte order is big-endian, the reader's is
 * little-endian: hence swapped(). */
#include "trace/capture.h"

#include <pcap/pcap.h>
#include <string.h>

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
    SNAPSHOT_BYTES = 262144,
    POLL_MS = 100,
};

static uint16_t read_u16be(struct wire_reader *r)
{
    return __builtin_bswap16(wire_read_u16(r));
}

static uint32_t read_u32be(struct wire_reader *r)
{
    return __builtin_bswap32(wire_read_u32(r));
}

/* Passes the link layer; returns the ethertype, 0 when there is no IP. */
static uint16_t skip_link(int link_type, struct wire_reader *r)
{
    uint16_t type = 0;
    switch (link_type) {
    case DLT_EN10MB:
        wire_skip(r, 12);
        type = read_u16be(r);
        while (type == ETHERTYPE_VLAN || type == ETHERTYPE_QINQ) {
            wire_skip(r, 2);
            type = read_u16be(r);
        }
        return r->failed ? 0 : type;
    case DLT_LINUX_SLL:
        wire_skip(r, 14);
        return read_u16be(r);
    case DLT_LINUX_SLL2:
        type = read_u16be(r);
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

static void set_ipv4(struct stream_endpoint *endpoint, struct wire_string address)
{
    static const uint8_t prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    memcpy(endpoint->address, prefix, sizeof prefix);
    memcpy(endpoint->address + sizeof prefix, address.data, 4);
}

/* Cuts r to the packet's payload. */
static bool read_ipv4(struct wire_reader *r, struct stream_segment *segment)
{
    const uint8_t *start = r->pos;
    unsigned header = (wire_read_u8(r) & 0x0f) * 4U;
    wire_skip(r, 1);
    uint16_t total = read_u16be(r);
    wire_skip(r, 2);
    uint16_t fragment = read_u16be(r) & 0x3fff;
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
    uint16_t payload = read_u16be(r);
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
    segment->source.port = read_u16be(r);
    segment->destination.port = read_u16be(r);
    segment->sequence = read_u32be(r);
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

static void take_frame(int link_type, const struct pcap_pkthdr *header, const uint8_t *frame,
                       struct streams *streams)
{
    struct stream_segment segment = {{{0}, 0}, {{0}, 0}, 0, 0, 0, 0, 0, NULL, 0, 0};
    /* Files are opened with nanoseconds, which libpcap then keeps in tv_usec. */
    segment.time_ns = (uint64_t)header->ts.tv_sec * 1000000000U + (uint64_t)header->ts.tv_usec;
    if (capture_decode(link_type, frame, header->caplen, &segment))
        streams_segment(streams, &segment);
}

int capture_file(const char *path, struct streams *streams, struct error *error)
{
    char text[PCAP_ERRBUF_SIZE] = "";
    struct pcap_pkthdr *header;
    const u_char *frame;
    int status;
    pcap_t *pcap = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, text);
    if (!pcap)
        return error_set(error, "%s: %s", path, text);
    while ((status = pcap_next_ex(pcap, &header, &frame)) == 1)
        take_frame(pcap_datalink(pcap), header, frame, streams);
    if (status == PCAP_ERROR)
        error_set(error, "%s: %s", path, pcap_geterr(pcap));
    pcap_close(pcap);
    return status == PCAP_ERROR ? -1 : 0;
}

static int set_filter(pcap_t *pcap, unsigned port)
{
    struct bpf_program program;
    char filter[64];
    snprintf(filter, sizeof filter, "tcp port %u", port);
    int status = pcap_compile(pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN);
    if (status == 0) {
        status = pcap_setfilter(pcap, &program);
        pcap_freecode(&program);
    }
    return status;
}

int capture_live(const char *interface, unsigned port, struct streams *streams,
                 const volatile int *stop, struct error *error)
{
    char text[PCAP_ERRBUF_SIZE] = "";
    struct pcap_pkthdr *header;
    const u_char *frame;
    int status = 0;
    pcap_t *pcap = pcap_create(interface, text);
    if (!pcap)
        return error_set(error, "interface %s: %s", interface, text);
    pcap_set_snaplen(pcap, SNAPSHOT_BYTES);
    pcap_set_timeout(pcap, POLL_MS);
    pcap_set_immediate_mode(pcap, 1);
    pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO);
    if (pcap_activate(pcap) < 0 || set_filter(pcap, port) < 0) {
        error_set(error, "interface %s: %s", interface, pcap_geterr(pcap));
        pcap_close(pcap);
        return -1;
    }
    while (!*stop && (status = pcap_next_ex(pcap, &header, &frame)) >= 0)
        if (status == 1)
            take_frame(pcap_datalink(pcap), header, frame, streams);
    if (status < 0)
        error_set(error, "interface %s: %s", interface, pcap_geterr(pcap));
    pcap_close(pcap);
    return status < 0 ? -1 : 0;
}
