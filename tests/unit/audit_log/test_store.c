/* SPDX-License-Identifier: Apache-2.0
 *
 * The filters in force and their file: changes are whole, and what fails changes nothing. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit_test.h"
#include "encode.h"
#include "fake_host.h"
#include "filter_store.h"

static char folder[64], path[80];
static struct error failure;

static int setup(void **state)
{
    (void)state;
    test_folder_make(folder);
    snprintf(path, sizeof path, "%s/filters.json", folder);
    return filter_store_open(path, &failure);
}

static int teardown(void **state)
{
    (void)state;
    filter_store_close();
    test_folder_remove(folder);
    return 0;
}

/* The number of the filter that the account has now. */
static unsigned id_of(const char *account)
{
    struct record record;
    record_init(&record, RECORD_COMPLETED, 0);
    record.text[RECORD_TEXT_account] = text_of(account);
    return filter_store_id(&record);
}

static int set_filter(const char *name, const char *definition)
{
    return filter_store_set_filter(name, text_of(definition), &failure);
}

static void test_what_is_set_survives(void **state)
{
    (void)state;
    struct stat status;
    assert_false(filter_store_has_filters());
    assert_int_equal(set_filter("off", "{\"filter\": {\"log\": false}}"), 0);
    assert_int_equal(set_filter("on", "{\"filter\": {}}"), 0);
    assert_int_equal(filter_store_set_user("a@b", "on", &failure), 0);
    assert_int_equal(filter_store_set_user("%", "off", &failure), 0);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(id_of("a@b"), 2);
        assert_int_equal(id_of("c@d"), 1);
        filter_store_close();
        assert_false(filter_store_has_filters());
        const unsigned long long before = atomic_load(&fake_host.accounts_expected);
        assert_int_equal(filter_store_open(path, &failure), 0);
        assert_int_equal(atomic_load(&fake_host.accounts_expected) - before, 1); /* a@b */
    }
    assert_int_equal(filter_store_remove_user("a@b", &failure), 0);
    assert_int_equal(id_of("a@b"), 1);
    assert_int_equal(filter_store_remove_filter("off", &failure), 0);
    assert_int_equal(id_of("a@b"), 0);
    assert_false(filter_store_has_filters());
    assert_int_equal(filter_store_remove_filter("off", &failure), 0); /* no mistake */
}

static void test_mistakes_change_nothing(void **state)
{
    (void)state;
    char long_name[300];
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    assert_int_equal(set_filter("on", "{\"filter\": {}}"), 0);
    assert_int_equal(filter_store_set_user("%", "on", &failure), 0);
    assert_int_equal(set_filter("on", "{"), -1);
    assert_int_equal(set_filter("on", "{\"filter\": {\"log\": 1}}"), -1);
    assert_int_equal(set_filter("", "{\"filter\": {}}"), -1);
    assert_int_equal(set_filter(long_name, "{\"filter\": {}}"), -1);
    assert_int_equal(set_filter("\xff", "{\"filter\": {}}"), -1);
    assert_int_equal(filter_store_set_user("'nobody@%", "on", &failure), -1);
    assert_int_equal(filter_store_set_user("a@b", "none", &failure), -1);
    assert_int_equal(filter_store_remove_user("", &failure), -1);
    assert_int_equal(id_of("x@y"), 1);
}

/* Accounts in quotes, and without a host, were stored as they stood and matched nobody. */
static void test_accounts_are_read_as_the_server_does(void **state)
{
    static const char *const same[][2] = {
        {"'app'@'10.%'", "app@10.%"}, {"app", "app@%"}, {"`a``b`@\"LocalHost\"", "a`b@localhost"}};
    (void)state;
    assert_int_equal(set_filter("on", "{\"filter\": {}}"), 0);
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        if (filter_store_set_user(same[i][0], "on", &failure) < 0)
            fail_msg("%s", failure.message);
        assert_int_equal(id_of(same[i][1]), 1);
        assert_int_equal(filter_store_remove_user(same[i][0], &failure), 0);
        assert_int_equal(id_of(same[i][1]), 0);
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(filter_store_set_user(i ? "%@%" : "'%'", "on", &failure), -1);
    assert_non_null(strstr(failure.message, "user names have no wildcards"));
    FILE *file = fopen(path, "w");
    fputs("{\"filters\": {\"on\": {\"filter\": {}}}, \"users\": {\"'app'@'h'\": \"on\"}}", file);
    fclose(file);
    assert_int_equal(filter_store_reload(&failure), 0);
    assert_int_equal(id_of("app@h"), 1);
    file = fopen(path, "w");
    fputs("{\"filters\": {\"on\": {\"filter\": {}}}, \"users\": {\"'a'@h\": \"on\", \"a@h\": "
          "\"on\"}}",
          file);
    fclose(file);
    assert_int_equal(filter_store_reload(&failure), -1);
    assert_non_null(strstr(failure.message, "has the account a@h twice"));
}

static void test_a_file_that_cannot_be_written_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(set_filter("on", "{\"filter\": {}}"), 0);
    test_folder_remove(folder);
    assert_int_equal(filter_store_set_user("%", "on", &failure), -1);
    assert_non_null(strstr(failure.message, "No such file or directory"));
    assert_int_equal(id_of("x@y"), 0);
}

static void test_a_file_with_a_mistake_is_not_set_current(void **state)
{
    (void)state;
    assert_int_equal(set_filter("on", "{\"filter\": {}}"), 0);
    assert_int_equal(filter_store_set_user("%", "on", &failure), 0);
    FILE *file = fopen(path, "w");
    fputs("{\"filters\": []}", file);
    fclose(file);
    assert_int_equal(filter_store_reload(&failure), -1);
    assert_int_equal(id_of("x@y"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_set_survives, setup, teardown),
        cmocka_unit_test_setup_teardown(test_mistakes_change_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_accounts_are_read_as_the_server_does, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_file_that_cannot_be_written_changes_nothing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_file_with_a_mistake_is_not_set_current, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
