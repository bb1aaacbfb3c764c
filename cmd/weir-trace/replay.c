/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads recordings and captures, and says at the end what was in them. */
#include "replay.h"

#include <inttypes.h>

enum {
    PENDING_LIMIT = 16 << 20, /* bytes that came too early, of one direction */
};

struct replay {
    const struct replay_setup *setup;
    unsigned conversations;
};

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

/* ---- captures ---- */

static void *began(void *context, const struct stream_beginning *beginning)
{
    struct replay *replay = context;
    char client[STREAM_ADDRESS_BYTES];
    stream_address_text(beginning->client, client);
    trace_output.now_ns = beginning->time_ns;
    return replayed_new(replay->setup, ++replay->conversations, client, beginning->server->port,
                        beginning->is_whole);
}

static void got_bytes(void *connection, enum wire_direction direction, const uint8_t *bytes,
                      size_t size, uint64_t time_ns)
{
    trace_output.now_ns = time_ns;
    if (connection)
        replayed_bytes(connection, direction, bytes, size);
}

static void lost(void *connection, enum wire_direction direction)
{
    if (connection)
        log_warn("trace", "%s: bytes from the %s are missing in the capture",
                 replayed_name(connection), direction == WIRE_FROM_CLIENT ? "client" : "server");
}

static void ended(void *connection)
{
    replayed_end(connection);
}

static void report_counts(const struct stream_counts *streams, const struct capture_counts *capture)
{
    fprintf(stderr,
            "weir-trace: %" PRIu64 " packet%s, %" PRIu64 " of TCP; %" PRIu64
            " conversation%s, %" PRIu64 " byte%s missing\n",
            capture->packets, plural(capture->packets), streams->segments, streams->conversations,
            plural(streams->conversations), streams->missing_bytes, plural(streams->missing_bytes));
    if (capture->cut_short)
        log_warn("trace",
                 "%" PRIu64 " packet%s cut short by the program that captured, and can't be used; "
                 "tcpdump -s 0 keeps them whole",
                 capture->cut_short, capture->cut_short == 1 ? " was" : "s were");
    if (capture->dropped)
        log_warn("trace", "the system dropped %" PRIu64 " packet%s that came too fast",
                 capture->dropped, plural(capture->dropped));
}

static int refuse_nothing(const struct replay_source *source, const struct stream_counts *streams,
                          const struct capture_counts *capture, struct error *error)
{
    if (streams->conversations)
        return 0;
    if (capture->packets == 0)
        return error_set(error, "nothing was captured");
    if (streams->segments == 0)
        return error_set(error, "there are no packets of TCP; connections through a Unix socket "
                                "can't be captured");
    if (source->port)
        return error_set(error,
                         "there are no conversations with a server at port %u; without --port "
                         "they are found on any",
                         source->port);
    return error_set(error, "there are no conversations of the MySQL protocol: neither a server's "
                            "greeting nor a command with its reply");
}

int replay_capture(const struct replay_setup *setup, const struct replay_source *source,
                   struct error *error)
{
    static const struct stream_events events = {began, got_bytes, lost, ended};
    struct replay replay = {setup, 0};
    struct capture_counts counts = {0};
    struct streams *streams = streams_new((uint16_t)source->port, PENDING_LIMIT, &events, &replay);
    int status;
    if (!streams)
        return error_set(error, "out of memory");
    status = source->interface ? capture_live(source->interface, source->port, streams, &counts,
                                              source->stop, error)
                               : capture_file(source->path, streams, &counts, error);
    streams_end_all(streams);
    if (status == 0 || counts.packets)
        report_counts(streams_counts(streams), &counts);
    if (status == 0)
        status = refuse_nothing(source, streams_counts(streams), &counts, error);
    streams_free(streams);
    return status;
}

/* ---- recordings ---- */

int replay_wire_file(const struct replay_setup *setup, const char *path, struct error *error)
{
    enum wire_direction direction;
    const uint8_t *bytes;
    size_t size;
    unsigned long pieces = 0;
    int status = -1;
    struct wirefile *file = wirefile_open(path, error);
    struct replayed *replayed = file ? replayed_new(setup, 0, "recording", 0, true) : NULL;
    if (file && !replayed)
        error_set(error, "out of memory");
    while (replayed && (status = wirefile_next(file, &direction, &bytes, &size, error)) == 1) {
        replayed_bytes(replayed, direction, bytes, size);
        pieces++;
    }
    replayed_end(replayed);
    wirefile_close(file);
    if (status == 0 && pieces == 0)
        return error_set(error, "%s: the recording is empty", path);
    return status;
}
