/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs written conversations through a trace conversation. */
#include "script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../wire/conversation.h"

enum { CHUNKS_MAX = 256, RANDOM_RUNS = 20 };
enum {
    TAIL_MAX_EVENTS = 3
}; /* a command that is cut off: AUTH_PLUGIN, SEND_COMMAND, DISCONNECTED */

struct script {
    struct strbuf bytes, expected;
    struct chunk {
        enum wire_direction direction;
        size_t start, size; /* in bytes */
    } chunks[CHUNKS_MAX];
    size_t count;
};

struct log {
    const struct trace_conversation *conversation;
    struct strbuf text;
    enum protocol_stage stage;
    bool has_stage;
    unsigned count, disconnections;
    enum trace_event last;
};

#define GREETING_EVENTS                                                                            \
    "[CONNECTING] CONNECTING, CONNECTED, [WAIT_FOR_INIT_PACKET] READ_PACKET, PACKET_RECEIVED 71, " \
    "INIT_PACKET_RECEIVED 71"
#define RESPONSE_EVENTS                                                                            \
    "[AUTHENTICATE] AUTH_PLUGIN caching_sha2_password, SEND_AUTH_RESPONSE 59, PACKET_SENT 59"
#define LOGIN_EVENTS                                                                               \
    GREETING_EVENTS ", " RESPONSE_EVENTS ", READ_PACKET, PACKET_RECEIVED 7, AUTHENTICATED"

static int sink(void *context, enum protocol_stage stage, enum trace_event event,
                const struct st_trace_event_args *args)
{
    struct log *log = context;
    if (log->text.size > 0)
        strbuf_add_text(&log->text, ", ");
    if (!log->has_stage || stage != log->stage)
        strbuf_printf(&log->text, "[%s] ", protocol_stage_name(stage));
    log->stage = stage;
    log->has_stage = true;
    log->last = event;
    log->count++;
    log->disconnections += event == TRACE_EVENT_DISCONNECTED;
    strbuf_add_text(&log->text, trace_event_name(event));
    if (event == TRACE_EVENT_ERROR)
        strbuf_printf(&log->text, " %u", log->conversation->facts.error_number);
    if (args->plugin_name)
        strbuf_printf(&log->text, " %s", args->plugin_name);
    if (event == TRACE_EVENT_SEND_COMMAND)
        strbuf_printf(&log->text, " cmd=%d", args->cmd);
    if (args->hdr)
        strbuf_printf(&log->text, " hdr=%zu", args->hdr_len);
    if (args->pkt)
        strbuf_printf(&log->text, " %zu", args->pkt_len);
    else if (event == TRACE_EVENT_PACKET_SENT)
        strbuf_printf(&log->text, " %zu", args->pkt_len);
    return 0;
}

static void add_expected(struct script *script, const char *events)
{
    events += strspn(events, " ");
    if (script->expected.size > 0)
        strbuf_add_text(&script->expected, ", ");
    strbuf_add_text(&script->expected, events);
}

static void end_chunk(struct script *script, enum wire_direction direction, size_t start)
{
    assert_true(script->count < CHUNKS_MAX);
    script->chunks[script->count++] = (struct chunk){direction, start, script->bytes.size - start};
}

static void add_greeting(struct script *script, uint64_t capabilities)
{
    size_t start = script->bytes.size;
    struct wire_writer writer = wire_writer_to(&script->bytes, 0);
    const struct wire_greeting greeting = {
        .server_version = wire_text("5.7"),
        .connection_id = 7,
        .scramble1 = wire_text("abcdefgh"),
        .scramble2 = wire_text("ijklmnopqrst"),
        .capabilities = capabilities | WIRE_CAP(CLIENT_MYSQL),
        .plugin = wire_text("mysql_native_password"),
    };
    wire_encode_greeting(&writer, &greeting);
    end_chunk(script, WIRE_FROM_SERVER, start);
}

static void add_response(struct script *script, uint64_t capabilities)
{
    size_t start = script->bytes.size;
    struct wire_writer writer = wire_writer_to(&script->bytes, 1);
    const struct wire_handshake_response response = {
        .capabilities = capabilities | WIRE_CAP(CLIENT_MYSQL),
        .user = wire_text("bob"),
        .plugin = wire_text("caching_sha2_password"),
    };
    wire_encode_handshake_response(&writer, &response);
    end_chunk(script, WIRE_FROM_CLIENT, start);
}

