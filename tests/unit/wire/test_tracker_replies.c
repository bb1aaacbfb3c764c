/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands and what the tracker makes of their replies, behind a login. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "conversation.h"

#define COLUMN "03 'def' 00 00 00 01 'a' 00 0c 3f 00 01 00 00 00 08 81 00 00 00 00"

static void a_ping_is_answered_with_ok(void **state)
{
    (void)state;
    converse(&(struct conversation){.capabilities = CLASSIC,
                                    .lines = "C0 0e                     => command Ping\n"
                                             "S1 00 00 00 02 00 01 00   => ok Ping .\n",
                                    .results = "rows=0 affected=0 id=0 status=0002 warnings=1\n"});
}

static void an_update_reports_its_numbers(void **state)
{
    (void)state;
    converse(&(struct conversation){
        .capabilities = CLASSIC,
        .lines = "C0 03 'update t'                         => command Query\n"
                 "S1 00 fc 2c 01 05 02 00 03 00 03 'abc'   => ok Query .\n",
        .results = "rows=0 affected=300 id=5 status=0002 warnings=3 'abc'\n"});
}

static void an_error_ends_the_reply(void **state)
{
    (void)state;
    converse(&(struct conversation){
        .capabilities = CLASSIC,
        .lines = "C0 03 'x'                     => command Query\n"
                 "S1 ff 28 04 '#42000no'        => err Query .\n"
                 "C0 03 'y'                     => command Query\n"
                 "S1 ff 28 04 'old'             => err Query .\n"
                 "C0 0e                         => command Ping\n"
                 "S1 ff 01                      => err Ping .\n",
        .results = "rows=0 affected=0 id=0 status=0000 warnings=0 error=1064/42000 'no'\n"
                   "rows=0 affected=0 id=0 status=0000 warnings=0 error=1064/HY000 'old'\n"
                   "rows=0 affected=0 id=0 status=0000 warnings=0 error=0/HY000\n"});
}

static void a_result_set_with_eofs(void **state)
{
    (void)state;
    converse(
        &(struct conversation){.capabilities = CLASSIC,
                               .lines = "C0 03 'select 1'          => command Query\n"
                                        "S1 01                     => column_count Query\n"
                                        "S2 " COLUMN "             => column_definition Query\n"
                                        "S3 fe 00 00 02 00         => eof Query\n"
                                        "S4 01 '1'                 => row Query\n"
                                        "S5 fb                     => row Query\n"
                                        "S6 00                     => row Query\n"
                                        "S7 fe 02 00 22 00         => eof Query .\n",
                               .results = "rows=3 affected=0 id=0 status=0022 warnings=2 set\n"});
}

static void a_result_set_that_ends_with_ok(void **state)
{
    (void)state;
    converse(&(struct conversation){
        .capabilities = MODERN,
        .lines = "C0 03 'select 1'            => command Query\n"
                 "S1 01                       => column_count Query\n"
                 "S2 " COLUMN "               => column_definition Query\n"
                 "S3 01 '1'                   => row Query\n"
                 "S4 fe 00 00 22 00 00 00     => ok Query .\n"
                 "C0 03 'select 2'            => command Query\n"
                 "S1 01                       => column_count Query\n"
                 "S2 " COLUMN "               => column_definition Query\n"
                 "S3 fe 00 00 02 40 01 00 00 04 05 02 01 02 => ok Query .\n",
        .results = "rows=1 affected=0 id=0 status=0022 warnings=0 set\n"
                   "rows=0 affected=0 id=0 status=4002 warnings=1 state=4 set\n"});
}

static void unwanted_rows_are_counted(void **state)
{
    (void)state;
    converse(
        &(struct conversation){.capabilities = MODERN,
                               .wanted = WIRE_WANT(WIRE_COMMAND),
                               .lines = "C0 03 'select 1'            => command Query\n"
                                        "S1 01\n"
                                        "S2 " COLUMN "\n"
                                        "S3 01 '1'\n"
                                        "S4 03 '123'\n"
                                        "S5 fb\n"
                                        "S6 fc 04 01 260*41\n"
                                        "S7 fe 00 00 22 00 00 00     => ok Query .\n",
                               .results = "rows=4 affected=0 id=0 status=0022 warnings=0 set\n"});
}

