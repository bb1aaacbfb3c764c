/* SPDX-License-Identifier: Apache-2.0
 *
 * TCP reassembly over a table of connections.
 *
 * Each direction of a connection has the sequence number that is due next, and a list of segments
 * that came too early, sorted by sequence number. Numbers are compared by their distance from the
 * one that is due, because they wrap.
 *
 * Bounds: a direction keeps at most pending_limit bytes; the table keeps CONNECTIONS_MAX
 * connections and ends the one that was quiet for longest when another begins. */
#include "trace/capture/streams.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE_SLOTS = 1024, CONNECTIONS_MAX = 65536 };

struct pending {
    struct pending *next;
    uint32_t sequence;
    size_t size;
    uint8_t bytes[];
};

struct half {
    bool is_known;  /* `due` is valid */
    bool has_ended; /* FIN or RST came in order */
    bool fin_known; /* a FIN was seen: its place is fin_at */
    uint32_t fin_at;
    uint32_t due; /* sequence number of the next byte */
    struct pending *early;
    size_t early_bytes;
};

struct connection {
    struct connection *next;          /* in the slot */
    struct connection *newer, *older; /* by the last segment */
    struct stream_endpoint client, server;
    struct half halves[2]; /* by enum wire_direction */
    bool is_broken;        /* bytes were lost */
    bool has_begun;        /* began() was called */
    void *user;            /* what began() returned */
};

struct streams {
    uint16_t port;
    size_t pending_limit;
    struct stream_events events;
    void *context;
    struct connection *slots[TABLE_SLOTS];
    struct connection *newest, *oldest;
    unsigned count;
};

struct streams *streams_new(uint16_t port, size_t pending_limit, const struct stream_events *events,
                            void *context)
{
    assert(events && events->began && events->bytes && events->lost && events->ended);
    struct streams *s = calloc(1, sizeof *s);
    if (s) {
        s->port = port;
        s->pending_limit = pending_limit;
        s->events = *events;
        s->context = context;
    }
    return s;
}

/* ---- the table ---- */

static bool same(const struct stream_endpoint *a, const struct stream_endpoint *b)
{
    return a->port == b->port && memcmp(a->address, b->address, sizeof a->address) == 0;
}

static unsigned slot_of(const struct stream_endpoint *client, const struct stream_endpoint *server)
{
    uint32_t hash = client->port * 31U + server->port;
    for (size_t i = 0; i < sizeof client->address; i++)
        hash = hash * 31U + (client->address[i] ^ (uint32_t)server->address[i] << 3);
    return hash % TABLE_SLOTS;
}

static void unlink_age(struct streams *s, struct connection *c)
{
    if (c->newer)
        c->newer->older = c->older;
    else
        s->newest = c->older;
    if (c->older)
        c->older->newer = c->newer;
    else
        s->oldest = c->newer;
    c->newer = c->older = NULL;
}

static void make_newest(struct streams *s, struct connection *c)
{
    c->older = s->newest;
    if (s->newest)
        s->newest->newer = c;
    s->newest = c;
    if (!s->oldest)
        s->oldest = c;
}

static void drop_early(struct half *half)
{
    while (half->early) {
        struct pending *first = half->early;
        half->early = first->next;
        free(first);
    }
    half->early_bytes = 0;
}

static void end_connection(struct streams *s, struct connection *c)
{
    struct connection **link = &s->slots[slot_of(&c->client, &c->server)];
    while (*link != c) {
        assert(*link);
        link = &(*link)->next;
    }
    *link = c->next;
    unlink_age(s, c);
    drop_early(&c->halves[0]);
    drop_early(&c->halves[1]);
    if (c->has_begun)
        s->events.ended(c->user);
    free(c);
    s->count--;
}

static struct connection *find(struct streams *s, const struct stream_endpoint *client,
                               const struct stream_endpoint *server)
{
    struct connection *c = s->slots[slot_of(client, server)];
    while (c && !(same(&c->client, client) && same(&c->server, server)))
        c = c->next;
    return c;
}

static struct connection *add(struct streams *s, const struct stream_endpoint *client,
                              const struct stream_endpoint *server)
{
    struct connection *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    if (s->count == CONNECTIONS_MAX)
        end_connection(s, s->oldest);
    c->client = *client;
    c->server = *server;
    c->next = s->slots[slot_of(client, server)];
    s->slots[slot_of(client, server)] = c;
    make_newest(s, c);
    s->count++;
    return c;
}

/* ---- one direction ---- */

static void report_loss(struct streams *s, struct connection *c, enum wire_direction direction)
{
    if (c->is_broken)
        return;
    c->is_broken = true;
    if (c->has_begun)
        s->events.lost(c->user, direction);
}

static void deliver(struct streams *s, struct connection *c, enum wire_direction direction,
                    const uint8_t *bytes, size_t size, uint64_t time_ns)
{
    c->halves[direction].due += (uint32_t)size;
    if (size > 0 && c->has_begun && !c->is_broken)
        s->events.bytes(c->user, direction, bytes, size, time_ns);
}

