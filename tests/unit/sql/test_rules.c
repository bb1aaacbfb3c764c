/* SPDX-License-Identifier: Apache-2.0
 *
 * TiDB's grammar family by family: the rarer forms of statements, each with its label and tables as
 * "name:r" (r read, w write, d changed by DDL; "!" in front: not known to be complete), and every
 * word that is not reserved where a name can stand: none may hide a table or be taken for one. */
#include "sql_test.h"

#include "sql/keywords.h"

#include <stdio.h>

struct rule_case {
    const char *text, *label, *tables;
};

static struct sql_tables tables;

static void describe(const char *text, char *out, size_t room)
{
    size_t text_size = strlen(text);
    char *exact = malloc(text_size);
    memcpy(exact, text, text_size);
    assert_true(sql_tables_read(&tables, (struct sql_span){exact, text_size}, &plain_mode,
                                (struct sql_span){NULL, 0}));
    size_t size = (size_t)snprintf(out, room, "%s", tables.known ? "" : "!");
    for (size_t i = 0; i < tables.count; i++) {
        const struct sql_table *item = &tables.items[i];
        size += (size_t)snprintf(out + size, room - size, "%s%.*s%s%.*s:%c", i > 0 ? " " : "",
                                 (int)item->database.size, item->database.at,
                                 item->database.size > 0 ? "." : "", (int)item->name.size,
                                 item->name.at, sql_access_name(item->access)[0]);
    }
    free(exact);
}

static void check(const struct rule_case *cases, size_t count)
{
    char got[2048];
    for (size_t i = 0; i < count; i++) {
        const char *label =
            sql_label_name(sql_statement_kind(span_of(cases[i].text), &plain_mode).label);
        describe(cases[i].text, got, sizeof got);
        if (strcmp(got, cases[i].tables) != 0 || strcmp(label, cases[i].label) != 0) {
            fail_msg("%s\n  gives:    %s, %s\n  expected: %s, %s", cases[i].text, label, got,
                     cases[i].label, cases[i].tables);
        }
    }
}

#define CHECK(cases) check(cases, sizeof(cases) / sizeof((cases)[0]))

static void administration(void **state)
{
    (void)state;
    static const struct rule_case cases[] = {
        {"admin repair table d.t create table d.t (a int, foreign key (a) references z (a))",
         "other", "d.t:d z:r"},
        {"admin show ddl jobs 5 where id in (select id from t)", "other", "t:r"},
        {"admin show d.t next_row_id", "other", "d.t:r"},
        {"backup table d.t, u to 'x'", "other", "d.t:r u:r"},
        {"restore table d.t, u from 'x'", "other", "d.t:w u:w"},
        {"show backup logs status", "other", ""},
        {"show backup metadata from 'x'", "other", ""},
        {"show backups", "Show", ""},
        {"drop hypo index i on t", "DropIndex", "t:d"},
        {"drop masking policy p on d.t", "other", "d.t:d"},
        {"drop statistics s", "other", ""},
        {"create placement policy p followers=1", "other", ""},
        {"alter instance reload tls", "other", ""},
        {"create something v as select * from t", "other", "!"},
        {"drop something v", "other", "!"},
        {"set role all except r", "other", ""},
        {"set binding = (select 1 from t)", "Set", "t:r"},
        {"grant select on function to u", "Grant", "function:d"},
        {"grant select on table package to u", "Grant", "package:d"},
        {"grant execute on function d.f to u", "Grant", ""},
        {"revoke execute on package p from u", "Revoke", ""},
    };
    CHECK(cases);
}

static void explaining(void **state)
{
    (void)state;
    static const struct rule_case cases[] = {
        {"desc import", "DescTable", "import:r"},
        {"desc commit a", "DescTable", "commit:r"},
        {"explain execute", "DescTable", "execute:r"},
        {"explain import into t from 'x'", "ExplainSQL", "t:w"},
        {"trace begin", "Trace", ""},
        {"trace release savepoint a", "Trace", ""},
        {"trace analyze table t, u", "Trace", "t:r u:r"},
        {"explain explore analyze select 1 from t", "ExplainSQL", "t:r"},
        {"index advise infile 'x'", "other", ""},
        {"plan replayer dump explain (select * from t)", "other", "t:r"},
        {"plan replayer dump explain ('select * from t', 'select 1')", "other", ""},
        {"plan replayer dump explain slow query where a in (select b from t) limit 5", "other",
         "t:r"},
        {"create binding for delete from t using delete from t", "CreateBinding", "t:w"},
        {"create binding for delete from t using t join u using delete from t using t join v",
         "CreateBinding", "t:w u:r v:r"},
        {"create binding for (select a from t) union (select a from u) using (select a from v) "
         "union (select a from w)",
         "CreateBinding", "t:r u:r v:r w:r"},
        {"create binding for select 1 from t join u using (a) using select 1 from t join u using "
         "(a)",
         "CreateBinding", "t:r u:r"},
    };
    CHECK(cases);
}