static void add_frame(struct script *script, const char *text)
{
    char *rest = NULL;
    size_t start = script->bytes.size;
    struct strbuf payload = STRBUF_INIT;
    unsigned long sequence = strtoul(text + 1, &rest, 10);
    parse_payload(rest, &payload);
    assert_true(payload.size <= WIRE_FRAME_MAX);
    for (int i = 0; i < 3; i++)
        strbuf_add_byte(&script->bytes, (unsigned char)(payload.size >> (8 * i)));
    strbuf_add_byte(&script->bytes, (unsigned char)sequence);
    strbuf_add(&script->bytes, payload.data, payload.size);
    strbuf_release(&payload);
    end_chunk(script, text[0] == 'C' ? WIRE_FROM_CLIENT : WIRE_FROM_SERVER, start);
}

static void parse_line(struct script *script, uint64_t capabilities, char *line)
{
    char *arrow = strstr(line, "=>");
    line += strspn(line, " ");
    if (arrow)
        *arrow = 0;
    if (strncmp(line, "LOGIN", 5) == 0) {
        add_greeting(script, capabilities);
        add_response(script, capabilities);
        add_frame(script, "S2 00 00 00 02 00 00 00");
        add_expected(script, LOGIN_EVENTS);
    } else if (strncmp(line, "GREETING", 8) == 0) {
        add_greeting(script, capabilities);
        add_expected(script, GREETING_EVENTS);
    } else if (strncmp(line, "RESPONSE", 8) == 0) {
        add_response(script, capabilities);
        add_expected(script, RESPONSE_EVENTS);
    } else if (*line == 'C' || *line == 'S') {
        add_frame(script, line);
    }
    if (arrow)
        add_expected(script, arrow + 2);
}

static void begin(struct trace_conversation *conversation, struct log *log)
{
    static const struct trace_options options = {.keep_limit = 1 << 20, .tls_is_opaque = true};
    *log = (struct log){.conversation = conversation, .text = STRBUF_INIT};
    trace_conversation_begin(conversation, &options, sink, log);
}

/* step 0: each frame at once; otherwise at most `step` bytes, random when negative. */
static void run(const struct script *script, int step)
{
    struct trace_conversation conversation;
    struct log log;
    begin(&conversation, &log);
    for (size_t i = 0; i < script->count; i++) {
        const struct chunk *chunk = &script->chunks[i];
        for (size_t at = 0; at < chunk->size;) {
            size_t size = chunk->size - at;
            if (step > 0 && (size_t)step < size)
                size = (size_t)step;
            else if (step < 0)
                size = 1 + (size_t)rand() % size;
            trace_conversation_bytes(&conversation, chunk->direction,
                                     (uint8_t *)script->bytes.data + chunk->start + at, size);
            at += size;
        }
    }
    trace_conversation_end(&conversation);
    trace_conversation_release(&conversation);
    assert_string_equal(log.text.data, script->expected.data);
    strbuf_release(&log.text);
}

/* The connection ends after the first `size` bytes: what was reported until then is what the whole
 * conversation begins with, and little more than DISCONNECTED follows. */
static void run_cut(const struct script *script, size_t size)
{
    struct trace_conversation conversation;
    struct log log;
    begin(&conversation, &log);
    for (size_t i = 0; i < script->count && script->chunks[i].start < size; i++) {
        const struct chunk *chunk = &script->chunks[i];
        size_t left = size - chunk->start;
        trace_conversation_bytes(&conversation, chunk->direction,
                                 (uint8_t *)script->bytes.data + chunk->start,
                                 left < chunk->size ? left : chunk->size);
    }
    assert_true(log.text.size <= script->expected.size);
    assert_memory_equal(log.text.data, script->expected.data, log.text.size);
    unsigned before = log.count;
    bool was_over = conversation.over;
    trace_conversation_end(&conversation);
    trace_conversation_end(&conversation);
    trace_conversation_release(&conversation);
    assert_in_range(log.count - before, was_over ? 0 : 1, was_over ? 0 : TAIL_MAX_EVENTS);
    assert_int_equal(log.last, TRACE_EVENT_DISCONNECTED);
    assert_int_equal(log.disconnections, 1);
    strbuf_release(&log.text);
}

void expect_events(uint64_t capabilities, const char *lines)
{
    struct script script = {.bytes = STRBUF_INIT, .expected = STRBUF_INIT};
    char *copy = strdup(lines), *position = NULL;
    capabilities |= WIRE_CAP(CLIENT_PROTOCOL_41) | WIRE_CAP(CLIENT_SECURE_CONNECTION) |
                    WIRE_CAP(CLIENT_PLUGIN_AUTH);
    for (char *line = strtok_r(copy, "\n", &position); line; line = strtok_r(NULL, "\n", &position))
        parse_line(&script, capabilities, line);
    free(copy);
    run(&script, 0);
    run(&script, 1);
    run(&script, 3);
    srand(1);
    for (int i = 0; i < RANDOM_RUNS; i++)
        run(&script, -1);
    for (size_t size = 0; size < script.bytes.size; size++)
        run_cut(&script, size);
    strbuf_release(&script.bytes);
    strbuf_release(&script.expected);
}
