/* SPDX-License-Identifier: Apache-2.0
 *
 * KILL by the id that a client was told: the driver knows session 2147483646, which is connection
 * 77 of the backend. */
#include "driver.h"
#include "gateway/local/kill_target.h"

static struct driver *driver;

static void assert_end(const char *text, const char *expected)
{
    assert_string_equal(driver_query(driver, text), expected);
}

static void ids_of_the_gateway_become_the_backends(void **state)
{
    driver = *state;
    assert_end("KILL 2147483646", "forward KILL 77");
    assert_end("/* a */ kill query 2147483646 ;", "forward /* a */ kill query 77 ;");
    assert_end("KILL 77", "none");
    assert_end("KILL 2147483645", "none");
    assert_end("KILL 6442450942", "none"); /* the same in 32 bits */
    assert_end("KILL QUERY ID 2147483646", "none");
    assert_end("KILL USER root", "none");
    assert_end("SELECT 1; KILL 2147483646", "none");
}

static void each_statement_of_a_text_is_looked_at(void **state)
{
    driver = *state;
    driver->observed.identity.multi_statements = true;
    assert_end("SELECT 2147483646; KILL 2147483646; SELECT 'kill 2147483646'",
               "forward SELECT 2147483646; KILL 77; SELECT 'kill 2147483646'");
    assert_end("SELECT 1; SELECT 'kill'", "none");
    driver->observed.identity.multi_statements = false;
}

static void the_command_is_rewritten_too(void **state)
{
    static const char ours[] = {(char)0xfe, (char)0xff, (char)0xff, 0x7f},
                      other[] = {(char)0xfd, (char)0xff, (char)0xff, 0x7f};
    driver = *state;
    driver_command(driver, WIRE_COM_PROCESS_KILL, ours, sizeof ours);
    assert_int_equal(driver->end.size, 8 + sizeof ours);
    assert_memory_equal(driver->end.data, "forward M\0\0\0", 8 + sizeof ours);
    assert_string_equal(driver_command(driver, WIRE_COM_PROCESS_KILL, other, sizeof other), "none");
    assert_string_equal(driver_command(driver, WIRE_COM_PROCESS_KILL, ours, 2), "none");
}

static void what_stands_before_the_text_stays(void **state)
{
    static const char text[] = "\x00\x01KILL 2147483646";
    driver = *state;
    driver->observed.capabilities |= WIRE_CAP(CLIENT_QUERY_ATTRIBUTES);
    driver_command(driver, WIRE_COM_QUERY, text, sizeof text - 1);
    assert_int_equal(driver->end.size, 8 + 9);
    assert_memory_equal(driver->end.data, "forward \x00\x01KILL 77", 8 + 9);
    driver->observed.capabilities &= ~WIRE_CAP(CLIENT_QUERY_ATTRIBUTES);
}

/* A session at another backend has a number that may be somebody else's at this one. */
static void a_session_at_another_backend_is_nobody_here(void **state)
{
    (void)state;
    driver_reset(driver);
    driver->killed[0] = 0;
    driver_reply_error(driver, 1210,
                       "wrong"); /* read without plugins: it is kept for its Execute */
    assert_memory_equal(driver_prepare(driver, "KILL 2147483634"), "forward KILL 0", 14);
    assert_string_equal(driver->killed, "");
}

static void among_others_it_is_refused_before_they_run(void **state)
{
    static const char *const texts[] = {
        "SELECT 1; KILL 2147483635",
        "KILL 2147483635; SELECT 1",
        "BEGIN NOT ATOMIC KILL 2147483635; SELECT 1; END",
        "BEGIN NOT ATOMIC IF @a THEN KILL 2147483635; END IF; END",
        "EXECUTE IMMEDIATE 'BEGIN NOT ATOMIC SELECT 1; KILL 2147483635; END'",
    };
    (void)state;
    driver->observed.identity.multi_statements = true;
    driver->killed[0] = 0;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_memory_equal(driver_query(driver, texts[i]), "error 1235 ", 11);
        assert_memory_equal(driver_prepare(driver, texts[i > 1 ? i : 2]), "error 1235 ", 11);
    }
    assert_string_equal(driver->killed, "");
    driver->observed.identity.multi_statements = false;
}

