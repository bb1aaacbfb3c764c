/* SPDX-License-Identifier: Apache-2.0
 *
 * TCP reassembly. A case is a list of segments, and what comes out of it as text: "begin", "C:text"
 * and "S:text" for bytes of the client and the server, "lost", "end". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "trace/capture/opening.h"
#include "trace/capture/trace_capture.h"

static struct strbuf log_text = STRBUF_INIT;

static void *began(void *context, const struct stream_beginning *beginning)
{
    (void)context;
    strbuf_add_text(&log_text, beginning->is_whole ? "begin " : "middle ");
    return &log_text;
}

static void got_bytes(void *connection, enum wire_direction direction, const uint8_t *bytes,
                      size_t size, uint64_t time_ns)
{
    assert_ptr_equal(connection, &log_text);
    (void)time_ns;
    strbuf_printf(&log_text, "%c:", direction == WIRE_FROM_CLIENT ? 'C' : 'S');
    for (size_t i = 0; i < size; i++)
        strbuf_add_byte(&log_text, bytes[i] >= ' ' ? bytes[i] : '.');
    strbuf_add_text(&log_text, " ");
}

static void lost(void *connection, enum wire_direction direction)
{
    (void)connection;
    (void)direction;
    strbuf_add_text(&log_text, "lost ");
}

static void ended(void *connection)
{
    (void)connection;
    strbuf_add_text(&log_text, "end ");
}

enum flags { NONE = 0, SYN = 1, ACK = 2, FIN = 4, RST = 8 };

struct step {
    char from; /* 'C', 'S'; 'c': another client */
    uint32_t sequence;
    enum flags flags;
    const char *text;
};

static struct stream_counts counts; /* of the case that ran last */

static void check(uint16_t port, const struct step *steps, size_t count, const char *expected)
{
    static const struct stream_events events = {began, got_bytes, lost, ended};
    struct streams *streams = streams_new(port, 64, &events, NULL);
    strbuf_reset(&log_text);
    strbuf_add_text(&log_text, "");
    for (size_t i = 0; i < count; i++) {
        const struct step *step = &steps[i];
        struct stream_endpoint client = {{10, 0, 0, 1}, step->from == 'c' ? 5001 : 5000};
        struct stream_endpoint server = {{10, 0, 0, 2}, port ? port : 4406};
        bool from_client = step->from != 'S';
        const char *text = step->text ? step->text : "";
        /* A packet starts with its header: '<' stands for three bytes of length, '#' for a zero. */
        uint8_t bytes[128];
        size_t size = 0;
        for (const char *p = text; *p; p++) {
            if (*p == '<') {
                bytes[size++] = (uint8_t)(strlen(p) - 2);
                bytes[size++] = 0;
                bytes[size++] = 0;
            } else {
                bytes[size++] = *p == '#' ? 0 : (uint8_t)*p;
            }
        }
        const struct stream_segment segment = {
            .source = from_client ? client : server,
            .destination = from_client ? server : client,
            .sequence = step->sequence,
            .syn = step->flags & SYN,
            .ack = step->flags & ACK,
            .fin = step->flags & FIN,
            .rst = step->flags & RST,
            .bytes = bytes,
            .size = size,
        };
        streams_segment(streams, &segment);
    }
    streams_end_all(streams);
    counts = *streams_counts(streams);
    streams_free(streams);
    assert_string_equal(log_text.data, expected);
    strbuf_release(&log_text);
}

#define CHECK(expected, ...)                                                                       \
    do {                                                                                           \
        static const struct step steps[] = {__VA_ARGS__};                                          \
        check(3306, steps, sizeof steps / sizeof steps[0], expected);                              \
    } while (0)

/* The same where no port is given. */
#define CHECK_ANY(expected, ...)                                                                   \
    do {                                                                                           \
        static const struct step steps[] = {__VA_ARGS__};                                          \
        check(0, steps, sizeof steps / sizeof steps[0], expected);                                 \
    } while (0)

#define OPENING                                                                                    \
    {'C', 99, SYN, NULL},                                                                          \
    {                                                                                              \
        'S', 199, SYN | ACK, NULL                                                                  \
    }

static void in_order(void **state)
{
    (void)state;
    CHECK("begin S:hello C:yes C:no end ", OPENING, {'S', 200, ACK, "hello"},
          {'C', 100, ACK, "yes"}, {'C', 103, ACK, "no"}, {'C', 105, FIN | ACK, NULL},
          {'S', 205, FIN | ACK, NULL}, {'C', 106, ACK, NULL});
}

