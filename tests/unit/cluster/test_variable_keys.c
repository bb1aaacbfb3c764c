/* SPDX-License-Identifier: Apache-2.0
 *
 * Values of variables in a store: every node ends with what was put last, whoever was away meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "hub.h"

#define PREFIX "/weir/test/variables/"
#define KEY    PREFIX "audit_format"

struct node {
    struct store *store;
    struct variable_keys *keys;
    struct strbuf orders; /* since they were looked at */
};

static struct node one, two;

static void on_order(void *user, const struct variable_order *order)
{
    struct node *node = user;
    assert_true(order->revision > 0);
    strbuf_printf(&node->orders, "%s=%s ", order->name, order->text ? order->text : "(DEFAULT)");
}

static void on_begun(void *user)
{
    strbuf_add_text(&((struct node *)user)->orders, "begun ");
}

static void begin(struct node *node)
{
    const struct variable_keys_options options = {
        .prefix = PREFIX, .order = on_order, .begun = on_begun, .user = node};
    *node = (struct node){.orders = STRBUF_INIT};
    node->store = memory_store_new(hub);
    assert_non_null(node->store);
    node->keys = variable_keys_new(node->store, &options);
    assert_non_null(node->keys);
}

static void end(struct node *node)
{
    store_free(node->store);
    variable_keys_free(node->keys);
    strbuf_release(&node->orders);
}

static void expect(struct node *node, const char *orders)
{
    expect_text(&node->orders, orders);
}

static int setup(void **state)
{
    (void)state;
    hub_begin();
    begin(&one);
    begin(&two);
    memory_hub_advance(hub, 0);
    expect(&one, "begun ");
    expect(&two, "begun ");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    end(&one);
    end(&two);
    hub_end();
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

static void expect_kept(const char *expected)
{
    struct strbuf value = STRBUF_INIT;
    const struct store_request read = {
        .action = STORE_READ, .key = STORE_TEXT(KEY), .done = keep_value, .user = &value};
    assert_true(store_call(other, &read));
    memory_hub_advance(hub, 0);
    assert_string_equal(value.data ? value.data : "", expected);
    strbuf_release(&value);
}

static void what_is_set_on_one_is_ordered_on_all(void **state)
{
    (void)state;
    assert_true(variable_keys_set(one.keys, "audit_format", "json"));
    memory_hub_advance(hub, 0);
    expect_kept("=json");
    expect(&one, "audit_format=json ");
    expect(&two, "audit_format=json ");
    assert_true(variable_keys_set(two.keys, "audit_format", NULL));
    memory_hub_advance(hub, 0);
    expect_kept("DEFAULT");
    expect(&one, "audit_format=(DEFAULT) ");
    expect(&two, "audit_format=(DEFAULT) ");
    assert_true(variable_keys_set(two.keys, "audit_format", ""));
    memory_hub_advance(hub, 0);
    expect(&one, "audit_format= ");
}

static void what_there_was_is_ordered_before_a_node_has_begun(void **state)
{
    struct node three;
    (void)state;
    put(KEY, "=json");
    put(PREFIX "audit_file", "DEFAULT");
    begin(&three);
    memory_hub_advance(hub, 0);
    assert_non_null(strstr(three.orders.data, "audit_format=json "));
    assert_non_null(strstr(three.orders.data, "audit_file=(DEFAULT) "));
    assert_string_equal(three.orders.data + three.orders.size - 6, "begun ");
    end(&three);
}

static void nodes_that_set_at_the_same_time_end_with_the_last_revision(void **state)
{
    (void)state;
    assert_true(variable_keys_set(one.keys, "audit_format", "json"));
    assert_true(variable_keys_set(two.keys, "audit_format", "csv"));
    memory_hub_advance(hub, 0);
    expect_kept("=csv");
    assert_string_equal(strrchr(one.orders.data, '='), "=csv ");
    assert_string_equal(strrchr(two.orders.data, '='), "=csv ");
}

static void what_was_set_while_away_is_put_later(void **state)
{
    (void)state;
    memory_store_cut(one.store, true);
    memory_hub_advance(hub, 0);
    assert_true(variable_keys_set(one.keys, "audit_format", "json"));
    memory_hub_advance(hub, 5000);
    expect(&two, "");
    memory_store_cut(one.store, false);
    memory_hub_advance(hub, 5000);
    expect_kept("=json");
    expect(&one, "audit_format=json ");
    expect(&two, "audit_format=json ");
}

static void what_was_set_while_away_gives_way_to_what_others_have_set_meanwhile(void **state)
{
    (void)state;
    memory_store_cut(one.store, true);
    memory_hub_advance(hub, 0);
    assert_true(variable_keys_set(one.keys, "audit_format", "json"));
    memory_hub_advance(hub, 0);
    assert_true(variable_keys_set(two.keys, "audit_format", "csv"));
    memory_hub_advance(hub, 5000);
    memory_store_cut(one.store, false);
    memory_hub_advance(hub, 5000);
    expect_kept("=csv");
    expect(&one, "audit_format=csv ");
    expect(&two, "audit_format=csv ");
}

static void a_node_that_was_away_reads_everything_anew(void **state)
{
    (void)state;
    put(KEY, "=json");
    put(PREFIX "audit_file", "=a");
    strbuf_reset(&one.orders);
    memory_store_cut(one.store, true);
    memory_hub_advance(hub, 0);
    put(KEY, "=csv");
    const struct store_request gone = {.action = STORE_DELETE,
                                       .key = STORE_TEXT(PREFIX "audit_file")};
    assert_true(store_call(other, &gone));
    memory_hub_advance(hub, 0);
    memory_hub_compact(hub);
    memory_store_cut(one.store, false);
    memory_hub_advance(hub, 5000);
    assert_non_null(strstr(one.orders.data, "audit_format=csv "));
    assert_non_null(strstr(one.orders.data, "audit_file=(DEFAULT) "));
}

static void what_is_no_value_is_left_alone(void **state)
{
    (void)state;
    put(KEY, "json");
    put(KEY, "");
    put(PREFIX, "=x");
    put(PREFIX "Audit", "=x");
    put(PREFIX "a/b", "=x");
    put(PREFIX "a23456789012345678901234567890123456789012345678901234567890123456", "=x");
    expect(&one, "");
    assert_false(variable_keys_set(one.keys, "a/b", "x"));
    assert_false(variable_keys_set(one.keys, "", "x"));
}

static void a_node_that_has_stopped_is_ordered_nothing(void **state)
{
    (void)state;
    variable_keys_stop(one.keys);
    put(KEY, "=json");
    expect(&one, "");
    expect(&two, "audit_format=json ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        CASE(what_is_set_on_one_is_ordered_on_all),
        CASE(what_there_was_is_ordered_before_a_node_has_begun),
        CASE(nodes_that_set_at_the_same_time_end_with_the_last_revision),
        CASE(what_was_set_while_away_is_put_later),
        CASE(what_was_set_while_away_gives_way_to_what_others_have_set_meanwhile),
        CASE(a_node_that_was_away_reads_everything_anew),
        CASE(what_is_no_value_is_left_alone),
        CASE(a_node_that_has_stopped_is_ordered_nothing),
#undef CASE
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