static void an_error_among_the_rows(void **state)
{
    (void)state;
    converse(&(struct conversation){
        .capabilities = CLASSIC,
        .wanted = WIRE_WANT(WIRE_COMMAND),
        .lines = "C0 03 'select 1'            => command Query\n"
                 "S1 01\n"
                 "S2 " COLUMN "\n"
                 "S3 fe 00 00 02 00\n"
                 "S4 01 '1'\n"
                 "S5 ff 25 05 '#70100bye'     => err Query .\n"
                 "C0 0e                       => command Ping\n"
                 "S1 00 00 00 02 00 00 00     => ok Ping .\n",
        .results = "rows=1 affected=0 id=0 status=0002 warnings=0 error=1317/70100 'bye' set\n"
                   "rows=0 affected=0 id=0 status=0002 warnings=0\n"});
}

static void several_results(void **state)
{
    (void)state;
    converse(
        &(struct conversation){.capabilities = CLASSIC,
                               .lines = "C0 03 'call p'              => command Query\n"
                                        "S1 00 01 00 0a 00 00 00     => ok Query +\n"
                                        "S2 01                       => column_count Query\n"
                                        "S3 " COLUMN "               => column_definition Query\n"
                                        "S4 fe 00 00 0a 00           => eof Query\n"
                                        "S5 01 '1'                   => row Query\n"
                                        "S6 fe 00 00 0a 00           => eof Query +\n"
                                        "S7 00 02 00 02 00 00 00     => ok Query .\n",
                               .results = "rows=0 affected=1 id=0 status=000a warnings=0 more\n"
                                          "rows=1 affected=0 id=0 status=000a warnings=0 set more\n"
                                          "rows=0 affected=2 id=0 status=0002 warnings=0\n"});
}

static void out_parameters_announce_the_result_behind_them_before_their_row(void **state)
{
    (void)state;
    converse(&(struct conversation){.capabilities = CLASSIC,
                                    .lines =
                                        "C0 17 01 00 00 00 00 01 00 00 00 => command Execute\n"
                                        "S1 01                       => column_count Execute\n"
                                        "S2 " COLUMN "               => column_definition Execute\n"
                                        "S3 fe 00 00 0a 10           => eof Execute\n"
                                        "S4 00 00 01                 => row Execute\n"
                                        "S5 fe 00 00 02 00           => eof Execute +\n"
                                        "S6 00 00 00 02 00 00 00     => ok Execute .\n"});
}

static void prepare_with_eofs(void **state)
{
    (void)state;
    converse(&(struct conversation){
        .capabilities = CLASSIC,
        .lines = "C0 16 'select ?'                         => command Prepare\n"
                 "S1 00 01 00 00 00 01 00 02 00 00 00 00   => prepare_ok Prepare\n"
                 "S2 " COLUMN "                            => parameter_definition Prepare\n"
                 "S3 " COLUMN "                            => parameter_definition Prepare\n"
                 "S4 fe 00 00 02 00                        => eof Prepare\n"
                 "S5 " COLUMN "                            => column_definition Prepare\n"
                 "S6 fe 00 00 02 00                        => eof Prepare .\n"
                 "C0 16 'do ?'                             => command Prepare\n"
                 "S1 00 01 00 00 00 00 00 01 00 00 00 00   => prepare_ok Prepare\n"
                 "S2 " COLUMN "                            => parameter_definition Prepare\n"
                 "S3 fe 00 00 02 00                        => eof Prepare .\n"
                 "C0 16 'do 1'                             => command Prepare\n"
                 "S1 00 01 00 00 00 00 00 00 00 00 07 00   => prepare_ok Prepare .\n"
                 "C0 16 'no'                               => command Prepare\n"
                 "S1 ff 28 04 '#42000no'                   => err Prepare .\n"});
}

