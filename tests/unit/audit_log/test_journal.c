/* SPDX-License-Identifier: Apache-2.0
 *
 * The journal over a sink that the test can break: numbers without gaps, links that fit, clients
 * that wait as long as they must and no longer, and what is said about what is lost. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "audit_test.h"
#include "journal.h"

/* ---- A sink in memory ---- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct sink sink;
    struct strbuf lines;
    struct sink_end end;
    bool fails, is_blocked, blocks;
    unsigned syncs, tries;
    size_t takes_at_most; /* bytes of one commit; 0: all */
} memory = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static const struct sink_type sink_memory;

static struct sink *memory_open(const struct sink_options *options, const struct format *format,
                                struct sink_end *end, struct error *error)
{
    (void)options;
    (void)format;
    pthread_mutex_lock(&memory.lock);
    bool fails = memory.fails;
    pthread_mutex_unlock(&memory.lock);
    error_set(error, "broken on purpose");
    memory.sink.type = &sink_memory;
    if (memory.end.sequence)
        *end = memory.end;
    return fails ? NULL : &memory.sink;
}

static int memory_commit(struct sink *sink, const char *lines, size_t size, bool sync,
                         size_t *taken, struct error *error)
{
    (void)sink;
    pthread_mutex_lock(&memory.lock);
    memory.is_blocked = memory.blocks;
    pthread_cond_broadcast(&memory.changed);
    while (memory.blocks)
        pthread_cond_wait(&memory.changed, &memory.lock);
    memory.is_blocked = false;
    memory.tries++;
    memory.syncs += sync;
    *taken = 0;
    if (memory.takes_at_most && size > memory.takes_at_most) {
        const char *last = memrchr(lines, '\n', memory.takes_at_most);
        *taken = last ? (size_t)(last + 1 - lines) : 0;
    } else if (!memory.fails) {
        *taken = size;
    }
    strbuf_add(&memory.lines, lines, *taken);
    pthread_cond_broadcast(&memory.changed);
    pthread_mutex_unlock(&memory.lock);
    error_set(error, "broken on purpose");
    return *taken == size ? 0 : -1;
}

static int memory_set_format(struct sink *sink, const struct format *format, struct error *error)
{
    (void)sink;
    (void)format;
    (void)error;
    return 0;
}

/* The name is what the old file ends with. */
static int memory_rotate(struct sink *sink, struct strbuf *name, struct error *error)
{
    (void)sink;
    (void)error;
    pthread_mutex_lock(&memory.lock);
    const char *last =
        memory.lines.size ? memrchr(memory.lines.data, '\n', memory.lines.size - 1) : NULL;
    if (last)
        strbuf_add(name, last + 1, (size_t)(memory.lines.data + memory.lines.size - last - 1));
    pthread_mutex_unlock(&memory.lock);
    return 0;
}

static void memory_close(struct sink *sink)
{
    (void)sink;
}

static const struct sink_type sink_memory = {.name = "MEMORY",
                                             .open = memory_open,
                                             .commit = memory_commit,
                                             .set_format = memory_set_format,
                                             .rotate = memory_rotate,
                                             .close = memory_close};

static void set(bool *flag, bool value)
{
    pthread_mutex_lock(&memory.lock);
    *flag = value;
    pthread_cond_broadcast(&memory.changed);
    pthread_mutex_unlock(&memory.lock);
}

static void wait_until_blocked(void)
{
    pthread_mutex_lock(&memory.lock);
    while (!memory.is_blocked)
        pthread_cond_wait(&memory.changed, &memory.lock);
    pthread_mutex_unlock(&memory.lock);
}

static void wait_for_words(const char *words)
{
    pthread_mutex_lock(&memory.lock);
    while (!memory.lines.size ||
           !memmem(memory.lines.data, memory.lines.size, words, strlen(words)))
        pthread_cond_wait(&memory.changed, &memory.lock);
    pthread_mutex_unlock(&memory.lock);
}

/* ---- Journals ---- */

static struct journal_options options_of(enum strategy strategy)
{
    return (struct journal_options){.sink = &sink_memory,
                                    .format = &format_json,
                                    .strategy = strategy,
                                    .buffer_bytes = 1 << 20};
}

