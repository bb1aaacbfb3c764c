/* SPDX-License-Identifier: Apache-2.0
 *
 * What etcd says, as it was recorded from 3.4: answers, errors, lines of watches in any pieces; what is none of its;
 * and what is asked of it, byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cluster/etcd_answer.h"
#include "cluster/etcd_lines.h"
#include "cluster/etcd_request.h"

#define HEADER                                                                                     \
    "\"header\":{\"cluster_id\":\"324952591200643719\",\"member_id\":\"3319814642761637952\","     \
    "\"revision\":\"6\",\"raft_term\":\"2\"}"

static void read_answer(struct etcd_answer *answer, const char *text)
{
    struct error error = {""};
    assert_int_equal(etcd_answer_read(answer, text, strlen(text), &error), 0);
    assert_string_equal(error.message, "");
}

static void assert_bytes(struct store_bytes bytes, const char *text)
{
    assert_int_equal(bytes.size, strlen(text));
    assert_memory_equal(bytes.data, text, bytes.size);
}

static void a_range_has_its_entries(void **state)
{
    struct etcd_answer answer;
    (void)state;
    read_answer(&answer, "{" HEADER ",\"kvs\":[{\"key\":\"Zm9v\",\"create_revision\":\"2\","
                         "\"mod_revision\":\"2\",\"version\":\"1\",\"value\":\"YmE=\",\"lease\":"
                         "\"9223372036854775807\"},"
                         "{\"key\":\"Zm8=\",\"mod_revision\":\"5\"}],\"count\":\"2\"}");
    assert_false(answer.is_error);
    assert_int_equal(answer.revision, 6);
    assert_int_equal(answer.count, 2);
    assert_bytes(answer.entries[0].key, "foo");
    assert_bytes(answer.entries[0].value, "ba");
    assert_int_equal(answer.entries[0].revision, 2);
    assert_true(answer.entries[0].lease == INT64_MAX);
    assert_bytes(answer.entries[1].key, "fo");
    assert_int_equal(answer.entries[1].value.size, 0);
    etcd_answer_release(&answer);
}

static void a_transaction_says_whether_it_held(void **state)
{
    struct etcd_answer answer;
    (void)state;
    read_answer(&answer, "{" HEADER ",\"succeeded\":true,\"responses\":[{\"response_put\":{"
                         "\"header\":{\"revision\":\"4\"}}}]}");
    assert_true(answer.succeeded);
    etcd_answer_release(&answer);
    read_answer(&answer, "{" HEADER "}");
    assert_false(answer.succeeded);
    etcd_answer_release(&answer);
}

static void leases_and_tokens(void **state)
{
    struct etcd_answer answer;
    (void)state;
    read_answer(&answer, "{" HEADER ",\"ID\":\"2324035666806144008\",\"TTL\":\"5\"}");
    assert_true(answer.lease == 2324035666806144008);
    assert_int_equal(answer.ttl_s, 5);
    etcd_answer_release(&answer);
    read_answer(&answer, "{\"result\":{" HEADER ",\"ID\":\"77\"}}\n"); /* a lease that has ended */
    assert_int_equal(answer.lease, 77);
    assert_int_equal(answer.ttl_s, 0);
    etcd_answer_release(&answer);
    read_answer(&answer, "{" HEADER ",\"token\":\"abc.12\"}");
    assert_string_equal(answer.token, "abc.12");
    etcd_answer_release(&answer);
}

