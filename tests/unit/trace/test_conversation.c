/* SPDX-License-Identifier: Apache-2.0
 *
 * From the bytes of a whole connection to events: one connection of every kind, written out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>
#include <zstd.h>

#include "frames.h"
#include "trace/protocol/trace_protocol.h"

#define LOGIN_EVENTS                                                                               \
    "CONNECTING CONNECTING\n"                                                                      \
    "CONNECTING CONNECTED\n"                                                                       \
    "WAIT_FOR_INIT_PACKET READ_PACKET\n"                                                           \
    "WAIT_FOR_INIT_PACKET PACKET_RECEIVED pkt=56\n"                                                \
    "WAIT_FOR_INIT_PACKET INIT_PACKET_RECEIVED pkt=56\n"                                           \
    "AUTHENTICATE AUTH_PLUGIN sha2\n"                                                              \
    "AUTHENTICATE SEND_AUTH_RESPONSE pkt=42\n"                                                     \
    "AUTHENTICATE PACKET_SENT len=42\n"                                                            \
    "AUTHENTICATE READ_PACKET\n"                                                                   \
    "AUTHENTICATE PACKET_RECEIVED pkt=7\n"                                                         \
    "AUTHENTICATE AUTHENTICATED\n"
#define QUIT_EVENTS                                                                                \
    "READY_FOR_COMMAND SEND_COMMAND cmd=1\n"                                                       \
    "READY_FOR_COMMAND PACKET_SENT len=0\n"                                                        \
    "READY_FOR_COMMAND DISCONNECTED\n"

struct record {
    struct strbuf events;
    unsigned most; /* events until the sink stops; 0: all */
    unsigned count;
};

static int sink(void *context, enum protocol_stage stage, enum trace_event event,
                const struct st_trace_event_args *args)
{
    struct record *record = context;
    struct strbuf *out = &record->events;
    strbuf_printf(out, "%s %s", protocol_stage_name(stage), trace_event_name(event));
    if (args->plugin_name)
        strbuf_printf(out, " %s", args->plugin_name);
    if (event == TRACE_EVENT_SEND_COMMAND)
        strbuf_printf(out, " cmd=%d", args->cmd);
    if (args->hdr)
        strbuf_printf(out, " hdr=%zu", args->hdr_len);
    if (args->pkt)
        strbuf_printf(out, " pkt=%zu", args->pkt_len);
    else if (args->pkt_len || event == TRACE_EVENT_PACKET_SENT)
        strbuf_printf(out, " len=%zu", args->pkt_len);
    strbuf_add_text(out, "\n");
    record->count++;
    return record->most && record->count == record->most;
}

static void put_frame(struct strbuf *out, const struct frame *frame)
{
    struct wire_writer writer = wire_writer_to(out, frame->sequence);
    wire_begin_packet(&writer);
    wire_write_bytes(&writer, frame->payload, frame->size);
    wire_end_packet(&writer);
}

static bool compresses_with_zstd;

/* compressed_from: index of the first frame that travels compressed; count: none does. */
static void replay(struct record *record, const struct frame *frames, size_t count,
                   size_t compressed_from, size_t step)
{
    struct trace_conversation conversation;
    const struct trace_options options = {.keep_limit = 1 << 20};
    record->count = 0;
    strbuf_reset(&record->events);
    trace_conversation_begin(&conversation, &options, sink, record);
    for (size_t i = 0; i < count; i++) {
        struct strbuf bytes = STRBUF_INIT;
        put_frame(&bytes, &frames[i]);
        if (i >= compressed_from) {
            struct strbuf packed = STRBUF_INIT;
            unsigned char data[1024];
            uLongf size = sizeof data;
            bool stored = i % 2;
            if (compresses_with_zstd)
                size = ZSTD_compress(data, size, bytes.data, bytes.size, 3);
            else
                assert_int_equal(compress(data, &size, (Bytef *)bytes.data, bytes.size), Z_OK);
            struct wire_writer w = wire_writer_to(&packed, 0);
            wire_write_u24(&w, stored ? (uint32_t)bytes.size : (uint32_t)size);
            wire_write_u8(&w, 0);
            wire_write_u24(&w, stored ? 0 : (uint32_t)bytes.size);
            wire_write_bytes(&w, stored ? (void *)bytes.data : data, stored ? bytes.size : size);
            strbuf_release(&bytes);
            bytes = packed;
        }
        enum wire_direction direction = frames[i].from == 'C' ? WIRE_FROM_CLIENT : WIRE_FROM_SERVER;
        for (size_t at = 0; at < bytes.size; at += step)
            trace_conversation_bytes(&conversation, direction, (uint8_t *)bytes.data + at,
                                     bytes.size - at < step ? bytes.size - at : step);
        strbuf_release(&bytes);
    }
    trace_conversation_end(&conversation);
    trace_conversation_end(&conversation); /* a second call reports nothing */
    trace_conversation_release(&conversation);
}

