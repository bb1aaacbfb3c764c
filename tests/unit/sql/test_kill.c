/* SPDX-License-Identifier: Apache-2.0
 *
 * KILL: where its number stands, and texts with other ids in place of those that were written. */
#include "sql_test.h"

static void kill_shows_where_the_number_stands(void **state)
{
    (void)state;
    struct sql_kill kill;
    const char *text = "kill /* who */ soft query 18446744073709551615 ;";
    assert_true(sql_kill(span_of(text), &plain_mode, &kill));
    assert_true(kill.query && kill.soft && kill.is_number && !kill.by_query_id);
    assert_true(kill.number == UINT64_MAX);
    assert_ptr_equal(kill.id.at, strstr(text, "1844"));
    assert_int_equal(kill.id.size, 20);
    assert_true(sql_kill(span_of("KILL QUERY ID 7"), &plain_mode, &kill));
    assert_true(kill.by_query_id && kill.number == 7);
    assert_true(sql_kill(span_of("KILL CONNECTION 8"), &plain_mode, &kill));
    assert_true(!kill.query && kill.number == 8);
    static const char *const not_numbers[] = {
        "kill user root", "kill @a", "kill 18446744073709551616", "kill 0x10", "kill 1+1",
        "kill 1.5",       "kill"};
    for (size_t i = 0; i < sizeof not_numbers / sizeof not_numbers[0]; i++) {
        assert_true(sql_kill(span_of(not_numbers[i]), &plain_mode, &kill));
        assert_false(kill.is_number);
    }
    assert_false(sql_kill(span_of("select 1"), &plain_mode, &kill));
}

/* 0: it is not all that is done. */
static void check_alone(const char *text, uint64_t number)
{
    struct sql_kill kill;
    const bool is_alone = sql_kill_alone(span_of(text), &plain_mode, NULL, &kill);
    if (is_alone != (number != 0) || (is_alone && kill.number != number))
        fail_msg("%s: alone %d, number %llu", text, is_alone, (unsigned long long)kill.number);
}

static void a_kill_that_is_all_that_is_done(void **state)
{
    (void)state;
    check_alone("KILL 5", 5);
    check_alone("kill query (5) ;;", 5);
    check_alone("SET STATEMENT max_statement_time = (SELECT 1 FOR UPDATE), a = 2 FOR KILL 5", 5);
    check_alone("BEGIN NOT ATOMIC KILL 5; END", 5);
    check_alone("BEGIN NOT ATOMIC BEGIN NOT ATOMIC EXECUTE IMMEDIATE 'kill 5'; END; END;", 5);
    check_alone("EXECUTE IMMEDIATE 'SET STATEMENT a = 1 FOR KILL 5'", 5);
    check_alone("/*!50000 KILL 5 */", 5);
    check_alone("BEGIN NOT ATOMIC KILL 5; SELECT 1; END", 0);
    check_alone("BEGIN NOT ATOMIC IF @a THEN KILL 5; END IF; END", 0);
    check_alone("BEGIN NOT ATOMIC SELECT 1; KILL 5; END", 0);
    check_alone("BEGIN NOT ATOMIC KILL 5 END", 0);
    check_alone("BEGIN NOT ATOMIC KILL 5;", 0);
    check_alone("KILL 5; SELECT 1", 0);
    check_alone("SELECT 1; KILL 5", 0);
    check_alone("EXECUTE IMMEDIATE 'KILL ?' USING 5", 0);
    check_alone("EXECUTE IMMEDIATE 'KILL' ' 5'", 0);
    check_alone("EXECUTE IMMEDIATE CONCAT('KILL ', 5)", 0);
    check_alone("EXECUTE s", 0);
    check_alone("SET a = 5", 0);
    check_alone("", 0);
    struct sql_kill kill;
    assert_true(sql_kill_alone(span_of("PREPARE s FROM 'KILL 5'"), &plain_mode, NULL, &kill));
    assert_true(kill.is_kept && kill.number == 5);
}

