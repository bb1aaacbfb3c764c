/* SPDX-License-Identifier: Apache-2.0
 *
 * Routines: each case is a text and what it calls as "db.name:c" (c by CALL, f in an expression), in
 * the order of the text; "!" in front means that the lists are not known to be complete. The current
 * database is "cur". */
#include "sql_test.h"

#include <stdio.h>

struct routines_case {
    const char *text, *routines;
};

static struct sql_tables tables;
static const struct sql_mode mariadb = {.dialect = SQL_DIALECT_MARIADB, .server_version = 101119};

static void check_in(const struct routines_case *cases, size_t count, const struct sql_mode *mode)
{
    char got[4096];
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(cases[i].text);
        char *exact = malloc(size);
        memcpy(exact, cases[i].text, size);
        assert_true(sql_tables_read(&tables, (struct sql_span){exact, size}, mode, span_of("cur")));
        size = (size_t)snprintf(got, sizeof got, "%s", tables.known ? "" : "!");
        for (size_t j = 0; j < tables.routine_count; j++) {
            const struct sql_routine *routine = &tables.routines[j];
            size += (size_t)snprintf(got + size, sizeof got - size, "%s%.*s.%.*s:%c",
                                     j > 0 ? " " : "", (int)routine->database.size,
                                     routine->database.at, (int)routine->name.size,
                                     routine->name.at, routine->is_call ? 'c' : 'f');
        }
        if (strcmp(got, cases[i].routines) != 0)
            fail_msg("%s\n  gives:    %s\n  expected: %s", cases[i].text, got, cases[i].routines);
        free(exact);
    }
}

#define CHECK_IN(cases, mode) check_in(cases, sizeof(cases) / sizeof((cases)[0]), mode)

static void calls(void **state)
{
    (void)state;
    static const struct routines_case cases[] = {
        {"call p", "cur.p:c"},
        {"CALL p()", "cur.p:c"},
        {"call d.p(1, @a)", "d.p:c"},
        {"call `d x`.`p``q`(1)", "d x.p`q:c"},
        {"call d . p ( 1 )", "d.p:c"},
        {"call d.pkg.p(1)", "d.pkg.p:c"},
        {"call p(f(1), abs(2))", "cur.p:c cur.f:f"},
        {"call count(1)", "cur.count:c"},
        {"call (1)", "!"},
        {"call", "!"},
        {"/*!50000 call p() */", "cur.p:c"},
        {"begin not atomic call p(); call p(); call q; end", "cur.p:c cur.q:c"},
        {"begin not atomic if f(1) then select g(2); end if; end", "cur.f:f cur.g:f"},
        {"set statement max_statement_time=1 for call d.p()", "d.p:c"},
        {"prepare s from 'call p()'", "cur.p:c"},
        {"execute immediate 'select f(1)'", "cur.f:f"},
        {"execute immediate concat('call p', '()')", "!"},
        {"execute s", ""},
        {"explain select f(1)", "cur.f:f"},
        {"drop procedure p", ""},
        {"show create procedure d.p", ""},
        {"grant execute on procedure d.p to u", ""},
    };
    CHECK_IN(cases, &mariadb);
}

