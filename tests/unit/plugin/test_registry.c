/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of plugins and the order of their events, with real shared objects that a test makes and
 * loads. */
#include "workshop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NO_WORDS "it didn't say why (weir_fail())"

/* Settings: record = FOLDER/record for every plugin; do = what the test says, for the plugin it
 * names. */
static const char *order_for, *order;
static const char *setting(void *user, const char *plugin, const char *key)
{
    if (strcmp(key, "record") == 0)
        return workshop_path(user, "record");
    if (strcmp(key, "do") == 0 && order && strcmp(plugin, order_for) == 0)
        return order;
    return NULL;
}

static struct plugin_registry *try_load(struct workshop *workshop, const char *list, bool skip,
                                        struct error *error)
{
    static char folder[128];
    snprintf(folder, sizeof folder, "%s/out", workshop->folder);
    unlink(workshop_path(workshop, "record"));
    error->message[0] = '\0';
    struct plugin_options options = {.directory = folder,
                                     .load = list,
                                     .skip_on_failure = skip,
                                     .settings.value = setting,
                                     .settings.user = workshop};
    return plugin_registry_load(&options, error);
}

static struct plugin_registry *load(struct workshop *workshop, const char *list)
{
    struct error error;
    order = NULL;
    struct plugin_registry *registry = try_load(workshop, list, false, &error);
    assert_string_equal(error.message, "");
    assert_non_null(registry);
    return registry;
}

/* Forgets what was recorded so far. */
static void clear_record(struct workshop *workshop)
{
    unlink(workshop_path(workshop, "record"));
}

#define assert_record(workshop, expected)                                                          \
    assert_string_equal(workshop_read(workshop, "record"), expected)

static weir_string string(const char *text)
{
    return (weir_string){text, strlen(text)};
}

/* A session whose statement orders `what` of the plugin `whom`. */
static struct weir_session session_of(const char *whom, const char *what)
{
    struct weir_session session;
    plugin_session_init(&session);
    session.text[WEIR_TEXT_user] = string(whom);
    session.text[WEIR_TEXT_sql] = string(what);
    session.text[WEIR_TEXT_command] = string("Query");
    return session;
}

/* ---- Order ---- */

static void everything_comes_in_the_order_of_plugin_load(void **state)
{
    struct workshop *workshop = *state;
    workshop_recorder(workshop, "b", "1", "");
    workshop_recorder(workshop, "a", "2.0", "license = \"MIT\"\n");
    struct plugin_registry *registry = load(workshop, "b-1, a-2.0");
    assert_record(workshop, "b Validate\na Validate\nb OnInit\na OnInit\n");
    clear_record(workshop);
    struct weir_session session = session_of("", "");
    assert_true(connection_event(registry, &session, WEIR_PRE_AUTH));
    assert_true(parse_event(registry, &session, WEIR_PRE_PARSE));
    assert_true(general_event(registry, &session, WEIR_STARTING));
    plugin_global_variable_event(registry, &session, string("x"), string("1"));
    assert_record(workshop, "b connection PreAuth\na connection PreAuth\n"
                            "b parse PreParse\na parse PreParse\n"
                            "b general Starting Query\na general Starting Query\n"
                            "b variable x=1\na variable x=1\n");
    clear_record(workshop);
    assert_int_equal(plugin_registry_subscribed(registry), 15);
    assert_int_equal(plugin_count(registry), 2);
    struct plugin_row row = plugin_row_at(registry, 1);
    assert_string_equal(row.name, "a");
    assert_string_equal(row.status, "Ready-enable");
    assert_string_equal(row.type, "Audit");
    assert_string_equal(row.library, workshop_path(workshop, "out/a-2.0.so"));
    assert_string_equal(row.license, "MIT");
    assert_string_equal(row.version, "2.0");
    plugin_registry_shutdown(registry);
    assert_record(workshop, "a OnShutdown\nb OnShutdown\n");
}

static void no_plugins_is_fine(void **state)
{
    struct plugin_registry *registry = load(*state, NULL);
    struct weir_session session = session_of("", "refuse");
    assert_int_equal(plugin_registry_subscribed(registry), 0);
    assert_int_equal(plugin_count(registry), 0);
    assert_true(general_event(registry, &session, WEIR_STARTING));
    plugin_registry_shutdown(registry);
}

/* ---- Verdicts ---- */

struct outcome {
    const char *what;
    bool goes_on;
    uint32_t code;
    const char *sqlstate, *message;
};

