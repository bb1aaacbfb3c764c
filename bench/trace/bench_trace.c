/* SPDX-License-Identifier: Apache-2.0
 *
 * What following a conversation costs: the tracker alone, as the gateway uses it, and the events of
 * tracing.
 *
 *     bench_trace [WIRE.jsonl ...]
 *
 * Always measured: result sets made up here, of large and of small rows. With arguments: those
 * recordings too. Each line is the best of several runs over the same bytes, in inputs of 64 KiB.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/capture/trace_capture.h"
#include "trace/protocol/trace_protocol.h"

enum { INPUT_BYTES = 65536, RUNS = 7, ROWS_BYTES = 64 << 20, KEEP = 1 << 28 };

struct piece {
    enum wire_direction direction;
    size_t start, size;
};

struct conversation_bytes {
    struct strbuf bytes;
    struct piece *pieces;
    size_t count, capacity;
    bool has_login;
};

static void add_piece(struct conversation_bytes *c, enum wire_direction direction,
                      const uint8_t *bytes, size_t size)
{
    if (c->count == c->capacity) {
        c->capacity = c->capacity ? 2 * c->capacity : 64;
        c->pieces = realloc(c->pieces, c->capacity * sizeof *c->pieces);
    }
    c->pieces[c->count++] = (struct piece){direction, c->bytes.size, size};
    strbuf_add(&c->bytes, bytes, size);
}

static void clear(struct conversation_bytes *c)
{
    strbuf_release(&c->bytes);
    free(c->pieces);
    *c = (struct conversation_bytes){.bytes = STRBUF_INIT};
}

/* A query and its result: rows of one column of `width` bytes. */
static void make_result(struct conversation_bytes *c, size_t width)
{
    struct strbuf out = STRBUF_INIT;
    struct wire_writer w = wire_writer_to(&out, 0);
    wire_begin_packet(&w);
    wire_write_bytes(&w, "\3select", 7);
    wire_end_packet(&w);
    add_piece(c, WIRE_FROM_CLIENT, (uint8_t *)out.data, out.size);
    strbuf_reset(&out);
    const struct wire_column_definition column = {.name = wire_text("a")};
    char *value = calloc(1, width);
    const struct wire_string field = {value, width};
    uint64_t capabilities = WIRE_CAP(CLIENT_PROTOCOL_41) | WIRE_CAP(CLIENT_DEPRECATE_EOF);
    wire_encode_column_count(&w, capabilities, 1);
    wire_encode_column_definition(&w, capabilities, &column);
    while (out.size < ROWS_BYTES)
        wire_encode_text_row(&w, &field, 1);
    wire_encode_rows_end(&w, capabilities, &(struct wire_eof){0, 2});
    free(value);
    add_piece(c, WIRE_FROM_SERVER, (uint8_t *)out.data, out.size);
    strbuf_release(&out);
}

static int ignore(void *context, enum protocol_stage stage, enum trace_event event,
                  const struct st_trace_event_args *args)
{
    (void)stage;
    (void)event;
    (void)args;
    ++*(uint64_t *)context;
    return 0;
}

enum work { TRACKER, TRACKER_ALL, EVENTS };

static void follow(const struct conversation_bytes *c, enum work work, uint64_t *count)
{
    uint64_t capabilities = WIRE_CAP(CLIENT_PROTOCOL_41) | WIRE_CAP(CLIENT_DEPRECATE_EOF);
    uint32_t wanted = work == TRACKER ? WIRE_WANT(WIRE_COMMAND) : WIRE_WANT_ALL;
    const struct trace_options options = {.keep_limit = KEEP};
    struct trace_conversation conversation;
    struct wire_tracker tracker;
    struct wire_packet packet;
    if (c->has_login) {
        wire_tracker_init(&tracker, wanted, KEEP);
        trace_conversation_begin(&conversation, &options, ignore, count);
    } else {
        wire_tracker_resume(&tracker, wanted, KEEP, capabilities, capabilities, 0);
        trace_conversation_resume(&conversation, &options, ignore, count, capabilities,
                                  capabilities, 0);
    }
    for (size_t i = 0; i < c->count; i++) {
        const uint8_t *bytes = (const uint8_t *)c->bytes.data + c->pieces[i].start;
        for (size_t at = 0; at < c->pieces[i].size; at += INPUT_BYTES) {
            size_t size =
                c->pieces[i].size - at < INPUT_BYTES ? c->pieces[i].size - at : INPUT_BYTES;
            struct wire_input input = {bytes + at, bytes + at + size};
            if (work == EVENTS)
                trace_conversation_bytes(&conversation, c->pieces[i].direction, bytes + at, size);
            else
                while (wire_tracker_next(&tracker, c->pieces[i].direction, &input, &packet) ==
                       WIRE_PACKET)
                    ++*count;
        }
    }
    wire_tracker_release(&tracker);
    trace_conversation_release(&conversation);
}

