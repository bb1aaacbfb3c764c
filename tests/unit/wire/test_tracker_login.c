/* SPDX-License-Identifier: Apache-2.0
 *
 * Logins, changes of user and LOCAL INFILE: exchanges in which the client answers the server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "conversation.h"

/* Greetings with capabilities low, high and MariaDB's: PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH
 * ... */
#define GREETING_OF(low, high, mariadb)                                                            \
    "0a '10.11' 00 07 00 00 00 'abcdefgh' 00 " low " 2d 02 00 " high " 15 6*00 " mariadb           \
    " 'ijklmnopqrst' 00 'mysql_native_password' 00"
#define GREETING       GREETING_OF("fe f7", "ff 81", "1d 00 00 00")
#define PLAIN_GREETING GREETING_OF("00 82", "08 00", "00 00 00 00")

#define RESPONSE "00 82 08 00 00 00 00 01 2d 23*00 'bob' 00 00 'mysql_native_password' 00"

/* What those that are answered below settle on. */
#define CLASSIC_LOGIN                                                                              \
    (WIRE_CAP(CLIENT_PROTOCOL_41) | WIRE_CAP(CLIENT_SECURE_CONNECTION) |                           \
     WIRE_CAP(CLIENT_PLUGIN_AUTH))

#define OK "00 00 00 02 00 00 00"

static void a_login_that_is_accepted_at_once(void **state)
{
    (void)state;
    converse(&(struct conversation){.login = true,
                                    .lines = "S0 " GREETING "        => greeting\n"
                                             "C1 " RESPONSE "        => handshake_response\n"
                                             "S2 " OK "              => ok .\n"
                                             "C0 0e                  => command Ping\n"
                                             "S1 " OK "              => ok Ping .\n"});
}

static void a_login_with_tls_goes_on_in_plaintext(void **state)
{
    (void)state;
    converse(&(struct conversation){
        .login = true,
        .lines = "S0 " GREETING "                              => greeting\n"
                 "C1 00 8a 08 00 00 00 00 01 2d 23*00          => ssl_request\n"
                 "C2 00 8a 08 00 00 00 00 01 2d 23*00 'bob' 00 00 'x' 00 => handshake_response\n"
                 "S3 " OK "                                    => ok .\n"});
}

static void a_login_with_a_switch_and_more_data(void **state)
{
    (void)state;
    converse(&(struct conversation){.login = true,
                                    .lines =
                                        "S0 " GREETING "                 => greeting\n"
                                        "C1 " RESPONSE "                 => handshake_response\n"
                                        "S2 fe 'caching_sha2_password' 00 20*41 00 => auth_switch\n"
                                        "C3 32*11                        => auth_data\n"
                                        "S4 01 04                        => auth_more\n"
                                        "C5 02                           => auth_data\n"
                                        "S6 01 'key'                     => auth_more\n"
                                        "C7 256*22                       => auth_data\n"
                                        "S8 'bare question'              => auth_more\n"
                                        "C9                              => auth_data\n"
                                        "S10 01 03                       => auth_more\n"
                                        "S11 " OK "                      => ok .\n"
                                        "C0 01                           => command Quit\n"});
}

static void a_login_that_is_refused(void **state)
{
    (void)state;
    converse(&(struct conversation){
        .login = true,
        .lines = "S0 " GREETING "                     => greeting\n"
                 "C1 " RESPONSE "                     => handshake_response\n"
                 "S2 fe                               => auth_switch\n"
                 "C3 8*11 00                          => auth_data\n"
                 "S4 ff 15 04 '#28000Access denied'   => err .\n",
        .results = "rows=0 affected=0 id=0 status=0002 warnings=0 error=1045/28000 'Access "
                   "denied'\n"});
}

static void an_error_in_place_of_the_greeting(void **state)
{
    (void)state;
    converse(&(struct conversation){
        .login = true,
        .lines = "S0 ff 10 04 'Too many connections'  => err .\n",
        .results = "rows=0 affected=0 id=0 status=0000 warnings=0 error=1040/HY000 'Too many "
                   "connections'\n"});
}