static void functions(void **state)
{
    (void)state;
    static const struct routines_case cases[] = {
        {"select f(1)", "cur.f:f"},
        {"select F(1), f(1), f(2)", "cur.F:f cur.f:f"},
        {"select d.f(1), d.abs(1), `d`.`f`(1)", "d.f:f d.abs:f"},
        {"select d . f ( 1 )", "d.f:f"},
        {"select d.pkg.f(1)", "d.pkg.f:f"},
        {"select abs(1), abs (1), `abs`(1), ABS/* x */(1)", ""},
        {"select count(*), sum(a), now(), substr('a', 1), group_concat(a) from t", ""},
        {"select count (a) from t", "cur.count:f"},
        {"select now/**/() from t", "cur.now:f"},
        {"select `count`(a) from t", "cur.count:f"},
        {"select `if`(1, 2, 3), if(1, 2, 3), if (1, 2, 3)", "cur.if:f"},
        {"select status(1)", "cur.status:f"},
        {"select a from t where f(a) = 1 order by g(a) limit 1", "cur.f:f cur.g:f"},
        {"select a from t group by f(a) having g(a) > 1", "cur.f:f cur.g:f"},
        {"select a from t join u on f(t.a) where a in (1, 2) and exists (select g(1))",
         "cur.f:f cur.g:f"},
        {"select * from (select f(1)) x", "cur.f:f"},
        {"with c (a) as (select f(1)) select * from c", "cur.f:f"},
        {"with recursive c (a) as (select 1 union select a + 1 from c) select * from c", ""},
        {"insert into t (a, b) values (f(1), 2)", "cur.f:f"},
        {"insert into t(a) select f(b) from u", "cur.f:f"},
        {"insert t (a) values (1) on duplicate key update a = f(1)", "cur.f:f"},
        {"insert t set a = f(1)", "cur.f:f"},
        {"insert t (a) values (1) returning f(a)", "cur.f:f"},
        {"replace into d.t (a) values (1)", ""},
        {"update t set a = f(a) where b = 1", "cur.f:f"},
        {"update t set a = 1 where f(b)", "cur.f:f"},
        {"delete from t where a = f(1)", "cur.f:f"},
        {"delete t from t join u on f(1)", "cur.f:f"},
        {"set @x = f(1)", "cur.f:f"},
        {"set @x := f(1), @y = (select g(2))", "cur.f:f cur.g:f"},
        {"do f(1), g(2)", "cur.f:f cur.g:f"},
        {"select @x:=f(1)", "cur.f:f"},
        {"kill f(1)", "cur.f:f"},
        {"execute s using f(1)", "cur.f:f"},
        {"show tables where f(1)", "cur.f:f"},
        {"show columns from t where f(1)", "cur.f:f"},
        {"load data infile 'x' into table t (a, @b) set a = f(@b)", "cur.f:f"},
        {"load data infile 'x' into table t character set utf8 (a)", ""},
        {"handler t read first where f(1)", "cur.f:f"},
        {"select case f(1) when g(2) then h(3) else i(4) end", "cur.f:f cur.g:f cur.h:f cur.i:f"},
        {"select not f(1), -f(2), distinct_(3)", "cur.f:f cur.distinct_:f"},
        {"select {fn f(1)}", "cur.f:f"},
        {"select a.b, (1), 'x' x, t.f from t", ""},
    };
    CHECK_IN(cases, &mariadb);
}

/* What stands before a parenthesis and is no function. */
static void no_calls(void **state)
{
    (void)state;
    static const struct routines_case cases[] = {
        {"create table t (a int(11), b decimal(5, 2), c enum('x'), index i (a), unique u (b(3)), "
         "foreign key fk (a) references d.x (y), check (a > 1))",
         ""},
        {"create table t (a int) partition by range (year(a)) (partition p values less than (5))",
         ""},
        {"create table t (a int) select f(1) as a", "cur.f:f"},
        {"create table t as (select f(1))", "cur.f:f"},
        {"create view v (a, b) as select 1, 2", ""},
        {"create view v as select f(1)", "cur.f:f"},
        {"create index i on t (a, b)", ""},
        {"alter table t add index i (a), add column c varchar(3), add constraint x unique y (a)",
         ""},
        {"select cast(a as char(3)), convert(a, decimal(5, 2)), interval(1, 2) from t", ""},
        {"select a from t use index (i), u ignore index for order by (j) where a between (1) and "
         "(2)",
         ""},
        {"select a from t join u using (a) natural join w", ""},
        {"select * from (select 1, 2) as d (a, b)", ""},
        {"select * from (select 1, 2) d (a, b)", ""},
        {"values (1), (2)", ""},
        {"select sum(a) over (partition by b order by c), row_number() over w from t window w as "
         "(order by a)",
         ""},
        {"select match (a) against ('x' in boolean mode) from t", ""},
        {"select * from t for system_time as of (now() - interval 1 day)", ""},
        {"select * from json_table('[]', '$[*]' columns (a int path '$.a')) as j", ""},
        {"select 1 where a like 'x' escape ('!')", ""},
        {"select any_value from t where a > all (select 1) and (a, b) in ((1, 2))", ""},
        {"begin not atomic declare c decimal(5, 2); repeat set @a = 1; until (@a) end repeat; end",
         ""},
        {"analyze table t persistent for columns (a) indexes (b)", ""},
        {"grant select (a), insert (b) on d.t to u", ""},
        {"change master to ignore_server_ids = (1, 2)", ""},
        {"select nextval(s), lastval(s), next value for s", ""},
    };
    CHECK_IN(cases, &mariadb);
}

