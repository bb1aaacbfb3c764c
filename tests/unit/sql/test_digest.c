/* SPDX-License-Identifier: Apache-2.0
 *
 * The normalised text, rule by rule: what goes in, what comes out. */
#include "sql_test.h"

#include <stdio.h>

struct digest_case {
    const char *text, *normalized;
};

static struct sql_digester digester;

static void check(const struct digest_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(cases[i].text);
        char *exact = malloc(size);
        struct sql_span normalized;
        memcpy(exact, cases[i].text, size);
        assert_true(sql_normalize(&digester, (struct sql_span){exact, size}, &normalized));
        if (normalized.size != strlen(cases[i].normalized) ||
            memcmp(normalized.at, cases[i].normalized, normalized.size) != 0) {
            fail_msg("%s\n  gives:    %.*s\n  expected: %s", cases[i].text, (int)normalized.size,
                     normalized.at, cases[i].normalized);
        }
        free(exact);
    }
}

#define CHECK(cases) check(cases, sizeof(cases) / sizeof((cases)[0]))

static void words_are_lowered_and_names_quoted(void **state)
{
    (void)state;
    static const struct digest_case cases[] = {
        {"SELECT Name FROM `My Table`", "select `name` from `my table`"},
        {"select a.select, t . from, status from x",
         "select `a` . `select` , `t` . `from` , status from `x`"},
        {"select\ta.\tselect", "select `a` . select"},
        {"select count(a), count (a), sum(b)",
         "select count ( `a` ) , `count` ( `a` ) , sum ( `b` )"},
        {"select rank() over (order by a)", "select `rank` ( ) `over` ( order by `a` )"},
        {"select `a``b`", "select `a`b`"},
        {"select \xc3\x84\xc3\x96, \xe2\x84\xaa\xff",
         "select `\xc3\xa4\xc3\xb6` , `k\xef\xbf\xbd`"},
        {"select $1a, 1a, 0x1g, 1e", "select `$1a` , `1a` , `0x1g` , `1e`"},
        {"a STRAIGHT_JOIN b", "`a` join `b`"},
    };
    CHECK(cases);
}

static void literals_become_marks(void **state)
{
    (void)state;
    static const struct digest_case cases[] = {
        {"select 1", "select ?"},
        {"select 'a', \"b\", 1.5, .5, 1e3, 0x1F, x'1f', b'01', 0b1, ?, \\N, null", "select ..."},
        {"select a from t where b = null", "select `a` from `t` where `b` = ?"},
        {"select -1, + 2, 3 - 4, a - -5", "select ... - ? , `a` - ?"},
        {"select a <> -1", "select `a` <> - ?"},
        {"select count(*), *", "select count ( ? ) , *"},
        {"select '*'", "select *"},
        {"select ('*')", "select ( ? )"},
        {"select 'a' 'b'", "select ? ?"},
        {"select 'it''s', 'a\\'b'", "select ..."},
        {"select 0x1F.5", "select ? `x1f` ?"},
        {"t.1", "`t` ?"},
    };
    CHECK(cases);
}

static void lists_are_merged(void **state)
{
    (void)state;
    static const struct digest_case cases[] = {
        {"a in (1)", "`a` in ( ? )"},
        {"a in (1, 2, 3)", "`a` in ( ... )"},
        {"insert into t values (1,2),(3,4)", "insert into `t` values ( ... )"},
        {"insert into t values (1),(2,a)", "insert into `t` values ( ... , `a` )"},
        {"limit 1, 2", "limit ..."},
        {"limit 1 offset 2", "limit ? offset ?"},
        {"select 1,(2),(3)", "select ? , ( ... )"},
        {"row(1,2), row(3,4)", "row ( ... ) , row ( ... )"},
        {"values (_utf8'a', _utf8'b')", "values ( ... )"},
        {"values (_utf8'b', 'c')", "values ( (_charset) ... )"},
        {"values (N'b')", "values ( (_charset) ? )"},
        {"select _latin1, _ucs2", "select (_charset) , `_ucs2`"},
    };
    CHECK(cases);
}

