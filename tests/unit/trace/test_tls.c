/* SPDX-License-Identifier: Apache-2.0
 *
 * TLS connections that OpenSSL makes in memory, read with the key log of their client: whole, byte by
 * byte, and with the directions in disorder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "trace/tls/trace_tls.h"

enum { PIECES_MOST = 4096 };

struct piece {
    enum wire_direction direction;
    size_t size;
    uint8_t *bytes;
};

/* A recorded connection, and its key log's file. */
static struct piece pieces[PIECES_MOST];
static size_t piece_count;
static char keylog_path[] = "/tmp/weir-test-keylog-XXXXXX";
static int keylog_file = -1;

static struct strbuf said = STRBUF_INIT; /* "C:text " and "S:text " */

static void on_key(const SSL *ssl, const char *line)
{
    (void)ssl;
    assert_true(dprintf(keylog_file, "%s\n", line) > 0);
}

static void on_plain(void *context, enum wire_direction direction, const uint8_t *bytes,
                     size_t size)
{
    static enum wire_direction last;
    assert_ptr_equal(context, &said);
    if (said.size == 0 || direction != last)
        strbuf_printf(&said, "%s%c:", said.size ? " " : "",
                      direction == WIRE_FROM_CLIENT ? 'C' : 'S');
    last = direction;
    strbuf_add(&said, bytes, size);
}

/* ---- the connection ---- */

struct ends {
    SSL_CTX *contexts[2];
    SSL *ssl[2];
};

