/* SPDX-License-Identifier: Apache-2.0
 *
 * Sets of filters that two nodes have made of one: what either has changed is so afterwards. */
#include <stdlib.h>
#include <weir/text.h>

#include "audit_test.h"
#include "filter.h"
#include "filter_text.h"

#define ALL "{\"filter\": {\"log\": true}}"
#define OFF "{\"filter\": {\"log\": false}}"

/* Merges, and compares with what it should be; the result can be read as filters. */
static void check(const char *base, const char *mine, const char *theirs, const char *expected)
{
    struct error error;
    char *merged = filters_merge(text_of(base), text_of(mine), text_of(theirs));
    assert_non_null(merged);
    json_t *found = json_loads(merged, 0, NULL), *wanted = json_loads(expected, 0, NULL);
    assert_non_null(wanted);
    if (!json_equal(found, wanted))
        fail_msg("%s", merged);
    struct filters *filters = filters_parse(merged, strlen(merged), "merged", &error);
    assert_non_null(filters);
    filters_free(filters);
    json_decref(found);
    json_decref(wanted);
    free(merged);
}

static void test_what_either_has_added_is_there(void **state)
{
    (void)state;
    check("{}", "{\"filters\": {\"a\": " ALL "}, \"users\": {\"%\": \"a\"}}",
          "{\"filters\": {\"b\": " OFF "}, \"users\": {\"x@y\": \"b\"}}",
          "{\"filters\": {\"a\": " ALL ", \"b\": " OFF
          "}, \"users\": {\"%\": \"a\", \"x@y\": \"b\"}}");
}

static void test_what_either_has_changed_or_removed_is_so(void **state)
{
    (void)state;
    check("{\"filters\": {\"a\": " ALL ", \"b\": " ALL ", \"c\": " ALL "}}",
          "{\"filters\": {\"a\": " OFF ", \"b\": " ALL ", \"c\": " ALL "}}",
          "{\"filters\": {\"a\": " ALL ", \"b\": " OFF "}}",
          "{\"filters\": {\"a\": " OFF ", \"b\": " OFF "}, \"users\": {}}");
    check("{\"filters\": {\"a\": " ALL ", \"b\": " ALL "}}", "{\"filters\": {\"a\": " ALL "}}",
          "{\"filters\": {\"a\": " OFF ", \"b\": " ALL "}}",
          "{\"filters\": {\"a\": " OFF "}, \"users\": {}}");
}

static void test_of_one_that_both_have_changed_mine_counts(void **state)
{
    (void)state;
    check("{}", "{\"filters\": {\"a\": " OFF "}}", "{\"filters\": {\"a\": " ALL "}}",
          "{\"filters\": {\"a\": " OFF "}, \"users\": {}}");
}

static void test_an_account_whose_filter_is_gone_has_none(void **state)
{
    (void)state;
    check("{\"filters\": {\"a\": " ALL "}}",
          "{\"filters\": {\"a\": " ALL "}, \"users\": {\"x@y\": \"a\", \"%\": \"a\"}}",
          "{\"filters\": {}}", "{\"filters\": {}, \"users\": {}}");
}

static void test_what_is_no_set_is_not_merged(void **state)
{
    static const char *const wrong[] = {"", "nonsense", "[]", "1"};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_null(filters_merge(text_of(wrong[i]), text_of("{}"), text_of("{}")));
        assert_null(filters_merge(text_of("{}"), text_of(wrong[i]), text_of("{}")));
        assert_null(filters_merge(text_of("{}"), text_of("{}"), text_of(wrong[i])));
    }
    assert_null(filters_merge((weir_string){NULL, 0}, text_of("{}"), text_of("{}")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_either_has_added_is_there),
        cmocka_unit_test(test_what_either_has_changed_or_removed_is_so),
        cmocka_unit_test(test_of_one_that_both_have_changed_mine_counts),
        cmocka_unit_test(test_an_account_whose_filter_is_gone_has_none),
        cmocka_unit_test(test_what_is_no_set_is_not_merged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
