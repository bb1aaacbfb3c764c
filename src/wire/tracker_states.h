/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to the room: how packets change what the tracker expects next.
 *
 * tracker.c cuts bytes into packets; tracker_states.c gives them meaning. The border is two calls:
 * one when a packet's first bytes are known, one when it is complete. */
#ifndef WEIR_WIRE_TRACKER_STATES_H
#define WEIR_WIRE_TRACKER_STATES_H

#include "wire/tracker.h"

/* What is known of a packet when its first frame begins. */
struct wire_opening {
    enum wire_direction direction;
    uint8_t sequence;
    uint32_t length;      /* bytes of payload in the first frame */
    const uint8_t *bytes; /* the first min(length, 3) of them */
};

/* Finds what kind of packet begins. Returns false if tracker->broken was set. */
WEIR_MUST_CHECK bool wire_states_open(struct wire_tracker *tracker,
                                      const struct wire_opening *opening,
                                      enum wire_packet_kind *kind);

/* Updates the state by a complete packet: fills packet's command, ends_result and ends_reply, and
 * tracker->result, and moves on to what is expected next. May set tracker->broken: the packet is
 * malformed. */
void wire_states_complete(struct wire_tracker *tracker, struct wire_packet *packet);

#endif
