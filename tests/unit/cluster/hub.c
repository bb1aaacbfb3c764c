/* SPDX-License-Identifier: Apache-2.0
 *
 * One hub a test, in a variable of its own: tests run one after the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "hub.h"

struct memory_hub *hub;
struct store *other;

void hub_begin(void)
{
    hub = memory_hub_new();
    assert_non_null(hub);
    other = memory_store_new(hub);
    assert_non_null(other);
}

void hub_end(void)
{
    store_free(other);
    memory_hub_free(hub);
}

void hub_put(const char *key, const char *value)
{
    const struct store_request request = {
        .action = STORE_WRITE,
        .writes = {{.key = STORE_TEXT(key), .value = STORE_TEXT(value)}},
        .write_count = 1};
    assert_true(store_call(other, &request));
}

void hub_delete(const char *key)
{
    const struct store_request request = {.action = STORE_DELETE, .key = STORE_TEXT(key)};
    assert_true(store_call(other, &request));
}

void expect_text(struct strbuf *text, const char *expected)
{
    assert_string_equal(text->data, expected);
    strbuf_reset(text);
}