/* RETURNING, DUPLICATE and JSON_TABLE are names to TiDB, and clauses to others; UNION is an option
 * of tables, too. */
static void clauses_or_names(void **state)
{
    (void)state;
    static const struct rule_case cases[] = {
        {"select * from t returning, u", "Select", "t:r u:r"},
        {"select * from t returning left join u on 1", "Select", "t:r u:r"},
        {"select * from t join u on returning = 1 join v", "Select", "t:r u:r v:r"},
        {"insert into t select * from u returning left(a, 1), b", "Insert", "t:w u:r"},
        {"insert into t select * from u returning *", "Insert", "t:w u:r"},
        {"delete from t returning a, b", "Delete", "t:w"},
        {"select * from t join u on duplicate join v", "Select", "t:r u:r v:r"},
        {"insert into t select * from u on duplicate key update a = 1, b = 2", "Insert", "t:w u:r"},
        {"create table t (a int) (table u) union (select * from v)", "CreateTable", "t:d u:r v:r"},
        {"create table t (a int) union (u, v) as (select * from w) union (select * from x)",
         "CreateTable", "t:d u:r u:w v:r v:w w:r x:r"},
        {"create table t (with c as (select * from u) select * from c)", "CreateTable", "t:d u:r"},
        {"select * from json_table, t", "Select", "json_table:r t:r"},
        {"select * from json_table('[]', '$' columns (a int path '$')) x, t", "Select", "t:r"},
    };
    CHECK(cases);
}

static void scopes(void **state)
{
    (void)state;
    static const struct rule_case cases[] = {
        {"insert into t with c as (select 1 from u) select * from c on duplicate key update a = "
         "(select 1 from c)",
         "Insert", "t:w u:r c:r"},
        {"insert into t (with c as (select 1 from u) select * from c) union select * from c",
         "Insert", "t:w u:r c:r"},
        {"with a as (select 1 from t) select * from (with a as (select * from a) select * from a) "
         "x, a, d.a",
         "Select", "t:r d.a:r"},
        {"with recursive a as (select 1 union (with b as (select * from a, t) select * from b)) "
         "select * from a, b",
         "Select", "t:r b:r"},
    };
    CHECK(cases);
}

static void tokens(void **state)
{
    (void)state;
    static const struct rule_case cases[] = {
        {"select \\Nfrom t", "Select", "t:r"}, /* NULL, FROM */
        {"select \\nfrom t", "Select", ""},
        {"select user.* from user, event", "Select", "user:r event:r"},
        {"delete role.* from role", "Delete", "role:w"},
        {"grant select on event.* to u", "Grant", ""},
        {"select * from 1a, d.1, d.1e5", "Select", "1a:r d.1:r d.1e5:r"},
    };
    CHECK(cases);
}

/* Reserved words of TiDB, and words of the list that only other servers reserve; and those whose
 * meaning before a parenthesis or behind DESC is not a name's. */
static const char reserved[] =
    " add all alter analyze and array as asc between bigint binary blob both by call cascade case "
    "change char character check collate column constraint continue convert create cross cume_dist "
    "current_date current_role current_time current_timestamp current_user cursor database "
    "databases day_hour day_microsecond day_minute day_second decimal default delayed delete "
    "dense_rank desc describe distinct distinctrow div double drop dual else elseif enclosed "
    "escaped except exists exit explain false fetch first_value float float4 float8 for force "
    "foreign from fulltext generated grant group groups having high_priority hour_microsecond "
    "hour_minute hour_second if ignore ilike in index infile inner inout insert int int1 int2 int3 "
    "int4 int8 integer intersect interval into is iterate join key keys kill lag last_value "
    "lateral lead leading leave left like limit linear lines load localtime localtimestamp lock "
    "long longblob longtext low_priority match maxvalue mediumblob mediumint mediumtext middleint "
    "minute_microsecond minute_second mod natural no_write_to_binlog not nth_value ntile null "
    "numeric of on optimize option optionally or order out outer outfile over partition "
    "percent_rank precision primary procedure range rank read real recursive references regexp "
    "release rename repeat replace require restrict revoke right rlike row row_number rows schema "
    "schemas second_microsecond select set show smallint spatial sql sql_big_result "
    "sql_calc_found_rows sql_small_result sqlexception sqlstate sqlwarning ssl starting "
    "stats_extended stored straight_join system table tablesample terminated then "
    "tidb_current_tso tinyblob tinyint tinytext to trailing trigger true union unique unlock "
    "unsigned until update usage use using utc_date utc_time utc_timestamp values varbinary "
    "varchar varcharacter varying virtual when where while window with write xor year_month "
    "zerofill ";

