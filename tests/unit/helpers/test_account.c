/* SPDX-License-Identifier: Apache-2.0
 *
 * Accounts: the ways to write one, lists of them, and whose they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <weir/account.h>

static void every_way_to_write_an_account_is_the_servers_form(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"web@127.0.0.%", "web@127.0.0.%"},
        {"'web'@'127.0.0.%'", "web@127.0.0.%"},
        {"\"web\"@\"%\"", "web@%"},
        {"`web`@`%`", "web@%"},
        {"web@'%'", "web@%"},
        {"'web'@%", "web@%"},
        {"web", "web@%"},
        {"'web'", "web@%"},
        {"  'web' @ 'LocalHost' ", "web@localhost"},
        {"Web@LOCALHOST", "Web@localhost"},
        {"'web'@''", "web@%"},
        {"'o''brien'@'h'", "o'brien@h"},
        {"\"o'brien\"@h", "o'brien@h"},
        {"`a``b`@h", "a`b@h"},
        {"'a\\'b'@h", "a'b@h"},
        {"'a\\\\b'@h", "a\\b@h"},
        {"`a\\b`@h", "a\\b@h"},
        {"'a'@'h\\_1\\%'", "a@h\\_1\\%"},
        {"a@b@%", "a@b@%"},
        {"'a@b'@'%'", "a@b@%"},
        {"a@b@'%'", "a@b@%"},
        {"'a@b'", "a@b@%"},
        {"@%", "@%"},
        {"''@localhost", "@localhost"},
        {"''", "@%"},
        {"'a b'@h", "a b@h"},
        {"a@10.0.0.0/255.255.255.0", "a@10.0.0.0/255.255.255.0"},
        {"a@10.0.0.0/24", "a@10.0.0.0/24"},
        {"a@0.0.0.0/0", "a@0.0.0.0/0"},
        {"a@fe80::1", "a@fe80::1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct account_name name;
        const char *wrong = account_parse(text_of(rows[i][0]), &name);
        if (wrong || strcmp(name.text, rows[i][1]) != 0 || name.size != strlen(rows[i][1]))
            fail_msg("%s: %s", rows[i][0], wrong ? wrong : name.text);
    }
}

static void what_cannot_be_an_account_is_an_error(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"", "is empty"},
        {"  ", "is empty"},
        {"'web@%", "has a quote that is not closed"},
        {"'web'@'%", "has a quote that is not closed"},
        {"web'@'%'", "has a space or a quote in a name without quotes; write 'user'@'host'"},
        {"we b@%", "has a space or a quote in a name without quotes; write 'user'@'host'"},
        {"web@a b", "has a space or a quote in a name without quotes; write 'user'@'host'"},
        {"web@", "has an @ without a host"},
        {"'web'x@%", "has more behind its quote than @ and a host"},
        {"'web'@'%'x", "has more behind its host"},
        {"'web'@'a@b'", "has an @ in its host"},
        {"a\nb@%", "has a control character in it"},
        {"'a\tb'@%", "has a control character in it"},
        {"a@10.0.0.0/33", "has a / in its host that is no netmask; write a.b.c.d/255.255.255.0"},
        {"a@10.0.0/24", "has a / in its host that is no netmask; write a.b.c.d/255.255.255.0"},
        {"a@10.0.0.1/255.255.255.0", "has a network with bits that its netmask does not cover, so "
                                     "that no address is in it"},
    };
    struct account_name name;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *wrong = account_parse(text_of(rows[i][0]), &name);
        if (!wrong || strcmp(wrong, rows[i][1]) != 0)
            fail_msg("%s: %s", rows[i][0], wrong ? wrong : name.text);
    }
    char text[1000];
    memset(text, 'x', sizeof text);
    assert_string_equal(account_parse((weir_string){text, ACCOUNT_USER_BYTES + 1}, &name),
                        "is too long");
    assert_null(account_parse((weir_string){text, ACCOUNT_USER_BYTES}, &name));
    text[1] = '@';
    assert_string_equal(account_parse((weir_string){text, ACCOUNT_HOST_BYTES + 3}, &name),
                        "is too long");
    assert_null(account_parse((weir_string){text, ACCOUNT_HOST_BYTES + 2}, &name));
}

static void accounts_are_matched_as_the_server_does(void **state)
{
    (void)state;
    static const struct {
        const char *account, *user, *host;
        bool matches;
    } rows[] = {
        {"app@10.0.0.9", "app", "10.0.0.9", true},
        {"app@10.%", "app", "10.0.0.9", true},
        {"app@10.%", "app", "110.0.0.9", false},
        {"app@10.%", "ap", "10.0.0.9", false},
        {"app@%", "app", "", true},
        {"app@%.example.%", "app", "a.b.example.org", true},
        {"app@%.example.org", "app", "org", false},
        {"app@10.0.0._", "app", "10.0.0.9", true},
        {"app@10.0.0._", "app", "10.0.0.19", false},
        {"app@h\\_1", "app", "h_1", true},
        {"app@h\\_1", "app", "hx1", false},
        {"app@LOCALHOST", "app", "localhost", true},
        {"a@b@%", "a@b", "h", true},
        {"app", "app", "", false},
        {"@%", "", "h", true},
        {"app@10.1.2.0/255.255.255.0", "app", "10.1.2.77", true},
        {"app@10.1.2.0/255.255.255.0", "app", "10.1.3.77", false},
        {"app@10.1.2.0/255.255.255.0", "app", "localhost", false},
        {"app@10.1.2.0/255.255.255.0", "app", "", false},
        {"app@10.1.2.0/24", "app", "10.1.2.77", true},
        {"app@10.1.2.0/24", "app", "10.1.2.777", false},
        {"app@0.0.0.0/0", "app", "9.9.9.9", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (account_matches(text_of(rows[i].account), text_of(rows[i].user),
                            text_of(rows[i].host)) != rows[i].matches)
            fail_msg("%s: %s %s", rows[i].account, rows[i].user, rows[i].host);
}

static void lists_of_accounts_have_commas_between(void **state)
{
    (void)state;
    const weir_string list = text_of(
        "root@localhost , 'app'@'10.%',`x`@\"y\",,nobody, 'a,b\\',c'@h ,n@10.0.0.0/255.0.0.0");
    static const char *const in[] = {
        "root@localhost", "root@LOCALHOST", "app@10.%", "app@10.1.1.1", "x@y",
        "nobody@%",       "nobody@host",    "a,b',c@h", "n@10.9.9.9",   NULL};
    static const char *const out[] = {
        "root@%", "ROOT@localhost", "app@11.1.1.1", "nobody", "x", "", "a@h", "n@11.9.9.9", NULL};
    for (const char *const *name = in; *name; name++)
        if (!account_in_list(list, text_of(*name)))
            fail_msg("%s is in the list", *name);
    for (const char *const *name = out; *name; name++)
        if (account_in_list(list, text_of(*name)))
            fail_msg("%s is not in the list", *name);
    assert_false(account_in_list((weir_string){NULL, 0}, text_of("a@b")));
    weir_string entry;
    assert_null(account_list_check(list, &entry));
    assert_null(account_list_check((weir_string){NULL, 0}, &entry));
    assert_string_equal(account_list_check(text_of("a@b, c d, e"), &entry),
                        "has a space or a quote in a name without quotes; write 'user'@'host'");
    assert_true(text_is(entry, "c d"));
    assert_string_equal(account_list_check(text_of("a@b, 'c, e"), &entry),
                        "has a quote that is not closed");
}

static void what_is_printed_is_read_as_the_same_account(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"app@10.%", "app@10.%"},
        {"o'brien@h", "'o''brien'@'h'"},
        {"a b@h", "'a b'@'h'"},
        {"a\\b c@h", "'a\\\\b c'@'h'"},
        {"a c@h\\_1", "'a c'@'h\\_1'"},
        {"@%", "@%"},
        {"`@%", "'`'@'%'"},
    };
    char room[ACCOUNT_QUOTED_BYTES];
    struct account_name name;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        weir_string printed = account_print(text_of(rows[i][0]), room);
        assert_true(text_is(printed, rows[i][1]));
        assert_null(account_parse(printed, &name));
        assert_string_equal(name.text, rows[i][0]);
    }
    assert_null(account_print(text_of("app"), room).data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_to_write_an_account_is_the_servers_form),
        cmocka_unit_test(what_cannot_be_an_account_is_an_error),
        cmocka_unit_test(accounts_are_matched_as_the_server_does),
        cmocka_unit_test(lists_of_accounts_have_commas_between),
        cmocka_unit_test(what_is_printed_is_read_as_the_same_account),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
