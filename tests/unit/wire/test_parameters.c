/* SPDX-License-Identifier: Apache-2.0
 *
 * What clients send with statements. A case is a payload and, as text, what the walk over its
 * parameters gives: "index type=text", separated by blanks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conversation.h"

static void describe(struct wire_parameters *parameters, struct strbuf *out)
{
    struct wire_parameter p;
    while (wire_parameter_next(parameters, &p)) {
        const struct wire_field_type_info *info = wire_field_type_info(p.type);
        strbuf_printf(out, "%s", out->size ? " " : "");
        if (parameters->bulk)
            strbuf_printf(out, "%u.", p.row);
        strbuf_printf(out, "%u", p.index);
        if (p.name.data)
            strbuf_printf(out, "(%.*s)", (int)p.name.size, p.name.data);
        strbuf_printf(out, " %s=", info ? info->name : "?");
        if (p.is_null)
            strbuf_add_text(out, "NULL");
        else if (p.is_long_data)
            strbuf_add_text(out, "LONG");
        else if (p.indicator != WIRE_INDICATOR_VALUE)
            strbuf_printf(out, "indicator%u", p.indicator);
        else if (!wire_parameter_text(&p, out))
            strbuf_add_text(out, "BAD");
    }
    if (parameters->failed)
        strbuf_add_text(out, " FAILED");
}

/* A copy of exactly the payload's size, so that a sanitizer sees a step behind it. */
static uint8_t *exact_copy(const struct strbuf *bytes)
{
    uint8_t *copy = malloc(bytes->size ? bytes->size : 1);
    assert_non_null(copy);
    memcpy(copy, bytes->data, bytes->size);
    return copy;
}

struct execution {
    const char *payload;
    const char *expected;
    uint32_t prepared;
    uint64_t capabilities;
    const char *remembered; /* types from before */
    const uint8_t *long_data;
};

static void check_execution(const struct execution *e)
{
    struct strbuf bytes = STRBUF_INIT, types = STRBUF_INIT, text = STRBUF_INIT;
    struct wire_execute execute;
    parse_payload(e->payload, &bytes);
    if (e->remembered)
        parse_payload(e->remembered, &types);
    uint8_t *payload = exact_copy(&bytes);
    struct wire_string remembered = {types.data, types.size};
    assert_true(wire_execute_begin(&execute, payload, bytes.size, e->capabilities, e->prepared,
                                   remembered, e->long_data));
    assert_int_equal(execute.statement_id, 1);
    describe(&execute.parameters, &text);
    assert_string_equal(text.data, e->expected);
    free(payload);
    for (size_t size = 0; size < bytes.size; size++) { /* any part of it is read without harm */
        struct strbuf part = STRBUF_INIT;
        strbuf_add(&part, bytes.data, size);
        payload = exact_copy(&part);
        strbuf_reset(&text);
        if (wire_execute_begin(&execute, payload, size, e->capabilities, e->prepared, remembered,
                               e->long_data))
            describe(&execute.parameters, &text);
        free(payload);
        strbuf_release(&part);
    }
    strbuf_release(&bytes);
    strbuf_release(&types);
    strbuf_release(&text);
}

#define EXECUTE "17 01 00 00 00 00 01 00 00 00 "

static void numbers(void **state)
{
    (void)state;
    check_execution(&(struct execution){
        .prepared = 9,
        .payload = EXECUTE "00 00 01 01 00 01 80 02 00 03 00 08 00 08 80 04 00 05 00 0d 00 "
                           "ff ff ff ff ff ff ff ff fe ff ff ff ff ff ff ff "
                           "ff ff ff ff ff ff ff ff 00 00 c0 3f 9a 99 99 99 99 99 b9 3f e6 07",
        .expected = "0 TINY=-1 1 TINY=255 2 SHORT=-1 3 LONG=-1 4 LONGLONG=-2 "
                    "5 LONGLONG=18446744073709551615 6 FLOAT=1.5 7 DOUBLE=0.1 8 YEAR=2022"});
}

