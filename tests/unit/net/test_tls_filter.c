/* SPDX-License-Identifier: Apache-2.0
 *
 * Two TLS filters, a client's and a server's, each over a peer in memory; the test carries between the two what
 * they send, whole, byte by byte and in other pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/net/tls.h"

#define ALL SIZE_MAX

struct side {
    struct filter filter; /* first */
    struct strbuf sent, to_read;
    unsigned reads; /* asked of it */
    struct leg leg;
    struct tls_context *context;
};

static size_t receive(struct filter *filter, struct leg *leg, uint8_t *bytes, size_t size)
{
    struct side *side = (struct side *)filter;
    const size_t part = side->to_read.size < size ? side->to_read.size : size;
    (void)leg;
    side->reads++;
    if (part)
        memcpy(bytes, side->to_read.data, part);
    strbuf_consume(&side->to_read, part);
    return part;
}

static size_t send_bytes(struct filter *filter, struct leg *leg, const uint8_t *bytes, size_t size)
{
    (void)leg;
    strbuf_add(&((struct side *)filter)->sent, bytes, size);
    return size;
}

static void finish(struct filter *filter, struct leg *leg)
{
    (void)filter, (void)leg;
}

static void do_nothing(struct filter *filter)
{
    (void)filter;
}

static const struct filter_type memory = {.name = "memory",
                                          .receive = receive,
                                          .send = send_bytes,
                                          .finish = finish,
                                          .break_off = do_nothing,
                                          .close = do_nothing};

static void open_side(struct side *side, bool is_client)
{
    const struct tls_options options = {
        .is_client = is_client, .prefix = "-", .automatic = !is_client};
    struct error error = {0};
    *side = (struct side){.filter = {.type = &memory}, .sent = STRBUF_INIT, .to_read = STRBUF_INIT};
    assert_int_equal(tls_context_open(&side->context, &options, &error), 0);
    leg_init(&side->leg);
    leg_push(&side->leg, &side->filter);
    assert_true((is_client ? tls_connect : tls_accept)(side->context, &side->leg));
}

static void close_side(struct side *side)
{
    leg_release(&side->leg);
    tls_context_free(side->context);
    strbuf_release(&side->sent);
    strbuf_release(&side->to_read);
}

/* Carries at most `most` bytes. Returns how many there were. */
static size_t carry(struct side *from, struct side *to, size_t most)
{
    const size_t size = from->sent.size < most ? from->sent.size : most;
    strbuf_add(&to->to_read, from->sent.data, size);
    strbuf_consume(&from->sent, size);
    return size;
}

/* Until both are done; what the client sends last may have been carried, or not. */
static void shake_hands(struct side *client, struct side *server, size_t piece)
{
    enum tls_progress one = TLS_NEEDS_READ, other = TLS_NEEDS_READ;
    while (one != TLS_DONE || other != TLS_DONE) {
        if (one != TLS_DONE)
            one = tls_handshake(&client->leg);
        carry(client, server, piece);
        if (other != TLS_DONE)
            other = tls_handshake(&server->leg);
        carry(server, client, piece);
        assert_true(one != TLS_FAILED && other != TLS_FAILED);
    }
}

static void open_both(struct side *client, struct side *server, size_t piece)
{
    open_side(client, true);
    open_side(server, false);
    shake_hands(client, server, piece);
    /* The server's tickets. */
    uint8_t byte;
    while (carry(server, client, piece) || client->to_read.size)
        assert_int_equal(leg_receive(&client->leg, &byte, 1), 0);
    client->reads = 0;
}

static char pattern_at(size_t index)
{
    return (char)(index * 7 + index / 251);
}

static void say(struct side *side, size_t size)
{
    char *text = malloc(size);
    assert_non_null(text);
    for (size_t i = 0; i < size; i++)
        text[i] = pattern_at(i);
    leg_write(&side->leg, text, size, 0);
    leg_flush(&side->leg);
    assert_int_equal(leg_pending(&side->leg), 0);
    free(text);
}

