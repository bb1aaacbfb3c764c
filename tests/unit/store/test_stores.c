/* SPDX-License-Identifier: Apache-2.0
 *
 * What every store does, asked of the one in memory and of the one in a file: compares, prefixes, leases, news. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <unistd.h>

#include "asking.h"

struct subject {
    struct memory_hub *hub; /* NULL: the store is in a file */
    char folder[64];
    struct store *store;
    struct asked asked, news;
};

static int begin_memory(void **state)
{
    static struct subject subject;
    subject = (struct subject){.asked = ASKED_INIT, .news = ASKED_INIT};
    subject.hub = memory_hub_new();
    assert_non_null(subject.hub);
    subject.store = memory_store_new(subject.hub);
    assert_non_null(subject.store);
    *state = &subject;
    return 0;
}

static int begin_file(void **state)
{
    static struct subject subject;
    struct error error = {""};
    subject = (struct subject){
        .folder = "/tmp/test_stores.XXXXXX", .asked = ASKED_INIT, .news = ASKED_INIT};
    assert_non_null(mkdtemp(subject.folder));
    subject.store = file_store_new(subject.folder, &error);
    assert_non_null(subject.store);
    *state = &subject;
    return 0;
}

static int end(void **state)
{
    struct subject *subject = *state;
    store_free(subject->store);
    memory_hub_free(subject->hub);
    asked_release(&subject->asked);
    asked_release(&subject->news);
    if (!subject->hub) {
        char path[80];
        snprintf(path, sizeof path, "%s/data", subject->folder);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(rmdir(subject->folder), 0); /* nothing else is left there */
    }
    return 0;
}

static enum store_status asks(struct subject *subject, struct store_request request)
{
    const int before = subject->asked.answers;
    if (!subject->hub)
        return ask(subject->store, &subject->asked, request);
    request.done = asked_done;
    request.user = &subject->asked;
    assert_true(store_call(subject->store, &request));
    memory_hub_advance(subject->hub, 0);
    assert_int_equal(subject->asked.answers, before + 1);
    return subject->asked.status;
}

static void wait_news(struct subject *subject, const char *text)
{
    if (subject->hub) {
        memory_hub_advance(subject->hub, 10000);
        assert_non_null(strstr(subject->news.news.data, text));
    } else {
        asked_wait_news(&subject->news, text);
    }
}

static struct store_request put(const char *key, const char *value, int64_t lease)
{
    return (struct store_request){
        .action = STORE_WRITE,
        .writes = {{.key = STORE_TEXT(key), .value = STORE_TEXT(value), .lease = lease}},
        .write_count = 1};
}

static struct store_request on_prefix(enum store_action action, const char *key)
{
    return (struct store_request){.action = action, .key = STORE_TEXT(key), .is_prefix = true};
}

static void a_compare_that_fails_writes_nothing(void **state)
{
    struct subject *subject = *state;
    struct store_request request = put("k/2", "a", 0);
    request.compares[0].key = STORE_TEXT("k/2"); /* there is none */
    request.compare_count = 1;
    assert_int_equal(asks(subject, request), STORE_DONE);
    const int64_t revision = subject->asked.revision;
    assert_int_equal(asks(subject, request), STORE_DIFFERS);
    assert_int_equal(subject->asked.revision, revision);
    request.compares[0].revision = revision;
    assert_int_equal(asks(subject, request), STORE_DONE);
    assert_int_equal(subject->asked.revision, revision + 1);
}

