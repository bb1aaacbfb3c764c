/* SPDX-License-Identifier: Apache-2.0
 *
 * Variables of a plugin in SELECT, SET and SHOW. */
#include "driver.h"

#include <stdio.h>
#include <string.h>

#define SUPER "GRANT SUPER ON *.* TO `u`@`%`"
#define NO_PS "error 1295 This command is not supported in the prepared statement protocol yet"

static struct driver *driver;

static int reset(void **state)
{
    driver = *state;
    driver_reset(driver);
    driver->grants = SUPER;
    driver_query(driver,
                 "SET v_limit = 5, v_mine = DEFAULT, GLOBAL v_file = 'a', GLOBAL v_limit = 5");
    assert_string_equal(driver->end.data, "ok; took effect");
    driver_reset(driver);
    return 0;
}

static void assert_end(const char *text, const char *expected)
{
    assert_string_equal(driver_query(driver, text), expected);
}

/* ---- SELECT ---- */

static void literals_stand_in_place_of_names(void **state)
{
    (void)state;
    assert_end("SELECT @@v_file", "forward SELECT 'a' AS `@@v_file`");
    assert_end("SELECT @@GLOBAL.V_Limit + 1 x, @@session.v_limit",
               "forward SELECT 5 + 1 x, 5 AS `@@session.v_limit`");
    assert_end("UPDATE t SET a = @@v_limit", "forward UPDATE t SET a = 5");
    assert_end("SELECT @@v_nothing", "none");
    assert_end("SELECT 'v_file @@'", "none");
    assert_end("CREATE VIEW w AS SELECT @@v_file", "none");
    assert_end("SELECT @@session.v_file", "error 1238 Variable 'v_file' is a GLOBAL variable");
    assert_string_equal(driver_prepare(driver, "SELECT @@v_limit, ?"),
                        "forward SELECT 5 AS `@@v_limit`, ?");
    assert_false(driver->observed.prepare_refused);
}

static void all_statements_of_a_text_are_rewritten(void **state)
{
    (void)state;
    driver->observed.identity.multi_statements = true;
    assert_end("SELECT @@v_limit; CREATE VIEW w AS SELECT @@v_file; SELECT @@v_file;",
               "forward SELECT 5 AS `@@v_limit`; CREATE VIEW w AS SELECT @@v_file; SELECT 'a' AS "
               "`@@v_file`;");
    assert_end("SELECT 1; SET GLOBAL v_limit = 1",
               "error 1235 This version of weir doesn't yet support 'SET of a plugin's variable in "
               "a text of several statements'");
    driver->observed.identity.multi_statements = false;
}

/* The statement prepared last would have been an older one of the backend's. */
static void a_refused_prepare_is_noted_whatever_the_error(void **state)
{
    (void)state;
    assert_string_equal(driver_prepare(driver, "SELECT @@session.v_file"),
                        "error 1238 Variable 'v_file' is a GLOBAL variable");
    assert_true(driver->observed.prepare_refused);
    assert_string_equal(driver_prepare(driver, "SET v_limit = 1"), NO_PS);
    assert_true(driver->observed.prepare_refused);
}

/* ---- SET ---- */

static void literals_are_set_without_the_backend(void **state)
{
    (void)state;
    assert_end("SET v_limit = 7, @@session.v_mine = 'x'", "ok; took effect");
    assert_end("SELECT @@v_limit a, @@v_mine b, @@global.v_limit c",
               "forward SELECT 7 a, 'x' b, 5 c");
    assert_end("SET v_limit = DEFAULT, v_mine = DEFAULT", "ok; took effect");
    assert_end("SELECT @@v_limit a, @@v_mine b", "forward SELECT 5 a, '' b");
    assert_string_equal(driver->queries.data, "");
}

static void global_ones_need_a_privilege(void **state)
{
    (void)state;
    assert_end("SET GLOBAL v_file = 'b'",
               "error 1227 Access denied; you need (at least one of) the SUPER or "
               "SYSTEM_VARIABLES_ADMIN privilege(s) for this operation");
    driver->grants = "GRANT SYSTEM_VARIABLES_ADMIN ON *.* TO `u`@`%`";
    assert_end("SET GLOBAL v_file = 'b'", "ok; took effect");
    assert_end("SELECT @@v_file a", "forward SELECT 'b' a");
}

