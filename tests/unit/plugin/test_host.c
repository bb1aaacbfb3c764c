/* SPDX-License-Identifier: Apache-2.0
 *
 * What plugins ask of a session: facts as the gateway gave them, and those that it did not give from
 * the session's source. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "plugin/host/registry.h"

static int asked;

static weir_string source_text(void *data, uint32_t fact)
{
    asked++;
    if (fact != WEIR_TEXT_normalized)
        return (weir_string){NULL, 0};
    return (weir_string){data, strlen(data)};
}

static uint64_t source_number(void *data, uint32_t fact)
{
    (void)data;
    asked++;
    return fact == WEIR_NUMBER_table_count ? 3 : WEIR_ABSENT;
}

static int source_table(void *data, size_t index, weir_table *table)
{
    (void)data;
    *table = (weir_table){.access = WEIR_TABLE_READ};
    return index < 3;
}

static const struct plugin_facts_source source = {
    .text = source_text, .number = source_number, .table = source_table};

static const char *name_of(uint32_t list, size_t index)
{
    return list == WEIR_NAMES_KIND && index == 0 ? "Select" : NULL;
}

static void names_are_those_that_the_gateway_knows(void **state)
{
    (void)state;
    struct plugin_registry registry = {.options.known_name = name_of};
    struct weir_plugin plugin = {.registry = &registry};
    assert_memory_equal(plugin_host.known_name(&plugin, WEIR_NAMES_KIND, 0).data, "Select", 6);
    assert_null(plugin_host.known_name(&plugin, WEIR_NAMES_KIND, 1).data);
    assert_null(plugin_host.known_name(&plugin, WEIR_NAMES_COMMAND, 0).data);
    assert_null(plugin_host.known_name(&plugin, 77, 0).data);
    registry.options.known_name = NULL;
    assert_null(plugin_host.known_name(&plugin, WEIR_NAMES_KIND, 0).data);
}

static void facts_that_nobody_gave_are_absent(void **state)
{
    (void)state;
    struct weir_session session;
    weir_string name, value;
    weir_table table;
    weir_parameter parameter;
    uint8_t address[16];
    plugin_session_init(&session);
    for (uint32_t fact = 0; fact < 1000; fact++) {
        assert_null(plugin_host.text(&session, fact).data);
        assert_true(plugin_host.number(&session, fact) == WEIR_ABSENT);
    }
    assert_int_equal(plugin_host.attribute(&session, 0, &name, &value), 0);
    assert_int_equal(plugin_host.table(&session, 0, &table), 0);
    assert_int_equal(plugin_host.parameter(&session, 0, &parameter), 0);
    assert_int_equal(plugin_host.client_address(&session, address), 0);
}

static void what_the_gateway_gave_is_not_asked_for(void **state)
{
    (void)state;
    struct weir_session session;
    plugin_session_init(&session);
    session.source = &source;
    session.source_data = (void *)"computed";
    session.text[WEIR_TEXT_digest] = (weir_string){"given", 5};
    session.number[WEIR_NUMBER_table_count] = 0;
    asked = 0;
    assert_memory_equal(plugin_host.text(&session, WEIR_TEXT_digest).data, "given", 5);
    assert_int_equal(plugin_host.number(&session, WEIR_NUMBER_table_count), 0);
    assert_int_equal(asked, 0);
}

static void what_it_did_not_give_is_asked_of_the_source_each_time(void **state)
{
    (void)state;
    struct weir_session session;
    weir_table table;
    plugin_session_init(&session);
    session.source = &source;
    session.source_data = (void *)"one";
    asked = 0;
    assert_memory_equal(plugin_host.text(&session, WEIR_TEXT_normalized).data, "one", 3);
    assert_null(plugin_host.text(&session, WEIR_TEXT_kind).data);
    assert_int_equal(plugin_host.number(&session, WEIR_NUMBER_table_count), 3);
    assert_true(plugin_host.number(&session, WEIR_NUMBER_rows) == WEIR_ABSENT);
    session.source_data = (void *)"two";
    assert_memory_equal(plugin_host.text(&session, WEIR_TEXT_normalized).data, "two", 3);
    assert_int_equal(asked, 5);
    assert_int_equal(plugin_host.table(&session, 2, &table), 1);
    assert_int_equal(plugin_host.table(&session, 3, &table), 0);
    session.source = NULL; /* while another thread works for the session */
    assert_null(plugin_host.text(&session, WEIR_TEXT_normalized).data);
    assert_int_equal(plugin_host.table(&session, 2, &table), 0);
}