static void prepare_without_eofs_shows_its_last_definition_even_if_unwanted(void **state)
{
    (void)state;
    converse(&(struct conversation){
        .capabilities = MODERN,
        .wanted = WIRE_WANT(WIRE_COMMAND),
        .lines = "C0 16 'select ?'                         => command Prepare\n"
                 "S1 00 01 00 00 00 02 00 01 00 00 00 00\n"
                 "S2 " COLUMN "\n"
                 "S3 " COLUMN "\n"
                 "S4 " COLUMN "                            => column_definition Prepare .\n"
                 "C0 16 'do ?'                             => command Prepare\n"
                 "S1 00 01 00 00 00 00 00 01 00 00 00 00\n"
                 "S2 " COLUMN "                            => parameter_definition Prepare .\n"});
}

static void cached_metadata_leaves_definitions_out(void **state)
{
    (void)state;
    converse(&(struct conversation){
        .capabilities = MODERN | WIRE_CAP(MARIADB_CLIENT_CACHE_METADATA),
        .lines = "C0 17 ff ff ff ff 00 01 00 00 00 => command Execute\n"
                 "S1 01 00                         => column_count Execute\n"
                 "S2 00 00 01                      => row Execute\n"
                 "S3 fe 00 00 02 00 00 00          => ok Execute .\n"
                 "C0 03 'select 1'                 => command Query\n"
                 "S1 01 01                         => column_count Query\n"
                 "S2 " COLUMN "                    => column_definition Query\n"
                 "S3 01 '1'                        => row Query\n"
                 "S4 fe 00 00 02 00 00 00          => ok Query .\n"});
    converse(
        &(struct conversation){.capabilities = CLASSIC | WIRE_CAP(MARIADB_CLIENT_CACHE_METADATA),
                               .lines = "C0 17 01 00 00 00 00 01 00 00 00 => command Execute\n"
                                        "S1 01 00                         => column_count Execute\n"
                                        "S2 fe 00 00 02 00                => eof Execute\n"
                                        "S3 00 00 01                      => row Execute\n"
                                        "S4 fe 00 00 02 00                => eof Execute .\n"});
}

static void optional_metadata_of_mysql(void **state)
{
    (void)state;
    converse(&(struct conversation){
        .capabilities = MODERN | WIRE_CAP(CLIENT_OPTIONAL_RESULTSET_METADATA),
        .lines = "C0 16 'select ?'                         => command Prepare\n"
                 "S1 00 01 00 00 00 01 00 01 00 00 00 00 00 => prepare_ok Prepare .\n"
                 "C0 16 'select ?'                         => command Prepare\n"
                 "S1 00 01 00 00 00 01 00 00 00 00 00 00 01 => prepare_ok Prepare\n"
                 "S2 " COLUMN "                            => column_definition Prepare .\n"
                 "C0 03 'select 1'                         => command Query\n"
                 "S1 01 00                                 => column_count Query\n"
                 "S2 01 '1'                                => row Query\n"
                 "S3 fe 00 00 02 00 00 00                  => ok Query .\n"});
}

static void a_cursor_keeps_its_rows_for_fetch(void **state)
{
    (void)state;
    converse(&(struct conversation){
        .capabilities = CLASSIC,
        .lines = "C0 17 01 00 00 00 01 01 00 00 00 => command Execute\n"
                 "S1 01                            => column_count Execute\n"
                 "S2 " COLUMN "                    => column_definition Execute\n"
                 "S3 fe 00 00 42 00                => eof Execute .\n"
                 "C0 1c 01 00 00 00 02 00 00 00    => command Fetch\n"
                 "S1 00 00 01                      => row Fetch\n"
                 "S2 00 00 02                      => row Fetch\n"
                 "S3 fe 00 00 42 00                => eof Fetch .\n"
                 "C0 1c 01 00 00 00 02 00 00 00    => command Fetch\n"
                 "S1 fe 00 00 82 00                => eof Fetch .\n"
                 "C0 1c 01 00 00 00 02 00 00 00    => command Fetch\n"
                 "S1 ff 01 04 '#HY000no cursor'    => err Fetch .\n",
        .results =
            "rows=0 affected=0 id=0 status=0042 warnings=0 set\n"
            "rows=2 affected=0 id=0 status=0042 warnings=0 set\n"
            "rows=0 affected=0 id=0 status=0082 warnings=0 set\n"
            "rows=0 affected=0 id=0 status=0082 warnings=0 error=1025/HY000 'no cursor' set\n"});
    converse(&(struct conversation){
        .capabilities = MODERN,
        .lines = "C0 17 01 00 00 00 01 01 00 00 00 => command Execute\n"
                 "S1 01                            => column_count Execute\n"
                 "S2 " COLUMN "                    => column_definition Execute\n"
                 "S3 fe 00 00 42 00 00 00          => ok Execute .\n"});
}

