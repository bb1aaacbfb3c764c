/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys that are many become few: who does it, in which order, and what is left where it fails. */
#include "tidying.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/text.h>

#include "firewall_test.h"
#include "told.h"

#define KEYS 200

/* ---- The store: each call waits until the test has it answered ---- */

static struct {
    char key[128];
    char *value; /* owned; NULL: it is gone */
    int64_t revision;
} keys[KEYS];
static size_t key_count;
static int64_t revision;
static struct weir_store_request asked; /* action of the call that waits; done NULL: none does */
static char asked_key[128], *asked_value;
static unsigned woken;

static int on_call(const struct weir_store_request *request)
{
    assert_null(asked.done); /* one at a time */
    asked = *request;
    snprintf(asked_key, sizeof asked_key, "%.*s", (int)request->key.size, request->key.data);
    free(asked_value);
    asked_value = request->value.data ? strndup(request->value.data, request->value.size) : NULL;
    return 1;
}

static size_t index_of(const char *key)
{
    size_t i = 0;
    while (i < key_count && strcmp(keys[i].key, key) != 0)
        i++;
    return i;
}

static void write_key(const char *key, const char *value)
{
    const size_t i = index_of(key);
    assert_true(i < KEYS);
    key_count += i == key_count;
    snprintf(keys[i].key, sizeof keys[i].key, "%s", key);
    free(keys[i].value);
    keys[i].value = value ? strdup(value) : NULL;
    keys[i].revision = ++revision;
}

static size_t count_keys(const char *prefix)
{
    size_t count = 0;
    for (size_t i = 0; i < key_count; i++)
        count += keys[i].value && strncmp(keys[i].key, prefix, strlen(prefix)) == 0;
    return count;
}

static size_t read_all(weir_store_entry entries[KEYS])
{
    size_t count = 0;
    for (size_t i = 0; i < key_count; i++)
        if (keys[i].value)
            entries[count++] = (weir_store_entry){.key = text_of(keys[i].key),
                                                  .value = text_of(keys[i].value),
                                                  .revision = keys[i].revision};
    return count;
}

static void say_everything(void)
{
    weir_store_entry entries[KEYS];
    const weir_store_news news = {.struct_size = sizeof news,
                                  .kind = WEIR_STORE_EVERYTHING,
                                  .entry_size = sizeof *entries,
                                  .entries = entries,
                                  .count = read_all(entries)};
    tidying_note(&news);
}

/* Answers what waits; its key is told then. */
static void answer(weir_store_status status)
{
    weir_store_entry entries[KEYS];
    const struct weir_store_request request = asked;
    weir_store_answer said = {.struct_size = sizeof said,
                              .status = status,
                              .entry_size = sizeof *entries,
                              .entries = entries};
    asked.done = NULL;
    assert_non_null(request.done);
    if (status == WEIR_STORE_DONE && request.action == WEIR_STORE_DO_PUT) {
        const size_t i = index_of(asked_key);
        const int64_t now = i < key_count && keys[i].value ? keys[i].revision : 0;
        said.status = now == request.revision ? WEIR_STORE_DONE : WEIR_STORE_DIFFERS;
        if (said.status == WEIR_STORE_DONE)
            write_key(asked_key, asked_value);
    } else if (status == WEIR_STORE_DONE && request.action == WEIR_STORE_DO_DELETE) {
        write_key(asked_key, NULL);
    } else if (status == WEIR_STORE_DONE) {
        assert_int_equal(request.action, WEIR_STORE_DO_LIST);
        said.count = read_all(entries);
    }
    request.done(request.user, &said);
}

static void wake(void)
{
    woken++;
}

static int setup(void **state)
{
    (void)state;
    fake_host.store_call = on_call;
    tidying_begin(0xaa, wake);
    woken = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tidying_end();
    asked.done = NULL;
    while (key_count > 0) {
        free(keys[--key_count].value);
        keys[key_count].value = NULL;
    }
    free(asked_value);
    asked_value = NULL;
    return 0;
}

/* Keys of which each says something. */
static void make_keys(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char key[128] = TOLD_PREFIX, text[KEY_LINE_BYTES + 64];
        const struct key learned = test_key(i);
        told_name(0xbb, i, key + strlen(TOLD_PREFIX));
        int size = snprintf(text, sizeof text, "account app@%%\n");
        size += (int)key_print(&learned, text + size);
        text[size] = '\0';
        write_key(key, text);
    }
    say_everything();
}

