/* SPDX-License-Identifier: Apache-2.0
 *
 * Captured frames from libpcap, from a file or from an interface, into TCP streams. */
#include "trace/capture/capture.h"

#include <assert.h>
#include <pcap/pcap.h>
#include <poll.h>

enum { SNAPSHOT_BYTES = 262144, POLL_MS = 100 };

/* Where the frames of one capture go. */
struct feed {
    pcap_t *pcap;
    int link_type;
    struct streams *streams;
    struct capture_counts *counts;
};

static void decode_and_feed(struct feed *feed, const struct pcap_pkthdr *header,
                            const uint8_t *frame)
{
    struct stream_segment segment = {{{0}, 0}, {{0}, 0}, 0, 0, 0, 0, 0, NULL, 0, 0};
    feed->counts->packets++;
    feed->counts->cut_short += header->caplen < header->len;
    /* Files are opened with nanoseconds, which libpcap then keeps in tv_usec. */
    segment.time_ns = (uint64_t)header->ts.tv_sec * 1000000000U + (uint64_t)header->ts.tv_usec;
    if (capture_decode(feed->link_type, frame, header->caplen, &segment))
        streams_segment(feed->streams, &segment);
}

/* Sets the link type. Returns -1 and error if its frames can't be decoded. */
static int check_link(struct feed *feed, const char *name, struct error *error)
{
    feed->link_type = pcap_datalink(feed->pcap);
    if (capture_link_is_known(feed->link_type))
        return 0;
    const char *text = pcap_datalink_val_to_name(feed->link_type);
    return error_set(error,
                     "%s: packets of the link type %s (%d) can't be read; capture on another "
                     "interface, or on \"any\"",
                     name, text ? text : "unknown", feed->link_type);
}

static int feed_file(struct feed *feed, const char *path, struct error *error)
{
    struct pcap_pkthdr *header;
    const u_char *frame;
    int status;
    if (check_link(feed, path, error) < 0)
        return -1;
    while ((status = pcap_next_ex(feed->pcap, &header, &frame)) == 1)
        decode_and_feed(feed, header, frame);
    return status == PCAP_ERROR ? error_set(error, "%s: %s", path, pcap_geterr(feed->pcap)) : 0;
}

int capture_file(const char *path, struct streams *streams, struct capture_counts *counts,
                 struct error *error)
{
    assert(path && streams && counts);
    char text[PCAP_ERRBUF_SIZE] = "";
    struct feed feed = {.streams = streams, .counts = counts};
    feed.pcap = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, text);
    if (!feed.pcap)
        return error_set(error, "%s: %s", path, text);
    int result = feed_file(&feed, path, error);
    pcap_close(feed.pcap);
    return result;
}

static int set_filter(pcap_t *pcap, unsigned port)
{
    struct bpf_program program;
    char filter[64] = "tcp";
    if (port)
        snprintf(filter, sizeof filter, "tcp port %u", port);
    int status = pcap_compile(pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN);
    if (status == 0) {
        status = pcap_setfilter(pcap, &program);
        pcap_freecode(&program);
    }
    return status;
}

/* Until there is something, for a while, or until a signal: libpcap itself would wait for a packet, whatever
 * signals come, and an interface can be quiet. */
static void wait_for_packet(pcap_t *pcap)
{
    struct pollfd waits = {.fd = pcap_get_selectable_fd(pcap), .events = POLLIN};
    (void)poll(&waits, 1, POLL_MS);
}

static int feed_live(struct feed *feed, const char *interface, const volatile int *stop,
                     struct error *error)
{
    struct pcap_pkthdr *header;
    const u_char *frame;
    struct pcap_stat counted = {0};
    int status = 0;
    if (check_link(feed, interface, error) < 0)
        return -1;
    while (!*stop && (status = pcap_next_ex(feed->pcap, &header, &frame)) >= 0)
        if (status == 1)
            decode_and_feed(feed, header, frame);
        else
            wait_for_packet(feed->pcap);
    if (pcap_stats(feed->pcap, &counted) == 0)
        feed->counts->dropped = counted.ps_drop;
    return status < 0 ? error_set(error, "interface %s: %s", interface, pcap_geterr(feed->pcap))
                      : 0;
}

int capture_live(const char *interface, unsigned port, struct streams *streams,
                 struct capture_counts *counts, const volatile int *stop, struct error *error)
{
    assert(interface && streams && counts && stop);
    char text[PCAP_ERRBUF_SIZE] = "";
    int result = -1;
    pcap_t *pcap = pcap_create(interface, text);
    struct feed feed = {.pcap = pcap, .streams = streams, .counts = counts};
    if (!pcap)
        return error_set(error, "interface %s: %s", interface, text);
    pcap_set_snaplen(pcap, SNAPSHOT_BYTES);
    pcap_set_timeout(pcap, POLL_MS);
    pcap_set_immediate_mode(pcap, 1);
    pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO);
    if (pcap_activate(pcap) < 0 || set_filter(pcap, port) < 0 ||
        pcap_setnonblock(pcap, 1, text) < 0)
        error_set(error, "interface %s: %s", interface, *text ? text : pcap_geterr(pcap));
    else
        result = feed_live(&feed, interface, stop, error);
    pcap_close(pcap);
    return result;
}
