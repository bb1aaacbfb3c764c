/* SPDX-License-Identifier: Apache-2.0
 *
 * Exchanges that end otherwise than they usually do, and what a client library reports of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "script.h"

#define DEPRECATE_EOF WIRE_CAP(CLIENT_DEPRECATE_EOF)
#define QUIT          "C0 01   => [READY_FOR_COMMAND] SEND_COMMAND cmd=1, PACKET_SENT 0, DISCONNECTED\n"

/* ---- login ---- */

static void an_empty_packet_in_the_login_is_a_lost_connection(void **state)
{
    (void)state;
    expect_events(0, "GREETING\n"
                     "RESPONSE\n"
                     "S2   => READ_PACKET, DISCONNECTED\n");
}

static void an_error_without_a_text_is_an_error_of_the_client_too(void **state)
{
    (void)state;
    expect_events(0, "GREETING\n"
                     "RESPONSE\n"
                     "S2 ff 15 04   => READ_PACKET, PACKET_RECEIVED 3\n"
                     "              => [READY_FOR_COMMAND] ERROR 2000, DISCONNECTED\n");
    expect_events(0, "S0 ff 15 04   => [CONNECTING] CONNECTING, CONNECTED\n"
                     "              => [WAIT_FOR_INIT_PACKET] READ_PACKET, PACKET_RECEIVED 3\n"
                     "              => [READY_FOR_COMMAND] ERROR 2000, DISCONNECTED\n");
}

static void a_greeting_needs_a_whole_scramble(void **state)
{
    (void)state;
    /* A scramble of 11 bytes and a NUL after the reserved bytes, where 12 and a NUL belong. */
    expect_events(
        0, "S0 0a '5.7' 00 07 00 00 00 'abcdefgh' 00 00 82 08 02 00 08 00 15 10*00 'ijklmnopqrs' 00"
           " => [CONNECTING] CONNECTING, CONNECTED, [WAIT_FOR_INIT_PACKET] READ_PACKET\n"
           "   => PACKET_RECEIVED 48, ERROR 2027, DISCONNECTED\n");
}

static void after_fast_authentication_it_is_the_servers_turn(void **state)
{
    (void)state;
    expect_events(
        0, "GREETING\n"
           "RESPONSE\n"
           "S2 01 03   => READ_PACKET, PACKET_RECEIVED 2\n"
           "S3 00 00 00 02 00 00 00   => READ_PACKET, PACKET_RECEIVED 7, AUTHENTICATED\n" QUIT);
    expect_events(0, "GREETING\n"
                     "RESPONSE\n"
                     "S2 01 03   => READ_PACKET, PACKET_RECEIVED 2\n"
                     "END        => READ_PACKET, DISCONNECTED\n");
    expect_events(0, "GREETING\n"
                     "RESPONSE\n"
                     "S2 01 04   => READ_PACKET, PACKET_RECEIVED 2\n"
                     "END        => ERROR 2061, DISCONNECTED\n");
}

static void a_client_that_answered_waits_for_the_server(void **state)
{
    (void)state;
    expect_events(0, "GREETING\n"
                     "RESPONSE\n"
                     "S2 01 04   => READ_PACKET, PACKET_RECEIVED 2\n"
                     "C3 02      => SEND_AUTH_DATA 1, PACKET_SENT 1\n"
                     "END        => READ_PACKET, DISCONNECTED\n");
}

static void a_client_that_cannot_answer_has_an_error(void **state)
{
    (void)state;
    expect_events(0, "GREETING\n"
                     "END   => [AUTHENTICATE] ERROR 2026, DISCONNECTED\n");
    expect_events(WIRE_CAP(CLIENT_SSL), "GREETING\n"
                                        "END   => [AUTHENTICATE] ERROR 2059, DISCONNECTED\n");
    expect_events(0, "GREETING\n"
                     "RESPONSE\n"
                     "S2 fe 'mysql_clear_password' 00   => READ_PACKET, PACKET_RECEIVED 22\n"
                     "END   => ERROR 2059, DISCONNECTED\n");
}

static void a_whole_exchange_with_the_servers_key(void **state)
{
    (void)state;
    expect_events(
        0, "GREETING\n"
           "RESPONSE\n"
           "S2 fe 'caching_sha2_password' 00 20*61 00\n"
           "   => READ_PACKET, PACKET_RECEIVED 44, AUTH_PLUGIN caching_sha2_password\n"
           "C3 32*62   => SEND_AUTH_DATA 32, PACKET_SENT 32\n"
           "S4 01 04   => READ_PACKET, PACKET_RECEIVED 2\n"
           "C5 02      => SEND_AUTH_DATA 1, PACKET_SENT 1\n"
           "S6 01 '-----BEGIN PUBLIC KEY-----'   => READ_PACKET, PACKET_RECEIVED 27\n"
           "C7 256*63  => SEND_AUTH_DATA 256, PACKET_SENT 256\n"
           "S8 00 00 00 02 00 00 00   => READ_PACKET, PACKET_RECEIVED 7, AUTHENTICATED\n" QUIT);
}