static void strings_and_null(void **state)
{
    (void)state;
    check_execution(&(struct execution){
        .prepared = 5,
        .payload = EXECUTE "12 01 fd 00 fd 00 fc 00 f6 00 03 00 01 'a' 00 05 '1.230'",
        .expected = "0 VAR_STRING=a 1 VAR_STRING=NULL 2 BLOB= 3 NEWDECIMAL=1.230 4 LONG=NULL"});
    check_execution(&(struct execution){
        .prepared = 1, .payload = EXECUTE "00 01 06 00", .expected = "0 NULL=NULL"});
}

static void dates_and_times(void **state)
{
    (void)state;
    check_execution(&(struct execution){
        .prepared = 7,
        .payload = EXECUTE "00 01 0a 00 0c 00 0c 00 07 00 0b 00 0b 00 0b 00 "
                           "04 ea 07 01 1f "
                           "0b ea 07 01 1f 17 3b 3a 01 00 00 00 "
                           "04 ea 07 01 1f "
                           "07 ea 07 01 1f 01 02 03 "
                           "08 01 02 00 00 00 03 04 05 "
                           "0c 00 00 00 00 00 03 04 05 40 e2 01 00 "
                           "00",
        .expected = "0 DATE=2026-01-31 1 DATETIME=2026-01-31 23:59:58.000001 "
                    "2 DATETIME=2026-01-31 00:00:00 3 TIMESTAMP=2026-01-31 01:02:03 "
                    "4 TIME=-51:04:05 5 TIME=03:04:05.123456 6 TIME=00:00:00"});
    /* A DATE is read as one, whatever came; fewer bytes than a date has are none. */
    check_execution(&(struct execution){
        .prepared = 4,
        .payload = EXECUTE "00 01 0a 00 0a 00 0a 00 0a 00 "
                           "03 ea 07 01 "
                           "07 ea 07 01 1f 01 02 03 "
                           "0b ea 07 01 1f 17 3b 3a 01 00 00 00 "
                           "05 ea 07 01 1f 01 ",
        .expected = "0 DATE=0000-00-00 1 DATE=2026-01-31 2 DATE=2026-01-31 3 DATE=2026-01-31"});
    check_execution(&(struct execution){
        .prepared = 1, .payload = EXECUTE "00 01 0c 00 03 ea 07 01", .expected = "0 DATETIME=BAD"});
}

static void remembered_types_and_long_data(void **state)
{
    (void)state;
    static const uint8_t second[] = {0x02};
    check_execution(&(struct execution){.prepared = 2,
                                        .remembered = "fd 00 03 00",
                                        .payload = EXECUTE "00 00 01 'x' 07 00 00 00",
                                        .expected = "0 VAR_STRING=x 1 LONG=7"});
    check_execution(&(struct execution){.prepared = 2,
                                        .long_data = second,
                                        .payload = EXECUTE "00 01 03 00 fc 00 07 00 00 00",
                                        .expected = "0 LONG=7 1 BLOB=LONG"});
    /* mysqlnd sets the NULL bit of what it has sent before. */
    check_execution(&(struct execution){.prepared = 2,
                                        .long_data = second,
                                        .payload = EXECUTE "02 01 03 00 fc 00 07 00 00 00",
                                        .expected = "0 LONG=7 1 BLOB=LONG"});
    /* Nothing remembered: the types are not known. */
    check_execution(&(struct execution){
        .prepared = 1, .payload = EXECUTE "00 00 07 00 00 00", .expected = " FAILED"});
    /* A type that nobody knows. */
    check_execution(&(struct execution){
        .prepared = 1, .payload = EXECUTE "00 01 80 00 07", .expected = " FAILED"});
}

static void no_parameters_at_all(void **state)
{
    (void)state;
    check_execution(&(struct execution){.prepared = 0, .payload = EXECUTE, .expected = ""});
}

static void execution_with_query_attributes(void **state)
{
    (void)state;
    check_execution(&(struct execution){
        .prepared = 1,
        .capabilities = WIRE_CAP(CLIENT_QUERY_ATTRIBUTES),
        .payload = "17 01 00 00 00 08 01 00 00 00 02 00 01 03 00 00 fd 00 03 'key' "
                   "07 00 00 00 05 'value'",
        .expected = "0() LONG=7 1(key) VAR_STRING=value"});
}