static void check_outcome(struct plugin_registry *registry, const struct outcome *expected)
{
    struct weir_session session = session_of("a", expected->what);
    assert_int_equal(general_event(registry, &session, WEIR_STARTING), expected->goes_on);
    if (expected->goes_on)
        return;
    assert_int_equal(verdict.refusal.code, expected->code);
    assert_string_equal(verdict.refusal.message, expected->message);
    assert_string_equal(verdict.refusal.sqlstate, expected->sqlstate);
    assert_string_equal(verdict.refusal.by, "a");
}

static void a_refusal_carries_the_plugins_words(void **state)
{
    struct workshop *workshop = *state;
    workshop_recorder(workshop, "a", "1", "");
    workshop_recorder(workshop, "b", "1", "");
    struct plugin_registry *registry = load(workshop, "a-1,b-1");
    static const struct outcome outcomes[] = {
        {"fine", true, 0, "", ""},
        {"refuse", false, 4031, "42000", "no thanks"},
        {"default", false, 1045, "28000", "by default"},
        {"wordless", false, 1045, "28000", "plugin a refused this"},
        {"fine", true, 0, "", ""},
    };
    for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++)
        check_outcome(registry, &outcomes[i]);
    clear_record(workshop);
    struct weir_session session = session_of("a", "refuse");
    assert_false(general_event(registry, &session, WEIR_STARTING));
    assert_false(parse_event(registry, &session, WEIR_PRE_PARSE));
    assert_false(connection_event(registry, &session, WEIR_PRE_AUTH));
    assert_false(connection_event(registry, &session, WEIR_CHANGE_USER));
    /* Whoever comes behind hears of it too, and cannot change it. */
    assert_record(workshop, "a general Starting Query\nb general Starting Query\n"
                            "a parse PreParse\nb parse PreParse\n"
                            "a connection PreAuth\nb connection PreAuth\n"
                            "a connection ChangeUser\nb connection ChangeUser\n");
    plugin_registry_shutdown(registry);
}

static void what_has_happened_cannot_be_refused_and_everybody_hears_of_it(void **state)
{
    struct workshop *workshop = *state;
    workshop_recorder(workshop, "a", "1", "");
    workshop_recorder(workshop, "b", "1", "");
    struct plugin_registry *registry = load(workshop, "a-1,b-1");
    struct weir_session session = session_of("a", "refuse");
    general_event(registry, &session, WEIR_STARTING);
    clear_record(workshop);
    assert_true(general_event(registry, &session, WEIR_COMPLETED));
    assert_true(connection_event(registry, &session, WEIR_CONNECTED));
    session.text[WEIR_TEXT_sql] = string("fail");
    assert_false(general_event(registry, &session, WEIR_ERROR));
    assert_string_equal(verdict.refusal.by, "a");
    assert_false(connection_event(registry, &session, WEIR_DISCONNECT));
    assert_record(workshop, "a general Completed Query\nb general Completed Query\n"
                            "a connection Connected\nb connection Connected\n"
                            "a general Error Query\nb general Error Query\n"
                            "a connection Disconnect\nb connection Disconnect\n");
    plugin_registry_shutdown(registry);
}

static void on_failure_decides_what_a_failure_means(void **state)
{
    struct workshop *workshop = *state;
    static const struct outcome strict[] = {
        {"fail", false, 1105, "HY000",
         "plugin a failed, and its on_failure is \"refuse\"; the server's log says more"},
        {"nonsense", false, 1105, "HY000",
         "plugin a failed, and its on_failure is \"refuse\"; the server's log says more"},
    };
    static const struct outcome lenient[] = {{"fail", true, 0, "", ""},
                                             {"nonsense", true, 0, "", ""},
                                             {"refuse", false, 4031, "42000", "no thanks"}};
    workshop_recorder(workshop, "a", "1", "");
    struct plugin_registry *registry = load(workshop, "a-1");
    for (size_t i = 0; i < sizeof strict / sizeof *strict; i++)
        check_outcome(registry, &strict[i]);
    plugin_registry_shutdown(registry);
    workshop_recorder(workshop, "a", "2", "on_failure = \"allow\"\n");
    registry = load(workshop, "a-2");
    for (size_t i = 0; i < sizeof lenient / sizeof *lenient; i++)
        check_outcome(registry, &lenient[i]);
    plugin_registry_shutdown(registry);
}

/* ---- Administration ---- */

