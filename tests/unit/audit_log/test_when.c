/* SPDX-License-Identifier: Apache-2.0
 *
 * weir-audit's times: what people write, what it covers, and what is no time. */
#include "audit_test.h"

#include <stdlib.h>
#include <time.h>

#include "when.h"

#define NOW 1769903999000000000U /* 2026-01-31T23:59:59Z */
#define S   1000000000ULL

static void set_zone(const char *zone)
{
    setenv("TZ", zone, 1);
    tzset();
}

static void assert_covers(const char *text, uint64_t first_s, uint64_t seconds)
{
    struct when when;
    struct error error = {""};
    if (when_parse(text, NOW, &when, &error) < 0)
        fail_msg("%s", error.message);
    if (when.first != first_s * S || when.last != (first_s + seconds) * S - 1)
        fail_msg("%s: %llu to %llu", text, (unsigned long long)when.first,
                 (unsigned long long)when.last);
}

static void test_what_people_write(void **state)
{
    (void)state;
    set_zone("UTC");
    assert_covers("2026-01-31", 1769817600, 86400);
    assert_covers("2026-01-31Z", 1769817600, 86400);
    assert_covers("2026-01-31T12", 1769860800, 3600);
    assert_covers("2026-01-31 12:30", 1769862600, 60);
    assert_covers("2026-01-31T12:30", 1769862600, 60);
    assert_covers("2026-01-31 12:30:07", 1769862607, 1);
    assert_covers("2026-01-31T12:30:07Z", 1769862607, 1);
    assert_covers("2026-01-31T12:30:07+02:00", 1769862607 - 7200, 1);
    assert_covers("2026-01-31 12:30 +0200", 1769862600 - 7200, 60);
    assert_covers("2026-01-31 12:30 -05", 1769862600 + 18000, 60);
    assert_covers("2026-01-31 12:30 UTC", 1769862600, 60);
    assert_covers("yesterday", 1769731200, 86400);
    assert_covers("yesterday 03:00", 1769731200 + 10800, 60);
    assert_covers("today", 1769817600, 86400);
    assert_covers("today 03:00:05", 1769817600 + 10805, 1);
    assert_covers("03:00", 1769817600 + 10800, 60);
}

static void test_a_fraction_is_as_exact_as_its_digits(void **state)
{
    (void)state;
    struct when when;
    set_zone("UTC");
    assert_int_equal(when_parse("2026-01-31T12:30:07.25Z", NOW, &when, NULL), 0);
    assert_true(when.first == 1769862607 * S + 250000000);
    assert_true(when.last == 1769862607 * S + 259999999);
}

static void test_what_is_relative(void **state)
{
    (void)state;
    struct when when;
    assert_int_equal(when_parse("-2h", NOW, &when, NULL), 0);
    assert_true(when.first == NOW - 7200 * S && when.last == when.first);
    assert_int_equal(when_parse("-30m", NOW, &when, NULL), 0);
    assert_true(when.first == NOW - 1800 * S);
    assert_int_equal(when_parse("-1d", NOW, &when, NULL), 0);
    assert_true(when.first == NOW - 86400 * S);
    assert_int_equal(when_parse("now", NOW, &when, NULL), 0);
    assert_true(when.first == NOW);
}

static void test_without_a_zone_it_is_local_time(void **state)
{
    (void)state;
    set_zone("Europe/Berlin");
    assert_covers("2026-01-31 12:30", 1769862600 - 3600, 60);
    assert_covers("2026-07-31 12:30", 1785501000 - 7200, 60);
    assert_covers("2026-01-31 12:30Z", 1769862600, 60);
    /* 2026-10-25: 02:30 is there twice, and the day has 25 hours. */
    assert_covers("2026-10-25 02:30", 1792888200, 3660);
    assert_covers("2026-10-25", 1792879200, 90000);
    assert_covers("2026-03-29", 1774738800, 82800);
    set_zone("UTC");
}

static void test_what_is_no_time_is_refused_with_a_sentence(void **state)
{
    (void)state;
    static const char *const wrong[] = {"2026-13-45",
                                        "2026-02-30",
                                        "2026-1-1",
                                        "26-01-31",
                                        "tomorrow",
                                        "2026-01-31 25:00",
                                        "2026-01-31 12:60",
                                        "2026-01-31 1",
                                        "-2",
                                        "-2x",
                                        "2026-01-31x",
                                        "2026-01-31 12:30 +9",
                                        "",
                                        "noon",
                                        "2026-01-31T",
                                        "12",
                                        "2026-01-31 12:30 CET",
                                        "2025-02-29",
                                        "-h",
                                        "1969-12-31",
                                        "2026-01-31 12:30:61"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct when when;
        struct error error = {""};
        if (when_parse(wrong[i], NOW, &when, &error) == 0)
            fail_msg("%s is taken for a time", wrong[i]);
        assert_non_null(strstr(error.message, "is no time; write 2026-01-31"));
    }
}

static void test_durations(void **state)
{
    (void)state;
    uint64_t ns;
    assert_int_equal(when_parse_duration("250ms", &ns, NULL), 0);
    assert_true(ns == 250000000);
    assert_int_equal(when_parse_duration("1.5s", &ns, NULL), 0);
    assert_true(ns == 1500000000);
    assert_int_equal(when_parse_duration("2", &ns, NULL), -1);
    assert_int_equal(when_parse_duration("-2s", &ns, NULL), -1);
    assert_int_equal(when_parse_duration("99999999999999d", &ns, NULL), -1);
}

static void test_stamps_of_logs(void **state)
{
    (void)state;
    uint64_t ns;
    set_zone("UTC");
    assert_true(when_read_stamp("2026-01-31T23:59:59.123456Z", 27, &ns));
    assert_true(ns == 1769903999123456000U);
    assert_true(when_read_stamp("2024-02-29 00:00:00", 19, &ns));
    assert_true(ns == 1709164800 * S);
    assert_false(when_read_stamp("2026-02-29T00:00:00Z", 20, &ns));
    assert_false(when_read_stamp("2026-01-31T23:59:59.123456Zx", 28, &ns));
    assert_true(when_read_local_stamp("20260131 23:59:59", 17, &ns));
    assert_true(ns == 1769903999 * S);
    assert_false(when_read_local_stamp("20261331 23:59:59", 17, &ns));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_people_write),
        cmocka_unit_test(test_a_fraction_is_as_exact_as_its_digits),
        cmocka_unit_test(test_what_is_relative),
        cmocka_unit_test(test_without_a_zone_it_is_local_time),
        cmocka_unit_test(test_what_is_no_time_is_refused_with_a_sentence),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_stamps_of_logs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
