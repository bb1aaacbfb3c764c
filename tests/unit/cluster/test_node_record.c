/* SPDX-License-Identifier: Apache-2.0
 *
 * Records of nodes are read as they were written; what another one has written is not believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cluster/cluster.h"

static void a_record_is_read_as_it_was_written(void **state)
{
    struct node_record record = {.address = "db1:4000",
                                 .version = "0.1.0",
                                 .since_s = 1700000000,
                                 .sessions = 7,
                                 .plugins = {{"audit_log", "1", "Ready-enable", "OK"}},
                                 .plugin_count = 1};
    struct node_record read;
    struct strbuf text = STRBUF_INIT;
    (void)state;
    node_record_write(&text, &record);
    assert_false(text.failed);
    assert_true(node_record_read(&read, (struct store_bytes){text.data, text.size}));
    assert_string_equal(read.address, "db1:4000");
    assert_string_equal(read.version, "0.1.0");
    assert_int_equal(read.since_s, 1700000000);
    assert_int_equal(read.sessions, 7);
    assert_int_equal(read.plugin_count, 1);
    assert_string_equal(read.plugins[0].state, "Ready-enable");
    assert_string_equal(read.plugins[0].flush, "OK");
    assert_true(node_record_has(&read, "audit_log"));
    assert_false(node_record_has(&read, "audit"));
    node_record_release(&read);
    strbuf_release(&text);
}

static void what_is_no_record_is_refused(void **state)
{
    static const char *const texts[] = {
        "", "7", "[]", "{", "{\"a\":1,\"a\":2}", "{\"a\":\"\xff\"}"};
    struct node_record read;
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(node_record_read(&read, STORE_TEXT(texts[i])));
}

static void what_is_of_another_type_is_empty(void **state)
{
    struct node_record read;
    (void)state;
    assert_true(node_record_read(
        &read, STORE_TEXT("{\"address\":7,\"version\":\"a\\nb\",\"since\":\"x\",\"plugins\":[3,{}],"
                          "\"new\":{}}")));
    assert_string_equal(read.address, "");
    assert_string_equal(read.version, ""); /* a line's end would forge a row */
    assert_int_equal(read.since_s, 0);
    assert_int_equal(read.plugin_count, 2);
    assert_string_equal(read.plugins[0].name, "");
    node_record_release(&read);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_read_as_it_was_written),
        cmocka_unit_test(what_is_no_record_is_refused),
        cmocka_unit_test(what_is_of_another_type_is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
