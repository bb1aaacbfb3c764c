/* SPDX-License-Identifier: Apache-2.0
 *
 * SHOW PLUGINS, FLUSH PLUGINS and ADMIN PLUGINS, taken apart. */
#include "../sql/sql_test.h"

#include "gateway/local/grammar_plugins.h"

static void plugin_statements_list_their_names(void **state)
{
    (void)state;
    struct grammar_plugins names;
    struct sql_span name;
    assert_true(grammar_plugins(span_of("flush tidb plugins a, `b` ;"), &plain_mode, &names));
    assert_false(names.wrong);
    assert_int_equal(names.action, GRAMMAR_PLUGINS_FLUSH);
    assert_true(grammar_plugins_next(&names, &name));
    assert_span(name, "a");
    assert_true(grammar_plugins_next(&names, &name));
    assert_span(name, "b");
    assert_false(grammar_plugins_next(&names, &name));
    assert_true(grammar_plugins(span_of("ADMIN PLUGINS DISABLE audit"), &plain_mode, &names));
    assert_int_equal(names.action, GRAMMAR_PLUGINS_DISABLE);
    assert_true(grammar_plugins(span_of("ADMIN PLUGINS ENABLE audit"), &plain_mode, &names));
    assert_int_equal(names.action, GRAMMAR_PLUGINS_ENABLE);
    static const char *const wrong[] = {"flush plugins",          "flush plugins a,",
                                        "flush plugins a b",      "admin plugins a",
                                        "admin plugins enable 1", "flush plugins a; b"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_true(grammar_plugins(span_of(wrong[i]), &plain_mode, &names));
        assert_true(names.wrong);
        assert_false(grammar_plugins_next(&names, &name));
    }
    assert_false(grammar_plugins(span_of("flush tables"), &plain_mode, &names));
    assert_false(grammar_plugins(span_of("admin check table t"), &plain_mode, &names));
}

static void show_plugins_says_its_filter(void **state)
{
    (void)state;
    struct grammar_show_plugins show;
    assert_true(grammar_show_plugins(span_of("show plugins;"), &plain_mode, &show));
    assert_false(show.filtered);
    assert_true(grammar_show_plugins(span_of("show plugins like 'a%'"), &plain_mode, &show));
    assert_true(show.filtered && show.is_like);
    assert_span(show.pattern, "a%");
    assert_true(grammar_show_plugins(span_of("show plugins where name = 'x'"), &plain_mode, &show));
    assert_true(show.filtered && !show.is_like);
    assert_false(grammar_show_plugins(span_of("show plugins soname 'x'"), &plain_mode, &show));
    assert_false(grammar_show_plugins(span_of("show tables"), &plain_mode, &show));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plugin_statements_list_their_names),
        cmocka_unit_test(show_plugins_says_its_filter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
