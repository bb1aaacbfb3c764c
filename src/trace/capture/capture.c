/* SPDX-License-Identifier: Apache-2.0
 *
 * Captured frames from libpcap, from a file or from an interface, into TCP streams. */
#include "trace/capture/capture.h"

#include <assert.h>
#include <pcap/pcap.h>

enum { SNAPSHOT_BYTES = 262144, POLL_MS = 100 };

static void decode_and_feed(int link_type, const struct pcap_pkthdr *header, const uint8_t *frame,
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
    assert(path && streams);
    char text[PCAP_ERRBUF_SIZE] = "";
    struct pcap_pkthdr *header;
    const u_char *frame;
    int status;
    pcap_t *pcap = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, text);
    if (!pcap)
        return error_set(error, "%s: %s", path, text);
    while ((status = pcap_next_ex(pcap, &header, &frame)) == 1)
        decode_and_feed(pcap_datalink(pcap), header, frame, streams);
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
    assert(interface && streams && stop);
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
            decode_and_feed(pcap_datalink(pcap), header, frame, streams);
    if (status < 0)
        error_set(error, "interface %s: %s", interface, pcap_geterr(pcap));
    pcap_close(pcap);
    return status < 0 ? -1 : 0;
}