static int setup(void **state)
{
    (void)state;
    strbuf_reset(&memory.lines);
    memory.end = (struct sink_end){0};
    memory.fails = memory.blocks = false;
    memory.syncs = memory.tries = 0;
    memory.takes_at_most = 0;
    return 0;
}

static weir_verdict add(struct journal *journal, struct weir_session *session, const char *word)
{
    struct strbuf bodies = {0};
    strbuf_printf(&bodies, "\"event\":\"%s\"}\n", word);
    weir_verdict verdict = journal_add(journal, session, &format_json, &bodies, 1000);
    strbuf_release(&bodies);
    return verdict;
}

/* Every line is a record, numbered from `first` on, and linked if it must be. Returns how many. */
static uint64_t check_lines(uint64_t first, bool has_chain)
{
    const char *at = memory.lines.data, *end = at + memory.lines.size;
    char link[CHAIN_TEXT_BYTES], expected[CHAIN_TEXT_BYTES];
    uint64_t sequence, count = 0;
    memcpy(expected, first == 1 ? chain_beginning : memory.end.chain, sizeof expected);
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        assert_true(format_json.read_prefix(at, (size_t)(newline - at), &sequence, link));
        assert_int_equal(sequence, first + count++);
        if (has_chain)
            assert_string_equal(link, expected);
        chain_of(at, (size_t)(newline - at), expected);
        at = newline + 1;
    }
    return count;
}

static size_t count_words(const char *words)
{
    size_t count = 0;
    const char *at = memory.lines.data, *end = at + memory.lines.size;
    while ((at = memmem(at, (size_t)(end - at), words, strlen(words)))) {
        count++;
        at++;
    }
    return count;
}

static void *many_adds(void *journal)
{
    struct weir_session session;
    fake_session_init(&session);
    for (int i = 0; i < 500; i++)
        assert_int_equal(add(journal, &session, "x"), WEIR_OK);
    return NULL;
}

static void test_many_threads_records_are_numbered_and_chained(void **state)
{
    (void)state;
    struct journal_options options = options_of(STRATEGY_ASYNCHRONOUS);
    struct error error;
    pthread_t threads[4];
    options.has_chain = true;
    struct journal *journal = journal_start(&options, &error);
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, many_adds, journal);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    journal_stop(journal);
    assert_int_equal(check_lines(1, true), 2002); /* with Start and Stop */
    assert_int_equal(count_words("\"event\":\"Start\""), 1);
    assert_int_equal(count_words("\"event\":\"Stop\""), 1);
}

static void test_a_log_goes_on_where_it_ended(void **state)
{
    (void)state;
    struct journal_options options = options_of(STRATEGY_ASYNCHRONOUS);
    struct error error;
    memory.end = (struct sink_end){.sequence = 41, .torn_bytes = 5};
    chain_of("line 41", 7, memory.end.chain);
    options.has_chain = true;
    journal_stop(journal_start(&options, &error));
    assert_int_equal(check_lines(42, true), 2);
    assert_int_equal(count_words("\"torn_bytes\":5"), 1);
}

static void test_synchronous_clients_wait_for_the_sync_and_share_it(void **state)
{
    (void)state;
    struct journal_options options = options_of(STRATEGY_SYNCHRONOUS);
    struct weir_session session;
    struct weir_hold *holds[10];
    struct error error;
    fake_session_init(&session);
    set(&memory.blocks, true);
    struct journal *journal = journal_start(&options, &error);
    wait_until_blocked(); /* in the Start record */
    for (int i = 0; i < 10; i++) {
        assert_int_equal(add(journal, &session, "x"), WEIR_OK);
        holds[i] = fake_host.last_hold;
        assert_int_equal(atomic_load(&holds[i]->state), 0);
    }
    set(&memory.blocks, false);
    for (int i = 0; i < 10; i++)
        assert_int_equal(fake_hold_wait(holds[i]), WEIR_OK);
    assert_int_equal(memory.syncs, 2); /* the Start record's, and one for all ten */
    journal_stop(journal);
}

