/* SPDX-License-Identifier: Apache-2.0
 *
 * The compression filter over a peer in memory: recorded frames, numbers of frames and packets, a peer
 * that takes little, and frames that are wrong. What it reads comes whole, byte by byte and in other pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/net/compression_filter.h"
#include "wire/wire.h"

struct peer {
    struct filter filter; /* first */
    struct strbuf sent, to_read;
    size_t may_take, piece; /* bytes a call */
    bool is_closed;
    bool is_reset; /* after what there is to read */
};

static size_t receive(struct filter *filter, struct leg *leg, uint8_t *bytes, size_t size)
{
    struct peer *peer = (struct peer *)filter;
    if (peer->is_reset && peer->to_read.size == 0)
        leg_fail(leg, 1);
    size_t part = peer->to_read.size < size ? peer->to_read.size : size;
    if (part > peer->piece)
        part = peer->piece;
    if (part)
        memcpy(bytes, peer->to_read.data, part);
    strbuf_consume(&peer->to_read, part);
    return part;
}

static size_t send_bytes(struct filter *filter, struct leg *leg, const uint8_t *bytes, size_t size)
{
    struct peer *peer = (struct peer *)filter;
    (void)leg;
    size_t part = size < peer->may_take ? size : peer->may_take;
    peer->may_take -= part;
    strbuf_add(&peer->sent, bytes, part);
    return part;
}

static void finish(struct filter *filter, struct leg *leg)
{
    (void)filter, (void)leg;
}

static void break_off(struct filter *filter)
{
    (void)filter;
}

static void close_peer(struct filter *filter)
{
    ((struct peer *)filter)->is_closed = true;
}

static const struct filter_type memory = {.name = "memory",
                                          .receive = receive,
                                          .send = send_bytes,
                                          .finish = finish,
                                          .break_off = break_off,
                                          .close = close_peer};

static void begin(struct leg *leg, struct peer *peer)
{
    *peer = (struct peer){.filter = {.type = &memory}, .may_take = SIZE_MAX, .piece = SIZE_MAX};
    strbuf_init(&peer->sent);
    strbuf_init(&peer->to_read);
    leg_init(leg);
    leg_push(leg, &peer->filter);
}

static void compress(struct leg *leg, bool is_server, unsigned raw_packets)
{
    const struct compression_settings settings = {
        .algorithm = COMPRESSION_ZLIB, .level = 6, .is_server = is_server, .most_bytes = 100000};
    assert_true(compression_push(leg, &settings, raw_packets));
}

static void end(struct leg *leg, struct peer *peer)
{
    leg_release(leg);
    assert_true(peer->is_closed);
    strbuf_release(&peer->sent);
    strbuf_release(&peer->to_read);
}

#define BYTES(text) text, sizeof(text) - 1

static void assert_sent(struct peer *peer, const char *bytes, size_t size)
{
    assert_int_equal(peer->sent.size, size);
    assert_memory_equal(peer->sent.data, bytes, size);
    strbuf_reset(&peer->sent);
}

/* Reads what there is, in calls of `most` bytes. */
static void assert_read(struct leg *leg, size_t most, const char *bytes, size_t size)
{
    uint8_t got[1000];
    size_t total = 0, now = 0;
    while ((now = leg_receive(leg, got + total, most)) > 0)
        total += now;
    assert_int_equal(total, size);
    assert_memory_equal(got, bytes, size);
}

/* SELECT 1 as MariaDB's client sends it with --compress. */
static const char short_query[] = "\x0d\x00\x00\x00\x00\x00\x00\x09\x00\x00\x00\x03SELECT 1";

static void a_login_goes_on_compressed(void **state)
{
    (void)state;
    struct leg leg;
    struct peer peer;
    begin(&leg, &peer);
    peer.may_take = 0; /* two packets wait: one of before, and the OK */
    leg_write(&leg, BYTES("\x02\x00\x00\x02\x01\x03"), 3);
    compress(&leg, true, 1);
    leg_write(&leg, BYTES("\x07\x00\x00\x03\x00\x00\x00\x02\x00\x00\x00"), 4);
    for (int i = 0; i < 17; i++) {
        peer.may_take = 1;
        leg_flush(&leg);
    }
    assert_sent(&peer,
                BYTES("\x02\x00\x00\x02\x01\x03\x07\x00\x00\x03\x00\x00\x00\x02\x00\x00\x00"));
    assert_int_equal(leg_pending(&leg), 0);
    peer.may_take = SIZE_MAX;
    strbuf_add(&peer.to_read, BYTES(short_query));
    assert_read(&leg, 100, BYTES("\x09\x00\x00\x00\x03SELECT 1"));
    leg_write(&leg, BYTES("\x01\x00\x00\x01\x01"), 2);
    leg_flush(&leg);
    assert_sent(&peer, BYTES("\x05\x00\x00\x01\x00\x00\x00\x01\x00\x00\x01\x01"));
    leg_write(&leg, BYTES("\x01\x00\x00\x02\x01"), 3);
    leg_flush(&leg);
    assert_sent(&peer, BYTES("\x05\x00\x00\x02\x00\x00\x00\x01\x00\x00\x02\x01"));
    end(&leg, &peer);
}

