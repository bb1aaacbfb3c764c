/* SPDX-License-Identifier: Apache-2.0
 *
 * A node's number: no two nodes have the same at any time, whatever happens to their store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cluster/cluster.h"

#define LEASE_S  10
#define LEASE_MS (LEASE_S * UINT64_C(1000))
#define PREFIX   "/weir/test/nodes/"
#define USED     "/weir/test/numbers/"
#define NODES    200

struct node {
    struct store *store;
    struct membership *membership;
    unsigned joined; /* what joined() has said last */
    int joins, failures;
};

static struct memory_hub *hub;

static void on_joined(void *user, unsigned number, const char *why)
{
    struct node *node = user;
    node->joined = number;
    node->joins += number != 0;
    node->failures += *why != 0;
}

static void begin(struct node *node, unsigned first, unsigned last)
{
    const struct membership_options options = {.prefix = PREFIX,
                                               .used_prefix = USED,
                                               .first = first,
                                               .last = last,
                                               .lease_s = LEASE_S,
                                               .joined = on_joined,
                                               .user = node};
    node->store = memory_store_new(hub);
    assert_non_null(node->store);
    node->membership = membership_new(node->store, &options);
    assert_non_null(node->membership);
}

/* As if the process were killed: nothing is given back. */
static void end(struct node *node)
{
    store_free(node->store);
    membership_free(node->membership);
    *node = (struct node){0};
}

static unsigned number(const struct node *node)
{
    return membership_number(node->membership);
}

static int setup(void **state)
{
    (void)state;
    hub = memory_hub_new();
    return hub ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    memory_hub_free(hub);
    return 0;
}

/* ---- Cases ---- */

static void two_nodes_that_want_one_number_do_not_both_have_it(void **state)
{
    struct node one = {0}, two = {0};
    (void)state;
    begin(&one, 1025, 1025);
    begin(&two, 1025, 1025);
    assert_int_equal(number(&one), 0);
    memory_hub_advance(hub, 5 * LEASE_MS);
    assert_int_equal(number(&one), 1025); /* and keeps it */
    assert_int_equal(number(&two), 0);
    assert_int_equal(one.joins, 1);
    assert_int_equal(two.joins, 0);
    assert_int_equal(two.failures, 1); /* is said once */
    end(&one);
    memory_hub_advance(hub, LEASE_MS / 2);
    assert_int_equal(number(&two), 0); /* the dead node's lease lasts */
    memory_hub_advance(hub, LEASE_MS);
    assert_int_equal(number(&two), 1025);
    assert_int_equal(two.joined, 1025);
    end(&two);
}

static void a_node_that_leaves_gives_its_number_back_at_once(void **state)
{
    struct node one = {0}, two = {0};
    (void)state;
    begin(&one, 1025, 1025);
    memory_hub_advance(hub, 0);
    assert_int_equal(number(&one), 1025);
    membership_leave(one.membership, 0);
    assert_int_equal(number(&one), 0);
    memory_hub_advance(hub, 0);
    begin(&two, 1025, 1025);
    memory_hub_advance(hub, 0);
    assert_int_equal(number(&two), 1025);
    memory_hub_advance(hub, 2 * LEASE_MS);
    assert_int_equal(number(&one), 0); /* and does not come back */
    end(&one);
    end(&two);
}

/* Before its lease can have ended, and before another one has the number. */
static void a_node_that_may_have_lost_its_lease_has_no_number(void **state)
{
    struct node one = {0}, two = {0};
    (void)state;
    begin(&one, 1025, 1025);
    memory_hub_advance(hub, 0);
    begin(&two, 1025, 1025);
    memory_store_cut(one.store, true);
    for (uint64_t passed = 0; passed < 3 * LEASE_MS; passed += 100) {
        memory_hub_advance(hub, 100);
        assert_false(number(&one) && number(&two));
    }
    assert_int_equal(number(&one), 0);
    assert_int_equal(number(&two), 1025);
    memory_store_cut(one.store, false);
    memory_hub_advance(hub, 2 * LEASE_MS);
    assert_int_equal(number(&one), 0); /* there is no other */
    assert_int_equal(number(&two), 1025);
    end(&two);
    memory_hub_advance(hub, 2 * LEASE_MS);
    assert_int_equal(number(&one), 1025);
    end(&one);
}