static void errors_of_answers_and_of_streams(void **state)
{
    static const struct {
        const char *text;
        long code;
        const char *message;
    } cases[] = {
        {"{\"error\":\"etcdserver: requested lease not found\",\"message\":\"etcdserver: requested "
         "lease not found\",\"code\":5}",
         5, "\"etcdserver: requested lease not found\""},
        {"{\"error\":{\"grpc_code\":14,\"http_code\":503,\"message\":\"etcdserver: no "
         "leader\",\"http_status\":\"Service Unavailable\"}}",
         14, "\"etcdserver: no leader\""},
        {"{\"error\":{\"code\":16,\"message\":\"etcdserver: invalid auth token\"}}", 16,
         "\"etcdserver: invalid auth token\""},
        {"{\"error\":\"odd\"}", 0, "odd"},
        {"{\"error\":7}", 0, "\"no message\""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct etcd_answer answer;
        read_answer(&answer, cases[i].text);
        assert_true(answer.is_error);
        assert_int_equal(answer.code, cases[i].code);
        assert_string_equal(answer.message, cases[i].message);
        etcd_answer_release(&answer);
    }
}

static void watches_tell_events_and_compaction(void **state)
{
    struct etcd_answer answer;
    (void)state;
    read_answer(&answer, "{\"result\":{" HEADER ",\"created\":true}}");
    assert_true(answer.is_created && !answer.is_canceled);
    etcd_answer_release(&answer);
    read_answer(
        &answer,
        "{\"result\":{" HEADER
        ",\"events\":[{\"kv\":{\"key\":\"Zm9v\",\"mod_revision\":\"6\",\"value\":\"YmFy\"}},"
        "{\"type\":\"DELETE\",\"kv\":{\"key\":\"Zm9v\",\"mod_revision\":\"7\"}}]}}");
    assert_int_equal(answer.count, 2);
    assert_false(answer.entries[0].is_deleted);
    assert_bytes(answer.entries[0].value, "bar");
    assert_true(answer.entries[1].is_deleted);
    assert_int_equal(answer.entries[1].revision, 7);
    etcd_answer_release(&answer);
    read_answer(&answer, "{\"result\":{\"header\":{\"raft_term\":\"2\"},\"canceled\":true,"
                         "\"compact_revision\":\"6\"}}");
    assert_true(answer.is_canceled);
    assert_int_equal(answer.compacted, 6);
    etcd_answer_release(&answer);
}

static void what_is_not_etcds_is_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "Not Found\n",
        "[]",
        "{\"result\":7}",
        "{\"header\":[]}",
        "{\"header\":{\"revision\":\"x\"}}",
        "{\"header\":{\"revision\":\"-4\"}}",
        "{\"header\":{\"revision\":\"99999999999999999999\"}}",
        "{\"kvs\":[7]}",
        "{\"kvs\":[{\"key\":\"Zm9\",\"mod_revision\":\"1\"}]}", /* not base64 */
        "{\"kvs\":[{\"key\":\"Z=9v\",\"mod_revision\":\"1\"}]}",
        "{\"kvs\":[{\"key\":\"====\",\"mod_revision\":\"1\"}]}",
        "{\"kvs\":[{\"key\":\"Zm9v\"}]}",
        "{\"kvs\":[{\"mod_revision\":\"1\"}]}",
        "{\"result\":{\"events\":[{}]}}",
        "{\"kvs\":[{\"key\":\" Zm9\",\"mod_revision\":\"1\"}]}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct etcd_answer answer;
        struct error error = {""};
        assert_int_equal(etcd_answer_read(&answer, cases[i], strlen(cases[i]), &error), -1);
        assert_true(error.message[0]);
        etcd_answer_release(&answer);
    }
}

/* ---- Lines ---- */

struct seen {
    struct strbuf text;
    size_t lines, most;
};

static bool see(void *user, const char *line, size_t size)
{
    struct seen *seen = user;
    strbuf_add(&seen->text, line, size);
    strbuf_add_byte(&seen->text, '|');
    return ++seen->lines < seen->most;
}

static void lines_are_found_wherever_they_are_cut(void **state)
{
    static const char text[] = "{\"a\":1}\n\n{\"bb\":2}\n{\"c\":3}\nrest";
    (void)state;
    for (size_t first = 0; first < sizeof text; first++)
        for (size_t second = first; second < sizeof text; second++) {
            struct etcd_lines lines = {.begun = STRBUF_INIT};
            struct seen seen = {.text = STRBUF_INIT, .most = 9};
            assert_true(etcd_lines_add(&lines, text, first, see, &seen));
            assert_true(etcd_lines_add(&lines, text + first, second - first, see, &seen));
            assert_true(etcd_lines_add(&lines, text + second,
                                       sizeof text - 1 -
                                           (second < sizeof text - 1 ? second : sizeof text - 1),
                                       see, &seen));
            assert_string_equal(seen.text.data, "{\"a\":1}|{\"bb\":2}|{\"c\":3}|");
            assert_string_equal(lines.begun.data, "rest");
            etcd_lines_release(&lines);
            strbuf_release(&seen.text);
        }
}

static void a_line_may_end_the_stream(void **state)
{
    struct etcd_lines lines = {.begun = STRBUF_INIT};
    struct seen seen = {.text = STRBUF_INIT, .most = 2};
    (void)state;
    assert_false(etcd_lines_add(&lines, "a\nb\nc\n", 6, see, &seen));
    assert_int_equal(seen.lines, 2);
    etcd_lines_release(&lines);
    strbuf_release(&seen.text);
}

