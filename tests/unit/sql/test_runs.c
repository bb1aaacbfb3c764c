/* SPDX-License-Identifier: Apache-2.0
 *
 * What runs, how many results come of it, and what the session is afterwards. Each case is what
 * MariaDB 10.11 does; tests/integration/test_result_counts.py asks it. */
#include "sql_test.h"

#include <stdio.h>

/* Kinds in order; (wrappers), {those that run later}, [those in texts], ! after what is read in an
 * unsure mode, and ... where the list is not known. */
static const struct {
    const char *text, *runs;
    enum sql_results results;
    const char *after; /* see show_after() */
} cases[] = {
    {"select 1", "Select", SQL_RESULTS_ONE, ""},
    {"insert into t values (1) returning a", "Insert", SQL_RESULTS_ONE, ""},
    {"check table t", "CheckTable", SQL_RESULTS_ONE, ""},
    {"select f()", "Select", SQL_RESULTS_ONE, ""},
    {"explain delete from t", "Explain", SQL_RESULTS_ONE, ""},
    {"analyze delete from t", "(ExplainAnalyze) Delete", SQL_RESULTS_ONE, ""},
    {"call p()", "Call ...", SQL_RESULTS_UNTIL_OK, "db=? account=?"},
    {"frobnicate", "Unknown ...", SQL_RESULTS_UNKNOWN, "flags=? charset=? db=? account=?"},

    {"use db2", "Use", SQL_RESULTS_ONE, "db=db2"},
    {"use `a``b`;", "Use", SQL_RESULTS_ONE, "db=a`b"},
    {"use db2 garbage", "Use", SQL_RESULTS_ONE, "db=?"},
    {"drop database cur", "DropDatabase", SQL_RESULTS_ONE, "db="},
    {"drop schema if exists `cur`", "DropDatabase", SQL_RESULTS_ONE, "db="},
    {"drop database CUR", "DropDatabase", SQL_RESULTS_ONE, "db=?"},
    {"drop database other", "DropDatabase", SQL_RESULTS_ONE, ""},
    {"create database cur", "CreateDatabase", SQL_RESULTS_ONE, ""},
    {"create or replace database other", "CreateDatabase", SQL_RESULTS_ONE, ""},
    {"create or replace database cur charset gbk", "CreateDatabase", SQL_RESULTS_ONE, "db=?"},

    {"set names gbk", "Set", SQL_RESULTS_ONE, "charset=gbk"},
    {"set names 'sjis' collate 'sjis_bin'", "Set", SQL_RESULTS_ONE, "charset=sjis"},
    {"set character set latin1", "Set", SQL_RESULTS_ONE, "charset=latin1"},
    {"set @@character_set_client = big5", "Set", SQL_RESULTS_ONE, "charset=big5"},
    {"set character_set_client = 8", "Set", SQL_RESULTS_ONE, "charset=?"},
    {"set names default", "Set", SQL_RESULTS_ONE, "charset=?"},
    {"set names 'gb\\k'", "Set", SQL_RESULTS_ONE, "charset=?"},
    {"/*!40101 set names gbk */", "Set", SQL_RESULTS_ONE, "charset=gbk"},
    {"set sql_mode = 'ansi_quotes,NO_BACKSLASH_ESCAPES'", "Set", SQL_RESULTS_ONE, "flags=AN"},
    {"set session sql_mode = ansi", "Set", SQL_RESULTS_ONE, "flags=A"},
    {"set sql_mode = 1048580", "Set", SQL_RESULTS_ONE, "flags=AN"},
    {"set sql_mode = 'oracle'", "Set", SQL_RESULTS_ONE, "flags=AO"},
    {"set sql_mode = mssql", "Set", SQL_RESULTS_ONE, "flags=AB"},
    {"set sql_mode = ''", "Set", SQL_RESULTS_ONE, "flags="},
    {"set names gbk, sql_mode = ''", "Set", SQL_RESULTS_ONE, "flags= charset=gbk"},
    {"set @@sql_mode = concat(@@sql_mode, ',ansi')", "Set", SQL_RESULTS_ONE, "flags=?"},
    {"set sql_mode = x'414E5349'", "Set", SQL_RESULTS_ONE, "flags=?"},
    {"set sql_mode = 'A\\NSI'", "Set", SQL_RESULTS_ONE, "flags=?"},
    {"set sql_mode = 'AN' 'SI'", "Set", SQL_RESULTS_ONE, "flags=?"},
    {"set sql_mode = default", "Set", SQL_RESULTS_ONE, "flags=?"},
    {"set @@session . sql_mode = 'ansi'", "Set", SQL_RESULTS_ONE, "flags=? charset=?"},
    {"set @@session./**/sql_mode = 'ansi'", "Set", SQL_RESULTS_ONE, "flags=? charset=? account=?"},
    {"set global sql_mode = 'ansi'", "SetGlobal", SQL_RESULTS_ONE, ""},
    {"set global a = 1, sql_mode = 'ansi'", "SetGlobal", SQL_RESULTS_ONE, ""},
    {"set global a = 1, @@sql_mode = 'ansi'", "SetGlobal", SQL_RESULTS_ONE, "flags=A"},
    {"set a = 1", "Set", SQL_RESULTS_ONE, ""},
    {"set role r", "SetRole", SQL_RESULTS_ONE, "account=?"},
    {"set role none, sql_mode = 'ansi'", "SetRole", SQL_RESULTS_ONE, "flags=? charset=? account=?"},
    {"set sql_mode = 'ansi', role none", "Set", SQL_RESULTS_ONE, "flags=? charset=? account=?"},
    {"set password = password('x'), sql_mode = 'ansi'", "SetPassword", SQL_RESULTS_ONE,
     "flags=? charset=? account=?"},

    {"set statement a = 1 for select 1", "(SetStatement) Select", SQL_RESULTS_ONE, ""},
    {"set statement a = 1 for use db2", "(SetStatement) Use", SQL_RESULTS_ONE, "db=db2"},
    {"set statement a = 1 for drop database cur", "(SetStatement) DropDatabase", SQL_RESULTS_ONE,
     "db="},
    {"set statement a = 1 for call p()", "(SetStatement) Call ...", SQL_RESULTS_UNTIL_OK,
     "db=? account=?"},
    {"set statement a = 1 for set sql_mode = 'ansi'", "(SetStatement) Set", SQL_RESULTS_ONE,
     "flags=A"},
    {"set statement sql_mode = 'oracle' for set sql_mode = 'ansi'", "(SetStatement) Set",
     SQL_RESULTS_ONE, ""},
    {"set statement sql_mode = @x for set sql_mode = 'ansi'", "(SetStatement) Set", SQL_RESULTS_ONE,
     ""},
    {"set statement sql_mode = 'oracle' for set names gbk", "(SetStatement) Set", SQL_RESULTS_ONE,
     "charset=gbk"},
    {"set statement a = (select 5 for update) for use db2", "(SetStatement) Use", SQL_RESULTS_ONE,
     "db=db2"},
    {"set statement sql_mode = '' for set statement b = 2 for set sql_mode = 'ansi'",
     "(SetStatement) Set", SQL_RESULTS_ONE, "flags=?"},
    {"set statement a = 1 for set statement b = 2 for use db2", "(SetStatement) Use",
     SQL_RESULTS_ONE, "db=db2"},
    {"set statement a = 1 for begin not atomic select 1; select 2; end",
     "(SetStatement) (Compound) Select Select", SQL_RESULTS_UNTIL_OK, ""},

    {"execute use_elsewhere", "(Execute) [Use]", SQL_RESULTS_ONE, "db=?"}, /* back to cur */
    {"execute stays", "(Execute) [Use]", SQL_RESULTS_ONE, "db=cur"},
    {"begin not atomic declare k cursor for select 1; open k; fetch k into @a; close k; end",
     "(Compound) Select Unknown Unknown Unknown", SQL_RESULTS_UNTIL_OK, ""},
    {"set statement a = 1 for /*! use db2 */", "(SetStatement) Use", SQL_RESULTS_ONE, "db=db2"},
    {"set statement a = 1 /*! for use */ db2", "(SetStatement) Use", SQL_RESULTS_ONE, "db=db2"},
    {"set statement a = 1 /*! for set */ sql_mode = 'ansi'", "(SetStatement) Set", SQL_RESULTS_ONE,
     "flags=A"},
    {"set statement a = 1 /*! for call */ p()", "(SetStatement) Call ...", SQL_RESULTS_UNTIL_OK,
     "db=? account=?"},
    {"set statement a = 1 /*! for execute */ immediate 'use db2'",
     "(SetStatement) (ExecuteImmediate) [Use]", SQL_RESULTS_ONE, "db=db2"},
    {"set statement a = 1", "(SetStatement) Unknown ...", SQL_RESULTS_UNKNOWN,
     "flags=? charset=? db=? account=?"},

    {"execute immediate 'select 1'", "(ExecuteImmediate) [Select]", SQL_RESULTS_ONE, ""},
    {"execute immediate 'call p()'", "(ExecuteImmediate) [Call] ...", SQL_RESULTS_UNTIL_OK,
     "db=? account=?"},
    {"execute immediate 'use db2'", "(ExecuteImmediate) [Use]", SQL_RESULTS_ONE, "db=db2"},
    {"execute immediate 'set sql_mode=''ansi'''", "(ExecuteImmediate) [Set]", SQL_RESULTS_ONE,
     "flags=A"},
    {"execute immediate 'set role r'", "(ExecuteImmediate) [SetRole]", SQL_RESULTS_ONE,
     "account=?"},
    {"execute immediate 'select ?' using 1", "(ExecuteImmediate) [Select]", SQL_RESULTS_ONE, ""},
    {"execute immediate @x", "(ExecuteImmediate) ...", SQL_RESULTS_UNKNOWN,
     "flags=? charset=? db=? account=?"},
    {"execute immediate 'sel' 'ect 1'", "(ExecuteImmediate) ...", SQL_RESULTS_UNKNOWN,
     "flags=? charset=? db=? account=?"},
    {"execute immediate x'73656C65637420312B31'", "(ExecuteImmediate) ...", SQL_RESULTS_UNKNOWN,
     "flags=? charset=? db=? account=?"},
    {"set statement sql_mode = 'ansi' for execute immediate 'select \"a\" from t'",
     "(SetStatement) (ExecuteImmediate) [Select]", SQL_RESULTS_ONE, ""},
    {"set statement sql_mode = @x for execute immediate 'select \"a\" from t'",
     "(SetStatement) (ExecuteImmediate) [Select!] ...", SQL_RESULTS_UNKNOWN,
     "charset=? db=? account=?"},
    {"set statement sql_mode = @x for execute immediate 'select a from t'",
     "(SetStatement) (ExecuteImmediate) [Select!]", SQL_RESULTS_ONE, ""},

    {"begin not atomic set sql_mode = 'ansi'; end", "(Compound) Set", SQL_RESULTS_UNTIL_OK, ""},
    {"begin not atomic set names gbk; end", "(Compound) Set", SQL_RESULTS_UNTIL_OK, "charset=?"},
    {"begin not atomic execute immediate 'use db2'; end", "(Compound) (ExecuteImmediate) [Use]",
     SQL_RESULTS_UNTIL_OK, "db=?"},
    {"begin not atomic execute immediate 'select \"x\"'; set sql_mode = ''; end",
     "(Compound) (ExecuteImmediate) [Select!] Set ...", SQL_RESULTS_UNTIL_OK,
     "charset=? db=? account=?"},
    {"begin not atomic drop database cur; end", "(Compound) DropDatabase", SQL_RESULTS_UNTIL_OK,
     "db=?"},
    {"begin not atomic call p(); end", "(Compound) Call ...", SQL_RESULTS_UNTIL_OK,
     "db=? account=?"},
    {"if 1 then select 1; end if", "(Compound) Select", SQL_RESULTS_UNTIL_OK, ""},

    {"prepare s from 'use db2'", "Prepare {[Use]}", SQL_RESULTS_ONE, ""},
    {"prepare s from @x", "Prepare", SQL_RESULTS_ONE, ""},
    {"create procedure p() begin set names gbk; call q(); end", "CreateProcedure {Set} {Call}",
     SQL_RESULTS_ONE, ""},
    {"execute s", "(Execute) ...", SQL_RESULTS_UNKNOWN, "flags=? charset=? db=? account=?"},
    {"execute use2", "(Execute) [Use]", SQL_RESULTS_ONE, "db=db2"},
    {"EXECUTE `USE2`", "(Execute) [Use]", SQL_RESULTS_ONE, "db=db2"},
    {"execute calls", "(Execute) [Call] ...", SQL_RESULTS_UNTIL_OK, "db=? account=?"},
};

