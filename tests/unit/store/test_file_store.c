/* SPDX-License-Identifier: Apache-2.0
 *
 * What is special about a store in a file: what was acknowledged is there after kill -9, what does not fit is not done, a
 * torn end is cut, a damaged file is refused, and the file does not grow for ever. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "asking.h"

static char folder[64], path[80];

/* A disk that fails when it is told to: the linker puts this in place of fdatasync(). */
static atomic_bool disk_fails;
int __real_fdatasync(int file);
int __wrap_fdatasync(int file);
int __wrap_fdatasync(int file)
{
    if (!atomic_load(&disk_fails))
        return __real_fdatasync(file);
    errno = EIO;
    return -1;
}

static int begin(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test_file_store.XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/data", folder);
    return 0;
}

static int end(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder); /* nothing else is left there */
}

static struct store *open_store(void)
{
    struct error error = {""};
    struct store *store = file_store_new(folder, &error);
    assert_non_null(store);
    return store;
}

static off_t size_of_file(void)
{
    struct stat stat_of_it;
    assert_int_equal(stat(path, &stat_of_it), 0);
    return stat_of_it.st_size;
}

static struct store_request put(const char *key, struct store_bytes value, int64_t lease)
{
    return (struct store_request){
        .action = STORE_WRITE,
        .writes = {{.key = STORE_TEXT(key), .value = value, .lease = lease}},
        .write_count = 1};
}

static enum store_status puts_text(struct store *store, struct asked *asked, const char *key,
                                   const char *value)
{
    return ask(store, asked, put(key, STORE_TEXT(value), 0));
}

/* All keys and values, and when they were changed, as one text. */
static void note_all(void *user, const struct store_answer *answer)
{
    struct asked *asked = user;
    strbuf_reset(&asked->news);
    for (size_t i = 0; i < answer->count; i++)
        strbuf_printf(&asked->news, "%.*s=%.*s@%d ", (int)answer->entries[i].key.size,
                      answer->entries[i].key.data, (int)answer->entries[i].value.size,
                      answer->entries[i].value.data, (int)answer->entries[i].revision);
    asked_done(asked, answer);
}

static const char *all_of(struct store *store, struct asked *asked)
{
    const struct store_request request = {.action = STORE_READ,
                                          .key = STORE_TEXT("k"),
                                          .is_prefix = true,
                                          .done = note_all,
                                          .user = asked};
    const int before = asked->answers;
    assert_true(store_call(store, &request));
    asked_wait(asked, before + 1);
    if (asked->status != STORE_DONE)
        return asked->message;
    return asked->count ? asked->news.data : "";
}

static void what_was_acknowledged_survives_kill_9(void **state)
{
    struct asked asked = ASKED_INIT;
    (void)state;
    const pid_t process = fork();
    if (process == 0) {
        struct store *store = open_store();
        puts_text(store, &asked, "k1", "old");
        puts_text(store, &asked, "k2", "there");
        puts_text(store, &asked, "k1", "new");
        raise(SIGKILL);
    }
    int status = 0;
    assert_int_equal(waitpid(process, &status, 0), process);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    struct store *store = open_store();
    assert_string_equal(all_of(store, &asked), "k1=new@4 k2=there@3 ");
    assert_int_equal(puts_text(store, &asked, "k3", "v"), STORE_DONE);
    assert_int_equal(asked.revision, 5);
    store_free(store);
    asked_release(&asked);
}

static void what_is_queued_when_the_store_ends_is_done(void **state)
{
    struct asked asked = ASKED_INIT;
    (void)state;
    struct store *store = open_store();
    for (int i = 0; i < 100; i++) {
        struct store_request request = put("k", STORE_TEXT(i == 99 ? "last" : "v"), 0);
        request.done = asked_done;
        request.user = &asked;
        assert_true(store_call(store, &request));
    }
    store_free(store);
    assert_int_equal(asked.answers, 100);
    assert_int_equal(asked.status, STORE_DONE);
    store = open_store();
    assert_string_equal(all_of(store, &asked), "k=last@101 ");
    store_free(store);
    asked_release(&asked);
}

