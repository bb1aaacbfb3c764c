/* SPDX-License-Identifier: Apache-2.0
 *
 * The headers that plugins are written with; strbuf, clock and toml are tested with src/base. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <weir/clock.h>
#include <weir/error.h>
#include <weir/escape.h>
#include <weir/files.h>
#include <weir/log_limit.h>
#include <weir/nearest.h>
#include <weir/pattern.h>
#include <weir/readers.h>
#include <weir/strbuf.h>
#include <weir/text.h>

#include "fake_host.h"

static void zeroed_strbufs_can_be_used(void **state)
{
    struct strbuf buffer;
    (void)state;
    memset(&buffer, 0, sizeof buffer);
    strbuf_add(&buffer, "", 0);
    assert_int_equal(buffer.size, 0);
    strbuf_reset(&buffer);
    strbuf_printf(&buffer, "%s-%d", "x", 1);
    assert_string_equal(buffer.data, "x-1");
    strbuf_release(&buffer);
    memset(&buffer, 0, sizeof buffer);
    char *empty = strbuf_detach(&buffer);
    assert_string_equal(empty, "");
    free(empty);
}

static void what_is_written_into_the_room_ends_with_a_nul(void **state)
{
    struct strbuf buffer = STRBUF_INIT;
    (void)state;
    for (int i = 0; i < 100; i++) {
        char *at = strbuf_room(&buffer, 10);
        assert_non_null(at);
        memcpy(at, "0123456789", 10);
        strbuf_end(&buffer, at + 7);
        assert_int_equal(strlen(buffer.data), buffer.size);
    }
    assert_int_equal(buffer.size, 700);
    strbuf_release(&buffer);
}

static void each_byte_has_its_form_within_quotes(void **state)
{
    static const struct {
        unsigned char byte;
        const char *form;
    } rows[] = {{'a', "a"},        {' ', " "},        {'"', "\\\""},     {'\\', "\\\\"},
                {'\n', "\\u000a"}, {0x1f, "\\u001f"}, {0x7f, "\\u007f"}, {0xe4, "\xe4"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char form[ESCAPE_JSON_BYTES];
        assert_int_equal(escape_json_byte(rows[i].byte, form), strlen(rows[i].form));
        assert_memory_equal(form, rows[i].form, strlen(rows[i].form));
    }
}

static void errors_are_cut_and_may_be_ignored(void **state)
{
    struct error error;
    static char endless[2 * ERROR_MESSAGE_BYTES];
    (void)state;
    memset(endless, 'x', sizeof endless - 1);
    assert_int_equal(error_set(NULL, "nobody reads %d", 1), -1);
    assert_int_equal(error_set(&error, "%s", endless), -1);
    assert_int_equal(strlen(error.message), ERROR_MESSAGE_BYTES - 1);
    error_set(&error, "why");
    assert_int_equal(error_prefix(&error, "while %s", "reading"), -1);
    assert_string_equal(error.message, "while reading: why");
}

static void texts_are_compared_by_their_bytes(void **state)
{
    const weir_string absent = {NULL, 0};
    (void)state;
    assert_true(text_is(text_of("Query"), "Query"));
    assert_false(text_is(text_of("query"), "Query"));
    assert_true(text_is_word(text_of("query"), "Query"));
    assert_false(text_is_word(text_of("quer"), "query"));
    assert_true(text_equals(absent, text_of("")));
    assert_true(text_is(absent, ""));
    assert_null(text_of(NULL).data);
    assert_false(text_equals((weir_string){"a\0b", 3}, (weir_string){"a\0c", 3}));
}

static void patterns_match_whole_texts(void **state)
{
    static const struct {
        const char *pattern, *text;
        unsigned flags;
        bool matches;
    } rows[] = {
        {"", "", 0, true},
        {"*", "", 0, true},
        {"a*c", "abbc", 0, true},
        {"a*c", "abbcd", 0, false},
        {"*a*b*", "xxaxxbxx", 0, true},
        {"*ab", "aab", 0, true},
        {"A", "a", 0, false},
        {"A", "a", PATTERN_FOLDS, true},
        {"[", "{", PATTERN_FOLDS, false}, /* they differ by the bit of a letter's case */
        {"a?c", "abc", 0, false},
        {"a?c", "abc", PATTERN_SINGLE, true},
        {"a?", "a", PATTERN_SINGLE, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (pattern_matches(rows[i].pattern, rows[i].text, strlen(rows[i].text), rows[i].flags) !=
            rows[i].matches)
            fail_msg("%s %s", rows[i].pattern, rows[i].text);
}