static const char *charset_name(enum sql_charset charset)
{
    static const char *const names[] = {"utf8mb4", "latin1",  "gbk",  "sjis",
                                        "big5",    "gb18030", "other"};
    return names[charset];
}

static void add(char *seen, const char *text)
{
    size_t size = strlen(seen);
    snprintf(seen + size, 512 - size, "%s%s", size ? " " : "", text);
}

static void show_after(const struct sql_effects *after, char *seen)
{
    char one[128];
    if (after->flags != SQL_UNCHANGED) {
        const struct sql_mode *mode = &after->mode;
        snprintf(one, sizeof one, "flags=%s%s%s%s%s", after->flags == SQL_UNSURE ? "?" : "",
                 after->flags == SQL_CHANGED && mode->ansi_quotes ? "A" : "",
                 after->flags == SQL_CHANGED && mode->no_backslash_escapes ? "N" : "",
                 after->flags == SQL_CHANGED && mode->oracle ? "O" : "",
                 after->flags == SQL_CHANGED && mode->brackets ? "B" : "");
        add(seen, one);
    }
    if (after->charset != SQL_UNCHANGED) {
        snprintf(one, sizeof one, "charset=%s",
                 after->charset == SQL_UNSURE ? "?" : charset_name(after->mode.charset));
        add(seen, one);
    }
    if (after->database != SQL_UNCHANGED) {
        snprintf(one, sizeof one, "db=%.*s",
                 after->database == SQL_UNSURE ? 1 : (int)after->name.size,
                 after->database == SQL_UNSURE ? "?"
                 : after->name.at              ? after->name.at
                                               : "");
        add(seen, one);
    }
    if (after->account != SQL_UNCHANGED)
        add(seen, "account=?");
}

