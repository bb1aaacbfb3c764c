/* SPDX-License-Identifier: Apache-2.0
 *
 * The conversation of a probe: each case is what a server sends, fed whole and byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "gateway/upstream/greeting.h"

#define CAPABILITIES                                                                               \
    (WIRE_CAP(CLIENT_MYSQL) | WIRE_CAP(CLIENT_PROTOCOL_41) | WIRE_CAP(CLIENT_SECURE_CONNECTION) |  \
     WIRE_CAP(CLIENT_PLUGIN_AUTH) | WIRE_CAP(CLIENT_DEPRECATE_EOF))

static void add_greeting(struct strbuf *out, const char *version)
{
    struct wire_writer writer = wire_writer_to(out, 0);
    struct wire_greeting greeting = {
        .server_version = wire_text(version),
        .connection_id = 7,
        .scramble1 = wire_text("abcdefgh"),
        .scramble2 = wire_text("ijklmnopqrst"),
        .capabilities = CAPABILITIES,
        .charset = 45,
        .plugin = wire_text("mysql_native_password"),
    };
    wire_encode_greeting(&writer, &greeting);
}

static void add_error(struct strbuf *out, uint8_t sequence, const char *message)
{
    struct wire_writer writer = wire_writer_to(out, sequence);
    struct wire_err err = {.code = 1045, .sqlstate = "28000", .message = wire_text(message)};
    wire_encode_err(&writer, CAPABILITIES, &err);
}

static void add_auth_switch(struct strbuf *out, uint8_t sequence)
{
    struct wire_writer writer = wire_writer_to(out, sequence);
    struct wire_auth_switch request = {wire_text("mysql_native_password"), wire_text("12345")};
    wire_encode_auth_switch(&writer, &request);
}

/* Feeds `step_bytes` at a time until it is over. */
static enum greeting_step feed(struct greeting *greeting, const struct strbuf *server,
                               size_t step_bytes, struct strbuf *out, struct error *error)
{
    enum greeting_step step = GREETING_MORE;
    greeting_init(greeting, false);
    for (size_t at = 0; at < server->size && step == GREETING_MORE; at += step_bytes) {
        size_t size = step_bytes < server->size - at ? step_bytes : server->size - at;
        step = greeting_feed(greeting, (const uint8_t *)server->data + at, size, out, "tcp://x",
                             error);
    }
    greeting_release(greeting);
    return step;
}

/* What a probe sends after a greeting that is complete: an unknown user, without a password. */
static void is_an_unknown_user(const struct strbuf *out, size_t *size)
{
    const uint8_t *bytes = (const uint8_t *)out->data;
    assert_true(out->size > WIRE_HEADER_BYTES);
    *size = WIRE_HEADER_BYTES + wire_frame_length(bytes);
    assert_true(out->size >= *size);
    assert_int_equal(bytes[3], 1);
    struct wire_handshake_response hello;
    assert_true(wire_decode_handshake_response(bytes + WIRE_HEADER_BYTES, *size - WIRE_HEADER_BYTES,
                                               &hello));
    assert_memory_equal(hello.user.data, "weir-probe", hello.user.size);
    assert_int_equal(hello.auth_response.size, 0);
}

static void a_greeting_becomes_a_profile(void **state)
{
    (void)state;
    for (int asks = 0; asks < 2; asks++) {
        struct strbuf server = STRBUF_INIT;
        add_greeting(&server, "10.11.6-MariaDB");
        if (asks)
            add_auth_switch(&server, 2);
        add_error(&server, asks ? 4 : 2, "Access denied");
        for (size_t step = 1; step <= server.size; step++) {
            struct greeting greeting;
            struct strbuf out = STRBUF_INIT;
            struct error error = {""};
            size_t hello = 0;
            assert_int_equal(feed(&greeting, &server, step, &out, &error), GREETING_DONE);
            assert_string_equal(error.message, "");
            assert_string_equal(greeting.profile.version, "10.11.6-MariaDB");
            assert_int_equal(greeting.profile.capabilities, CAPABILITIES);
            assert_int_equal(greeting.profile.charset, 45);
            is_an_unknown_user(&out, &hello);
            assert_int_equal(out.size - hello, asks ? WIRE_HEADER_BYTES : 0);
            if (asks)
                assert_memory_equal(out.data + hello, "\0\0\0\3", 4); /* no password */
            strbuf_release(&out);
        }
        strbuf_release(&server);
    }
}

static void what_comes_after_the_greeting_cannot_fail(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
    } rows[] = {
        {"\1\0\0\2\0", 5},                 /* a broken OK: it lets an unknown user in */
        {"\7\0\0\2\0\0\0\2\0\0\0", 11},    /* an OK */
        {"\1\0\0\7\xff", 5},               /* a wrong sequence number */
        {"\2\0\0\2\1x", 6},                /* it wants something that the probe does not have */
        {"\1\0\0\2\xff", 5},               /* an ERR that is malformed */
        {"HTTP/1.1 400 Bad Request\n", 25} /* ... */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct greeting greeting;
        struct strbuf server = STRBUF_INIT, out = STRBUF_INIT;
        struct error error = {""};
        add_greeting(&server, "8.0.36");
        strbuf_add(&server, rows[i].bytes, rows[i].size);
        assert_int_equal(feed(&greeting, &server, server.size, &out, &error), GREETING_DONE);
        assert_string_equal(error.message, "");
        assert_string_equal(greeting.profile.version, "8.0.36");
        strbuf_release(&out);
        strbuf_release(&server);
    }
}