static void values_that_cannot_be_are_refused(void **state)
{
    (void)state;
    driver->grants = SUPER;
    assert_end("SET v_limit = 11", "error 1231 Variable 'v_limit' can't be set to the value of "
                                   "'11'");
    assert_end("SET GLOBAL v_file = 'bad'",
               "error 1231 Variable 'v_file' can't be set to the value of 'bad': bad is bad");
    assert_end("SET v_file = 'x'",
               "error 1229 Variable 'v_file' is a GLOBAL variable and should be set with SET "
               "GLOBAL");
    assert_end("SET GLOBAL v_mine = 'x'",
               "error 1228 Variable 'v_mine' is a SESSION variable and can't be used with SET "
               "GLOBAL");
    assert_end("SET v_limit = ", "error 1064 You have an error in your SQL syntax: weir does not "
                                 "understand this SET of a plugin's variable near ''");
    assert_end("SET v_limit = 1; x",
               "error 1064 You have an error in your SQL syntax: weir does not understand this SET "
               "of a plugin's variable near '; x'");
    assert_end("SET v_mine = 'x', v_limit = 11",
               "error 1231 Variable 'v_limit' can't be set to the value of '11'");
    assert_end("SELECT @@v_mine a", "forward SELECT '' a"); /* all or none */
    driver->is_shutting_down = true;
    assert_end("SET v_limit = 1", "error 1053 Server shutdown in progress");
}

/* The backend keeps them for SHOW WARNINGS; one that cannot says nothing, and what was set is set. */
static void what_a_plugin_warns_of_is_the_statements_warning(void **state)
{
    static const char odd[] =
        "SIGNAL SQLSTATE '01000' SET MYSQL_ERRNO = 1105, MESSAGE_TEXT = _utf8mb4 "
        "0x6f64643b2076657279206f6464\n"; /* odd; very odd */
    (void)state;
    driver->grants = SUPER;
    driver_reply_ok(driver, NULL);
    assert_end("SET GLOBAL v_file = 'odd'", "payload 7; took effect");
    assert_non_null(strstr(driver->queries.data, odd));
    driver_reset(driver);
    driver->grants = SUPER;
    driver_reply_error(driver, 1064, "no SIGNAL here");
    assert_end("SET GLOBAL v_file = 'odd'", "ok; took effect");
    assert_end("SELECT @@v_file a", "forward SELECT 'odd' a");
    driver_reset(driver);
    driver->grants = SUPER;
    driver_reply_ok(driver, "elsewhere"); /* of the rest, whose OK it replaces */
    driver_reply_ok(driver, NULL);
    assert_end("SET a = 1, GLOBAL v_file = 'odd'", "payload 7; took effect");
    driver_reset(driver);
    driver->grants = SUPER;
    assert_end("SET GLOBAL v_file = 'a'", "ok; took effect");
    assert_string_equal(driver->queries.data, "SHOW GRANTS\n");
}

static void expressions_are_the_backends_to_evaluate(void **state)
{
    (void)state;
    static const char *const six[] = {"6", "36"}, *const text[] = {"x", "78"}, *const null[2];
    driver_reply_rows(driver, WIRE_TYPE_LONGLONG, 2, six, 1);
    driver_reply_rows(driver, WIRE_TYPE_VAR_STRING, 2, text, 1);
    assert_end("SET v_limit = @@global.v_limit + 1, v_mine = CONCAT('x')", "ok; took effect");
    assert_string_equal(
        driver->queries.data,
        "SELECT v, HEX(CONVERT(v USING utf8mb4)) FROM (SELECT (5 + 1) AS v) AS weir LIMIT 1\n"
        "SELECT v, HEX(CONVERT(v USING utf8mb4)) FROM (SELECT (CONCAT('x')) AS v) AS weir LIMIT "
        "1\n");
    assert_end("SELECT @@v_limit a, @@v_mine b", "forward SELECT 6 a, 'x' b");
    driver_reset(driver);
    driver_reply_rows(driver, WIRE_TYPE_NULL, 2, null, 1);
    assert_end("SET v_limit = NULLIF(1, 1)",
               "error 1232 Incorrect argument type to variable 'v_limit'");
    driver_reset(driver);
    driver_reply_error(driver, 1305, "FUNCTION f does not exist");
    assert_end("SET v_limit = f()", "error 1305 FUNCTION f does not exist");
    assert_end("SET v_limit = @@session.v_file + 1",
               "error 1238 Variable 'v_file' is a GLOBAL variable");
}

