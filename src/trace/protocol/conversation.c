/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of a conversation: its bytes become packets, each in its turn.
 *
 * Bytes after the login are inflated where both sides have agreed to compress. Commands that a
 * client pipelines are deferred until the reply to the command before has ended: the events are
 * those of a client that waits for each reply. Which events packets amount to is in report.c. */
#include "trace/protocol/conversation.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "compression/compression.h"
#include "trace/protocol/report.h"

enum { DEFERRED_MAX_BYTES = 64 << 20 };

static void read_inflated(void *context, const uint8_t *bytes, size_t size);

static void start_inflating(struct trace_conversation *c)
{
    /* Where both sides know both methods, they use zlib. */
    const enum compression_algorithm algorithm =
        c->tracker.client_capabilities & WIRE_CAP(CLIENT_COMPRESS) ? COMPRESSION_ZLIB
                                                                   : COMPRESSION_ZSTD;
    for (size_t i = 0; i < 2; i++) {
        c->inflated[i] = (struct trace_inflated){c, (enum wire_direction)i};
        c->inflaters[i] =
            inflater_new(algorithm, COMPRESSION_FRAME_MAX, read_inflated, NULL, &c->inflated[i]);
    }
    if (!c->inflaters[0] || !c->inflaters[1])
        c->problem = "out of memory";
}

/* The bytes do not fit the protocol. A client gives up in the middle of a reply. */
static void give_up(struct trace_conversation *c, enum wire_direction direction)
{
    uint8_t command = WIRE_NO_COMMAND;
    enum wire_expect expect = wire_tracker_expects(&c->tracker, &command);
    c->problem = c->tracker.broken;
    if (direction == WIRE_FROM_SERVER && expect != WIRE_EXPECT_NOTHING)
        report_lost(c);
}

/* Returns true if the input begins with a pipelined command: the reply to the command before has
 * not ended. The fifth byte says which command it is; until that byte has arrived
 * the input is deferred too. */
static bool is_pipelined(const struct trace_conversation *c, const struct wire_input *input)
{
    uint8_t command = WIRE_NO_COMMAND;
    enum wire_expect expect = wire_tracker_expects(&c->tracker, &command);
    if (expect == WIRE_EXPECT_NOTHING || expect == WIRE_EXPECT_GREETING ||
        expect == WIRE_EXPECT_AUTH || wire_tracker_expects_client_data(&c->tracker) ||
        !wire_tracker_is_between_packets(&c->tracker, WIRE_FROM_CLIENT))
        return false;
    if (input->end - input->pos <= WIRE_HEADER_BYTES)
        return input->pos < input->end;
    bool is_empty = wire_frame_length(input->pos) == 0; /* a COM_SLEEP */
    return is_empty || input->pos[WIRE_HEADER_BYTES] != WIRE_COM_QUIT;
}

static void read_packets(struct trace_conversation *c, enum wire_direction direction,
                         struct wire_input *input);

static void defer(struct trace_conversation *c, struct wire_input *input)
{
    strbuf_add(&c->deferred, input->pos, (size_t)(input->end - input->pos));
    input->pos = input->end;
    if (c->deferred.failed || c->deferred.size > DEFERRED_MAX_BYTES)
        c->problem = "the client has pipelined too many commands";
}

/* Reads deferred commands, as far as the replies before them have ended. */
static void read_deferred(struct trace_conversation *c)
{
    struct strbuf deferred = c->deferred;
    struct wire_input input = {(const uint8_t *)deferred.data,
                               (const uint8_t *)deferred.data + deferred.size};
    if (deferred.size == 0 || c->problem || is_pipelined(c, &input))
        return;
    strbuf_init(&c->deferred);
    read_packets(c, WIRE_FROM_CLIENT, &input);
    strbuf_release(&deferred);
}

/* The client's bytes come after those that are deferred already. */
static void read_from_client(struct trace_conversation *c, struct wire_input *input)
{
    if (c->deferred.size == 0) {
        read_packets(c, WIRE_FROM_CLIENT, input);
        return;
    }
    defer(c, input);
    read_deferred(c);
}

