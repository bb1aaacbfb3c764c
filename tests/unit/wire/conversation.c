/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs written conversations through the tracker. */
#include "conversation.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

enum { FRAMES_MAX = 1024, KEEP = 1 << 20 };

struct frame {
    enum wire_direction direction;
    size_t start, size; /* in bytes of the conversation */
};

struct script {
    struct strbuf bytes;
    struct strbuf expected;
    struct frame frames[FRAMES_MAX];
    size_t count;
};

static void put_repeated(const char *text, char **end, struct strbuf *out)
{
    unsigned long times = strtoul(text, end, 10);
    assert_true(**end == '*');
    unsigned char byte = (unsigned char)strtoul(*end + 1, end, 16);
    for (unsigned long i = 0; i < times; i++)
        strbuf_add_byte(out, byte);
}

void parse_payload(const char *text, struct strbuf *out)
{
    while (*text) {
        char *end = NULL;
        if (isspace((unsigned char)*text)) {
            text++;
            continue;
        }
        if (*text == '\'') {
            const char *quote = strchr(text + 1, '\'');
            assert_non_null(quote);
            strbuf_add(out, text + 1, (size_t)(quote - text - 1));
            text = quote + 1;
            continue;
        }
        size_t word = strcspn(text, " \t");
        if (memchr(text, '*', word))
            put_repeated(text, &end, out);
        else
            strbuf_add_byte(out, (unsigned char)strtoul(text, &end, 16));
        assert_true(end == text + word);
        text = end;
    }
}

static const char *trimmed(char *text)
{
    text += strspn(text, " \t");
    size_t size = strlen(text);
    while (size > 0 && isspace((unsigned char)text[size - 1]))
        text[--size] = 0;
    return text;
}

static void parse_line(struct script *script, char *line)
{
    char *arrow = strstr(line, "=>");
    if (arrow) {
        strbuf_printf(&script->expected, "%s\n", trimmed(arrow + 2));
        *arrow = 0;
    }
    const char *text = trimmed(line);
    if (!*text)
        return;
    char *rest = NULL;
    enum wire_direction direction = text[0] == 'C' ? WIRE_FROM_CLIENT : WIRE_FROM_SERVER;
    unsigned long sequence = strtoul(text + 1, &rest, 10);
    struct strbuf payload = STRBUF_INIT;
    parse_payload(rest, &payload);
    assert_true(payload.size <= WIRE_FRAME_MAX);
    assert_true(script->count < FRAMES_MAX);
    struct frame *frame = &script->frames[script->count++];
    *frame = (struct frame){direction, script->bytes.size, payload.size + 4};
    for (int i = 0; i < 3; i++)
        strbuf_add_byte(&script->bytes, (unsigned char)(payload.size >> (8 * i)));
    strbuf_add_byte(&script->bytes, (unsigned char)sequence);
    strbuf_add(&script->bytes, payload.data, payload.size);
    strbuf_release(&payload);
}

static void parse_script(struct script *script, const char *lines)
{
    char *copy = strdup(lines);
    char *position = NULL;
    *script = (struct script){.bytes = STRBUF_INIT, .expected = STRBUF_INIT};
    for (char *line = strtok_r(copy, "\n", &position); line; line = strtok_r(NULL, "\n", &position))
        parse_line(script, line);
    free(copy);
}

/* A page's worth of memory behind `size` bytes that faults when read. */
struct guarded {
    uint8_t *map;
    size_t map_size, readable;
};

