/* SPDX-License-Identifier: Apache-2.0
 *
 * Parts: what a statement is made of, a star behind those with a WHERE, brackets around those in
 * texts. And whether the digest can be trusted to tell it. */
#include "sql_test.h"

#include <stdio.h>

static const struct {
    const char *text, *parts;
} part_cases[] = {
    {"select 1", "Select"},
    {"delete from t", "Delete"},
    {"delete from t where a = 1", "Delete*"},
    {"delete from t where 1 = 1", "Delete"},
    {"delete from t where true or not false", "Delete"},
    {"delete from t where 1 order by a limit 3", "Delete"},
    {"update t set a = (select b from u where c = 1)", "Update"},
    {"update t set a = 1 -- where b = 1", "Update"},
    {"update t set a = 1 /* where b = 1 */", "Update"},
    {"update t set a = 1 /*!999999 where b = 1 */", "Update"},
    {"update t set a = 1 /*!50000 where b = 1 */", "Update*"},
    {"update t set a = 1 /*M!100100 where b = 1 */", "Update*"},
    {"update t set a = 'where b = 1'", "Update"},
    {"update `where` set a = 1", "Update"},
    {"update t set a = 1 where `b`", "Update*"},
    {"explain delete from t", "Explain"},
    {"analyze delete from t", "ExplainAnalyze Delete"},
    {"set statement max_statement_time = 1 for delete from t", "SetStatement Delete"},
    {"set statement max_statement_time = 1 for delete from t where a", "SetStatement* Delete*"},
    {"prepare s from 'delete from t'", "Prepare [Delete]"},
    {"prepare s from 'delete from t where a = \\'x\\''", "Prepare [Delete*]"},
    {"execute immediate 'drop table t'", "ExecuteImmediate [DropTable]"},
    {"execute immediate 'execute immediate ''drop table t'''",
     "ExecuteImmediate [ExecuteImmediate] [DropTable]"},
    {"execute immediate @x", "ExecuteImmediate"},
    {"begin not atomic delete from t; end", "Compound Delete"},
    {"begin not atomic delete from t where a; select 1; end", "Compound* Delete* Select"},
    {"begin not atomic if a then drop table t; else truncate t; end if; end",
     "Compound DropTable TruncateTable"},
    {"begin not atomic execute immediate 'drop table t'; end",
     "Compound ExecuteImmediate [DropTable]"},
    {"create procedure p() delete from t", "CreateProcedure Delete"},
    {"create procedure p() begin drop table t; end", "CreateProcedure DropTable"},
    {"create event e on schedule every 1 day do truncate table t", "CreateEvent TruncateTable"},
    {"create trigger x before insert on t for each row delete from u", "CreateTrigger Delete"},
    {"create table t (a int)", "CreateTable"},
    {"begin", "Begin"},
    {"", "Empty"},
};

/* What the server takes out of executable comments, it takes apart as well. All of these were run by
 * MariaDB 10.11. */