/* Reads up to the end of the input, or of the login when what follows is compressed. */
static void read_packets(struct trace_conversation *c, enum wire_direction direction,
                         struct wire_input *input)
{
    struct wire_packet packet;
    bool login_ended = false;
    while (!c->over && !c->opaque && !login_ended) {
        if (direction == WIRE_FROM_CLIENT && is_pipelined(c, input)) {
            defer(c, input);
            return;
        }
        uint8_t command = WIRE_NO_COMMAND;
        bool was_auth = wire_tracker_expects(&c->tracker, &command) == WIRE_EXPECT_AUTH;
        enum wire_step step = wire_tracker_next(&c->tracker, direction, input, &packet);
        if (step == WIRE_MORE)
            return;
        if (step == WIRE_BROKEN) {
            give_up(c, direction);
            return;
        }
        c->packet = &packet;
        report_packet(c, &packet, was_auth);
        c->packet = NULL;
        login_ended = was_auth && packet.kind == WIRE_OK && packet.command == WIRE_NO_COMMAND &&
                      c->tracker.compressed && !c->options.is_inflated;
        if (direction == WIRE_FROM_SERVER)
            read_deferred(c);
    }
    if (login_ended && !c->inflaters[0])
        start_inflating(c);
}

static void read_bytes(struct trace_conversation *c, enum wire_direction direction,
                       struct wire_input *input)
{
    if (direction == WIRE_FROM_CLIENT)
        read_from_client(c, input);
    else
        read_packets(c, direction, input);
}

static void read_inflated(void *context, const uint8_t *bytes, size_t size)
{
    struct trace_inflated *inflated = context;
    struct wire_input input = {bytes, bytes + size};
    if (!inflated->conversation->problem)
        read_bytes(inflated->conversation, inflated->direction, &input);
}

void trace_conversation_bytes(struct trace_conversation *c, enum wire_direction direction,
                              const uint8_t *bytes, size_t size)
{
    assert(c->sink && (unsigned)direction <= WIRE_FROM_SERVER && (bytes || size == 0));
    if (c->over || c->opaque || c->problem || size == 0)
        return;
    struct wire_input input = {bytes, bytes + size};
    if (!c->inflaters[direction])
        read_bytes(c, direction, &input);
    if (c->inflaters[direction] && !c->problem && !c->over) {
        const char *problem = NULL;
        while (input.pos < input.end && !problem)
            problem = inflater_bytes(c->inflaters[direction], &input.pos, input.end);
        if (problem)
            c->problem = problem;
    }
}

static void begin(struct trace_conversation *c, const struct trace_options *options,
                  trace_sink *sink, void *context)
{
    assert(sink);
    *c = (struct trace_conversation){.options = *options, .sink = sink, .context = context};
    strbuf_init(&c->scratch);
    strbuf_init(&c->switched_to);
    strbuf_init(&c->deferred);
    c->facts.changes = 1;
    memcpy(c->facts.sqlstate, "00000", 6);
}

void trace_conversation_begin(struct trace_conversation *c, const struct trace_options *options,
                              trace_sink *sink, void *context)
{
    begin(c, options, sink, context);
    wire_tracker_init(&c->tracker, WIRE_WANT_ALL, options->keep_limit);
    c->tracker.client_may_give_up = true;
    report_begin(c);
}

void trace_conversation_resume(struct trace_conversation *c, const struct trace_options *options,
                               trace_sink *sink, void *context, uint64_t server_capabilities,
                               uint64_t client_capabilities, uint16_t status)
{
    begin(c, options, sink, context);
    wire_tracker_resume(&c->tracker, WIRE_WANT_ALL, options->keep_limit, server_capabilities,
                        client_capabilities, status);
    c->tracker.client_may_give_up = true;
    c->stage = PROTOCOL_STAGE_READY_FOR_COMMAND;
    if (c->tracker.compressed && !options->is_inflated)
        start_inflating(c);
}

void trace_conversation_open_tls(struct trace_conversation *c)
{
    assert(c->over || c->problem || c->in_tls);
    c->opaque = false;
}

void trace_conversation_end(struct trace_conversation *c)
{
    assert(c->sink);
    report_end(c);
}

void trace_conversation_release(struct trace_conversation *c)
{
    wire_tracker_release(&c->tracker);
    inflater_free(c->inflaters[0]);
    inflater_free(c->inflaters[1]);
    strbuf_release(&c->scratch);
    strbuf_release(&c->switched_to);
    strbuf_release(&c->deferred);
    free(c->facts.server_version);
    free(c->facts.user);
    free(c->facts.database);
    *c = (struct trace_conversation){.over = true};
}