static void a_second_switch_passes_for_the_end(void **state)
{
    (void)state;
    expect_events(0, "GREETING\n"
                     "RESPONSE\n"
                     "S2 fe 'mysql_native_password' 00 20*61 00\n"
                     "   => READ_PACKET, PACKET_RECEIVED 44, AUTH_PLUGIN mysql_native_password\n"
                     "C3 20*62   => SEND_AUTH_DATA 20, PACKET_SENT 20\n"
                     "S4 fe 'sha256_password' 00 20*61 00   => READ_PACKET, PACKET_RECEIVED 38\n"
                     "END        => AUTHENTICATED, DISCONNECTED\n");
}

static void a_bare_switch_is_not_followed(void **state)
{
    (void)state;
    expect_events(0, "GREETING\n"
                     "RESPONSE\n"
                     "S2 fe   => READ_PACKET, PACKET_RECEIVED 1\n"
                     "END     => ERROR 2027, DISCONNECTED\n");
}

/* ---- change of user ---- */

#define CHANGE_USER                                                                                \
    "C0 11 'eve' 00 00 00 ff 00 'caching_sha2_password' 00\n"                                      \
    "   => [READY_FOR_COMMAND] AUTH_PLUGIN caching_sha2_password\n"                                \
    "   => SEND_COMMAND cmd=17 30, PACKET_SENT 30\n"

static void a_change_of_user_that_fails_leaves_the_connection(void **state)
{
    (void)state;
    expect_events(
        0, "LOGIN\n" CHANGE_USER
           "S1 ff 15 04 '#28000no'   => [AUTHENTICATE] READ_PACKET, PACKET_RECEIVED 11\n" QUIT);
    expect_events(0, "LOGIN\n" CHANGE_USER
                     "S1 ff 15 04   => [AUTHENTICATE] READ_PACKET, PACKET_RECEIVED 3\n"
                     "              => [READY_FOR_COMMAND] ERROR 2000\n"
                     "C0 01   => SEND_COMMAND cmd=1, PACKET_SENT 0, DISCONNECTED\n");
}

static void a_method_that_the_client_lacks_ends_a_change_of_user(void **state)
{
    (void)state;
    expect_events(0, "LOGIN\n" CHANGE_USER
                     "S1 fe 'unknown' 00 20*61 00   => [AUTHENTICATE] READ_PACKET\n"
                     "                              => PACKET_RECEIVED 30\n" QUIT);
}

/* ---- files ---- */

static void a_file_that_the_client_refuses(void **state)
{
    (void)state;
    expect_events(0, "LOGIN\n"
                     "C0 03 'load'   => [READY_FOR_COMMAND] SEND_COMMAND cmd=3 4, PACKET_SENT 4\n"
                     "S1 fb 'file'   => [WAIT_FOR_RESULT] READ_PACKET, PACKET_RECEIVED 5\n" QUIT);
    expect_events(0, "LOGIN\n"
                     "C0 03 'load'   => [READY_FOR_COMMAND] SEND_COMMAND cmd=3 4, PACKET_SENT 4\n"
                     "S1 fb 'file'   => [WAIT_FOR_RESULT] READ_PACKET, PACKET_RECEIVED 5\n"
                     "C0 0e          => [READY_FOR_COMMAND] SEND_COMMAND cmd=14, PACKET_SENT 0\n"
                     "S1 00 00 00 02 00 00 00   => [WAIT_FOR_RESULT] READ_PACKET\n"
                     "                          => PACKET_RECEIVED 7\n" QUIT);
    expect_events(0, "LOGIN\n"
                     "C0 03 'load'   => [READY_FOR_COMMAND] SEND_COMMAND cmd=3 4, PACKET_SENT 4\n"
                     "S1 fb 'file'   => [WAIT_FOR_RESULT] READ_PACKET, PACKET_RECEIVED 5\n"
                     "END            => [FILE_REQUEST] DISCONNECTED\n");
}

/* ---- stages that outlast their reply ---- */

#define CHANGE_USER_IN(stage)                                                                      \
    "C0 11 'eve' 00 00 00 ff 00 'caching_sha2_password' 00\n"                                      \
    "   => " stage "AUTH_PLUGIN caching_sha2_password\n"                                           \
    "   => [READY_FOR_COMMAND] SEND_COMMAND cmd=17 30, PACKET_SENT 30\n"                           \
    "S1 00 00 00 02 00 00 00   => [AUTHENTICATE] READ_PACKET, PACKET_RECEIVED 7, AUTHENTICATED\n"

#define EXECUTE_WITH_CURSOR                                                                        \
    "C0 17 01 00 00 00 01 01 00 00 00\n"                                                           \
    "   => [READY_FOR_COMMAND] SEND_COMMAND cmd=23 hdr=9, PACKET_SENT 9\n"                         \
    "S1 01         => [WAIT_FOR_RESULT] READ_PACKET, PACKET_RECEIVED 1\n"                          \
    "S2 03 'def'   => [WAIT_FOR_FIELD_DEF] READ_PACKET, PACKET_RECEIVED 4\n"

