/* SPDX-License-Identifier: Apache-2.0
 *
 * Conversations made to be slow, read by the tracker and turned into trace events in every format:
 * columns, rows, results, parameters and pipelined commands by the thousand, also cut into single
 * bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "steps.h"
#include "trace/protocol/trace_protocol.h"

#define CAPABILITIES                                                                               \
    (WIRE_CAP(CLIENT_PROTOCOL_41) | WIRE_CAP(CLIENT_PLUGIN_AUTH) |                                 \
     WIRE_CAP(CLIENT_SECURE_CONNECTION) | WIRE_CAP(CLIENT_MULTI_RESULTS) |                         \
     WIRE_CAP(CLIENT_PS_MULTI_RESULTS))

static struct trace_session *session;
static struct strbuf bytes;
static uint8_t sequence;
static bool by_byte; /* each byte is fed on its own */

/* ---- A connection ---- */

static void feed(enum wire_direction direction)
{
    const uint8_t *at = (const uint8_t *)bytes.data;
    assert_false(bytes.failed);
    if (by_byte)
        for (size_t i = 0; i < bytes.size; i++)
            trace_session_bytes(session, direction, at + i, 1);
    else
        trace_session_bytes(session, direction, at, bytes.size);
    strbuf_reset(&bytes);
    assert_null(trace_session_problem(session));
}

static void packet(const char *payload, size_t size)
{
    char head[4] = {(char)size, (char)(size >> 8), (char)(size >> 16), (char)sequence++};
    strbuf_add(&bytes, head, sizeof head);
    strbuf_add(&bytes, payload, size);
}

static void command(const char *payload, size_t size)
{
    sequence = 0;
    packet(payload, size);
}

/* A packet that begins with a count of at most 65,535. */
static void count_packet(size_t count)
{
    char payload[3] = {(char)0xfc, (char)count, (char)(count >> 8)};
    packet(payload, sizeof payload);
}

static void columns(size_t n)
{
    static const char column[] = "\3def\1d\1t\1t\1c\1c\x0c\x21\0\0\1\0\0\xfd\0\0\0\0\0";
    for (size_t i = 0; i < n; i++)
        packet(column, sizeof column - 1);
}

static void end_of_file(bool more)
{
    packet(more ? "\xfe\0\0\x0a\0" : "\xfe\0\0\2\0", 5);
}

/* ---- What is sent ---- */

/* Results of text, each of so many columns and rows. */
static void results(size_t count, size_t column_count, size_t row_count)
{
    command("\3select", 7);
    feed(WIRE_FROM_CLIENT);
    char *row = malloc(column_count);
    assert_non_null(row);
    memset(row, 0xfb, column_count);
    for (size_t i = 0; i < count; i++) {
        count_packet(column_count);
        columns(column_count);
        end_of_file(false);
        for (size_t j = 0; j < row_count; j++)
            packet(row, column_count);
        end_of_file(i + 1 < count);
    }
    free(row);
    feed(WIRE_FROM_SERVER);
}

static void many_columns(size_t n)
{
    results(1, n, 3);
}

static void many_rows(size_t n)
{
    results(1, 3, n);
}

static void many_results(size_t n)
{
    results(n, 2, 1);
}

/* The answer to a Prepare. */
static void many_parameters(size_t n)
{
    char ok[12] = {0, 1, 0, 0, 0, (char)n, (char)(n >> 8), (char)n, (char)(n >> 8)};
    command("\x16select", 7);
    feed(WIRE_FROM_CLIENT);
    packet(ok, sizeof ok);
    columns(n);
    end_of_file(false);
    columns(n);
    end_of_file(false);
    feed(WIRE_FROM_SERVER);
}

/* All commands before the first reply; they are shown when it is their turn. */
static void pipelined(size_t n)
{
    for (size_t i = 0; i < n; i++)
        command(i % 2 ? "\3do 0" : "\x0e", i % 2 ? 5 : 1);
    feed(WIRE_FROM_CLIENT);
    for (size_t i = 0; i < n; i++) {
        sequence = 1;
        packet("\0\0\0\2\0\0\0", 7);
    }
    feed(WIRE_FROM_SERVER);
}

/* Commands without a reply, while one is due. */
static void without_reply(size_t n)
{
    command("\3do 0", 5);
    for (size_t i = 0; i < n; i++)
        command("\x19\1\0\0", 5);
    feed(WIRE_FROM_CLIENT);
    sequence = 1;
    packet("\0\0\0\2\0\0\0", 7);
    feed(WIRE_FROM_SERVER);
}

/* One statement of n bytes. */
static void long_text(size_t n)
{
    char *text = malloc(n + 1);
    assert_non_null(text);
    memset(text, 'x', n + 1);
    text[0] = WIRE_COM_QUERY;
    command(text, n + 1);
    free(text);
    feed(WIRE_FROM_CLIENT);
    packet("\0\0\0\2\0\0\0", 7);
    feed(WIRE_FROM_SERVER);
}

static const struct {
    const char *name;
    void (*send)(size_t n);
    size_t n;
} cases[] = {
    {"columns", many_columns, 1024}, /* 4,096 are the most that a server has */
    {"rows", many_rows, 500},
    {"results", many_results, 200},
    {"parameters of a Prepare", many_parameters, 1024},
    {"pipelined commands", pipelined, 500},
    {"commands without a reply", without_reply, 500},
    {"bytes of a statement", long_text, 10000},
};

struct one {
    size_t number;
    enum trace_format format;
    bool by_byte;
};

static void trace(const void *what, size_t n)
{
    const struct one *one = what;
    static const struct trace_session_info info = {.user = "u", .host = "h"};
    static const struct trace_options options = {.keep_limit = 1 << 20};
    by_byte = one->by_byte;
    session = trace_session_resume(trace_format_plugin(one->format), &info, &options, CAPABILITIES,
                                   CAPABILITIES, 2);
    assert_non_null(session);
    cases[one->number].send(n);
    trace_session_end(session);
}

/* ---- The test ---- */

static void steps_grow_with_what_is_sent(void **state)
{
    (void)state;
    unsigned before = growth_failures();
    char name[100];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int format = TRACE_FORMAT_TEXT; format <= TRACE_FORMAT_JSON; format++)
            for (int cut = 0; cut < 2; cut++) {
                struct one one = {i, (enum trace_format)format, cut == 1};
                snprintf(name, sizeof name, "%s as %s%s", cases[i].name,
                         trace_format_name(one.format), cut ? ", byte by byte" : "");
                assert_linear(name, cases[i].n, trace, &one);
            }
    assert_int_equal(growth_failures(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_grow_with_what_is_sent),
    };
    strbuf_init(&bytes);
    trace_output.stream = fopen("/dev/null", "w");
    if (!trace_output.stream)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    fclose(trace_output.stream);
    strbuf_release(&bytes);
    return failed;
}