static void a_cursor_that_was_asked_for_and_not_opened(void **state)
{
    (void)state;
    converse(&(struct conversation){
        .capabilities = CLASSIC,
        .lines = "C0 17 01 00 00 00 01 01 00 00 00 => command Execute\n"
                 "S1 01                            => column_count Execute\n"
                 "S2 " COLUMN "                    => column_definition Execute\n"
                 "S3 fe 00 00 02 00                => eof Execute\n"
                 "S4 00 00 01                      => row Execute\n"
                 "S5 fe 00 00 02 00                => eof Execute .\n"});
}

static void commands_without_reply(void **state)
{
    (void)state;
    converse(&(struct conversation){.capabilities = CLASSIC,
                                    .lines = "C0 18 01 00 00 00 00 00 'data' => command Long Data\n"
                                             "C0 19 01 00 00 00             => command Close stmt\n"
                                             "C0 1a 01 00 00 00             => command Reset stmt\n"
                                             "S1 00 00 00 02 00 00 00       => ok Reset stmt .\n"
                                             "C0 01                         => command Quit\n"});
}

static void field_list_has_no_count(void **state)
{
    (void)state;
    converse(&(struct conversation){.capabilities = CLASSIC,
                                    .lines =
                                        "C0 04 't' 00           => command Field List\n"
                                        "S1 " COLUMN "          => column_definition Field List\n"
                                        "S2 " COLUMN "          => column_definition Field List\n"
                                        "S3 fe 00 00 02 00      => eof Field List .\n"});
}

static void statistics_is_bare_text(void **state)
{
    (void)state;
    converse(&(struct conversation){.capabilities = CLASSIC,
                                    .lines =
                                        "C0 09                  => command Statistics\n"
                                        "S1 'Uptime: 1'         => statistics Statistics .\n"});
}

static void process_info_is_a_result_set(void **state)
{
    (void)state;
    converse(&(struct conversation){.capabilities = CLASSIC,
                                    .lines =
                                        "C0 0a                  => command Processlist\n"
                                        "S1 01                  => column_count Processlist\n"
                                        "S2 " COLUMN "          => column_definition Processlist\n"
                                        "S3 fe 00 00 02 00      => eof Processlist\n"
                                        "S4 01 '7'              => row Processlist\n"
                                        "S5 fe 00 00 02 00      => eof Processlist .\n"});
}

static void set_option_is_answered_with_eof_or_ok(void **state)
{
    (void)state;
    converse(&(struct conversation){.capabilities = CLASSIC,
                                    .lines = "C0 1b 00 00               => command Set option\n"
                                             "S1 fe 00 00 02 00         => eof Set option .\n"});
    converse(&(struct conversation){.capabilities = MODERN,
                                    .lines = "C0 1b 00 00               => command Set option\n"
                                             "S1 fe 00 00 02 00 00 00   => ok Set option .\n"
                                             "C0 1b 00 00               => command Set option\n"
                                             "S1 fe 00 00 02 00         => eof Set option .\n"});
}

static void unknown_commands_have_one_answer(void **state)
{
    (void)state;
    converse(&(struct conversation){.capabilities = CLASSIC,
                                    .lines = "C0 77 01 02                   => command Unknown\n"
                                             "S1 ff 17 04 '#08S01Unknown'   => err Unknown .\n"
                                             "C0                            => command Sleep\n"
                                             "S1 ff 17 04 '#08S01Unknown'   => err Sleep .\n"});
}

static void bulk_execution(void **state)
{
    (void)state;
    converse(&(struct conversation){
        .capabilities = MODERN | WIRE_CAP(MARIADB_CLIENT_STMT_BULK_OPERATIONS),
        .lines = "C0 fa 01 00 00 00 80 00 08 00 00 01 => command Bulk Execute\n"
                 "S1 00 01 00 02 00 00 00             => ok Bulk Execute .\n"});
}

