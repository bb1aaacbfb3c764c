/* SPDX-License-Identifier: Apache-2.0
 *
 * Cutting bytes into packets.
 *
 *     input ──► frame header (4) ─► payload of the frame ─► ... further frames of the same packet
 *               and up to 3 bytes
 *               of payload, by which
 *               the packet is known
 *
 * Each direction has a flow. A header (with the first payload bytes of a packet) that comes in
 * pieces is gathered in flow.head; a payload that comes in pieces is gathered in flow.kept as far
 * as flow.keep allows, and otherwise skipped. Rows that are not wanted never get that far:
 * skip_rows() goes from header to header.
 *
 * Invariants: in_frame implies in_packet; head_size > 0 implies !in_frame; kept.size <= keep. */
#include "wire/tracker.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "wire/bytes.h"
#include "wire/tracker_states.h"

enum {
    PEEK_BYTES = 3,          /* of payload, by which a packet is known */
    KEEP_COMMAND_BYTES = 16, /* of an unwanted command: code, statement, flags */
    KEPT_IDLE_BYTES = 16384, /* memory that stays with a flow from packet to packet */
};

/* Kinds whose payload changes the state, and so is read even if it is not wanted. */
#define ALWAYS_READ                                                                                \
    (WIRE_WANT(WIRE_GREETING) | WIRE_WANT(WIRE_HANDSHAKE_RESPONSE) | WIRE_WANT(WIRE_OK) |          \
     WIRE_WANT(WIRE_ERR) | WIRE_WANT(WIRE_EOF) | WIRE_WANT(WIRE_COLUMN_COUNT) |                    \
     WIRE_WANT(WIRE_PREPARE_OK))

_Static_assert(WIRE_PACKET_KIND_COUNT < 32, "a mask of kinds has 32 bits");

const char *wire_packet_kind_name(enum wire_packet_kind kind)
{
    static const char *const names[] = {
#define X(enumerator, name) [enumerator] = (name),
        WIRE_PACKET_KINDS(X)
#undef X
    };
    return (unsigned)kind < WIRE_PACKET_KIND_COUNT ? names[kind] : "unknown";
}

void wire_tracker_init(struct wire_tracker *tracker, uint32_t wanted, size_t keep_limit)
{
    *tracker = (struct wire_tracker){
        .wanted = wanted,
        .keep_limit = keep_limit < WIRE_KEEP_MIN ? WIRE_KEEP_MIN : keep_limit,
        .expect = WIRE_EXPECT_GREETING,
    };
    tracker->queue = tracker->queue_inline;
    tracker->queue_size = sizeof tracker->queue_inline / sizeof tracker->queue_inline[0];
    strbuf_init(&tracker->flow[WIRE_FROM_CLIENT].kept);
    strbuf_init(&tracker->flow[WIRE_FROM_SERVER].kept);
}

void wire_tracker_resume(struct wire_tracker *tracker, uint32_t wanted, size_t keep_limit,
                         uint64_t server_capabilities, uint64_t client_capabilities,
                         uint16_t status)
{
    wire_tracker_init(tracker, wanted, keep_limit);
    tracker->server_capabilities = server_capabilities;
    tracker->client_capabilities = client_capabilities;
    tracker->compressed = client_capabilities &
                          (WIRE_CAP(CLIENT_COMPRESS) | WIRE_CAP(CLIENT_ZSTD_COMPRESSION_ALGORITHM));
    tracker->sequence_is_free = tracker->compressed;
    tracker->status = status;
    tracker->response_seen = true;
    tracker->expect = WIRE_EXPECT_NOTHING;
}

void wire_tracker_set_capabilities(struct wire_tracker *tracker, uint64_t capabilities)
{
    tracker->client_capabilities = capabilities;
}

void wire_tracker_want(struct wire_tracker *tracker, uint32_t wanted)
{
    tracker->wanted = wanted;
}

void wire_tracker_release(struct wire_tracker *tracker)
{
    strbuf_release(&tracker->flow[WIRE_FROM_CLIENT].kept);
    strbuf_release(&tracker->flow[WIRE_FROM_SERVER].kept);
    if (tracker->queue != tracker->queue_inline)
        free(tracker->queue);
    tracker->queue = tracker->queue_inline;
    tracker->queue_size = sizeof tracker->queue_inline / sizeof tracker->queue_inline[0];
    tracker->queue_first = 0;
    tracker->queue_count = 0;
}

void wire_tracker_trim(struct wire_tracker *tracker)
{
    for (int direction = 0; direction < 2; direction++)
        if (!tracker->flow[direction].in_packet)
            strbuf_release(&tracker->flow[direction].kept);
}

bool wire_tracker_is_idle(const struct wire_tracker *tracker)
{
    const struct wire_flow *client = &tracker->flow[WIRE_FROM_CLIENT];
    const struct wire_flow *server = &tracker->flow[WIRE_FROM_SERVER];
    return tracker->expect == WIRE_EXPECT_NOTHING && tracker->queue_count == 0 &&
           !client->in_packet && !server->in_packet && client->head_size == 0 &&
           server->head_size == 0;
}