static void show_runs(const struct sql_runs *runs, char *seen)
{
    char one[128];
    for (size_t i = 0; i < runs->count; i++) {
        const struct sql_run *run = &runs->items[i];
        snprintf(one, sizeof one, "%s%s%s%s%s%s%s%s", run->later ? "{" : "",
                 run->in_text ? "[" : "", run->wraps ? "(" : "", sql_kind_name(run->kind),
                 run->mode.unsure ? "!" : "", run->wraps ? ")" : "", run->in_text ? "]" : "",
                 run->later ? "}" : "");
        add(seen, one);
    }
    if (!runs->known)
        add(seen, "...");
}

/* Prepares as a session does that is in `database`. */
static void prepare_in(struct sql_named *named, const char *text, const char *database)
{
    struct sql_runs runs;
    struct sql_session session = {.database = {.known = true, .name = span_of(database)},
                                  .named = named};
    sql_runs_init(&runs);
    assert_true(sql_runs_read(&runs, span_of(text), &session));
    sql_named_follow(named, &runs.naming, false);
    sql_runs_release(&runs);
}

static void prepare(struct sql_named *named, const char *text)
{
    prepare_in(named, text, "cur");
}

static void a_statement_says_what_runs(void **state)
{
    (void)state;
    struct sql_named named = {0};
    struct sql_runs runs;
    sql_runs_init(&runs);
    prepare(&named, "prepare use2 from 'use db2'");
    prepare(&named, "prepare calls from 'call p()'");
    prepare_in(&named, "prepare use_elsewhere from 'use db2'", "db3");
    prepare_in(&named, "prepare stays from 'use cur'", "db3");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sql_session session = {
            .mode = {.dialect = SQL_DIALECT_MARIADB, .server_version = 101106},
            .database = {.known = true, .name = span_of("cur")},
            .named = &named};
        char seen[512] = "", after[512] = "";
        assert_true(sql_runs_read(&runs, span_of(cases[i].text), &session));
        show_runs(&runs, seen);
        show_after(&runs.after, after);
        if (strcmp(seen, cases[i].runs) != 0 || runs.results != cases[i].results ||
            strcmp(after, cases[i].after) != 0)
            print_error("%s\n  runs %s, results %d, after %s\n", cases[i].text, seen, runs.results,
                        after);
        else
            continue;
        fail_msg("expected %s, results %d, after %s", cases[i].runs, cases[i].results,
                 cases[i].after);
    }
    sql_runs_release(&runs);
    sql_named_clear(&named);
}

