/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables: each case is a text and its tables as "db.name:r" (r read, w write, d changed by DDL), in
 * the order of the text, with "~db" behind it where a database is named apart; "!" in front means
 * that the list is not known to be complete. The current database is "cur". */
#include "sql_test.h"

#include <stdio.h>

struct tables_case {
    const char *text, *tables;
};

static struct sql_tables tables;

static void describe(char *out, size_t room)
{
    size_t size = (size_t)snprintf(out, room, "%s", tables.known ? "" : "!");
    for (size_t i = 0; i < tables.count; i++) {
        const struct sql_table *item = &tables.items[i];
        size += (size_t)snprintf(out + size, room - size, "%s%.*s.%.*s:%c%s%.*s", i > 0 ? " " : "",
                                 (int)item->database.size, item->database.at, (int)item->name.size,
                                 item->name.at, sql_access_name(item->access)[0],
                                 item->named_apart.size > 0 ? "~" : "", (int)item->named_apart.size,
                                 item->named_apart.at);
    }
}

static void check_in(const struct tables_case *cases, size_t count, const struct sql_mode *mode)
{
    char got[2048];
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(cases[i].text);
        char *exact = malloc(size);
        memcpy(exact, cases[i].text, size);
        assert_true(sql_tables_read(&tables, (struct sql_span){exact, size}, mode, span_of("cur")));
        describe(got, sizeof got);
        if (strcmp(got, cases[i].tables) != 0)
            fail_msg("%s\n  gives:    %s\n  expected: %s", cases[i].text, got, cases[i].tables);
        free(exact);
    }
}

#define CHECK(cases)          check_in(cases, sizeof(cases) / sizeof((cases)[0]), &plain_mode)
#define CHECK_IN(cases, mode) check_in(cases, sizeof(cases) / sizeof((cases)[0]), mode)

static void queries(void **state)
{
    (void)state;
    static const struct tables_case cases[] = {
        {"select 1", ""},
        {"select a, (select max(x) from m) from t1 as x, d.t2 y join `t 3` using (a)",
         "cur.m:r cur.t1:r d.t2:r cur.t 3:r"},
        {"select * from t where extract(year from d) > 1 and exists (select 1 from u)",
         "cur.t:r cur.u:r"},
        {"select * from (select * from a) x, (b, c) left join (d join e on 1) on f in (select g "
         "from h)",
         "cur.a:r cur.b:r cur.c:r cur.d:r cur.e:r cur.h:r"},
        {"(select * from a) union all (select * from b) order by (select 1 from c)",
         "cur.a:r cur.b:r cur.c:r"},
        {"select * from a group by x, y order by z, w limit 1, 2", "cur.a:r"},
        {"select * from dual", ""},
        {"select * from t1 partition (p0, p1) as a use index for join (i, j), t2 force key (k)",
         "cur.t1:r cur.t2:r"},
        {"select * from t for system_time as of now(), u for update", "cur.t:r cur.u:r"},
        {"select * from t natural join u straight_join v", "cur.t:r cur.u:r cur.v:r"},
        {"select * from {oj a left outer join b on a.x = b.x}", "cur.a:r cur.b:r"},
        {"select * from t, json_table('[1]', '$[*]' columns (a int path '$')) j, u",
         "cur.t:r cur.u:r"},
        {"select * from t, lateral (select * from u where u.a = t.a) x", "cur.t:r cur.u:r"},
        {"table t union select * from u", "cur.t:r cur.u:r"},
        {"values (1, (select a from t))", "cur.t:r"},
        {"select nextval(s), lastval(d.s2), next value for s3, previous value for s4, setval(s5, "
         "1)",
         "cur.s:w d.s2:r cur.s3:w cur.s4:r cur.s5:w"},
        {"select a into outfile '/tmp/x' fields terminated by ',' from t", "cur.t:r"},
        {"select from.where from where.from", "where.from:r"},
        {"select nth_value(a, 2) from last ignore nulls over w from t", "cur.t:r"},
        {"select * from `a``b`.`c`", "a`b.c:r"},
        {"select * from T, t, T", "cur.T:r cur.t:r"},
    };
    CHECK(cases);
}

