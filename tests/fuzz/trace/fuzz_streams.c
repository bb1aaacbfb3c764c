/* SPDX-License-Identifier: Apache-2.0
 *
 * Arbitrary segments of TCP, through reassembly into trace sessions; and arbitrary frames through
 * the decoders of captures.
 *
 * Input: a byte of options (1: capabilities; 2: any port), then segments: direction and flags, a byte of how far the sequence
 * number jumps (signed), a byte of length, that many bytes. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "trace/capture/trace_capture.h"
#include "trace/protocol/trace_protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PENDING = 512, KEEP = 4096 };

static unsigned alive;

static int swallow(struct st_mysql_client_plugin_TRACE *self, void *data, MYSQL *handle,
                   enum protocol_stage stage, enum trace_event event,
                   struct st_trace_event_args args)
{
    unsigned sum = 0;
    (void)self;
    (void)data;
    (void)handle;
    assert((unsigned)stage < PROTOCOL_STAGE_LAST && (unsigned)event < TRACE_EVENT_LAST);
    for (size_t i = 0; args.pkt && i < args.pkt_len; i++)
        sum += args.pkt[i];
    for (size_t i = 0; i < args.hdr_len; i++)
        sum += args.hdr[i];
    return sum == 0xfffffff;
}

static struct st_mysql_client_plugin_TRACE plugin = {
    .type = MYSQL_CLIENT_TRACE_PLUGIN, .name = "fuzz", .trace_event = swallow};

static void *began(void *context, const struct stream_beginning *beginning)
{
    const struct trace_options options = {.keep_limit = KEEP, .tls_is_opaque = true};
    const struct trace_session_info info = {.host = "fuzz"};
    uint64_t capabilities =
        *(const uint8_t *)context & 1 ? WIRE_CAP(CLIENT_PROTOCOL_41) : WIRE_CAP(CLIENT_COMPRESS);
    alive++;
    return beginning->is_whole
               ? trace_session_begin(&plugin, &info, &options)
               : trace_session_resume(&plugin, &info, &options, capabilities, capabilities, 0);
}

static void got_bytes(void *connection, enum wire_direction direction, const uint8_t *bytes,
                      size_t size, uint64_t time_ns)
{
    (void)time_ns;
    trace_session_bytes(connection, direction, bytes, size);
}

static void lost(void *connection, enum wire_direction direction)
{
    (void)connection;
    (void)direction;
}

static void ended(void *connection)
{
    assert(alive > 0);
    alive--;
    trace_session_end(connection);
}

static void segments(uint8_t options, const uint8_t *data, size_t size)
{
    static const struct stream_events events = {began, got_bytes, lost, ended};
    struct streams *streams = streams_new(options & 2 ? 0 : 3306, PENDING, &events, &options);
    uint32_t numbers[2] = {0xffffff00, 7};
    while (size >= 3) {
        uint8_t flags = data[0];
        size_t length = data[2] < size - 3 ? data[2] : size - 3;
        bool to_server = flags & 1;
        struct stream_endpoint client = {{1}, (uint16_t)(5000 + (flags >> 6))};
        struct stream_endpoint server = {{2}, 3306};
        uint8_t *copy = malloc(length ? length : 1);
        memcpy(copy, data + 3, length);
        const struct stream_segment segment = {
            .source = to_server ? client : server,
            .destination = to_server ? server : client,
            .sequence = numbers[to_server] + (uint32_t)(int8_t)data[1],
            .syn = flags & 2,
            .ack = flags & 4,
            .fin = flags & 8,
            .rst = (flags & 48) == 48,
            .bytes = copy,
            .size = length,
        };
        streams_segment(streams, &segment);
        free(copy);
        numbers[to_server] += (uint32_t)length;
        data += 3 + length;
        size -= 3 + length;
    }
    streams_end_all(streams);
    assert(alive == 0);
    assert(streams_counts(streams)->conversations <= streams_counts(streams)->segments);
    streams_free(streams);
}

static void frames(const uint8_t *data, size_t size)
{
    static const int link_types[] = {0, 1, 12, 101, 108, 113, 228, 229, 276};
    for (size_t i = 0; i < sizeof link_types / sizeof link_types[0]; i++) {
        struct stream_segment segment;
        uint8_t *copy = malloc(size ? size : 1);
        memcpy(copy, data, size);
        if (capture_decode(link_types[i], copy, size, &segment)) {
            assert(segment.bytes >= copy && segment.bytes <= copy + size);
            assert(segment.size <= (size_t)(copy + size - segment.bytes));
        }
        free(copy);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    if (data[0] & 0x80)
        frames(data + 1, size - 1);
    else
        segments(data[0], data + 1, size - 1);
    return 0;
}
