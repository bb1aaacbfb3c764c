/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of a conversation: its bytes become packets, each in its turn.
 *
 * Bytes behind the login are inflated where both sides have agreed to compress. Commands that a
 * client sends ahead wait until the reply to the one before has ended, so that what is reported
 * reads as that of a client that waits. Which events packets amount to is in report.c. */
#include "trace/conversation.h"

#include <stdlib.h>
#include <string.h>

#include "trace/report.h"

enum { WAITING_MAX_BYTES = 64 << 20 }; /* of commands that are ahead */

static void start_inflating(struct trace_conversation *c)
{
    /* Where both sides know both, they use zlib. */
    bool is_zstd = !(c->tracker.client_capabilities & WIRE_CAP(CLIENT_COMPRESS));
    c->inflaters[0] = inflater_new(is_zstd);
    c->inflaters[1] = inflater_new(is_zstd);
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
        trace_report_lost(c);
}

/* Whether the client is ahead: a command stands at the input's beginning, and the reply to one
 * before it has not ended. Its fifth byte says which command it is; before that is there, it is not
 * known yet. */
static bool is_ahead(const struct trace_conversation *c, const struct wire_input *input)
{
    uint8_t command = WIRE_NO_COMMAND;
    enum wire_expect expect = wire_tracker_expects(&c->tracker, &command);
    if (expect == WIRE_EXPECT_NOTHING || expect == WIRE_EXPECT_GREETING ||
        expect == WIRE_EXPECT_AUTH || wire_tracker_expects_client_data(&c->tracker) ||
        !wire_tracker_is_between_packets(&c->tracker, WIRE_FROM_CLIENT))
        return false;
    if (input->end - input->pos <= WIRE_HEADER_BYTES)
        return input->pos < input->end;
    command = input->pos[WIRE_HEADER_BYTES];
    return command != WIRE_COM_QUIT && wire_command_reply_shape(command) != WIRE_REPLY_NONE;
}

static void take_packets(struct trace_conversation *c, enum wire_direction direction,
                         struct wire_input *input);

static void let_wait(struct trace_conversation *c, struct wire_input *input)
{
    strbuf_add(&c->waiting, input->pos, (size_t)(input->end - input->pos));
    input->pos = input->end;
    if (c->waiting.failed || c->waiting.size > WAITING_MAX_BYTES)
        c->problem = "the client has sent too many commands before their turn";
}

/* Has the commands that waited take their turns, as far as they can. */
static void take_waiting(struct trace_conversation *c)
{
    struct strbuf waiting = c->waiting;
    struct wire_input input = {(const uint8_t *)waiting.data,
                               (const uint8_t *)waiting.data + waiting.size};
    if (waiting.size == 0 || c->problem || is_ahead(c, &input))
        return;
    strbuf_init(&c->waiting);
    take_packets(c, WIRE_FROM_CLIENT, &input);
    strbuf_release(&waiting);
}

/* The client's bytes, in their turn. */
static void take_from_client(struct trace_conversation *c, struct wire_input *input)
{
    if (c->waiting.size == 0) {
        take_packets(c, WIRE_FROM_CLIENT, input);
        return;
    }
    let_wait(c, input);
    take_waiting(c);
}

/* Takes bytes up to the end of the input, or of the login when what follows is compressed. */
static void take_packets(struct trace_conversation *c, enum wire_direction direction,
                         struct wire_input *input)
{
    struct wire_packet packet;
    bool login_ended = false;
    while (!c->over && !c->opaque && !login_ended) {
        if (direction == WIRE_FROM_CLIENT && is_ahead(c, input)) {
            let_wait(c, input);
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
        trace_report_packet(c, &packet, was_auth);
        login_ended = was_auth && packet.kind == WIRE_OK && packet.command == WIRE_NO_COMMAND &&
                      c->tracker.compressed;
        if (direction == WIRE_FROM_SERVER)
            take_waiting(c);
    }
    if (login_ended && !c->inflaters[0])
        start_inflating(c);
}

static void take(struct trace_conversation *c, enum wire_direction direction,
                 struct wire_input *input)
{
    if (direction == WIRE_FROM_CLIENT)
        take_from_client(c, input);
    else
        take_packets(c, direction, input);
}

struct inflated {
    struct trace_conversation *conversation;
    enum wire_direction direction;
};

static void take_inflated(void *context, const uint8_t *bytes, size_t size)
{
    struct inflated *inflated = context;
    struct wire_input input = {bytes, bytes + size};
    if (!inflated->conversation->problem)
        take(inflated->conversation, inflated->direction, &input);
}

void trace_conversation_bytes(struct trace_conversation *conversation,
                              enum wire_direction direction, const uint8_t *bytes, size_t size)
{
    struct trace_conversation *c = conversation;
    struct wire_input input = {bytes, bytes + size};
    if (c->over || c->opaque || c->problem || size == 0)
        return;
    if (!c->inflaters[direction])
        take(c, direction, &input);
    if (c->inflaters[direction] && !c->problem && !c->over) {
        struct inflated inflated = {c, direction};
        const char *problem =
            inflater_bytes(c->inflaters[direction], input.pos, (size_t)(input.end - input.pos),
                           take_inflated, &inflated);
        if (problem)
            c->problem = problem;
    }
}

static void begin(struct trace_conversation *c, const struct trace_options *options,
                  trace_sink *sink, void *context)
{
    *c = (struct trace_conversation){.options = *options, .sink = sink, .context = context};
    strbuf_init(&c->scratch);
    strbuf_init(&c->switched_to);
    strbuf_init(&c->waiting);
    c->facts.changes = 1;
    memcpy(c->facts.sqlstate, "00000", 6);
}

void trace_conversation_begin(struct trace_conversation *conversation,
                              const struct trace_options *options, trace_sink *sink, void *context)
{
    begin(conversation, options, sink, context);
    wire_tracker_init(&conversation->tracker, WIRE_WANT_ALL, options->keep_limit);
    conversation->tracker.client_may_give_up = true;
    trace_report_begin(conversation);
}

void trace_conversation_resume(struct trace_conversation *conversation,
                               const struct trace_options *options, trace_sink *sink, void *context,
                               uint64_t server_capabilities, uint64_t client_capabilities,
                               uint16_t status)
{
    begin(conversation, options, sink, context);
    wire_tracker_resume(&conversation->tracker, WIRE_WANT_ALL, options->keep_limit,
                        server_capabilities, client_capabilities, status);
    conversation->tracker.client_may_give_up = true;
    conversation->stage = PROTOCOL_STAGE_READY_FOR_COMMAND;
    if (conversation->tracker.compressed)
        start_inflating(conversation);
}

void trace_conversation_end(struct trace_conversation *conversation)
{
    trace_report_end(conversation);
}

void trace_conversation_release(struct trace_conversation *conversation)
{
    wire_tracker_release(&conversation->tracker);
    inflater_free(conversation->inflaters[0]);
    inflater_free(conversation->inflaters[1]);
    strbuf_release(&conversation->scratch);
    strbuf_release(&conversation->switched_to);
    strbuf_release(&conversation->waiting);
    free(conversation->facts.server_version);
    free(conversation->facts.user);
    free(conversation->facts.database);
}
