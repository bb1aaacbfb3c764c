/* SPDX-License-Identifier: Apache-2.0
 *
 * The lists of the running plugin: what was learned counts at once, a reply is let go when it is in
 * the file, and nothing is lost while the file is read again or cannot be written. */
#include "keeper.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <weir/text.h>

#include "firewall_test.h"

static const weir_string app = {"app@%", 5};

static void open_keeper(const char *path)
{
    struct error error = {""};
    assert_true(keeper_open(path, &error));
    assert_string_equal(error.message, "");
}

static bool has(weir_string name, unsigned number)
{
    struct key key = test_key(number);
    unsigned *reading = readers_enter(&keeper_readers);
    const struct account *account = allow_lists_find(keeper_lists(), name);
    bool found = account && account_has(account, &key);
    readers_leave(reading);
    return found;
}

static enum learned learn(weir_string name, unsigned number)
{
    struct key key = test_key(number);
    return keeper_learn(name, &key);
}

/* The reply of a session that has just learned. */
static void wait_for_reply(void)
{
    struct weir_hold hold = {0};
    keeper_release_when_saved(&hold);
    assert_int_equal(fake_hold_wait(&hold), WEIR_OK);
}

/* Statements in the file. */
static size_t saved(const char *path)
{
    struct error error = {""};
    bool is_torn;
    struct allow_lists *lists = allow_lists_read(path, &is_torn, &error);
    assert_string_equal(error.message, "");
    size_t count = allow_lists_count(lists);
    allow_lists_free(lists);
    return count;
}

static void a_reply_goes_when_the_file_has_what_was_learned(void **state)
{
    const char *path = test_path(state, "allow");
    open_keeper(path);
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(learn(app, i), LEARNED_NEW);
        assert_true(has(app, i));
        wait_for_reply();
        assert_int_equal(saved(path), i + 1);
        assert_int_equal(keeper_unsaved(), 0);
    }
    assert_int_equal(learn(app, 3), LEARNED_NOTHING);
    keeper_close();
    assert_int_equal(saved(path), 20);
}

/* Sessions of several databases learn in turn: each line is under its own. */
static void what_is_appended_keeps_its_database(void **state)
{
    static const char *const names[] = {"shop", "other", "", "shop"};
    const char *path = test_path(state, "allow");
    struct error error = {""};
    open_keeper(path);
    for (unsigned i = 0; i < 40; i++) {
        struct key key = test_key(i);
        key.database = text_of(names[i % 4]);
        assert_int_equal(keeper_learn(i % 3 ? app : text_of("b@%"), &key), LEARNED_NEW);
    }
    wait_for_reply();
    assert_true(keeper_reload(&error));
    unsigned *reading = readers_enter(&keeper_readers);
    assert_int_equal(allow_lists_unbound(keeper_lists()), 0);
    for (unsigned i = 0; i < 40; i++) {
        struct key key = test_key(i);
        key.database = text_of(names[i % 4]);
        assert_true(
            account_has(allow_lists_find(keeper_lists(), i % 3 ? app : text_of("b@%")), &key));
    }
    readers_leave(reading);
    keeper_close();
}

static void what_was_learned_last_is_saved_at_the_end(void **state)
{
    const char *path = test_path(state, "allow");
    open_keeper(path);
    for (unsigned i = 0; i < 1000; i++)
        learn(i % 2 ? app : (weir_string){"b@%", 3}, i);
    keeper_close();
    assert_int_equal(saved(path), 1000);
}

/* Nobody waits for a file that cannot be written; it is written as soon as it can. */
static void a_folder_that_comes_back_gets_all_of_it(void **state)
{
    const char *folder = test_path(state, "folder"), *path = test_path(state, "folder/allow");
    struct error error;
    open_keeper(path);
    unsigned errors = atomic_load(&fake_host.lines_logged[WEIR_LOG_ERROR]);
    for (unsigned i = 0; i < 5; i++) {
        learn(app, i);
        wait_for_reply();
    }
    assert_int_equal(keeper_unsaved(), 5);
    assert_int_equal(atomic_load(&fake_host.lines_logged[WEIR_LOG_ERROR]), errors + 1);
    assert_false(keeper_reload(&error));
    assert_true(has(app, 4));
    assert_false(keeper_set_mode(app, FIREWALL_OFF, &error));
    assert_int_equal(mkdir(folder, 0700), 0);
    while (keeper_unsaved()) /* within a second */
        sched_yield();
    assert_int_equal(saved(path), 5);
    keeper_close();
    unlink(path);
    rmdir(folder);
}