static void a_node_that_was_away_longer_than_its_lease_takes_a_new_number(void **state)
{
    struct node one = {0};
    (void)state;
    begin(&one, 1025, 2047);
    memory_hub_advance(hub, 0);
    const unsigned before = number(&one);
    memory_store_cut(one.store, true);
    memory_hub_advance(hub, 3 * LEASE_MS);
    assert_int_equal(number(&one), 0);
    assert_true(before >= 1025 && before <= 2047);
    memory_store_cut(one.store, false);
    memory_hub_advance(hub, LEASE_MS);
    assert_int_equal(one.joins, 2);
    assert_int_equal(number(&one), one.joined);
    end(&one);
}

static void a_node_that_was_away_shorter_keeps_its_number(void **state)
{
    struct node one = {0};
    (void)state;
    begin(&one, 1025, 2047);
    memory_hub_advance(hub, 0);
    const unsigned before = number(&one);
    memory_store_cut(one.store, true);
    memory_hub_advance(hub, LEASE_MS / 2);
    memory_store_cut(one.store, false);
    memory_hub_advance(hub, 3 * LEASE_MS);
    assert_int_equal(number(&one), before);
    assert_int_equal(one.joins, 1);
    end(&one);
}

static void a_node_whose_store_is_away_at_start_joins_later(void **state)
{
    struct node one = {0};
    (void)state;
    begin(&one, 1025, 2047);
    memory_store_cut(one.store, true);
    memory_hub_advance(hub, 5 * LEASE_MS);
    assert_int_equal(number(&one), 0);
    assert_int_equal(one.failures, 1);
    memory_store_cut(one.store, false);
    memory_hub_advance(hub, 2000);
    assert_int_not_equal(number(&one), 0);
    assert_int_equal(one.joins, 1);
    end(&one);
}

static void write_key(struct store *store, unsigned of, bool deletes)
{
    char key[64];
    snprintf(key, sizeof key, PREFIX "%u", of);
    struct store_request request = {
        .action = deletes ? STORE_DELETE : STORE_WRITE, .key = STORE_TEXT(key), .write_count = 1};
    request.writes[0] =
        (struct store_write){.key = STORE_TEXT(key), .value = STORE_TEXT("somebody's")};
    assert_true(store_call(store, &request));
}

static void a_number_that_somebody_takes_away_is_given_up(void **state)
{
    struct node one = {0};
    (void)state;
    struct store *other = memory_store_new(hub);
    begin(&one, 1025, 2047);
    memory_hub_advance(hub, 0);
    const unsigned first = number(&one);
    write_key(other, first, false);
    memory_hub_advance(hub, 2000);
    assert_int_not_equal(number(&one), first);
    assert_int_equal(one.joins, 2);
    write_key(other, number(&one), true);
    memory_hub_advance(hub, 2000);
    assert_int_equal(one.joins, 3);
    assert_int_not_equal(number(&one), 0);
    end(&one);
    store_free(other);
}

/* ---- Records ---- */

struct listed {
    struct strbuf text;
};

static void list_one(void *user, const struct member *member)
{
    struct listed *listed = user;
    strbuf_printf(&listed->text, "%u%s=%.*s ", member->number, member->is_here ? "*" : "",
                  (int)member->record.size, member->record.data);
}

static void assert_listed(const struct node *node, bool is_reached, const char *expected)
{
    struct listed listed = {STRBUF_INIT};
    assert_int_equal(membership_each(node->membership, list_one, &listed), is_reached);
    assert_string_equal(listed.text.data, expected);
    strbuf_release(&listed.text);
}

static void publish(const struct node *node, const char *record)
{
    membership_publish(node->membership, record, strlen(record));
}