static void positions_keep_their_numbers(void **state)
{
    (void)state;
    static const struct digest_case cases[] = {
        {"order by 1", "order by 1"},          {"group by 1, 02, 3", "group by 1 , 02 , 3"},
        {"order by a, 1", "order by `a` , 1"}, {"order by a desc, 1", "order by `a` desc , ?"},
        {"order by (1", "order by ( 1"},       {"order by 1, 'a', 2", "order by 1 , ..."},
        {"order by 1.5", "order by ?"},        {"`order` by 1", "`order` by 1"},
    };
    CHECK(cases);
}

static void comments_and_hints_are_dropped(void **state)
{
    (void)state;
    static const struct digest_case cases[] = {
        {"", ""},
        {"-- x", ""},
        {";", ""},
        {"select 1;", "select ?"},
        {"select 1; ", "select ? ;"},
        {"select /* a */ 1 # b", "select ?"},
        {"select 1 --x\n", "select ? - - `x`"},
        {"select /*+ hint */ 1", "select ?"},
        {"select /*!50000 1 */ from /*M! x */ t", "select ? from `t`"},
        {"select /*!999999 1 */", "select ? ?"},
        {"select /*T![ttl] a */ /*T![nope] b */", "select `a`"},
        {"select 1 /* x", "select ? "},
        {"/*", ""},
        {"from t use index (a, b) where c", "from `t` where `c`"},
        {"from t ignore index for join (a)", "from `t`"},
        {"from t use key (a)", "from `t` use key ( `a` )"},
        {"from t force index a", "from `t` force index"},
        {"from t use index (.5e) x", "from `t` use `index`"},
        {"use `index` (a)", ""},
    };
    CHECK(cases);
}

static void variables_and_operators(void **state)
{
    (void)state;
    static const struct digest_case cases[] = {
        {"set @A = @@GLOBAL.B, @@session.`C` = @'D e'", "set @a = @@global.b , @@session.c = @d e"},
        {"@ a", "@ `a`"},
        {"@@ a @@global. b", " `a`  `b`"},
        {"a->'$.b', c->>'$'", "`a`  ? , `c`  ?"},
        {"a <=> b && c || d := e << 1", "`a` <=> `b` && `c` || `d` := `e` << ?"},
    };
    CHECK(cases);
}

static void what_is_invalid_ends_the_text(void **state)
{
    (void)state;
    static const struct digest_case cases[] = {
        {"select 'a", "select"},      {"select `a", "select"},  {"select \x01 1", "select"},
        {"select x'zz' 1", "select"}, {"select .5e", "select"}, {"'a", ""},
    };
    CHECK(cases);
}

static void a_nul_byte_is_invalid(void **state)
{
    (void)state;
    struct sql_span normalized;
    assert_true(sql_normalize(&digester, (struct sql_span){"select \0 1", 10}, &normalized));
    assert_span(normalized, "select");
}

static void an_empty_text_needs_no_memory_from_before(void **state)
{
    (void)state;
    struct sql_digester fresh;
    struct sql_span normalized;
    sql_digester_init(&fresh);
    assert_true(sql_normalize(&fresh, (struct sql_span){NULL, 0}, &normalized));
    assert_int_equal(normalized.size, 0);
    sql_digester_release(&fresh);
}

