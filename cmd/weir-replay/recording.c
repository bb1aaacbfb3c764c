/* SPDX-License-Identifier: Apache-2.0
 *
 * Cuts bytes into packets with the tracker of the protocol, and assigns them to exchanges: a packet of
 * the server's belongs to the oldest command whose reply has not ended. */
#include "recording.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void fail(struct recording *recording, const char *problem)
{
    if (!recording->problem[0])
        snprintf(recording->problem, sizeof recording->problem, "%s", problem);
}

static void add_exchange(struct recording *recording, uint8_t command)
{
    if (recording->count == recording->room) {
        size_t room = recording->room ? 2 * recording->room : 16;
        struct exchange *more = realloc(recording->exchanges, room * sizeof *more);
        if (!more) {
            fail(recording, "out of memory");
            return;
        }
        recording->exchanges = more;
        recording->room = room;
    }
    recording->exchanges[recording->count++] = (struct exchange){.command = command};
}

/* Moves the pending bytes of the direction into a packet of the exchange. */
static void add_packet(struct recording *recording, size_t index, enum wire_direction direction)
{
    struct exchange *exchange = &recording->exchanges[index];
    if (exchange->count == exchange->room) {
        size_t room = exchange->room ? 2 * exchange->room : 8;
        struct recorded_packet *more = realloc(exchange->packets, room * sizeof *more);
        if (!more) {
            fail(recording, "out of memory");
            return;
        }
        exchange->packets = more;
        exchange->room = room;
    }
    exchange->packets[exchange->count++] =
        (struct recorded_packet){direction, recording->pending[direction]};
    strbuf_init(&recording->pending[direction]);
}

static bool is_answered(const struct exchange *exchange)
{
    return exchange->command != WIRE_NO_COMMAND &&
           wire_command_reply_shape(exchange->command) == WIRE_REPLY_NONE;
}

/* The exchange whose reply is due; the last one if none is. */
static size_t current(struct recording *recording)
{
    while (recording->next_answered + 1 < recording->count &&
           is_answered(&recording->exchanges[recording->next_answered]))
        recording->next_answered++;
    return recording->next_answered < recording->count ? recording->next_answered
                                                       : recording->count - 1;
}

static void assign(struct recording *recording, const struct wire_packet *packet)
{
    if (packet->kind == WIRE_SSL_REQUEST)
        fail(recording, "it goes on in TLS; record what is inside");
    if (packet->kind == WIRE_UNSOLICITED) {
        strbuf_reset(&recording->pending[packet->direction]);
        return;
    }
    if (packet->kind == WIRE_COMMAND) {
        add_exchange(recording, packet->command);
        if (!recording->problem[0])
            add_packet(recording, recording->count - 1, packet->direction);
        return;
    }
    size_t index = current(recording);
    add_packet(recording, index, packet->direction);
    if (packet->ends_reply)
        recording->next_answered = index + 1;
    if (recording->tracker.compressed)
        fail(recording, "it goes on compressed");
}

void recording_begin(struct recording *recording)
{
    *recording = (struct recording){.problem = ""};
    wire_tracker_init(&recording->tracker, WIRE_WANT_ALL, WIRE_KEEP_MIN);
    strbuf_init(&recording->pending[0]);
    strbuf_init(&recording->pending[1]);
    add_exchange(recording, WIRE_NO_COMMAND);
}

void recording_bytes(struct recording *recording, enum wire_direction direction,
                     const uint8_t *bytes, size_t size)
{
    struct wire_input input = {bytes, bytes + size};
    struct wire_packet packet;
    enum wire_step step = WIRE_PACKET;
    while (!recording->problem[0] && step == WIRE_PACKET) {
        const uint8_t *start = input.pos;
        step = wire_tracker_next(&recording->tracker, direction, &input, &packet);
        strbuf_add(&recording->pending[direction], start, (size_t)(input.pos - start));
        if (step == WIRE_PACKET)
            assign(recording, &packet);
        else if (step == WIRE_BROKEN)
            fail(recording, recording->tracker.broken);
    }
}

void recording_release(struct recording *recording)
{
    for (size_t i = 0; i < recording->count; i++) {
        for (size_t j = 0; j < recording->exchanges[i].count; j++)
            strbuf_release(&recording->exchanges[i].packets[j].bytes);
        free(recording->exchanges[i].packets);
    }
    free(recording->exchanges);
    strbuf_release(&recording->pending[0]);
    strbuf_release(&recording->pending[1]);
    wire_tracker_release(&recording->tracker);
}