static void a_client_of_the_old_protocol(void **state)
{
    (void)state;
    converse(&(struct conversation){.login = true,
                                    .lines =
                                        "S0 " GREETING "              => greeting\n"
                                        "C1 05 24 00 00 00 'bob' 00   => handshake_response\n"
                                        "S2 00 00 00 02 00            => ok .\n"
                                        "C0 03 'x'                    => command Query\n"
                                        "S1 01                        => column_count Query\n"
                                        "S2 03 't'                    => column_definition Query\n"
                                        "S3 fe                        => eof Query\n"
                                        "S4 01 '1'                    => row Query\n"
                                        "S5 fe                        => eof Query .\n"});
}

/* Only what both sides have counts, and MariaDB's part only when both leave CLIENT_MYSQL clear. */
static void capabilities_are_those_of_both_sides(void **state)
{
    (void)state;
    static const struct {
        const char *greeting, *response;
        uint64_t both;
    } cases[] = {
        {GREETING, "00 82 08 01 00 00 00 01 2d 19*00 14 00 00 00 'bob' 00 00 'x' 00",
         CLASSIC_LOGIN | WIRE_CAP(CLIENT_DEPRECATE_EOF) |
             WIRE_CAP(MARIADB_CLIENT_STMT_BULK_OPERATIONS) |
             WIRE_CAP(MARIADB_CLIENT_CACHE_METADATA)},
        {GREETING, "01 82 08 01 00 00 00 01 2d 19*00 14 00 00 00 'bob' 00 00 'x' 00",
         CLASSIC_LOGIN | WIRE_CAP(CLIENT_DEPRECATE_EOF)},
        {PLAIN_GREETING, "00 82 08 01 00 00 00 01 2d 19*00 14 00 00 00 'bob' 00 00 'x' 00",
         CLASSIC_LOGIN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct wire_tracker tracker;
        struct wire_packet packet;
        struct strbuf bytes = STRBUF_INIT;
        struct wire_writer writer = wire_writer_to(&bytes, 0);
        wire_tracker_init(&tracker, WIRE_WANT_ALL, 4096);
        wire_begin_packet(&writer);
        parse_payload(cases[i].greeting, &bytes);
        wire_end_packet(&writer);
        struct wire_input input = {(uint8_t *)bytes.data, (uint8_t *)bytes.data + bytes.size};
        assert_int_equal(wire_tracker_next(&tracker, WIRE_FROM_SERVER, &input, &packet),
                         WIRE_PACKET);
        assert_true(wire_tracker_expects_client_data(&tracker));
        strbuf_reset(&bytes);
        wire_begin_packet(&writer);
        parse_payload(cases[i].response, &bytes);
        wire_end_packet(&writer);
        input = (struct wire_input){(uint8_t *)bytes.data, (uint8_t *)bytes.data + bytes.size};
        assert_int_equal(wire_tracker_next(&tracker, WIRE_FROM_CLIENT, &input, &packet),
                         WIRE_PACKET);
        assert_false(wire_tracker_expects_client_data(&tracker));
        assert_true(tracker.client_capabilities == cases[i].both);
        assert_false(wire_tracker_is_idle(&tracker));
        strbuf_release(&bytes);
        wire_tracker_release(&tracker);
    }
}

static void a_compressed_connection_has_free_numbers(void **state)
{
    (void)state;
    converse(&(struct conversation){
        .login = true,
        .lines = "S0 " GREETING "        => greeting\n"
                 "C1 20 82 08 00 00 00 00 01 2d 23*00 'bob' 00 00 'x' 00 => handshake_response\n"
                 "S2 " OK "              => ok .\n"
                 "C0 0e                  => command Ping\n"
                 "S3 " OK "              => ok Ping .\n"});
}

static void a_change_of_user(void **state)
{
    (void)state;
    converse(&(struct conversation){
        .capabilities = CLASSIC,
        .lines = "C0 11 'eve' 00 00 'db' 00 2d 00 'x' 00     => command Change User\n"
                 "S1 fe 'mysql_native_password' 00 20*41 00  => auth_switch Change User\n"
                 "C2 20*11                                   => auth_data Change User\n"
                 "S3 " OK "                                  => ok Change User .\n"
                 "C0 11 'eve' 00 00 'db' 00 2d 00 'x' 00     => command Change User\n"
                 "S1 fe 'mysql_native_password' 00 20*41 00  => auth_switch Change User\n"
                 "C2                                         => auth_data Change User\n"
                 "S3 ff 15 04 '#28000no'                     => err Change User .\n"
                 "C0 0e                                      => command Ping\n"
                 "S1 " OK "                                  => ok Ping .\n"});
}

static void a_local_file(void **state)
{
    (void)state;
    converse(&(struct conversation){
        .capabilities = CLASSIC,
        .lines = "C0 03 'load data'          => command Query\n"
                 "S1 fb 'file'               => local_infile_request Query\n"
                 "C2 'a line'                => local_infile_data Query\n"
                 "C3 03 'not a query'        => local_infile_data Query\n"
                 "C4                         => local_infile_data Query\n"
                 "S5 00 02 00 02 00 00 00    => ok Query .\n"
                 "C0 03 'load data'          => command Query\n"
                 "S1 fb 'empty'              => local_infile_request Query\n"
                 "C2                         => local_infile_data Query\n"
                 "S3 ff 28 04 '#42000no'     => err Query .\n"
                 "C0 0e                      => command Ping\n"
                 "S1 " OK "                  => ok Ping .\n",
        .results = "rows=0 affected=2 id=0 status=0002 warnings=0\n"
                   "rows=0 affected=0 id=0 status=0002 warnings=0 error=1064/42000 'no'\n"
                   "rows=0 affected=0 id=0 status=0002 warnings=0\n"});
}

static void a_local_file_that_is_refused_before_it_ends(void **state)
{
    (void)state;
    converse(&(struct conversation){.capabilities = CLASSIC,
                                    .lines =
                                        "C0 03 'load data'          => command Query\n"
                                        "S1 fb 'file'               => local_infile_request Query\n"
                                        "C2 'a line'                => local_infile_data Query\n"
                                        "S3 ff 28 04 '#42000no'     => err Query .\n"
                                        "C3 'late line'             => local_infile_data\n"
                                        "C4                         => local_infile_data\n"
                                        "C0 0e                      => command Ping\n"
                                        "S1 " OK "                  => ok Ping .\n"
                                        "C0 03 'load data'          => command Query\n"
                                        "S1 fb 'file'               => local_infile_request Query\n"
                                        "C2 'a line'                => local_infile_data Query\n"
                                        "S3 ff 28 04 '#42000no'     => err Query .\n"
                                        "C0 0e                      => command Ping\n"
                                        "S1 " OK "                  => ok Ping .\n"});
}

static void a_local_file_in_the_middle_of_several_results(void **state)
{
    (void)state;
    converse(&(struct conversation){.capabilities = CLASSIC,
                                    .lines =
                                        "C0 03 'load; load'         => command Query\n"
                                        "S1 fb 'file'               => local_infile_request Query\n"
                                        "C2                         => local_infile_data Query\n"
                                        "S3 00 00 00 0a 00 00 00    => ok Query +\n"
                                        "S4 fb 'file'               => local_infile_request Query\n"
                                        "C5                         => local_infile_data Query\n"
                                        "S6 00 00 00 02 00 00 00    => ok Query .\n"});
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_login_that_is_accepted_at_once),
        TEST(a_login_with_tls_goes_on_in_plaintext),
        TEST(a_login_with_a_switch_and_more_data),
        TEST(a_login_that_is_refused),
        TEST(an_error_in_place_of_the_greeting),
        TEST(a_client_of_the_old_protocol),
        TEST(capabilities_are_those_of_both_sides),
        TEST(a_compressed_connection_has_free_numbers),
        TEST(a_change_of_user),
        TEST(a_local_file),
        TEST(a_local_file_that_is_refused_before_it_ends),
        TEST(a_local_file_in_the_middle_of_several_results),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
