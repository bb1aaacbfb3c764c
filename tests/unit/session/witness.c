/* SPDX-License-Identifier: Apache-2.0
 *
 * Two directions into one tracker, in the order in which a session sees them. */
#include "witness.h"

#include <assert.h>

void witness_begin(struct witness *witness, bool looks_away)
{
    *witness = (struct witness){.unseen = STRBUF_INIT, .looks_away = looks_away};
    wire_tracker_init(&witness->tracker, WIRE_WANT_ALL, WIRE_KEEP_MIN);
}

void witness_end(struct witness *witness)
{
    wire_tracker_release(&witness->tracker);
    strbuf_release(&witness->unseen);
}

static bool is_owed(const struct witness *witness)
{
    uint8_t command = WIRE_NO_COMMAND;
    enum wire_expect expected = wire_tracker_expects(&witness->tracker, &command);
    return command != WIRE_NO_COMMAND || expected != WIRE_EXPECT_NOTHING;
}

static bool is_logging_in(const struct witness *witness)
{
    uint8_t command = WIRE_NO_COMMAND;
    enum wire_expect expected = wire_tracker_expects(&witness->tracker, &command);
    return command == WIRE_NO_COMMAND && expected != WIRE_EXPECT_NOTHING;
}

/* Takes the client's packets whose turn it is. */
static void take_client(struct witness *witness)
{
    struct wire_packet packet;
    enum wire_step step = WIRE_PACKET;
    while (!witness->looks_away && step == WIRE_PACKET && witness->unseen.size &&
           (!is_owed(witness) || wire_tracker_expects_client_data(&witness->tracker))) {
        const uint8_t *bytes = (const uint8_t *)witness->unseen.data;
        struct wire_input input = {bytes, bytes + witness->unseen.size};
        step = wire_tracker_next(&witness->tracker, WIRE_FROM_CLIENT, &input, &packet);
        strbuf_consume(&witness->unseen, (size_t)(input.pos - bytes));
        witness->looks_away = witness->tracker.broken != NULL;
    }
}

void witness_client(struct witness *witness, const void *bytes, size_t size)
{
    strbuf_add(&witness->unseen, bytes, size);
    assert(!witness->unseen.failed);
    take_client(witness);
}

/* Whether an ERR begins here. */
static bool is_error_at(const uint8_t *bytes, const uint8_t *end)
{
    return end - bytes > WIRE_HEADER_BYTES && bytes[WIRE_HEADER_BYTES] == 0xff;
}

/* The session may not have come to the client's command yet when it says goodbye: its error then
 * fits nothing, but it is the last packet. */
static bool is_farewell(const struct witness *witness, enum wire_step step,
                        const struct wire_packet *packet, bool is_error)
{
    if (step == WIRE_BROKEN)
        return is_error;
    bool answers_nothing = step == WIRE_PACKET && packet->kind == WIRE_UNSOLICITED;
    assert(!answers_nothing || (packet->payload_size && packet->payload[0] == 0xff));
    return answers_nothing && !witness->tracker.broken;
}

void witness_server(struct witness *witness, const void *bytes, size_t size)
{
    struct wire_input input = {bytes, (const uint8_t *)bytes + size};
    struct wire_packet packet;
    take_client(witness);
    while (!witness->looks_away && input.pos < input.end) {
        assert(!witness->has_farewell);
        if (is_logging_in(witness) && witness->unseen.size) {
            witness->looks_away =
                true; /* a client that speaks out of turn is the backend's matter */
            return;
        }
        bool is_error = is_error_at(input.pos, input.end);
        enum wire_step step =
            wire_tracker_next(&witness->tracker, WIRE_FROM_SERVER, &input, &packet);
        witness->has_farewell = is_farewell(witness, step, &packet, is_error);
        assert(step != WIRE_BROKEN || witness->has_farewell);
        if (step == WIRE_BROKEN)
            return;
        take_client(witness);
    }
}

void witness_check(struct witness *witness, bool is_open, bool is_ready)
{
    if (witness->looks_away)
        return;
    assert(!(witness->has_farewell && is_open));
    assert(!(is_ready && is_owed(witness)));
}
