/* SPDX-License-Identifier: Apache-2.0
 *
 * Summaries of statements: percentiles, what is one row, and what many of them cost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trace/summary/histogram.h"
#include "trace/summary/summary_rows.h"

static void percentiles_are_right_to_one_percent(void **state)
{
    static struct histogram histogram;
    (void)state;
    assert_int_equal(histogram_percentile(&histogram, 0.5), 0);
    for (uint64_t i = 1; i <= 100000; i++)
        histogram_add(&histogram, i * 1000);
    for (double share = 0.01; share < 1; share += 0.01) {
        double exact = 100000.0 * 1000 * share;
        double found = (double)histogram_percentile(&histogram, share);
        assert_true(found > exact * 0.99 && found < exact * 1.01);
    }
    assert_int_equal(histogram.most_ns, 100000000);
    assert_true(histogram_percentile(&histogram, 1) <= histogram.most_ns);
}

static void times_beyond_the_buckets_are_kept(void **state)
{
    static struct histogram histogram;
    (void)state;
    histogram_add(&histogram, 0);
    histogram_add(&histogram, UINT64_MAX / 2);
    assert_int_equal(histogram.most_ns, UINT64_MAX / 2);
    assert_int_equal(histogram_percentile(&histogram, 0.5), 512);
    for (unsigned bit = 0; bit < 63; bit++)
        for (int around = -1; around <= 1; around++)
            histogram_add(&histogram, (1ULL << bit) + (uint64_t)around);
    assert_int_equal(histogram.count, 2 + 3 * 63);
}

static struct summary_statement statement(const char *text, uint64_t start_ms, uint64_t end_ms)
{
    return (struct summary_statement){.user = "app",
                                      .host = "10.0.0.1",
                                      .command = "Query",
                                      .text = wire_text(text),
                                      .is_answered = true,
                                      .start_ns = start_ms * 1000000,
                                      .end_ns = end_ms * 1000000,
                                      .rows = 2};
}

static char *printed(struct summary *summary, size_t most,
                     void (*print)(struct summary *, size_t, FILE *))
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    print(summary, most, out);
    fclose(out);
    return text;
}

static void statements_are_counted_by_digest_and_client(void **state)
{
    (void)state;
    struct summary *summary = summary_new();
    struct summary_statement one = statement("SELECT a FROM t WHERE b = 'SECRET'", 1000, 1001);
    summary_add(summary, &one);
    one = statement("select a from t where b = 2", 1001, 1004);
    one.error_code = 1146;
    one.user = "\xe4\"";
    summary_add(summary, &one);
    one = statement(NULL, 1004, 1004);
    one.command = "Ping";
    one.is_answered = false;
    summary_add(summary, &one);
    one = statement("select a from t where b = 2", 1001, 1004);
    one.is_preparation = true;
    one.start_ns = one.end_ns = 0;
    summary_add(summary, &one);
    char *text = printed(summary, 0, summary_print_json);
    static const char *const expected[] = {
        "{\"count\":4,\"errors\":1,\"unanswered\":1,\"not_counted\":0,\"seconds\":0.004000,"
        "\"statements\":[\n{\"digest\":\"",
        "\"statement\":\"select `a` from `t` where `b` = ?\",\"count\":2,\"errors\":1,"
        "\"unanswered\":0,\"rows\":4,\"affected_rows\":0,\"total_ms\":4.000000,\"p50_ms\":1.003520,"
        "\"p95_ms\":2.998272,\"max_ms\":3.000000},\n{\"statement\":\"(Ping)\",\"count\":1,",
        "\"statement\":\"(prepare) select `a` from `t` where `b` = ?\",\"count\":1,",
        "\"statements_left_out\":0,\"clients\":[\n{\"client\":\"\\u00e4\\\"@10.0.0.1\",\"count\":"
        "1,",
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        assert_non_null(strstr(text, expected[i]));
    assert_null(strstr(text, "SECRET"));
    free(text);
    summary_free(summary);
}

static void many_digests_are_counted_together(void **state)
{
    (void)state;
    struct summary *summary = summary_new();
    summary->digests.most = 3;
    for (int i = 0; i < 10; i++) {
        char text[32];
        snprintf(text, sizeof text, "select c%c from t", 'a' + i);
        struct summary_statement one = statement(text, 1000, 1001);
        summary_add(summary, &one);
    }
    char *text = printed(summary, 2, summary_print_text);
    assert_non_null(strstr(text, "10 commands in 0.001 s, 0 with an error, 0 without their reply"));
    assert_non_null(strstr(text, "        7        7.000"));
    assert_non_null(strstr(text, "(others)"));
    assert_non_null(strstr(text, "... and 2 more"));
    assert_non_null(strstr(text, "app@10.0.0.1"));
    free(text);
    summary_free(summary);
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(percentiles_are_right_to_one_percent),
        TEST(times_beyond_the_buckets_are_kept),
        TEST(statements_are_counted_by_digest_and_client),
        TEST(many_digests_are_counted_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