enum wire_expect wire_tracker_expects(const struct wire_tracker *tracker, uint8_t *command)
{
    *command =
        tracker->queue_count > 0 ? tracker->queue[tracker->queue_first].command : WIRE_NO_COMMAND;
    return tracker->expect;
}

bool wire_tracker_expects_client_data(const struct wire_tracker *tracker)
{
    return tracker->client_owes;
}

static size_t input_left(const struct wire_input *input)
{
    return (size_t)(input->end - input->pos);
}

bool wire_tracker_expects_ack(const struct wire_tracker *tracker, const struct wire_input *input)
{
    if (tracker->expect != WIRE_EXPECT_BINLOG)
        return false;
    if (!wire_tracker_is_between_packets(tracker, WIRE_FROM_CLIENT))
        return true;
    return input_left(input) > WIRE_HEADER_BYTES && wire_frame_length(input->pos) > 0 &&
           input->pos[WIRE_HEADER_BYTES] == WIRE_SEMI_SYNC_MAGIC;
}

/* Skips rows that lie whole in the input, up to the first packet that may be something else. */
static void skip_rows(struct wire_tracker *t, struct wire_input *input)
{
    const uint8_t *pos = input->pos;
    uint64_t rows = 0;
    while (input->end - pos > WIRE_HEADER_BYTES) {
        uint32_t length = (uint32_t)wire_frame_length(pos);
        if (length == 0 || length == WIRE_FRAME_MAX || pos[3] != t->sequence || pos[4] >= 0xfe ||
            length > (size_t)(input->end - pos) - WIRE_HEADER_BYTES)
            break;
        pos += WIRE_HEADER_BYTES + length;
        t->sequence++;
        rows++;
    }
    t->reply_rows += rows;
    t->reply_bytes += (uint64_t)(pos - input->pos);
    input->pos = pos;
}

static size_t bytes_to_keep(const struct wire_tracker *t, enum wire_packet_kind kind)
{
    if ((t->wanted | ALWAYS_READ) & WIRE_WANT(kind))
        return t->keep_limit;
    return kind == WIRE_COMMAND ? KEEP_COMMAND_BYTES : 0;
}

bool wire_tracker_cut_command(const struct wire_tracker *tracker, uint64_t *size,
                              const uint8_t **bytes, size_t *count)
{
    const struct wire_flow *client = &tracker->flow[WIRE_FROM_CLIENT];
    if (tracker->expect != WIRE_EXPECT_NOTHING || tracker->broken)
        return false;
    if (client->in_packet && client->kind == WIRE_COMMAND) {
        *size = client->total;
        *bytes = (const uint8_t *)client->kept.data;
        *count = client->kept.size;
    } else if (!client->in_packet && client->head_size > WIRE_HEADER_BYTES) {
        *size = wire_frame_length(client->head);
        *bytes = client->head + WIRE_HEADER_BYTES;
        *count = client->head_size - WIRE_HEADER_BYTES;
    } else {
        return false;
    }
    return *count > 0;
}

const uint8_t *wire_tracker_kept(const struct wire_tracker *tracker, enum wire_direction direction,
                                 size_t *size)
{
    const struct strbuf *kept = &tracker->flow[direction].kept;
    *size = kept->size;
    return (const uint8_t *)kept->data;
}

/* Prepares the flow for a new packet's payload. */
static void empty_kept(struct wire_flow *flow)
{
    if (flow->kept.capacity > KEPT_IDLE_BYTES)
        strbuf_release(&flow->kept);
    else
        strbuf_reset(&flow->kept);
}

/* Begins a frame whose header, and first bytes, are known. Returns false if broken. */
static bool open_frame(struct wire_tracker *t, enum wire_direction direction, const uint8_t *header,
                       const uint8_t *peek)
{
    struct wire_flow *flow = &t->flow[direction];
    uint32_t length = (uint32_t)wire_frame_length(header);
    uint8_t sequence = header[3];
    bool is_exchange = true;
    if (!flow->in_packet) {
        const struct wire_opening opening = {direction, sequence, length, peek};
        enum wire_packet_kind kind;
        if (!wire_states_open(t, &opening, &kind))
            return false;
        empty_kept(flow);
        flow->in_packet = true;
        flow->kind = (uint8_t)kind;
        flow->first_frame = length;
        flow->total = 0;
        flow->keep = bytes_to_keep(t, kind);
    } else {
        if (sequence != (uint8_t)(flow->sequence + 1) && !t->sequence_is_free) {
            t->broken = "a packet's further frame has a wrong sequence number";
            return false;
        }
        is_exchange = flow->kind != WIRE_COMMAND && flow->kind != WIRE_UNSOLICITED;
        if (is_exchange)
            t->sequence = (uint8_t)(sequence + 1);
    }
    if (direction == WIRE_FROM_SERVER)
        t->reply_bytes += WIRE_HEADER_BYTES + length;
    flow->sequence = sequence;
    flow->total += length;
    flow->frame_left = length;
    flow->last_frame = length < WIRE_FRAME_MAX;
    flow->in_frame = true;
    return true;
}