static void late_and_twice_and_overlapping(void **state)
{
    (void)state;
    CHECK("begin C:abc C:def C:ghi end ", OPENING, {'C', 103, ACK, "def"}, {'C', 106, ACK, "ghi"},
          {'C', 100, ACK, "abc"}, {'C', 100, ACK, "abc"}, {'C', 101, RST, NULL});
    CHECK("begin C:abc C:def C:gh end ", OPENING, {'C', 100, ACK, "abc"}, {'C', 102, ACK, "cdef"},
          {'C', 101, ACK, "bcdefgh"});
    /* Two early ones that overlap each other. */
    CHECK("begin C:abc C:defg C:hi end ", OPENING, {'C', 105, ACK, "fghi"}, {'C', 103, ACK, "defg"},
          {'C', 100, ACK, "abc"});
}

static void numbers_wrap(void **state)
{
    (void)state;
    CHECK("begin C:abcd C:efgh end ", {'C', 0xfffffffd, SYN, NULL}, {'C', 2, ACK, "efgh"},
          {'C', 0xfffffffe, ACK, "abcd"});
}

static void a_loss_is_reported_once(void **state)
{
    (void)state;
    CHECK("begin C:abc lost end ", OPENING, {'C', 100, ACK, "abc"},
          {'C', 110, ACK, "0123456789012345678901234567890123456789"},
          {'C', 150, ACK, "0123456789012345678901234567890123456789"}, {'C', 190, ACK, "more"},
          {'S', 200, ACK, "answer"});
}

static void a_missing_beginning(void **state)
{
    (void)state;
    /* The rest of a reply, then a command: it begins there. */
    CHECK("middle C:.....select S:row end ", {'S', 500, ACK, "rest of something"},
          {'C', 300, ACK, "<#\3select"}, {'S', 517, ACK, "row"});
    CHECK("", {'C', 300, ACK, "half a packet"}, {'S', 517, ACK, "row"});
    /* The greeting, though no SYN. */
    CHECK("begin S:.....8.0. C:me end ", {'S', 500, ACK, "<#\n8.0#"}, {'C', 300, ACK, "me"});
}

static void conversations_are_found_on_any_port(void **state)
{
    (void)state;
    /* By the greeting, whoever opened the connection; what a client sent before it (a PROXY header)
     * is none of it. */
    CHECK_ANY("begin S:.....8.0. C:me end ", OPENING, {'S', 200, ACK, "<#\n8.0#"},
              {'C', 100, ACK, "me"});
    CHECK_ANY("begin S:.....8.0. C:me end ", OPENING, {'C', 100, ACK, "PROXY"},
              {'S', 200, ACK, "<#\n8.0#"}, {'C', 105, ACK, "me"});
    CHECK_ANY("begin S:.....8.0. C:me end ", {'S', 200, ACK, "<#\n8.0#"}, {'C', 100, ACK, "me"});
    /* An error in its place: too many connections. */
    CHECK_ANY("begin S:....\xff..too many end ", OPENING,
              {'S', 200, ACK, "<#\xff\x10\x04too many"});
    assert_int_equal(counts.conversations, 1);
}

static void other_protocols_are_none(void **state)
{
    (void)state;
    CHECK_ANY("", OPENING, {'C', 100, ACK, "GET / HTTP/1.1"}, {'S', 200, ACK, "HTTP/1.1 200 OK"},
              {'C', 114, ACK, "<#\3select"}, {'S', 215, ACK, "<\1row"});
    CHECK_ANY("", OPENING, {'S', 200, ACK, "<#\nno version\1"}, {'C', 100, ACK, "me"});
    CHECK_ANY("", {'S', 200, ACK, "220 mail"}, {'C', 100, ACK, "EHLO me"});
    assert_int_equal(counts.conversations, 0);
    assert_int_equal(counts.segments, 2);
}

static void a_missing_beginning_on_any_port_takes_a_reply(void **state)
{
    (void)state;
    CHECK_ANY("middle C:.....select S:.....row end ", {'C', 300, ACK, "<#\3select"},
              {'S', 517, ACK, "<\1\1row"});
    /* Seen from the other side first, and sent twice. */
    CHECK_ANY("middle C:.....select S:.....row end ", {'S', 500, ACK, "rest of something"},
              {'C', 300, ACK, "<#\3select"}, {'C', 300, ACK, "<#\3select"},
              {'S', 517, ACK, "<\1\1row"});
    CHECK_ANY("", {'C', 300, ACK, "<#\3select"}, {'S', 517, ACK, "something else"});
    /* A greeting that was not captured. */
    CHECK_ANY("middle C:.....select S:.....row end ", OPENING, {'S', 300, ACK, "<\2\1ok"},
              {'C', 300, ACK, "<#\3select"}, {'S', 517, ACK, "<\1\1row"});
}

