/* SPDX-License-Identifier: Apache-2.0
 *
 * ADMIN SHOW PROCESSLIST [CLUSTER], with sessions of the test's own. */
#include "driver.h"

#include <string.h>

static struct driver *driver;
static struct session_operations operations;

static void give(struct session_process_list *list, const struct session_process_row *row)
{
    if (!list->user || strcmp(list->user, row->user) == 0)
        list->each(list, row);
}

static void processes(void *owner, struct session_process_list *list)
{
    static const struct session_process_row rows[] = {
        {0, 9, 3, "joe", "10.0.0.1", "shop", "Query", "running", "abc", "select ?"},
        {0, 8, -1, "jim", "localhost", "", "Sleep", "ready", "", ""},
    };
    (void)owner;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        give(list, &rows[i]);
}

static void processes_of_others(void *owner, struct session_process_list *list)
{
    static const struct session_process_row row = {1026, 7,       0,       "joe", "10.0.0.2",
                                                   "",   "Sleep", "ready", "",    ""};
    (void)owner;
    give(list, &row);
    strbuf_add_text(list->warnings, "sessions of node 1027 are missing");
}

static const struct session_cluster cluster = {.processes = processes_of_others};

static int reset(void **state)
{
    driver = *state;
    driver_reset(driver);
    operations = *driver->environment.operations;
    operations.processes = processes;
    driver->environment.operations = &operations;
    driver->environment.cluster = NULL;
    return 0;
}

/* The statement, of somebody who has been granted that; NULL: it cannot be read. */
static const char *list_as(const char *grants, const char *sql)
{
    driver_reset(driver);
    if (grants)
        driver_reply_rows(driver, WIRE_TYPE_VAR_STRING, 1, &grants, 1);
    else
        driver_reply_error(driver, 1141, "There is no such grant defined");
    driver_reply_ok(driver, NULL); /* to a warning */
    return driver_query(driver, sql);
}

#define PROCESS "GRANT PROCESS ON *.* TO `u`@`%`"

#define COLUMNS "rows Id,Node,User,Host,db,Command,Time,State,Digest,Info;"
#define JIM     "8,NULL,jim,localhost,NULL,Sleep,NULL,ready,NULL,NULL"
#define JOE     "9,NULL,joe,10.0.0.1,shop,Query,3,running,abc,select ?"

static void sessions_are_listed_by_their_ids(void **state)
{
    (void)state;
    assert_string_equal(list_as(PROCESS, "admin show Processlist;"), COLUMNS JIM ";" JOE);
}

static void who_has_no_privilege_reads_his_own(void **state)
{
    (void)state;
    driver->observed.identity.user = strdup("joe");
    assert_string_equal(list_as("GRANT RELOAD ON *.* TO `u`@`%`", "ADMIN SHOW PROCESSLIST"),
                        COLUMNS JOE);
    assert_string_equal(list_as(NULL, "ADMIN SHOW PROCESSLIST"), COLUMNS JOE);
    assert_string_equal(list_as("GRANT SUPER ON *.* TO `u`@`%`", "ADMIN SHOW PROCESSLIST"),
                        COLUMNS JIM ";" JOE);
    free(driver->observed.identity.user);
    driver->observed.identity.user = NULL;
}

static void those_of_other_nodes_come_after_with_what_is_missing(void **state)
{
    (void)state;
    driver->environment.cluster = &cluster;
    assert_string_equal(list_as(PROCESS, "ADMIN SHOW PROCESSLIST CLUSTER"),
                        COLUMNS JIM ";" JOE ";7,1026,joe,10.0.0.2,NULL,Sleep,0,ready,NULL,NULL");
    assert_non_null(strstr(driver->queries.data, "0x73657373696f6e73")); /* sessions */
    assert_string_equal(list_as(PROCESS, "ADMIN SHOW PROCESSLIST"), COLUMNS JIM ";" JOE);
}

static void what_is_not_the_grammar_is_refused(void **state)
{
    (void)state;
    assert_string_equal(driver_query(driver, "ADMIN SHOW PROCESSLIST all"),
                        "error 1064 You have an error in your SQL syntax: give ADMIN SHOW "
                        "PROCESSLIST, or ADMIN SHOW PROCESSLIST CLUSTER");
    assert_memory_equal(driver_prepare(driver, "ADMIN SHOW PROCESSLIST"), "error 1295 ", 11);
    driver->observed.identity.multi_statements = true;
    assert_memory_equal(driver_query(driver, "ADMIN SHOW PROCESSLIST; SELECT 1"), "error 1235 ",
                        11);
    driver->observed.identity.multi_statements = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(sessions_are_listed_by_their_ids, reset),
        cmocka_unit_test_setup(who_has_no_privilege_reads_his_own, reset),
        cmocka_unit_test_setup(those_of_other_nodes_come_after_with_what_is_missing, reset),
        cmocka_unit_test_setup(what_is_not_the_grammar_is_refused, reset),
    };
    return cmocka_run_group_tests(tests, driver_open, driver_close);
}
