/* SPDX-License-Identifier: Apache-2.0
 *
 * Names that filters compare: accounts, and MySQL's names of statements. */
#include "account.h"
#include "audit_test.h"
#include "record.h"
#include "sql_command.h"

static void test_accounts_are_matched_as_the_server_does(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *user, *host;
        bool matches;
    } cases[] = {
        {"app@10.0.0.9", "app", "10.0.0.9", true},
        {"app@10.%", "app", "10.0.0.9", true},
        {"app@10.%", "app", "110.0.0.9", false},
        {"app@10.%", "ap", "10.0.0.9", false},
        {"app@%", "app", "", true},
        {"app@%.example.%", "app", "a.b.example.org", true},
        {"app@%.example.org", "app", "org", false},
        {"app@10.0.0._", "app", "10.0.0.9", true},
        {"app@10.0.0._", "app", "10.0.0.19", false},
        {"app@LOCALHOST", "app", "localhost", true},
        {"a@b@%", "a@b", "h", true},
        {"app", "app", "", false},
        {"@%", "", "h", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(account_matches(record_string(cases[i].pattern),
                                         record_string(cases[i].user),
                                         record_string(cases[i].host)),
                         cases[i].matches);
}

static void test_lists_of_accounts(void **state)
{
    (void)state;
    const weir_string list = record_string("root@localhost , 'app'@'10.%',`x`@\"y\",,@,nobody");
    static const char *const in[] = {"root@localhost", "app@10.%", "app@10.1.1.1", "x@y", NULL};
    static const char *const out[] = {"root@%", "app@11.1.1.1", "nobody", "x", "", NULL};
    for (const char *const *name = in; *name; name++)
        assert_true(account_in_list(list, record_string(*name)));
    for (const char *const *name = out; *name; name++)
        assert_false(account_in_list(list, record_string(*name)));
    assert_false(account_in_list((weir_string){NULL, 0}, record_string("a@b")));
}

static void test_statements_have_mysqls_names(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"Select", "select"},
        {"CreateTable", "create_table"},
        {"CreateDatabase", "create_db"},
        {"Use", "change_db"},
        {"Set", "set_option"},
        {"TruncateTable", "truncate"},
        {"LockTables", "lock_tables"},
        {"StartReplica", "replica_start"},
        {"LoadData", "load"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct text name = {0};
        sql_command_add(&name, record_string(pairs[i][0]));
        assert_true(sql_command_is(record_string(pairs[i][0]), record_string(pairs[i][1])));
        assert_null(sql_command_coarser(record_string(pairs[i][1])));
        assert_text(&name, pairs[i][1]);
    }
    assert_true(sql_command_is(record_string("StartReplica"), record_string("slave_start")));
    assert_false(sql_command_is(record_string("Select"), record_string("selec")));
    assert_false(sql_command_is(record_string("Selec"), record_string("select")));
    assert_string_equal(sql_command_coarser(record_string("show_tables")), "show");
    assert_string_equal(sql_command_coarser(record_string("update_multi")), "update");
    assert_null(sql_command_coarser(record_string("shutdown")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accounts_are_matched_as_the_server_does),
        cmocka_unit_test(test_lists_of_accounts),
        cmocka_unit_test(test_statements_have_mysqls_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