static void common_table_expressions(void **state)
{
    (void)state;
    static const struct tables_case cases[] = {
        {"with c as (select * from a) select * from c, C, d.c", "cur.a:r d.c:r"},
        {"with c as (select * from c) select * from c", "cur.c:r"},
        {"with recursive c(n) as (select 1 union select n from c) select * from c", ""},
        {"with a as (select 1), b as (select * from a) select * from b", ""},
        {"with a as (select * from b), b as (select 1) select * from b", "cur.b:r"},
        {"select * from (with c as (select 1) select * from c) x, c", "cur.c:r"},
        {"(with c as (select 1) select * from c) union select * from c", "cur.c:r"},
        {"with c as (select 1) select * from c union select * from c", ""},
        {"insert into t with t as (select 1) select * from t", "cur.t:w"},
        {"with c as (select * from x) update t join c set t.a = 1", "cur.x:r cur.t:w"},
        {"with c as (select 1) delete from t where a in (select * from c)", "cur.t:w"},
    };
    CHECK(cases);
}

static void changing_rows(void **state)
{
    (void)state;
    static const struct tables_case cases[] = {
        {"insert into t (a, b) values (1, (select 2 from u)) on duplicate key update a = (select 1 "
         "from v)",
         "cur.t:w cur.u:r cur.v:r"},
        {"insert ignore d.t set a = 1", "d.t:w"},
        {"insert into t partition (p0) select * from u on duplicate key update a = 1, b = 2",
         "cur.t:w cur.u:r"},
        {"replace into t select * from t", "cur.t:w cur.t:r"},
        {"update t set a = (select 1 from u), b = 2", "cur.t:w cur.u:r"},
        {"update a, b join (select * from c) x set a.y = b.y", "cur.a:w cur.b:w cur.c:r"},
        {"delete from t where a = 1", "cur.t:w"},
        {"delete a, b.* from a join b join c", "cur.a:w cur.b:w cur.c:r"},
        {"delete from x using t as x join u", "cur.t:w cur.u:r"},
        {"delete low_priority quick from d.t", "d.t:w"},
        {"load data local infile 'x' replace into table t fields terminated by ',' (a, @b) set c = "
         "(select 1 from u)",
         "cur.t:w cur.u:r"},
        {"load xml infile 'x' into table d.t rows identified by '<r>'", "d.t:w"},
        {"call p((select 1 from t))", "cur.t:r"},
        {"do sleep(1)", ""},
        {"handler t open as h", "cur.t:r"},
        {"truncate d.t", "d.t:d"},
        {"set @a = (select 1 from t), global b = 2", "cur.t:r"},
        {"set statement max_statement_time = 1 for delete from t", "cur.t:w"},
    };
    CHECK(cases);
}

static void definitions(void **state)
{
    (void)state;
    static const struct tables_case cases[] = {
        {"create table if not exists t (a int references x (b), foreign key (a) references d.y "
         "(b))",
         "cur.t:d d.y:r"},
        {"create table t like u", "cur.t:d cur.u:r"},
        {"create table t (like d.u)", "cur.t:d d.u:r"},
        {"create or replace temporary table t engine = memory as select * from u",
         "cur.t:d cur.u:r"},
        {"create table t (a int) select * from u", "cur.t:d cur.u:r"},
        {"create table t (a int) partition by range (a) (partition p values less than (5))",
         "cur.t:d"},
        {"alter table t rename to d.u, add foreign key (a) references v (a)",
         "cur.t:d d.u:d cur.v:r"},
        {"alter table t rename column a to b, rename index i to j", "cur.t:d"},
        {"alter table t exchange partition p with table u", "cur.t:d cur.u:d"},
        {"drop table if exists a, d.b cascade", "cur.a:d d.b:d"},
        {"drop view v, w", "cur.v:d cur.w:d"},
        {"rename table a to b, d.c to d.e", "cur.a:d cur.b:d d.c:d d.e:d"},
        {"create unique index i on t (a)", "cur.t:d"},
        {"drop index i on d.t", "d.t:d"},
        {"create definer = a@b sql security invoker view v (x) as select * from t",
         "cur.v:d cur.t:r"},
        {"create sequence s start with 1", "cur.s:d"},
        {"create database x", ""},
        {"create user a@b", ""},
        {"grant select (a), insert on d.t to u", "d.t:d"},
        {"grant all on *.* to u", ""},
        {"revoke select on d.* from u", ""},
        {"grant execute on procedure d.p to u", ""},
    };
    CHECK(cases);
}

