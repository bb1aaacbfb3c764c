/* SPDX-License-Identifier: Apache-2.0
 *
 * Sessions of nodes as text: what was written is read, in pieces that fit, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cluster/cluster.h"

#define ROWS 100

static struct node_process row_of(uint32_t id, const char *user)
{
    return (struct node_process){.id = id,
                                 .time_s = 7,
                                 .user = user,
                                 .host = "10.0.0.1",
                                 .database = "d\"b",
                                 .command = "Query",
                                 .state = "running",
                                 .digest = "",
                                 .text = "select ?"};
}

static struct store_bytes bytes_of(const struct strbuf *text)
{
    return (struct store_bytes){text->data, text->size};
}

static void a_question_is_read_as_it_was_written(void **state)
{
    const struct node_processes_question asked = {.after = UINT32_MAX, .user = "j\xc3\xb6"};
    struct node_processes_question read;
    struct strbuf text = STRBUF_INIT;
    (void)state;
    node_processes_ask(&text, &asked);
    assert_true(node_processes_question_read(&read, bytes_of(&text)));
    assert_true(read.after == UINT32_MAX);
    assert_string_equal(read.user, "j\xc3\xb6");
    node_processes_question_release(&read);
    strbuf_release(&text);
    static const char *const none[] = {
        "",
        "{}",
        "{\"ask\":\"kill\",\"after\":0,\"user\":\"\"}",
        "{\"ask\":\"processes\",\"after\":-1,\"user\":\"\"}",
        "{\"ask\":\"processes\",\"after\":4294967296,\"user\":\"\"}",
        "{\"ask\":\"processes\",\"after\":0}",
    };
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(node_processes_question_read(&read, STORE_TEXT(none[i])));
}

static void rows_come_in_pieces_that_fit(void **state)
{
    struct node_process rows[ROWS];
    struct node_processes_question question = {.user = ""};
    struct node_processes read;
    struct strbuf text = STRBUF_INIT;
    uint32_t last = 0;
    size_t pieces = 0, count = 0;
    (void)state;
    for (uint32_t i = 0; i < ROWS; i++)
        rows[i] = row_of(1 + (i * 37) % ROWS, i % 2 ? "joe" : "jim"); /* in no order */
    do {
        strbuf_reset(&text);
        question.after = last;
        node_processes_write(&text, rows, ROWS, &question, 1500);
        assert_false(text.failed);
        assert_true(text.size <= 1500);
        assert_true(node_processes_read(&read, bytes_of(&text)));
        for (size_t i = 0; i < read.count; i++) {
            assert_true(read.rows[i].id == ++last);
            assert_string_equal(read.rows[i].database, "d\"b");
            assert_true(read.rows[i].time_s == 7);
        }
        count += read.count;
        const bool has_more = read.has_more;
        node_processes_release(&read);
        pieces++;
        if (!has_more)
            break;
    } while (pieces < 2 * ROWS);
    assert_int_equal(count, ROWS);
    assert_in_range(pieces, 2, ROWS - 1);
    question = (struct node_processes_question){.user = "joe"};
    strbuf_reset(&text);
    node_processes_write(&text, rows, ROWS, &question, NODE_ANSWER_BYTES);
    assert_true(node_processes_read(&read, bytes_of(&text)));
    assert_int_equal(read.count, ROWS / 2);
    assert_false(read.has_more);
    node_processes_release(&read);
    strbuf_release(&text);
}

static void what_json_cannot_have_is_left_out(void **state)
{
    const struct node_process row = row_of(1, "j\xf6");
    const struct node_processes_question all = {.user = ""};
    struct node_processes read;
    struct strbuf text = STRBUF_INIT;
    (void)state;
    node_processes_write(&text, &row, 1, &all, NODE_ANSWER_BYTES);
    assert_true(node_processes_read(&read, bytes_of(&text)));
    assert_string_equal(read.rows[0].user, "");
    node_processes_release(&read);
    strbuf_release(&text);
}

static void half_an_answer_is_none(void **state)
{
    static const char *const none[] = {"",
                                       "[]",
                                       "{}",
                                       "{\"rows\":7}",
                                       "{\"rows\":[7]}",
                                       "{\"rows\":[{\"id\":1}]}",
                                       "{\"outcome\":\"failed\",\"message\":\"no\"}"};
    struct node_processes read;
    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(node_processes_read(&read, STORE_TEXT(none[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_is_read_as_it_was_written),
        cmocka_unit_test(rows_come_in_pieces_that_fit),
        cmocka_unit_test(what_json_cannot_have_is_left_out),
        cmocka_unit_test(half_an_answer_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
