/* SPDX-License-Identifier: Apache-2.0
 *
 * MySQL's names of statements. */
#include "audit_test.h"
#include "record.h"
#include "sql_command.h"

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
        struct strbuf name = {0};
        sql_command_add(&name, text_of(pairs[i][0]));
        assert_true(sql_command_is(text_of(pairs[i][0]), text_of(pairs[i][1])));
        assert_null(sql_command_coarser(text_of(pairs[i][1])));
        assert_text(&name, pairs[i][1]);
    }
    assert_true(sql_command_is(text_of("StartReplica"), text_of("slave_start")));
    assert_false(sql_command_is(text_of("Select"), text_of("selec")));
    assert_false(sql_command_is(text_of("Selec"), text_of("select")));
    assert_string_equal(sql_command_coarser(text_of("show_tables")), "show");
    assert_string_equal(sql_command_coarser(text_of("update_multi")), "update");
    assert_null(sql_command_coarser(text_of("shutdown")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statements_have_mysqls_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