/* Found by make fuzz-server: a MERGE table reads and writes the tables of its UNION. */
static void tables_of_options(void **state)
{
    (void)state;
    static const struct tables_case cases[] = {
        {"create table t (a int) union = (x, d.y)", "cur.t:d cur.x:r cur.x:w d.y:r d.y:w"},
        {"create table t (a int) engine=merge union(x)", "cur.t:d cur.x:r cur.x:w"},
        {"create table t (a int) union(d . x) comment 'c' engine mrg_myisam insert_method=last",
         "cur.t:d d.x:r d.x:w"},
        {"create table t union=(x) select * from u", "cur.t:d cur.x:r cur.x:w cur.u:r"},
        {"create table t (a int) union=(x) as (select 1) union (select b from u)",
         "cur.t:d cur.x:r cur.x:w cur.u:r"},
        {"create table t (a int) union=()", "cur.t:d"},
        {"create temporary table if not exists t (a int) engine=merge, union (x)",
         "cur.t:d cur.x:r cur.x:w"},
        {"alter table t union=(x)", "cur.t:d cur.x:r cur.x:w"},
        {"alter table t engine=merge union (x, y), add column b int",
         "cur.t:d cur.x:r cur.x:w cur.y:r cur.y:w"},
        {"alter table t add (b int), union=(x), rename to u", "cur.t:d cur.x:r cur.x:w cur.u:d"},
        {"alter table t union=()", "cur.t:d"},
        {"set statement a = 1 for alter table t union=(x)", "cur.t:d cur.x:r cur.x:w"},
        {"create table t (a int) union=x", "!cur.t:d"},
        {"alter table t union", "!cur.t:d"},
        {"alter table t union=(x", "!cur.t:d cur.x:r cur.x:w"},
        {"create table t (a int) union=(select)", "!cur.t:d"},
        /* CONNECT has tables and statements in the values of options. */
        {"create table t (a int) engine=connect table_type=proxy tabname=x", "!cur.t:d"},
        {"create table t engine = `Connect`", "!cur.t:d"},
        {"create table t (a int) engine 'CONNECT'", "!cur.t:d"},
        {"create table t (a int) table_type=tbl `Table_List`='x,y'", "!cur.t:d"},
        {"create table t (a int) option_list='tabname=x'", "!cur.t:d"},
        {"create table t (a int) partition by range (a) (partition p values less than (5) "
         "tabname='x' engine=connect)",
         "!cur.t:d"},
        {"alter table t tabname = 'x'", "!cur.t:d"},
        {"alter table t comment='c', srcdef='select 1'", "!cur.t:d"},
        {"alter table t engine=connect", "!cur.t:d"},
        {"create table t (tabname int default 1, connect int) engine=innodb comment 'connect'",
         "cur.t:d"},
        {"create table t (a int) select tabname from u where tabname = 1", "cur.t:d cur.u:r"},
        {"alter table t add tabname int, drop column connect, rename column x to dbname",
         "cur.t:d"},
        {"create table t (a int references x (a))", "cur.t:d"},
    };
    CHECK(cases);
    /* MariaDB makes a foreign key of the REFERENCES of a column. */
    static const struct tables_case mariadb[] = {
        {"create table t (a int) engine=merge /*! union */ /*M! = (x */, y)",
         "cur.t:d cur.x:r cur.x:w cur.y:r cur.y:w"},
        {"create table t (a int references x (a), b int)", "cur.t:d cur.x:r"},
        {"alter table t add a int references d.x (a)", "cur.t:d d.x:r"},
        {"alter table t add (a int references x (a))", "cur.t:d cur.x:r"},
    };
    CHECK_IN(mariadb, &(struct sql_mode){.dialect = SQL_DIALECT_MARIADB});
}