static unsigned statements(void)
{
    weir_store_entry entries[KEYS];
    const size_t count = read_all(entries);
    struct told_list *list = told_copy(entries, sizeof *entries, count);
    struct changes *changes = changes_new();
    struct told_authors authors = {NULL, 0, 0};
    size_t wrong = 0;
    unsigned found = 0;
    list->is_everything = true;
    assert_true(told_read(list, &authors, changes, &wrong));
    for (const struct changed_key *key = changes->first ? changes->first->first : NULL; key;
         key = key->next)
        found += key->is_said && key->allows;
    changes_free(changes);
    told_authors_release(&authors);
    told_free(list);
    return found;
}

static void few_keys_are_left_alone(void **state)
{
    (void)state;
    make_keys(TIDYING_KEYS);
    tidying_try();
    assert_null(asked.done);
}

static void many_become_few(void **state)
{
    (void)state;
    make_keys(TIDYING_KEYS + 1);
    tidying_try();
    assert_string_equal(asked_key, TOLD_PREFIX TOLD_TIDYING);
    tidying_try(); /* it is at it */
    answer(WEIR_STORE_DONE);
    assert_int_equal(asked.action, WEIR_STORE_DO_LIST);
    assert_false(tidying_has_work());
    answer(WEIR_STORE_DONE);
    assert_int_equal(woken, 1);
    assert_true(tidying_has_work());
    tidying_merge();
    assert_false(tidying_has_work());
    for (unsigned i = 0; asked.done; i++) {
        assert_int_equal(asked.action, i < 2 ? WEIR_STORE_DO_PUT : WEIR_STORE_DO_DELETE);
        assert_int_equal(statements(), TIDYING_KEYS + 1);
        answer(WEIR_STORE_DONE);
    }
    assert_int_equal(statements(), TIDYING_KEYS + 1);
    assert_int_equal(count_keys(TOLD_PREFIX), 3);
    assert_int_equal(count_keys(TOLD_PREFIX "merged-"), 2);
    say_everything();
    tidying_try();
    assert_null(asked.done);
}

static void who_is_late_leaves_it_to_the_other(void **state)
{
    (void)state;
    make_keys(100);
    write_key(TOLD_PREFIX TOLD_TIDYING, "# another");
    tidying_try();
    answer(WEIR_STORE_DONE); /* it has not heard of that */
    assert_null(asked.done);
    say_everything();
    tidying_try(); /* and now it has, and there are many still */
    answer(WEIR_STORE_DONE);
    assert_int_equal(asked.action, WEIR_STORE_DO_LIST);
}

/* Whatever fails: nothing is deleted that has no part that is there, and it is tried anew. */
static void what_fails_is_given_up(void **state)
{
    (void)state;
    for (unsigned failing = 0; failing < 8; failing++) {
        make_keys(100);
        tidying_try();
        for (unsigned i = 0; i <= failing && asked.done; i++) {
            answer(i == failing ? (failing % 2 ? WEIR_STORE_FAILED : WEIR_STORE_UNKNOWN)
                                : WEIR_STORE_DONE);
            if (tidying_has_work())
                tidying_merge();
        }
        assert_null(asked.done);
        assert_int_equal(statements(), 100);
        say_everything();
    }
    tidying_try();
    while (asked.done) {
        answer(WEIR_STORE_DONE);
        if (tidying_has_work())
            tidying_merge();
    }
    assert_int_equal(statements(), 100);
    assert_int_equal(count_keys(TOLD_PREFIX), 3); /* and what was left of those is gone */
}

static void an_end_in_the_middle_frees_everything(void **state)
{
    (void)state;
    for (unsigned end = 0; end < 6; end++) {
        make_keys(100);
        tidying_try();
        for (unsigned i = 0; i < end; i++) {
            answer(WEIR_STORE_DONE);
            if (tidying_has_work() && end != 2)
                tidying_merge();
        }
        tidying_end();
        asked.done = NULL;
        tidying_begin(0xcc + end, wake);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(few_keys_are_left_alone),
        TEST(many_become_few),
        TEST(who_is_late_leaves_it_to_the_other),
        TEST(what_fails_is_given_up),
        TEST(an_end_in_the_middle_frees_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