static void progress_reports_count_with_the_reply(void **state)
{
    (void)state;
    converse(&(struct conversation){
        .capabilities = MODERN | WIRE_CAP(MARIADB_CLIENT_PROGRESS),
        .lines = "C0 03 'alter table t force'               => command Query\n"
                 "S1 ff ff ff 01 01 02 00 00 00 04 'copy'   => progress Query\n"
                 "S2 ff ff ff 01 02 02 00 00 00 04 'copy'   => progress Query\n"
                 "S3 00 00 00 02 00 00 00                   => ok Query .\n"});
    converse(&(struct conversation){
        .capabilities = MODERN,
        .lines = "C0 03 'alter table t force'               => command Query\n"
                 "S1 ff ff ff 01 01 02 00 00 00 04 'copy'   => err Query .\n"});
}

static void pipelined_commands_are_answered_in_order(void **state)
{
    (void)state;
    converse(&(struct conversation){
        .capabilities = MODERN,
        .lines = "C0 16 'do ?'                              => command Prepare\n"
                 "C0 17 ff ff ff ff 00 01 00 00 00          => command Execute\n"
                 "C0 19 01 00 00 00                         => command Close stmt\n"
                 "C0 0e                                     => command Ping\n"
                 "C0 0e                                     => command Ping\n"
                 "C0 09                                     => command Statistics\n"
                 "S1 00 01 00 00 00 00 00 00 00 00 00 00    => prepare_ok Prepare .\n"
                 "S1 00 00 00 02 00 00 00                   => ok Execute .\n"
                 "C0 03 'x'                                 => command Query\n"
                 "S1 00 00 00 02 00 00 00                   => ok Ping .\n"
                 "S1 00 00 00 02 00 00 00                   => ok Ping .\n"
                 "S1 'Uptime'                               => statistics Statistics .\n"
                 "S1 ff 28 04 '#42000no'                    => err Query .\n"});
}

static void a_binlog_dump_goes_on_until_eof(void **state)
{
    (void)state;
    converse(&(struct conversation){
        .capabilities = CLASSIC,
        .lines = "C0 12 04 00 00 00 00 00 01 00 00 00       => command Binlog Dump\n"
                 "S1 00 'event'                             => binlog_event Binlog Dump\n"
                 "S2 00 ef 01 'event'                       => binlog_event Binlog Dump\n"
                 "C0 ef 04 00 00 00 00 00 00 00 'log'       => binlog_ack Binlog Dump\n"
                 "S1 00 'event'                             => binlog_event Binlog Dump\n"
                 "S2 fe 00 00 02 00                         => eof Binlog Dump .\n"
                 "C0 1e 00                                  => command Binlog Dump\n"
                 "S1 ff d4 04 '#HY000no'                    => err Binlog Dump .\n"});
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_ping_is_answered_with_ok),
        TEST(an_update_reports_its_numbers),
        TEST(an_error_ends_the_reply),
        TEST(a_result_set_with_eofs),
        TEST(a_result_set_that_ends_with_ok),
        TEST(unwanted_rows_are_counted),
        TEST(an_error_among_the_rows),
        TEST(several_results),
        TEST(out_parameters_announce_the_result_behind_them_before_their_row),
        TEST(prepare_with_eofs),
        TEST(prepare_without_eofs_shows_its_last_definition_even_if_unwanted),
        TEST(cached_metadata_leaves_definitions_out),
        TEST(optional_metadata_of_mysql),
        TEST(a_cursor_keeps_its_rows_for_fetch),
        TEST(a_cursor_that_was_asked_for_and_not_opened),
        TEST(commands_without_reply),
        TEST(field_list_has_no_count),
        TEST(statistics_is_bare_text),
        TEST(process_info_is_a_result_set),
        TEST(set_option_is_answered_with_eof_or_ok),
        TEST(unknown_commands_have_one_answer),
        TEST(bulk_execution),
        TEST(progress_reports_count_with_the_reply),
        TEST(pipelined_commands_are_answered_in_order),
        TEST(a_binlog_dump_goes_on_until_eof),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