static void a_kill_under_a_name(void **state)
{
    (void)state;
    struct sql_named named = {0};
    struct sql_kill kill;
    const struct sql_naming naming = {
        .is = SQL_NAMING_PREPARES,
        .name = span_of("s"),
        .prepared = {.text = span_of("KILL SOFT 5"), .mode = plain_mode}};
    sql_named_follow(&named, &naming, false);
    assert_true(sql_kill_alone(span_of("EXECUTE s"), &plain_mode, &named, &kill));
    assert_true(kill.number == 5 && kill.soft && !kill.is_kept);
    assert_false(sql_kill_alone(span_of("EXECUTE s USING 1"), &plain_mode, &named, &kill));
    assert_false(sql_kill_alone(span_of("EXECUTE t"), &plain_mode, &named, &kill));
    assert_false(sql_kill_alone(span_of("DEALLOCATE PREPARE s"), &plain_mode, &named, &kill));
    sql_named_clear(&named);
}

/* Ids from 100 on are known: 100 is 1, 101 is 2 ... */
static bool map_id(void *data, uint64_t id, uint32_t *new_id)
{
    size_t *calls = data;
    ++*calls;
    *new_id = (uint32_t)(id - 99);
    return id >= 100;
}

/* expected: NULL when nothing is to be replaced. */
static void check_rewrite(const char *text, bool is_multi, const char *expected)
{
    struct strbuf out = STRBUF_INIT;
    size_t calls = 0;
    enum sql_kind first = sql_statement_quick_kind(span_of(text), &plain_mode).kind;
    bool is_rewritten =
        sql_may_kill(span_of(text), first, is_multi) &&
        sql_kill_rewrite(&out, span_of(text), &plain_mode, is_multi, map_id, &calls);
    assert_int_equal(is_rewritten, expected != NULL);
    assert_string_equal(out.data, expected ? expected : "");
    strbuf_release(&out);
}

static void every_form_of_kill_gets_the_other_id(void **state)
{
    (void)state;
    check_rewrite("KILL 100", false, "KILL 1");
    check_rewrite(" kill\n101 ; -- end", false, " kill\n2 ; -- end");
    check_rewrite("KILL CONNECTION 104", false, "KILL CONNECTION 5");
    check_rewrite("KILL QUERY 104", false, "KILL QUERY 5");
    check_rewrite("KILL HARD CONNECTION 104", false, "KILL HARD CONNECTION 5");
    check_rewrite("KILL SOFT QUERY 104", false, "KILL SOFT QUERY 5");
    check_rewrite("KILL TIDB QUERY 104", false, "KILL TIDB QUERY 5");
    check_rewrite("KILL /* 100 */ 104 # 100", false, "KILL /* 100 */ 5 # 100");
    check_rewrite("/*!50000 KILL 104 */", false, "/*!50000 KILL 5 */");
}

static void what_names_no_known_connection_stays(void **state)
{
    (void)state;
    static const char *const texts[] = {"KILL 99",
                                        "KILL QUERY ID 100",
                                        "KILL USER root",
                                        "KILL USER 'a'@'b'",
                                        "KILL @a",
                                        "KILL 100 + 1",
                                        "KILL",
                                        "SELECT 'KILL 100'",
                                        "SELECT 1 -- KILL 100",
                                        ""};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        check_rewrite(texts[i], false, NULL);
        check_rewrite(texts[i], true, NULL);
    }
}

static void each_kill_of_several_statements_is_rewritten(void **state)
{
    (void)state;
    check_rewrite("SELECT 'KILL 100;'; kill 100; KILL 7; Kill query 101; ", true,
                  "SELECT 'KILL 100;'; kill 1; KILL 7; Kill query 2; ");
    check_rewrite("\nKILL 100;\n\nKILL 101\n", true, "\nKILL 1;\n\nKILL 2\n");
    /* A server without multi-statements refuses the text. */
    check_rewrite("SELECT 1; KILL 100", false, NULL);
}