static void a_query_with_and_without_attributes(void **state)
{
    (void)state;
    static const struct {
        const char *payload, *text, *attributes;
        uint64_t capabilities;
    } cases[] = {
        {"03 'select 1'", "select 1", "", 0},
        {"03 00 01 'select 1'", "select 1", "", WIRE_CAP(CLIENT_QUERY_ATTRIBUTES)},
        {"03 01 01 00 01 fe 00 02 'id' 03 'abc' 'select 1'", "select 1", "0(id) STRING=abc",
         WIRE_CAP(CLIENT_QUERY_ATTRIBUTES)},
        {"03 02 01 01 01 fe 00 01 'a' 03 00 01 'b' 07 00 00 00 ''", "",
         "0(a) STRING=NULL 1(b) LONG=7", WIRE_CAP(CLIENT_QUERY_ATTRIBUTES)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct strbuf bytes = STRBUF_INIT, text = STRBUF_INIT;
        struct wire_query query;
        parse_payload(cases[i].payload, &bytes);
        uint8_t *payload = exact_copy(&bytes);
        assert_true(wire_decode_query(payload, bytes.size, cases[i].capabilities, &query));
        assert_int_equal(query.text.size, strlen(cases[i].text));
        assert_memory_equal(query.text.data, cases[i].text, query.text.size);
        describe(&query.attributes, &text);
        assert_string_equal(text.data, cases[i].attributes);
        free(payload);
        strbuf_release(&bytes);
        strbuf_release(&text);
    }
    struct wire_query query;
    assert_false(
        wire_decode_query((const uint8_t *)"\3\5\1", 3, WIRE_CAP(CLIENT_QUERY_ATTRIBUTES), &query));
}

static void bulk_rows(void **state)
{
    (void)state;
    struct strbuf bytes = STRBUF_INIT, text = STRBUF_INIT;
    struct wire_bulk_execute bulk;
    struct wire_string none = {NULL, 0};
    parse_payload("fa 01 00 00 00 80 00 03 00 fd 00 "
                  "00 07 00 00 00 00 01 'a' "
                  "01 02 "
                  "00 09 00 00 00 03",
                  &bytes);
    uint8_t *payload = exact_copy(&bytes);
    assert_true(wire_bulk_execute_begin(&bulk, payload, bytes.size, 2, none));
    assert_int_equal(bulk.flags, WIRE_BULK_SEND_TYPES);
    assert_int_equal(bulk.types.size, 4);
    describe(&bulk.parameters, &text);
    assert_string_equal(text.data,
                        "0.0 LONG=7 0.1 VAR_STRING=a 1.0 LONG=NULL 1.1 VAR_STRING=indicator2 "
                        "2.0 LONG=9 2.1 VAR_STRING=indicator3");
    free(payload);
    strbuf_release(&bytes);
    strbuf_release(&text);
}

/* A walk over the numbers from 0 on: wherever one is asked for, it is found from the nearest waypoint,
 * and never from farther than a stride. */
static void waypoints_lead_to_each_element(void **state)
{
    (void)state;
    struct waypoints passed = {0};
    const size_t count = 10 * WAYPOINT_STRIDE + 7;
    assert_int_equal(waypoints_nearest(&passed, count), 0);
    for (size_t at = 0; at < count; at++)
        waypoints_pass(&passed, at, &at, sizeof at);
    for (size_t at = 0; at < count; at++) /* once more: they are known */
        waypoints_pass(&passed, at, &at, sizeof at);
    assert_int_equal(passed.count, 10);
    for (size_t wanted = count + WAYPOINT_STRIDE; wanted-- > 0;) {
        size_t near = waypoints_nearest(&passed, wanted), at = 0;
        assert_true(near <= wanted && (wanted - near < WAYPOINT_STRIDE || wanted >= count));
        if (near)
            waypoints_take(&passed, near, &at, sizeof at);
        assert_int_equal(at, near);
    }
    waypoints_reset(&passed);
    assert_int_equal(waypoints_nearest(&passed, count), 0);
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(numbers),
        TEST(strings_and_null),
        TEST(dates_and_times),
        TEST(remembered_types_and_long_data),
        TEST(no_parameters_at_all),
        TEST(execution_with_query_attributes),
        TEST(a_query_with_and_without_attributes),
        TEST(bulk_rows),
        TEST(waypoints_lead_to_each_element),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
