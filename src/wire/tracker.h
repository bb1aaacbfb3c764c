/* SPDX-License-Identifier: Apache-2.0
 *
 * The conversation tracker: it is fed the bytes of both directions of one connection, in the order
 * in which they were seen, and says exactly and in order what happened.
 *
 *     struct wire_input in = {bytes, bytes + size};
 *     while (wire_tracker_next(&tracker, WIRE_FROM_SERVER, &in, &packet) == WIRE_PACKET)
 *         ... packet.kind, packet.payload; in.pos is now just after the packet ...
 *
 * How bytes are cut into inputs never changes what comes out. A payload is shown in place when it
 * lies whole in one input; only a wanted payload that is split over inputs or over frames (16 MiB)
 * is assembled in the tracker's own buffer, which lives until the next call and is bounded by
 * keep_limit. Packets that are not wanted are counted and skipped; only their first bytes are
 * read.
 *
 * Commands may be pipelined: replies are matched to them in order. LOCAL INFILE data and
 * commands are distinguished by the state of the reply. During COM_CHANGE_USER the authentication exchange is
 * followed.
 *
 * Once bytes do not fit the protocol the tracker is broken for good: every further call returns
 * WIRE_BROKEN and tracker.broken is a static message that says why. A packet that is whole but
 * malformed is shown before that.
 *
 * Any thread, one at a time. */
#ifndef WEIR_WIRE_TRACKER_H
#define WEIR_WIRE_TRACKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "wire/protocol.h"

enum wire_direction { WIRE_FROM_CLIENT, WIRE_FROM_SERVER };

/* X(enumerator, printed name): what a packet is. */
#define WIRE_PACKET_KINDS(X)                                                                       \
    X(WIRE_GREETING, "greeting")                                                                   \
    X(WIRE_SSL_REQUEST, "ssl_request") /* 32 bytes; what follows is TLS */                         \
    X(WIRE_HANDSHAKE_RESPONSE, "handshake_response")                                               \
    X(WIRE_AUTH_SWITCH, "auth_switch") /* FE plugin 00 data */                                     \
    X(WIRE_AUTH_MORE, "auth_more")     /* server: 01 data, or what a plugin sends */               \
    X(WIRE_AUTH_DATA, "auth_data")     /* client */                                                \
    X(WIRE_COMMAND, "command")                                                                     \
    X(WIRE_OK, "ok") /* also the OK that ends rows (FE) */                                         \
    X(WIRE_ERR, "err")                                                                             \
    X(WIRE_EOF, "eof") /* ends definitions or rows */                                              \
    X(WIRE_COLUMN_COUNT, "column_count")                                                           \
    X(WIRE_COLUMN_DEFINITION, "column_definition")                                                 \
    X(WIRE_PARAMETER_DEFINITION, "parameter_definition")                                           \
    X(WIRE_ROW, "row")                                                                             \
    X(WIRE_PREPARE_OK, "prepare_ok")                                                               \
    X(WIRE_LOCAL_INFILE_REQUEST, "local_infile_request") /* FB name */                             \
    X(WIRE_LOCAL_INFILE_DATA, "local_infile_data")       /* an empty one ends the file */          \
    X(WIRE_STATISTICS, "statistics")                                                               \
    X(WIRE_PROGRESS, "progress") /* MariaDB: FF FFFF inside a reply */                             \
    X(WIRE_BINLOG_EVENT, "binlog_event")                                                           \
    X(WIRE_BINLOG_ACK, "binlog_ack") /* client: semi-synchronous replication */                    \
    X(WIRE_UNSOLICITED,                                                                            \
      "unsolicited") /* server packet that answers nothing, e.g. a kill notice   \
                                        */

enum wire_packet_kind {
#define X(enumerator, name) enumerator,
    WIRE_PACKET_KINDS(X)
#undef X
        WIRE_PACKET_KIND_COUNT
};

const char *wire_packet_kind_name(enum wire_packet_kind kind);

#define WIRE_WANT(kind) (1U << (kind))
#define WIRE_WANT_ALL   ((1U << WIRE_PACKET_KIND_COUNT) - 1)

/* What the server owes next. X(state, kinds that its packet then has by its first byte: 00, FB, a
 * short FE, anything else). BAD: not the protocol. FF is an ERR everywhere, or a progress report.
 * NOTHING: no command waits; INFILE: it is the client's turn. */
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
#define X(state, zero, request, end, other) WIRE_EXPECT_##state,
    WIRE_EXPECTATIONS(X)
#undef X
};