static void a_full_disk_is_an_error_of_the_put_and_keeps_the_old_value(void **state)
{
    struct asked asked = ASKED_INIT;
    struct rlimit all, little;
    char *big = calloc(1, STORE_VALUE_BYTES);
    (void)state;
    assert_non_null(big);
    signal(SIGXFSZ, SIG_IGN);
    struct store *store = open_store();
    assert_int_equal(puts_text(store, &asked, "k", "old"), STORE_DONE);
    const off_t before = size_of_file();
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &all), 0);
    little = all;
    little.rlim_cur = (rlim_t)before + 1000; /* a part of it is written */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    const struct store_bytes value = {.data = big, .size = STORE_VALUE_BYTES};
    const enum store_status status = ask(store, &asked, put("k", value, 0));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
    assert_int_equal(status, STORE_FAILED);
    assert_non_null(strstr(asked.message, "cannot be written: File too large"));
    assert_string_equal(all_of(store, &asked), "k=old@2 ");
    assert_int_equal(size_of_file(), before);
    assert_int_equal(puts_text(store, &asked, "k2", "new"), STORE_DONE);
    store_free(store);
    store = open_store();
    assert_string_equal(all_of(store, &asked), "k=old@2 k2=new@3 ");
    store_free(store);
    asked_release(&asked);
    free(big);
}

static void what_could_not_be_synced_is_unknown_and_written_anew(void **state)
{
    struct asked asked = ASKED_INIT;
    (void)state;
    struct store *store = open_store();
    assert_int_equal(puts_text(store, &asked, "k1", "v"), STORE_DONE);
    struct stat before, after;
    assert_int_equal(stat(path, &before), 0);
    atomic_store(&disk_fails, true);
    assert_int_equal(puts_text(store, &asked, "k2", "v"), STORE_UNKNOWN);
    assert_non_null(strstr(asked.message, "cannot be synced: Input/output error"));
    atomic_store(&disk_fails, false);
    assert_int_equal(puts_text(store, &asked, "k3", "v"), STORE_DONE);
    assert_int_equal(stat(path, &after), 0);
    assert_true(before.st_ino != after.st_ino);
    store_free(store);
    store = open_store();
    assert_string_equal(all_of(store, &asked), "k1=v@2 k2=v@3 k3=v@4 ");
    store_free(store);
    asked_release(&asked);
}

static void a_torn_end_is_cut(void **state)
{
    struct asked asked = ASKED_INIT;
    (void)state;
    struct store *store = open_store();
    assert_int_equal(puts_text(store, &asked, "k1", "whole"), STORE_DONE);
    const off_t whole = size_of_file();
    assert_int_equal(puts_text(store, &asked, "k2", "torn"), STORE_DONE);
    const off_t end_of_it = size_of_file();
    store_free(store);
    for (off_t size = end_of_it - 1; size > whole; size--) {
        assert_int_equal(truncate(path, size), 0);
        assert_int_equal(truncate(path, size == whole + 7 ? size + 4096 : size), 0); /* zeros */
        store = open_store();
        assert_string_equal(all_of(store, &asked), "k1=whole@2 ");
        assert_int_equal(size_of_file(), whole);
        assert_int_equal(puts_text(store, &asked, "k2", "torn"), STORE_DONE);
        store_free(store);
        assert_int_equal(size_of_file(), end_of_it);
    }
    asked_release(&asked);
}