static void the_rest_is_the_backends(void **state)
{
    (void)state;
    driver_reply_ok(driver, "elsewhere");
    assert_end("SET GLOBAL a = 1, SESSION v_limit = 8, b = @@global.v_limit, @u = 1",
               "payload 21; took "
               "effect");
    assert_string_equal(driver->queries.data, "SET GLOBAL a = 1, SESSION b = 5, @u = 1\n");
    assert_string_equal(driver->observed.identity.database.data, "elsewhere");
    assert_end("SELECT @@v_limit a", "forward SELECT 8 a");
    driver_reset(driver);
    driver_reply_error(driver, 1193, "Unknown system variable 'a'");
    assert_end("SET v_limit = 9, a = 1", "error 1193 Unknown system variable 'a'");
    assert_end("SELECT @@v_limit a", "forward SELECT 8 a"); /* all or none */
    driver_reset(driver);
    assert_end("SET a = 1, v_limit = 11",
               "error 1231 Variable 'v_limit' can't be set to the value of '11'");
    assert_string_equal(driver->queries.data, "");
}

/* ---- SHOW ---- */

static const char *const backend_rows[] = {"autocommit", "ON", "v_light", "1", "version", "10"};

static void rows_are_put_in_by_name(void **state)
{
    (void)state;
    driver_reply_rows(driver, WIRE_TYPE_VAR_STRING, 2, backend_rows, 3);
    assert_end("SHOW VARIABLES", "forward SHOW VARIABLES; reads autocommit,ON;v_file,a;v_light,1;"
                                 "v_limit,5;v_mine,;version,10");
    assert_end("SHOW GLOBAL VARIABLES",
               "forward SHOW GLOBAL VARIABLES; reads autocommit,ON;v_file,a;v_light,1;v_limit,5;"
               "version,10");
    assert_end("SHOW STATUS LIKE 'v\\_%'",
               "forward SHOW STATUS LIKE 'v\\_%'; reads V_events,7;autocommit,ON;v_light,1;"
               "version,10");
    assert_end("SHOW GLOBAL STATUS LIKE 'weir\\_sessions%'",
               "forward SHOW GLOBAL STATUS LIKE 'weir\\_sessions%'; reads Weir_sessions,0;"
               "Weir_sessions_open,0;autocommit,ON;v_light,1;version,10");
    driver_reset(driver);
    driver_reply_rows(driver, WIRE_TYPE_VAR_STRING, 2, NULL, 0);
    assert_end("SHOW STATUS LIKE 'v%'", "forward SHOW STATUS LIKE 'v%'; reads V_events,7");
    driver_reset(driver);
    driver_reply_error(driver, 1142, "SHOW command denied");
    assert_end("SHOW STATUS", "forward SHOW STATUS");
}

static void names_are_filtered_without_a_question(void **state)
{
    (void)state;
    assert_end("SHOW STATUS LIKE 'Handler_read%'", "forward SHOW STATUS LIKE 'Handler_read%'");
    assert_end("SHOW STATUS WHERE Variable_name LIKE 'Handler%' AND Value > 0",
               "forward SHOW STATUS WHERE Variable_name LIKE 'Handler%' AND Value > 0");
    driver_reply_rows(driver, WIRE_TYPE_VAR_STRING, 2, backend_rows + 2, 2);
    assert_end("SHOW VARIABLES LIKE 'V\\_L%'",
               "forward SHOW VARIABLES LIKE 'V\\_L%'; reads v_light,1;v_limit,5;version,10");
    assert_end("SHOW VARIABLES WHERE Variable_name IN ('v_mine', 'v_file')",
               "forward SHOW VARIABLES WHERE Variable_name IN ('v_mine', 'v_file'); reads "
               "v_file,a;v_light,1;v_mine,;version,10");
    assert_string_equal(driver->queries.data, "");
}

