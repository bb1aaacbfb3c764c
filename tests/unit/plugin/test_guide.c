/* SPDX-License-Identifier: Apache-2.0
 *
 * The plugins of docs/plugin-guide.md, taken out of the page: they compile without a warning and do
 * what the page says. */
#include "workshop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *setting(void *user, const char *plugin, const char *key)
{
    return user && strcmp(plugin, "no_drop") == 0 && strcmp(key, "owner") == 0 ? user : NULL;
}

/* Writes the guide's first fenced block of a language that begins so into a file of the workshop. */
static void take_block(struct workshop *workshop, const char *language, const char *first,
                       const char *name)
{
    char fence[64];
    snprintf(fence, sizeof fence, "\n```%s\n%s", language, first);
    char *begin = strstr(workshop_read(workshop, TEST_GUIDE), fence);
    assert_non_null(begin);
    snprintf(fence, sizeof fence, "\n```%s\n", language);
    begin += strlen(fence);
    char *end = strstr(begin, "\n```\n");
    assert_non_null(end);
    end[1] = '\0';
    workshop_write(workshop, name, begin);
}

static void package(const struct workshop *workshop, const char *name)
{
    struct error error = {""};
    setenv("CFLAGS", "-Wextra -Werror", 1);
    workshop_package(workshop, name, &error);
    unsetenv("CFLAGS");
    assert_string_equal(error.message, "");
}

static struct plugin_registry *load(const struct workshop *workshop, const char *owner,
                                    struct error *error)
{
    error->message[0] = '\0';
    struct plugin_options options = {.directory = workshop_path(workshop, "out"),
                                     .load = "no_drop-1",
                                     .settings.value = setting,
                                     .settings.user = (void *)owner};
    return plugin_registry_load(&options, error);
}

static bool may(struct plugin_registry *registry, struct weir_session *session, const char *user,
                const char *sql)
{
    plugin_session_init(session);
    session->text[WEIR_TEXT_user] = (weir_string){user, strlen(user)};
    session->text[WEIR_TEXT_sql] = (weir_string){sql, strlen(sql)};
    session->text[WEIR_TEXT_command] = (weir_string){"Query", 5};
    return general_event(registry, session, WEIR_STARTING);
}

static void the_guides_plugin_does_what_the_guide_says(void **state)
{
    struct workshop *workshop = *state;
    struct error error = {""};
    struct weir_session session;
    take_block(workshop, "toml", "name = \"no_drop\"", "no_drop/manifest.toml");
    take_block(workshop, "c", "#include <stdatomic.h>", "no_drop/no_drop.c");
    package(workshop, "no_drop");
    assert_null(load(workshop, NULL, &error));
    assert_string_equal(error.message, "plugin no_drop: OnInit failed: set owner in "
                                       "[plugin.no_drop] of the configuration file");
    struct plugin_registry *registry = load(workshop, "root", &error);
    assert_string_equal(error.message, "");
    assert_true(may(registry, &session, "joe", "select 1"));
    assert_true(may(registry, &session, "root", "drop table t"));
    assert_false(may(registry, &session, "joe", "Drop table t"));
    assert_int_equal(verdict.refusal.code, 1142);
    assert_string_equal(verdict.refusal.sqlstate, "42000");
    assert_string_equal(verdict.refusal.message, "only root may do this (Query)");
    assert_false(may(registry, &session, "joe", "truncate t"));
    assert_int_equal(plugin_flush(registry, NULL, "no_drop", &error), 0);
    plugin_registry_shutdown(registry);
}

/* Users come to a server that ends then. */
static void serve(const struct workshop *workshop, const char *const *users)
{
    struct error error = {""};
    struct plugin_storage *storage = plugin_storage_new(NULL, "/weir", workshop->folder);
    assert_non_null(storage);
    struct plugin_options options = {
        .directory = workshop_path(workshop, "out"), .load = "newcomers-1", .storage = storage};
    struct plugin_registry *registry = plugin_registry_load(&options, &error);
    assert_string_equal(error.message, "");
    for (; *users; users++) {
        struct weir_session session;
        plugin_session_init(&session);
        session.text[WEIR_TEXT_user] = (weir_string){*users, strlen(*users)};
        assert_true(connection_event(registry, &session, WEIR_CONNECTED));
    }
    plugin_registry_shutdown(registry);
    plugin_storage_free(storage);
}

static size_t times_in(const char *text, const char *what)
{
    size_t count = 0;
    for (; (text = strstr(text, what)) != NULL; text += strlen(what))
        count++;
    return count;
}

static void newcomers_are_new_once_also_after_a_restart(void **state)
{
    struct workshop *workshop = *state;
    struct error error = {""};
    take_block(workshop, "toml", "name = \"newcomers\"", "newcomers/manifest.toml");
    take_block(workshop, "c", "#include <stdlib.h>", "newcomers/newcomers.c");
    package(workshop, "newcomers");
    assert_int_equal(log_open(workshop_path(workshop, "log"), &error), 0);
    serve(workshop, (const char *const[]){"joe", "ann", "joe", NULL});
    serve(workshop, (const char *const[]){"joe", "eve", NULL});
    const char *text = workshop_read(workshop, "log");
    const size_t joe = times_in(text, "newcomers: joe is new here"),
                 ann = times_in(text, "newcomers: ann is new here"),
                 eve = times_in(text, "newcomers: eve is new here"), all = times_in(text, "is new");
    assert_int_equal(log_open(NULL, &error), 0);
    assert_int_equal(joe, 1);
    assert_int_equal(ann, 1);
    assert_int_equal(eve, 1);
    assert_int_equal(all, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(newcomers_are_new_once_also_after_a_restart, workshop_open,
                                        workshop_close),
        cmocka_unit_test_setup_teardown(the_guides_plugin_does_what_the_guide_says, workshop_open,
                                        workshop_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