static const struct {
    const char *text, *parts, *last; /* last: the text of the last part */
} code_cases[] = {
    {"set statement a = 1 for /*! drop table t */", "SetStatement DropTable",
     "/*! drop table t */"},
    {"set statement a = 1 for/*!drop*/ table t", "SetStatement DropTable", "/*!drop*/ table t"},
    {"set statement a = 1 for /*!update*/ t set n = 1", "SetStatement Update",
     "/*!update*/ t set n = 1"},
    {"set statement a = 1 for /*!update*/ t set n = 1 /*! where b */", "SetStatement* Update*",
     "/*!update*/ t set n = 1 /*! where b */"},
    {"set statement a = 1 for /*M! delete from*/ t", "SetStatement Delete", "/*M! delete from*/ t"},
    {"set statement a = 1 for /*!999999 select 1 from */ /*!50100 drop */ table t",
     "SetStatement DropTable", "/*!50100 drop */ table t"},
    {"set statement a = 1 /*!00000for*/ drop table t", "SetStatement DropTable", "drop table t"},
    {"set statement a = 1 /*!00000for*/ /*! drop*/ table t", "SetStatement DropTable",
     "/*! drop*/ table t"},
    {"set statement a = 1 /*! for drop */ table t", "SetStatement DropTable", "drop */ table t"},
    {"set statement a = 1 /*! for update t set n = 1 */ where b", "SetStatement* Update*",
     "update t set n = 1 */ where b"},
    {"set /*! statement a = 1 for set statement b = 2 for */ drop table t",
     "SetStatement DropTable", "drop table t"},
    {"/*! set statement a = 1 for set statement b = 2 for drop */ table t",
     "SetStatement DropTable", "drop */ table t"},
    {"/*! set statement a = 1 */ for /*! execute */ /*! immediate */ 'drop table t'",
     "SetStatement ExecuteImmediate [DropTable]", "drop table t"},
    {"set statement a = 1 for /*! begin not atomic drop */ table t; end",
     "SetStatement Compound DropTable", "drop */ table t"},
    {"set statement a = 1 for execute immediate /*! 'drop table t' */",
     "SetStatement ExecuteImmediate [DropTable]", "drop table t"},
    {"execute /*!immediate*/ 'drop table t'", "ExecuteImmediate [DropTable]", "drop table t"},
    {"prepare s /*! from */ 'set statement a = 1 for /*!drop*/ table t'",
     "Prepare [SetStatement] [DropTable]", "/*!drop*/ table t"},
    {"analyze /*! delete */ from t", "ExplainAnalyze Delete", "analyze /*! delete */ from t"},
    {"/*! analyze */ /*! format = json delete */ from t", "ExplainAnalyze Delete",
     "/*! analyze */ /*! format = json delete */ from t"},
    {"trace /*! delete */ from t", "Trace Delete", "trace /*! delete */ from t"},
    {"batch limit 1 /*! delete */ from t", "Batch Delete", "batch limit 1 /*! delete */ from t"},
    {"begin not atomic /*!drop*/ table t; end", "Compound DropTable", "/*!drop*/ table t"},
    {"begin not atomic /*! select 1; drop */ table t; end", "Compound Select DropTable",
     "drop */ table t"},
    {"begin not atomic /*! select 1; delete from t */ where b; end", "Compound* Select Delete*",
     "delete from t */ where b"},
    {"begin not atomic set statement a = 1 /*! for drop */ table t; end",
     "Compound SetStatement DropTable", "drop */ table t"},
    {"if 1 /*! then drop */ table t; end if", "Compound DropTable", "drop */ table t"},
    {"if 0 then select 1; /*! else drop*/ table t; end if", "Compound Select DropTable",
     "drop*/ table t"},
    {"while 1 /*! do update*/ t set n = 1; end while", "Compound Update", "update*/ t set n = 1"},
    {"create trigger x before insert on t for each row /*! delete*/ from u", "CreateTrigger Delete",
     "/*! delete*/ from u"},
    {"/*!50003 create*/ /*!50017 definer = a@b*/ /*!50003 trigger x before insert on t for each "
     "row "
     "begin delete*/ from u; end",
     "CreateTrigger Delete", "delete*/ from u"},
    {"create event e on schedule every 1 day /*! do drop*/ table t", "CreateEvent DropTable",
     "drop*/ table t"},
    /* What has no FOR is not known. */
    {"set statement a = 1", "SetStatement Unknown ...", "set statement a = 1"},
};

static void a_part_has_its_text(void **state)
{
    (void)state;
    struct sql_mode mode = {.dialect = SQL_DIALECT_MARIADB, .server_version = 101106};
    struct sql_parts parts;
    sql_parts_init(&parts);
    const char *nested = "execute immediate 'prepare s from \"delete from ''t''\" '";
    assert_true(sql_parts_read(&parts, span_of(nested), &mode));
    assert_int_equal(parts.count, 3);
    assert_span(parts.items[1].text, "prepare s from \"delete from 't'\" ");
    assert_span(parts.items[2].text, "delete from 't'");
    assert_true(sql_parts_read(&parts, span_of("prepare s from 'delete from ''t'''"), &mode));
    assert_int_equal(parts.count, 2);
    assert_span(parts.items[0].text, "prepare s from 'delete from ''t'''");
    assert_span(parts.items[1].text, "delete from 't'");
    assert_true(
        sql_parts_read(&parts, span_of("begin not atomic drop table t; select 1; end"), &mode));
    assert_int_equal(parts.count, 3);
    assert_span(parts.items[1].text, "drop table t");
    sql_parts_release(&parts);
}

static void show_parts(const struct sql_parts *parts, char *out, size_t room)
{
    for (size_t i = 0; i < parts->count; i++) {
        const struct sql_part *part = &parts->items[i];
        size_t size = strlen(out);
        snprintf(out + size, room - size, "%s%s%s%s%s", i ? " " : "", part->in_text ? "[" : "",
                 sql_kind_name(part->kind), part->has_where ? "*" : "", part->in_text ? "]" : "");
    }
}