static void attributes_are_read_from_the_block(void **state)
{
    (void)state;
    static const uint8_t block[] = "\4_pid\3"
                                   "123\1k\0\5torn"; /* the last one ends too early */
    struct weir_session session;
    weir_string name, value;
    plugin_session_init(&session);
    session.attributes = block;
    session.attributes_size = sizeof block - 1;
    assert_int_equal(plugin_host.attribute(&session, 0, &name, &value), 1);
    assert_int_equal(name.size, 4);
    assert_memory_equal(name.data, "_pid", 4);
    assert_memory_equal(value.data, "123", 3);
    assert_int_equal(plugin_host.attribute(&session, 1, &name, &value), 1);
    assert_int_equal(value.size, 0);
    assert_non_null(value.data);
    assert_int_equal(plugin_host.attribute(&session, 2, &name, &value), 0);
}

static void a_refusal_is_what_a_client_can_be_sent(void **state)
{
    (void)state;
    static const struct {
        const char *sqlstate, *sent_sqlstate;
        uint32_t code, sent_code;
    } rows[] = {
        {NULL, "28000", 0, 1045},        {"HY000", "HY000", 65535, 65535},
        {"42000", "42000", 65536, 1045}, {"08S01", "08S01", 2013, 1045},
        {"08S01", "08S01", 5001, 1045},  {"4200", "28000", 1, 1},
        {"420000", "28000", 1, 1},       {"hy000", "28000", 1, 1},
    };
    struct weir_session session;
    char longest[600];
    struct plugin_refusal refusal;
    struct weir_plugin plugin = {.identity = {.name = "p"}};
    complaints_init(&plugin.complaints);
    struct plugin_running running = {.plugin = &plugin, .refusal = &refusal};
    plugin_session_init(&session);
    session.running = &running;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        plugin_host.refuse(&session, rows[i].code, rows[i].sqlstate, "no", 2);
        assert_int_equal(refusal.code, rows[i].sent_code);
        assert_string_equal(refusal.sqlstate, rows[i].sent_sqlstate);
        assert_string_equal(refusal.message, "no");
    }
    memset(longest, 'x', sizeof longest);
    plugin_host.refuse(&session, 1, NULL, longest, sizeof longest);
    assert_int_equal(strlen(refusal.message), 511);
}

static struct weir_hold *source_hold(void *data, enum plugin_hold_kind kind)
{
    assert_int_equal(kind, PLUGIN_HOLD_REPLY);
    return data;
}

static void give_back(struct weir_hold *hold)
{
    (void)hold;
    asked++;
}

static void a_hold_that_failed_counts_as_on_failure_says(void **state)
{
    (void)state;
    static const struct plugin_facts_source holder = {.hold = source_hold};
    struct weir_session session;
    struct weir_hold promise = {.release = give_back};
    plugin_session_init(&session);
    struct weir_plugin plugin = {.identity = {.name = "p", .refuses_on_failure = true}};
    struct plugin_running running = {0};
    session.running = &running;
    assert_null(plugin_host.hold(&session, &plugin));
    session.source = &holder;
    session.source_data = &promise;
    asked = 0;
    assert_ptr_equal(plugin_host.hold(&session, &plugin), &promise);
    plugin_host.release(&promise, WEIR_OK);
    assert_false(promise.failed);
    plugin_host.hold(&session, &plugin);
    plugin_host.release(&promise, WEIR_FAIL);
    assert_true(promise.failed);
    plugin_refusal_free(plugin_hold_take_refusal(&promise));
    plugin.identity.refuses_on_failure = false;
    plugin_host.hold(&session, &plugin);
    plugin_host.release(&promise, WEIR_FAIL);
    assert_false(promise.failed);
    assert_int_equal(asked, 3);
}

static void each_plugin_has_a_pointer_of_its_own(void **state)
{
    (void)state;
    struct weir_session session;
    struct weir_plugin first = {.index = 0}, last = {.index = PLUGIN_MAX_LOADED - 1};
    int one, two;
    plugin_session_init(&session);
    assert_null(plugin_host.session_data(&session, &last));
    plugin_host.set_session_data(&session, &first, &one);
    plugin_host.set_session_data(&session, &last, &two);
    assert_ptr_equal(plugin_host.session_data(&session, &first), &one);
    assert_ptr_equal(plugin_host.session_data(&session, &last), &two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_those_that_the_gateway_knows),
        cmocka_unit_test(facts_that_nobody_gave_are_absent),
        cmocka_unit_test(what_the_gateway_gave_is_not_asked_for),
        cmocka_unit_test(what_it_did_not_give_is_asked_of_the_source_each_time),
        cmocka_unit_test(attributes_are_read_from_the_block),
        cmocka_unit_test(a_refusal_is_what_a_client_can_be_sent),
        cmocka_unit_test(a_hold_that_failed_counts_as_on_failure_says),
        cmocka_unit_test(each_plugin_has_a_pointer_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
