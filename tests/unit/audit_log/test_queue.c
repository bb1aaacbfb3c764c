/* SPDX-License-Identifier: Apache-2.0
 *
 * The queue keeps order, says when it is full, and counts what was lost in its place. */
#include "audit_test.h"
#include "format.h"
#include "queue.h"

#include <stdlib.h>

static enum queue_answer put(struct queue *queue, const char *bodies, bool force)
{
    struct queue_entry entry = {.format = &format_json, .size = strlen(bodies)};
    return queue_put(queue, &entry, bodies, force, false);
}

static void test_entries_come_out_in_order(void **state)
{
    (void)state;
    struct queue queue;
    struct batch batch = {0};
    size_t at = 0;
    assert_int_equal(queue_init(&queue, 1 << 20), 0);
    put(&queue, "one\n", false);
    put(&queue, "two and more\n", false);
    assert_true(queue_take(&queue, &batch, 0));
    struct queue_entry *entry = batch_next(&batch, &at);
    assert_memory_equal(batch_bodies(entry), "one\n", entry->size);
    entry = batch_next(&batch, &at);
    assert_memory_equal(batch_bodies(entry), "two and more\n", entry->size);
    assert_null(batch_next(&batch, &at));
    queue_stop(&queue);
    assert_false(queue_take(&queue, &batch, 0));
    free(batch.data);
    queue_release(&queue);
}

static void test_the_limit_is_a_line_and_not_a_wall(void **state)
{
    (void)state;
    struct queue queue;
    struct batch batch = {0};
    assert_int_equal(queue_init(&queue, 100), 0);
    assert_int_equal(put(&queue, "0123456789\n", false), QUEUE_PUT);
    assert_int_equal(put(&queue, "0123456789\n", false), QUEUE_PUT);
    assert_int_equal(put(&queue, "0123456789\n", false), QUEUE_FULL);
    queue_lose(&queue, 5);
    queue_lose(&queue, 9);
    assert_int_equal(put(&queue, "0123456789\n", true), QUEUE_PUT);
    assert_true(queue_take(&queue, &batch, 0));
    assert_int_equal(batch.loss.count, 2);
    assert_int_equal(batch.loss.since_ns, 5);
    assert_int_equal(batch.loss.until_ns, 9);
    assert_int_equal(put(&queue, "0123456789\n", false), QUEUE_PUT);
    assert_true(queue_take(&queue, &batch, 0));
    assert_int_equal(batch.loss.count, 0);
    free(batch.data);
    queue_release(&queue);
}

static void test_an_entry_beyond_the_limit_fits_when_nothing_else_is_there(void **state)
{
    (void)state;
    struct queue queue;
    assert_int_equal(queue_init(&queue, 10), 0);
    assert_int_equal(put(&queue, "much longer than ten bytes\n", false), QUEUE_PUT);
    assert_int_equal(put(&queue, "x\n", false), QUEUE_FULL);
    queue_release(&queue);
}

static void test_holds_of_what_waits_can_be_released_early(void **state)
{
    (void)state;
    struct queue queue;
    struct batch batch = {0};
    struct weir_session session;
    size_t at = 0;
    fake_session_init(&session);
    struct queue_entry entry = {.format = &format_json, .size = 2};
    entry.hold = weir_hold_reply(&session);
    struct weir_hold *hold = entry.hold;
    assert_int_equal(queue_init(&queue, 100), 0);
    assert_int_equal(queue_put(&queue, &entry, "x\n", true, true), QUEUE_PUT);
    queue_release_holds(&queue, WEIR_FAIL);
    assert_int_equal(fake_hold_wait(hold), WEIR_FAIL);
    assert_true(queue_take(&queue, &batch, 0));
    assert_null(batch_next(&batch, &at)->hold);
    free(batch.data);
    queue_release(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entries_come_out_in_order),
        cmocka_unit_test(test_the_limit_is_a_line_and_not_a_wall),
        cmocka_unit_test(test_an_entry_beyond_the_limit_fits_when_nothing_else_is_there),
        cmocka_unit_test(test_holds_of_what_waits_can_be_released_early),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