static void replies_to_commands_that_were_sent_ahead_begin_with_1(void **state)
{
    (void)state;
    struct leg leg;
    struct peer peer;
    begin(&leg, &peer);
    compress(&leg, true, 0);
    strbuf_add(&peer.to_read, BYTES(short_query));
    strbuf_add(&peer.to_read, BYTES(short_query));
    assert_true(leg_receive(&leg, (uint8_t[100]){0}, 100) == 26);
    for (int i = 0; i < 2; i++) {
        leg_write(&leg, BYTES("\x01\x00\x00\x01\x01"), 2);
        leg_flush(&leg);
        assert_sent(&peer, BYTES("\x05\x00\x00\x01\x00\x00\x00\x01\x00\x00\x01\x01"));
        leg_write(&leg, BYTES("\x01\x00\x00\x02\x01"), 3);
        leg_flush(&leg);
        assert_sent(&peer, BYTES("\x05\x00\x00\x02\x00\x00\x00\x01\x00\x00\x02\x01"));
    }
    end(&leg, &peer);
}

/* A command in several frames makes servers count on in the packets of the reply. */
static void packets_are_numbered_as_without_compression(void **state)
{
    (void)state;
    struct leg leg;
    struct peer peer;
    static char command[200000] = {(char)0x3c, 0x0d, 0x03, 0}; /* its payload's size: 199996 */
    begin(&leg, &peer);
    compress(&leg, false, 0);
    leg_write(&leg, command, sizeof command, 1);
    leg_flush(&leg);
    assert_int_equal(peer.sent.data[3], 0);
    strbuf_add(&peer.to_read,
               BYTES("\x0a\x00\x00\x04\x00\x00\x00\x01\x00\x00\x04\x01\x01\x00\x00\x05\x02"));
    assert_read(&leg, 3, BYTES("\x01\x00\x00\x01\x01\x01\x00\x00\x02\x02"));
    strbuf_add(&peer.to_read,
               BYTES("\x05\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\xff")); /* its last words */
    assert_read(&leg, 100, BYTES("\x01\x00\x00\x03\xff"));
    leg_write(&leg, BYTES("\x01\x00\x00\x00\x0e"), 1);
    strbuf_reset(&peer.sent);
    leg_flush(&leg);
    assert_sent(&peer, BYTES("\x05\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x0e"));
    end(&leg, &peer);
}

static void bytes_come_in_any_pieces(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < 20; piece++)
        for (size_t most = 1; most < 20; most++) {
            struct leg leg;
            struct peer peer;
            struct strbuf wanted = STRBUF_INIT;
            uint8_t packet[300] = {[0] = 200 - 4};
            begin(&leg, &peer);
            peer.piece = piece;
            compress(&leg, true, 0);
            for (uint8_t i = 0; i < 3; i++) {
                packet[3] = i;
                strbuf_add(&wanted, packet, 200);
                compression_add_frame(&peer.to_read, COMPRESSION_ZLIB, 6, i, packet, 200);
            }
            assert_read(&leg, most, wanted.data, wanted.size);
            assert_false(leg_has_buffered(&leg));
            assert_null(leg.broken);
            strbuf_release(&wanted);
            end(&leg, &peer);
        }
}

/* A server that refuses a command says so, and resets the connection. */
static void last_words_before_a_reset_are_read(void **state)
{
    (void)state;
    struct leg leg;
    struct peer peer;
    begin(&leg, &peer);
    compress(&leg, false, 0);
    strbuf_add(&peer.to_read, BYTES("\x05\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\xff"));
    peer.is_reset = true;
    assert_read(&leg, 100, BYTES("\x01\x00\x00\x00\xff"));
    assert_true(leg.failed);
    end(&leg, &peer);
}

static void frames_that_are_wrong_are_said_to_be(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *why;
    } cases[] = {
        {BYTES("\x05\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x0e"),
         "a compressed frame has a wrong sequence number"},
        {BYTES("\x05\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x0e\x05\x00\x00\x00\x00\x00\x00zzzzz"),
         "a compressed frame has a wrong sequence number"},
        {BYTES("\x05\x00\x00\x00\xff\xff\xff\x01\x00\x00\x00\x0e"),
         "a compressed frame claims more bytes than are allowed"},
        {BYTES("\xff\xff\xff\x00\x00\x00\x00"),
         "a compressed frame claims more bytes than are allowed"},
        {BYTES("\x05\x00\x00\x00\x40\x00\x00\x01\x00\x00\x00\x0e"), "compressed data is damaged"},
        {BYTES("\x00\x00\x00\x00\x40\x00\x00"),
         "a compressed frame has another length than it says"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct leg leg;
        struct peer peer;
        uint8_t got[100];
        begin(&leg, &peer);
        compress(&leg, true, 0);
        strbuf_add(&peer.to_read, cases[i].bytes, cases[i].size);
        strbuf_add(&peer.to_read, BYTES(short_query)); /* which counts for nothing */
        assert_true(leg_receive(&leg, got, sizeof got) < 6);
        assert_non_null(leg.broken);
        assert_string_equal(leg.broken, cases[i].why);
        assert_int_equal(leg_receive(&leg, got, sizeof got), 0);
        leg_write(&leg, BYTES("\x01\x00\x00\x01\xff"), 2); /* it can be told why */
        leg_flush(&leg);
        assert_int_equal(peer.sent.size, 12);
        end(&leg, &peer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_login_goes_on_compressed),
        cmocka_unit_test(replies_to_commands_that_were_sent_ahead_begin_with_1),
        cmocka_unit_test(packets_are_numbered_as_without_compression),
        cmocka_unit_test(bytes_come_in_any_pieces),
        cmocka_unit_test(last_words_before_a_reset_are_read),
        cmocka_unit_test(frames_that_are_wrong_are_said_to_be),
    };
    return cmocka_run_group_tests_name("compression filter", tests, NULL, NULL);
}