/* Keeps a segment that starts after the byte that is due. */
static void keep_early(struct streams *s, struct connection *c, enum wire_direction direction,
                       const struct stream_segment *segment)
{
    struct half *half = &c->halves[direction];
    uint32_t ahead = segment->sequence - half->due;
    struct pending **link = &half->early;
    if (segment->size == 0)
        return;
    if (segment->size > s->pending_limit - half->early_bytes) {
        report_loss(s, c, direction);
        drop_early(half);
        half->due = segment->sequence + (uint32_t)segment->size;
        return;
    }
    while (*link && (*link)->sequence - half->due < ahead)
        link = &(*link)->next;
    struct pending *pending = malloc(sizeof *pending + segment->size);
    if (!pending) {
        report_loss(s, c, direction);
        return;
    }
    pending->next = *link;
    pending->sequence = segment->sequence;
    pending->size = segment->size;
    memcpy(pending->bytes, segment->bytes, segment->size);
    *link = pending;
    half->early_bytes += segment->size;
}

/* Delivers early segments that have become due. */
static void deliver_early(struct streams *s, struct connection *c, enum wire_direction direction,
                          uint64_t time_ns)
{
    struct half *half = &c->halves[direction];
    while (half->early && (int32_t)(half->early->sequence - half->due) <= 0) {
        struct pending *first = half->early;
        uint32_t known = half->due - first->sequence;
        half->early = first->next;
        half->early_bytes -= first->size;
        if (known < first->size)
            deliver(s, c, direction, first->bytes + known, first->size - known, time_ns);
        free(first);
    }
}

static void add_bytes(struct streams *s, struct connection *c, enum wire_direction direction,
                      const struct stream_segment *segment)
{
    struct half *half = &c->halves[direction];
    int32_t ahead = (int32_t)(segment->sequence - half->due);
    if (ahead > 0) {
        keep_early(s, c, direction, segment);
        return;
    }
    uint32_t known = half->due - segment->sequence;
    if (known < segment->size)
        deliver(s, c, direction, segment->bytes + known, segment->size - known, segment->time_ns);
    deliver_early(s, c, direction, segment->time_ns);
}

/* ---- connections ---- */

/* The client's segment holds whole commands and nothing else. */
static bool holds_commands(const struct stream_segment *segment)
{
    const uint8_t *p = segment->bytes;
    size_t left = segment->size;
    while (left > WIRE_HEADER_BYTES) {
        size_t length = p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16;
        if (p[3] != 0 || length == 0 || length > left - WIRE_HEADER_BYTES ||
            strcmp(wire_command_name(p[4]), "Unknown") == 0)
            return false;
        p += WIRE_HEADER_BYTES + length;
        left -= WIRE_HEADER_BYTES + length;
    }
    return segment->size > 0 && left == 0;
}

static bool holds_greeting(const struct stream_segment *segment)
{
    return segment->size > 5 && segment->bytes[3] == 0 && segment->bytes[4] == 10;
}

static void begin(struct streams *s, struct connection *c, const struct stream_segment *segment,
                  bool is_whole)
{
    c->user = s->events.began(s->context, segment, is_whole);
    c->has_begun = true;
}

/* Begins a connection whose SYN was not seen, if this segment is a place to begin. */
static void begin_in_middle(struct streams *s, struct connection *c, enum wire_direction direction,
                            const struct stream_segment *segment)
{
    struct half *half = &c->halves[direction];
    bool is_whole = direction == WIRE_FROM_SERVER && holds_greeting(segment);
    if (is_whole || (direction == WIRE_FROM_CLIENT && holds_commands(segment))) {
        begin(s, c, segment, is_whole);
        half->is_known = true;
        half->due = segment->sequence;
    }
}

static void add_segment(struct streams *s, struct connection *c, enum wire_direction direction,
                        const struct stream_segment *segment)
{
    struct half *half = &c->halves[direction];
    if (segment->syn) {
        half->is_known = true;
        half->due = segment->sequence + 1;
        if (!c->has_begun)
            begin(s, c, segment, true);
        return;
    }
    if (!c->has_begun)
        begin_in_middle(s, c, direction, segment);
    if (c->has_begun && !half->is_known && segment->size > 0) {
        half->is_known = true;
        half->due = segment->sequence;
    }
    if (half->is_known)
        add_bytes(s, c, direction, segment);
    if (segment->fin && !half->fin_known) {
        half->fin_known = true;
        half->fin_at = segment->sequence + (uint32_t)segment->size;
    }
    half->has_ended = half->fin_known && (!half->is_known || half->due == half->fin_at);
}

void streams_segment(struct streams *streams, const struct stream_segment *segment)
{
    assert(segment->bytes || segment->size == 0);
    bool to_server = segment->destination.port == streams->port;
    if (!to_server && segment->source.port != streams->port)
        return;
    const struct stream_endpoint *client = to_server ? &segment->source : &segment->destination;
    const struct stream_endpoint *server = to_server ? &segment->destination : &segment->source;
    enum wire_direction direction = to_server ? WIRE_FROM_CLIENT : WIRE_FROM_SERVER;
    struct connection *c = find(streams, client, server);
    if (c && segment->syn && to_server && !segment->ack &&
        c->halves[WIRE_FROM_CLIENT].due != segment->sequence + 1) {
        end_connection(streams, c); /* the ports are used again */
        c = NULL;
    }
    if (!c && (segment->size > 0 || segment->syn))
        c = add(streams, client, server);
    if (!c)
        return;
    unlink_age(streams, c);
    make_newest(streams, c);
    add_segment(streams, c, direction, segment);
    if (segment->rst || (c->halves[0].has_ended && c->halves[1].has_ended))
        end_connection(streams, c);
}

void streams_free(struct streams *streams)
{
    if (!streams)
        return;
    struct connection *newer = NULL;
    for (struct connection *c = streams->oldest; c; c = newer) {
        newer = c->newer;
        end_connection(streams, c);
    }
    free(streams);
}