static void a_disabled_plugin_hears_nothing_that_begins(void **state)
{
    struct workshop *workshop = *state;
    struct error error = {""};
    workshop_recorder(workshop, "a", "1", "needs = [\"account\"]\n");
    workshop_recorder(workshop, "b", "1", "");
    struct plugin_registry *registry = load(workshop, "a-1,b-1");
    struct weir_session session = session_of("", "");
    assert_int_equal(plugin_registry_subscribed(registry), 15 | PLUGIN_NEEDS_ACCOUNT);
    assert_int_equal(plugin_set_enabled(registry, NULL, "a", false, &error), 0);
    assert_string_equal(plugin_row_at(registry, 0).status, "Ready-disable");
    assert_string_equal(plugin_row_at(registry, 1).status, "Ready-enable");
    clear_record(workshop);
    connection_event(registry, &session, WEIR_CHANGE_USER);
    general_event(registry, &session, WEIR_STARTING);
    assert_record(workshop, "b connection ChangeUser\nb general Starting Query\n");
    assert_int_equal(plugin_set_enabled(registry, NULL, "b", false, &error), 0);
    assert_int_equal(plugin_registry_subscribed(registry), PLUGIN_NEEDS_ACCOUNT);
    assert_int_equal(plugin_set_enabled(registry, NULL, "a", true, &error), 0);
    assert_int_equal(plugin_registry_subscribed(registry), 15 | PLUGIN_NEEDS_ACCOUNT);
    assert_int_equal(plugin_set_enabled(registry, NULL, "c", true, &error), -1);
    assert_string_equal(error.message, "plugin c doesn't exist; SHOW PLUGINS lists those that do");
    plugin_registry_shutdown(registry);
}

static void every_beginning_has_its_end_whatever_is_switched_meanwhile(void **state)
{
    struct workshop *workshop = *state;
    struct error error = {""};
    workshop_recorder(workshop, "a", "1", "");
    workshop_recorder(workshop, "b", "1", "");
    struct plugin_registry *registry = load(workshop, "a-1,b-1");
    struct weir_session session = session_of("", "");
    assert_int_equal(plugin_set_enabled(registry, NULL, "b", false, &error), 0);
    connection_event(registry, &session, WEIR_CONNECTED);
    session.number[WEIR_NUMBER_statement_index] = 0;
    general_event(registry, &session, WEIR_STARTING);
    assert_int_equal(plugin_set_enabled(registry, NULL, "a", false, &error), 0);
    assert_int_equal(plugin_set_enabled(registry, NULL, "b", true, &error), 0);
    session.number[WEIR_NUMBER_statement_index] = 1; /* of the same text */
    general_event(registry, &session, WEIR_STARTING);
    clear_record(workshop);
    general_event(registry, &session, WEIR_COMPLETED);
    general_event(registry, &session, WEIR_ERROR);
    assert_record(workshop, "a general Completed Query\na general Error Query\n");
    clear_record(workshop);
    connection_event(registry, &session, WEIR_DISCONNECT);
    assert_record(workshop, "a connection Disconnect\nb connection Disconnect\n");
    plugin_registry_shutdown(registry);
}

static void a_session_that_only_statements_showed_ends_for_its_plugin_too(void **state)
{
    struct workshop *workshop = *state;
    struct error error = {""};
    workshop_recorder(workshop, "a", "1", "");
    struct plugin_registry *registry = load(workshop, "a-1");
    struct weir_session session = session_of("", "");
    general_event(registry, &session, WEIR_STARTING);
    assert_int_equal(plugin_set_enabled(registry, NULL, "a", false, &error), 0);
    clear_record(workshop);
    connection_event(registry, &session, WEIR_REJECT);
    assert_record(workshop, "a connection Reject\n");
    plugin_registry_shutdown(registry);
}

static void plugins_are_told_what_becomes_of_plugins(void **state)
{
    struct workshop *workshop = *state;
    struct error error = {""};
    workshop_recorder(workshop, "a", "1", "");
    workshop_recorder(workshop, "b", "1", "onFlush = \"OnFlush\"\n");
    struct plugin_registry *registry = load(workshop, "a-1,b-1");
    clear_record(workshop);
    assert_int_equal(plugin_set_enabled(registry, NULL, "a", false, &error), 0);
    assert_int_equal(plugin_flush(registry, NULL, "b", &error), 0);
    assert_int_equal(plugin_set_enabled(registry, NULL, "a", true, &error), 0);
    assert_record(workshop, "a plugin Disabling a\nb plugin Disabling a\n"
                            "b OnFlush\nb plugin Flushed b\n"
                            "a plugin Enabled a\nb plugin Enabled a\n");
    plugin_registry_shutdown(registry);
}

