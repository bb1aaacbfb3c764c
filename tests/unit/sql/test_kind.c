/* SPDX-License-Identifier: Apache-2.0
 *
 * Kinds: text, weir's kind, TiDB's label, and the kind inside (empty: the same). */
#include "sql_test.h"

struct kind_case {
    const char *text, *kind, *label, *inner;
};

static const struct kind_case cases[] = {
    {"select 1", "Select", "Select", ""},
    {" /* c */ -- x\n# y\n SELECT 1", "Select", "Select", ""},
    {"((select 1))", "Select", "Select", ""},
    {"select 1 union select 2", "SetOperation", "other", ""},
    {"(select 1) except (select 2)", "SetOperation", "other", ""},
    {"(select 1 intersect select 2)", "SetOperation", "other", ""},
    {"select * from (select 1 union select 2) x", "Select", "Select", ""},
    {"with a as (select 1 union select 2) select * from a", "Select", "Select", ""},
    {"with recursive a(x, y) as (select 1), b as (select 2) update t set a = 1", "Update", "Update",
     ""},
    {"with a as (select 1) select 2 union all select 3", "SetOperation", "other", ""},
    {"table t", "Table", "Select", ""},
    {"values (1), (2)", "Values", "Select", ""},
    {"insert into t values (1)", "Insert", "Insert", ""},
    {"replace t values (1)", "Replace", "Replace", ""},
    {"/*!50000 select */ 1", "Select", "Select", ""},
    {"/*!40101 SET NAMES utf8 */;", "Set", "Set", ""},
    {"/*M!100100 drop */ table t", "DropTable", "DropTable", ""},
    {"/*! create */ table t (a int)", "CreateTable", "CreateTable", ""},
    {"call p()", "Call", "other", ""},
    {"begin", "Begin", "Begin", ""},
    {"start transaction read only", "Begin", "Begin", ""},
    {"begin not atomic select 1; end", "Compound", "other", ""},
    {"l1: loop leave l1; end loop", "Compound", "other", ""},
    {"if 1 then select 1; end if", "Compound", "other", ""},
    {"explain select 1", "Explain", "ExplainSQL", "Select"},
    {"explain format = json update t set a = 1", "Explain", "ExplainSQL", "Update"},
    {"explain extended (select 1) union (select 2)", "Explain", "ExplainSQL", "SetOperation"},
    {"desc t", "Describe", "DescTable", ""},
    {"describe format", "Describe", "DescTable", ""},
    {"explain analyze delete from t", "ExplainAnalyze", "ExplainAnalyzeSQL", "Delete"},
    {"analyze format=json select 1", "ExplainAnalyze", "ExplainAnalyzeSQL", "Select"},
    {"analyze table t", "AnalyzeTable", "AnalyzeTable", ""},
    {"explain for connection 5", "ExplainConnection", "other", ""},
    {"trace select 1", "Trace", "Trace", "Select"},
    {"create or replace definer=`a`@`b` sql security invoker view v as select 1", "CreateView",
     "CreateView", ""},
    {"create definer = 'a' @ 'b' trigger t before insert on x for each row set @a=1",
     "CreateTrigger", "other", ""},
    {"create algorithm=merge view v as select 1", "CreateView", "CreateView", ""},
    {"create unique index i on t (a)", "CreateIndex", "CreateIndex", ""},
    {"create temporary table t (a int)", "CreateTable", "CreateTable", ""},
    {"create role r", "CreateRole", "CreateUser", ""},
    {"drop temporary table t", "DropTable", "DropTable", ""},
    {"drop prepare s", "Deallocate", "Deallocate", ""},
    {"drop schema x", "DropDatabase", "DropDatabase", ""},
    {"rename table a to b", "RenameTable", "other", ""},
    {"lock tables a read", "LockTables", "other", ""},
    {"set role admin", "SetRole", "other", ""},
    {"set @@global.x = 1", "SetGlobal", "Set", ""},
    {"set a = 1, global b = (select 1, 2)", "SetGlobal", "Set", ""},
    {"set persist a = 1", "SetGlobal", "Set", ""},
    {"set session a = 1", "Set", "Set", ""},
    {"set @a = '@@global.x'", "Set", "Set", ""},
    {"set password = 'x'", "SetPassword", "Set", ""},
    {"set statement max_statement_time = 1 for delete from t", "SetStatement", "Set", "Delete"},
    {"set global transaction isolation level read committed", "SetTransaction", "Set", ""},
    {"grant select on *.* to a", "Grant", "Grant", ""},
    {"grant r1, r2 to a", "GrantRole", "other", ""},
    {"revoke all privileges, grant option from a", "Revoke", "Revoke", ""},
    {"show plugins like 'a%'", "ShowPlugins", "Show", ""},
    {"flush tidb plugins a", "FlushPlugins", "other", ""},
    {"flush tables", "Flush", "other", ""},
    {"admin plugins enable a", "AdminPlugins", "other", ""},
    {"admin check table t", "Admin", "other", ""},
    {"execute immediate 'select 1'", "ExecuteImmediate", "other", ""},
    {"execute s using @a", "Execute", "Execute", ""},
    {"kill query 5", "Kill", "other", ""},
    {"load data infile 'x' into table t", "LoadData", "LoadData", ""},
    {"", "Empty", "other", ""},
    {"-- x", "Empty", "other", ""},
    {"frobnicate", "Unknown", "other", ""},
    {"\x01", "Unknown", "other", ""},
    {"`select` 1", "Unknown", "other", ""},
};

