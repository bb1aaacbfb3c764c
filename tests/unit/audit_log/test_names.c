/* SPDX-License-Identifier: Apache-2.0
 *
 * MySQL's names of statements. */
#include "audit_test.h"
#include "record.h"
#include "sql_command.h"
#include "table_event.h"

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

static void test_finer_names_of_statements(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"Insert", "INSERT INTO t VALUES (1)", "insert"},
        {"Insert", "INSERT INTO t (a, b) SELECT 1, 2", "insert_select"},
        {"Insert", "INSERT IGNORE INTO d.t (SELECT * FROM u)", "insert_select"},
        {"Insert", "INSERT `values` SET a = (SELECT 1)", "insert"},
        {"Insert", "INSERT INTO value VALUES ('x SELECT y')", "insert"},
        {"Insert", "INSERT INTO t /* VALUES */ WITH x AS (SELECT 1) SELECT * FROM x",
         "insert_select"},
        {"Replace", "REPLACE t TABLE u", "replace_select"},
        {"Update", "UPDATE a SET x = (SELECT 1 FROM b, c)", "update"},
        {"Update", "UPDATE a, b SET a.x = 1", "update_multi"},
        {"Update", "UPDATE LOW_PRIORITY a JOIN b USING (x) SET a.x = 1", "update_multi"},
        {"Delete", "DELETE FROM a WHERE x IN (SELECT 1)", "delete"},
        {"Delete", "DELETE QUICK a FROM a JOIN b", "delete_multi"},
        {"Delete", "DELETE FROM a USING a JOIN b WHERE 1", "delete_multi"},
        {"Set", "SET @x = 1", "set_option"},
        {"Show", "SHOW TABLES", "show_tables"},
        {"Show", "show /*!50000 full */ columns from t", "show_fields"},
        {"Show", "SHOW CREATE VIEW v", "show_create_table"},
        {"Show", "SHOW COUNT(*) WARNINGS", "show_warnings"},
        {"Show", "SHOW ENGINE InnoDB STATUS", "show_engine_status"},
        {"Show", "SHOW GLOBAL STATUS LIKE 'x'", "show_status"},
        {"Show", "SHOW STH NEW", "show"},
        {"Xa", "XA BEGIN 'x'", "xa_start"},
        {"Handler", "HANDLER t OPEN AS x", "ha_open"},
        {"Revoke", "REVOKE ALL PRIVILEGES, GRANT OPTION FROM u", "revoke_all"},
        {"Rollback", "ROLLBACK WORK TO s", "rollback_to_savepoint"},
        {"Rollback", "ROLLBACK", "rollback"},
        {"CreateTable", "CREATE TABLE t SELECT 1", "create_table"},
        {"Insert", "INSERT INTO t VALUES ('", "insert"},
        {"Show", "SHOW", "show"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct strbuf name = {0}, kind = {0};
        sql_command_add_finer(&name, text_of(cases[i][0]), text_of(cases[i][1]));
        assert_string_equal(name.data, cases[i][2]);
        assert_true(sql_command_kind((weir_string){name.data, name.size}, &kind));
        assert_string_equal(kind.data, cases[i][0]); /* and back */
        strbuf_release(&kind);
        strbuf_release(&name);
    }
}

static void test_the_events_of_a_table(void **state)
{
    (void)state;
    enum {
        R = 1U << TABLE_READ,
        I = 1U << TABLE_INSERT,
        U = 1U << TABLE_UPDATE,
        D = 1U << TABLE_DELETE
    };
    static const struct {
        const char *kind;
        uint32_t access;
        unsigned events;
    } rows[] = {
        {"Select", WEIR_TABLE_READ, R},
        {"Insert", WEIR_TABLE_WRITE, I}, /* an older host does not say how */
        {"Insert", WEIR_TABLE_WRITE | WEIR_TABLE_INSERT | WEIR_TABLE_UPDATE, I},
        {"Replace", WEIR_TABLE_WRITE | WEIR_TABLE_INSERT | WEIR_TABLE_DELETE, I},
        {"Update", WEIR_TABLE_WRITE, U},
        {"Update", WEIR_TABLE_WRITE | WEIR_TABLE_INSERT, 0}, /* of another part of the block */
        {"Delete", WEIR_TABLE_WRITE | WEIR_TABLE_DELETE, D},
        {"LoadData", WEIR_TABLE_WRITE | WEIR_TABLE_INSERT, I},
        {"Compound", WEIR_TABLE_WRITE, I},
        {"Compound", WEIR_TABLE_WRITE | WEIR_TABLE_UPDATE | WEIR_TABLE_DELETE, U | D},
        {"TruncateTable", WEIR_TABLE_DDL, D},
        {"DropTable", WEIR_TABLE_DDL, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        weir_string kind = {rows[i].kind, strlen(rows[i].kind)};
        assert_int_equal(table_events_of(kind, rows[i].access), rows[i].events);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finer_names_of_statements),
        cmocka_unit_test(test_statements_have_mysqls_names),
        cmocka_unit_test(test_the_events_of_a_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
