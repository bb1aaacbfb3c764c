/* SPDX-License-Identifier: Apache-2.0
 *
 * The file of allow-lists: what was written is read, what is damaged is refused by line, and what
 * was cut off loses its last line alone. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <weir/text.h>

#include "firewall_test.h"

#define HEX  "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define HEX2 "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const weir_string app = {"app@%", 5};

static struct allow_lists *read_lists(const char *path, bool *is_torn)
{
    struct error error = {""};
    struct allow_lists *lists = allow_lists_read(path, is_torn, &error);
    assert_string_equal(error.message, "");
    assert_non_null(lists);
    return lists;
}

/* "account app@%" with keys from 0 on. */
static struct allow_lists *make(unsigned keys)
{
    struct allow_lists *lists = allow_lists_new();
    struct account *account = allow_lists_make(lists, app);
    for (unsigned i = 0; i < keys; i++) {
        struct key key = test_key(i);
        assert_int_equal(account_learn(lists, account, &key), LEARNED_NEW);
    }
    return lists;
}

static void write_all(const struct allow_lists *lists, const char *path,
                      const struct left_out *left_out)
{
    struct error error = {""};
    assert_true(allow_lists_write(lists, path, left_out, &error));
    assert_string_equal(error.message, "");
}

static void what_was_written_is_read(void **state)
{
    const char *path = test_path(state, "allow");
    bool is_torn;
    struct allow_lists *lists = make(3), *again;
    struct account *account = allow_lists_make(lists, (weir_string){"b@::1", 5});
    struct key text = {.sort = KEY_TEXT, .shown = {"a\nb\x7f\xc3\xa4", 6}}, command = test_key(9);
    command.sort = KEY_COMMAND;
    account_learn(lists, account, &text);
    account_learn(lists, account, &command);
    account_set_mode(account, FIREWALL_PROTECTING);
    write_all(lists, path, NULL);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    again = read_lists(path, &is_torn);
    assert_false(is_torn);
    assert_int_equal(allow_lists_count(again), 5);
    account = allow_lists_find(again, (weir_string){"b@::1", 5});
    assert_true(account_has(account, &text));
    assert_true(account_has(account, &command));
    assert_int_equal(account_mode(account), FIREWALL_PROTECTING);
    assert_int_equal(account_mode(allow_lists_find(again, app)), NO_MODE);
    char *written = test_read(path);
    assert_non_null(strstr(written, " a b \xc3\xa4\n"));
    free(written);
    allow_lists_free(lists);
    allow_lists_free(again);
}

static struct key key_in(unsigned number, const char *database)
{
    struct key key = test_key(number);
    key.database = text_of(database);
    return key;
}

static void databases_are_written_and_read(void **state)
{
    static const char *const names[] = {"shop",  "shop",     "",   NULL,
                                        " a b#", "\xc3\xa4", NULL, "shop"};
    const char *path = test_path(state, "allow");
    bool is_torn;
    struct allow_lists *lists = allow_lists_new(), *again;
    struct account *account = allow_lists_make(lists, app);
    for (unsigned i = 0; i < 8; i++) {
        struct key key = key_in(i, names[i]);
        assert_int_equal(account_learn(lists, account, &key), LEARNED_NEW);
    }
    account_set_mode(account, FIREWALL_PROTECTING);
    write_all(lists, path, NULL);
    again = read_lists(path, &is_torn);
    account = allow_lists_find(again, app);
    assert_int_equal(allow_lists_count(again), 8);
    assert_int_equal(allow_lists_unbound(again), 2);
    assert_int_equal(account_mode(account), FIREWALL_PROTECTING);
    for (unsigned i = 0; i < 8; i++) {
        struct key key = key_in(i, names[i]);
        assert_true(account_has(account, &key));
    }
    allow_lists_free(again);
    struct key left = key_in(1, "shop"), elsewhere = key_in(0, "other");
    write_all(lists, path, &(struct left_out){app, &elsewhere});
    again = read_lists(path, &is_torn);
    assert_int_equal(allow_lists_count(again), 8); /* it is not there in that one */
    allow_lists_free(again);
    write_all(lists, path, &(struct left_out){app, &left});
    again = read_lists(path, &is_torn);
    assert_int_equal(allow_lists_count(again), 7);
    assert_false(account_has(allow_lists_find(again, app), &left));
    allow_lists_free(again);
    allow_lists_free(lists);
}

