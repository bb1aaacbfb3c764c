/* SPDX-License-Identifier: Apache-2.0
 *
 * What one node asks of another: who is asked, how often, and what becomes of the key; and KILLs as text. Asking waits, so
 * that a real etcd plays it (tests/integration/test_cluster.py); here somebody else puts the keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cluster/cluster.h"

#define PREFIX "/weir/test/requests/"
#define NUMBER 1025

struct node {
    struct store *store;
    struct membership *membership;
    struct node_requests *requests;
    struct strbuf asked; /* texts, each with a ';' */
    bool answers;
};

static struct memory_hub *hub;
static struct store *other;
static struct node node;

static void on_asked(void *user, const struct node_request *request)
{
    struct node *its = user;
    strbuf_printf(&its->asked, "%.*s;", (int)request->text.size, request->text.data);
    if (its->answers)
        node_requests_answer(its->requests, request, STORE_TEXT("yes"));
}

static int setup(void **state)
{
    (void)state;
    hub = memory_hub_new();
    other = memory_store_new(hub);
    node = (struct node){.store = memory_store_new(hub), .asked = STRBUF_INIT};
    const struct membership_options membership = {
        .prefix = "/weir/test/nodes/", .first = NUMBER, .last = NUMBER, .lease_s = 10};
    node.membership = membership_new(node.store, &membership);
    const struct node_requests_options requests = {
        .prefix = PREFIX, .membership = node.membership, .asked = on_asked, .user = &node};
    node.requests = node_requests_new(node.store, &requests);
    assert_non_null(node.requests);
    memory_hub_advance(hub, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    store_free(node.store);
    store_free(other);
    node_requests_free(node.requests);
    membership_free(node.membership);
    memory_hub_free(hub);
    strbuf_release(&node.asked);
    return 0;
}

static void put(const char *key, const char *value)
{
    const struct store_request request = {
        .action = STORE_WRITE,
        .writes = {{.key = STORE_TEXT(key), .value = STORE_TEXT(value)}},
        .write_count = 1};
    assert_true(store_call(other, &request));
    memory_hub_advance(hub, 0);
}

static void keep_value(void *user, const struct store_answer *answer)
{
    struct strbuf *value = user;
    strbuf_reset(value);
    if (answer->count)
        strbuf_add(value, answer->entries[0].value.data, answer->entries[0].value.size);
}

static void a_request_is_carried_out_once(void **state)
{
    (void)state;
    put(PREFIX "1025/a", "?one");
    put(PREFIX "1026/a", "?another node's");
    put(PREFIX "1025/b", "two");
    put(PREFIX "1025/c", "");
    put(PREFIX "1025", "?three");
    put(PREFIX "x/a", "?four");
    assert_string_equal(node.asked.data, "one;");
    memory_store_cut(node.store, true);
    memory_hub_advance(hub, 0);
    memory_hub_compact(hub);
    memory_store_cut(node.store, false);
    memory_hub_advance(hub, 0); /* everything is read anew */
    assert_string_equal(node.asked.data, "one;");
}

static void an_answer_takes_the_requests_place(void **state)
{
    struct strbuf value = STRBUF_INIT;
    const struct store_request read = {.action = STORE_READ,
                                       .key = STORE_TEXT(PREFIX "1025/a"),
                                       .done = keep_value,
                                       .user = &value};
    (void)state;
    node.answers = true;
    put(PREFIX "1025/a", "?one");
    assert_true(store_call(other, &read));
    memory_hub_advance(hub, 0);
    assert_string_equal(value.data, "!yes");
    assert_string_equal(node.asked.data, "one;");
    strbuf_release(&value);
}

static void a_node_without_a_number_is_asked_nothing(void **state)
{
    (void)state;
    membership_leave(node.membership, 0);
    memory_hub_advance(hub, 0);
    put(PREFIX "1025/a", "?one");
    assert_int_equal(node.asked.size, 0);
    struct strbuf answer = STRBUF_INIT;
    struct error error = {""};
    assert_int_equal(node_requests_ask(node.requests, 1026, STORE_TEXT("x"), 1000, &answer, &error),
                     -1);
    assert_string_equal(error.message, "the cluster is not reached");
    strbuf_release(&answer);
}

/* ---- KILL ---- */

static void a_kill_is_read_as_it_was_written(void **state)
{
    const struct node_kill kill = {.id = 2147483647, .is_query = true, .user = "app"};
    const struct node_kill_answer said = {.outcome = NODE_KILL_DENIED, .message = "why"};
    struct node_kill read;
    struct node_kill_answer answer;
    struct strbuf text = STRBUF_INIT;
    (void)state;
    node_kill_write(&text, &kill);
    assert_true(node_kill_read(&read, (struct store_bytes){text.data, text.size}));
    assert_true(read.id == kill.id && read.is_query && !read.is_soft && !read.is_granted);
    assert_string_equal(read.user, "app");
    strbuf_reset(&text);
    node_kill_answer_write(&text, &said);
    assert_true(node_kill_answer_read(&answer, (struct store_bytes){text.data, text.size}));
    assert_int_equal(answer.outcome, NODE_KILL_DENIED);
    assert_string_equal(answer.message, "why");
    strbuf_release(&text);
}

static void half_a_kill_is_none(void **state)
{
    static const char *const texts[] = {
        "",
        "[]",
        "{\"ask\":\"kill\",\"id\":7,\"query\":true,\"soft\":false,\"granted\":false}",
        "{\"ask\":\"kill\",\"id\":7,\"query\":true,\"soft\":false,\"granted\":1,\"user\":\"a\"}",
        "{\"ask\":\"kill\",\"id\":0,\"query\":true,\"soft\":false,\"granted\":true,\"user\":\"a\"}",
        "{\"ask\":\"kill\",\"id\":4294967296,\"query\":true,\"soft\":false,\"granted\":true,"
        "\"user\":"
        "\"a\"}",
        "{\"ask\":\"list\",\"id\":7,\"query\":true,\"soft\":false,\"granted\":true,\"user\":\"a\"}",
    };
    struct node_kill read;
    struct node_kill_answer answer;
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(node_kill_read(&read, STORE_TEXT(texts[i])));
    assert_false(
        node_kill_answer_read(&answer, STORE_TEXT("{\"outcome\":\"perhaps\",\"message\":\"\"}")));
    assert_false(node_kill_answer_read(&answer, STORE_TEXT("{\"outcome\":\"done\"}")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_request_is_carried_out_once, setup, teardown),
        cmocka_unit_test_setup_teardown(an_answer_takes_the_requests_place, setup, teardown),
        cmocka_unit_test_setup_teardown(a_node_without_a_number_is_asked_nothing, setup, teardown),
        cmocka_unit_test(a_kill_is_read_as_it_was_written),
        cmocka_unit_test(half_a_kill_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