static void check(const struct frame *frames, size_t count, size_t compressed_from,
                  const char *expected)
{
    static const size_t steps[] = {1, 3, 100000};
    struct record record = {.events = STRBUF_INIT};
    for (size_t i = 0; i < 3; i++) {
        replay(&record, frames, count, compressed_from, steps[i]);
        assert_string_equal(record.events.data, expected);
    }
    strbuf_release(&record.events);
}

#define CHECK(frames, expected)                                                                    \
    check(frames, sizeof(frames) / sizeof(frames)[0], sizeof(frames) / sizeof(frames)[0], expected)

static void a_query_with_rows(void **state)
{
    (void)state;
    static const struct frame frames[] = {
        LOGIN,
        FRAME('C', 0, "\x03select 1"),
        FRAME('S', 1, "\x01"),
        FRAME('S', 2,
              "\x03"
              "def\0\0\0\x01"
              "1\0\x0c\x3f\0\x01\0\0\0\x08\x81\0\0\0\0"),
        FRAME('S', 3, "\xfe\0\0\x02\0"),
        FRAME('S', 4,
              "\x01"
              "1"),
        FRAME('S', 5, "\xfe\0\0\x02\0"),
        FRAME('C', 0, "\x01"),
    };
    CHECK(frames, LOGIN_EVENTS "READY_FOR_COMMAND SEND_COMMAND cmd=3 pkt=8\n"
                               "READY_FOR_COMMAND PACKET_SENT len=8\n"
                               "WAIT_FOR_RESULT READ_PACKET\n"
                               "WAIT_FOR_RESULT PACKET_RECEIVED pkt=1\n"
                               "WAIT_FOR_FIELD_DEF READ_PACKET\n"
                               "WAIT_FOR_FIELD_DEF PACKET_RECEIVED pkt=23\n"
                               "WAIT_FOR_FIELD_DEF READ_PACKET\n"
                               "WAIT_FOR_FIELD_DEF PACKET_RECEIVED pkt=5\n"
                               "WAIT_FOR_ROW READ_PACKET\n"
                               "WAIT_FOR_ROW PACKET_RECEIVED pkt=2\n"
                               "WAIT_FOR_ROW READ_PACKET\n"
                               "WAIT_FOR_ROW PACKET_RECEIVED pkt=5\n" QUIT_EVENTS);
}

static void prepared_statements_show_their_fixed_part_apart(void **state)
{
    (void)state;
    static const struct frame frames[] = {
        LOGIN,
        FRAME('C', 0, "\x18\x01\0\0\0\0\0data"),
        FRAME('C', 0, "\x17\x01\0\0\0\0\x01\0\0\0\0\x01\xfd\0"),
        FRAME('S', 1, OK),
        FRAME('C', 0, "\x1a\x01\0\0\0"),
        FRAME('S', 1, OK),
        FRAME('C', 0, "\x19\x01\0\0\0"),
        FRAME('C', 0, "\x01"),
    };
    CHECK(frames, LOGIN_EVENTS "READY_FOR_COMMAND SEND_COMMAND cmd=24 hdr=6 pkt=4\n"
                               "READY_FOR_COMMAND PACKET_SENT len=10\n"
                               "READY_FOR_COMMAND SEND_COMMAND cmd=23 hdr=9 pkt=4\n"
                               "READY_FOR_COMMAND PACKET_SENT len=13\n"
                               "WAIT_FOR_RESULT READ_PACKET\n"
                               "WAIT_FOR_RESULT PACKET_RECEIVED pkt=7\n"
                               "READY_FOR_COMMAND SEND_COMMAND cmd=26 hdr=4\n"
                               "READY_FOR_COMMAND PACKET_SENT len=4\n"
                               "WAIT_FOR_RESULT READ_PACKET\n"
                               "WAIT_FOR_RESULT PACKET_RECEIVED pkt=7\n"
                               "READY_FOR_COMMAND SEND_COMMAND cmd=25 pkt=4\n"
                               "READY_FOR_COMMAND PACKET_SENT len=4\n" QUIT_EVENTS);
}