/* What one server has as its own can be a stored function of another. */
static void servers(void **state)
{
    (void)state;
    static const struct sql_mode old = {.dialect = SQL_DIALECT_MARIADB, .server_version = 100244},
                                 mysql = {.dialect = SQL_DIALECT_MYSQL, .server_version = 80033},
                                 mysql57 = {.dialect = SQL_DIALECT_MYSQL, .server_version = 50744},
                                 tidb = {.dialect = SQL_DIALECT_TIDB};
    static const struct routines_case of_mariadb[] = {
        {"select nvl(1, 2), rownum(), sformat('x')", ""},
        {"select any_value(1), bin_to_uuid(2)", "cur.any_value:f cur.bin_to_uuid:f"}};
    static const struct routines_case of_old[] = {
        {"select nvl(1, 2), ifnull(1, 2), json_value('1', '$')", "cur.nvl:f"}};
    static const struct routines_case of_mysql[] = {
        {"select any_value(1), bin_to_uuid(2), rank() over (), regexp_like('a', 'b')", ""},
        {"select nvl(1, 2), password('x'), nextval('s')", "cur.nvl:f cur.password:f cur.nextval:f"},
        {"select 1 member of ('[1]')", ""}};
    static const struct routines_case of_mysql57[] = {
        {"select regexp_like('a', 'b')", "cur.regexp_like:f"}};
    static const struct routines_case of_tidb[] = {{"select tidb_version(), f(1), count (1)", ""},
                                                   {"call p()", "cur.p:c"}};
    static const struct routines_case of_unknown[] = {
        {"select nvl(1, 2), any_value(1), ifnull(1, 2)", "cur.nvl:f cur.any_value:f"}};
    CHECK_IN(of_mariadb, &mariadb);
    CHECK_IN(of_old, &old);
    CHECK_IN(of_mysql, &mysql);
    CHECK_IN(of_mysql57, &mysql57);
    CHECK_IN(of_tidb, &tidb);
    CHECK_IN(of_unknown, &plain_mode);
}

/* A procedure is called by its name alone in a block of sql_mode=ORACLE. */
static void oracle(void **state)
{
    (void)state;
    static const struct sql_mode mode = {
        .dialect = SQL_DIALECT_MARIADB, .server_version = 101119, .oracle = true};
    static const struct routines_case cases[] = {
        {"begin p; end", "cur.p:c"},
        {"begin p(1); d.q; d.pkg.r(2); end", "cur.p:c d.q:c d.pkg.r:c"},
        {"begin null; commit; end", ""},
        {"declare x int; begin x := 1; x := f(2); end", "cur.f:f"},
        {"begin if (1) then p; elsif (2) then q; end if; end", "cur.p:c cur.q:c"},
    };
    CHECK_IN(cases, &mode);
}

static void limits(void **state)
{
    (void)state;
    char text[SQL_ROUTINES_MAX * 16 + 64] = "do f0()";
    size_t size = strlen(text);
    for (unsigned i = 1; i < SQL_ROUTINES_MAX; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, ", f%u()", i);
    assert_true(sql_tables_read(&tables, (struct sql_span){text, size}, &mariadb, span_of("cur")));
    assert_int_equal(tables.routine_count, SQL_ROUTINES_MAX);
    assert_true(tables.known);
    size += (size_t)snprintf(text + size, sizeof text - size, ", more()");
    assert_true(sql_tables_read(&tables, (struct sql_span){text, size}, &mariadb, span_of("cur")));
    assert_int_equal(tables.routine_count, SQL_ROUTINES_MAX);
    assert_false(tables.known);
}

static int release(void **state)
{
    (void)state;
    sql_tables_release(&tables);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls),   cmocka_unit_test(functions), cmocka_unit_test(no_calls),
        cmocka_unit_test(servers), cmocka_unit_test(oracle),    cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}