static void an_open_cursor_leaves_the_client_waiting_for_rows(void **state)
{
    (void)state;
    expect_events(0, "LOGIN\n" EXECUTE_WITH_CURSOR
                     "S3 fe 00 00 42 00   => READ_PACKET, PACKET_RECEIVED 5\n"
                     "END   => [WAIT_FOR_ROW] DISCONNECTED\n");
    expect_events(DEPRECATE_EOF, "LOGIN\n" EXECUTE_WITH_CURSOR
                                 "S3 fe 00 00 42 00 00 00   => [WAIT_FOR_ROW] READ_PACKET, "
                                 "PACKET_RECEIVED 7\n" CHANGE_USER_IN("") QUIT);
    expect_events(DEPRECATE_EOF,
                  "LOGIN\n" EXECUTE_WITH_CURSOR
                  "S3 fe 00 00 42 00 00 00   => [WAIT_FOR_ROW] READ_PACKET, PACKET_RECEIVED 7\n"
                  "C0 1c 01 00 00 00 05 00 00 00\n"
                  "   => [READY_FOR_COMMAND] SEND_COMMAND cmd=28 hdr=8, PACKET_SENT 8\n"
                  "S1 fe 00 00 82 00 00 00   => [WAIT_FOR_ROW] READ_PACKET, PACKET_RECEIVED 7\n"
                  "END   => [READY_FOR_COMMAND] DISCONNECTED\n");
}

static void only_ok_and_err_make_a_client_ready_again(void **state)
{
    (void)state;
    expect_events(
        0, "LOGIN\n"
           "C0 09        => [READY_FOR_COMMAND] SEND_COMMAND cmd=9, PACKET_SENT 0\n"
           "S1 'Uptime'  => [WAIT_FOR_PACKET] READ_PACKET, PACKET_RECEIVED 6\n" CHANGE_USER_IN("")
               QUIT);
    expect_events(0, "LOGIN\n"
                     "C0 0d        => [READY_FOR_COMMAND] SEND_COMMAND cmd=13, PACKET_SENT 0\n"
                     "S1 fe 00 00 02 00   => [WAIT_FOR_RESULT] READ_PACKET, PACKET_RECEIVED 5\n"
                     "END          => DISCONNECTED\n");
    expect_events(0, "LOGIN\n"
                     "C0 0d        => [READY_FOR_COMMAND] SEND_COMMAND cmd=13, PACKET_SENT 0\n"
                     "S1 ff 28 04 '#42000no'   => [WAIT_FOR_RESULT] READ_PACKET\n"
                     "             => PACKET_RECEIVED 11\n"
                     "END          => [READY_FOR_COMMAND] DISCONNECTED\n");
}

/* ---- results without definitions ---- */

static void rows_without_definitions(void **state)
{
    (void)state;
    expect_events(
        DEPRECATE_EOF | WIRE_CAP(CLIENT_OPTIONAL_RESULTSET_METADATA),
        "LOGIN\n"
        "C0 03 'x'    => [READY_FOR_COMMAND] SEND_COMMAND cmd=3 1, PACKET_SENT 1\n"
        "S1 02 00     => [WAIT_FOR_RESULT] READ_PACKET, PACKET_RECEIVED 2\n"
        "S2 01 31 fb  => [WAIT_FOR_ROW] READ_PACKET, PACKET_RECEIVED 3\n"
        "S3 fe 00 00 02 00 00 00   => READ_PACKET, PACKET_RECEIVED 7\n"
        "C0 16 'x'    => [READY_FOR_COMMAND] SEND_COMMAND cmd=22 1, PACKET_SENT 1\n"
        "S1 00 01 00 00 00 02 00 01 00 00 00 00 00\n"
        "             => [WAIT_FOR_PS_DESCRIPTION] READ_PACKET, PACKET_RECEIVED 13\n" QUIT);
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_packet_in_the_login_is_a_lost_connection),
        TEST(an_error_without_a_text_is_an_error_of_the_client_too),
        TEST(a_greeting_needs_a_whole_scramble),
        TEST(after_fast_authentication_it_is_the_servers_turn),
        TEST(a_client_that_answered_waits_for_the_server),
        TEST(a_client_that_cannot_answer_has_an_error),
        TEST(a_whole_exchange_with_the_servers_key),
        TEST(a_second_switch_passes_for_the_end),
        TEST(a_bare_switch_is_not_followed),
        TEST(a_change_of_user_that_fails_leaves_the_connection),
        TEST(a_method_that_the_client_lacks_ends_a_change_of_user),
        TEST(a_file_that_the_client_refuses),
        TEST(an_open_cursor_leaves_the_client_waiting_for_rows),
        TEST(only_ok_and_err_make_a_client_ready_again),
        TEST(rows_without_definitions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