static void a_damaged_file_is_refused_and_left_alone(void **state)
{
    struct asked asked = ASKED_INIT;
    (void)state;
    struct store *store = open_store();
    assert_int_equal(puts_text(store, &asked, "k1", "first"), STORE_DONE);
    const off_t first = size_of_file();
    assert_int_equal(puts_text(store, &asked, "k2", "second"), STORE_DONE);
    store_free(store);
    const off_t whole = size_of_file();
    int file = open(path, O_RDWR);
    assert_int_equal(pwrite(file, "X", 1, first - 1), 1);
    close(file);
    store = open_store();
    assert_true(store_follow(store, STORE_TEXT("k"), asked_news, &asked));
    asked_wait_news(&asked, "lost");
    assert_int_equal(puts_text(store, &asked, "k3", "third"), STORE_FAILED);
    assert_non_null(strstr(asked.message, "is damaged at byte"));
    assert_int_equal(size_of_file(), whole);
    assert_int_equal(truncate(path, 0), 0);
    while (puts_text(store, &asked, "k3", "third") != STORE_FAILED ||
           !strstr(asked.message, "is no store of this version of weir"))
        usleep(50000);
    assert_int_equal(unlink(path), 0); /* it is moved away: all goes on by itself */
    asked_wait_news(&asked, "everything@1; ");
    assert_int_equal(puts_text(store, &asked, "k3", "third"), STORE_DONE);
    store_free(store);
    asked_release(&asked);
}

static void a_folder_has_one_process(void **state)
{
    struct asked asked = ASKED_INIT, news = ASKED_INIT;
    (void)state;
    struct store *one = open_store();
    assert_int_equal(puts_text(one, &asked, "k", "of one"), STORE_DONE);
    struct store *two = open_store();
    assert_true(store_follow(two, STORE_TEXT("k"), asked_news, &news));
    asked_wait_news(&news, "lost; ");
    assert_int_equal(puts_text(two, &asked, "k", "of two"), STORE_FAILED);
    assert_non_null(strstr(asked.message, "another process uses it"));
    store_free(one);
    asked_wait_news(&news, "everything@2 k=of one; ");
    assert_int_equal(puts_text(two, &asked, "k", "of two"), STORE_DONE);
    store_free(two);
    asked_release(&asked);
    asked_release(&news);
}

static void the_file_does_not_grow_for_ever(void **state)
{
    struct asked asked = ASKED_INIT;
    char *big = calloc(1, STORE_VALUE_BYTES);
    (void)state;
    assert_non_null(big);
    memset(big, 'v', STORE_VALUE_BYTES);
    struct store *store = open_store();
    assert_int_equal(puts_text(store, &asked, "k small", "v"), STORE_DONE);
    assert_int_equal(ask(store, &asked, (struct store_request){.action = STORE_GRANT, .ttl_s = 9}),
                     STORE_DONE);
    const int64_t lease = asked.lease;
    assert_int_equal(
        ask(store, &asked, (struct store_request){.action = STORE_REVOKE, .lease = lease}),
        STORE_DONE);
    for (int i = 0; i < 200; i++) {
        const struct store_bytes value = {.data = big, .size = STORE_VALUE_BYTES};
        assert_int_equal(ask(store, &asked, put("k/big", value, 0)), STORE_DONE);
        assert_true(size_of_file() < 2 << 20);
    }
    store_free(store);
    store = open_store();
    assert_int_equal(
        ask(store, &asked,
            (struct store_request){.action = STORE_DELETE, .key = STORE_TEXT("k/big")}),
        STORE_DONE);
    assert_int_equal(asked.revision, 203);
    assert_string_equal(all_of(store, &asked), "k small=v@2 ");
    assert_int_equal(ask(store, &asked, (struct store_request){.action = STORE_GRANT, .ttl_s = 9}),
                     STORE_DONE);
    assert_true(asked.lease > lease); /* although nothing else is left of it */
    store_free(store);
    asked_release(&asked);
    free(big);
}