static void flush_calls_on_flush_and_says_what_it_says(void **state)
{
    struct workshop *workshop = *state;
    struct error error = {""};
    workshop_recorder(workshop, "a", "1", "onFlush = \"OnFlush\"\n");
    workshop_recorder(workshop, "b", "1", "");
    struct plugin_registry *registry = load(workshop, "a-1,b-1");
    clear_record(workshop);
    assert_int_equal(plugin_flush(registry, NULL, "a", &error), 0);
    assert_record(workshop, "a OnFlush\na plugin Flushed a\nb plugin Flushed a\n");
    order_for = "a";
    order = "OnFlush";
    assert_int_equal(plugin_flush(registry, NULL, "a", &error), -1);
    assert_string_equal(error.message, "plugin a: OnFlush failed: told to, in OnFlush");
    order = "mute";
    assert_int_equal(plugin_flush(registry, NULL, "a", &error), -1);
    assert_string_equal(error.message, "plugin a: OnFlush failed: " NO_WORDS);
    order = NULL;
    assert_int_equal(plugin_flush(registry, NULL, "b", &error), -1);
    assert_string_equal(error.message,
                        "plugin b doesn't support flush: its manifest has no onFlush");
    assert_int_equal(plugin_flush(registry, NULL, "c", &error), -1);
    assert_string_equal(error.message, "plugin c doesn't exist; SHOW PLUGINS lists those that do");
    plugin_registry_shutdown(registry);
}

/* ---- What fails ---- */

static void a_plugin_that_fails_stops_the_start(void **state)
{
    struct workshop *workshop = *state;
    struct error error;
    workshop_recorder(workshop, "a", "1", "");
    workshop_recorder(workshop, "b", "1", "");
    order_for = "b";
    order = "Validate";
    assert_null(try_load(workshop, "a-1,b-1", false, &error));
    assert_string_equal(error.message, "plugin b: Validate failed: told to, in Validate");
    assert_record(workshop, "a Validate\nb Validate\n");
    order = "OnInit";
    assert_null(try_load(workshop, "a-1,b-1", false, &error));
    assert_string_equal(error.message, "plugin b: OnInit failed: told to, in OnInit");
    assert_record(workshop, "a Validate\nb Validate\na OnInit\nb OnInit\na OnShutdown\n");
}

static void skip_on_failure_loads_the_rest(void **state)
{
    struct workshop *workshop = *state;
    struct error error;
    workshop_recorder(workshop, "a", "1", "onFlush = \"OnFlush\"\n");
    workshop_recorder(workshop, "b", "1", "");
    order_for = "a";
    order = "Validate";
    struct plugin_registry *registry = try_load(workshop, "a-1,absent-1,b-1", true, &error);
    assert_non_null(registry);
    assert_int_equal(plugin_count(registry), 2);
    assert_string_equal(plugin_row_at(registry, 0).status, "Disable-enable");
    assert_string_equal(plugin_row_at(registry, 1).status, "Ready-enable");
    clear_record(workshop);
    struct weir_session session = session_of("", "");
    general_event(registry, &session, WEIR_STARTING);
    assert_record(workshop, "b general Starting Query\n");
    assert_int_equal(plugin_flush(registry, NULL, "a", &error), -1);
    assert_string_equal(error.message, "plugin a isn't ready; the server's log says why");
    plugin_registry_shutdown(registry);
    assert_record(workshop, "b general Starting Query\nb OnShutdown\n");
}

/* Replaces the first `from` in out/NAME by `to`, of the same length. */
static void patch(struct workshop *workshop, const char *name, const char *from, const char *to)
{
    FILE *file = fopen(workshop_path(workshop, "out/%s", name), "r+");
    assert_non_null(file);
    size_t size = fread(workshop->text, 1, sizeof workshop->text, file);
    char *found = memmem(workshop->text, size, from, strlen(from));
    assert_non_null(found);
    fseek(file, found - workshop->text, SEEK_SET);
    fputs(to, file);
    fclose(file);
}