static void a_local_file(void **state)
{
    (void)state;
    static const struct frame frames[] = {
        LOGIN,
        FRAME('C', 0, "\x03load"),
        FRAME('S', 1,
              "\xfb"
              "file"),
        FRAME('C', 2, "line"),
        FRAME('C', 3, ""),
        FRAME('S', 4, OK),
    };
    CHECK(frames, LOGIN_EVENTS "READY_FOR_COMMAND SEND_COMMAND cmd=3 pkt=4\n"
                               "READY_FOR_COMMAND PACKET_SENT len=4\n"
                               "WAIT_FOR_RESULT READ_PACKET\n"
                               "WAIT_FOR_RESULT PACKET_RECEIVED pkt=5\n"
                               "FILE_REQUEST SEND_FILE pkt=4\n"
                               "FILE_REQUEST PACKET_SENT len=4\n"
                               "FILE_REQUEST SEND_FILE\n"
                               "FILE_REQUEST PACKET_SENT len=0\n"
                               "WAIT_FOR_RESULT READ_PACKET\n"
                               "WAIT_FOR_RESULT PACKET_RECEIVED pkt=7\n"
                               "READY_FOR_COMMAND DISCONNECTED\n");
}

static void a_reply_that_never_comes(void **state)
{
    (void)state;
    static const struct frame frames[] = {LOGIN, FRAME('C', 0, "\x0e")};
    CHECK(frames, LOGIN_EVENTS "READY_FOR_COMMAND SEND_COMMAND cmd=14\n"
                               "READY_FOR_COMMAND PACKET_SENT len=0\n"
                               "WAIT_FOR_RESULT READ_PACKET\n"
                               "WAIT_FOR_RESULT DISCONNECTED\n");
}

/* As long as its header says, however much of it arrived. */
static void a_command_that_is_cut_off(void **state)
{
    (void)state;
    static const struct frame frames[] = {LOGIN};
    static const char *const parts[] = {"\x09\0\0\0\x03sel", "\x09\0\0\0\x03"};
    static const size_t sizes[] = {8, 5};
    struct record record = {.events = STRBUF_INIT};
    for (size_t part = 0; part < 2; part++) {
        struct trace_conversation conversation;
        const struct trace_options options = {.keep_limit = 1 << 20};
        strbuf_reset(&record.events);
        trace_conversation_begin(&conversation, &options, sink, &record);
        for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
            struct strbuf bytes = STRBUF_INIT;
            put_frame(&bytes, &frames[i]);
            trace_conversation_bytes(&conversation,
                                     frames[i].from == 'C' ? WIRE_FROM_CLIENT : WIRE_FROM_SERVER,
                                     (uint8_t *)bytes.data, bytes.size);
            strbuf_release(&bytes);
        }
        trace_conversation_bytes(&conversation, WIRE_FROM_CLIENT, (const uint8_t *)parts[part],
                                 sizes[part]);
        trace_conversation_end(&conversation);
        trace_conversation_release(&conversation);
        assert_string_equal(record.events.data,
                            LOGIN_EVENTS "READY_FOR_COMMAND SEND_COMMAND cmd=3 pkt=8\n"
                                         "READY_FOR_COMMAND DISCONNECTED\n");
    }
    strbuf_release(&record.events);
}

/* Also those without a reply: no library sends one before it has read what is due. */
static void commands_that_are_sent_ahead_come_in_their_turn(void **state)
{
    (void)state;
    static const struct frame frames[] = {
        LOGIN,
        FRAME('C', 0, "\x0e"),
        FRAME('C', 0, "\x03set a"),
        FRAME('C', 0, "\x19\x01\0\0\0"),
        FRAME('S', 1, OK),
        FRAME('S', 1, OK),
        FRAME('C', 0, "\x0e"),
        FRAME('C', 0, "\x19\x02\0\0\0"),
        FRAME('C', 0, "\x01"),
    };
    CHECK(frames, LOGIN_EVENTS "READY_FOR_COMMAND SEND_COMMAND cmd=14\n"
                               "READY_FOR_COMMAND PACKET_SENT len=0\n"
                               "WAIT_FOR_RESULT READ_PACKET\n"
                               "WAIT_FOR_RESULT PACKET_RECEIVED pkt=7\n"
                               "READY_FOR_COMMAND SEND_COMMAND cmd=3 pkt=5\n"
                               "READY_FOR_COMMAND PACKET_SENT len=5\n"
                               "WAIT_FOR_RESULT READ_PACKET\n"
                               "WAIT_FOR_RESULT PACKET_RECEIVED pkt=7\n"
                               "READY_FOR_COMMAND SEND_COMMAND cmd=25 pkt=4\n"
                               "READY_FOR_COMMAND PACKET_SENT len=4\n"
                               "READY_FOR_COMMAND SEND_COMMAND cmd=14\n"
                               "READY_FOR_COMMAND PACKET_SENT len=0\n"
                               "WAIT_FOR_RESULT READ_PACKET\n"
                               "WAIT_FOR_RESULT DISCONNECTED\n");
}