/* Found by make fuzz-server: SET STATEMENT ... FOR with code in a comment after it hid what ran. */
static void code_in_comments_is_taken_apart(void **state)
{
    (void)state;
    struct sql_mode mode = {.dialect = SQL_DIALECT_MARIADB, .server_version = 101106};
    struct sql_parts parts;
    sql_parts_init(&parts);
    for (size_t i = 0; i < sizeof code_cases / sizeof *code_cases; i++) {
        char seen[512] = "";
        assert_true(sql_parts_read(&parts, span_of(code_cases[i].text), &mode));
        show_parts(&parts, seen, sizeof seen);
        if (!parts.known)
            snprintf(seen + strlen(seen), sizeof seen - strlen(seen), " ...");
        if (strcmp(seen, code_cases[i].parts) != 0)
            fail_msg("%s\n  has the parts %s\n  expected %s", code_cases[i].text, seen,
                     code_cases[i].parts);
        assert_span(parts.items[parts.count - 1].text, code_cases[i].last);
    }
    sql_parts_release(&parts);
}

static void a_statement_has_its_parts(void **state)
{
    (void)state;
    struct sql_mode mode = {.dialect = SQL_DIALECT_MARIADB, .server_version = 101106};
    struct sql_parts parts;
    sql_parts_init(&parts);
    for (size_t i = 0; i < sizeof part_cases / sizeof *part_cases; i++) {
        char seen[512] = "";
        assert_true(sql_parts_read(&parts, span_of(part_cases[i].text), &mode));
        show_parts(&parts, seen, sizeof seen);
        if (strcmp(seen, part_cases[i].parts) != 0) {
            fail_msg("%s\n  has the parts %s\n  expected %s", part_cases[i].text, seen,
                     part_cases[i].parts);
        }
    }
    sql_parts_release(&parts);
}

enum { PLAIN = 0, ANSI = 1, NO_BACKSLASH = 2, GBK = 4, SJIS = 8, UNKNOWN_SERVER = 16 };

static const struct {
    const char *text;
    unsigned flags;
    bool exact;
} exact_cases[] = {
    {"select a, `b`, \"c\", 'd\\'', 1, 1.5, -3e4, x'00', 0xff, b'1', n'x', _utf8'x', null", 0,
     true},
    {"select @a, @@b, @@global.c, @`d`, @'e' from t where a <= 1 and b <> 2 or c := 3", 0, true},
    {"select a->'$.x', b->>'$.y' from `db`.t -- comment\n where ? = ?;", 0, true},
    {"select /*+ hint */ 1 /* comment */ # more", 0, true},
    {"insert into t values (1, 'x', \\N, true), (2, default, null, false)", 0, true},
    {"select '\xe4\xb8\xad\xe6\x96\x87', caf\xc3\xa9 from t", 0, true},
    {"", 0, true},
    {"/*!40101 set names utf8 */", 0, true},
    {"/*!40101 set names utf8 */", UNKNOWN_SERVER, false},
    {"select 1 /*!999999 or 1 */", 0, false},
    {"select 1 /*M! or 1 */", 0, false},
    {"select 1 /*M!999999 or 1 */", 0, true},
    {"select 1 /*T! or 1 */", 0, false},
    {"select '\\' or 1 -- '", 0, true},
    {"select '\\' or 1 -- '", NO_BACKSLASH, false},
    {"select 'a\\b'", NO_BACKSLASH, true},
    {"select \"a\"", ANSI, false},
    {"select 'a\"b'", ANSI, true},
    {"select '\xbf\\' or 1 -- '", GBK, false},
    {"select '\xbf\\' or 1 -- '", 0, true},
    {"select '\xd6\xd0\xce\xc4'", GBK, true},
    {"select '\x95\\' or 1 -- '", SJIS, false},
    {"select 1 \x01 union select 2", 0, false},
    {"select 'open", 0, false},
    {"select 1 /* open", 0, false},
};

static void the_digest_is_exact_where_both_read_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof exact_cases / sizeof *exact_cases; i++) {
        unsigned flags = exact_cases[i].flags;
        struct sql_mode mode = {.dialect = SQL_DIALECT_MARIADB, .server_version = 101106};
        if (flags & UNKNOWN_SERVER)
            mode = plain_mode;
        mode.ansi_quotes = flags & ANSI;
        mode.no_backslash_escapes = flags & NO_BACKSLASH;
        mode.charset = flags & GBK    ? SQL_CHARSET_GBK
                       : flags & SJIS ? SQL_CHARSET_SJIS
                                      : SQL_CHARSET_UTF8MB4;
        if (sql_digest_is_exact(span_of(exact_cases[i].text), &mode) != exact_cases[i].exact)
            fail_msg("case %zu, %s: expected %d", i, exact_cases[i].text, exact_cases[i].exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_statement_has_its_parts),
        cmocka_unit_test(code_in_comments_is_taken_apart),
        cmocka_unit_test(a_part_has_its_text),
        cmocka_unit_test(the_digest_is_exact_where_both_read_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
