/* SPDX-License-Identifier: Apache-2.0
 *
 * What one node asks of another: who is asked, how often, and what becomes of the keys, by somebody else who puts them; asking
 * and waiting, over a store with a thread of its own; and KILLs as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <unistd.h>

#include "hub.h"

#define PREFIX "/weir/test/requests/"
#define NUMBER 1025

struct node {
    struct store *store;
    struct membership *membership;
    struct node_requests *requests;
    struct strbuf asked; /* texts, each with a ';' */
    bool answers;
};

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
    hub_begin();
    node = (struct node){.store = memory_store_new(hub), .asked = STRBUF_INIT};
    const struct membership_options membership = {.prefix = "/weir/test/nodes/",
                                                  .used_prefix = "/weir/test/numbers/",
                                                  .first = NUMBER,
                                                  .last = NUMBER,
                                                  .lease_s = 10};
    node.membership = membership_new(node.store, &membership);
    const struct node_requests_options requests = {
        .prefix = PREFIX, .membership = node.membership, .asked = on_asked, .user = &node};
    node.requests = node_requests_new(node.store, &requests);
    assert_non_null(node.requests);
    memory_hub_advance(hub, 0);
    node_requests_join(node.requests, membership_number(node.membership));
    memory_hub_advance(hub, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    store_free(node.store);
    node_requests_free(node.requests);
    membership_free(node.membership);
    hub_end();
    strbuf_release(&node.asked);
    return 0;
}

static void put(const char *key, const char *value)
{
    hub_put(key, value);
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
    put(PREFIX "1025/1026-a", "?one");
    put(PREFIX "1026/1027-a", "?another node's");
    put(PREFIX "1025/1026-b", "two");
    put(PREFIX "1025/1026-c", "");
    put(PREFIX "1025", "?three");
    put(PREFIX "1025/0-a", "?three");
    put(PREFIX "1025/99999-a", "?three");
    put(PREFIX "1025/1026-", "?three");
    put(PREFIX "1025/a", "?four");
    assert_string_equal(node.asked.data, "one;");
    memory_store_cut(node.store, true);
    memory_hub_advance(hub, 0);
    memory_hub_compact(hub);
    memory_store_cut(node.store, false);
    memory_hub_advance(hub, 0); /* everything is read anew */
    assert_string_equal(node.asked.data, "one;");
}

static void an_answer_goes_to_who_has_asked(void **state)
{
    struct strbuf value = STRBUF_INIT;
    const struct store_request read = {.action = STORE_READ,
                                       .key = STORE_TEXT(PREFIX "1026/1025-a"),
                                       .done = keep_value,
                                       .user = &value};
    (void)state;
    node.answers = true;
    put(PREFIX "1025/1026-a", "?one");
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
    put(PREFIX "1025/1026-a", "?one");
    assert_int_equal(node.asked.size, 0);
    struct strbuf answer = STRBUF_INIT;
    struct error error = {""};
    assert_int_equal(node_requests_ask(node.requests, 1026, STORE_TEXT("x"), 1000, &answer, &error),
                     -1);
    assert_string_equal(error.message, "the cluster is not reached");
    strbuf_release(&answer);
}

static void a_request_that_was_taken_back_is_not_answered(void **state)
{
    struct strbuf value = STRBUF_INIT;
    const struct store_request read = {.action = STORE_READ,
                                       .key = STORE_TEXT(PREFIX "1026/1025-a"),
                                       .done = keep_value,
                                       .user = &value};
    const struct node_request request = {.key = PREFIX "1025/1026-a", .revision = 7};
    (void)state;
    node_requests_answer(node.requests, &request, STORE_TEXT("late"));
    memory_hub_advance(hub, 0);
    assert_true(store_call(other, &read));
    memory_hub_advance(hub, 0);
    assert_int_equal(value.size, 0);
    strbuf_release(&value);
}

/* ---- Asking, with a thread ---- */

#define NODES 3

struct asking {
    char folder[64];
    struct store *store;
    struct peer {
        struct membership *membership;
        struct node_requests *requests;
        bool is_silent;
        size_t answer_bytes;
    } peers[NODES];
};

static void peer_asked(void *user, const struct node_request *request)
{
    const struct peer *peer = user;
    struct strbuf answer = STRBUF_INIT;
    strbuf_printf(&answer, "%.*s from %u", (int)request->text.size, request->text.data,
                  membership_number(peer->membership));
    while (answer.size < peer->answer_bytes)
        strbuf_add_byte(&answer, '.');
    if (!peer->is_silent)
        node_requests_answer(peer->requests, request,
                             (struct store_bytes){answer.data, answer.size});
    strbuf_release(&answer);
}

static int begin_asking(void **state)
{
    static struct asking asking;
    struct error error = {""};
    asking = (struct asking){.folder = "/tmp/test_node_requests.XXXXXX"};
    assert_non_null(mkdtemp(asking.folder));
    asking.store = file_store_new(asking.folder, &error);
    assert_non_null(asking.store);
    for (unsigned i = 0; i < NODES; i++) {
        struct peer *peer = &asking.peers[i];
        const struct membership_options membership = {.prefix = "/weir/test/nodes/",
                                                      .used_prefix = "/weir/test/numbers/",
                                                      .first = NUMBER + i,
                                                      .last = NUMBER + i,
                                                      .lease_s = 60};
        peer->membership = membership_new(asking.store, &membership);
        const struct node_requests_options requests = {
            .prefix = PREFIX, .membership = peer->membership, .asked = peer_asked, .user = peer};
        peer->requests = node_requests_new(asking.store, &requests);
        assert_non_null(peer->requests);
        while (!membership_number(peer->membership))
            usleep(1000);
        node_requests_join(peer->requests, NUMBER + i);
    }
    *state = &asking;
    return 0;
}

