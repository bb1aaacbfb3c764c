/* SPDX-License-Identifier: Apache-2.0
 *
 * Buffers, errors, the clock's text and the log's quoting: what every line of output is made of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"

static void a_buffer_is_always_a_string(void **state)
{
    (void)state;
    struct strbuf buffer = STRBUF_INIT;
    assert_string_equal(buffer.data, "");
    for (int i = 0; i < 1000; i++) {
        strbuf_printf(&buffer, "%d,", i % 10);
        assert_int_equal(buffer.data[buffer.size], 0);
    }
    assert_int_equal(buffer.size, 2000);
    strbuf_consume(&buffer, 1996);
    assert_string_equal(buffer.data, "8,9,");
    strbuf_reset(&buffer);
    assert_string_equal(buffer.data, "");
    strbuf_add(&buffer, "a\0b", 3);
    strbuf_add_byte(&buffer, 'c');
    assert_memory_equal(buffer.data, "a\0bc", 5);
    strbuf_release(&buffer);
    assert_string_equal(buffer.data, "");
}

static void detaching_hands_the_bytes_over(void **state)
{
    (void)state;
    struct strbuf buffer = STRBUF_INIT;
    char *nothing = strbuf_detach(&buffer);
    assert_string_equal(nothing, "");
    strbuf_add_text(&buffer, "x");
    char *text = strbuf_detach(&buffer);
    assert_string_equal(text, "x");
    assert_int_equal(buffer.capacity, 0);
    free(nothing);
    free(text);
}

static void a_buffer_that_failed_stays_failed_until_reset(void **state)
{
    (void)state;
    struct strbuf buffer = STRBUF_INIT;
    strbuf_add_text(&buffer, "kept");
    assert_false(strbuf_reserve(&buffer, SIZE_MAX / 2));
    strbuf_add_text(&buffer, "lost");
    assert_true(buffer.failed);
    assert_string_equal(buffer.data, "kept");
    assert_null(strbuf_detach(&buffer));
    strbuf_reset(&buffer);
    strbuf_add_text(&buffer, "again");
    assert_string_equal(buffer.data, "again");
    strbuf_release(&buffer);
}

static void errors_are_prefixed_and_cut(void **state)
{
    (void)state;
    struct error error;
    assert_int_equal(error_set(&error, "port %d", 70000), -1);
    assert_int_equal(error_prefix(&error, "reading %s", "x"), -1);
    assert_string_equal(error.message, "reading x: port 70000");
    assert_int_equal(error_set(&error, "%2000s", "x"), -1);
    assert_int_equal(strlen(error.message), ERROR_MESSAGE_BYTES - 1);
    assert_int_equal(error_set(NULL, "nobody asks"), -1);
    assert_int_equal(error_prefix(NULL, "nobody asks"), -1);
}

static void times_are_written_as_rfc3339(void **state)
{
    (void)state;
    static const struct {
        uint64_t ns;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000000Z"},
        {951782400123456789ULL, "2000-02-29T00:00:00.123456Z"},
        {1798761599999999999ULL, "2026-12-31T23:59:59.999999Z"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[CLOCK_RFC3339_BYTES];
        clock_rfc3339(rows[i].ns, text);
        assert_string_equal(text, rows[i].text);
    }
    uint64_t first = clock_monotonic_ns();
    assert_true(clock_monotonic_ns() >= first);
}

static void foreign_text_cannot_forge_a_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *quoted;
    } rows[] = {
        {"plain", "plain"},
        {"", "\"\""},
        {"two words", "\"two words\""},
        {"a\nerror server: b", "\"a\\u000aerror server: b\""},
        {"\"\\", "\"\\\"\\\\\""},
        {"\x7f\x1b[31m", "\"\\u007f\\u001b[31m\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(log_foreign(rows[i].text, strlen(rows[i].text)), rows[i].quoted);
    assert_string_equal(log_foreign(NULL, 0), "\"\"");
}

static void foreign_text_is_cut_where_it_shows(void **state)
{
    (void)state;
    static const struct {
        const char *text, *quoted;
    } rows[] = {
        {"123456789012345", "123456789012345"}, /* what fits with its NUL */
        {"1234567890123456", "\"1234567890...\""},
        {"1234567890 12", "\"1234567890 12\""},
        {"1234567890 123", "\"1234567890...\""},
        {"12345678901234\n", "\"1234567890...\""},
        {"\n\n\n", "\"\\u000a...\""},
        {"12345678\n\n", "\"12345678...\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char buffer[16];
        assert_string_equal(log_quoted(rows[i].text, strlen(rows[i].text), buffer, sizeof buffer),
                            rows[i].quoted);
    }
}

/* Last: the log goes to the file from here on. */
static void lines_of_the_log_have_time_level_and_room(void **state)
{
    (void)state;
    char path[] = "/tmp/weir-test-log.XXXXXX", text[8192] = "";
    struct error error = {""};
    close(mkstemp(path));
    assert_int_equal(log_open("/nonexistent/log", &error), -1);
    assert_string_equal(error.message, "log file /nonexistent/log: No such file or directory");
    assert_int_equal(log_open(path, &error), 0);
    log_set_level(LOG_LEVEL_WARN);
    log_info("room", "not this");
    log_warn("room", "this %d", 1);
    log_error("room", "%6000s", "x");
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    unlink(path);
    assert_string_equal(strtok(text + CLOCK_RFC3339_BYTES, "\n"), "warn  room: this 1");
    assert_int_equal(text[size - 1], '\n');
    assert_memory_equal(text + size - 4, "...", 3);
}