static void prefixes_are_read_and_deleted(void **state)
{
    struct subject *subject = *state;
    static const char *const keys[] = {"b/2", "b/1", "a", "b", "b/10", "c"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_int_equal(asks(subject, put(keys[i], "v", 0)), STORE_DONE);
    assert_int_equal(asks(subject, on_prefix(STORE_READ, "b/")), STORE_DONE);
    assert_int_equal(subject->asked.count, 3);
    struct store_request exact = on_prefix(STORE_READ, "b/");
    exact.is_prefix = false;
    assert_int_equal(asks(subject, exact), STORE_DONE);
    assert_int_equal(subject->asked.count, 0);
    exact.action = STORE_DELETE;
    const int64_t revision = subject->asked.revision;
    assert_int_equal(asks(subject, exact), STORE_DONE);
    assert_int_equal(subject->asked.revision, revision); /* nothing has changed */
    assert_int_equal(asks(subject, on_prefix(STORE_DELETE, "b")), STORE_DONE);
    assert_int_equal(subject->asked.revision, revision + 1);
    assert_int_equal(asks(subject, on_prefix(STORE_READ, "a")), STORE_DONE);
    assert_int_equal(subject->asked.count, 1);
    assert_int_equal(asks(subject, on_prefix(STORE_READ, "b")), STORE_DONE);
    assert_int_equal(subject->asked.count, 0);
}

static void a_lease_takes_its_keys_along(void **state)
{
    struct subject *subject = *state;
    struct store_request grant = {.action = STORE_GRANT, .ttl_s = 1};
    assert_true(store_follow(subject->store, STORE_TEXT("k"), asked_news, &subject->news));
    assert_int_equal(asks(subject, grant), STORE_DONE);
    const int64_t lease = subject->asked.lease;
    assert_int_equal(subject->asked.ttl_s, 1);
    assert_int_equal(asks(subject, put("k1", "of it", lease)), STORE_DONE);
    assert_int_equal(asks(subject, put("k2", "of none", 0)), STORE_DONE);
    wait_news(subject, "k1 gone");
    struct store_request keep = {.action = STORE_KEEP, .lease = lease};
    assert_int_equal(asks(subject, keep), STORE_GONE);
    assert_int_equal(asks(subject, put("k1", "x", lease)), STORE_GONE);
    assert_int_equal(asks(subject, on_prefix(STORE_READ, "k")), STORE_DONE);
    assert_int_equal(subject->asked.count, 1);
    grant.ttl_s = 1000;
    assert_int_equal(asks(subject, grant), STORE_DONE);
    assert_true(subject->asked.lease != lease);
    keep.lease = subject->asked.lease;
    assert_int_equal(asks(subject, put("k3", "of it", keep.lease)), STORE_DONE);
    assert_int_equal(asks(subject, put("k3", "of none", 0)), STORE_DONE); /* no longer its */
    assert_int_equal(asks(subject, put("k4", "of it", keep.lease)), STORE_DONE);
    assert_int_equal(asks(subject, keep), STORE_DONE);
    keep.action = STORE_REVOKE;
    assert_int_equal(asks(subject, keep), STORE_DONE);
    wait_news(subject, "k4 gone");
    assert_null(strstr(subject->news.news.data, "k3 gone"));
}

static void news_are_everything_and_then_changes(void **state)
{
    struct subject *subject = *state;
    assert_int_equal(asks(subject, put("k1", "a", 0)), STORE_DONE);
    assert_int_equal(asks(subject, put("other", "a", 0)), STORE_DONE);
    assert_true(store_follow(subject->store, STORE_TEXT("k"), asked_news, &subject->news));
    wait_news(subject, "everything@3 k1=a; ");
    assert_int_equal(asks(subject, put("other", "b", 0)), STORE_DONE);
    assert_int_equal(asks(subject, put("k2", "b", 0)), STORE_DONE);
    assert_int_equal(asks(subject, on_prefix(STORE_DELETE, "k")), STORE_DONE);
    wait_news(subject, "k1 gone k2 gone; ");
}

static void many_keys_are_kept_in_order(void **state)
{
    struct subject *subject = *state;
    char key[32];
    for (int i = 0; i < 2000; i++) {
        snprintf(key, sizeof key, "key %d", i * 7919 % 2000);
        struct store_request request = put(key, "v", 0);
        assert_true(store_call(subject->store, &request));
    }
    assert_int_equal(asks(subject, on_prefix(STORE_READ, "key 1")), STORE_DONE);
    assert_int_equal(subject->asked.count, 1111);
    assert_int_equal(asks(subject, on_prefix(STORE_DELETE, "key 19")), STORE_DONE);
    assert_int_equal(asks(subject, on_prefix(STORE_READ, "key ")), STORE_DONE);
    assert_int_equal(subject->asked.count, 2000 - 111);
}

int main(void)
{
    log_set_level(LOG_LEVEL_ERROR);
#define BOTH(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, begin_memory, end),                                      \
        cmocka_unit_test_setup_teardown(name, begin_file, end)
    const struct CMUnitTest tests[] = {
        BOTH(a_compare_that_fails_writes_nothing), BOTH(prefixes_are_read_and_deleted),
        BOTH(a_lease_takes_its_keys_along),        BOTH(news_are_everything_and_then_changes),
        BOTH(many_keys_are_kept_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