static void a_plain_kind_is_what_runs_says_of_it(void **state)
{
    (void)state;
    struct sql_runs runs;
    sql_runs_init(&runs);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sql_session session = {.database = {.known = true, .name = span_of("cur")}};
        struct sql_span text = span_of(cases[i].text);
        assert_true(sql_runs_read(&runs, text, &session));
        if (!sql_kind_is_plain(sql_statement_quick_kind(text, &session.mode).kind))
            continue;
        assert_true(runs.known && runs.texts_known && runs.results == SQL_RESULTS_ONE);
        assert_int_equal(runs.naming.is, SQL_NAMING_NOTHING);
        assert_int_equal(runs.after.flags | runs.after.charset | runs.after.database |
                             runs.after.account,
                         SQL_UNCHANGED);
    }
    sql_runs_release(&runs);
}

/* Found by reading: the digest is exact and the tables known in a mode that is not known. */
static void an_unsure_mode_trusts_fixed_texts_only(void **state)
{
    (void)state;
    struct sql_session session = {.mode = {.unsure = true}};
    struct sql_runs runs;
    sql_runs_init(&runs);
    assert_true(sql_runs_read(&runs, span_of("select 1 as \"\\\""), &session));
    assert_true(!runs.known && !runs.texts_known && runs.results == SQL_RESULTS_UNKNOWN);
    assert_true(sql_runs_read(&runs, span_of("select 1 from t"), &session));
    assert_true(runs.known && runs.texts_known && runs.results == SQL_RESULTS_ONE);
    assert_true(runs.after.mode.unsure && runs.after.database == SQL_UNSURE);
    assert_true(sql_runs_read(&runs, span_of("set names gbk, sql_mode = 'ansi'"), &session));
    assert_false(runs.after.mode.unsure);
    session.mode = (struct sql_mode){.brackets = true, .ansi_quotes = true};
    assert_true(sql_runs_read(&runs, span_of("select 1 as [']; drop table t -- ']"), &session));
    assert_false(runs.known);
    assert_true(sql_runs_read(&runs, span_of("execute immediate 'select \"a\"'"), &session));
    assert_false(runs.known);
    sql_runs_release(&runs);
}