static void keep_bytes(struct wire_flow *flow, const uint8_t *bytes, size_t size)
{
    assert(flow->kept.size <= flow->keep);
    size_t room = flow->keep - flow->kept.size;
    strbuf_add(&flow->kept, bytes, size < room ? size : room);
}

static size_t peek_size(const struct wire_flow *flow, uint32_t length)
{
    if (flow->in_packet)
        return 0;
    return length < PEEK_BYTES ? length : PEEK_BYTES;
}

/* Gathers a header that comes in pieces. Returns false when more input is needed. */
static bool gather_head(struct wire_flow *flow, struct wire_input *input)
{
    size_t need = WIRE_HEADER_BYTES;
    for (;;) {
        if (flow->head_size >= WIRE_HEADER_BYTES)
            need = WIRE_HEADER_BYTES + peek_size(flow, (uint32_t)wire_frame_length(flow->head));
        if (flow->head_size == need)
            return true;
        if (input->pos == input->end)
            return false;
        flow->head[flow->head_size++] = *input->pos++;
    }
}

/* Reads the next frame's header: in place where it lies whole in the input. */
static enum wire_step begin_frame(struct wire_tracker *t, enum wire_direction direction,
                                  struct wire_input *input)
{
    struct wire_flow *flow = &t->flow[direction];
    size_t left = input_left(input);
    if (flow->head_size == 0 && left >= WIRE_HEADER_BYTES &&
        left - WIRE_HEADER_BYTES >= peek_size(flow, (uint32_t)wire_frame_length(input->pos))) {
        const uint8_t *header = input->pos;
        input->pos += WIRE_HEADER_BYTES;
        return open_frame(t, direction, header, input->pos) ? WIRE_PACKET : WIRE_BROKEN;
    }
    if (!gather_head(flow, input))
        return WIRE_MORE;
    size_t peeked = flow->head_size - WIRE_HEADER_BYTES;
    const uint8_t *peek = flow->head + WIRE_HEADER_BYTES;
    flow->head_size = 0;
    if (!open_frame(t, direction, flow->head, peek))
        return WIRE_BROKEN;
    keep_bytes(flow, peek, peeked);
    flow->frame_left -= (uint32_t)peeked;
    return WIRE_PACKET;
}

/* The packet is complete. payload: where it lies in the input, or NULL if it was gathered. Returns
 * true if it is to be shown. */
static bool finish_packet(struct wire_tracker *t, enum wire_direction direction,
                          const uint8_t *payload, struct wire_packet *packet)
{
    struct wire_flow *flow = &t->flow[direction];
    size_t size = flow->total < flow->keep ? (size_t)flow->total : flow->keep;
    uint32_t wanted = t->wanted;
    flow->in_packet = false;
    if (!payload) {
        payload = (const uint8_t *)flow->kept.data;
        size = flow->kept.size;
    }
    *packet = (struct wire_packet){
        .kind = flow->kind,
        .direction = direction,
        .sequence = flow->sequence,
        .payload = payload,
        .payload_size = size,
        .total_size = flow->total,
    };
    wire_states_complete(t, packet);
    return wanted & WIRE_WANT(packet->kind) || packet->ends_result || t->broken;
}

enum wire_step wire_tracker_next(struct wire_tracker *tracker, enum wire_direction direction,
                                 struct wire_input *input, struct wire_packet *packet)
{
    struct wire_tracker *t = tracker;
    struct wire_flow *flow = &t->flow[direction];
    assert(t->queue && input->pos <= input->end);
    while (!t->broken) {
        const uint8_t *in_place = NULL;
        if (!flow->in_frame) {
            bool is_first = !flow->in_packet;
            if (is_first && direction == WIRE_FROM_SERVER && t->expect == WIRE_EXPECT_ROWS &&
                !(t->wanted & WIRE_WANT(WIRE_ROW)) && flow->head_size == 0)
                skip_rows(t, input);
            bool was_split = flow->head_size > 0;
            enum wire_step step = begin_frame(t, direction, input);
            if (step != WIRE_PACKET)
                return step;
            if (is_first && !was_split && flow->last_frame &&
                flow->frame_left <= input_left(input) && flow->frame_left == flow->total)
                in_place = input->pos;
        }
        size_t size = input_left(input);
        if (size > flow->frame_left)
            size = flow->frame_left;
        if (!in_place)
            keep_bytes(flow, input->pos, size);
        input->pos += size;
        flow->frame_left -= (uint32_t)size;
        if (flow->kept.failed) {
            t->broken = "out of memory";
            break;
        }
        if (flow->frame_left > 0)
            return WIRE_MORE;
        flow->in_frame = false;
        if (flow->last_frame && finish_packet(t, direction, in_place, packet))
            return WIRE_PACKET;
    }
    return WIRE_BROKEN;
}