static void a_server_that_refuses_is_quoted(void **state)
{
    (void)state;
    struct strbuf server = STRBUF_INIT;
    add_error(&server, 0, "Too many\n2026-01-31 error gateway: connections");
    for (size_t step = 1; step <= server.size; step++) {
        struct greeting greeting;
        struct strbuf out = STRBUF_INIT;
        struct error error = {""};
        assert_int_equal(feed(&greeting, &server, step, &out, &error), GREETING_FAILED);
        assert_string_equal(error.message, "backend tcp://x: it says: \"Too many\\u000a2026-01-31 "
                                           "error gateway: connections\"");
        assert_int_equal(out.size, 0);
        strbuf_release(&out);
    }
    strbuf_release(&server);
}

/* The complaint has the header's number, so that the tracker does not take it for an answer. */
static void a_server_that_takes_no_proxy_header_says_so(void **state)
{
    (void)state;
    static const struct {
        uint16_t code;
        uint8_t sequence;
        const char *message, *expected;
    } cases[] = {
        {1130, 0, "Proxy header is not accepted from 10.0.0.1",
         "Proxy header is not accepted from 10.0.0.1"},
        {1130, 2, "Proxy header is not accepted from 10.0.0.1",
         "Proxy header is not accepted from 10.0.0.1"},
        {1156, 11, "Got packets out of order", "Got packets out of order"},
        {1043, 2, "Bad handshake", "Bad handshake"},
        {1130, 2, "Host '10.0.0.1' is not allowed to connect", ""},
        {1045, 2, "Access denied for user 'weir-probe'", ""},
        {1053, 0, "Server shutdown in progress", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct strbuf server = STRBUF_INIT;
        add_greeting(&server, "10.11.6-MariaDB");
        const size_t greeting_bytes = server.size;
        struct wire_writer writer = wire_writer_to(&server, cases[i].sequence);
        struct wire_err err = {
            .code = cases[i].code, .sqlstate = "HY000", .message = wire_text(cases[i].message)};
        wire_encode_err(&writer, CAPABILITIES, &err);
        for (int together = 0; together < 2; together++) {
            struct greeting greeting;
            struct strbuf out = STRBUF_INIT;
            struct error error = {""};
            size_t first = together ? server.size : greeting_bytes;
            greeting_init(&greeting, false);
            enum greeting_step step = greeting_feed(&greeting, (const uint8_t *)server.data, first,
                                                    &out, "tcp://x", &error);
            if (step == GREETING_MORE)
                step = greeting_feed(&greeting, (const uint8_t *)server.data + first,
                                     server.size - first, &out, "tcp://x", &error);
            assert_true(greeting.has_profile);
            assert_string_equal(greeting.header_refused, cases[i].expected);
            greeting_release(&greeting);
            strbuf_release(&out);
        }
        strbuf_release(&server);
    }
}

static void another_protocol_is_a_clear_error(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
    } rows[] = {
        {"HTTP/1.1 400 Bad Request\n", 25},
        {"\1\0\0\0\x0a", 5},            /* a greeting that ends after its first byte */
        {"\2\0\0\0\x09\0", 6},          /* a version of the protocol that is history */
        {"\7\0\0\0\0\0\0\2\0\0\0", 11}, /* an OK */
        {"\0\0\0\0", 4},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t step = 1; step <= rows[i].size; step++) {
            struct greeting greeting;
            struct strbuf server = STRBUF_INIT, out = STRBUF_INIT;
            struct error error = {""};
            strbuf_add(&server, rows[i].bytes, rows[i].size);
            assert_int_equal(feed(&greeting, &server, step, &out, &error), GREETING_FAILED);
            assert_string_equal(error.message,
                                "backend tcp://x: it does not speak the MySQL protocol");
            strbuf_release(&out);
            strbuf_release(&server);
        }
    }
}

static void a_long_version_is_cut(void **state)
{
    (void)state;
    char version[1000];
    struct greeting greeting;
    struct strbuf server = STRBUF_INIT, out = STRBUF_INIT;
    memset(version, 'v', sizeof version);
    version[sizeof version - 1] = 0;
    add_greeting(&server, version);
    add_error(&server, 2, "Access denied");
    assert_int_equal(feed(&greeting, &server, 100, &out, NULL), GREETING_DONE);
    assert_int_equal(strlen(greeting.profile.version), sizeof greeting.profile.version - 1);
    strbuf_release(&out);
    strbuf_release(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_greeting_becomes_a_profile),
        cmocka_unit_test(what_comes_after_the_greeting_cannot_fail),
        cmocka_unit_test(a_server_that_refuses_is_quoted),
        cmocka_unit_test(a_server_that_takes_no_proxy_header_says_so),
        cmocka_unit_test(another_protocol_is_a_clear_error),
        cmocka_unit_test(a_long_version_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