static const char *const words[] = {
#define X(enumerator, name, flags) name,
#include "sql/keywords.def"
#undef X
};

/* The text with the word in the place of each @; out has room for it. */
static void put_word(const char *pattern, const char *word, char *out)
{
    for (; *pattern != '\0'; pattern++) {
        size_t size = *pattern == '@' ? strlen(word) : 1;
        memcpy(out, *pattern == '@' ? word : pattern, size);
        out += size;
    }
    *out = '\0';
}

static void unreserved_words(void **state)
{
    (void)state;
    static const struct {
        const char *text, *tables;
    } patterns[] = {
        {"select @.a from @ x, u where @ in (select @ from v)", "@:r u:r v:r"},
        {"select @ from t @ join u on @.a = 1 left join v using (@)", "t:r u:r v:r"},
        {"select a @ from t as @, u order by @, (select 1 from v)", "t:r u:r v:r"},
        {"select * from (select 1 from t) @, d.@, @.t", "t:r d.@:r @.t:r"},
        {"select * from (t @, u) union select @ from v", "t:r u:r v:r"},
        {"with @ as (select 1 from t) select * from @, u", "t:r u:r"},
        {"insert into @ (@) select 1 from u on duplicate key update @ = (select 1 from v)",
         "@:w u:r v:r"},
        {"insert into @ set @ = (select 1 from u)", "@:w u:r"},
        {"replace into @ values (@)", "@:w"},
        {"update @ set @ = 1", "@:w"},
        {"update t @, u set @.a = (select 1 from v)", "t:w u:w v:r"},
        {"delete from @ where @ = 1", "@:w"},
        {"delete @ from @", "@:w"},
        {"delete from t @ where exists (select 1 from u)", "t:w u:r"},
        {"create table @ (@ int) select 1 from u", "@:d u:r"},
        {"create table t like @", "t:d @:r"},
        {"create view @ (@) as select 1 from u", "@:d u:r"},
        {"create index @ on @ (@)", "@:d"},
        {"alter table @ add @ int, rename to @", "@:d"},
        {"alter table t drop @, change @ @ int, rename column @ to b", "t:d"},
        {"drop table d.@, @", "d.@:d @:d"},
        {"rename table @ to d.@", "@:d d.@:d"},
        {"truncate @", "@:d"},
        {"lock tables @ as x read, t @ write", "@:r t:w"},
        {"analyze table @, u", "@:r u:r"},
        {"show columns from @", "@:r"},
        {"desc @", "@:r"},
        {"grant select (@) on @ to u", "@:d"},
        {"load data infile 'x' into table @ (@)", "@:w"},
        {"flush tables t, @", "t:r @:r"},
        {"table @", "@:r"},
        {"call @((select 1 from t))", "t:r"},
    };
    char text[512];
    char expected[512];
    char got[512];
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        char spaced[64];
        snprintf(spaced, sizeof spaced, " %s ", words[i]);
        if (strstr(reserved, spaced) != NULL)
            continue;
        for (size_t j = 0; j < sizeof patterns / sizeof patterns[0]; j++) {
            put_word(patterns[j].text, words[i], text);
            put_word(patterns[j].tables, words[i], expected);
            describe(text, got, sizeof got);
            if (strcmp(got, expected) != 0)
                fail_msg("%s\n  gives:    %s\n  expected: %s", text, got, expected);
        }
    }
}

static int prepare(void **state)
{
    (void)state;
    sql_tables_init(&tables);
    return 0;
}

static int clean_up(void **state)
{
    (void)state;
    sql_tables_release(&tables);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(administration),   cmocka_unit_test(explaining),
        cmocka_unit_test(clauses_or_names), cmocka_unit_test(scopes),
        cmocka_unit_test(tokens),           cmocka_unit_test(unreserved_words),
    };
    return cmocka_run_group_tests(tests, prepare, clean_up);
}