/* One logical packet: frames of 16 MiB - 1 are joined, headers never shown. */
struct wire_packet {
    enum wire_packet_kind kind;
    enum wire_direction direction;
    uint8_t command;        /* the command this is, or answers; WIRE_NO_COMMAND during login */
    uint8_t sequence;       /* sequence number of its last frame */
    bool ends_result;       /* OK, ERR, EOF ...: the last packet of one result */
    bool ends_reply;        /* nothing more is due for the command */
    const uint8_t *payload; /* borrowed until the next call; never NULL */
    size_t payload_size;    /* bytes at payload: min(total_size, keep_limit); those of an unwanted
                             * packet    that is shown because it ends a result may be fewer */
    uint64_t total_size;    /* bytes of the logical payload */
};
#define WIRE_NO_COMMAND 0xff

struct wire_input {
    const uint8_t *pos, *end;
};

enum wire_step {
    WIRE_MORE,   /* all input was consumed, nothing to say */
    WIRE_PACKET, /* *packet is filled; pos is just after it */
    WIRE_BROKEN, /* not the protocol (tracker.broken); pos is where it was noticed */
};

/* What one result (or a reply without one) amounted to. Filled when packet.ends_result is set, and
 * valid until the next call. */
struct wire_result {
    uint64_t rows;          /* rows of the result set */
    uint64_t bytes;         /* bytes of the reply so far, headers included */
    uint64_t affected_rows; /* OK only */
    uint64_t last_insert_id;
    uint16_t status; /* SERVER_STATUS_* of the last OK or EOF */
    uint16_t warnings;
    bool is_result_set;
    bool is_error;
    bool more_results;
    uint16_t error_code; /* ERR only */
    char sqlstate[6];    /* ERR only, NUL-terminated; "HY000" when the packet has none */
    const char *message; /* ERR: borrowed from the payload; OK: the info text */
    size_t message_size;
    const uint8_t *session_state; /* OK with SERVER_SESSION_STATE_CHANGED: the block; else NULL */
    size_t session_state_size;
};

/* Must stay where it was initialised: a short queue of commands lies inside. */
struct wire_tracker {
    /* Readable by the owner at any time. */
    const char *broken;           /* NULL, or why bytes are not the protocol: static */
    uint64_t client_capabilities; /* what both sides use: bits 32.. are MariaDB's extended ones */
    uint64_t server_capabilities; /* what the greeting offered */
    uint16_t status;              /* last server status seen */
    struct wire_result result;

    /* The owner may set this once the tracker is initialised. An observer accepts that a client
     * leaves an exchange unfinished (it lacks the file, or the authentication method, that it was
     * asked for) and continues with a command. A relay must not: the server still reads the next
     * packet as what it asked for. */
    bool client_may_give_up;

    /* The rest is private to the room.
     *
     * expect   what the server owes next, for the oldest command in the queue
     * queue    ring of commands waiting for their replies, oldest at queue_first
     * flow[]   one direction's packet in progress */
    uint32_t wanted;
    size_t keep_limit;
    uint64_t columns_left;  /* definitions due */
    uint64_t columns_after; /* PREPARE: column definitions due after those of parameters */
    uint64_t reply_bytes, reply_rows;
    uint8_t expect;        /* enum wire_expect */
    uint8_t sequence;      /* number that the next frame of the exchange in progress must have */
    bool sequence_is_free; /* numbers say nothing: compressed connection */
    bool compressed;       /* negotiated; after login the owner feeds inflated bytes */
    bool response_seen;    /* the client has answered the greeting */
    bool client_owes;      /* authentication data or LOCAL INFILE data is due from the client */
    bool infile_open;      /* LOCAL INFILE data has not ended yet, even if the reply has */
    bool more_after_rows;  /* OUT parameters: the definitions' EOF said that a result follows */
    bool can_withdraw;     /* the packet shown last is a command that waits for a reply */

    struct wire_pending {
        uint8_t command;
        uint8_t last_sequence; /* of the command's last frame */
        bool cursor;           /* an EXECUTE that asks for a cursor */
        bool several_frames;
    } * queue, queue_inline[4];
    uint32_t queue_size, queue_first, queue_count;

    struct wire_flow {
        uint8_t
            head[4 + 3]; /* frame header and up to three bytes of payload, when they come split */
        uint8_t head_size;
        bool in_packet;       /* the packet's kind is known, and it is not complete */
        bool in_frame;        /* the frame's header is read, and frame_left bytes are to come */
        bool last_frame;      /* the frame in progress is the packet's last */
        uint8_t kind;         /* enum wire_packet_kind */
        uint8_t sequence;     /* of the frame in progress */
        uint32_t frame_left;  /* bytes */
        uint32_t first_frame; /* bytes of payload in the packet's first frame */
        size_t keep;          /* most bytes of this packet to keep */
        uint64_t total;       /* bytes of payload announced so far */
        struct strbuf kept;   /* the payload of a split packet */
    } flow[2];
};