static void a_kill_that_another_statement_runs_is_rewritten(void **state)
{
    (void)state;
    static const char *const texts[][2] = {
        {"KILL (100)", "KILL (1)"},
        {"SET STATEMENT max_statement_time = 1 FOR KILL 100",
         "SET STATEMENT max_statement_time = 1 FOR KILL 1"},
        {"EXECUTE IMMEDIATE 'KILL 100'", "EXECUTE IMMEDIATE 'KILL 1'"},
        {"EXECUTE IMMEDIATE \"kill query 101 ;\" ; -- x",
         "EXECUTE IMMEDIATE \"kill query 2 ;\" ; -- x"},
        {"PREPARE s FROM 'KILL 100'", "PREPARE s FROM 'KILL 1'"},
        {"BEGIN NOT ATOMIC KILL 100; EXECUTE IMMEDIATE 'KILL 101'; IF 1 THEN KILL HARD 102; END "
         "IF; END",
         "BEGIN NOT ATOMIC KILL 1; EXECUTE IMMEDIATE 'KILL 2'; IF 1 THEN KILL HARD 3; END IF; END"},
        {"EXECUTE IMMEDIATE 'SET STATEMENT max_statement_time = 1 FOR KILL 100'",
         "EXECUTE IMMEDIATE 'SET STATEMENT max_statement_time = 1 FOR KILL 1'"},
        {"/*!50000 EXECUTE IMMEDIATE 'KILL 100' */", "/*!50000 EXECUTE IMMEDIATE 'KILL 1' */"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        check_rewrite(texts[i][0], false, texts[i][1]);
        check_rewrite(texts[i][0], true, texts[i][1]);
    }
}

static void what_only_looks_like_a_kill_stays(void **state)
{
    (void)state;
    static const char *const texts[] = {"EXECUTE IMMEDIATE CONCAT('KILL 100')",
                                        "EXECUTE IMMEDIATE 'KILL 100' ' '",
                                        "EXECUTE IMMEDIATE 'KILL 100' || ''",
                                        "EXECUTE IMMEDIATE 'SELECT ''KILL 100'' '",
                                        "EXECUTE IMMEDIATE 'KILL 100 + 1'",
                                        "PREPARE s FROM @a",
                                        "KILL (100",
                                        "KILL 100 1",
                                        "KILL -100",
                                        "KILL 100)",
                                        "EXECUTE s USING 100",
                                        "SELECT TRIM(LEADING 'a' FROM 'KILL 100')",
                                        "SELECT execute 'KILL 100'",
                                        "CREATE PROCEDURE p() KILL 100",
                                        "SET STATEMENT sql_mode = 'KILL 100' FOR SELECT 1"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        check_rewrite(texts[i], false, NULL);
        check_rewrite(texts[i], true, NULL);
    }
}

static void what_stands_for_the_id_is_told(void **state)
{
    (void)state;
    struct sql_kill kill;
    const char *text = "KILL QUERY ? ;";
    assert_true(sql_kill(span_of(text), &plain_mode, &kill));
    assert_true(kill.is_parameter && !kill.is_number && kill.id.at == strchr(text, '?'));
    assert_true(sql_kill(span_of("KILL @a"), &plain_mode, &kill));
    assert_true(kill.is_variable && kill.id.size == 2);
    assert_true(sql_kill(span_of("KILL ? + 1"), &plain_mode, &kill));
    assert_false(kill.is_parameter);
}

/* Each statement was read in the session's mode. In that of the SET before it, the second string
 * ends at its backslash, and the KILL is no part of it. */
static void a_kill_is_found_in_the_mode_that_a_set_before_it_chooses(void **state)
{
    (void)state;
    check_rewrite("SET sql_mode = 'NO_BACKSLASH_ESCAPES'; SELECT '\\'; KILL 100; SELECT ''", true,
                  "SET sql_mode = 'NO_BACKSLASH_ESCAPES'; SELECT '\\'; KILL 1; SELECT ''");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kill_that_is_all_that_is_done),
        cmocka_unit_test(a_kill_under_a_name),
        cmocka_unit_test(kill_shows_where_the_number_stands),
        cmocka_unit_test(every_form_of_kill_gets_the_other_id),
        cmocka_unit_test(what_names_no_known_connection_stays),
        cmocka_unit_test(each_kill_of_several_statements_is_rewritten),
        cmocka_unit_test(a_kill_that_another_statement_runs_is_rewritten),
        cmocka_unit_test(what_only_looks_like_a_kill_stays),
        cmocka_unit_test(what_stands_for_the_id_is_told),
        cmocka_unit_test(a_kill_is_found_in_the_mode_that_a_set_before_it_chooses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
