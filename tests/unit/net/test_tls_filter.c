/* SPDX-License-Identifier: Apache-2.0
 *
 * Two TLS filters, a client's and a server's, each over a peer in memory; the test carries between the two what
 * they send, whole, byte by byte and in other pieces. In the place of one a stranger, OpenSSL without a filter, does
 * what filters never do. */
#include <openssl/pem.h>
#include <openssl/ssl.h>
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
    bool is_full;   /* takes nothing */
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
    struct side *side = (struct side *)filter;
    (void)leg;
    if (side->is_full)
        return 0;
    strbuf_add(&side->sent, bytes, size);
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

/* ---- A stranger ---- */

struct stranger {
    SSL_CTX *context;
    SSL *ssl;
};

/* As the certificate that the side has, which is a server's. */
static void take_certificate(SSL_CTX *context, const struct side *server)
{
    struct strbuf chain = STRBUF_INIT, key = STRBUF_INIT;
    struct error error = {0};
    assert_int_equal(tls_context_export(server->context, &chain, &key, &error), 0);
    BIO *chain_bio = BIO_new_mem_buf(chain.data, (int)chain.size);
    BIO *key_bio = BIO_new_mem_buf(key.data, (int)key.size);
    X509 *certificate = PEM_read_bio_X509(chain_bio, NULL, NULL, NULL);
    EVP_PKEY *private_key = PEM_read_bio_PrivateKey(key_bio, NULL, NULL, NULL);
    assert_int_equal(SSL_CTX_use_certificate(context, certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, private_key), 1);
    X509_free(certificate);
    EVP_PKEY_free(private_key);
    BIO_free(chain_bio);
    BIO_free(key_bio);
    strbuf_release(&chain);
    strbuf_release(&key);
}

static void open_stranger(struct stranger *stranger, const struct side *server, int version)
{
    stranger->context = SSL_CTX_new(TLS_method());
    assert_non_null(stranger->context);
    SSL_CTX_set_max_proto_version(stranger->context, version);
    if (server)
        take_certificate(stranger->context, server);
    stranger->ssl = SSL_new(stranger->context);
    SSL_set_bio(stranger->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    if (server)
        SSL_set_accept_state(stranger->ssl);
    else
        SSL_set_connect_state(stranger->ssl);
}

static void close_stranger(struct stranger *stranger)
{
    SSL_free(stranger->ssl);
    SSL_CTX_free(stranger->context);
}

static void carry_both_ways(struct side *side, struct stranger *stranger)
{
    char bytes[4096];
    int got = 0;
    while ((got = BIO_read(SSL_get_wbio(stranger->ssl), bytes, sizeof bytes)) > 0)
        strbuf_add(&side->to_read, bytes, (size_t)got);
    BIO_write(SSL_get_rbio(stranger->ssl), side->sent.data, (int)side->sent.size);
    strbuf_reset(&side->sent);
}

static void know_each_other(struct side *side, struct stranger *stranger)
{
    enum tls_progress progress = TLS_NEEDS_READ;
    while (progress != TLS_DONE || !SSL_is_init_finished(stranger->ssl)) {
        if (progress != TLS_DONE)
            progress = tls_handshake(&side->leg);
        assert_int_not_equal(progress, TLS_FAILED);
        carry_both_ways(side, stranger);
        SSL_do_handshake(stranger->ssl);
        carry_both_ways(side, stranger);
    }
}

static void stranger_says(struct stranger *stranger, size_t size)
{
    char text[1000];
    for (size_t i = 0; i < size; i++)
        text[i] = pattern_at(i);
    assert_int_equal(SSL_write(stranger->ssl, text, (int)size), (int)size);
}

static void assert_stranger_reads(struct stranger *stranger, size_t size)
{
    char text[1000];
    assert_int_equal(SSL_read(stranger->ssl, text, sizeof text), (int)size);
    for (size_t i = 0; i < size; i++)
        assert_true(text[i] == pattern_at(i));
}

static void new_keys_go_with_the_data(void **state)
{
    (void)state;
    struct side server;
    struct stranger client;
    open_side(&server, false);
    open_stranger(&client, NULL, TLS1_3_VERSION);
    know_each_other(&server, &client);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(SSL_key_update(client.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        stranger_says(&client, 300);
        carry_both_ways(&server, &client);
        assert_int_equal(read_all(&server, 0, 100), 300);
        say(&server, 200);
        carry_both_ways(&server, &client);
        assert_stranger_reads(&client, 200);
    }
    close_stranger(&client);
    close_side(&server);
}

/* The answer to new keys comes before what is sent next, and nothing is read until it has gone. */
static void what_waits_behind_new_keys_is_to_be_read(void **state)
{
    (void)state;
    struct side server;
    struct stranger client;
    uint8_t bytes[100];
    open_side(&server, false);
    open_stranger(&client, NULL, TLS1_3_VERSION);
    know_each_other(&server, &client);
    assert_int_equal(SSL_key_update(client.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
    stranger_says(&client, sizeof bytes);
    stranger_says(&client, sizeof bytes);
    carry_both_ways(&server, &client);
    assert_int_equal(leg_receive(&server.leg, bytes, sizeof bytes), sizeof bytes);
    server.is_full = true;
    leg_write(&server.leg, "x", 1, 0);
    leg_flush(&server.leg);
    assert_int_equal(leg_pending(&server.leg), 1);
    assert_int_equal(leg_receive(&server.leg, bytes, sizeof bytes), 0);
    server.is_full = false;
    leg_flush(&server.leg);
    assert_int_equal(leg_pending(&server.leg), 0);
    assert_true(leg_has_buffered(&server.leg));
    assert_int_equal(leg_receive(&server.leg, bytes, sizeof bytes), sizeof bytes);
    close_stranger(&client);
    close_side(&server);
}

/* A handshake in the middle of a session could come with another certificate than the one that was looked at, and what
 * is to be sent would wait for what is to be read. */
static void nobody_negotiates_twice(void **state)
{
    (void)state;
    for (int is_client = 0; is_client < 2; is_client++) {
        struct side side, other;
        struct stranger stranger;
        open_side(&other, false);
        open_side(&side, is_client);
        open_stranger(&stranger, is_client ? &other : NULL, TLS1_2_VERSION);
        know_each_other(&side, &stranger);
        SSL_renegotiate(stranger.ssl);
        SSL_do_handshake(stranger.ssl);
        carry_both_ways(&side, &stranger);
        assert_int_equal(read_all(&side, 0, 1000), 0);
        assert_false(side.leg.failed);
        say(&side, 200);
        assert_true(side.sent.size < 1000); /* a warning and the data */
        assert_int_equal(side.sent.data[0], SSL3_RT_ALERT);
        close_stranger(&stranger);
        close_side(&side);
        close_side(&other);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_come_in_pieces),
        cmocka_unit_test(a_record_costs_one_read),
        cmocka_unit_test(half_a_record_is_not_to_be_read),
        cmocka_unit_test(what_has_no_room_is_to_be_read),
        cmocka_unit_test(what_comes_with_the_end_of_a_handshake_is_to_be_read),
        cmocka_unit_test(new_keys_go_with_the_data),
        cmocka_unit_test(what_waits_behind_new_keys_is_to_be_read),
        cmocka_unit_test(nobody_negotiates_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
