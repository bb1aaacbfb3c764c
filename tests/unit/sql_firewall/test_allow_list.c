/* SPDX-License-Identifier: Apache-2.0
 *
 * What a statement is known by on an allow-list, and the lists in memory. */
#include <stdio.h>
#include <weir/text.h>

#include "firewall_test.h"

/* The sorts of a statement's keys as letters, and '!' where one is unknown. */
static void sorts_of(const char *text, char *sorts)
{
    struct text_session session;
    struct statement statement;
    struct key key;
    enum key_answer answer;
    size_t count = 0;
    test_statement(&session, &statement, text, strlen(text));
    while ((answer = key_of(&statement, count, &key)) == KEY_FOUND)
        sorts[count++] = "dtc"[key.sort];
    if (answer == KEY_UNKNOWABLE)
        sorts[count++] = '!';
    sorts[count] = '\0';
    text_session_close(&session);
}

static void keys_are_what_tells_all_that_a_statement_does(void **state)
{
    static const struct {
        const char *statement, *sorts;
    } rows[] = {
        {"SELECT 1", "d"},
        {"SELECT /*M! 1 */ + 1", "t"},
        {"SELECT `a\xc3\xa4`", "d"},
        {"SELECT `a\xe4`", "t"}, /* no UTF-8: the digest reads U+FFFD, as in `a\xf6` */
        {"SELECT 'a\xe4'", "d"},
        {"EXECUTE IMMEDIATE 'SELECT `a\xe4`'", "t"},
        {"EXECUTE p USING @a", "d"},
        {"PREPARE p FROM 'SELECT 1'", "dd"},
        {"PREPARE p FROM 'SELECT /*M! 1 */ + 1'", "t"},
        {"EXECUTE IMMEDIATE 'EXECUTE IMMEDIATE ''SELECT 1'''", "ddd"},
        {"EXECUTE IMMEDIATE @x", "!"},
        {"EXECUTE IMMEDIATE CONCAT('a', 'b')", "!"},
        {"EXECUTE IMMEDIATE 'EXECUTE IMMEDIATE @x'", "!"},
        {"BEGIN NOT ATOMIC SELECT 1; EXECUTE IMMEDIATE 'SELECT 2'; END", "dd"},
        {"BEGIN NOT ATOMIC EXECUTE IMMEDIATE 'SELECT 1'; EXECUTE IMMEDIATE @x; END", "!"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char sorts[64];
        sorts_of(rows[i].statement, sorts);
        if (strcmp(sorts, rows[i].sorts) != 0)
            fail_msg("%s: %s", rows[i].statement, sorts);
    }
}

static void a_text_in_a_statement_has_the_key_of_that_text(void **state)
{
    struct text_session first, second;
    struct statement inner, outer;
    struct key plain, in_text;
    (void)state;
    test_statement(&first, &inner, "select a from t where b = 7", 27);
    test_statement(&second, &outer, "PREPARE p FROM 'SELECT a FROM t WHERE b = ?'", 44);
    assert_int_equal(key_of(&inner, 0, &plain), KEY_FOUND);
    assert_int_equal(key_of(&outer, 1, &in_text), KEY_FOUND);
    assert_memory_equal(plain.bytes, in_text.bytes, KEY_BYTES);
    assert_int_equal(in_text.shown.size, plain.shown.size);
    assert_memory_equal(in_text.shown.data, plain.shown.data, plain.shown.size);
    text_session_close(&first);
    text_session_close(&second);
}

static void an_account_has_what_it_learned_and_others_do_not(void **state)
{
    struct allow_lists *lists = allow_lists_new();
    struct key key = test_key(1), other = test_key(1);
    (void)state;
    other.sort = KEY_TEXT;
    assert_null(allow_lists_find(lists, (weir_string){"a@%", 3}));
    struct account *a = allow_lists_make(lists, (weir_string){"a@%", 3});
    struct account *b = allow_lists_make(lists, (weir_string){"b@%", 3});
    assert_ptr_equal(allow_lists_make(lists, (weir_string){"a@%", 3}), a);
    assert_int_equal(account_learn(lists, a, &key), LEARNED_NEW);
    assert_int_equal(account_learn(lists, a, &key), LEARNED_NOTHING);
    assert_true(account_has(a, &key));
    assert_false(account_has(a, &other));
    assert_false(account_has(b, &key));
    assert_int_equal(account_mode(a), NO_MODE);
    account_set_mode(a, FIREWALL_DETECTING);
    assert_int_equal(account_mode(a), FIREWALL_DETECTING);
    assert_int_equal(allow_lists_count(lists), 1);
    assert_null(allow_lists_make(lists, (weir_string){"a\nb", 3}));
    allow_lists_free(lists);
}

/* What was learned in one database does not pass because another is current. */
static void a_statement_is_known_in_the_database_that_it_was_learned_in(void **state)
{
    static const char *const others[] = {"other", "sho", "shop2", "Shop", ""};
    struct allow_lists *lists = allow_lists_new();
    struct account *account = allow_lists_make(lists, text_of("a@%"));
    struct key key = test_key(1), none = test_key(2), any = test_key(3);
    (void)state;
    key.database = text_of("shop");
    none.database = text_of("");
    assert_int_equal(account_learn(lists, account, &key), LEARNED_NEW);
    assert_int_equal(account_learn(lists, account, &key), LEARNED_NOTHING);
    assert_int_equal(account_learn(lists, account, &none), LEARNED_NEW);
    assert_true(account_allows(account, &key));
    assert_true(account_allows(account, &none));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        key.database = text_of(others[i]);
        assert_false(account_allows(account, &key));
    }
    none.database = text_of("shop");
    assert_false(account_allows(account, &none));
    assert_int_equal(allow_lists_unbound(lists), 0);
    /* One of a list that does not know of databases counts in each, and can be learned anew. */
    assert_int_equal(account_learn(lists, account, &any), LEARNED_NEW);
    any.database = text_of("shop");
    assert_true(account_allows(account, &any));
    assert_false(account_has(account, &any));
    assert_int_equal(account_learn(lists, account, &any), LEARNED_NEW);
    assert_int_equal(allow_lists_unbound(lists), 1);
    any.sort = KEY_TEXT;
    assert_false(account_allows(account, &any));
    key.database = (weir_string){NULL, 0};
    assert_true(account_names(account, &key));
    key.database = text_of("other");
    assert_false(account_names(account, &key));
    allow_lists_free(lists);
}

