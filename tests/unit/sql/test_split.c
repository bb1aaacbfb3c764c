/* SPDX-License-Identifier: Apache-2.0
 *
 * Splitting: each case is a text in which '|' stands where a cut is expected (it is taken out
 * before the text is split). */
#include "sql_test.h"

static void check(const char *marked, const struct sql_mode *mode)
{
    char text[1024];
    size_t cuts[32];
    size_t count = 0;
    size_t size = 0;
    for (const char *at = marked; *at != '\0'; at++)
        if (*at == '|')
            cuts[count++] = size;
        else
            text[size++] = *at;
    char *exact = malloc(size);
    memcpy(exact, text, size);
    struct sql_splitter splitter;
    struct sql_span statement;
    sql_splitter_init(&splitter, (struct sql_span){exact, size}, mode);
    size_t at = 0;
    for (size_t i = 0; i <= count; i++) {
        if (!sql_splitter_next(&splitter, &statement))
            fail_msg("%s: only %zu statements", marked, i);
        size_t end = i < count ? cuts[i] : size;
        if (statement.at != exact + at || statement.size != end - at)
            fail_msg("%s: statement %zu is \"%.*s\"", marked, i, (int)statement.size, statement.at);
        at = end;
    }
    if (sql_splitter_next(&splitter, &statement))
        fail_msg("%s: one more: \"%.*s\"", marked, (int)statement.size, statement.at);
    free(exact);
}

static void check_all(const char *const *texts, const struct sql_mode *mode)
{
    for (; *texts != NULL; texts++)
        check(*texts, mode);
}

static void splits_at_semicolons_outside_of_quotes_and_comments(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "select 1",
        "select 1;",
        "select 1;|select 2",
        "select 1;| select 2;| select 3",
        "select ';';| select \";\";| select `;` from t",
        "select 'it''s;';|select 2",
        "select 'a\\';b';|select 2",
        "select 1 -- ;\n, 2;|select 3",
        "select 1 # ;\n, 2;|select 3",
        "select 1 /* ; */;|select 3",
        "select 1 --;|select 2",
        ";;select 1;|;;select 2",
        "begin;|insert into t values (1);|commit",
        "begin work;|commit",
        "select case a when 1 then 2 else 3 end;|select 2",
        "prepare s from 'select 1; select 2';|execute s",
        "select 'unterminated; select 2",
        "create table if not exists t (a int);|select 1",
        "drop procedure if exists p;|select 1",
        "select if(1,2,3);|select repeat('a',2);|select 1",
        NULL,
    };
    check_all(texts, &plain_mode);
}

static void keeps_compound_statements_whole(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "begin not atomic select 1; select 2; end;|select 3",
        "if 1 then select 1; end if;|select 2",
        "if 1 then select 1; elseif 2 then select 2; else select 3; end if;|select 2",
        "loop select 1; end loop;|select 2",
        "while 1 do select 1; select 2; end while;|select 2",
        "repeat select 1; until x end repeat;|select 2",
        "l: loop leave l; end loop l;|select 2",
        "`l`: begin not atomic select 1; end;|select 2",
        "case 1 when 1 then select 1; else select 2; end case;|select 2",
        "for i in 1..3 do select i; end for;|select 2",
        "begin not atomic if a then begin select 1; end; end if; end;|select 3",
        "begin not atomic select end from t; select case 1 when 1 then 2 end; end;|select 3",
        "while case a when 1 then 0 end do select 1; end while;|select 3",
        "begin not atomic declare continue handler for not found begin select 1; end; select 2; "
        "end;|select 3",
        "begin not atomic declare exit handler for sqlexception set x = 1; select 2; end;|select 3",
        "set statement a = (select 1 for update) for begin not atomic select 1; end;|select 3",
        "set statement a = 1 for set statement b = 1 for if 1 then select 1; end if;|select 3",
        "set statement a = 1 for select 1;|select 3",
        NULL,
    };
    check_all(texts, &plain_mode);
}