static void test_performance_loses_and_says_so_in_its_place(void **state)
{
    (void)state;
    struct journal_options options = options_of(STRATEGY_PERFORMANCE);
    struct weir_session session;
    struct error error;
    fake_session_init(&session);
    options.buffer_bytes = 200;
    set(&memory.blocks, true);
    struct journal *journal = journal_start(&options, &error);
    wait_until_blocked();
    for (int i = 0; i < 50; i++)
        assert_int_equal(add(journal, &session, "x"), WEIR_OK);
    uint64_t lost = atomic_load(&journal_counters(journal)->lost);
    assert_true(lost > 40 && lost < 50);
    set(&memory.blocks, false);
    wait_for_words("\"event\":\"Gap\"");
    journal_stop(journal);
    char words[32];
    snprintf(words, sizeof words, "\"lost\":%llu", (unsigned long long)lost);
    assert_int_equal(count_words(words), 1);
    assert_int_equal(count_words("\"reason\":\"the buffer was full\""), 1);
    assert_int_equal(check_lines(1, false), 50 - lost + 3);
}

static void test_asynchronous_clients_wait_when_the_buffer_is_full(void **state)
{
    (void)state;
    struct journal_options options = options_of(STRATEGY_ASYNCHRONOUS);
    struct weir_session session;
    struct error error;
    fake_session_init(&session);
    options.buffer_bytes = 200;
    set(&memory.blocks, true);
    fake_host.last_hold = NULL;
    struct journal *journal = journal_start(&options, &error);
    wait_until_blocked();
    int adds = 0;
    while (!fake_host.last_hold && adds++ < 50)
        add(journal, &session, "x");
    assert_in_range(adds, 2, 20);
    struct weir_hold *hold = fake_host.last_hold;
    assert_int_equal(atomic_load(&hold->state), 0);
    set(&memory.blocks, false);
    assert_int_equal(fake_hold_wait(hold), WEIR_OK);
    journal_stop(journal);
    assert_int_equal(check_lines(1, false), adds + 2);
    assert_int_equal(count_words("Gap"), 0);
}

/* The sink fails and recovers; `allow` or refuse decides who notices. */
static void fail_and_recover(bool allow, enum strategy strategy)
{
    struct journal_options options = options_of(strategy);
    struct weir_session session;
    struct error error;
    fake_session_init(&session);
    options.allow_on_failure = allow;
    options.has_chain = true;
    struct journal *journal = journal_start(&options, &error);
    wait_for_words("Start");
    set(&memory.fails, true);
    assert_int_equal(add(journal, &session, "first"), WEIR_OK);
    while (!atomic_load(&journal_counters(journal)->write_errors))
        sched_yield();
    if (strategy == STRATEGY_SYNCHRONOUS)
        assert_int_equal(fake_hold_wait(fake_host.last_hold), allow ? WEIR_OK : WEIR_FAIL);
    assert_int_equal(journal_refuses(journal), !allow);
    journal_error(journal, &error);
    assert_string_equal(error.message, "broken on purpose");
    assert_int_equal(add(journal, &session, "second"), allow ? WEIR_OK : WEIR_FAIL);
    set(&memory.fails, false);
    wait_for_words("\"event\":\"Gap\"");
    assert_false(journal_refuses(journal));
    assert_int_equal(add(journal, &session, "third"), WEIR_OK);
    journal_stop(journal);
    assert_int_equal(check_lines(1, true), 6);
    assert_int_equal(count_words("\"lost\":0"), 1); /* it was only late */
    assert_int_equal(count_words("first"), 1);
    assert_int_equal(count_words("second"), 1);
}

static void test_a_sink_that_fails_and_recovers(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        setup(NULL);
        fail_and_recover(i & 1, i & 2 ? STRATEGY_SYNCHRONOUS : STRATEGY_ASYNCHRONOUS);
    }
}