static void like_matches_as_the_server_does(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool matches;
    } rows[] = {
        {"", "", true},
        {"%", "", true},
        {"10.%", "10.0.0.9", true},
        {"10.%", "1.0.0.9", false},
        {"_", "", false},
        {"a_c", "ABC", true},
        {"%b%b", "abab", true},
        {"%ab", "aab", true},
        {"a\\%", "a%", true},
        {"a\\%", "ab", false},
        {"%\\_%", "a_b", true},
        {"%\\_%", "ab", false},
        {"a\\", "a\\", true},
        {"a", "ab", false},
        {"ab", "a", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (pattern_like(rows[i].pattern, strlen(rows[i].pattern), rows[i].text,
                         strlen(rows[i].text)) != rows[i].matches)
            fail_msg("%s %s", rows[i].pattern, rows[i].text);
}

static void lines_beyond_the_limit_are_counted_and_said_later(void **state)
{
    struct log_limit limit = {0};
    uint32_t left_out;
    (void)state;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(log_limit_at(&limit, 3, 100, &left_out), i < 3);
        assert_int_equal(left_out, 0);
    }
    assert_true(log_limit_at(&limit, 3, 101, &left_out));
    assert_int_equal(left_out, 7);
    assert_true(log_limit_at(&limit, 3, 101, &left_out));
    assert_int_equal(left_out, 0);
    assert_true(log_limit_at(&limit, 3, 500, &left_out));
    assert_int_equal(left_out, 0);
}

static void the_nearest_name_takes_the_fewest_letters(void **state)
{
    (void)state;
    static const char *const names[] = {"Query", "Quit", "Prepare", "Init DB", NULL};
    static const char *const rows[][2] = {
        {"Qeury", "Query"},     {"qury", "Query"}, {"Quitt", "Quit"}, {"InitDB", "Init DB"},
        {"prepaer", "Prepare"}, {"Xyzzy", NULL},   {"", NULL}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct nearest nearest = {.wanted = rows[i][0]};
        for (size_t j = 0; names[j]; j++)
            nearest_offer(&nearest, names[j]);
        const char *best = nearest.name;
        if (best != rows[i][1] && (!best || !rows[i][1] || strcmp(best, rows[i][1]) != 0))
            fail_msg("%s: %s", rows[i][0], best ? best : "nothing");
    }
}

static void deadlines_lie_ahead_and_have_whole_seconds(void **state)
{
    (void)state;
    uint64_t before = clock_monotonic_ns();
    struct timespec deadline = clock_deadline(CLOCK_MONOTONIC, 1999999999);
    uint64_t at = (uint64_t)deadline.tv_sec * CLOCK_NS_PER_S + (uint64_t)deadline.tv_nsec;
    assert_in_range(deadline.tv_nsec, 0, 999999999);
    assert_true(at >= before + 1999999999);
    assert_true(at <= clock_monotonic_ns() + 1999999999);
}

