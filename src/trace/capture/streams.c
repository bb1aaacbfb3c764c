/* SPDX-License-Identifier: Apache-2.0
 *
 * TCP reassembly over a table of connections, and which of them are conversations.
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

#include "trace/capture/opening.h"

enum { TABLE_SLOTS = 8192, CONNECTIONS_MAX = 65536 };

struct pending {
    struct pending *next;
    uint32_t sequence;
    uint64_t time_ns;
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

/* Of ends and halves, [WIRE_FROM_CLIENT] is the client's and [WIRE_FROM_SERVER] the server's. Before
 * anything shows who is which they are in the order in which they were seen. */
struct connection {
    struct connection *next;          /* in the slot */
    struct connection *newer, *older; /* by the last segment */
    struct stream_endpoint ends[2];
    struct half halves[2];
    uint64_t syn_ns;          /* when it was opened */
    struct pending *commands; /* on any port: the client's first, which the reply is to prove */
    unsigned commands_are_of; /* the half that sent them */
    bool is_opened;           /* the SYN was seen: the server's first bytes are the greeting */
    bool is_other;            /* another protocol */
    bool is_broken;           /* bytes were lost */
    bool has_begun;           /* began() was called */
    void *user;               /* what began() returned */
};

struct streams {
    uint16_t port;
    size_t pending_limit;
    struct stream_events events;
    void *context;
    struct connection *slots[TABLE_SLOTS];
    struct connection *newest, *oldest;
    unsigned count;
    struct stream_counts counts;
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

/* The same for both directions. */
static unsigned slot_of(const struct stream_endpoint *one, const struct stream_endpoint *other)
{
    uint32_t hash = ((uint32_t)one->port ^ other->port) * 31U + one->port + other->port;
    for (size_t i = 0; i < sizeof one->address; i++)
        hash = hash * 31U + ((uint32_t)one->address[i] ^ other->address[i]);
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

static void report_loss(struct streams *s, struct connection *c, enum wire_direction direction)
{
    if (c->is_broken)
        return;
    c->is_broken = true;
    if (c->has_begun)
        s->events.lost(c->user, direction);
}

/* Counts the bytes between the one that is due and `next`, if any, as missing. */
static void skip_to(struct streams *s, struct connection *c, enum wire_direction direction,
                    uint32_t next)
{
    struct half *half = &c->halves[direction];
    int32_t ahead = (int32_t)(next - half->due);
    if (ahead <= 0)
        return;
    report_loss(s, c, direction);
    half->due = next;
    if (c->has_begun)
        s->counts.missing_bytes += (uint32_t)ahead;
}

/* Gives up what is missing before the early segments, and drops those. */
static void drop_early(struct streams *s, struct connection *c, enum wire_direction direction)
{
    struct half *half = &c->halves[direction];
    while (half->early) {
        struct pending *first = half->early;
        uint32_t end = first->sequence + (uint32_t)first->size;
        skip_to(s, c, direction, first->sequence);
        if ((int32_t)(end - half->due) > 0)
            half->due = end;
        half->early = first->next;
        free(first);
    }
    half->early_bytes = 0;
}

static void end_half(struct streams *s, struct connection *c, enum wire_direction direction)
{
    const struct half *half = &c->halves[direction];
    drop_early(s, c, direction);
    if (half->is_known && half->fin_known)
        skip_to(s, c, direction, half->fin_at);
}

static void end_connection(struct streams *s, struct connection *c)
{
    struct connection **link = &s->slots[slot_of(&c->ends[0], &c->ends[1])];
    while (*link != c) {
        assert(*link);
        link = &(*link)->next;
    }
    *link = c->next;
    unlink_age(s, c);
    end_half(s, c, WIRE_FROM_CLIENT);
    end_half(s, c, WIRE_FROM_SERVER);
    free(c->commands);
    if (c->has_begun)
        s->events.ended(c->user);
    free(c);
    s->count--;
}

static struct connection *find(struct streams *s, const struct stream_segment *segment)
{
    const struct stream_endpoint *from = &segment->source, *to = &segment->destination;
    struct connection *c = s->slots[slot_of(from, to)];
    while (c && !(same(&c->ends[0], from) && same(&c->ends[1], to)) &&
           !(same(&c->ends[1], from) && same(&c->ends[0], to)))
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
    c->ends[WIRE_FROM_CLIENT] = *client;
    c->ends[WIRE_FROM_SERVER] = *server;
    c->next = s->slots[slot_of(client, server)];
    s->slots[slot_of(client, server)] = c;
    make_newest(s, c);
    s->count++;
    return c;
}

/* ---- one direction ---- */

static void deliver(struct streams *s, struct connection *c, enum wire_direction direction,
                    const uint8_t *bytes, size_t size, uint64_t time_ns)
{
    c->halves[direction].due += (uint32_t)size;
    if (size > 0 && c->has_begun && !c->is_broken)
        s->events.bytes(c->user, direction, bytes, size, time_ns);
}

/* Returns owned; NULL: no memory. */
static struct pending *copy_segment(const struct stream_segment *segment)
{
    struct pending *pending = malloc(sizeof *pending + segment->size);
    if (!pending)
        return NULL;
    pending->next = NULL;
    pending->sequence = segment->sequence;
    pending->time_ns = segment->time_ns;
    pending->size = segment->size;
    if (segment->size > 0)
        memcpy(pending->bytes, segment->bytes, segment->size);
    return pending;
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
    while (*link && (*link)->sequence - half->due < ahead)
        link = &(*link)->next;
    struct pending *pending = copy_segment(segment);
    if (!pending) {
        report_loss(s, c, direction);
        return;
    }
    pending->next = *link;
    *link = pending;
    half->early_bytes += segment->size;
    if (half->early_bytes > s->pending_limit)
        drop_early(s, c, direction);
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

/* ---- where conversations begin ---- */

static void begin(struct streams *s, struct connection *c, uint64_t time_ns, bool is_whole)
{
    const struct stream_beginning beginning = {&c->ends[WIRE_FROM_CLIENT],
                                               &c->ends[WIRE_FROM_SERVER], time_ns, is_whole};
    s->counts.conversations++;
    c->user = s->events.began(s->context, &beginning);
    c->has_begun = true;
}

/* The half at `index` turns out to be the one of `direction`. */
static void set_roles(struct connection *c, unsigned index, enum wire_direction direction)
{
    if (index == direction)
        return;
    const struct stream_endpoint end = c->ends[0];
    const struct half half = c->halves[0];
    c->ends[0] = c->ends[1];
    c->ends[1] = end;
    c->halves[0] = c->halves[1];
    c->halves[1] = half;
}

static void set_due(struct half *half, uint32_t sequence)
{
    half->is_known = true;
    half->due = sequence;
}

/* Begins with the commands that were kept, since this segment answers them. */
static void begin_with_commands(struct streams *s, struct connection *c)
{
    struct pending *commands = c->commands;
    c->commands = NULL;
    set_roles(c, c->commands_are_of, WIRE_FROM_CLIENT);
    set_due(&c->halves[WIRE_FROM_CLIENT], commands->sequence);
    begin(s, c, commands->time_ns, false);
    deliver(s, c, WIRE_FROM_CLIENT, commands->bytes, commands->size, commands->time_ns);
    free(commands);
}

/* On any port, not opened: a greeting says who is the server; commands do when they are answered. */
static void look_for_conversation(struct streams *s, struct connection *c, unsigned from,
                                  const struct stream_segment *segment)
{
    if (opening_is_greeting(segment->bytes, segment->size)) {
        set_roles(c, from, WIRE_FROM_SERVER);
        set_due(&c->halves[WIRE_FROM_SERVER], segment->sequence);
        begin(s, c, segment->time_ns, true);
    } else if (c->commands && c->commands_are_of != from &&
               opening_is_reply(segment->bytes, segment->size)) {
        begin_with_commands(s, c);
    } else if (!c->commands || c->commands->sequence != segment->sequence) {
        free(c->commands);
        c->commands = NULL;
        if (opening_is_commands(segment->bytes, segment->size))
            c->commands = copy_segment(segment);
        c->commands_are_of = from;
    }
}

/* What follows is looked at as if the connection had not been opened. */
static void forget_opening(struct streams *s, struct connection *c)
{
    assert(!c->has_begun);
    c->is_opened = false;
    for (unsigned i = 0; i < 2; i++) {
        drop_early(s, c, (enum wire_direction)i);
        c->halves[i].is_known = false;
    }
}

/* On any port, opened: the server's first bytes say whether this is a conversation. A client may
 * have sent some before (a PROXY header), which are no part of it. */
static void expect_greeting(struct streams *s, struct connection *c, unsigned from,
                            const struct stream_segment *segment)
{
    const struct half *half = &c->halves[from];
    if (from == WIRE_FROM_CLIENT)
        return;
    if (half->is_known && segment->sequence != half->due)
        forget_opening(s, c); /* the greeting was not captured */
    else if (opening_is_greeting(segment->bytes, segment->size))
        begin(s, c, c->syn_ns, true);
    else
        c->is_other = true;
}

/* With a port, not opened: begins at this segment, if that is a place to begin. */
static void begin_in_middle(struct streams *s, struct connection *c, enum wire_direction direction,
                            const struct stream_segment *segment)
{
    bool is_whole =
        direction == WIRE_FROM_SERVER && opening_is_greeting(segment->bytes, segment->size);
    if (is_whole ||
        (direction == WIRE_FROM_CLIENT && opening_is_commands(segment->bytes, segment->size))) {
        begin(s, c, segment->time_ns, is_whole);
        set_due(&c->halves[direction], segment->sequence);
    }
}

static void look_at_bytes(struct streams *s, struct connection *c, unsigned from,
                          const struct stream_segment *segment)
{
    if (s->port)
        begin_in_middle(s, c, (enum wire_direction)from, segment);
    else if (c->is_opened)
        expect_greeting(s, c, from, segment);
    else
        look_for_conversation(s, c, from, segment);
}

/* ---- segments ---- */

static void open_half(struct streams *s, struct connection *c, unsigned from,
                      const struct stream_segment *segment)
{
    if (!c->halves[from].is_known) /* else it was sent twice */
        set_due(&c->halves[from], segment->sequence + 1);
    if (!c->is_opened)
        c->syn_ns = segment->time_ns;
    c->is_opened = true;
    if (s->port && !c->has_begun)
        begin(s, c, c->syn_ns, true);
}

static void add_segment(struct streams *s, struct connection *c,
                        const struct stream_segment *segment)
{
    unsigned from = same(&c->ends[0], &segment->source) ? 0 : 1;
    if (segment->syn) {
        open_half(s, c, from, segment);
        return;
    }
    if (!c->has_begun && segment->size > 0)
        look_at_bytes(s, c, from, segment);
    from = same(&c->ends[0], &segment->source) ? 0 : 1; /* the roles may be known now */
    struct half *half = &c->halves[from];
    if (c->has_begun && !half->is_known && segment->size > 0)
        set_due(half, segment->sequence);
    if (half->is_known)
        add_bytes(s, c, (enum wire_direction)from, segment);
    if (segment->fin && !half->fin_known) {
        half->fin_known = true;
        half->fin_at = segment->sequence + (uint32_t)segment->size;
    }
    half->has_ended = half->fin_known && (!half->is_known || half->due == half->fin_at);
}

/* The sender is the server, as far as this segment shows. */
static bool is_from_server(const struct streams *s, const struct stream_segment *segment)
{
    if (s->port)
        return segment->destination.port != s->port;
    return segment->syn && segment->ack;
}

void streams_segment(struct streams *streams, const struct stream_segment *segment)
{
    assert(segment->bytes || segment->size == 0);
    streams->counts.segments++;
    if (streams->port && segment->destination.port != streams->port &&
        segment->source.port != streams->port)
        return;
    bool from_server = is_from_server(streams, segment);
    struct connection *c = find(streams, segment);
    if (c && segment->syn && !segment->ack &&
        c->halves[same(&c->ends[0], &segment->source) ? 0 : 1].due != segment->sequence + 1) {
        end_connection(streams, c); /* the ports are used again */
        c = NULL;
    }
    if (!c && (segment->size > 0 || segment->syn))
        c = from_server ? add(streams, &segment->destination, &segment->source)
                        : add(streams, &segment->source, &segment->destination);
    if (!c)
        return;
    unlink_age(streams, c);
    make_newest(streams, c);
    if (!c->is_other)
        add_segment(streams, c, segment);
    if (segment->rst || (c->is_other && segment->fin) ||
        (c->halves[0].has_ended && c->halves[1].has_ended))
        end_connection(streams, c);
}

const struct stream_counts *streams_counts(const struct streams *streams)
{
    return &streams->counts;
}

void streams_end_all(struct streams *streams)
{
    while (streams->oldest)
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it is no longer in the list once it is freed */
        end_connection(streams, streams->oldest);
}

void streams_free(struct streams *streams)
{
    if (!streams)
        return;
    streams_end_all(streams);
    free(streams);
}