static void missing_bytes_are_counted(void **state)
{
    (void)state;
    CHECK("begin C:abc lost end ", OPENING, {'C', 100, ACK, "abc"}, {'C', 113, ACK, "later"},
          {'C', 120, ACK, "still later"});
    assert_int_equal(counts.missing_bytes, 10 + 2);
    CHECK("begin C:abc lost end ", OPENING, {'C', 100, ACK, "abc"}, {'C', 110, FIN, NULL});
    assert_int_equal(counts.missing_bytes, 7);
    CHECK("begin C:abc end ", OPENING, {'C', 100, ACK, "abc"}, {'C', 103, FIN, NULL});
    assert_int_equal(counts.missing_bytes, 0);
}

static void a_greeting_has_one_form(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        bool is_greeting;
    } cases[] = {
        {"\x06\0\0\0\n8.0\0x", 10, true},      {"\x06\0\0\0\n8.0\0", 9, false}, /* cut */
        {"\x06\0\0\1\n8.0\0x", 10, false},     {"\x06\0\0\0\t8.0\0x", 10, false},
        {"\x06\0\0\0\n8.0xx", 10, false},      {"\x06\0\0\0\n\0.0\0x", 10, false},
        {"\x03\0\0\0\xff\x10\x04", 7, true},   {"\x03\0\0\0\xff\x10\x00", 7, false},
        {"\x03\0\0\0\xff\x10\x04x", 8, false}, {"\x02\0\0\0\xff\x10", 6, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(opening_is_greeting((const uint8_t *)cases[i].bytes, cases[i].size),
                         cases[i].is_greeting);
}

static void connections_are_kept_apart(void **state)
{
    (void)state;
    CHECK("begin C:a begin C:b C:c end end ", OPENING, {'C', 100, ACK, "a"}, {'c', 7, SYN, NULL},
          {'c', 8, ACK, "b"}, {'C', 101, ACK, "c"});
    /* The same ports again. */
    CHECK("begin C:a end begin C:b end ", OPENING, {'C', 100, ACK, "a"}, {'C', 9000, SYN, NULL},
          {'C', 9001, ACK, "b"});
}

static void frames_of_every_link_layer(void **state)
{
    (void)state;
    static const uint8_t tcp[] = {
        0x45, 0,    0,    42,   0, 0, 0, 0, 64, 6, 0, 0, 10,   0,    0, 1, 10, 0, 0, 2, /* IPv4 */
        0x13, 0x88, 0x0c, 0xea, 0, 0, 0, 5, 0,  0, 0, 0, 0x50, 0x18, 0, 0, 0,  0, 0, 0, /* TCP */
        'h',  'i',  'x',  'x', /* two bytes of payload, two of padding */
    };
    static const struct {
        int link_type;
        size_t header;
        uint8_t bytes[20];
    } links[] = {
        {1, 14, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0}},
        {1, 18, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x81, 0, 0, 7, 8, 0}},
        {113, 16, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0}},
        {276, 20, {8, 0}},
        {0, 4, {2, 0, 0, 0}},
        {12, 0, {0}},
    };
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        uint8_t frame[80];
        struct stream_segment segment;
        size_t size = links[i].header + sizeof tcp;
        memcpy(frame, links[i].bytes, links[i].header);
        memcpy(frame + links[i].header, tcp, sizeof tcp);
        assert_true(capture_decode(links[i].link_type, frame, size, &segment));
        assert_int_equal(segment.size, 2);
        assert_memory_equal(segment.bytes, "hi", 2);
        assert_int_equal(segment.source.port, 5000);
        assert_int_equal(segment.destination.port, 3306);
        assert_int_equal(segment.sequence, 5);
        assert_true(segment.ack);
        assert_false(segment.syn);
        for (size_t cut = 0; cut < links[i].header + 40; cut++)
            assert_false(capture_decode(links[i].link_type, frame, cut, &segment));
    }
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(in_order),
        TEST(late_and_twice_and_overlapping),
        TEST(numbers_wrap),
        TEST(a_loss_is_reported_once),
        TEST(a_missing_beginning),
        TEST(conversations_are_found_on_any_port),
        TEST(other_protocols_are_none),
        TEST(a_missing_beginning_on_any_port_takes_a_reply),
        TEST(missing_bytes_are_counted),
        TEST(a_greeting_has_one_form),
        TEST(connections_are_kept_apart),
        TEST(frames_of_every_link_layer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
