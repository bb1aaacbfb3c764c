/* SPDX-License-Identifier: Apache-2.0
 *
 * Feeds recordings and captures to trace sessions.
 *
 * A connection whose login was not captured has unknown capabilities. Its first bytes are kept, tried
 * with each likely set of capabilities, and then given to a session with the best one: `guess`. */
#include "replay.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEEP_LIMIT = 1 << 30,     /* bytes of one packet: the most that servers allow */
    PENDING_LIMIT = 16 << 20, /* bytes that came too early, of one direction */
    GUESS_BYTES = 1 << 20,    /* to guess capabilities from */
    GUESS_REPLIES = 8,        /* replies that are enough for it */
    ADDRESS_TEXT_BYTES = INET6_ADDRSTRLEN,
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
    struct st_mysql_client_plugin_TRACE *plugin;
    struct trace_session *session; /* NULL: still guessing */
    struct guess guess;
    char client[ADDRESS_TEXT_BYTES];
    uint16_t server_port;
    unsigned number;
    bool problem_reported;
};

struct replay {
    struct st_mysql_client_plugin_TRACE *plugin;
    unsigned connections;
};

static const struct trace_options options = {.keep_limit = KEEP_LIMIT, .tls_is_opaque = true};

static void report_problem(struct replayed *r)
{
    const char *problem = r->session ? trace_session_problem(r->session) : NULL;
    if (problem && !r->problem_reported)
        log_warn("trace", "connection %u: not understood from here on: %s", r->number, problem);
    r->problem_reported = r->problem_reported || problem;
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
    r->session = trace_session_resume(r->plugin, &info, &options, best, best, 0);
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

/* ---- captures ---- */

static void *began(void *context, const struct stream_segment *first, bool is_whole)
{
    struct replay *replay = context;
    struct replayed *r = calloc(1, sizeof *r);
    bool from_client = first->syn ? !first->ack : !is_whole;
    const struct stream_endpoint *client = from_client ? &first->source : &first->destination;
    const struct stream_endpoint *server = from_client ? &first->destination : &first->source;
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (!r)
        return NULL;
    r->plugin = replay->plugin;
    r->number = ++replay->connections;
    r->server_port = server->port;
    r->guess.last = &r->guess.first;
    if (memcmp(client->address, mapped, sizeof mapped) == 0)
        inet_ntop(AF_INET, client->address + sizeof mapped, r->client, sizeof r->client);
    else
        inet_ntop(AF_INET6, client->address, r->client, sizeof r->client);
    if (is_whole) {
        const struct trace_session_info info = {.host = r->client, .port = r->server_port};
        trace_output.connection = r->number;
        trace_output.now_ns = first->time_ns;
        r->session = trace_session_begin(r->plugin, &info, &options);
    }
    return r;
}

static void got_bytes(void *connection, enum wire_direction direction, const uint8_t *bytes,
                      size_t size, uint64_t time_ns)
{
    struct replayed *r = connection;
    if (!r)
        return;
    trace_output.connection = r->number;
    trace_output.now_ns = time_ns;
    if (r->session)
        trace_session_bytes(r->session, direction, bytes, size);
    else
        add_to_guess(r, direction, bytes, size, time_ns);
    report_problem(r);
}

static void lost(void *connection, enum wire_direction direction)
{
    struct replayed *r = connection;
    if (r)
        log_warn("trace", "connection %u: bytes from the %s are missing in the capture", r->number,
                 direction == WIRE_FROM_CLIENT ? "client" : "server");
}

static void ended(void *connection)
{
    struct replayed *r = connection;
    if (!r)
        return;
    if (!r->session)
        end_guess(r);
    trace_output.connection = r->number;
    report_problem(r);
    trace_session_end(r->session);
    free(r);
}

int replay_capture(struct st_mysql_client_plugin_TRACE *plugin, const char *path,
                   const char *interface, uint16_t port, const volatile int *stop,
                   struct error *error)
{
    static const struct stream_events events = {began, got_bytes, lost, ended};
    struct replay replay = {plugin, 0};
    struct streams *streams = streams_new(port, PENDING_LIMIT, &events, &replay);
    int status;
    if (!streams)
        return error_set(error, "out of memory");
    status = interface ? capture_live(interface, port, streams, stop, error)
                       : capture_file(path, streams, error);
    streams_free(streams);
    return status;
}

/* ---- recordings ---- */

int replay_wire_file(struct st_mysql_client_plugin_TRACE *plugin, const char *path,
                     struct error *error)
{
    enum wire_direction direction;
    const uint8_t *bytes;
    size_t size;
    int status;
    const struct trace_session_info info = {.host = "recording"};
    struct wirefile *file = wirefile_open(path, error);
    struct replayed r = {.number = 1};
    if (!file)
        return -1;
    r.session = trace_session_begin(plugin, &info, &options);
    while ((status = wirefile_next(file, &direction, &bytes, &size, error)) == 1) {
        if (r.session)
            trace_session_bytes(r.session, direction, bytes, size);
        report_problem(&r);
    }
    trace_session_end(r.session);
    wirefile_close(file);
    return status;
}
