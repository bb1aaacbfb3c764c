/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to the room: what the tracker expects next, and how packets change that.
 *
 * tracker.c cuts bytes into packets; tracker_states.c gives them meaning. The border is two calls:
 * one when a packet's first bytes are known, one when it is complete. */
#ifndef WEIR_WIRE_TRACKER_STATES_H
#define WEIR_WIRE_TRACKER_STATES_H

#include "wire/tracker.h"

/* X(state, kinds that a server's packet has by its first byte: 00, FB, a short FE, anything else).
 * BAD: not the protocol. FF is an ERR everywhere, or a progress report. */
#define WIRE_EXPECTATIONS(X)                                                                       \
    X(GREETING, BAD, BAD, BAD, WIRE_GREETING)                                                      \
    X(AUTH, WIRE_OK, WIRE_AUTH_MORE, WIRE_AUTH_SWITCH, WIRE_AUTH_MORE)                             \
    X(NOTHING, WIRE_UNSOLICITED, WIRE_UNSOLICITED, WIRE_UNSOLICITED, WIRE_UNSOLICITED)             \
    X(ONE, WIRE_OK, BAD, WIRE_EOF, BAD)                                                            \
    X(RESULT, WIRE_OK, WIRE_LOCAL_INFILE_REQUEST, WIRE_EOF, WIRE_COLUMN_COUNT)                     \
    X(PREPARE, WIRE_PREPARE_OK, BAD, BAD, BAD)                                                     \
    X(PARAMETERS, WIRE_PARAMETER_DEFINITION, BAD, BAD, WIRE_PARAMETER_DEFINITION)                  \
    X(PARAMETERS_END, BAD, BAD, WIRE_EOF, BAD)                                                     \
    X(DEFINITIONS, WIRE_COLUMN_DEFINITION, BAD, BAD, WIRE_COLUMN_DEFINITION)                       \
    X(DEFINITIONS_END, BAD, BAD, WIRE_EOF, BAD)                                                    \
    X(FIELDS, WIRE_COLUMN_DEFINITION, BAD, WIRE_EOF, WIRE_COLUMN_DEFINITION)                       \
    X(ROWS, WIRE_ROW, WIRE_ROW, WIRE_EOF, WIRE_ROW)                                                \
    X(STATISTICS, WIRE_STATISTICS, WIRE_STATISTICS, WIRE_STATISTICS, WIRE_STATISTICS)              \
    X(BINLOG, WIRE_BINLOG_EVENT, WIRE_BINLOG_EVENT, WIRE_EOF, WIRE_BINLOG_EVENT)                   \
    X(INFILE, WIRE_OK, BAD, BAD, BAD)

enum wire_expect {
#define X(state, zero, request, end, other) EXPECT_##state,
    WIRE_EXPECTATIONS(X)
#undef X
};

/* What is known of a packet when its first frame begins. */
struct wire_opening {
    enum wire_direction direction;
    uint8_t sequence;
    uint32_t length;      /* bytes of payload in the first frame */
    const uint8_t *bytes; /* the first min(length, 3) of them */
};

/* Says what kind of packet begins. false: tracker->broken is set. */
bool wire_states_open(struct wire_tracker *tracker, const struct wire_opening *opening,
                      enum wire_packet_kind *kind);

/* Takes note of a whole packet: fills packet's command, ends_result and ends_reply, and
 * tracker->result, and moves on to what is expected next. May set tracker->broken: the packet is
 * malformed. */
void wire_states_complete(struct wire_tracker *tracker, struct wire_packet *packet);

#endif
