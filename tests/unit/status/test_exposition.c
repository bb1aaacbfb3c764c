/* SPDX-License-Identifier: Apache-2.0
 *
 * Prometheus's text format and OpenMetrics: families, samples, and label values that would end them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "gateway/status/exposition.h"

static void write_counter(struct exposition *page)
{
    const struct exposition_label label = {"reason", "quit"};
    exposition_family(page, "rejections", EXPOSITION_COUNTER, "why");
    exposition_number(page, &label, 1, 7);
}

static void a_counter_has_its_suffix_where_the_format_wants_it(void **state)
{
    (void)state;
    struct strbuf out = STRBUF_INIT;
    struct exposition page = {.out = &out};
    write_counter(&page);
    exposition_end(&page);
    assert_string_equal(out.data, "# HELP weir_rejections_total why\n"
                                  "# TYPE weir_rejections_total counter\n"
                                  "weir_rejections_total{reason=\"quit\"} 7\n");
    strbuf_reset(&out);
    page.is_open_metrics = true;
    write_counter(&page);
    exposition_end(&page);
    assert_string_equal(out.data, "# HELP weir_rejections why\n"
                                  "# TYPE weir_rejections counter\n"
                                  "weir_rejections_total{reason=\"quit\"} 7\n"
                                  "# EOF\n");
    strbuf_release(&out);
}

static void a_gauge_has_none_and_standard_names_stay(void **state)
{
    (void)state;
    struct strbuf out = STRBUF_INIT;
    struct exposition page = {.out = &out};
    exposition_standard_family(&page, "process_open_fds", EXPOSITION_GAUGE, "files");
    exposition_number(&page, NULL, 0, -1);
    exposition_standard_family(&page, "process_cpu_seconds", EXPOSITION_COUNTER, "time");
    exposition_seconds(&page, NULL, 0, 1.5);
    assert_string_equal(out.data, "# HELP process_open_fds files\n# TYPE process_open_fds gauge\n"
                                  "process_open_fds -1\n"
                                  "# HELP process_cpu_seconds_total time\n"
                                  "# TYPE process_cpu_seconds_total counter\n"
                                  "process_cpu_seconds_total 1.500000000\n");
    strbuf_release(&out);
}

static void a_label_cannot_end_its_line(void **state)
{
    (void)state;
    struct strbuf out = STRBUF_INIT;
    struct exposition page = {.out = &out};
    const struct exposition_label labels[] = {{"a", "x\"} 1\nweir_forged 2\\"},
                                              {"b", "\t\xff\xc3\xa4\x7f"}};
    exposition_family(&page, "x", EXPOSITION_GAUGE, "x");
    strbuf_reset(&out);
    exposition_number(&page, labels, 2, 1);
    assert_string_equal(out.data, "weir_x{a=\"x\\\"} 1\\nweir_forged 2\\\\\",b=\"?????\"} 1\n");
    strbuf_release(&out);
}

static void buckets_add_up(void **state)
{
    (void)state;
    struct strbuf out = STRBUF_INIT;
    struct exposition page = {.out = &out};
    struct durations durations = {0};
    const struct exposition_label label = {"plugin", "p"};
    durations_add(&durations, 1000);
    durations_add(&durations, 3000);
    durations_add(&durations, UINT64_C(100) * CLOCK_NS_PER_S);
    exposition_family(&page, "d_seconds", EXPOSITION_HISTOGRAM, "d");
    exposition_histogram(&page, &label, 1, &durations);
    static const char *const lines[] = {
        "# TYPE weir_d_seconds histogram\n",
        "\nweir_d_seconds_bucket{plugin=\"p\",le=\"0.000001024\"} 1\n",
        "\nweir_d_seconds_bucket{plugin=\"p\",le=\"0.000002048\"} 1\n",
        "\nweir_d_seconds_bucket{plugin=\"p\",le=\"0.000004096\"} 2\n",
        "\nweir_d_seconds_bucket{plugin=\"p\",le=\"34.359738368\"} 2\n",
        "\nweir_d_seconds_bucket{plugin=\"p\",le=\"+Inf\"} 3\n",
        "\nweir_d_seconds_sum{plugin=\"p\"} 100.000004000\n",
        "\nweir_d_seconds_count{plugin=\"p\"} 3\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (!strstr(out.data, lines[i]))
            fail_msg("there is no %s in %s", lines[i], out.data);
    strbuf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_counter_has_its_suffix_where_the_format_wants_it),
        cmocka_unit_test(a_gauge_has_none_and_standard_names_stay),
        cmocka_unit_test(a_label_cannot_end_its_line),
        cmocka_unit_test(buckets_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