static void nodes_know_what_the_others_say(void **state)
{
    struct node one = {0}, two = {0};
    (void)state;
    begin(&one, 1025, 1025);
    publish(&one, "a");
    memory_hub_advance(hub, 0);
    begin(&two, 1026, 1026);
    memory_hub_advance(hub, 0);
    assert_listed(&one, true, "1025*=a 1026= ");
    publish(&two, "b");
    publish(&one, "c");
    publish(&one, "d");
    memory_hub_advance(hub, 0);
    assert_listed(&two, true, "1025=d 1026*=b ");
    assert_true(membership_lease_of(two.membership, 1025) != 0);
    assert_true(membership_lease_of(two.membership, 1026) == 0); /* it is no other */
    memory_store_cut(two.store, true);
    publish(&two, "e");
    memory_hub_advance(hub, 5000);
    assert_listed(&two, false, "1025=d 1026*=b ");
    memory_store_cut(two.store, false);
    memory_hub_advance(hub, LEASE_MS);
    assert_listed(&one, true, "1025*=d 1026=e ");
    end(&two);
    memory_hub_advance(hub, 2 * LEASE_MS);
    assert_listed(&one, true, "1025*=d ");
    end(&one);
}

/* It may be cut off, and have sessions with ids of that number. */
static void the_number_of_a_node_that_has_not_given_it_back_is_taken_last(void **state)
{
    struct node one = {0}, two = {0}, three = {0};
    (void)state;
    begin(&one, 1025, 1026);
    memory_hub_advance(hub, 0);
    const unsigned first = number(&one);
    memory_store_cut(one.store, true);
    memory_hub_advance(hub, 3 * LEASE_MS);
    assert_int_equal(number(&one), 0);
    begin(&two, 1025, 1026);
    memory_hub_advance(hub, 0);
    assert_int_equal(number(&two), first == 1025 ? 1026 : 1025);
    assert_false(membership_is_reused(two.membership));
    begin(&three, 1025, 1026);
    memory_hub_advance(hub, 2 * LEASE_MS);
    assert_int_equal(number(&three), first); /* there is no other */
    assert_true(membership_is_reused(three.membership));
    membership_leave(three.membership, 0);
    membership_leave(two.membership, 0);
    memory_hub_advance(hub, 0);
    end(&two);
    end(&three);
    begin(&two, first, first); /* still: three was no proof that one is over */
    memory_hub_advance(hub, 2 * LEASE_MS);
    assert_true(membership_is_reused(two.membership));
    end(&one);
    end(&two);
}

static void a_number_that_was_given_back_is_as_new(void **state)
{
    struct node one = {0}, two = {0};
    (void)state;
    begin(&one, 1025, 1025);
    memory_hub_advance(hub, 0);
    assert_false(membership_is_reused(one.membership));
    membership_leave(one.membership, 0);
    memory_hub_advance(hub, 0);
    begin(&two, 1025, 1025);
    memory_hub_advance(hub, 0);
    assert_int_equal(number(&two), 1025);
    assert_false(membership_is_reused(two.membership));
    end(&one);
    end(&two);
}

/* All at once, as after a failure of everything. */
static void many_nodes_have_numbers_of_their_own(void **state)
{
    static struct node nodes[NODES];
    static bool taken[2048];
    (void)state;
    for (size_t i = 0; i < NODES; i++)
        begin(&nodes[i], 1025, 2047);
    memory_hub_advance(hub, 2000);
    for (size_t i = 0; i < NODES; i++) {
        assert_in_range(number(&nodes[i]), 1025, 2047);
        assert_false(taken[number(&nodes[i])]);
        taken[number(&nodes[i])] = true;
    }
    for (size_t i = 0; i < NODES; i++)
        end(&nodes[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        CASE(two_nodes_that_want_one_number_do_not_both_have_it),
        CASE(a_node_that_leaves_gives_its_number_back_at_once),
        CASE(a_node_that_may_have_lost_its_lease_has_no_number),
        CASE(a_node_that_was_away_longer_than_its_lease_takes_a_new_number),
        CASE(a_node_that_was_away_shorter_keeps_its_number),
        CASE(a_node_whose_store_is_away_at_start_joins_later),
        CASE(a_number_that_somebody_takes_away_is_given_up),
        CASE(nodes_know_what_the_others_say),
        CASE(the_number_of_a_node_that_has_not_given_it_back_is_taken_last),
        CASE(a_number_that_was_given_back_is_as_new),
        CASE(many_nodes_have_numbers_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