static void bodies(void **state)
{
    (void)state;
    static const struct tables_case cases[] = {
        {"create procedure p() begin select 1; insert into t select case a when 1 then 2 else 3 "
         "end from u; end",
         "cur.t:w cur.u:r"},
        {"create trigger g before insert on t for each row begin set new.a = 1; update u set b = "
         "1; end",
         "cur.t:d cur.u:w"},
        {"create event e on schedule every 1 day do delete from t", "cur.t:w"},
        {"begin not atomic declare c cursor for select a from t; declare exit handler for not "
         "found delete from u; "
         "if exists (select 1 from v) then truncate w; end if; end",
         "cur.t:r cur.u:w cur.v:r cur.w:d"},
        {"create function f() returns int return (select count(*) from t)", "cur.t:r"},
        {"for r in (select * from t) do insert into u values (r.a); end for", "cur.t:r cur.u:w"},
        {"while (select 1 from a) do delete from b; end while", "cur.a:r cur.b:w"},
    };
    CHECK(cases);
}

static void administration(void **state)
{
    (void)state;
    static const struct tables_case cases[] = {
        {"lock tables a as x read local, d.b low_priority write", "cur.a:r d.b:w"},
        {"unlock tables", ""},
        {"analyze table a, b persistent for columns (x, y) indexes (z), c",
         "cur.a:r cur.b:r cur.c:r"},
        {"check table a, b quick", "cur.a:r cur.b:r"},
        {"optimize local table a", "cur.a:w"},
        {"flush tables a, b with read lock", "cur.a:r cur.b:r"},
        {"flush tables with read lock", ""},
        {"show full columns from t from d like 'x'", ".t:r~d"},
        {"show fields in `t` in d", ".t:r~d"},
        {"show columns from a.t from d", "a.t:r~d"},
        {"show columns from t", "cur.t:r"},
        {"show columns from t from", "!cur.t:r"},
        {"show columns from t from d where field in (select f from u)", ".t:r~d cur.u:r"},
        {"show index from t from d", "d.t:r"},
        {"show table status from d", ""},
        {"begin not atomic select 1 from t; show columns from t from d; select 1 from t; end",
         "cur.t:r .t:r~d"},
        {"prepare p from 'show columns from t from d'", ".t:r~d"},
        {"show create table d.t", "d.t:r"},
        {"show tables from d", ""},
        {"describe d.t a", "d.t:r"},
        {"explain select * from t", "cur.t:r"},
        {"explain update t set a = 1", "cur.t:w"},
        {"analyze select * from t", "cur.t:r"},
        {"use x", ""},
        {"kill 5", ""},
    };
    CHECK(cases);
    /* A string after a word is a pattern of columns, but to TiDB. */
    static const struct tables_case described[] = {
        {"explain explore''", "cur.explore:r"},
        {"desc extended 'x'", "cur.extended:r"},
        {"describe partitions \"x\"", "cur.partitions:r"},
        {"explain extended select 1 from t", "cur.t:r"},
    };
    CHECK_IN(described, &(struct sql_mode){.dialect = SQL_DIALECT_MARIADB});
}

static void texts_of_prepared_statements_are_read(void **state)
{
    (void)state;
    static const struct tables_case cases[] = {
        {"prepare s from 'select * from t where a = \\'x\\''", "cur.t:r"},
        {"execute immediate 'delete from t' using 1", "cur.t:w"},
        {"prepare s from 'prepare s2 from ''drop table t'''", "cur.t:d"},
        {"execute immediate concat('drop table ', 't')", "!"},
        {"prepare s from @a", "!"},
        {"execute s using @a", ""},
        {"execute immediate 'frobnicate'", "!"},
    };
    CHECK(cases);
    assert_true(sql_tables_read(&tables, span_of("execute immediate 'drop table t'"), &plain_mode,
                                (struct sql_span){0}));
    assert_true(tables.items[0].in_text);
    assert_int_equal(tables.items[0].database.size, 0);
}