static int end_asking(void **state)
{
    struct asking *asking = *state;
    char command[128];
    store_free(asking->store);
    for (unsigned i = 0; i < NODES; i++) {
        node_requests_free(asking->peers[i].requests);
        membership_free(asking->peers[i].membership);
    }
    snprintf(command, sizeof command, "rm -r %s", asking->folder);
    assert_int_equal(system(command), 0);
    return 0;
}

static void a_node_that_is_asked_answers(void **state)
{
    struct asking *asking = *state;
    struct strbuf answer = STRBUF_INIT;
    struct error error = {""};
    asking->peers[1].answer_bytes = NODE_ANSWER_BYTES;
    assert_int_equal(node_requests_ask(asking->peers[0].requests, NUMBER + 1, STORE_TEXT("hello"),
                                       60000, &answer, &error),
                     0);
    assert_int_equal(answer.size, NODE_ANSWER_BYTES);
    assert_memory_equal(answer.data, "hello from 1026", 15);
    strbuf_release(&answer);
}

static void all_nodes_are_asked_at_once_and_who_is_silent_is_known(void **state)
{
    struct asking *asking = *state;
    struct strbuf answers[2] = {STRBUF_INIT, STRBUF_INIT};
    struct node_question questions[2] = {{.to = NUMBER + 1, .answer = &answers[0]},
                                         {.to = NUMBER + 2, .answer = &answers[1]}};
    struct error error = {""};
    assert_int_equal(node_requests_ask_all(asking->peers[0].requests, questions, 2, STORE_TEXT("a"),
                                           60000, &error),
                     0);
    assert_string_equal(answers[0].data, "a from 1026");
    assert_string_equal(answers[1].data, "a from 1027");
    strbuf_reset(&answers[0]);
    questions[0].is_answered = questions[1].is_answered = false;
    asking->peers[2].is_silent = true;
    assert_int_equal(node_requests_ask_all(asking->peers[0].requests, questions, 2, STORE_TEXT("b"),
                                           500, &error),
                     -1);
    assert_true(questions[0].is_answered && !questions[1].is_answered);
    assert_string_equal(answers[0].data, "b from 1026");
    assert_string_equal(error.message, "1 of 2 nodes have not answered within 500 ms");
    assert_int_equal(node_requests_ask(asking->peers[0].requests, NUMBER + 2, STORE_TEXT("c"), 100,
                                       &answers[1], &error),
                     -1);
    assert_string_equal(error.message,
                        "node 1027 has not answered within 100 ms; it may do so yet");
    strbuf_release(&answers[0]);
    strbuf_release(&answers[1]);
}

static void who_waits_does_so_no_longer_at_the_end(void **state)
{
    struct asking *asking = *state;
    struct strbuf answer = STRBUF_INIT;
    struct error error = {""};
    node_requests_stop(asking->peers[0].requests);
    assert_int_equal(node_requests_ask(asking->peers[0].requests, NUMBER + 1, STORE_TEXT("hello"),
                                       600000, &answer, &error),
                     -1);
    strbuf_release(&answer);
}

/* ---- KILL ---- */

static void a_kill_is_read_as_it_was_written(void **state)
{
    const struct node_kill kill = {
        .id = 2147483647, .lease = INT64_MAX, .is_query = true, .user = "app"};
    const struct node_kill_answer said = {.outcome = NODE_KILL_DENIED, .message = "why"};
    struct node_kill read;
    struct node_kill_answer answer;
    struct strbuf text = STRBUF_INIT;
    (void)state;
    node_kill_write(&text, &kill);
    assert_true(node_kill_read(&read, (struct store_bytes){text.data, text.size}));
    assert_true(read.id == kill.id && read.lease == kill.lease && read.is_query && !read.is_soft &&
                !read.is_granted);
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
        "{\"ask\":\"kill\",\"id\":7,\"lease\":1,\"query\":true,\"soft\":false,\"granted\":false}",
        "{\"ask\":\"kill\",\"id\":7,\"lease\":1,\"query\":true,\"soft\":false,\"granted\":1,"
        "\"user\":\"a\"}",
        "{\"ask\":\"kill\",\"id\":0,\"lease\":1,\"query\":true,\"soft\":false,\"granted\":true,"
        "\"user\":\"a\"}",
        "{\"ask\":\"kill\",\"id\":4294967296,\"lease\":1,\"query\":true,\"soft\":false,\"granted\":"
        "true,"
        "\"user\":"
        "\"a\"}",
        "{\"ask\":\"list\",\"id\":7,\"lease\":1,\"query\":true,\"soft\":false,\"granted\":true,"
        "\"user\":\"a\"}",
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
        cmocka_unit_test_setup_teardown(an_answer_goes_to_who_has_asked, setup, teardown),
        cmocka_unit_test_setup_teardown(a_node_without_a_number_is_asked_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_request_that_was_taken_back_is_not_answered, setup,
                                        teardown),
#define ASKING(name) cmocka_unit_test_setup_teardown(name, begin_asking, end_asking)
        ASKING(a_node_that_is_asked_answers),
        ASKING(all_nodes_are_asked_at_once_and_who_is_silent_is_known),
        ASKING(who_waits_does_so_no_longer_at_the_end),
        cmocka_unit_test(a_kill_is_read_as_it_was_written),
        cmocka_unit_test(half_a_kill_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