static void relative_paths_begin_where_the_kind_of_file_lies(void **state)
{
    char path[32];
    (void)state;
    fake_host.library = text_of("/lib/weir/p-1.so");
    fake_host.data_directory = text_of("/var/weir");
    assert_true(files_beside_plugin(text_of("rules"), path, sizeof path));
    assert_string_equal(path, "/lib/weir/rules");
    assert_true(files_in_data_directory(text_of("log"), path, sizeof path));
    assert_string_equal(path, "/var/weir/log");
    assert_true(files_in_data_directory(text_of("/x/log"), path, sizeof path));
    assert_string_equal(path, "/x/log");
    fake_host.data_directory = text_of(NULL);
    assert_true(files_in_data_directory(text_of("log"), path, sizeof path));
    assert_string_equal(path, "/lib/weir/log");
    assert_false(files_beside_plugin(text_of("rules-of-a-long-name"), path, 29));
    assert_true(files_beside_plugin(text_of("rules-of-a-long-name"), path, 31));
}

static void assert_contents(const char *path, const char *text)
{
    char contents[64] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = fread(contents, 1, sizeof contents - 1, file);
    fclose(file);
    assert_int_equal(size, strlen(text));
    assert_string_equal(contents, text);
}

static void a_file_is_replaced_as_a_whole_or_not_at_all(void **state)
{
    char folder[] = "/tmp/test_helpers.XXXXXX", path[64], fresh[64];
    struct rlimit limit, small;
    struct stat status;
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/file", folder);
    snprintf(fresh, sizeof fresh, "%s/file.new", folder);
    assert_int_equal(files_replace(path, "old", 3), 0);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    small = (struct rlimit){.rlim_cur = 2, .rlim_max = limit.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    int result = files_replace(path, "newer", 5), code = errno;
    setrlimit(RLIMIT_FSIZE, &limit);
    assert_int_equal(result, -1);
    assert_int_equal(code, EFBIG);
    assert_contents(path, "old");
    assert_int_equal(access(fresh, F_OK), -1);
    assert_int_equal(files_replace(path, "newer", 5), 0);
    assert_contents(path, "newer");
    unlink(path);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(files_replace(path, "x", 1), -1);
    assert_int_equal(errno, ENOENT);
}

/* ---- Readers ---- */

static struct readers readers;
static _Atomic(int *) current;
static atomic_bool is_over;

static void *read_on(void *wrong)
{
    while (!atomic_load(&is_over)) {
        unsigned *reading = readers_enter(&readers);
        if (*atomic_load(&current) != 1)
            atomic_store((atomic_bool *)wrong, true);
        readers_leave(reading);
    }
    return NULL;
}

/* A value is overwritten as soon as readers_wait() says that nobody reads it. */
static void readers_never_see_what_was_replaced(void **state)
{
    static int values[2] = {1, 0};
    atomic_bool wrong = false;
    pthread_t threads[4];
    (void)state;
    atomic_store(&current, &values[0]);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, &wrong), 0);
    for (int i = 0; i < 5000; i++) {
        int *next = &values[(i + 1) % 2];
        __atomic_store_n(next, 1, __ATOMIC_RELEASE);
        int *old = atomic_exchange(&current, next);
        readers_wait(&readers);
        __atomic_store_n(old, 0, __ATOMIC_RELEASE);
    }
    atomic_store(&is_over, true);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_false(wrong);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zeroed_strbufs_can_be_used),
        cmocka_unit_test(what_is_written_into_the_room_ends_with_a_nul),
        cmocka_unit_test(each_byte_has_its_form_within_quotes),
        cmocka_unit_test(errors_are_cut_and_may_be_ignored),
        cmocka_unit_test(texts_are_compared_by_their_bytes),
        cmocka_unit_test(patterns_match_whole_texts),
        cmocka_unit_test(like_matches_as_the_server_does),
        cmocka_unit_test(lines_beyond_the_limit_are_counted_and_said_later),
        cmocka_unit_test(the_nearest_name_takes_the_fewest_letters),
        cmocka_unit_test(deadlines_lie_ahead_and_have_whole_seconds),
        cmocka_unit_test(relative_paths_begin_where_the_kind_of_file_lies),
        cmocka_unit_test(a_file_is_replaced_as_a_whole_or_not_at_all),
        cmocka_unit_test(readers_never_see_what_was_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