/* A client may leave without it: COM_QUIT does not wait. */
static void a_goodbye_before_the_reply_comes_at_once(void **state)
{
    (void)state;
    static const struct frame frames[] = {LOGIN, FRAME('C', 0, "\x0e"), FRAME('C', 0, "\x01")};
    CHECK(frames, LOGIN_EVENTS "READY_FOR_COMMAND SEND_COMMAND cmd=14\n"
                               "READY_FOR_COMMAND PACKET_SENT len=0\n" QUIT_EVENTS);
}

/* It is a COM_SLEEP, whatever follows: here the length of a COM_PING. */
static void an_empty_command_waits_too(void **state)
{
    (void)state;
    static const struct frame frames[] = {LOGIN,
                                          FRAME('C', 0, "\x0e"),
                                          FRAME('C', 0, ""),
                                          FRAME('C', 0, "\x0e"),
                                          FRAME('S', 1, OK),
                                          FRAME('S', 1, OK),
                                          FRAME('S', 1, OK)};
#define SIMPLE_EVENTS(cmd)                                                                         \
    "READY_FOR_COMMAND SEND_COMMAND cmd=" cmd "\n"                                                 \
    "READY_FOR_COMMAND PACKET_SENT len=0\n"                                                        \
    "WAIT_FOR_RESULT READ_PACKET\n"                                                                \
    "WAIT_FOR_RESULT PACKET_RECEIVED pkt=7\n"
    CHECK(frames, LOGIN_EVENTS SIMPLE_EVENTS("14") SIMPLE_EVENTS("0")
                      SIMPLE_EVENTS("14") "READY_FOR_COMMAND DISCONNECTED\n");
}

/* As Connector/J does with a batch of blobs. */
static void blobs_that_are_sent_ahead_come_in_their_turn(void **state)
{
    (void)state;
#define LONG_DATA FRAME('C', 0, "\x18\x01\0\0\0\0\0xx")
#define EXECUTE   FRAME('C', 0, "\x17\x01\0\0\0\0\x01\0\0\0")
    static const struct frame frames[] = {
        LOGIN,
        LONG_DATA,
        EXECUTE,
        LONG_DATA,
        EXECUTE,
        FRAME('C', 0, "\x19\x01\0\0\0"),
        FRAME('S', 1, OK),
        FRAME('S', 1, OK),
        FRAME('C', 0, "\x01"),
    };
#define BLOB_EVENTS                                                                                \
    "READY_FOR_COMMAND SEND_COMMAND cmd=24 hdr=6 pkt=2\n"                                          \
    "READY_FOR_COMMAND PACKET_SENT len=8\n"                                                        \
    "READY_FOR_COMMAND SEND_COMMAND cmd=23 hdr=9\n"                                                \
    "READY_FOR_COMMAND PACKET_SENT len=9\n"                                                        \
    "WAIT_FOR_RESULT READ_PACKET\n"                                                                \
    "WAIT_FOR_RESULT PACKET_RECEIVED pkt=7\n"
    CHECK(frames,
          LOGIN_EVENTS BLOB_EVENTS BLOB_EVENTS "READY_FOR_COMMAND SEND_COMMAND cmd=25 pkt=4\n"
                                               "READY_FOR_COMMAND PACKET_SENT len=4\n" QUIT_EVENTS);
}

static void a_compressed_connection(void **state)
{
    (void)state;
#define PACKED_GREETING                                                                            \
    "\x0a"                                                                                         \
    "8.0\0\x07\0\0\0"                                                                              \
    "abcdefgh\0\x20\x82\x2d\x02\0\x08\0\x15\0\0\0\0\0\0\0\0\0\0ijklmnopqrst\0native\0"
#define PACKED_RESPONSE                                                                            \
    "\x20\x82\x08\0\0\0\0\x01\x2d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0bob\0\0sha2\0"
    static const struct frame frames[] = {
        FRAME('S', 0, PACKED_GREETING),
        FRAME('C', 1, PACKED_RESPONSE),
        FRAME('S', 2, OK),
        FRAME('C', 0, "\x0e"),
        FRAME('S', 1, OK),
        FRAME('C', 0, "\x0e"),
        FRAME('S', 1, OK),
        FRAME('C', 0, "\x01"),
    };
#define PING_EVENTS                                                                                \
    "READY_FOR_COMMAND SEND_COMMAND cmd=14\n"                                                      \
    "READY_FOR_COMMAND PACKET_SENT len=0\n"                                                        \
    "WAIT_FOR_RESULT READ_PACKET\n"                                                                \
    "WAIT_FOR_RESULT PACKET_RECEIVED pkt=7\n"
    check(frames, sizeof frames / sizeof frames[0], 3,
          LOGIN_EVENTS PING_EVENTS PING_EVENTS QUIT_EVENTS);
}