/* The kind, mode and texts are those of the moment: SET STATEMENT sql_mode reads texts in the new one. */
static void a_text_is_read_in_the_mode_that_is_set_for_it(void **state)
{
    (void)state;
    struct sql_session session = {.mode = {.dialect = SQL_DIALECT_MARIADB}};
    struct sql_runs runs;
    sql_runs_init(&runs);
    const char *text =
        "set statement sql_mode = 'oracle' for execute immediate 'begin select 1; end'";
    assert_true(sql_runs_read(&runs, span_of(text), &session));
    assert_int_equal(runs.count, 4);
    assert_int_equal(runs.items[2].kind, SQL_KIND_COMPOUND);
    assert_true(runs.items[2].mode.oracle && runs.items[2].is_text);
    assert_false(runs.items[1].mode.oracle);
    assert_span(runs.items[3].text, "select 1");
    assert_int_equal(runs.results, SQL_RESULTS_UNTIL_OK);
    sql_runs_release(&runs);
}

static void a_failure_of_several_settings_is_unsure(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool whole;
    } failures[] = {
        {"use db2", true},
        {"set sql_mode = ''", true},
        {"set sql_mode = '', a = 1", false},
        {"set statement a = 1 for set sql_mode = '', a = 1", false},
        {"execute immediate 'use db2'", true},
        {"begin not atomic set names gbk; end", false},
        {"call p()", false},
        {"drop database cur", false},
        {"frobnicate", false},
        {"prepare s from 'call p()'", true},
    };
    struct sql_session session = {.database = {.known = true}};
    struct sql_runs runs;
    sql_runs_init(&runs);
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        assert_true(sql_runs_read(&runs, span_of(failures[i].text), &session));
        if (runs.fails_as_whole != failures[i].whole)
            fail_msg("%s", failures[i].text);
    }
    sql_runs_release(&runs);
}

