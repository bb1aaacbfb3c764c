/* SPDX-License-Identifier: Apache-2.0
 *
 * One conversation of a recording or a capture, on its way into a trace session.
 *
 * A connection whose login was not captured has unknown capabilities. Its first bytes are kept, tried
 * with each likely set of capabilities, and then given to a session with the best one: `guess`.
 *
 * What follows a request for TLS goes through trace/tls. The request is the client's first packet, of
 * 36 bytes, and what comes after it in the same piece is TLS already: so the client's first 36 bytes
 * are looked at here. */
#include "replayed.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEEP_LIMIT = 1 << 30,  /* bytes of one packet: the most that servers allow */
    GUESS_BYTES = 1 << 20, /* to guess capabilities from */
    GUESS_REPLIES = 8,     /* replies that are enough for it */
    TLS_REQUEST_BYTES = WIRE_HEADER_BYTES + 32,
};

#define COMMON_CAPABILITIES                                                                        \
    (WIRE_CAP(CLIENT_PROTOCOL_41) | WIRE_CAP(CLIENT_SECURE_CONNECTION) |                           \
     WIRE_CAP(CLIENT_PLUGIN_AUTH) | WIRE_CAP(CLIENT_TRANSACTIONS) |                                \
     WIRE_CAP(CLIENT_MULTI_RESULTS))

/* Likely sets, the likeliest first. */
static const uint64_t likely_capabilities[] = {
    COMMON_CAPABILITIES | WIRE_CAP(CLIENT_DEPRECATE_EOF) | WIRE_CAP(CLIENT_SESSION_TRACK),
    COMMON_CAPABILITIES | WIRE_CAP(CLIENT_SESSION_TRACK),
    COMMON_CAPABILITIES,
    COMMON_CAPABILITIES | WIRE_CAP(CLIENT_SESSION_TRACK) | WIRE_CAP(MARIADB_CLIENT_CACHE_METADATA),
    COMMON_CAPABILITIES | WIRE_CAP(CLIENT_SESSION_TRACK) | WIRE_CAP(CLIENT_DEPRECATE_EOF) |
        WIRE_CAP(MARIADB_CLIENT_CACHE_METADATA),
    COMMON_CAPABILITIES | WIRE_CAP(CLIENT_SESSION_TRACK) | WIRE_CAP(CLIENT_DEPRECATE_EOF) |
        WIRE_CAP(CLIENT_OPTIONAL_RESULTSET_METADATA) | WIRE_CAP(CLIENT_QUERY_ATTRIBUTES),
};

struct piece {
    struct piece *next;
    enum wire_direction direction;
    uint64_t time_ns;
    size_t size;
    uint8_t bytes[];
};

struct guess {
    struct piece *first, **last;
    size_t bytes;
};

struct replayed {
    const struct replay_setup *setup;
    struct trace_session *session; /* NULL: still guessing */
    struct guess guess;
    struct tls_reader *tls;          /* NULL: no TLS */
    uint8_t head[TLS_REQUEST_BYTES]; /* the client's first bytes */
    size_t head_size;
    char client[64]; /* its address */
    uint16_t server_port;
    unsigned number;
    char name[32]; /* for messages */
    bool is_whole;
    bool tls_is_open; /* plaintext has come out */
    bool problem_reported;
};

static const struct trace_options options = {.keep_limit = KEEP_LIMIT, .tls_is_opaque = true};

static void report_problem(struct replayed *r)
{
    const char *problem = r->session ? trace_session_problem(r->session) : NULL;
    const char *tls_problem = r->tls ? tls_reader_problem(r->tls) : NULL;
    if (problem && !r->problem_reported)
        log_warn("trace", "%s: not understood from here on: %s", r->name, problem);
    else if (tls_problem && !r->problem_reported)
        log_warn("trace", "%s: goes on in TLS, which is not shown: %s", r->name, tls_problem);
    r->problem_reported = r->problem_reported || problem || tls_problem;
}

/* Sets what the formats know of what is being traced. */
static void show_conversation(const struct replayed *r)
{
    trace_output.connection = r->number;
    trace_output.conversation = r->session ? trace_session_conversation(r->session) : NULL;
}

/* ---- guessing ---- */

/* Rates a set of capabilities: the replies that are understood, less packets that answer nothing. */
static long rate(const struct guess *guess, uint64_t capabilities)
{
    struct wire_tracker tracker;
    struct wire_packet packet;
    enum wire_step step = WIRE_MORE;
    long replies = 0;
    wire_tracker_resume(&tracker, WIRE_WANT_ALL, WIRE_KEEP_MIN, capabilities, capabilities, 0);
    for (const struct piece *piece = guess->first; piece && step != WIRE_BROKEN;
         piece = piece->next) {
        struct wire_input input = {piece->bytes, piece->bytes + piece->size};
        while ((step = wire_tracker_next(&tracker, piece->direction, &input, &packet)) ==
               WIRE_PACKET) {
            replies += packet.ends_reply;
            replies -= packet.kind == WIRE_UNSOLICITED ? 2 : 0;
        }
    }
    if (step == WIRE_BROKEN)
        replies -= 1000;
    wire_tracker_release(&tracker);
    return replies;
}