static void a_line_that_is_too_long_ends_the_stream(void **state)
{
    struct etcd_lines lines = {.begun = STRBUF_INIT};
    struct seen seen = {.text = STRBUF_INIT, .most = 9};
    const size_t half = ETCD_LINE_BYTES / 2 + 1;
    char *bytes = calloc(1, half);
    (void)state;
    assert_non_null(bytes);
    assert_true(etcd_lines_add(&lines, bytes, half, see, &seen));
    assert_false(etcd_lines_add(&lines, bytes, half, see, &seen));
    free(bytes);
    etcd_lines_release(&lines);
    strbuf_release(&seen.text);
}

/* ---- Requests ---- */

static void assert_asked(const struct store_request *request, const char *expected)
{
    struct strbuf out = STRBUF_INIT;
    etcd_request_write(&out, request);
    assert_string_equal(out.data, expected);
    strbuf_release(&out);
}

static void requests_are_what_etcd_reads(void **state)
{
    (void)state;
    assert_asked(&(struct store_request){.action = STORE_READ, .key = STORE_TEXT("foo")},
                 "{\"key\":\"Zm9v\"}");
    assert_asked(
        &(struct store_request){.action = STORE_READ, .key = STORE_TEXT("foo"), .is_prefix = true},
        "{\"key\":\"Zm9v\",\"range_end\":\"Zm9w\"}");
    /* a prefix whose last bytes cannot be counted up, and one to the end */
    assert_asked(&(struct store_request){.action = STORE_DELETE,
                                         .key = STORE_TEXT("a\xff"),
                                         .is_prefix = true},
                 "{\"key\":\"Yf8=\",\"range_end\":\"Yg==\"}");
    assert_asked(&(struct store_request){.action = STORE_DELETE,
                                         .key = STORE_TEXT("\xff"),
                                         .is_prefix = true},
                 "{\"key\":\"/w==\",\"range_end\":\"AA==\"}");
    assert_asked(
        &(struct store_request){
            .action = STORE_WRITE,
            .compares = {{.key = STORE_TEXT("foo"), .revision = 7}},
            .compare_count = 1,
            .writes = {{.key = STORE_TEXT("foo"), .value = STORE_TEXT("0"), .lease = 5},
                       {.key = STORE_TEXT("fo"), .value = STORE_TEXT("")}},
            .write_count = 2},
        "{\"compare\":[{\"key\":\"Zm9v\",\"target\":\"MOD\",\"result\":\"EQUAL\",\"mod_revision\":"
        "\"7\"}],"
        "\"success\":[{\"request_put\":{\"key\":\"Zm9v\",\"value\":\"MA==\",\"lease\":\"5\"}},"
        "{\"request_put\":{\"key\":\"Zm8=\",\"value\":\"\",\"lease\":\"0\"}}]}");
    assert_asked(&(struct store_request){.action = STORE_GRANT, .ttl_s = 10}, "{\"TTL\":\"10\"}");
    assert_asked(&(struct store_request){.action = STORE_KEEP, .lease = 77}, "{\"ID\":\"77\"}");
}

static void passwords_are_escaped(void **state)
{
    struct strbuf out = STRBUF_INIT;
    (void)state;
    etcd_request_authenticate(&out, "weir", "a\"b\\");
    assert_string_equal(out.data, "{\"name\":\"weir\",\"password\":\"a\\\"b\\\\\"}");
    strbuf_release(&out);
    etcd_request_authenticate(&out, "weir", "\xff");
    assert_true(out.failed);
    strbuf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_range_has_its_entries),
        cmocka_unit_test(a_transaction_says_whether_it_held),
        cmocka_unit_test(leases_and_tokens),
        cmocka_unit_test(errors_of_answers_and_of_streams),
        cmocka_unit_test(watches_tell_events_and_compaction),
        cmocka_unit_test(what_is_not_etcds_is_refused),
        cmocka_unit_test(lines_are_found_wherever_they_are_cut),
        cmocka_unit_test(a_line_may_end_the_stream),
        cmocka_unit_test(a_line_that_is_too_long_ends_the_stream),
        cmocka_unit_test(requests_are_what_etcd_reads),
        cmocka_unit_test(passwords_are_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