static struct guarded guarded_new(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct guarded g = {.readable = (size + page) / page * page};
    g.map_size = g.readable + page;
    g.map = mmap(NULL, g.map_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(g.map != MAP_FAILED);
    assert_int_equal(mprotect(g.map + g.readable, page, PROT_NONE), 0);
    return g;
}

static void log_packet(struct strbuf *log, const struct wire_packet *packet)
{
    strbuf_add_text(log, wire_packet_kind_name(packet->kind));
    if (packet->command != WIRE_NO_COMMAND)
        strbuf_printf(log, " %s", wire_command_name(packet->command));
    if (packet->ends_reply)
        strbuf_add_text(log, " .");
    else if (packet->ends_result)
        strbuf_add_text(log, " +");
    strbuf_add_text(log, "\n");
}

static void log_result(struct strbuf *log, const struct wire_result *result)
{
    strbuf_printf(log, "rows=%llu affected=%llu id=%llu status=%04x warnings=%u",
                  (unsigned long long)result->rows, (unsigned long long)result->affected_rows,
                  (unsigned long long)result->last_insert_id, result->status, result->warnings);
    if (result->is_error)
        strbuf_printf(log, " error=%u/%s", result->error_code, result->sqlstate);
    if (result->message_size > 0)
        strbuf_printf(log, " '%.*s'", (int)result->message_size, result->message);
    if (result->session_state)
        strbuf_printf(log, " state=%zu", result->session_state_size);
    strbuf_printf(log, "%s%s\n", result->is_result_set ? " set" : "",
                  result->more_results ? " more" : "");
}

struct run {
    struct wire_tracker tracker;
    struct strbuf packets, results;
    uint64_t shown_bytes;
};

static bool feed(struct run *run, enum wire_direction direction, struct guarded *guard,
                 const char *bytes, size_t size)
{
    struct wire_packet packet;
    assert_true(size <= guard->readable);
    uint8_t *start = guard->map + guard->readable - size;
    memcpy(start, bytes, size);
    struct wire_input input = {start, start + size};
    for (;;) {
        enum wire_step step = wire_tracker_next(&run->tracker, direction, &input, &packet);
        assert_true(input.pos >= start && input.pos <= input.end);
        if (step == WIRE_BROKEN) {
            strbuf_printf(&run->packets, "BROKEN %s\n", run->tracker.broken);
            return false;
        }
        if (step == WIRE_MORE)
            return true;
        assert_non_null(packet.payload);
        assert_true(packet.payload_size <= packet.total_size);
        for (size_t i = 0; i < packet.payload_size; i++) /* all of it can be read */
            run->shown_bytes += packet.payload[i];
        log_packet(&run->packets, &packet);
        if (packet.ends_result)
            log_result(&run->results, &run->tracker.result);
    }
}

/* step 0: each direction's run of frames at once; otherwise at most `step` bytes, random when
 * negative. */
static void run_script(const struct script *script, const struct conversation *c, int step,
                       struct run *run)
{
    uint32_t wanted = c->wanted ? c->wanted : WIRE_WANT_ALL;
    size_t keep = c->keep_limit ? c->keep_limit : KEEP;
    struct guarded guard = guarded_new(script->bytes.size);
    *run = (struct run){.packets = STRBUF_INIT, .results = STRBUF_INIT};
    if (c->login)
        wire_tracker_init(&run->tracker, wanted, keep);
    else
        wire_tracker_resume(&run->tracker, wanted, keep, c->capabilities, c->capabilities, 0);
    run->tracker.client_may_give_up = c->client_may_give_up;
    bool alive = true;
    for (size_t i = 0; i < script->count && alive;) {
        const struct frame *first = &script->frames[i];
        size_t start = first->start, end = start;
        for (; i < script->count && script->frames[i].direction == first->direction; i++)
            end += script->frames[i].size;
        while (start < end && alive) {
            size_t size = end - start;
            if (step > 0 && (size_t)step < size)
                size = (size_t)step;
            else if (step < 0)
                size = 1 + (size_t)rand() % size;
            alive = feed(run, first->direction, &guard, script->bytes.data + start, size);
            start += size;
        }
    }
    munmap(guard.map, guard.map_size);
    wire_tracker_release(&run->tracker);
}

static void check(const struct script *script, const struct conversation *c, int step)
{
    struct run run;
    run_script(script, c, step, &run);
    assert_string_equal(run.packets.data, script->expected.data);
    if (c->results)
        assert_string_equal(run.results.data, c->results);
    strbuf_release(&run.packets);
    strbuf_release(&run.results);
}

void converse(const struct conversation *conversation)
{
    struct script script;
    parse_script(&script, conversation->lines);
    check(&script, conversation, 0);
    if (script.bytes.size < 100000) {
        check(&script, conversation, 1);
        check(&script, conversation, 2);
        check(&script, conversation, 7);
    }
    srand(1);
    for (int i = 0; i < 20; i++)
        check(&script, conversation, -1);
    strbuf_release(&script.bytes);
    strbuf_release(&script.expected);
}
