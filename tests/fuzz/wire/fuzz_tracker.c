/* SPDX-License-Identifier: Apache-2.0
 *
 * Arbitrary bytes, in arbitrary chunks, in both directions of the tracker.
 *
 * Input: one byte of options, then chunks: a byte whose top bit is the direction and whose rest is
 * the chunk's size, then that many bytes. Asserted: payloads lie within the input or what the
 * tracker keeps, memory is bounded, and the same bytes in single steps say the same. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "wire/wire.h"

enum { KEEP = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct account {
    uint64_t packets, hash;
    const char *broken;
};

static void add(struct account *account, uint64_t value)
{
    account->hash = (account->hash ^ value) * UINT64_C(0x100000001b3);
}

static void note(struct account *account, const struct wire_tracker *tracker,
                 const struct wire_packet *packet)
{
    account->packets++;
    add(account, packet->kind);
    add(account, packet->command);
    add(account, packet->sequence);
    add(account, packet->total_size);
    add(account, (uint64_t)packet->ends_result << 1 | packet->ends_reply);
    if (tracker->wanted & WIRE_WANT(packet->kind))
        for (size_t i = 0; i < packet->payload_size; i++)
            add(account, packet->payload[i]);
    if (packet->ends_result) {
        add(account, tracker->result.rows);
        add(account, tracker->result.bytes);
        for (size_t i = 0; i < tracker->result.message_size; i++)
            add(account, (uint8_t)tracker->result.message[i]);
        for (size_t i = 0; i < tracker->result.session_state_size; i++)
            add(account, tracker->result.session_state[i]);
    }
}

static void check_bounds(const struct wire_tracker *tracker, const struct wire_packet *packet,
                         const struct wire_input *input, const uint8_t *start)
{
    const struct wire_flow *flow = &tracker->flow[packet->direction];
    assert(packet->payload);
    assert(packet->payload_size <= packet->total_size && packet->payload_size <= KEEP);
    bool in_input = packet->payload >= start && packet->payload <= input->end &&
                    packet->payload_size <= (size_t)(input->end - packet->payload);
    bool in_kept =
        (const char *)packet->payload == flow->kept.data && packet->payload_size <= flow->kept.size;
    assert(in_input || in_kept);
    assert(flow->kept.capacity <= 2 * KEEP);
    assert(tracker->queue_size <= WIRE_PIPELINE_MAX);
    assert((unsigned)packet->kind < WIRE_PACKET_KIND_COUNT);
}

static bool feed(struct wire_tracker *tracker, enum wire_direction direction, const uint8_t *bytes,
                 size_t size, struct account *account)
{
    struct wire_packet packet;
    uint8_t *copy = malloc(size ? size : 1); /* a step too far is seen */
    enum wire_step step;
    memcpy(copy, bytes, size);
    struct wire_input input = {copy, copy + size};
    do {
        step = wire_tracker_next(tracker, direction, &input, &packet);
        assert(input.pos >= copy && input.pos <= input.end);
        if (step == WIRE_PACKET) {
            check_bounds(tracker, &packet, &input, copy);
            note(account, tracker, &packet);
        }
    } while (step == WIRE_PACKET);
    assert(step == WIRE_BROKEN || input.pos == input.end);
    assert((step == WIRE_BROKEN) == (tracker->broken != NULL));
    free(copy);
    return step != WIRE_BROKEN;
}

/* step: most bytes fed at once. */
static struct account run(const uint8_t *data, size_t size, size_t step)
{
    struct wire_tracker tracker;
    struct account account = {0};
    uint8_t options = data[0];
    uint32_t wanted = options & 1 ? WIRE_WANT_ALL : WIRE_WANT(WIRE_COMMAND);
    uint64_t capabilities = WIRE_CAP(CLIENT_PROTOCOL_41);
    if (options & 4)
        capabilities |= WIRE_CAP(CLIENT_DEPRECATE_EOF) | WIRE_CAP(CLIENT_SESSION_TRACK);
    if (options & 8)
        capabilities |= WIRE_CAP(MARIADB_CLIENT_CACHE_METADATA) | WIRE_CAP(MARIADB_CLIENT_PROGRESS);
    if (options & 2)
        wire_tracker_init(&tracker, wanted, KEEP);
    else
        wire_tracker_resume(&tracker, wanted, KEEP, capabilities, capabilities, 0);
    bool alive = true;
    for (size_t i = 1; i < size && alive;) {
        enum wire_direction direction = data[i] & 0x80 ? WIRE_FROM_SERVER : WIRE_FROM_CLIENT;
        size_t chunk = data[i++] & 0x7f;
        if (chunk > size - i)
            chunk = size - i;
        for (size_t done = 0; done < chunk && alive; done += step)
            alive = feed(&tracker, direction, data + i + done,
                         chunk - done < step ? chunk - done : step, &account);
        i += chunk;
    }
    account.broken = tracker.broken;
    wire_tracker_release(&tracker);
    return account;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct account whole = run(data, size, 128);
    struct account single = run(data, size, 1);
    assert(whole.packets == single.packets);
    assert(whole.hash == single.hash);
    assert(whole.broken == single.broken);
    return 0;
}
