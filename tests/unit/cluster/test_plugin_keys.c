/* SPDX-License-Identifier: Apache-2.0
 *
 * Orders follow puts: none is lost, none is given twice without need, and all nodes end with what was put last. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "hub.h"

#define KEY "/tidb/plugins/audit"

struct node {
    struct store *store;
    struct plugin_keys *keys;
    struct strbuf orders; /* since they were looked at */
};

static struct node one, two;

static void on_order(void *user, const struct plugin_order *order)
{
    struct node *node = user;
    strbuf_printf(&node->orders, "%s%s%s%s ", order->name, order->disabled ? " off" : " on",
                  order->disabled && order->is_granted ? " granted" : "",
                  order->flushes ? " flush" : "");
}

static void begin(struct node *node)
{
    const struct plugin_keys_options options = {
        .prefix = "/weir/test/", .order = on_order, .user = node};
    *node = (struct node){.orders = STRBUF_INIT};
    node->store = memory_store_new(hub);
    assert_non_null(node->store);
    node->keys = plugin_keys_new(node->store, &options);
    assert_non_null(node->keys);
}

static void end(struct node *node)
{
    store_free(node->store);
    plugin_keys_free(node->keys);
    strbuf_release(&node->orders);
}

static int setup(void **state)
{
    (void)state;
    hub_begin();
    begin(&one);
    begin(&two);
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

/* TiDB does that. */
static void put(const char *value)
{
    hub_put(KEY, value);
}

static void over(const struct node *node, bool is_done, bool disabled)
{
    const struct plugin_change change = {
        .is_done = is_done, .disabled = disabled, .is_granted = disabled};
    plugin_keys_end(node->keys, "audit", &change);
}

/* A statement, with whatever is done in between. */
static void state(const struct node *node, bool disabled)
{
    assert_true(plugin_keys_begin(node->keys, "audit"));
    over(node, true, disabled);
}

static void assert_orders(struct node *node, const char *expected)
{
    expect_text(&node->orders, expected);
}

/* After all that is under way. */
static void advance(uint64_t milliseconds)
{
    memory_hub_advance(hub, milliseconds);
}

/* ---- TiDB's part ---- */

static void each_put_takes_the_flag_and_flushes(void **unused)
{
    (void)unused;
    advance(0);
    put("0");
    advance(0);
    assert_orders(&one, "audit on flush ");
    put("1");
    advance(0);
    assert_orders(&one, "audit off flush "); /* nobody has asked who wants that */
    put("01");                               /* only "1" is disabled */
    advance(0);
    assert_orders(&one, "audit on flush ");
    put("1");
    advance(0);
    hub_delete(KEY);
    advance(0);
    assert_orders(&one, "audit off flush audit on flush ");
    assert_orders(&two,
                  "audit on flush audit off flush audit on flush audit off flush audit on flush ");
}

static void what_was_there_before_is_a_flag_and_no_flush(void **unused)
{
    (void)unused;
    struct node late;
    put("1");
    advance(0);
    begin(&late);
    advance(0);
    assert_orders(&late, "audit off ");
    end(&late);
}

static void puts_that_come_at_once_are_one_order(void **unused)
{
    (void)unused;
    advance(0);
    put("0");
    put("1");
    put("0");
    advance(0);
    assert_orders(&one, "audit on flush ");
}

static void keys_that_are_no_plugins_are_nobodys(void **unused)
{
    (void)unused;
    char name[PLUGIN_KEYS_NAME_BYTES + 32];
    memset(name, 'x', sizeof name);
    memcpy(name, PLUGIN_KEYS_PREFIX, sizeof PLUGIN_KEYS_PREFIX - 1);
    struct store_request request = {.action = STORE_WRITE, .write_count = 3};
    request.writes[0].key = STORE_TEXT(PLUGIN_KEYS_PREFIX);
    request.writes[1].key = STORE_TEXT(PLUGIN_KEYS_PREFIX "a/b");
    request.writes[2].key = (struct store_bytes){name, sizeof name - 1};
    assert_false(plugin_keys_begin(one.keys, ""));
    assert_false(plugin_keys_begin(one.keys, "a/b"));
    advance(0);
    assert_true(store_call(other, &request));
    advance(0);
    assert_orders(&one, "");
}

/* ---- Statements ---- */

static void a_nodes_own_put_is_not_flushed_again(void **unused)
{
    (void)unused;
    advance(0);
    state(&one, false);
    advance(0);
    assert_orders(&one, "audit on ");
    assert_orders(&two, "audit on flush ");
    state(&one, true);
    advance(0);
    assert_orders(&one, "audit off granted ");
    assert_orders(&two, "audit off granted flush ");
}

static void two_statements_of_one_node_flush_the_others_only(void **unused)
{
    (void)unused;
    advance(0);
    state(&one, false);
    state(&one, false);
    advance(0);
    assert_orders(&one, "audit on ");
    assert_orders(&two, "audit on flush ");
}

static void a_grant_is_of_one_put_only(void **unused)
{
    (void)unused;
    advance(0);
    state(&one, true);
    advance(0);
    strbuf_reset(&two.orders);
    put("0");
    put("1");
    advance(0);
    assert_orders(&two, "audit off flush ");
}

/* Whoever may flush may not therefore disable. */
static void a_flush_keeps_the_flag_and_grants_nothing(void **unused)
{
    const struct plugin_change flush = {.is_done = true, .keeps_flag = true};
    (void)unused;
    advance(0);
    put("1");
    advance(0);
    assert_orders(&two, "audit off flush ");
    assert_true(plugin_keys_begin(one.keys, "audit"));
    plugin_keys_end(one.keys, "audit", &flush);
    advance(0);
    assert_orders(&two, "audit off flush ");
    state(&one, true);
    advance(0);
    assert_orders(&two, "audit off granted flush ");
    assert_true(plugin_keys_begin(two.keys, "audit"));
    plugin_keys_end(two.keys, "audit", &flush);
    advance(0);
    strbuf_reset(&one.orders);
    struct node late;
    begin(&late);
    advance(0);
    assert_orders(&late, "audit off granted ");
    end(&late);
}

static void what_comes_while_a_statement_runs_waits_for_it(void **unused)
{
    (void)unused;
    advance(0);
    assert_true(plugin_keys_begin(one.keys, "audit"));
    put("0");
    advance(5000);
    assert_orders(&one, "");
    assert_orders(&two, "audit on flush ");
    over(&one, false, false); /* it has failed */
    advance(0);
    assert_orders(&one, "audit on flush ");
    assert_orders(&two, "");
}

static void nodes_that_want_different_things_end_with_the_last_put(void **unused)
{
    (void)unused;
    advance(0);
    assert_true(plugin_keys_begin(one.keys, "audit"));
    assert_true(plugin_keys_begin(two.keys, "audit"));
    over(&one, true, true);
    over(&two, true, false);
    advance(0);
    /* What the other has put is flushed; two's own put is the last one. */
    assert_orders(&one, "audit on flush ");
    assert_orders(&two, "audit on flush ");
}

/* ---- Away ---- */

static void a_flush_that_was_missed_is_done_once(void **unused)
{
    (void)unused;
    advance(0);
    memory_store_cut(one.store, true);
    advance(0);
    put("0");
    put("0");
    advance(0);
    char why[64];
    assert_false(plugin_keys_are_reached(one.keys, why, sizeof why));
    assert_string_equal(why, "the store cannot be reached");
    memory_store_cut(one.store, false);
    advance(0);
    assert_orders(&one, "audit on flush ");
    memory_store_cut(one.store, true);
    advance(0);
    put("1");
    advance(0);
    memory_hub_compact(hub);
    memory_store_cut(one.store, false);
    advance(0);
    assert_orders(&one, "audit off flush ");
    memory_store_cut(one.store, true);
    advance(0);
    hub_delete(KEY);
    advance(0);
    memory_hub_compact(hub);
    memory_store_cut(one.store, false);
    advance(0);
    assert_orders(&one, "audit on flush ");
    memory_store_cut(one.store, true);
    advance(0);
    memory_hub_compact(hub);
    memory_store_cut(one.store, false);
    advance(0);
    assert_orders(&one, ""); /* nothing has happened */
}

static void a_node_that_began_alone_flushes_what_it_may_have_missed(void **unused)
{
    (void)unused;
    memory_store_cut(one.store, true);
    advance(0);
    put("0");
    advance(0);
    memory_store_cut(one.store, false);
    advance(0);
    assert_orders(&one, "audit on flush ");
    assert_orders(&two, "audit on flush ");
}

static void what_could_not_be_put_is_put_later(void **unused)
{
    (void)unused;
    advance(0);
    memory_store_cut(one.store, true);
    advance(0);
    state(&one, true);
    advance(10000);
    assert_orders(&two, "");
    memory_store_cut(one.store, false);
    advance(2000);
    assert_orders(&one, "audit off granted ");
    assert_orders(&two, "audit off granted flush ");
}

/* etcd carries a put out whose answer is lost: it is nobody else's. */
static void a_put_without_an_answer_is_not_flushed_twice(void **unused)
{
    (void)unused;
    advance(0);
    state(&two, false);
    advance(0);
    assert_orders(&one, "audit on flush ");
    assert_orders(&two, "audit on ");
    memory_store_stall(one.store, true);
    state(&one, false);
    advance(1500);
    assert_orders(&two, "");
    memory_store_stall(one.store, false);
    advance(5000);
    assert_orders(&two, "audit on flush ");
    assert_orders(&one, "audit on ");
}

/* ... but after somebody else has said something: then it is not done at all. */
static void a_put_that_comes_late_undoes_nothing(void **unused)
{
    (void)unused;
    advance(0);
    state(&two, false);
    advance(0);
    assert_orders(&one, "audit on flush ");
    memory_store_stall(one.store, true);
    state(&one, true);
    advance(0);
    state(&two, false);
    advance(0);
    memory_store_stall(one.store, false);
    advance(5000);
    assert_orders(&one, "audit on flush ");
    assert_orders(&two, "audit on audit on ");
}

/* Each of them is put, one after the other. */
static void nodes_that_flush_at_once_are_all_heard(void **unused)
{
    (void)unused;
    advance(0);
    assert_true(plugin_keys_begin(one.keys, "audit"));
    assert_true(plugin_keys_begin(two.keys, "audit"));
    over(&one, true, false);
    over(&two, true, false);
    advance(5000);
    assert_orders(&one, "audit on flush ");
    assert_orders(&two, "audit on flush ");
}

static void a_key_that_was_deleted_can_be_put_again(void **unused)
{
    (void)unused;
    advance(0);
    put("0");
    advance(0);
    hub_delete(KEY);
    advance(0);
    strbuf_reset(&one.orders);
    strbuf_reset(&two.orders);
    state(&one, false);
    advance(0);
    assert_orders(&two, "audit on flush ");
    assert_orders(&one, "audit on ");
}

static void what_was_changed_elsewhere_meanwhile_counts(void **unused)
{
    (void)unused;
    advance(0);
    memory_store_cut(one.store, true);
    advance(0);
    state(&one, true);
    advance(0);
    state(&two, false);
    advance(10000);
    assert_orders(&two, "audit on ");
    memory_store_cut(one.store, false);
    advance(5000);
    assert_orders(&one, "audit on flush ");
    assert_orders(&two, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        CASE(each_put_takes_the_flag_and_flushes),
        CASE(what_was_there_before_is_a_flag_and_no_flush),
        CASE(puts_that_come_at_once_are_one_order),
        CASE(keys_that_are_no_plugins_are_nobodys),
        CASE(a_nodes_own_put_is_not_flushed_again),
        CASE(two_statements_of_one_node_flush_the_others_only),
        CASE(a_grant_is_of_one_put_only),
        CASE(a_flush_keeps_the_flag_and_grants_nothing),
        CASE(what_comes_while_a_statement_runs_waits_for_it),
        CASE(nodes_that_want_different_things_end_with_the_last_put),
        CASE(a_flush_that_was_missed_is_done_once),
        CASE(a_node_that_began_alone_flushes_what_it_may_have_missed),
        CASE(what_could_not_be_put_is_put_later),
        CASE(what_was_changed_elsewhere_meanwhile_counts),
        CASE(a_put_without_an_answer_is_not_flushed_twice),
        CASE(a_put_that_comes_late_undoes_nothing),
        CASE(nodes_that_flush_at_once_are_all_heard),
        CASE(a_key_that_was_deleted_can_be_put_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