static void set_certificate(SSL_CTX *context)
{
    EVP_PKEY *key = EVP_RSA_gen(2048);
    X509 *certificate = X509_new();
    assert_true(key && certificate);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    assert_int_equal(SSL_CTX_use_certificate(context, certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static struct ends open_ends(int version, const char *cipher, const char *server_groups)
{
    struct ends ends = {{SSL_CTX_new(TLS_client_method()), SSL_CTX_new(TLS_server_method())},
                        {NULL, NULL}};
    set_certificate(ends.contexts[1]);
    for (int i = 0; i < 2; i++) {
        SSL_CTX *context = ends.contexts[i];
        SSL_CTX_set_min_proto_version(context, version);
        SSL_CTX_set_max_proto_version(context, version);
        SSL_CTX_set_security_level(context, 0);
        if (version == TLS1_3_VERSION)
            assert_int_equal(SSL_CTX_set_ciphersuites(context, cipher), 1);
        else
            assert_int_equal(SSL_CTX_set_cipher_list(context, cipher), 1);
    }
    if (server_groups)
        assert_int_equal(SSL_CTX_set1_groups_list(ends.contexts[1], server_groups), 1);
    SSL_CTX_set_keylog_callback(ends.contexts[0], on_key);
    for (int i = 0; i < 2; i++) {
        ends.ssl[i] = SSL_new(ends.contexts[i]);
        SSL_set_bio(ends.ssl[i], BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    }
    SSL_set_connect_state(ends.ssl[0]);
    SSL_set_accept_state(ends.ssl[1]);
    return ends;
}

static void close_ends(struct ends *ends)
{
    for (int i = 0; i < 2; i++) {
        SSL_free(ends->ssl[i]);
        SSL_CTX_free(ends->contexts[i]);
    }
}

/* Records what one end has written, and gives it to the other. Returns false if that is nothing. */
static bool carry(struct ends *ends, int from)
{
    uint8_t buffer[65536];
    int size = BIO_read(SSL_get_wbio(ends->ssl[from]), buffer, sizeof buffer);
    if (size <= 0)
        return false;
    assert_true(piece_count < PIECES_MOST);
    struct piece *piece = &pieces[piece_count++];
    *piece = (struct piece){from ? WIRE_FROM_SERVER : WIRE_FROM_CLIENT, (size_t)size,
                            malloc((size_t)size)};
    memcpy(piece->bytes, buffer, (size_t)size);
    assert_int_equal(BIO_write(SSL_get_rbio(ends->ssl[!from]), buffer, size), size);
    return true;
}

static void shake_hands(struct ends *ends)
{
    for (int turn = 0; turn < 20; turn++) {
        SSL_do_handshake(ends->ssl[turn % 2]);
        carry(ends, turn % 2);
    }
    assert_true(SSL_is_init_finished(ends->ssl[0]) && SSL_is_init_finished(ends->ssl[1]));
}

static void say(struct ends *ends, int from, const char *text)
{
    char buffer[65536];
    assert_int_equal(SSL_write(ends->ssl[from], text, (int)strlen(text)), strlen(text));
    while (carry(ends, from))
        ;
    size_t got = 0;
    int size;
    while ((size = SSL_read(ends->ssl[!from], buffer, sizeof buffer)) > 0)
        got += (size_t)size;
    assert_int_equal(got, strlen(text));
}

static void begin_recording(void)
{
    piece_count = 0;
    memcpy(keylog_path + strlen(keylog_path) - 6, "XXXXXX", 6);
    keylog_file = mkstemp(keylog_path);
    assert_true(keylog_file >= 0);
}

/* Where WEIR_CORPUS_DIR is set, each recording is written there as an input of fuzz_tls. */
static void write_corpus(void)
{
    static unsigned number;
    char path[256], keys[4096];
    const char *folder = getenv("WEIR_CORPUS_DIR");
    ssize_t size = pread(keylog_file, keys, sizeof keys, 0);
    assert_true(size >= 0 && (size_t)size < sizeof keys);
    if (!folder)
        return;
    snprintf(path, sizeof path, "%s/connection-%u", folder, number++);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fprintf(out, "%c%c%.*s", (int)size & 0xff, (int)size >> 8, (int)size, keys);
    for (size_t i = 0; i < piece_count && pieces[i].size < 4096; i++) {
        fprintf(out, "%c%c%c", pieces[i].direction, (int)pieces[i].size & 0xff,
                (int)pieces[i].size >> 8);
        fwrite(pieces[i].bytes, 1, pieces[i].size, out);
    }
    fclose(out);
}

static void end_recording(void)
{
    write_corpus();
    for (size_t i = 0; i < piece_count; i++)
        free(pieces[i].bytes);
    close(keylog_file);
    unlink(keylog_path);
}

/* ---- reading it ---- */

/* Reads the recording in pieces of at most `most` bytes. */
static void read_all(size_t most, bool with_keys, const char *expected, const char *problem)
{
    struct error error = {""};
    struct keylog *keylog = with_keys ? keylog_open(keylog_path, &error) : NULL;
    struct tls_reader *reader = tls_reader_new(keylog, on_plain, &said);
    strbuf_reset(&said);
    for (size_t i = 0; i < piece_count; i++)
        for (size_t at = 0; at < pieces[i].size; at += most) {
            size_t left = pieces[i].size - at;
            tls_reader_bytes(reader, pieces[i].direction, pieces[i].bytes + at,
                             left < most ? left : most);
        }
    tls_reader_end(reader);
    if (problem) {
        assert_non_null(tls_reader_problem(reader));
        assert_non_null(strstr(tls_reader_problem(reader), problem));
    } else if (tls_reader_problem(reader)) {
        fail_msg("%s", tls_reader_problem(reader));
    }
    assert_string_equal(said.data, expected);
    tls_reader_free(reader);
    keylog_close(keylog);
    strbuf_release(&said);
}

static void check(const char *expected, const char *problem)
{
    read_all(SIZE_MAX, true, expected, problem);
    read_all(1, true, expected, problem);
    read_all(7, true, expected, problem);
}

static void every_suite_is_read(void **state)
{
    static const struct {
        int version;
        const char *cipher;
    } cases[] = {
        {TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256"},
        {TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384"},
        {TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256"},
        {TLS1_2_VERSION, "ECDHE-RSA-AES128-GCM-SHA256"},
        {TLS1_2_VERSION, "ECDHE-RSA-AES256-GCM-SHA384"},
        {TLS1_2_VERSION, "ECDHE-RSA-CHACHA20-POLY1305"},
        {TLS1_2_VERSION, "AES128-GCM-SHA256"},
        {TLS1_2_VERSION, "AES256-GCM-SHA384"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin_recording();
        struct ends ends = open_ends(cases[i].version, cases[i].cipher, NULL);
        shake_hands(&ends);
        say(&ends, 0, "hello");
        say(&ends, 1, "yes");
        say(&ends, 1, ", and more");
        say(&ends, 0, "bye");
        close_ends(&ends);
        check("C:hello S:yes, and more C:bye", NULL);
        read_all(SIZE_MAX, false, "", "there is no key log");
        end_recording();
    }
}

static void other_suites_and_versions_are_named(void **state)
{
    (void)state;
    begin_recording();
    struct ends ends = open_ends(TLS1_2_VERSION, "AES128-SHA", NULL);
    shake_hands(&ends);
    say(&ends, 0, "hello");
    close_ends(&ends);
    check("", "the cipher suite 002f can't be read");
    end_recording();
}

static void keys_that_change_are_followed(void **state)
{
    (void)state;
    begin_recording();
    struct ends ends = open_ends(TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384", NULL);
    shake_hands(&ends);
    say(&ends, 0, "one");
    assert_int_equal(SSL_key_update(ends.ssl[0], SSL_KEY_UPDATE_REQUESTED), 1);
    say(&ends, 0, "two");
    say(&ends, 1, "three");
    assert_int_equal(SSL_key_update(ends.ssl[1], SSL_KEY_UPDATE_NOT_REQUESTED), 1);
    say(&ends, 1, "four");
    close_ends(&ends);
    check("C:onetwo S:threefour", NULL);
    end_recording();
}

static void a_second_hello_is_followed(void **state)
{
    (void)state;
    begin_recording();
    struct ends ends = open_ends(TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256", "secp521r1");
    shake_hands(&ends);
    say(&ends, 0, "hello");
    close_ends(&ends);
    check("C:hello", NULL);
    end_recording();
}

static void long_texts_are_many_records(void **state)
{
    static char text[60001];
    static char expected[60003];
    (void)state;
    memset(text, 'x', sizeof text - 1);
    memcpy(expected, "S:", 2);
    memcpy(expected + 2, text, sizeof text);
    begin_recording();
    struct ends ends = open_ends(TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256", NULL);
    shake_hands(&ends);
    say(&ends, 1, text);
    close_ends(&ends);
    check(expected, NULL);
    end_recording();
}

/* A client that is captured live: its secrets come later than what they are for. */
static void secrets_may_come_later(void **state)
{
    static char lines[4096];
    (void)state;
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        begin_recording();
        struct ends ends = open_ends(version,
                                     version == TLS1_2_VERSION ? "ECDHE-RSA-AES128-GCM-SHA256"
                                                               : "TLS_AES_128_GCM_SHA256",
                                     NULL);
        shake_hands(&ends);
        say(&ends, 0, "one");
        say(&ends, 1, "two");
        say(&ends, 0, "three");
        close_ends(&ends);
        ssize_t size = pread(keylog_file, lines, sizeof lines, 0);
        assert_true(size > 0);
        for (size_t late = 0; late <= piece_count; late++) {
            struct error error = {""};
            assert_int_equal(ftruncate(keylog_file, 0), 0);
            struct keylog *keylog = keylog_open(keylog_path, &error);
            struct tls_reader *reader = tls_reader_new(keylog, on_plain, &said);
            for (size_t i = 0; i < piece_count; i++) {
                if (i == late)
                    assert_int_equal(pwrite(keylog_file, lines, (size_t)size, 0), size);
                tls_reader_bytes(reader, pieces[i].direction, pieces[i].bytes, pieces[i].size);
            }
            if (late == piece_count)
                assert_int_equal(pwrite(keylog_file, lines, (size_t)size, 0), size);
            tls_reader_end(reader);
            assert_null(tls_reader_problem(reader));
            assert_string_equal(said.data, "C:one S:two C:three");
            tls_reader_free(reader);
            keylog_close(keylog);
            strbuf_release(&said);
        }
        end_recording();
    }
}

/* The reply of the server is captured before what it replies to. */
static void directions_in_disorder(void **state)
{
    (void)state;
    begin_recording();
    struct ends ends = open_ends(TLS1_2_VERSION, "ECDHE-RSA-AES128-GCM-SHA256", NULL);
    shake_hands(&ends);
    say(&ends, 0, "hello");
    close_ends(&ends);
    size_t server = 0;
    while (pieces[server].direction != WIRE_FROM_SERVER)
        server++;
    assert_int_equal(pieces[server + 1].direction, WIRE_FROM_CLIENT);
    struct piece moved = pieces[server];
    pieces[server] = pieces[server + 1];
    pieces[server + 1] = moved;
    read_all(SIZE_MAX, true, "C:hello", NULL);
    end_recording();
}

static void damage_is_no_plaintext(void **state)
{
    (void)state;
    begin_recording();
    struct ends ends = open_ends(TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256", NULL);
    shake_hands(&ends);
    say(&ends, 0, "hello");
    close_ends(&ends);
    pieces[piece_count - 1].bytes[8] ^= 1;
    check("", "does not fit its key");
    pieces[0].bytes[0] = 'G';
    check("", "not TLS");
    end_recording();
}

/* It was followed by a key of no cipher suite. Found by fuzzing. */
static void only_tls_1_3_asks_for_a_second_hello(void **state)
{
    static const uint8_t client[] = {22, 3, 1, 0, 38, 1, 0, 0, 34, 3, 3};
    static const uint8_t server[] = {
        22,   3,    3,    0,    42,   2,    0,    0,    38,   3,    3,    0xcf, 0x21, 0xad,
        0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2,
        0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33,
        0x9c, 0,    0xc0, 0x2f, 0,    20,   3,    3,    0,    1,    1};
    uint8_t hello[43] = {0};
    (void)state;
    memcpy(hello, client, sizeof client);
    struct tls_reader *reader = tls_reader_new(NULL, on_plain, &said);
    tls_reader_bytes(reader, WIRE_FROM_CLIENT, hello, sizeof hello);
    tls_reader_bytes(reader, WIRE_FROM_SERVER, server, sizeof server);
    assert_string_equal(tls_reader_problem(reader), "the ServerHello is damaged");
    tls_reader_free(reader);
}

static void a_key_log_grows(void **state)
{
    static const char line[] = "CLIENT_RANDOM 00112233445566778899aabbccddeeff"
                               "00112233445566778899aabbccddeeff ";
    struct keylog_secret secret;
    struct error error = {""};
    uint8_t random[KEYLOG_RANDOM_BYTES];
    (void)state;
    for (unsigned i = 0; i < sizeof random; i++)
        random[i] = (uint8_t)(i % 16 * 0x11);
    begin_recording();
    assert_true(dprintf(keylog_file, "# a comment\n\nCLIENT_RANDOM 12 34\nOTHER 12 34\n%s", line) >
                0);
    struct keylog *keylog = keylog_open(keylog_path, &error);
    assert_non_null(keylog);
    assert_false(keylog_find(keylog, KEYLOG_MASTER, random, &secret));
    for (int i = 0; i < 47; i++)
        assert_true(dprintf(keylog_file, "0a") > 0);
    assert_false(keylog_find(keylog, KEYLOG_MASTER, random, &secret));
    assert_true(dprintf(keylog_file, "0a\n") > 0);
    assert_true(keylog_find(keylog, KEYLOG_MASTER, random, &secret));
    assert_int_equal(secret.size, 48);
    assert_int_equal(secret.bytes[47], 10);
    assert_false(keylog_find(keylog, KEYLOG_CLIENT_DATA, random, &secret));
    keylog_close(keylog);
    assert_null(keylog_open("/nowhere/keys", &error));
    assert_string_equal(error.message, "key log /nowhere/keys: No such file or directory");
    end_recording();
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_suite_is_read),
        TEST(other_suites_and_versions_are_named),
        TEST(keys_that_change_are_followed),
        TEST(a_second_hello_is_followed),
        TEST(long_texts_are_many_records),
        TEST(secrets_may_come_later),
        TEST(directions_in_disorder),
        TEST(damage_is_no_plaintext),
        TEST(only_tls_1_3_asks_for_a_second_hello),
        TEST(a_key_log_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