/* Begins the session with the best capabilities and gives it the bytes that were kept. */
static void end_guess(struct replayed *r)
{
    long best_rating = 0;
    uint64_t best = likely_capabilities[0];
    for (size_t i = 0; i < sizeof likely_capabilities / sizeof likely_capabilities[0]; i++) {
        long rating = rate(&r->guess, likely_capabilities[i]);
        if (i == 0 || rating > best_rating) {
            best_rating = rating;
            best = likely_capabilities[i];
        }
    }
    const struct trace_session_info info = {.host = r->client, .port = r->server_port};
    trace_output.connection = r->number;
    if (r->guess.first)
        trace_output.now_ns = r->guess.first->time_ns;
    r->session = trace_session_resume(r->setup->plugin, &info, &options, best, best, 0);
    show_conversation(r);
    while (r->guess.first) {
        struct piece *piece = r->guess.first;
        r->guess.first = piece->next;
        trace_output.now_ns = piece->time_ns;
        if (r->session)
            trace_session_bytes(r->session, piece->direction, piece->bytes, piece->size);
        free(piece);
    }
}

static void add_to_guess(struct replayed *r, enum wire_direction direction, const uint8_t *bytes,
                         size_t size, uint64_t time_ns)
{
    struct guess *guess = &r->guess;
    struct piece *piece = malloc(sizeof *piece + size);
    if (!piece)
        return;
    *piece = (struct piece){.direction = direction, .time_ns = time_ns, .size = size};
    memcpy(piece->bytes, bytes, size);
    *guess->last = piece;
    guess->last = &piece->next;
    guess->bytes += size;
    if (guess->bytes >= GUESS_BYTES ||
        (direction == WIRE_FROM_CLIENT && rate(guess, likely_capabilities[0]) >= GUESS_REPLIES))
        end_guess(r);
}

/* ---- TLS ---- */

static void got_plaintext(void *context, enum wire_direction direction, const uint8_t *bytes,
                          size_t size)
{
    struct replayed *r = context;
    if (!r->tls_is_open)
        trace_session_open_tls(r->session);
    r->tls_is_open = true;
    trace_session_bytes(r->session, direction, bytes, size);
}

static bool asks_for_tls(const struct replayed *r)
{
    struct wire_reader reader = wire_reader_of(r->head + WIRE_HEADER_BYTES, 4);
    return r->head_size == sizeof r->head &&
           wire_frame_length(r->head) == sizeof r->head - WIRE_HEADER_BYTES && r->head[3] == 1 &&
           wire_read_u32(&reader) & WIRE_CAP(CLIENT_SSL);
}

/* Adds to the client's first bytes. Returns how many of these belong to them. */
static size_t add_to_head(struct replayed *r, const uint8_t *bytes, size_t size)
{
    size_t room = sizeof r->head - r->head_size;
    size_t count = size < room ? size : room;
    memcpy(r->head + r->head_size, bytes, count);
    r->head_size += count;
    return count;
}

/* Gives the session what precedes TLS. Returns how many bytes that is. */
static size_t before_tls(struct replayed *r, enum wire_direction direction, const uint8_t *bytes,
                         size_t size)
{
    if (r->tls)
        return 0;
    if (direction == WIRE_FROM_CLIENT && r->is_whole && r->head_size < sizeof r->head) {
        size_t count = add_to_head(r, bytes, size);
        trace_session_bytes(r->session, direction, bytes, count);
        if (asks_for_tls(r)) {
            r->tls = tls_reader_new(r->setup->keylog, got_plaintext, r);
            return count;
        }
        bytes += count;
        trace_session_bytes(r->session, direction, bytes, size - count);
    } else {
        trace_session_bytes(r->session, direction, bytes, size);
    }
    return size;
}

/* ---- the conversation ---- */

struct replayed *replayed_new(const struct replay_setup *setup, unsigned number, const char *client,
                              uint16_t server_port, bool is_whole)
{
    assert(setup && setup->plugin);
    struct replayed *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->setup = setup;
    r->number = number;
    r->server_port = server_port;
    r->is_whole = is_whole;
    r->guess.last = &r->guess.first;
    if (number)
        snprintf(r->name, sizeof r->name, "connection %u", number);
    else
        snprintf(r->name, sizeof r->name, "the connection");
    snprintf(r->client, sizeof r->client, "%s", client);
    if (is_whole) {
        const struct trace_session_info info = {.host = r->client, .port = r->server_port};
        trace_output.connection = number;
        r->session = trace_session_begin(setup->plugin, &info, &options);
    }
    if (is_whole && !r->session) {
        free(r);
        return NULL;
    }
    return r;
}

void replayed_bytes(struct replayed *r, enum wire_direction direction, const uint8_t *bytes,
                    size_t size)
{
    show_conversation(r);
    if (!r->session) {
        add_to_guess(r, direction, bytes, size, trace_output.now_ns);
    } else {
        size_t plain = before_tls(r, direction, bytes, size);
        if (r->tls)
            tls_reader_bytes(r->tls, direction, bytes + plain, size - plain);
    }
    report_problem(r);
}

const char *replayed_name(const struct replayed *r)
{
    return r->name;
}

void replayed_end(struct replayed *r)
{
    if (!r)
        return;
    if (!r->session)
        end_guess(r);
    show_conversation(r);
    if (r->tls)
        tls_reader_end(r->tls);
    report_problem(r);
    trace_session_end(r->session);
    trace_output.conversation = NULL;
    tls_reader_free(r->tls);
    free(r);
}