/* The number of packets in it. */
static uint64_t count_packets(const struct conversation_bytes *c)
{
    uint64_t count = 0;
    follow(c, TRACKER_ALL, &count);
    return count;
}

/* repeat: passes a run, for conversations that are short. */
static void measure(const char *name, const struct conversation_bytes *all, size_t conversations)
{
    static const struct {
        const char *name;
        enum work work;
    } works[] = {
        {"tracker", TRACKER}, {"tracker, all shown", TRACKER_ALL}, {"trace events", EVENTS}};
    uint64_t packets = 0, bytes = 0;
    for (size_t i = 0; i < conversations; i++) {
        packets += count_packets(&all[i]);
        bytes += all[i].bytes.size;
    }
    unsigned repeat = bytes < ROWS_BYTES / 8 ? (unsigned)(ROWS_BYTES / 8 / (bytes + 1)) + 1 : 1;
    for (size_t w = 0; w < sizeof works / sizeof works[0]; w++) {
        uint64_t best = UINT64_MAX, count = 0;
        for (int run = 0; run < RUNS; run++) {
            uint64_t start = clock_monotonic_ns();
            for (unsigned pass = 0; pass < repeat; pass++)
                for (size_t i = 0; i < conversations; i++)
                    follow(&all[i], works[w].work, &count);
            uint64_t took = clock_monotonic_ns() - start;
            best = took < best ? took : best;
        }
        printf("%-24s %-20s %8.2f GB/s %8.2f ns a packet (%llu bytes a packet)\n", name,
               works[w].name, (double)bytes * repeat / (double)best,
               (double)best / (double)(packets * repeat), (unsigned long long)(bytes / packets));
    }
}

static bool load(struct conversation_bytes *c, const char *path)
{
    struct error error = {""};
    enum wire_direction direction;
    const uint8_t *bytes;
    size_t size;
    int status;
    struct wirefile *file = wirefile_open(path, &error);
    c->has_login = true;
    while (file && (status = wirefile_next(file, &direction, &bytes, &size, &error)) == 1)
        add_piece(c, direction, bytes, size);
    wirefile_close(file);
    if (error.message[0])
        fprintf(stderr, "%s\n", error.message);
    return !error.message[0];
}

int main(int argc, char **argv)
{
    static const size_t widths[] = {20000, 1000, 100, 10};
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        struct conversation_bytes made = {.bytes = STRBUF_INIT};
        char name[32];
        snprintf(name, sizeof name, "rows of %zu bytes", widths[i]);
        make_result(&made, widths[i]);
        measure(name, &made, 1);
        clear(&made);
    }
    size_t loaded = 0;
    struct conversation_bytes *recordings = calloc((size_t)argc, sizeof *recordings);
    for (int i = 1; i < argc; i++) {
        strbuf_init(&recordings[loaded].bytes);
        if (load(&recordings[loaded], argv[i]) && recordings[loaded].bytes.size > 0)
            loaded++;
        else
            clear(&recordings[loaded]);
    }
    if (loaded > 0)
        measure("recordings", recordings, loaded);
    for (size_t i = 0; i < loaded; i++)
        clear(&recordings[i]);
    free(recordings);
    return 0;
}