static void a_store_has_a_limit(void **state)
{
    struct asked asked = ASKED_INIT;
    char *big = calloc(1, STORE_VALUE_BYTES), key[32];
    (void)state;
    assert_non_null(big);
    struct store *store = open_store();
    const struct store_bytes value = {.data = big, .size = STORE_VALUE_BYTES};
    const int most = FILE_STORE_BYTES_MOST / STORE_VALUE_BYTES;
    for (int i = 0; i < most - 1; i++) {
        snprintf(key, sizeof key, "k%d", i);
        const struct store_request request = put(key, value, 0);
        assert_true(store_call(store, &request));
    }
    assert_int_equal(ask(store, &asked, put("k last", value, 0)), STORE_FAILED);
    assert_non_null(strstr(asked.message, "the store is full"));
    assert_int_equal(puts_text(store, &asked, "k0", "less"), STORE_DONE);
    store_free(store);
    asked_release(&asked);
    free(big);
}

static void leases_go_on_while_nobody_runs(void **state)
{
    struct asked asked = ASKED_INIT, news = ASKED_INIT;
    (void)state;
    struct store *store = open_store();
    assert_int_equal(ask(store, &asked, (struct store_request){.action = STORE_GRANT, .ttl_s = 1}),
                     STORE_DONE);
    const int64_t brief = asked.lease;
    assert_int_equal(ask(store, &asked, put("k brief", STORE_TEXT("v"), brief)), STORE_DONE);
    assert_int_equal(ask(store, &asked, (struct store_request){.action = STORE_GRANT, .ttl_s = 99}),
                     STORE_DONE);
    const int64_t long_one = asked.lease;
    assert_int_equal(ask(store, &asked, put("k long", STORE_TEXT("v"), long_one)), STORE_DONE);
    store_free(store);
    store = open_store();
    assert_true(store_follow(store, STORE_TEXT("k"), asked_news, &news));
    asked_wait_news(&news, "k brief gone; ");
    assert_null(strstr(news.news.data, "k long gone"));
    assert_int_equal(
        ask(store, &asked, (struct store_request){.action = STORE_KEEP, .lease = brief}),
        STORE_GONE);
    assert_int_equal(
        ask(store, &asked, (struct store_request){.action = STORE_KEEP, .lease = long_one}),
        STORE_DONE);
    store_free(store);
    store = open_store();
    assert_int_equal(ask(store, &asked, (struct store_request){.action = STORE_GRANT, .ttl_s = 9}),
                     STORE_DONE);
    assert_true(asked.lease > long_one); /* no id comes again */
    assert_int_equal(
        ask(store, &asked, (struct store_request){.action = STORE_REVOKE, .lease = long_one}),
        STORE_DONE);
    assert_string_equal(all_of(store, &asked), "");
    store_free(store);
    asked_release(&asked);
    asked_release(&news);
}

static void note_timer(void *user)
{
    struct asked *asked = user;
    const struct store_answer answer = {.message = "a timer"};
    asked_done(asked, &answer);
}

static void timers_run(void **state)
{
    struct asked asked = ASKED_INIT;
    (void)state;
    struct store *store = open_store();
    assert_true(store_after(store, 3600000, note_timer, &asked)); /* not before the end */
    assert_true(store_after(store, 20, note_timer, &asked));
    asked_wait(&asked, 1);
    assert_string_equal(asked.message, "a timer");
    store_free(store);
    assert_int_equal(asked.answers, 1);
    asked_release(&asked);
    assert_int_equal(access(path, F_OK), -1); /* nobody has asked for anything */
}

int main(void)
{
    log_set_level(LOG_LEVEL_ERROR);
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(what_was_acknowledged_survives_kill_9),
        TEST(what_is_queued_when_the_store_ends_is_done),
        TEST(a_full_disk_is_an_error_of_the_put_and_keeps_the_old_value),
        TEST(what_could_not_be_synced_is_unknown_and_written_anew),
        TEST(a_torn_end_is_cut),
        TEST(a_damaged_file_is_refused_and_left_alone),
        TEST(a_folder_has_one_process),
        TEST(the_file_does_not_grow_for_ever),
        TEST(a_store_has_a_limit),
        TEST(leases_go_on_while_nobody_runs),
        TEST(timers_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