static void a_connection_that_is_compressed_with_zstd(void **state)
{
    (void)state;
    static const struct frame frames[] = {
        FRAME('S', 0,
              "\x0a"
              "8.0\0\x07\0\0\0"
              "abcdefgh\0\x00\x82\x2d\x02\0\x08\x04\x15\0\0\0\0\0\0\0\0\0\0ijklmnopqrst\0native\0"),
        FRAME('C', 1,
              "\x00\x82\x08\x04\0\0\0\x01\x2d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
              "bob\0\0sh2\0\x03"),
        FRAME('S', 2, OK),
        FRAME('C', 0, "\x0e"),
        FRAME('S', 1, OK),
        FRAME('C', 0, "\x01"),
    };
    struct record record = {.events = STRBUF_INIT};
    compresses_with_zstd = true;
    for (size_t step = 1; step < 100; step += 49) {
        replay(&record, frames, sizeof frames / sizeof frames[0], 3, step);
        assert_non_null(strstr(record.events.data, "AUTHENTICATED\n" PING_EVENTS QUIT_EVENTS));
    }
    compresses_with_zstd = false;
    strbuf_release(&record.events);
}

static void a_refused_login_ends_the_connection(void **state)
{
    (void)state;
    static const struct frame frames[] = {
        FRAME('S', 0, GREETING),
        FRAME('C', 1, RESPONSE),
        FRAME('S', 2,
              "\xfe"
              "native\0"
              "abcdefghijklmnopqrst\0"),
        FRAME('C', 3, "12345678901234567890"),
        FRAME('S', 4, "\xff\x15\x04#28000no"),
    };
    CHECK(frames, "CONNECTING CONNECTING\n"
                  "CONNECTING CONNECTED\n"
                  "WAIT_FOR_INIT_PACKET READ_PACKET\n"
                  "WAIT_FOR_INIT_PACKET PACKET_RECEIVED pkt=56\n"
                  "WAIT_FOR_INIT_PACKET INIT_PACKET_RECEIVED pkt=56\n"
                  "AUTHENTICATE AUTH_PLUGIN sha2\n"
                  "AUTHENTICATE SEND_AUTH_RESPONSE pkt=42\n"
                  "AUTHENTICATE PACKET_SENT len=42\n"
                  "AUTHENTICATE READ_PACKET\n"
                  "AUTHENTICATE PACKET_RECEIVED pkt=29\n"
                  "AUTHENTICATE AUTH_PLUGIN native\n"
                  "AUTHENTICATE SEND_AUTH_DATA pkt=20\n"
                  "AUTHENTICATE PACKET_SENT len=20\n"
                  "AUTHENTICATE READ_PACKET\n"
                  "AUTHENTICATE PACKET_RECEIVED pkt=11\n"
                  "READY_FOR_COMMAND DISCONNECTED\n");
}

static void a_sink_that_wants_no_more_hears_no_more(void **state)
{
    (void)state;
    static const struct frame frames[] = {LOGIN, FRAME('C', 0, "\x0e")};
    struct record record = {.events = STRBUF_INIT, .most = 3};
    replay(&record, frames, 4, 4, 100);
    assert_int_equal(record.count, 3);
    strbuf_release(&record.events);
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_query_with_rows),
        TEST(prepared_statements_show_their_fixed_part_apart),
        TEST(a_local_file),
        TEST(a_reply_that_never_comes),
        TEST(a_command_that_is_cut_off),
        TEST(commands_that_are_sent_ahead_come_in_their_turn),
        TEST(a_goodbye_before_the_reply_comes_at_once),
        TEST(an_empty_command_waits_too),
        TEST(blobs_that_are_sent_ahead_come_in_their_turn),
        TEST(a_compressed_connection),
        TEST(a_connection_that_is_compressed_with_zstd),
        TEST(a_refused_login_ends_the_connection),
        TEST(a_sink_that_wants_no_more_hears_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