static void keeps_bodies_of_routines_whole(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "create procedure p() begin select 1; select 2; end;|select 3",
        "create procedure p() select 1;|select 2",
        "create procedure begin() select 1;|select 2",
        "create procedure if not exists p(in a int, out b set('x','y')) begin end;|select 2",
        "create procedure p() comment 'begin' reads sql data if a then select 1; end if;|select 2",
        "create definer=root@localhost procedure p() l: begin select 1; end l;|select 2",
        "create or replace function f(a int) returns int deterministic return if(a,1,2);|select 2",
        "create function f() returns set('a','b') begin return 1; end;|select 2",
        "create function f() returns char(3) character set utf8 begin return 1; end;|select 2",
        "create function f returns string soname 'x.so';|select 2",
        "create trigger t before insert on x for each row set new.a = 1;|select 2",
        "create trigger t before insert on x for each row follows y begin set @a=1; end;|select 2",
        "create event e on schedule every 1 day do begin select 1; end;|select 2",
        "create event if not exists e on schedule at now() do select 1;|select 2",
        "alter event e do begin select 1; end;|select 2",
        "alter procedure p comment 'x';|select 2",
        "create view v as select 1;|select 2",
        NULL,
    };
    check_all(texts, &plain_mode);
}

#define ON_TRIGGER "create trigger t before insert on t for each row "

static void follows_oracle_mode(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "begin select 1; select 2; end;|select 3",
        "declare a int; b int; begin select 1; end;|select 3",
        "create procedure p(a int) as b int; begin select 1; end;|select 3",
        "create function f(a int) return int is begin return 1; end;|select 3",
        "create package p as procedure a(x int); function b return int; end;|select 3",
        "create package body p as x int; procedure a(x int) as begin select 1; end; begin x := 1; "
        "end;|select 3",
        "<<l>> loop exit l; end loop;|select 2",
        "begin for i in 1..2 loop select 1; end loop; exception when others then select 2; "
        "end;|select 3",
        /* A colon begins a variable here, and no word before it is a label. */
        ON_TRIGGER "begin:new.a:=1;end;|select 3",
        ON_TRIGGER "begin if:new.a then:new.a:=1; elsif:new.a then:new.a:=1; else:new.a:=1; end "
                   "if;end;|select 3",
        ON_TRIGGER "begin if :new.a then :new.a := 1; end if; end;|select 3",
        ON_TRIGGER
        "begin case:new.a when:new.a then:new.a:=1; else:new.a:=1; end case;end;|select 3",
        ON_TRIGGER "begin while:new.a loop:new.a:=0;end loop;end;|select 3",
        ON_TRIGGER "begin loop:new.a:=0;exit when:new.a=0;end loop;end;|select 3",
        ON_TRIGGER "begin repeat:new.a:=0;until:new.a=0 end repeat;end;|select 3",
        ON_TRIGGER "begin for i in 1..2 loop:new.a:=0;end loop;exception when others "
                   "then:new.a:=1;end;|select 3",
        ON_TRIGGER ":new.a:=1;|select 3",
        NULL,
    };
    check_all(texts, &(struct sql_mode){.oracle = true});
}

static void takes_executable_comments_as_code(void **state)
{
    (void)state;
    check("select 1 /*!50000 ;| select 2 */ ;| select 3", &plain_mode);
    struct sql_mode old = {.dialect = SQL_DIALECT_MARIADB, .server_version = 40000};
    check("select 1 /*!50000 ; select 2 */ ;| select 3", &old);
    struct sql_mode mysql = {.dialect = SQL_DIALECT_MYSQL, .server_version = 80000};
    check("select 1 /*M! ; select 2 */ ;| select 3", &mysql);
}