/* Lists of versions that did not know of databases: their statements count in each. */
static void a_list_without_databases_counts_in_all(void **state)
{
    static const char text[] = "account app@%\nmode PROTECTING\ndigest " HEX " select ?\n"
                               "database shop\ndigest " HEX2 " x\naccount app@%\ntext " HEX " y\n";
    const char *path = test_path(state, "allow");
    bool is_torn;
    struct key key = {.sort = KEY_DIGEST, .database = text_of("anything")};
    test_write(path, text, sizeof text - 1);
    struct allow_lists *lists = read_lists(path, &is_torn);
    struct account *account = allow_lists_find(lists, app);
    assert_int_equal(allow_lists_unbound(lists), 2);
    assert_true(key_from_hex(HEX, key.bytes));
    assert_true(account_allows(account, &key));
    key.sort = KEY_TEXT;
    assert_true(account_allows(account, &key));
    key.sort = KEY_DIGEST;
    assert_true(key_from_hex(HEX2, key.bytes));
    assert_false(account_allows(account, &key));
    key.database = text_of("shop");
    assert_true(account_allows(account, &key));
    allow_lists_free(lists);
}

static void a_file_that_is_not_there_is_empty_lists(void **state)
{
    bool is_torn;
    struct allow_lists *lists = read_lists(test_path(state, "nothing"), &is_torn);
    assert_int_equal(allow_lists_count(lists), 0);
    allow_lists_free(lists);
}

/* Who edits the file writes accounts as for the server; and what is learned of an account with a
 * quote or a space in its name can be read again. */
static void accounts_in_quotes_are_those_of_the_server(void **state)
{
    static const char text[] = "account 'a''b c'@'LocalHost'\nmode PROTECTING\ndigest " HEX " x\n"
                               "account `app`\nmode DETECTING\n";
    const char *path = test_path(state, "quoted");
    struct error error;
    bool is_torn;
    test_write(path, text, sizeof text - 1);
    for (int i = 0; i < 2; i++) {
        struct allow_lists *lists = read_lists(path, &is_torn);
        assert_int_equal(account_mode(allow_lists_find(lists, app)), FIREWALL_DETECTING);
        for (int j = 0; j < 2; j++) {
            const char *name = j ? "a'b c@LOCALHOST" : "a'b c@localhost";
            struct account *account = allow_lists_find(lists, (weir_string){name, 15});
            assert_non_null(account);
            assert_int_equal(account_mode(account), FIREWALL_PROTECTING);
            assert_int_equal(account_count(account), 1);
        }
        assert_true(allow_lists_write(lists, path, NULL, &error));
        allow_lists_free(lists);
    }
    struct allow_lists *lists = allow_lists_new();
    static const char *const none[] = {"app", "a\nb@%", "a\x7f@%", ""};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_null(allow_lists_make(lists, (weir_string){none[i], strlen(none[i])}));
    allow_lists_free(lists);
}