static void test_what_does_not_fit_while_the_sink_fails_is_counted(void **state)
{
    (void)state;
    struct journal_options options = options_of(STRATEGY_ASYNCHRONOUS);
    struct weir_session session;
    struct error error;
    fake_session_init(&session);
    options.allow_on_failure = true;
    options.buffer_bytes = 500;
    struct journal *journal = journal_start(&options, &error);
    wait_for_words("Start");
    set(&memory.fails, true);
    add(journal, &session, "x");
    while (!atomic_load(&journal_counters(journal)->write_errors))
        sched_yield();
    for (int i = 0; i < 100; i++)
        assert_int_equal(add(journal, &session, "x"), WEIR_OK);
    uint64_t lost = atomic_load(&journal_counters(journal)->lost);
    assert_true(lost > 80);
    set(&memory.fails, false);
    wait_for_words("\"event\":\"Gap\"");
    journal_stop(journal);
    assert_int_equal(count_words("\"reason\":\"the log could not be written\""), 1);
    assert_int_equal(check_lines(1, false), 101 - lost + 3);
}

static void test_a_sink_that_cannot_be_opened(void **state)
{
    (void)state;
    struct journal_options options = options_of(STRATEGY_ASYNCHRONOUS);
    struct weir_session session;
    struct error error;
    fake_session_init(&session);
    memory.fails = true;
    assert_null(journal_start(&options, &error));
    assert_string_equal(error.message, "broken on purpose");
    options.allow_on_failure = true;
    struct journal *journal = journal_start(&options, &error);
    assert_non_null(journal);
    assert_int_equal(add(journal, &session, "early"), WEIR_OK);
    set(&memory.fails, false);
    wait_for_words("early");
    journal_stop(journal);
    assert_int_equal(check_lines(1, false), 4); /* Start, early, Gap, Stop */
}

/* A socket takes a part: the rest follows, and nothing comes twice. */
static void test_a_sink_that_takes_a_part(void **state)
{
    (void)state;
    struct journal_options options = options_of(STRATEGY_ASYNCHRONOUS);
    struct weir_session session;
    struct error error;
    fake_session_init(&session);
    struct journal *journal = journal_start(&options, &error);
    wait_for_words("Start");
    pthread_mutex_lock(&memory.lock);
    memory.takes_at_most = 200;
    pthread_mutex_unlock(&memory.lock);
    for (int i = 0; i < 20; i++)
        add(journal, &session, "x");
    wait_for_words("\"seq\":15");
    journal_stop(journal);
    assert_true(check_lines(1, false) >= 22);
    assert_int_equal(count_words("\"event\":\"x\""), 20);
}

/* Whether the writer is busy or idle, what was added before is in the old file. */
static void test_a_rotation_comes_behind_what_was_added_before(void **state)
{
    (void)state;
    struct journal_options options = options_of(STRATEGY_ASYNCHRONOUS);
    struct error error;
    char last[8];
    struct weir_session session;
    fake_session_init(&session);
    struct journal *journal = journal_start(&options, &error);
    for (int i = 0; i < 20; i++) {
        struct strbuf name = {0};
        snprintf(last, sizeof last, "x%d", i);
        add(journal, &session, last);
        assert_int_equal(journal_rotate(journal, &name, &error), 0);
        assert_non_null(memmem(name.data, name.size, last, strlen(last)));
        strbuf_release(&name);
    }
    journal_stop(journal);
    assert_int_equal(check_lines(1, false), 22);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_rotation_comes_behind_what_was_added_before, setup),
        cmocka_unit_test_setup(test_many_threads_records_are_numbered_and_chained, setup),
        cmocka_unit_test_setup(test_a_log_goes_on_where_it_ended, setup),
        cmocka_unit_test_setup(test_synchronous_clients_wait_for_the_sync_and_share_it, setup),
        cmocka_unit_test_setup(test_performance_loses_and_says_so_in_its_place, setup),
        cmocka_unit_test_setup(test_asynchronous_clients_wait_when_the_buffer_is_full, setup),
        cmocka_unit_test_setup(test_a_sink_that_fails_and_recovers, setup),
        cmocka_unit_test_setup(test_what_does_not_fit_while_the_sink_fails_is_counted, setup),
        cmocka_unit_test_setup(test_a_sink_that_cannot_be_opened, setup),
        cmocka_unit_test_setup(test_a_sink_that_takes_a_part, setup),
    };
    int status = cmocka_run_group_tests(tests, NULL, NULL);
    strbuf_release(&memory.lines);
    return status;
}
