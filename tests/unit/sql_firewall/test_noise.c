/* SPDX-License-Identifier: Apache-2.0
 *
 * What drivers send by themselves, and what only looks like it. */
#include "noise.h"

#include "firewall_test.h"

static bool is_noise(const char *text)
{
    struct text_session session;
    struct statement statement;
    test_statement(&session, &statement, text, strlen(text));
    bool answer = statement_is_noise(&statement);
    text_session_close(&session);
    return answer;
}

static void what_drivers_send_is_noise(void **state)
{
    static const char *const texts[] = {
        "BEGIN",
        "begin work",
        "START TRANSACTION",
        "START TRANSACTION READ ONLY",
        "COMMIT",
        "ROLLBACK",
        "SET autocommit=0",
        "SET @@session.autocommit = 1",
        "SET NAMES utf8mb4",
        "SET NAMES 'utf8mb4' COLLATE 'utf8mb4_bin'",
        "SET NAMES latin1 COLLATE latin1_bin",
        "SET NAMES DEFAULT",
        "SHOW WARNINGS",
        "SHOW COUNT(*) WARNINGS",
        "SELECT 1",
        "/* ping */ SELECT 1",
        "SELECT 'x' FROM DUAL",
        "SELECT DATABASE()",
        "SELECT VERSION()",
        "select @@version_comment limit 1",
        "SELECT @@session.wait_timeout AS wait_timeout, @@wait_timeout AS w",
        "SET character_set_results = NULL",
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!is_noise(texts[i]))
            fail_msg("%s", texts[i]);
}

static void what_looks_like_it_is_none(void **state)
{
    static const char *const texts[] = {
        "BEGIN NOT ATOMIC SELECT 1; END",
        "SET NAMES utf8mb4, @a = 1",
        "SET NAMES utf8mb4 COLLATE utf8mb4_bin, GLOBAL general_log = 1",
        "SET sql_mode = 'ANSI_QUOTES'",
        "SET autocommit = 0, GLOBAL general_log = 1",
        "SET GLOBAL autocommit = 0",
        "SELECT 1 FROM t",
        "SELECT 1 INTO OUTFILE '/tmp/x'",
        "SELECT 1 UNION SELECT 2",
        "SELECT @@a INTO @b",
        "SELECT @@version_comment FROM t LIMIT 1",
        "SELECT @@a, (SELECT 1 FROM t)",
        "SELECT @@a AS x, b",
        "SELECT @a",
        "SELECT SLEEP(1)",
        "SELECT /*M! SLEEP(1), */ 1",
        "SELECT 1 /*!50000 INTO OUTFILE 'x' */",
        "ROLLBACK TO SAVEPOINT a",
        "EXECUTE IMMEDIATE 'SELECT 1'",
        "PREPARE p FROM 'COMMIT'",
        "EXECUTE IMMEDIATE @x",
        "SELECT",
        "SET",
        "",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (is_noise(texts[i]))
            fail_msg("%s", texts[i]);
}

/* In a mode that is not known it could be another text. */
static void what_is_not_read_is_no_noise(void **state)
{
    struct text_session session;
    struct statement statement;
    (void)state;
    test_statement(&session, &statement, "SELECT 'x'", 10);
    assert_true(statement_is_noise(&statement));
    session.session.number[WEIR_NUMBER_reading_known] = 0;
    statement_begin(&statement, &session.session);
    assert_false(statement_is_noise(&statement));
    text_session_close(&session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_drivers_send_is_noise),
        cmocka_unit_test(what_looks_like_it_is_none),
        cmocka_unit_test(what_is_not_read_is_no_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