static void kinds_are_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct kind_case *one = &cases[i];
        struct sql_kinds kinds = sql_statement_kind(span_of(one->text), &plain_mode);
        const char *inner = one->inner[0] != '\0' ? one->inner : one->kind;
        if (strcmp(sql_kind_name(kinds.kind), one->kind) != 0 ||
            strcmp(sql_label_name(kinds.label), one->label) != 0 ||
            strcmp(sql_kind_name(kinds.inner), inner) != 0) {
            fail_msg("%s: %s, %s, %s", one->text, sql_kind_name(kinds.kind),
                     sql_label_name(kinds.label), sql_kind_name(kinds.inner));
        }
    }
}

static void what_the_server_runs_decides(void **state)
{
    (void)state;
    struct sql_mode mariadb = {.dialect = SQL_DIALECT_MARIADB, .server_version = 101119};
    static const struct {
        const char *text;
        enum sql_kind kind;
    } server_cases[] = {
        {"/*!50101 explain */ drop table t", SQL_KIND_DESCRIBE},
        {"/*!99999 explain */ drop table t", SQL_KIND_DROP_TABLE}, /* MySQL's later features */
        {"/*!101120 explain */ drop table t", SQL_KIND_DROP_TABLE},
        {"/*M!101119 drop table t */", SQL_KIND_DROP_TABLE},
        {"/*!99999 drop table t */", SQL_KIND_DROP_TABLE}, /* nothing else would remain */
        {"/*!99999 /* nested */ explain */ drop table t", SQL_KIND_DROP_TABLE},
    };
    for (size_t i = 0; i < sizeof server_cases / sizeof server_cases[0]; i++) {
        struct sql_kinds kinds = sql_statement_kind(span_of(server_cases[i].text), &mariadb);
        assert_string_equal(sql_kind_name(kinds.kind), sql_kind_name(server_cases[i].kind));
    }
    struct sql_mode mysql = {.dialect = SQL_DIALECT_MYSQL, .server_version = 80033};
    assert_int_equal(sql_statement_kind(span_of("/*M! explain */ drop table t"), &mysql).kind,
                     SQL_KIND_DROP_TABLE);
    struct sql_mode tidb = {.dialect = SQL_DIALECT_TIDB};
    assert_int_equal(sql_statement_kind(span_of("/*T![ttl] drop */ table t"), &tidb).kind,
                     SQL_KIND_DROP_TABLE);
}

static void every_kind_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int a = 0; a < SQL_KIND_COUNT; a++) {
        for (int b = 0; b < a; b++) {
            assert_string_not_equal(sql_kind_name((enum sql_kind)a),
                                    sql_kind_name((enum sql_kind)b));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_are_told),
        cmocka_unit_test(what_the_server_runs_decides),
        cmocka_unit_test(every_kind_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