static void the_digest_is_sha256_in_hex(void **state)
{
    (void)state;
    char hex[SQL_DIGEST_BYTES];
    assert_true(sql_digest(&digester, (struct sql_span){NULL, 0}, hex));
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_true(sql_digest(&digester, span_of("abc"), hex));
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

/* Texts are read by blocks: what they become must not depend on where they stand in one. */
static void blanks_in_front_change_nothing(void **state)
{
    (void)state;
    static const struct digest_case cases[] = {
        {"SELECT fifteen_letters,sixteen_letters_,seventeen_letters FROM `fifteen_letters`",
         "select `fifteen_letters` , `sixteen_letters_` , `seventeen_letters` from "
         "`fifteen_letters`"},
        {"select approx_count_distinct(tidb_bounded_staleness),approx_count_distinct",
         "select approx_count_distinct ( `tidb_bounded_staleness` ) , approx_count_distinct"},
        {"select 'it\\'s','it''s',\"a \\\" b\",'\\\\', `a``b`, `order`",
         "select ... , `a`b` , `order`"},
        {"select '*', '\\*', '**' from t", "select * , * , ? from `t`"},
        {"select a.\nfrom, b. from, c.from, d .  from",
         "select `a` . from , `b` . `from` , `c` . `from` , `d` . `from`"},
        {"select @a, @@b, @@global.c, @`d`, @order @by 1, 2",
         "select @a , @@b , @@global.c , @d , @order @by 1 , 2"},
        {"select a<=-1,b<>-1,c!=-1,d>=-1,e<=>-1,f<<1,g->'$.x'",
         "select `a` <= ? , `b` <> - ? , `c` != - ? , `d` >= ? , `e` <=> - ? , `f` << ? , `g`  ?"},
        {"select count(*),*/* a. */from t -- b.\n,u# c.\n;",
         "select count ( ? ) , * from `t` , `u`"},
        {"select 123456789012345,1234567890123456,12345678901234567,1.,.5,1.5e3,0x1F,1a",
         "select ... , `1a`"},
        {"select a from t use index(b),u ignore index (c) order by 1,-2,(3),a",
         "select `a` from `t` , `u` order by 1 , 2 , ( ? ) , `a`"},
        {"insert into t values(_utf8'a',null),(_utf8'b',null)",
         "insert into `t` values ( (_charset) ... ) , ( (_charset) ... )"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t blanks = 0; blanks < 40; blanks++) {
            char text[256];
            memset(text, ' ', blanks);
            snprintf(text + blanks, sizeof text - blanks, "%s", cases[i].text);
            check(&(struct digest_case){text, cases[i].normalized}, 1);
        }
    }
}

/* Room is made for some thousands of bytes at a time. */
static void long_texts_are_read_whole(void **state)
{
    (void)state;
    enum { WORDS_BYTES = 100000 };
    struct sql_span normalized;
    char *text = malloc(WORDS_BYTES);
    for (size_t i = 0; i < WORDS_BYTES; i++)
        text[i] = i % 2 == 0 ? 'a' : ',';
    assert_true(sql_normalize(&digester, (struct sql_span){text, WORDS_BYTES}, &normalized));
    assert_int_equal(normalized.size, 6 * (WORDS_BYTES / 2) - 1);
    for (size_t i = 0; i < normalized.size; i++)
        assert_int_equal(normalized.at[i], "`a` , "[i % 6]);
    free(text);
}

/* Look-ups fill words up with zeros. */
static void names_that_end_in_zeros_are_no_keywords(void **state)
{
    (void)state;
    static const char text[] = "select `straight_join\0`";
    static const char expected[] = "select `straight_join\0`";
    struct sql_span normalized;
    assert_true(sql_normalize(&digester, (struct sql_span){text, sizeof text - 1}, &normalized));
    assert_int_equal(normalized.size, sizeof expected - 1);
    assert_memory_equal(normalized.at, expected, normalized.size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_lowered_and_names_quoted),
        cmocka_unit_test(literals_become_marks),
        cmocka_unit_test(lists_are_merged),
        cmocka_unit_test(positions_keep_their_numbers),
        cmocka_unit_test(comments_and_hints_are_dropped),
        cmocka_unit_test(variables_and_operators),
        cmocka_unit_test(what_is_invalid_ends_the_text),
        cmocka_unit_test(a_nul_byte_is_invalid),
        cmocka_unit_test(an_empty_text_needs_no_memory_from_before),
        cmocka_unit_test(the_digest_is_sha256_in_hex),
        cmocka_unit_test(blanks_in_front_change_nothing),
        cmocka_unit_test(long_texts_are_read_whole),
        cmocka_unit_test(names_that_end_in_zeros_are_no_keywords),
    };
    sql_digester_init(&digester);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    sql_digester_release(&digester);
    return failed;
}