#define ALL_ROWS "\nLIMIT 18446744073709551615"

static void other_filters_are_the_backends_to_apply(void **state)
{
    (void)state;
    static const char *const passed[] = {"765F6C696D6974", "35"};
    driver_reply_rows(driver, WIRE_TYPE_VAR_STRING, 2, passed, 1);
    driver_reply_rows(driver, WIRE_TYPE_VAR_STRING, 2, backend_rows + 2, 2);
    assert_end("SHOW VARIABLES WHERE Value < 8",
               "forward SHOW VARIABLES WHERE Value < 8; reads v_light,1;v_limit,5;version,10");
    assert_memory_equal(driver->queries.data,
                        "SELECT HEX(Variable_name), HEX(Value) FROM (SELECT CONVERT('v_file' USING "
                        "utf8mb4) COLLATE utf8mb4_general_ci AS Variable_name, CONVERT('a' USING",
                        143);
    assert_non_null(
        strstr(driver->queries.data, " AS Value) AS weir WHERE Value < 8" ALL_ROWS "\n"));
    assert_end("SHOW VARIABLES WHERE Variable_name = 'v_file' OR Variable_name = 'v_limit' AND "
               "Value > 3",
               "forward SHOW VARIABLES WHERE Variable_name = 'v_file' OR Variable_name = 'v_limit' "
               "AND Value > 3; reads v_file,a;v_light,1;v_limit,5;version,10");
    assert_null(strstr(driver->queries.data, "'v_mine'"));
    assert_null(strstr(driver->queries.data, "CONVERT('v_file'"));
    driver_reset(driver);
    static const char *const limit[] = {"16777216"};
    driver_reply_rows(driver, WIRE_TYPE_LONGLONG, 1, limit, 1);
    driver_reply_error(driver, 1054, "Unknown column 'x'");
    driver_reply_error(driver, 1054, "Unknown column 'x'");
    assert_end("SHOW STATUS WHERE x = 1", "forward SHOW STATUS WHERE x = 1");
    assert_non_null(strstr(driver->queries.data, ") AS weir WHERE x = 1" ALL_ROWS "\n"));
}

static void a_question_that_fails_leaves_only_its_rows_out(void **state)
{
    (void)state;
    driver_reply_error(driver, 1969, "Query execution was interrupted");
    driver_reply_rows(driver, WIRE_TYPE_VAR_STRING, 2, backend_rows, 3);
    assert_end("SHOW VARIABLES WHERE Variable_name = 'v_file' OR Value > 3",
               "forward SHOW VARIABLES WHERE Variable_name = 'v_file' OR Value > 3; reads "
               "autocommit,ON;v_file,a;v_light,1;version,10");
}

static void a_question_is_no_larger_than_the_backend_takes(void **state)
{
    (void)state;
    static const char *const small[] = {"1024"}, *const large[] = {"16777216"};
    static const char *const passed[] = {"765F6C696D6974", "35"};
    char text[1200];
    snprintf(text, sizeof text, "SHOW VARIABLES WHERE Value > '%01000d'", 0);
    driver_reply_rows(driver, WIRE_TYPE_LONGLONG, 1, small, 1);
    driver_reply_rows(driver, WIRE_TYPE_VAR_STRING, 2, backend_rows, 1);
    driver_query(driver, text);
    assert_string_equal(driver->queries.data, "SELECT @@session.max_allowed_packet LIMIT 1\n");
    assert_non_null(strstr(driver->end.data, "; reads autocommit,ON"));
    assert_null(strstr(driver->end.data, "v_limit"));
    driver_reset(driver);
    driver_reply_rows(driver, WIRE_TYPE_LONGLONG, 1, large, 1);
    driver_reply_rows(driver, WIRE_TYPE_VAR_STRING, 2, passed, 1);
    driver_reply_rows(driver, WIRE_TYPE_VAR_STRING, 2, backend_rows, 1);
    driver_query(driver, text);
    assert_non_null(strstr(driver->end.data, "; reads autocommit,ON;v_limit,5"));
}

