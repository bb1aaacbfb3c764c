/* SPDX-License-Identifier: Apache-2.0
 *
 * A recorded conversation as exchanges: the login, then each command with all that belongs to it, in
 * order, even where commands were pipelined. */
#ifndef WEIR_REPLAY_RECORDING_H
#define WEIR_REPLAY_RECORDING_H

#include "base/base.h"
#include "wire/wire.h"

/* One packet as it was sent, headers included. */
struct recorded_packet {
    enum wire_direction direction;
    struct strbuf bytes;
};

struct exchange {
    uint8_t command; /* WIRE_NO_COMMAND: the login */
    struct recorded_packet *packets;
    size_t count, room;
};

struct recording {
    struct exchange *exchanges; /* the first is the login */
    size_t count, room;
    char problem[128]; /* why it can't be replayed from here on; "": it can */

    /* The rest is private. */
    struct wire_tracker tracker;
    struct strbuf pending[2]; /* packets that are not whole, by direction */
    size_t next_answered;     /* the exchange whose reply is due */
};

void recording_begin(struct recording *recording);

/* Adds bytes in the order in which they were seen; borrowed for the call. */
void recording_bytes(struct recording *recording, enum wire_direction direction,
                     const uint8_t *bytes, size_t size);

void recording_release(struct recording *recording);

#endif