static void follows_the_mode(void **state)
{
    (void)state;
    check("select 'a\\';| select ';'", &(struct sql_mode){.no_backslash_escapes = true});
    check("select '\xbf\x5c';| select 2", &(struct sql_mode){.charset = SQL_CHARSET_GBK});
    check("select '\xbf\x5c'; select 2", &(struct sql_mode){.charset = SQL_CHARSET_LATIN1});
    check("select '\x83\x5c';| select 2", &(struct sql_mode){.charset = SQL_CHARSET_SJIS});
    check("select `\x81\x60;`;| select 2", &(struct sql_mode){.charset = SQL_CHARSET_SJIS});
    check("select \"a\\\";| select \"b\"", &(struct sql_mode){.ansi_quotes = true});
}

static void leaves_one_newline_out_at_each_end(void **state)
{
    (void)state;
    static const struct {
        const char *text, *statements[2];
    } cases[] = {
        {"\nselect 1;\nselect 2\n", {"select 1;", "select 2"}},
        {"\n\nselect 1;\n\nselect 2\n\n", {"\nselect 1;", "\nselect 2\n"}},
        {"select 1\n;\n;\nselect 2 -- x\n", {"select 1\n;", ";\nselect 2 -- x"}},
        {"select 1; select 2;\n", {"select 1;", " select 2;"}},
        {"select 1;\nselect ';'\n", {"select 1;", "select ';'"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sql_splitter splitter;
        struct sql_span statement;
        sql_splitter_init(&splitter, span_of(cases[i].text), &plain_mode);
        for (size_t j = 0; j < 2; j++) {
            assert_true(sql_splitter_next(&splitter, &statement));
            assert_span(statement, cases[i].statements[j]);
        }
        assert_false(sql_splitter_next(&splitter, &statement));
    }
}

static void a_text_without_statements_gives_none(void **state)
{
    (void)state;
    static const char *const texts[] = {"",     " ",    "\n",       ";\n", ";",
                                        " ; ;", "-- x", "/* x */;", "# x"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct sql_splitter splitter;
        struct sql_span statement;
        sql_splitter_init(&splitter, span_of(texts[i]), &plain_mode);
        assert_false(sql_splitter_next(&splitter, &statement));
    }
}

static void blocks_without_end_are_one_statement_and_too_deep_ones_are_uncertain(void **state)
{
    (void)state;
    check("begin not atomic select 1; select 2", &plain_mode);
    const char *block = "if 1 then ";
    size_t count = 2000;
    char *text = malloc(count * strlen(block) + 1);
    for (size_t i = 0; i < count; i++)
        memcpy(text + i * strlen(block), block, strlen(block));
    text[count * strlen(block)] = ';';
    struct sql_splitter splitter;
    struct sql_span statement;
    sql_splitter_init(&splitter, (struct sql_span){text, count * strlen(block) + 1}, &plain_mode);
    assert_true(sql_splitter_next(&splitter, &statement));
    assert_true(splitter.uncertain);
    assert_false(sql_splitter_next(&splitter, &statement));
    free(text);
}

static void is_multi_wants_two(void **state)
{
    (void)state;
    assert_false(sql_is_multi(span_of("select 1"), &plain_mode));
    assert_false(sql_is_multi(span_of("select 1;"), &plain_mode));
    assert_false(sql_is_multi(span_of("select 1; -- x"), &plain_mode));
    assert_false(sql_is_multi(span_of("select ';' from t"), &plain_mode));
    assert_true(sql_is_multi(span_of("select 1;select 2"), &plain_mode));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_at_semicolons_outside_of_quotes_and_comments),
        cmocka_unit_test(keeps_compound_statements_whole),
        cmocka_unit_test(keeps_bodies_of_routines_whole),
        cmocka_unit_test(follows_oracle_mode),
        cmocka_unit_test(takes_executable_comments_as_code),
        cmocka_unit_test(follows_the_mode),
        cmocka_unit_test(leaves_one_newline_out_at_each_end),
        cmocka_unit_test(a_text_without_statements_gives_none),
        cmocka_unit_test(blocks_without_end_are_one_statement_and_too_deep_ones_are_uncertain),
        cmocka_unit_test(is_multi_wants_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