static void a_database_that_cannot_stand_in_a_line_is_not_learned(void **state)
{
    struct allow_lists *lists = allow_lists_new();
    struct account *account = allow_lists_make(lists, text_of("a@%"));
    struct key key = test_key(1);
    char name[DATABASE_BYTES];
    (void)state;
    key.database = text_of("a\naccount b@%");
    assert_int_equal(account_learn(lists, account, &key), LEARNED_FULL);
    memset(name, 'x', sizeof name);
    key.database = (weir_string){name, sizeof name};
    assert_int_equal(account_learn(lists, account, &key), LEARNED_FULL);
    key.database.size--;
    assert_int_equal(account_learn(lists, account, &key), LEARNED_NEW);
    allow_lists_free(lists);
}

static void a_list_ends_at_its_limit(void **state)
{
    struct allow_lists *lists = allow_lists_new();
    struct account *account = allow_lists_make(lists, (weir_string){"a@%", 3});
    (void)state;
    for (unsigned i = 0; i < STATEMENTS_MAX; i++) {
        struct key key = test_key(i);
        assert_int_equal(account_learn(lists, account, &key), LEARNED_NEW);
    }
    struct key last = test_key(STATEMENTS_MAX);
    assert_int_equal(account_learn(lists, account, &last), LEARNED_FULL);
    last = test_key(STATEMENTS_MAX - 1);
    assert_int_equal(account_learn(lists, account, &last), LEARNED_NOTHING);
    assert_int_equal(account_count(account), STATEMENTS_MAX);
    allow_lists_free(lists);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_what_tells_all_that_a_statement_does),
        cmocka_unit_test(a_text_in_a_statement_has_the_key_of_that_text),
        cmocka_unit_test(an_account_has_what_it_learned_and_others_do_not),
        cmocka_unit_test(a_statement_is_known_in_the_database_that_it_was_learned_in),
        cmocka_unit_test(a_database_that_cannot_stand_in_a_line_is_not_learned),
        cmocka_unit_test(a_list_ends_at_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