static void it_may_be_wrapped(void **state)
{
    static const char *const texts[] = {
        "SET STATEMENT max_statement_time = 1 FOR KILL 2147483635",
        "EXECUTE IMMEDIATE 'KILL 2147483635'",
        "BEGIN NOT ATOMIC KILL CONNECTION 2147483635; END",
        "BEGIN NOT ATOMIC EXECUTE IMMEDIATE 'KILL 2147483635'; END",
    };
    (void)state;
    driver_reset(driver);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        driver->killed[0] = 0;
        assert_end(texts[i], "ok");
        assert_string_equal(driver->killed, "elsewhere: KILL 77");
    }
}

/* Shortest as text is 2.14748364e+09, which was taken for no id; of connections that end in 0, ten in a hundred. */
static void a_double_with_an_exponent_is_an_id(void **state)
{
    (void)state;
    struct prepared prepared = {.parameter_count = 1};
    struct kill_value value;
    uint8_t payload[10 + 2 + 2 + sizeof(double)] = {WIRE_COM_STMT_EXECUTE, [6] = 1};
    const double id = 2147483640;
    payload[11] = 1; /* types follow */
    payload[12] = WIRE_TYPE_DOUBLE;
    memcpy(payload + 14, &id, sizeof id);
    kill_read_value(&driver->observed, &prepared, payload, sizeof payload, &value);
    assert_true(value.is_known);
    assert_int_equal(value.number, 2147483640);
}

static void it_is_killed_there_by_the_gateways_account(void **state)
{
    (void)state;
    const uint8_t id[] = {0xf3, 0xff, 0xff, 0x7f};
    driver_reset(driver);
    assert_end("KILL QUERY 2147483635", "ok"); /* the same user's */
    assert_string_equal(driver->killed, "elsewhere: KILL QUERY 77");
    assert_string_equal(driver_command(driver, WIRE_COM_PROCESS_KILL, id, sizeof id), "ok");
    assert_string_equal(driver->killed, "elsewhere: KILL 77");
    driver->killed[0] = 0;
    driver->grants = "GRANT RELOAD ON *.* TO `u`@`%`";
    assert_memory_equal(driver_query(driver, "KILL 2147483634"), "error 1227 ", 11);
    assert_string_equal(driver->killed, "");
    driver->grants = "GRANT CONNECTION ADMIN ON *.* TO `u`@`%`";
    assert_end("KILL SOFT CONNECTION 2147483634", "ok");
    assert_string_equal(driver->killed, "elsewhere: KILL SOFT 77");
    driver->has_no_account = true;
    assert_end("KILL 2147483634", "error 1105 weir: the gateway has no account");
    driver->has_no_account = false;
    driver->is_shutting_down = true;
    assert_end("KILL 2147483634", "error 1105 weir is shutting down");
    driver->is_shutting_down = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_of_the_gateway_become_the_backends),
        cmocka_unit_test(each_statement_of_a_text_is_looked_at),
        cmocka_unit_test(the_command_is_rewritten_too),
        cmocka_unit_test(what_stands_before_the_text_stays),
        cmocka_unit_test(a_session_at_another_backend_is_nobody_here),
        cmocka_unit_test(among_others_it_is_refused_before_they_run),
        cmocka_unit_test(it_may_be_wrapped),
        cmocka_unit_test(a_double_with_an_exponent_is_an_id),
        cmocka_unit_test(it_is_killed_there_by_the_gateways_account),
    };
    int failed = cmocka_run_group_tests(tests, driver_open, driver_close);
    return failed + cmocka_run_group_tests(tests, driver_open_plain, driver_close);
}