/* Was: the text was read in the mode of the statement around it, and in the session's database. */
static void a_text_is_read_in_the_mode_and_database_it_runs_in(void **state)
{
    (void)state;
    static const struct tables_case cases[] = {
        {"set statement sql_mode = 'ansi' for execute immediate 'select 1 from \"t\"'", "cur.t:r"},
        {"set statement sql_mode = @x for execute immediate 'select 1 from \"t\"'", "!"},
        {"set statement sql_mode = @x for execute immediate 'select 1 from t'", "cur.t:r"},
        {"begin not atomic execute immediate 'use db2'; execute immediate 'drop table t'; end",
         "!cur.t:d"},
        {"begin not atomic execute immediate 'use db2'; execute immediate 'drop table d.t'; end",
         "d.t:d"},
        {"begin not atomic call p(); execute immediate 'drop table t'; drop table u; end",
         "!cur.u:d cur.t:d"},
        {"begin not atomic set sql_mode = 'ansi'; execute immediate 'select \"a\" from t'; end",
         "!cur.t:r"},
        {"create procedure d.p() execute immediate 'drop table t'", "!cur.t:d"},
        {"create procedure p() execute immediate 'drop table t'", "cur.t:d"},
        {"execute immediate 'drop ' 'table t'", "!"},
        {"execute immediate x'64726f70207461626c652074'", "!"},
        {"set statement a = 1 for begin not atomic drop table t; truncate u; end",
         "cur.t:d cur.u:d"},
    };
    CHECK(cases);
}

static void what_is_not_understood_says_so(void **state)
{
    (void)state;
    static const struct tables_case cases[] = {
        {"frobnicate t", "!"},
        {"select * from", "!"},
        {"select * from t, ", "!cur.t:r"},
        {"select * from (select 1", "!"},
        {"select * from t)", "!cur.t:r"},
        {"select * from 'text'", "!"},
        {"select 'unterminated from t", "!"},
        {"delete a where b", "!"},
        {"insert into values (1)", "!"},
        {"select * from f(1)", "!cur.f:r"},
    };
    CHECK(cases);
}

static void executable_comments_hide_nothing(void **state)
{
    (void)state;
    struct sql_mode mariadb = {.dialect = SQL_DIALECT_MARIADB, .server_version = 101119};
    static const struct tables_case known_server[] = {
        {"select * from a /*!99999 , b */", "cur.a:r cur.b:r"},
        {"select * from /*!99999 (select 1) as */ secret", "cur.secret:r"},
        {"select /*!99999 'x */ * from secret -- '", "cur.secret:r"},
        {"/*M! drop */ table t", "cur.t:d"},
        {"/*!99999 drop table t */", "cur.t:d"},
    };
    CHECK_IN(known_server, &mariadb);
    static const struct tables_case unknown_server[] = {
        {"select * from a /*!50000 , b */", "cur.a:r cur.b:r"},
        {"select * from /*!99999 (select 1) as */ secret", "cur.secret:r"},
        {"/*!40000 alter table t disable keys */;", "cur.t:d"},
        {"create table t (a int) /*!50100 partition by key (a) */", "cur.t:d"},
    };
    CHECK(unknown_server);
}

static void the_mode_is_followed(void **state)
{
    (void)state;
    static const struct tables_case ansi[] = {{"select \"a\" from \"d\".\"t\"\"x\"", "d.t\"x:r"}};
    CHECK_IN(ansi, &(struct sql_mode){.ansi_quotes = true});
    static const struct tables_case plain[] = {{"select 'a\\' from t -- '", "cur.t:r"}};
    CHECK_IN(plain, &(struct sql_mode){.no_backslash_escapes = true});
    static const struct tables_case gbk[] = {
        {"select '\xbf\x5c' from t -- '", "cur.t:r"},
        {"select * from `\x81\x60` where a", "cur.\x81\x60:r"},
    };
    CHECK_IN(gbk, &(struct sql_mode){.charset = SQL_CHARSET_GBK});
    static const struct tables_case sjis[] = {{"select '\x83\x5c' from t -- '", "cur.t:r"}};
    CHECK_IN(sjis, &(struct sql_mode){.charset = SQL_CHARSET_SJIS});
}