static void names_are_followed(void **state)
{
    (void)state;
    struct sql_named named = {0};
    const struct sql_span s = span_of("s");
    prepare(&named, "prepare s from 'select 1'");
    assert_span(sql_named_find(&named, s)->text, "select 1");
    prepare(&named, "prepare S from 'select 2'");
    assert_span(sql_named_find(&named, s)->text, "select 2");
    prepare(&named, "deallocate prepare s");
    assert_null(sql_named_find(&named, s));
    prepare(&named, "prepare s from 'select 1'");
    prepare(&named, "drop prepare s");
    assert_null(sql_named_find(&named, s));
    prepare(&named, "prepare s from 'select 1'");
    prepare(&named, "prepare s from @x");
    assert_null(sql_named_find(&named, s));
    prepare(&named, "set statement sql_mode = 'ansi' for prepare s from 'select \"a\"'");
    assert_true(sql_named_find(&named, s)->mode.ansi_quotes);
    prepare(&named, "call p()"); /* may prepare */
    assert_null(sql_named_find(&named, s));
    prepare(&named, "prepare s from 'select 1'");
    prepare(&named, "begin not atomic prepare s from 'select 2'; end");
    assert_null(sql_named_find(&named, s));
    prepare(&named, "prepare s from 'select 1'");
    prepare(&named, "create procedure p() begin deallocate prepare s; end");
    assert_non_null(sql_named_find(&named, s));
    assert_null(sql_named_find(NULL, s));
    struct sql_naming again = {.is = SQL_NAMING_PREPARES, .name = s};
    sql_named_follow(&named, &again, true); /* it failed: there is none of the name any more */
    assert_null(sql_named_find(&named, s));
    for (int i = 0; i < 2 * SQL_NAMED_MAX; i++) {
        char text[64];
        snprintf(text, sizeof text, "prepare s%d from 'select 1'", i);
        prepare(&named, text);
    }
    assert_non_null(sql_named_find(&named, span_of("s0")));
    assert_null(sql_named_find(&named, span_of("s127")));
    sql_named_clear(&named);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_statement_says_what_runs),
        cmocka_unit_test(a_plain_kind_is_what_runs_says_of_it),
        cmocka_unit_test(an_unsure_mode_trusts_fixed_texts_only),
        cmocka_unit_test(a_text_is_read_in_the_mode_that_is_set_for_it),
        cmocka_unit_test(a_failure_of_several_settings_is_unsure),
        cmocka_unit_test(names_are_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
