/* SPDX-License-Identifier: Apache-2.0
 *
 * The plugin of docs/plugin-guide.md, taken out of the page: it compiles without a warning and does
 * what the page says. */
#include "workshop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *setting(void *user, const char *plugin, const char *key)
{
    return user && strcmp(plugin, "no_drop") == 0 && strcmp(key, "owner") == 0 ? user : NULL;
}

/* Writes the guide's first fenced block of a language into a file of the workshop. */
static void take_block(struct workshop *workshop, const char *language, const char *name)
{
    char fence[32];
    snprintf(fence, sizeof fence, "\n```%s\n", language);
    char *begin = strstr(workshop_read(workshop, TEST_GUIDE), fence);
    assert_non_null(begin);
    begin += strlen(fence);
    char *end = strstr(begin, "\n```\n");
    assert_non_null(end);
    end[1] = '\0';
    workshop_write(workshop, name, begin);
}

static struct plugin_registry *load(const struct workshop *workshop, const char *owner,
                                    struct error *error)
{
    error->message[0] = '\0';
    struct plugin_options options = {.directory = workshop_path(workshop, "out"),
                                     .load = "no_drop-1",
                                     .setting = setting,
                                     .setting_user = (void *)owner};
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
    take_block(workshop, "toml", "no_drop/manifest.toml");
    take_block(workshop, "c", "no_drop/no_drop.c");
    setenv("CFLAGS", "-Wextra -Werror", 1);
    workshop_package(workshop, "no_drop", &error);
    unsetenv("CFLAGS");
    assert_string_equal(error.message, "");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_guides_plugin_does_what_the_guide_says, workshop_open,
                                        workshop_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