static void prepared_ones_have_binary_rows(void **state)
{
    (void)state;
    struct observed *observed = &driver->observed;
    static const char execute[] = "\x03\0\0\0\0\1\0\0\0";
    assert_string_equal(driver_prepare(driver, "SHOW GLOBAL VARIABLES"), "none");
    assert_non_null(prepared_add(observed, 3, 0));
    driver_reply_binary_rows(driver, 2, backend_rows, 3);
    driver_command(driver, WIRE_COM_STMT_EXECUTE, execute, sizeof execute - 1);
    static const char read[] = "; reads autocommit,ON;v_file,a;v_light,1;v_limit,5;version,10";
    assert_non_null(memmem(driver->end.data, driver->end.size, read, sizeof read - 1));
    assert_string_equal(driver_prepare(driver, "SHOW VARIABLES LIKE ?"), "none");
    assert_non_null(prepared_add(observed, 3, 1));
    assert_string_equal(driver_command(driver, WIRE_COM_STMT_EXECUTE, execute, sizeof execute - 1),
                        NO_PS);
    assert_false(observed->prepare_refused);
}

#define ORIGINS "rows Variable_name,Value,Source,Path,Configured,Persisted"

static void values_say_where_they_come_from(void **state)
{
    (void)state;
    assert_string_equal(driver_query(driver, "ADMIN SHOW VARIABLES LIKE 'v\\_l%'"),
                        ORIGINS ";v_limit,5,DEFAULT,NULL,5,NULL");
    assert_string_equal(driver_query(driver, "admin show variables like 'none';"), ORIGINS);
    assert_memory_equal(driver_query(driver, "ADMIN SHOW VARIABLES LIKE v"), "error 1064 ", 11);
    assert_memory_equal(driver_query(driver, "ADMIN SHOW VARIABLES WHERE 1"), "error 1064 ", 11);
    assert_memory_equal(driver_prepare(driver, "ADMIN SHOW VARIABLES"), "error 1295 ", 11);
    driver->is_shutting_down = true;
    assert_memory_equal(driver_query(driver, "ADMIN SHOW VARIABLES"), "error 1053 ", 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(values_say_where_they_come_from, reset),
        cmocka_unit_test_setup(literals_stand_in_place_of_names, reset),
        cmocka_unit_test_setup(all_statements_of_a_text_are_rewritten, reset),
        cmocka_unit_test_setup(a_refused_prepare_is_noted_whatever_the_error, reset),
        cmocka_unit_test_setup(literals_are_set_without_the_backend, reset),
        cmocka_unit_test_setup(global_ones_need_a_privilege, reset),
        cmocka_unit_test_setup(values_that_cannot_be_are_refused, reset),
        cmocka_unit_test_setup(expressions_are_the_backends_to_evaluate, reset),
        cmocka_unit_test_setup(what_a_plugin_warns_of_is_the_statements_warning, reset),
        cmocka_unit_test_setup(the_rest_is_the_backends, reset),
        cmocka_unit_test_setup(rows_are_put_in_by_name, reset),
        cmocka_unit_test_setup(names_are_filtered_without_a_question, reset),
        cmocka_unit_test_setup(other_filters_are_the_backends_to_apply, reset),
        cmocka_unit_test_setup(a_question_that_fails_leaves_only_its_rows_out, reset),
        cmocka_unit_test_setup(a_question_is_no_larger_than_the_backend_takes, reset),
        cmocka_unit_test_setup(prepared_ones_have_binary_rows, reset),
    };
    return cmocka_run_group_tests(tests, driver_open, driver_close);
}
