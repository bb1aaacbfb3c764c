/* SPDX-License-Identifier: Apache-2.0
 *
 * The store in memory does what etcd does, by a clock that the test moves: revisions, compares, leases, news, nodes that
 * are cut off, compaction. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "asking.h"

struct pair {
    struct memory_hub *hub;
    struct store *one, *two;
    struct asked asked, news;
};

static void begin(struct pair *pair)
{
    *pair = (struct pair){.asked = ASKED_INIT, .news = ASKED_INIT};
    pair->hub = memory_hub_new();
    assert_non_null(pair->hub);
    pair->one = memory_store_new(pair->hub);
    pair->two = memory_store_new(pair->hub);
    assert_true(pair->one && pair->two);
}

static void end(struct pair *pair)
{
    store_free(pair->one);
    store_free(pair->two);
    memory_hub_free(pair->hub);
    asked_release(&pair->asked);
    asked_release(&pair->news);
}

static enum store_status asks(struct pair *pair, struct store *store, struct store_request request)
{
    const int before = pair->asked.answers;
    request.done = asked_done;
    request.user = &pair->asked;
    assert_true(store_call(store, &request));
    assert_int_equal(pair->asked.answers, before); /* never at once */
    memory_hub_advance(pair->hub, 0);
    assert_int_equal(pair->asked.answers, before + 1);
    return pair->asked.status;
}

static struct store_request write_one(const char *key, const char *value, int64_t lease)
{
    return (struct store_request){
        .action = STORE_WRITE,
        .writes = {{.key = STORE_TEXT(key), .value = STORE_TEXT(value), .lease = lease}},
        .write_count = 1};
}

static struct store_request read_prefix(const char *key)
{
    return (struct store_request){.action = STORE_READ, .key = STORE_TEXT(key), .is_prefix = true};
}

static void follows(struct pair *pair, struct store *store)
{
    assert_true(store_follow(store, STORE_TEXT("k"), asked_news, &pair->news));
    memory_hub_advance(pair->hub, 0);
}

static void a_compare_that_fails_writes_nothing(void **state)
{
    struct pair pair;
    (void)state;
    begin(&pair);
    struct store_request request = write_one("k/2", "a", 0);
    request.writes[1] = (struct store_write){.key = STORE_TEXT("k/1"), .value = STORE_TEXT("b")};
    request.write_count = 2;
    request.compares[0].key = STORE_TEXT("k/2"); /* there is none */
    request.compare_count = 1;
    assert_int_equal(asks(&pair, pair.one, request), STORE_DONE);
    const int64_t revision = pair.asked.revision;
    assert_int_equal(asks(&pair, pair.two, request), STORE_DIFFERS);
    assert_int_equal(pair.asked.revision, revision);
    request.compares[0].revision = revision;
    assert_int_equal(asks(&pair, pair.two, request), STORE_DONE);
    assert_int_equal(asks(&pair, pair.one, read_prefix("k/")), STORE_DONE);
    assert_int_equal(pair.asked.count, 2);
    struct store_request exact = read_prefix("k");
    exact.is_prefix = false;
    assert_int_equal(asks(&pair, pair.one, exact), STORE_DONE);
    assert_int_equal(pair.asked.count, 0);
    end(&pair);
}

static void a_lease_ends_in_time_unless_it_is_kept(void **state)
{
    struct pair pair;
    (void)state;
    begin(&pair);
    assert_int_equal(
        asks(&pair, pair.one, (struct store_request){.action = STORE_GRANT, .ttl_s = 10}),
        STORE_DONE);
    const int64_t lease = pair.asked.lease;
    const struct store_request keep = {.action = STORE_KEEP, .lease = lease};
    assert_int_equal(asks(&pair, pair.one, write_one("k", "1", lease)), STORE_DONE);
    follows(&pair, pair.two);
    memory_hub_advance(pair.hub, 9000);
    assert_int_equal(asks(&pair, pair.one, keep), STORE_DONE);
    memory_hub_advance(pair.hub, 9999);
    assert_string_equal(pair.news.news.data, "everything@2 k=1; ");
    memory_hub_advance(pair.hub, 1);
    assert_string_equal(pair.news.news.data, "everything@2 k=1; changes@3 k gone; ");
    assert_int_equal(asks(&pair, pair.one, keep), STORE_GONE);
    assert_int_equal(asks(&pair, pair.one, write_one("k", "1", lease)), STORE_GONE);
    end(&pair);
}