static void like_is_the_servers(void **state)
{
    (void)state;
    static const struct {
        const char *text, *pattern;
        bool is_like;
    } cases[] = {
        {"10.0.0.1", "10.%", true},
        {"110.0.0.1", "10.%", false},
        {"", "", true},
        {"", "%", true},
        {"", "_", false},
        {"abc", "A_C", true},
        {"a%c", "a\\%c", true},
        {"abc", "a\\%c", false},
        {"aXbXc", "%x%c", true},
        {"aXbXc", "%x%b", false},
        {"abc", "abc%", true},
        {"ab", "abc", false},
        {"abcabd", "%ab_", true},
        {"a\\", "a\\", true},
        {"[", "{", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(text_is_like(cases[i].text, cases[i].pattern, strlen(cases[i].pattern)),
                         cases[i].is_like);
    /* Quick, also where every % could be tried in many places. */
    char text[4001];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = 0;
    assert_false(text_is_like(text, "%a%a%a%a%a%a%a%a%a%a%a%a%a%a%ab", 31));
}

static void a_hash_is_sha256(void **state)
{
    (void)state;
    static const unsigned char abc[] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea};
    static const unsigned char nothing[] = {0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14};
    unsigned char hash[HASH_SHA256_BYTES];
    assert_true(hash_sha256("abc", 3, hash));
    assert_memory_equal(hash, abc, sizeof abc);
    assert_true(hash_sha256(NULL, 0, hash));
    assert_memory_equal(hash, nothing, sizeof nothing);
}

static const char *nearest_of(const char *wanted)
{
    static const char *const names[] = {"plugin-load", "plugin-locked", "port", "strategy",
                                        "ban_after"};
    struct nearest nearest = {.wanted = wanted};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        nearest_offer(&nearest, names[i]);
    return nearest.name ? nearest.name : "";
}

static void a_misspelt_name_finds_its_neighbour(void **state)
{
    (void)state;
    assert_string_equal(nearest_of("plugin_load"), "plugin-load");
    assert_string_equal(nearest_of("PLUGIN-LAOD"), "plugin-load");
    assert_string_equal(nearest_of("plugin-lock"), "plugin-locked");
    assert_string_equal(nearest_of("Sratt"), "strategy"); /* it goes on */
    assert_string_equal(nearest_of("ban_aftr"), "ban_after");
    assert_string_equal(nearest_of("prot"), "port");
    assert_string_equal(nearest_of("startegy"), "strategy");
    assert_string_equal(nearest_of("host"), "");
    assert_string_equal(nearest_of(""), "");
    char longer[2 * NEAREST_NAME_BYTES];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    assert_string_equal(nearest_of(longer), "");
}

static void cutting_keeps_the_beginning(void **state)
{
    (void)state;
    struct strbuf buffer = STRBUF_INIT;
    strbuf_cut(&buffer, 0);
    strbuf_add_text(&buffer, "abc");
    strbuf_cut(&buffer, 3);
    assert_string_equal(buffer.data, "abc");
    strbuf_cut(&buffer, 1);
    assert_string_equal(buffer.data, "a");
    assert_int_equal(buffer.size, 1);
    strbuf_release(&buffer);
}

static void a_duration_is_in_the_first_bucket_that_holds_it(void **state)
{
    (void)state;
    struct durations durations = {0};
    int64_t sum_ns = 0;
    for (unsigned bucket = 0; bucket < DURATIONS_BOUNDS; bucket++) {
        const uint64_t bound = durations_bound_ns(bucket);
        assert_int_equal(durations_bucket(bound), bucket);
        assert_int_equal(durations_bucket(bound + 1), bucket + 1);
        assert_int_equal(durations_bucket(bound / 2 + 1), bucket);
        durations_add(&durations, bound);
        sum_ns += (int64_t)bound;
    }
    assert_int_equal(durations_bucket(0), 0);
    assert_int_equal(durations_bucket(UINT64_MAX), DURATIONS_BOUNDS);
    for (unsigned bucket = 0; bucket <= DURATIONS_BOUNDS; bucket++)
        assert_int_equal(atomic_load(&durations.counts[bucket]), bucket < DURATIONS_BOUNDS);
    assert_int_equal(atomic_load(&durations.sum_ns), sum_ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_buffer_is_always_a_string),
        cmocka_unit_test(detaching_hands_the_bytes_over),
        cmocka_unit_test(a_buffer_that_failed_stays_failed_until_reset),
        cmocka_unit_test(errors_are_prefixed_and_cut),
        cmocka_unit_test(times_are_written_as_rfc3339),
        cmocka_unit_test(foreign_text_cannot_forge_a_line),
        cmocka_unit_test(foreign_text_is_cut_where_it_shows),
        cmocka_unit_test(like_is_the_servers),
        cmocka_unit_test(a_hash_is_sha256),
        cmocka_unit_test(a_misspelt_name_finds_its_neighbour),
        cmocka_unit_test(cutting_keeps_the_beginning),
        cmocka_unit_test(a_duration_is_in_the_first_bucket_that_holds_it),
        cmocka_unit_test(lines_of_the_log_have_time_level_and_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