static void what_cannot_be_loaded_says_why(void **state)
{
    struct workshop *workshop = *state;
    workshop_recorder(workshop, "a", "1", "");
    workshop_recorder(workshop, "far", "1", "require_version = \"9.1\"\n");
    workshop_recorder(workshop, "newer", "1", "");
    workshop_recorder(workshop, "torn", "1", "");
    workshop_recorder(workshop, "lies", "1", "");
    workshop_write(workshop, "out/text-1.so", "not ELF at all\n");
    workshop_write(workshop, "out/empty-1.so", "");
    patch(workshop, "newer-1.so", "\"api_version\": 1", "\"api_version\": 7");
    patch(workshop, "torn-1.so", "\"version\": \"1\"", "\"version: \"1\"\"");
    patch(workshop, "lies-1.so", "\"name\": \"lies\"", "\"name\": \"lied\"");
    rename(workshop_path(workshop, "out/lies-1.so"), workshop_path(workshop, "out/lied-1.so"));
    assert_int_equal(
        link(workshop_path(workshop, "out/a-1.so"), workshop_path(workshop, "out/z-1.so")), 0);
    assert_int_equal(
        link(workshop_path(workshop, "out/a-1.so"), workshop_path(workshop, "out/a-2.so")), 0);
    assert_int_equal(
        symlink("/lib/x86_64-linux-gnu/libc.so.6", workshop_path(workshop, "out/libc-6.so")), 0);
    static const struct {
        const char *load, *message; /* %1$s is the folder out */
    } rows[] = {
        {"a", "-plugin-load a: a plugin is named NAME-VERSION, as in conn_ip_example-1"},
        {"-1", "-plugin-load -1: a plugin is named NAME-VERSION, as in conn_ip_example-1"},
        {"../a-1", "-plugin-load ../a-1: a plugin is named NAME-VERSION, as in conn_ip_example-1"},
        {"a-3",
         "-plugin-load a-3: %1$s/a-3.so: No such file or directory; package it with pluginpkg"},
        {"a-1,a-1", "-plugin-load a-1: plugin a is named twice"},
        {"text-1", "%1$s/text-1.so: not an ELF file; pluginpkg makes plugins"},
        {"empty-1", "%1$s/empty-1.so: not an ELF file; pluginpkg makes plugins"},
        {"libc-6", "/usr/lib/x86_64-linux-gnu/libc.so.6: not a plugin of weir: it has no section "
                   ".weir.manifest; pluginpkg makes plugins"},
        {"z-1", "%1$s/z-1.so: its manifest names the plugin \"a\"; the file should be a-1.so"},
        {"a-2", "%1$s/a-2.so: its manifest says version \"1\"; the file should be a-1.so"},
        {"far-1",
         "%1$s/far-1.so: plugin far needs weir 9.1 or newer, and this is weir " WEIR_VERSION},
        {"newer-1", "%1$s/newer-1.so: built for version 7 of the plugin API, and this server has "
                    "version 1; update weir, or package the plugin with this weir's pluginpkg"},
        {"torn-1", "%1$s/torn-1.so: its manifest is damaged (':' expected near '1'); package the "
                   "plugin again"},
        {"lied-1", "%1$s/lied-1.so: weir_plugin_manifest differs from the manifest in section "
                   ".weir.manifest; package the plugin again"},
    };
    order = NULL;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error error;
        char expected[1024], out[128];
        snprintf(out, sizeof out, "%s", workshop_path(workshop, "out"));
        const char *rest = strncmp(rows[i].message, "%1$s", 4) == 0 ? rows[i].message + 4 : NULL;
        const char *inside = strstr(rows[i].message, ": %1$s");
        if (rest)
            snprintf(expected, sizeof expected, "%s%s", out, rest);
        else if (inside)
            snprintf(expected, sizeof expected, "%.*s: %s%s", (int)(inside - rows[i].message),
                     rows[i].message, out, inside + 6);
        else
            snprintf(expected, sizeof expected, "%s", rows[i].message);
        assert_null(try_load(workshop, rows[i].load, false, &error));
        assert_string_equal(error.message, expected);
    }
    struct error error;
    struct plugin_options nowhere = {.load = "a-1"};
    assert_null(plugin_registry_load(&nowhere, &error));
    assert_string_equal(error.message, "-plugin-load a-1: needs -plugin-dir, the folder of a-1.so");
}

int main(void)
{
    log_set_level(LOG_LEVEL_ERROR);
#define TEST(name) cmocka_unit_test_setup_teardown(name, workshop_open, workshop_close)
    const struct CMUnitTest tests[] = {
        TEST(everything_comes_in_the_order_of_plugin_load),
        TEST(no_plugins_is_fine),
        TEST(a_refusal_carries_the_plugins_words),
        TEST(what_has_happened_cannot_be_refused_and_everybody_hears_of_it),
        TEST(on_failure_decides_what_a_failure_means),
        TEST(a_disabled_plugin_hears_nothing_that_begins),
        TEST(every_beginning_has_its_end_whatever_is_switched_meanwhile),
        TEST(a_session_that_only_statements_showed_ends_for_its_plugin_too),
        TEST(plugins_are_told_what_becomes_of_plugins),
        TEST(flush_calls_on_flush_and_says_what_it_says),
        TEST(a_plugin_that_fails_stops_the_start),
        TEST(skip_on_failure_loads_the_rest),
        TEST(what_cannot_be_loaded_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