/* Reads what is there, `room` bytes at a time. Returns how much that is by now. */
static size_t read_all(struct side *side, size_t before, size_t room)
{
    uint8_t bytes[65536];
    size_t got = 1;
    while (got) {
        got = leg_receive(&side->leg, bytes, room);
        for (size_t i = 0; i < got; i++)
            assert_true((char)bytes[i] == pattern_at(before + i));
        before += got;
    }
    return before;
}

static void bytes_come_in_pieces(void **state)
{
    static const size_t sizes[] = {1, 100, 20000, 70000};
    static const size_t pieces[] = {1, 7, 4096, ALL};
    (void)state;
    for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
        struct side client, server;
        open_both(&client, &server, pieces[p]);
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            size_t got = 0;
            say(&server, sizes[i]);
            while (carry(&server, &client, pieces[p]))
                got = read_all(&client, got, 65536);
            assert_int_equal(got, sizes[i]);
        }
        close_side(&client);
        close_side(&server);
    }
}

static void a_record_costs_one_read(void **state)
{
    (void)state;
    struct side client, server;
    uint8_t bytes[1000];
    open_both(&client, &server, ALL);
    say(&server, 100);
    carry(&server, &client, ALL);
    assert_int_equal(leg_receive(&client.leg, bytes, sizeof bytes), 100);
    assert_int_equal(client.reads, 1);
    close_side(&client);
    close_side(&server);
}

/* It would be read again and again, without an end, until the rest has come. */
static void half_a_record_is_not_to_be_read(void **state)
{
    (void)state;
    struct side client, server;
    uint8_t bytes[1000];
    open_both(&client, &server, ALL);
    say(&server, 100);
    carry(&server, &client, server.sent.size - 1);
    assert_int_equal(leg_receive(&client.leg, bytes, sizeof bytes), 0);
    assert_false(leg_has_buffered(&client.leg));
    carry(&server, &client, 1);
    assert_int_equal(read_all(&client, 0, 1000), 100);
    assert_false(leg_has_buffered(&client.leg));
    close_side(&client);
    close_side(&server);
}

static void what_has_no_room_is_to_be_read(void **state)
{
    (void)state;
    struct side client, server;
    uint8_t bytes[1000];
    size_t got = 0;
    open_both(&client, &server, ALL);
    for (int i = 0; i < 20; i++)
        say(&server, 500); /* a record each */
    carry(&server, &client, ALL);
    do {
        assert_int_equal(leg_receive(&client.leg, bytes, sizeof bytes), sizeof bytes);
        got += sizeof bytes;
    } while (leg_has_buffered(&client.leg));
    assert_int_equal(got, 10000);
    close_side(&client);
    close_side(&server);
}

static void what_comes_with_the_end_of_a_handshake_is_to_be_read(void **state)
{
    (void)state;
    struct side client, server;
    open_side(&client, true);
    open_side(&server, false);
    assert_int_equal(tls_handshake(&client.leg), TLS_NEEDS_READ);
    carry(&client, &server, ALL);
    assert_int_equal(tls_handshake(&server.leg), TLS_NEEDS_READ);
    carry(&server, &client, ALL);
    assert_int_equal(tls_handshake(&client.leg), TLS_DONE);
    say(&client, 300);
    carry(&client, &server, ALL);
    assert_int_equal(tls_handshake(&server.leg), TLS_DONE);
    assert_int_equal(server.to_read.size, 0);
    assert_true(leg_has_buffered(&server.leg));
    assert_int_equal(read_all(&server, 0, 1000), 300);
    close_side(&client);
    close_side(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_come_in_pieces),
        cmocka_unit_test(a_record_costs_one_read),
        cmocka_unit_test(half_a_record_is_not_to_be_read),
        cmocka_unit_test(what_has_no_room_is_to_be_read),
        cmocka_unit_test(what_comes_with_the_end_of_a_handshake_is_to_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
