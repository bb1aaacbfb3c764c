/* SPDX-License-Identifier: Apache-2.0
 *
 * ADMIN SHOW NODES, and what statements about plugins ask of a cluster of the test's own. */
#include "driver.h"

#include <string.h>

static struct driver *driver;

/* ---- The cluster ---- */

static struct strbuf asked; /* of it, in order */
static bool is_away, refuses;

static int plugin_begin(void *owner, const char *plugin, struct error *error)
{
    (void)owner;
    strbuf_printf(&asked, "begin %s;", plugin);
    return refuses ? error_set(error, "nothing was done") : 0;
}

static void plugin_end(void *owner, const char *plugin, enum session_plugin_action action,
                       const char *failure, struct strbuf *warnings)
{
    (void)owner;
    strbuf_printf(&asked, "end %s %d%s;", plugin, (int)action, failure ? " failed" : "");
    if (is_away)
        strbuf_add_text(warnings, "away");
}

static bool plugin_is_elsewhere(void *owner, const char *plugin)
{
    (void)owner;
    return strcmp(plugin, "theirs") == 0;
}

static bool nodes(void *owner, void (*each)(void *user, const struct session_node_row *row),
                  void *user, struct strbuf *warnings)
{
    static const struct session_node_row rows[] = {
        {1025, true, "a:4000", "0.1.0", "v 1 Ready-enable", "v OK", "v_x: no such file", 1700000000,
         7},
        {1026, false, "", "", "", "", "", 0, 0},
    };
    (void)owner;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        each(user, &rows[i]);
    if (is_away)
        strbuf_add_text(warnings, "away");
    return !is_away;
}

static const struct session_cluster cluster = {.plugin_begin = plugin_begin,
                                               .plugin_end = plugin_end,
                                               .plugin_is_elsewhere = plugin_is_elsewhere,
                                               .nodes = nodes};

static int reset(void **state)
{
    driver = *state;
    driver_reset(driver);
    driver->grants = "GRANT SUPER ON *.* TO `u`@`%`";
    driver->environment.cluster = &cluster;
    is_away = refuses = false;
    strbuf_reset(&asked);
    return 0;
}

/* Each statement is run several times: abandoned after each of its actions, and to its end. */
static const char *last_asked(void)
{
    const char *last = strrchr(asked.data, 'b');
    return last ? last : "";
}

/* ---- Cases ---- */

static void nodes_are_shown(void **state)
{
    (void)state;
    assert_string_equal(driver_query(driver, "admin show Nodes;"),
                        "rows Id,Address,Version,Since,Here,Sessions,Plugins,Last_flush,"
                        "Refused_variables;"
                        "1025,a:4000,0.1.0,2023-11-14T22:13:20.000000Z,YES,7,v 1 Ready-enable,v OK,"
                        "v_x: no such file;"
                        "1026,NULL,NULL,NULL,NO,0,NULL,NULL,NULL");
}

static void what_is_not_the_grammar_or_not_granted_is_refused(void **state)
{
    (void)state;
    assert_string_equal(driver_query(driver, "ADMIN SHOW NODES now"),
                        "error 1064 You have an error in your SQL syntax: give ADMIN SHOW NODES");
    assert_memory_equal(driver_prepare(driver, "ADMIN SHOW NODES"), "error 1295 ", 11);
    driver->grants = "GRANT RELOAD ON *.* TO `u`@`%`";
    assert_memory_equal(driver_query(driver, "ADMIN SHOW NODES"), "error 1227 ", 11);
    driver->grants = "GRANT PROCESS ON *.* TO `u`@`%`";
    assert_memory_equal(driver_query(driver, "ADMIN SHOW NODES"), "rows ", 5);
    driver->observed.identity.multi_statements = true;
    assert_memory_equal(driver_query(driver, "ADMIN SHOW NODES; SELECT 1"), "error 1235 ", 11);
    driver->observed.identity.multi_statements = false;
}

static void others_are_asked_after_it_was_done_here(void **state)
{
    (void)state;
    assert_string_equal(driver_query(driver, "ADMIN PLUGINS DISABLE v"), "ok");
    assert_string_equal(last_asked(), "begin v;end v 2;");
    assert_string_equal(driver_query(driver, "ADMIN PLUGINS ENABLE v"), "ok");
    assert_string_equal(last_asked(), "begin v;end v 1;");
    assert_string_equal(driver_query(driver, "FLUSH PLUGINS v"), "ok");
    assert_string_equal(last_asked(), "begin v;end v 0;");
}

static void what_fails_here_is_not_asked_of_others(void **state)
{
    (void)state;
    assert_memory_equal(driver_query(driver, "FLUSH PLUGINS nothing"), "error 1105 ", 11);
    assert_string_equal(asked.data, ""); /* nobody has it */
    refuses = true;
    assert_string_equal(driver_query(driver, "ADMIN PLUGINS DISABLE v"),
                        "error 1105 nothing was done");
    assert_string_equal(last_asked(), "begin v;");
    assert_non_null(strstr(driver_query(driver, "SHOW PLUGINS"), "Ready-enable"));
}

static void a_plugin_of_other_nodes_is_flushed_and_enabled_there(void **state)
{
    (void)state;
    assert_string_equal(driver_query(driver, "FLUSH PLUGINS theirs"), "ok");
    assert_string_equal(last_asked(), "begin theirs;end theirs 0;");
    assert_string_equal(driver_query(driver, "ADMIN PLUGINS ENABLE theirs"), "ok");
    /* What it demands of whom that disables it is not known here. */
    strbuf_reset(&asked);
    assert_memory_equal(driver_query(driver, "ADMIN PLUGINS DISABLE theirs"), "error 1105 ", 11);
    assert_string_equal(asked.data, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nodes_are_shown, reset),
        cmocka_unit_test_setup(what_is_not_the_grammar_or_not_granted_is_refused, reset),
        cmocka_unit_test_setup(others_are_asked_after_it_was_done_here, reset),
        cmocka_unit_test_setup(what_fails_here_is_not_asked_of_others, reset),
        cmocka_unit_test_setup(a_plugin_of_other_nodes_is_flushed_and_enabled_there, reset),
    };
    const int failed = cmocka_run_group_tests(tests, driver_open, driver_close);
    strbuf_release(&asked);
    return failed;
}