/* wanted: a mask of WIRE_WANT(kind) of the packets to be shown; the kinds that change the tracker's
 * state are understood in any case. keep_limit: most bytes of one payload to assemble or show (at
 * least WIRE_KEEP_MIN are). Starts before the greeting. The tracker allocates only while a packet
 * is split or more than four commands wait. */
void wire_tracker_init(struct wire_tracker *tracker, uint32_t wanted, size_t keep_limit);
#define WIRE_KEEP_MIN 512

/* The same, but starts after a login that was not seen, with the capabilities that it settled:
 * client_capabilities are those of both sides. The next bytes must be a command. */
void wire_tracker_resume(struct wire_tracker *tracker, uint32_t wanted, size_t keep_limit,
                         uint64_t server_capabilities, uint64_t client_capabilities,
                         uint16_t status);

/* The login is over, and the server's packets have the form of these capabilities: a relay may have
 * asked the server for more than its client has asked for. */
void wire_tracker_set_capabilities(struct wire_tracker *tracker, uint64_t capabilities);

/* Bytes of the reply at hand so far, headers included. */
static inline uint64_t wire_tracker_reply_bytes(const struct wire_tracker *tracker)
{
    return tracker->reply_bytes;
}

/* Changes what is wanted from the next packet on. */
void wire_tracker_want(struct wire_tracker *tracker, uint32_t wanted);

/* Frees what was assembled and queued. */
void wire_tracker_release(struct wire_tracker *tracker);

/* Frees the memory of the last payload that was assembled, which must not be used any more. For
 * sessions that become idle. */
void wire_tracker_trim(struct wire_tracker *tracker);

/* Consumes bytes from input and stops after the next packet to be shown. After WIRE_PACKET, call
 * again with the same input. */
WEIR_MUST_CHECK enum wire_step wire_tracker_next(struct wire_tracker *tracker,
                                                 enum wire_direction direction,
                                                 struct wire_input *input,
                                                 struct wire_packet *packet);

/* Returns true if no command waits for its reply and no packet is incomplete. False during login. */
bool wire_tracker_is_idle(const struct wire_tracker *tracker);

/* What the server owes next for the oldest command in progress, and that command (WIRE_NO_COMMAND:
 * none). */
enum wire_expect wire_tracker_expects(const struct wire_tracker *tracker, uint8_t *command);

/* Finds the command of which only a part has arrived, while nothing is due from the server: its size
 * by the headers of its frames so far, and its first `count` bytes, borrowed until the next call.
 * Returns false if there is none, or its first byte has not arrived. */
WEIR_MUST_CHECK bool wire_tracker_cut_command(const struct wire_tracker *tracker, uint64_t *size,
                                              const uint8_t **bytes, size_t *count);

/* Returns true while the client owes LOCAL INFILE data, or authentication data. */
bool wire_tracker_expects_client_data(const struct wire_tracker *tracker);

/* Returns true if the client's next bytes are a replica's acknowledgement, which comes while the server
 * sends its binlog; or a part of one, whose beginning has been consumed. */
bool wire_tracker_expects_ack(const struct wire_tracker *tracker, const struct wire_input *input);

/* Returns true if no packet of that direction is incomplete: its owner may insert a packet of its own,
 * numbered tracker->sequence. */
static inline bool wire_tracker_is_between_packets(const struct wire_tracker *tracker,
                                                   enum wire_direction direction)
{
    const struct wire_flow *flow = &tracker->flow[direction];
    return !flow->in_packet && !flow->in_frame && flow->head_size == 0;
}

/* Bytes, headers included, of a packet of that direction that is half seen and will be shown, or may
 * be: its kind is not known yet. 0: there is none. */
static inline uint64_t wire_tracker_half_seen(const struct wire_tracker *tracker,
                                              enum wire_direction direction)
{
    const struct wire_flow *flow = &tracker->flow[direction];
    uint64_t frames = flow->total / WIRE_FRAME_MAX + (flow->last_frame ? 1 : 0);
    if (!flow->in_packet)
        return flow->head_size;
    if (!(tracker->wanted & WIRE_WANT(flow->kind)))
        return 0;
    return frames * WIRE_HEADER_BYTES + flow->total - (flow->in_frame ? flow->frame_left : 0) +
           flow->head_size;
}

/* The payload of the packet that was shown last, where it was assembled because it came in pieces
 * or in several frames. Borrowed until the next call. */
const uint8_t *wire_tracker_kept(const struct wire_tracker *tracker, enum wire_direction direction,
                                 size_t *size);

/* Removes the last command: it was not sent on (a plugin refused it, or the owner answers it itself),
 * and no reply is expected. Does nothing unless called right after its WIRE_COMMAND packet. */
void wire_tracker_withdraw_command(struct wire_tracker *tracker);

#endif