/* What is done to each table: I, U, D, F (renamed from), T (renamed to). */
static void describe_deeds(char *out, size_t room)
{
    static const struct {
        uint8_t deed;
        char letter;
    } letters[] = {{SQL_DEED_INSERT, 'I'},
                   {SQL_DEED_UPDATE, 'U'},
                   {SQL_DEED_DELETE, 'D'},
                   {SQL_DEED_RENAME_FROM, 'F'},
                   {SQL_DEED_RENAME_TO, 'T'}};
    size_t size = 0;
    for (size_t i = 0; i < tables.count; i++) {
        const struct sql_table *item = &tables.items[i];
        size += (size_t)snprintf(out + size, room - size, "%s%.*s:", i > 0 ? " " : "",
                                 (int)item->name.size, item->name.at);
        for (size_t at = 0; at < sizeof letters / sizeof *letters; at++)
            if (item->deeds & letters[at].deed)
                out[size++] = letters[at].letter;
        out[size] = '\0';
    }
}

static void what_is_done_to_a_table(void **state)
{
    (void)state;
    static const struct tables_case cases[] = {
        {"select * from t for update", "t:"},
        {"insert into t select * from u", "t:I u:"},
        {"insert into t values (1) on duplicate key update a = (select 1 from u)", "t:IU u:"},
        {"insert into t select * from u join v on u.a = v.a on duplicate key update t.a = 2",
         "t:IU u: v:"},
        {"insert into t (on_duplicate) values (1)", "t:I"},
        {"insert into t values (next value for s)", "t:I s:"},
        {"update t set a = nextval(s)", "t:U s:"},
        {"update t join (u cross join v) on 1 set t.a = (select max(a) from w)", "t:U u:U v:U w:"},
        {"update t join (select * from w) d on 1 set t.a = 1", "t:U w:"},
        {"update t join (select * from w) d join u set t.a = 1", "t:U w: u:U"},
        {"replace t set a = 1", "t:ID"},
        {"load data infile 'x' into table t", "t:I"},
        {"load data infile 'x' replace into table t", "t:ID"},
        {"update t join u on t.a = u.a set t.a = (select 1 from v)", "t:U u:U v:"},
        {"delete from t where a in (select a from u)", "t:D u:"},
        {"delete t from t join u on t.a = u.a", "t:D u:"},
        {"with c as (select * from u) delete from t using t join c", "u: t:D"},
        {"truncate t", "t:"},
        {"lock tables t write, u read", "t: u:"},
        {"rename table a to b, b to c", "a:F b:FT c:T"},
        {"alter table t rename to u", "t:F u:T"},
        {"alter table t rename as u, add column a int", "t:F u:T"},
        {"alter table t rename column a to b", "t:"},
        {"alter table t exchange partition p with table u", "t: u:"},
        {"begin not atomic insert into t values (1); update u set a = 1; delete from t; lock "
         "tables "
         "v write; end",
         "t:ID u:U v:"},
        {"prepare p from 'update t set a = 1'", "t:U"},
        {"explain insert into t values (1)", "t:I"},
        {"set statement a = 1 for delete from t", "t:D"},
        {"/*!50000 insert */ into t values (1)", "t:I"},
    };
    char got[256];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sql_span text = span_of(cases[i].text);
        assert_true(sql_tables_read(&tables, text, &plain_mode, span_of("cur")));
        describe_deeds(got, sizeof got);
        if (strcmp(got, cases[i].tables) != 0)
            fail_msg("%s\n  gives:    %s\n  expected: %s", cases[i].text, got, cases[i].tables);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queries),
        cmocka_unit_test(common_table_expressions),
        cmocka_unit_test(changing_rows),
        cmocka_unit_test(definitions),
        cmocka_unit_test(what_is_done_to_a_table),
        cmocka_unit_test(tables_of_options),
        cmocka_unit_test(bodies),
        cmocka_unit_test(administration),
        cmocka_unit_test(texts_of_prepared_statements_are_read),
        cmocka_unit_test(a_text_is_read_in_the_mode_and_database_it_runs_in),
        cmocka_unit_test(what_is_not_understood_says_so),
        cmocka_unit_test(executable_comments_hide_nothing),
        cmocka_unit_test(the_mode_is_followed),
    };
    sql_tables_init(&tables);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    sql_tables_release(&tables);
    return failed;
}