static void damaged_lines_are_named(void **state)
{
    static const struct {
        const char *text, *problem;
    } rows[] = {
        {"nonsense\n",
         ":1: the line begins with none of account, mode, database, digest, text, command"},
        {"nonsense",
         ":1: the line begins with none of account, mode, database, digest, text, command"},
        {"account a@%\n\n# x\ndigest 123 x\n", ":4: the line has no 64 lower-case hex digits"},
        {"account a@%\ndigest\n", ":2: the line has no 64 lower-case hex digits"},
        {"account a@%\ndigest " HEX "x y\n", ":2: the line has no 64 lower-case hex digits"},
        {"digest " HEX " x\n", ":1: the line stands before the first account"},
        {"database shop\n", ":1: the line stands before the first account"},
        {"account a@%\ndatabases\n",
         ":2: the line begins with none of account, mode, database, digest, text, command"},
        {"mode OFF\n", ":1: the line stands before the first account"},
        {"account 'a@%\nmode OFF\n", ":1: the line has a quote that is not closed"},
        {"account a@%\nmode off\n",
         ":2: the line has a mode that is none of OFF, RECORDING, DETECTING, PROTECTING"},
        {"account a@%\nmode RESET\ndigest",
         ":2: the line has a mode that is none of OFF, RECORDING, DETECTING, PROTECTING"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *path = test_path(state, "allow");
        struct error error = {""};
        bool is_torn;
        test_write(path, rows[i].text, strlen(rows[i].text));
        assert_null(allow_lists_read(path, &is_torn, &error));
        assert_memory_equal(error.message, path, strlen(path));
        assert_string_equal(error.message + strlen(path), rows[i].problem);
    }
    struct error error;
    bool is_torn;
    test_write(test_path(state, "allow"), "\0\n", 2);
    assert_null(allow_lists_read(test_path(state, "allow"), &is_torn, &error));
    assert_non_null(strstr(error.message, ":1: the line has a NUL byte in it"));
}

/* A file that was cut anywhere: all whole lines count, and no account comes of half a name. */
static void a_file_that_was_cut_off_loses_its_last_line_alone(void **state)
{
    static const char text[] = "# heading\naccount app@%\nmode DETECTING\ndigest " HEX
                               " select ?\naccount app@10.%\ndigest " HEX2 " x\n";
    const char *path = test_path(state, "allow");
    for (size_t size = 10; size < sizeof text; size++) {
        bool is_torn;
        test_write(path, text, size);
        struct allow_lists *lists = read_lists(path, &is_torn);
        const char *second = strstr(text, "account app@10.%\n") + 17, *at = text + size;
        struct account *account = allow_lists_find(lists, (weir_string){"app@10.%", 8});
        assert_int_equal(account != NULL, at >= second);
        size_t names = (allow_lists_find(lists, app) != NULL) + (account != NULL);
        assert_int_equal(names, (at >= text + 24) + (at >= second));
        size_t keys = (at >= strstr(text, " select ?")) + (at >= strstr(text, " x\n"));
        assert_int_equal(allow_lists_count(lists), keys);
        allow_lists_free(lists);
    }
    bool is_torn;
    test_write(path, "# x\n\0\0\0\0", 8);
    allow_lists_free(read_lists(path, &is_torn));
    assert_true(is_torn);
}

/* What is appended to a file that lost half of a database's name is not in half a database. */
static void no_database_comes_of_half_a_name(void **state)
{
    static const char text[] = "account app@%\ndatabase shop\ndigest " HEX " x\ndatabase other";
    const char *path = test_path(state, "allow");
    for (size_t size = sizeof text - 15; size < sizeof text; size++) {
        bool is_torn;
        test_write(path, text, size);
        struct allow_lists *lists = read_lists(path, &is_torn);
        assert_int_equal(is_torn, text[size - 1] != '\n');
        assert_int_equal(allow_lists_count(lists), 1);
        allow_lists_free(lists);
    }
}

static void lines_are_written_behind(void **state)
{
    const char *path = test_path(state, "allow");
    struct error error = {""};
    bool is_torn;
    static const char lines[] = "account app@%\ndigest " HEX " x\n";
    assert_true(allow_lists_append(path, lines, sizeof lines - 1, &error));
    test_write(test_path(state, "edited"), "account b@%\ndigest " HEX " y", 18 + 64 + 3);
    assert_true(allow_lists_append(test_path(state, "edited"), lines, sizeof lines - 1, &error));
    struct allow_lists *lists = read_lists(path, &is_torn);
    assert_int_equal(allow_lists_count(lists), 1);
    allow_lists_free(lists);
    lists = read_lists(test_path(state, "edited"), &is_torn);
    assert_int_equal(allow_lists_count(lists), 2);
    assert_non_null(allow_lists_find(lists, app));
    allow_lists_free(lists);
}

/* A disk that is full: RLIMIT_FSIZE lets the first bytes through, as a disk does. */
static void what_does_not_fit_leaves_the_file_as_it_was(void **state)
{
    const char *path = test_path(state, "allow");
    struct error error = {""};
    char lines[4000];
    struct rlimit before, limit;
    memset(lines, '#', sizeof lines);
    lines[sizeof lines - 1] = '\n';
    assert_true(allow_lists_append(path, "account a@%\n", 12, &error));
    char *old = test_read(path);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    limit = before;
    limit.rlim_cur = 2000;
    setrlimit(RLIMIT_FSIZE, &limit);
    struct allow_lists *lists = make(100);
    bool appended = allow_lists_append(path, lines, sizeof lines, &error);
    bool written = allow_lists_write(lists, path, NULL, &error);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_false(appended);
    assert_false(written);
    assert_non_null(strstr(error.message, "File too large"));
    char *now = test_read(path);
    assert_string_equal(now, old);
    assert_int_not_equal(access(test_path(state, "allow.new"), F_OK), 0);
    free(now);
    free(old);
    allow_lists_free(lists);
}

static void a_folder_that_is_not_there_is_named(void **state)
{
    const char *path = test_path(state, "no/allow");
    struct error error;
    char expected[ERROR_MESSAGE_BYTES];
    struct allow_lists *lists = make(1);
    snprintf(expected, sizeof expected, "%s: No such file or directory", path);
    assert_false(allow_lists_append(path, "x", 1, &error));
    assert_string_equal(error.message, expected);
    assert_false(allow_lists_write(lists, path, NULL, &error));
    assert_string_equal(error.message, expected);
    allow_lists_free(lists);
}

static void what_is_left_out_is_not_written(void **state)
{
    const char *path = test_path(state, "allow");
    struct allow_lists *lists = make(3), *left;
    struct key key = test_key(1);
    bool is_torn;
    allow_lists_make(lists, (weir_string){"b@%", 3});
    write_all(lists, path, &(struct left_out){app, &key});
    left = read_lists(path, &is_torn);
    assert_int_equal(allow_lists_count(left), 2);
    assert_false(account_has(allow_lists_find(left, app), &key));
    allow_lists_free(left);
    write_all(lists, path, &(struct left_out){app, NULL});
    left = read_lists(path, &is_torn);
    assert_null(allow_lists_find(left, app));
    assert_non_null(allow_lists_find(left, (weir_string){"b@%", 3}));
    allow_lists_free(left);
    allow_lists_free(lists);
}

static void a_million_statements_come_back(void **state)
{
    const char *path = test_path(state, "allow");
    struct allow_lists *lists = allow_lists_new();
    bool is_torn;
    for (unsigned i = 0; i < 1000000; i++) {
        char name[20];
        int size = snprintf(name, sizeof name, "app%u@%%", i % 12);
        struct key key = test_key(i);
        struct account *account = allow_lists_make(lists, (weir_string){name, (size_t)size});
        assert_int_equal(account_learn(lists, account, &key), LEARNED_NEW);
    }
    write_all(lists, path, NULL);
    allow_lists_free(lists);
    lists = read_lists(path, &is_torn);
    assert_int_equal(allow_lists_count(lists), 1000000);
    for (unsigned i = 0; i < 1000000; i += 997) {
        char name[20];
        int size = snprintf(name, sizeof name, "app%u@%%", i % 12);
        struct key key = test_key(i);
        struct account *account = allow_lists_find(lists, (weir_string){name, (size_t)size});
        assert_true(account_has(account, &key));
    }
    allow_lists_free(lists);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(databases_are_written_and_read),
        cmocka_unit_test(a_list_without_databases_counts_in_all),
        cmocka_unit_test(no_database_comes_of_half_a_name),
        cmocka_unit_test(a_file_that_is_not_there_is_empty_lists),
        cmocka_unit_test(accounts_in_quotes_are_those_of_the_server),
        cmocka_unit_test(damaged_lines_are_named),
        cmocka_unit_test(a_file_that_was_cut_off_loses_its_last_line_alone),
        cmocka_unit_test_setup_teardown(lines_are_written_behind, test_folder_make,
                                        test_folder_remove),
        cmocka_unit_test_setup_teardown(what_does_not_fit_leaves_the_file_as_it_was,
                                        test_folder_make, test_folder_remove),
        cmocka_unit_test(a_folder_that_is_not_there_is_named),
        cmocka_unit_test(what_is_left_out_is_not_written),
        cmocka_unit_test(a_million_statements_come_back),
    };
    return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