static void a_damaged_file_changes_nothing(void **state)
{
    const char *path = test_path(state, "allow");
    struct error error = {""};
    open_keeper(path);
    learn(app, 1);
    wait_for_reply();
    test_write(path, "account app@%\nnonsense\n", 23);
    assert_false(keeper_reload(&error));
    assert_non_null(strstr(error.message, "allow:2: the line begins with none of"));
    assert_true(has(app, 1));
    test_write(path, "account app@%\n", 14);
    assert_true(keeper_reload(&error));
    assert_false(has(app, 1));
    keeper_close();
}

static void a_torn_file_is_mended(void **state)
{
    const char *path = test_path(state, "allow");
    test_write(path, "account app@%\ndigest 12", 23);
    open_keeper(path);
    learn(app, 1);
    wait_for_reply();
    keeper_close();
    assert_int_equal(saved(path), 1);
    char *text = test_read(path);
    assert_null(strstr(text, "digest 12\n"));
    free(text);
}

static int mode_of(weir_string name)
{
    unsigned *reading = readers_enter(&keeper_readers);
    const struct account *account = allow_lists_find(keeper_lists(), name);
    int mode = account ? account_mode(account) : -2;
    readers_leave(reading);
    return mode;
}

static void modes_and_forgetting_are_in_the_file(void **state)
{
    const char *path = test_path(state, "allow");
    struct error error;
    struct key key = test_key(1);
    open_keeper(path);
    learn(app, 1);
    learn(app, 2);
    assert_true(keeper_set_mode(app, FIREWALL_PROTECTING, &error));
    assert_true(keeper_remove(app, &key, &error));
    keeper_close();
    open_keeper(path);
    assert_int_equal(mode_of(app), FIREWALL_PROTECTING);
    assert_false(has(app, 1));
    assert_true(has(app, 2));
    assert_true(keeper_set_mode(app, NO_MODE, &error));
    keeper_close();
    open_keeper(path);
    assert_int_equal(mode_of(app), NO_MODE);
    assert_true(keeper_remove(app, NULL, &error));
    assert_int_equal(mode_of(app), -2);
    keeper_close();
    assert_int_equal(saved(path), 0);
}

#define LEARNERS 3
#define EACH     2000

static void *learn_many(void *data)
{
    unsigned first = *(unsigned *)data;
    for (unsigned i = first; i < first + EACH; i++) {
        learn(i % 3 ? app : (weir_string){"b@%", 3}, i);
        if (!has(i % 3 ? app : (weir_string){"b@%", 3}, i))
            return data;
    }
    return NULL;
}

static void nothing_is_lost_while_the_file_is_read_again(void **state)
{
    const char *path = test_path(state, "allow");
    pthread_t threads[LEARNERS];
    unsigned first[LEARNERS];
    struct error error;
    open_keeper(path);
    for (unsigned i = 0; i < LEARNERS; i++) {
        first[i] = i * EACH;
        assert_int_equal(pthread_create(&threads[i], NULL, learn_many, &first[i]), 0);
    }
    for (unsigned i = 0; i < 50; i++)
        assert_true(keeper_reload(&error));
    for (unsigned i = 0; i < LEARNERS; i++) {
        void *lost;
        pthread_join(threads[i], &lost);
        assert_null(lost);
    }
    assert_true(keeper_reload(&error));
    for (unsigned i = 0; i < LEARNERS * EACH; i++)
        assert_true(has(i % 3 ? app : (weir_string){"b@%", 3}, i));
    keeper_close();
    assert_int_equal(saved(path), LEARNERS * EACH);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, test_folder_make, test_folder_remove)
    const struct CMUnitTest tests[] = {
        TEST(a_reply_goes_when_the_file_has_what_was_learned),
        TEST(what_is_appended_keeps_its_database),
        TEST(what_was_learned_last_is_saved_at_the_end),
        TEST(a_folder_that_comes_back_gets_all_of_it),
        TEST(a_damaged_file_changes_nothing),
        TEST(a_torn_file_is_mended),
        TEST(modes_and_forgetting_are_in_the_file),
        TEST(nothing_is_lost_while_the_file_is_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