static void a_node_that_was_cut_off_is_told_all_in_order(void **state)
{
    struct pair pair;
    (void)state;
    begin(&pair);
    follows(&pair, pair.two);
    memory_store_cut(pair.two, true);
    assert_int_equal(asks(&pair, pair.one, write_one("k", "1", 0)), STORE_DONE);
    assert_int_equal(asks(&pair, pair.one, write_one("other", "1", 0)), STORE_DONE);
    assert_int_equal(asks(&pair, pair.one, write_one("k", "2", 0)), STORE_DONE);
    assert_int_equal(asks(&pair, pair.two, write_one("k", "3", 0)), STORE_FAILED);
    memory_store_cut(pair.two, false);
    memory_hub_advance(pair.hub, 0);
    assert_string_equal(pair.news.news.data, "everything@1; lost; changes@4 k=1 k=2; ");
    end(&pair);
}

static void after_a_compaction_everything_is_told(void **state)
{
    struct pair pair;
    (void)state;
    begin(&pair);
    follows(&pair, pair.two);
    memory_store_cut(pair.two, true);
    assert_int_equal(asks(&pair, pair.one, write_one("k", "1", 0)), STORE_DONE);
    assert_int_equal(asks(&pair, pair.one, write_one("k", "2", 0)), STORE_DONE);
    memory_hub_compact(pair.hub);
    memory_store_cut(pair.two, false);
    memory_hub_advance(pair.hub, 0);
    assert_string_equal(pair.news.news.data, "everything@1; lost; everything@3 k=2; ");
    assert_int_equal(asks(&pair, pair.one,
                          (struct store_request){.action = STORE_DELETE, .key = STORE_TEXT("k")}),
                     STORE_DONE);
    assert_non_null(strstr(pair.news.news.data, "everything@3 k=2; changes@4 k gone; "));
    end(&pair);
}

static void note_time(void *user)
{
    struct pair *pair = user;
    strbuf_printf(&pair->asked.news, "%d ", (int)(store_now_ns(pair->one) / 1000000));
    if (pair->asked.news.size < 8)
        assert_true(store_after(pair->one, 20, note_time, pair));
}

static void timers_run_in_the_order_of_the_clock(void **state)
{
    struct pair pair;
    (void)state;
    begin(&pair);
    assert_true(store_after(pair.one, 30, note_time, &pair));
    assert_true(store_after(pair.two, 10, note_time, &pair));
    memory_hub_advance(pair.hub, 100);
    assert_string_equal(pair.asked.news.data, "10 30 30 50 ");
    assert_int_equal(store_now_ns(pair.two), 100 * 1000000);
    end(&pair);
}

static void what_is_not_answered_when_the_store_ends_fails(void **state)
{
    struct pair pair;
    (void)state;
    begin(&pair);
    struct store_request request = write_one("k", "1", 0);
    request.done = asked_done;
    request.user = &pair.asked;
    assert_true(store_call(pair.one, &request));
    assert_true(store_call(pair.two, &request));
    store_free(pair.one);
    assert_int_equal(pair.asked.answers, 1);
    assert_int_equal(pair.asked.status, STORE_FAILED);
    memory_hub_advance(pair.hub, 0);
    assert_int_equal(pair.asked.status, STORE_DONE);
    pair.one = NULL;
    end(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_compare_that_fails_writes_nothing),
        cmocka_unit_test(a_lease_ends_in_time_unless_it_is_kept),
        cmocka_unit_test(a_node_that_was_cut_off_is_told_all_in_order),
        cmocka_unit_test(after_a_compaction_everything_is_told),
        cmocka_unit_test(timers_run_in_the_order_of_the_clock),
        cmocka_unit_test(what_is_not_answered_when_the_store_ends_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
