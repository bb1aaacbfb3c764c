/* SPDX-License-Identifier: Apache-2.0
 *
 * Verdicts as values: what an event's outcome is when several plugins answer, at once or later, on
 * this thread or another. The plugins are functions of this file, scripted by each test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/host/registry.h"

#define PLUGINS 3

enum act {
    ALLOW,
    REFUSE,      /* with a reason that names the plugin */
    REFUSE_MUTE, /* without one */
    FAIL,
    REASON_ONLY, /* weir_refuse(), but WEIR_OK */
    HOLD,
    HOLD_DECIDED, /* answered before the callback returns */
    HOLD_THREAD,  /* a thread of its own refuses */
    HOLD_REPLY,
};

static struct {
    enum act acts[PLUGINS];
    unsigned notified;                /* bits of plugins */
    struct weir_hold holds[8];        /* what the source has given out */
    struct weir_hold *taken[PLUGINS]; /* what the plugin got; NULL: nothing */
    size_t hold_count;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t came_back;
    size_t back; /* holds that were released */
} world = {.lock = PTHREAD_MUTEX_INITIALIZER, .came_back = PTHREAD_COND_INITIALIZER};

static struct weir_plugin plugins[PLUGINS];
static struct plugin_registry registry;
static struct weir_session session;

/* malloc() as the linker finds it for the code under test (-Wl,--wrap). */
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
static bool no_memory;

void *__wrap_malloc(size_t size)
{
    return no_memory ? NULL : __real_malloc(size);
}

/* ---- The session's side ---- */

static void release(struct weir_hold *hold)
{
    (void)hold;
    pthread_mutex_lock(&world.lock);
    world.back++;
    pthread_cond_signal(&world.came_back);
    pthread_mutex_unlock(&world.lock);
}

static struct weir_hold *source_hold(void *data, enum plugin_hold_kind kind)
{
    (void)data;
    (void)kind;
    struct weir_hold *hold = &world.holds[world.hold_count++];
    *hold = (struct weir_hold){.release = release};
    return hold;
}

static const struct plugin_facts_source source = {.hold = source_hold};

static void wait_until_back(size_t count)
{
    pthread_mutex_lock(&world.lock);
    while (world.back < count)
        pthread_cond_wait(&world.came_back, &world.lock);
    pthread_mutex_unlock(&world.lock);
}

/* ---- The plugins' side ---- */

static void decide(size_t index, weir_verdict verdict, const char *reason)
{
    plugin_host.decide(world.taken[index], verdict, 4000 + (uint32_t)index, "42000", reason,
                       strlen(reason));
}

static void *refuse_on_a_thread(void *index)
{
    decide((size_t)index, WEIR_REFUSE, "from a thread");
    return NULL;
}

static weir_verdict act(size_t index)
{
    static const char *const reasons[PLUGINS] = {"zero", "one", "two"};
    weir_plugin *plugin = &plugins[index];
    world.notified |= 1U << index;
    switch (world.acts[index]) {
    case ALLOW:
        break;
    case REFUSE:
    case REASON_ONLY:
        plugin_host.refuse(&session, 4000 + (uint32_t)index, NULL, reasons[index],
                           strlen(reasons[index]));
        return world.acts[index] == REFUSE ? WEIR_REFUSE : WEIR_OK;
    case REFUSE_MUTE:
        return WEIR_REFUSE;
    case FAIL:
        return WEIR_FAIL;
    case HOLD_REPLY:
        world.taken[index] = plugin_host.hold(&session, plugin);
        break;
    case HOLD:
    case HOLD_DECIDED:
    case HOLD_THREAD:
        world.taken[index] = plugin_host.hold_verdict(&session, plugin);
        if (world.acts[index] == HOLD_DECIDED)
            decide(index, WEIR_REFUSE, "already");
        if (world.acts[index] == HOLD_THREAD)
            assert_int_equal(pthread_create(&world.thread, NULL, refuse_on_a_thread, (void *)index),
                             0);
        break;
    }
    return WEIR_OK;
}

#define PLUGIN(number)                                                                             \
    static weir_verdict connection_##number(weir_session *s, weir_connection_event event)          \
    {                                                                                              \
        (void)s, (void)event;                                                                      \
        return act(number);                                                                        \
    }                                                                                              \
    static weir_verdict general_##number(weir_session *s, weir_general_event event,                \
                                         const char *command)                                      \
    {                                                                                              \
        (void)s, (void)event, (void)command;                                                       \
        return act(number);                                                                        \
    }                                                                                              \
    static weir_verdict parse_##number(weir_session *s, weir_parse_event event)                    \
    {                                                                                              \
        (void)s, (void)event;                                                                      \
        return act(number);                                                                        \
    }                                                                                              \
    static const weir_manifest manifest_##number = {.on_connection_event = connection_##number,    \
                                                    .on_general_event = general_##number,          \
                                                    .on_parse_event = parse_##number};
PLUGIN(0)
PLUGIN(1)
PLUGIN(2)

static int begin(void **state)
{
    static const weir_manifest *const manifests[PLUGINS] = {&manifest_0, &manifest_1, &manifest_2};
    static const char *const names[PLUGINS] = {"p0", "p1", "p2"};
    (void)state;
    memset(&registry, 0, sizeof registry);
    for (size_t i = 0; i < PLUGINS; i++) {
        world.acts[i] = ALLOW;
        world.taken[i] = NULL;
        plugins[i] =
            (struct weir_plugin){.registry = &registry,
                                 .index = i,
                                 .identity = {.name = names[i], .refuses_on_failure = true},
                                 .manifest = manifests[i],
                                 .enabled = true};
        registry.plugins[registry.count++] = &plugins[i];
        registry.connection.plugins[registry.connection.count++] = &plugins[i];
        registry.general.plugins[registry.general.count++] = &plugins[i];
        registry.parse.plugins[registry.parse.count++] = &plugins[i];
    }
    world.notified = 0;
    world.hold_count = world.back = 0;
    plugin_session_init(&session);
    session.source = &source;
    return 0;
}

static struct plugin_verdict starting(enum act first, enum act second, enum act third)
{
    struct plugin_verdict verdict;
    world.acts[0] = first;
    world.acts[1] = second;
    world.acts[2] = third;
    plugin_general_event(&registry, &session, WEIR_STARTING, &verdict);
    return verdict;
}

#define assert_refused(verdict, by_plugin, reason)                                                 \
    do {                                                                                           \
        assert_int_equal((verdict).outcome, PLUGIN_REFUSED);                                       \
        assert_int_equal((verdict).order, by_plugin);                                              \
        assert_string_equal((verdict).refusal.by, plugins[by_plugin].identity.name);               \
        assert_string_equal((verdict).refusal.message, reason);                                    \
    } while (0)

/* ---- At once ---- */

static void allowing_writes_the_outcome_only(void **state)
{
    (void)state;
    struct plugin_verdict verdict, before;
    memset(&verdict, 0xA5, sizeof verdict);
    before = verdict;
    plugin_general_event(&registry, &session, WEIR_STARTING, &verdict);
    assert_int_equal(verdict.outcome, PLUGIN_ALLOWED);
    assert_memory_equal(&verdict.refusal, &before.refusal, sizeof verdict.refusal);
    assert_int_equal(verdict.order, before.order);
    assert_null(session.running);
}

static void the_first_refusal_counts_and_all_are_notified(void **state)
{
    (void)state;
    struct plugin_verdict verdict = starting(ALLOW, REFUSE, REFUSE);
    assert_refused(verdict, 1, "one");
    assert_int_equal(verdict.refusal.code, 4001);
    assert_int_equal(world.notified, 7);
    verdict = starting(FAIL, REFUSE, ALLOW);
    assert_refused(
        verdict, 0,
        "plugin p0 failed, and its on_failure is \"refuse\"; the server's log says more");
    plugins[0].identity.refuses_on_failure = false;
    verdict = starting(FAIL, REFUSE_MUTE, REFUSE);
    assert_refused(verdict, 1, "plugin p1 refused this");
}

/* A reason that a plugin gave without refusing was once taken for the next plugin's. */
/* Forgetting `return` must not let pass what was to be refused. */
static void a_reason_without_a_refusal_refuses(void **state)
{
    (void)state;
    struct plugin_verdict verdict = starting(ALLOW, REASON_ONLY, REFUSE_MUTE);
    assert_refused(verdict, 1, "one");
    assert_int_equal(starting(REASON_ONLY, ALLOW, ALLOW).outcome, PLUGIN_REFUSED);
    plugin_general_event(&registry, &session, WEIR_COMPLETED, &verdict);
    assert_int_equal(verdict.outcome, PLUGIN_ALLOWED);
}

static void what_cannot_be_refused_is_refused_by_a_failure_only(void **state)
{
    (void)state;
    struct plugin_verdict verdict;
    starting(ALLOW, ALLOW, ALLOW);
    world.acts[0] = REFUSE;
    plugin_general_event(&registry, &session, WEIR_COMPLETED, &verdict);
    assert_int_equal(verdict.outcome, PLUGIN_ALLOWED);
    world.acts[2] = FAIL;
    plugin_general_event(&registry, &session, WEIR_ERROR, &verdict);
    assert_refused(
        verdict, 2,
        "plugin p2 failed, and its on_failure is \"refuse\"; the server's log says more");
}

/* ---- Later ---- */

static void a_hold_makes_the_verdict_pending_until_it_is_decided(void **state)
{
    (void)state;
    struct plugin_verdict verdict = starting(ALLOW, HOLD, ALLOW);
    assert_int_equal(verdict.outcome, PLUGIN_PENDING);
    assert_int_equal(world.notified, 7);
    assert_int_equal(world.hold_count, 1);
    assert_int_equal(world.holds[0].kind, PLUGIN_HOLD_VERDICT);
    assert_string_equal(world.holds[0].plugin_name, "p1");
    decide(1, WEIR_OK, "");
    assert_int_equal(world.back, 1);
    plugin_verdict_merge(&verdict, &world.holds[0]);
    plugin_verdict_settle(&verdict);
    assert_int_equal(verdict.outcome, PLUGIN_ALLOWED);

    verdict = starting(ALLOW, ALLOW, HOLD);
    decide(2, WEIR_REFUSE, "after all");
    plugin_verdict_merge(&verdict, &world.holds[1]);
    plugin_verdict_settle(&verdict);
    assert_refused(verdict, 2, "after all");
    assert_int_equal(verdict.refusal.code, 4002);
    assert_string_equal(verdict.refusal.sqlstate, "42000");
}

static void the_first_in_order_wins_whenever_it_answers(void **state)
{
    (void)state;
    for (int reversed = 0; reversed < 2; reversed++) {
        world.hold_count = 0;
        struct plugin_verdict verdict = starting(HOLD, REFUSE, HOLD);
        assert_int_equal(verdict.outcome, PLUGIN_PENDING);
        assert_int_equal(verdict.order, 1);
        decide(0, WEIR_REFUSE, "late, but first");
        decide(2, WEIR_REFUSE, "too late");
        plugin_verdict_merge(&verdict, &world.holds[reversed]);
        plugin_verdict_merge(&verdict, &world.holds[!reversed]);
        plugin_verdict_settle(&verdict);
        assert_refused(verdict, 0, "late, but first");
    }
    world.hold_count = 0;
    struct plugin_verdict verdict = starting(HOLD, REFUSE, HOLD);
    decide(0, WEIR_OK, "");
    decide(2, WEIR_REFUSE, "too late");
    plugin_verdict_merge(&verdict, &world.holds[1]);
    plugin_verdict_merge(&verdict, &world.holds[0]);
    plugin_verdict_settle(&verdict);
    assert_refused(verdict, 1, "one");
}

static void a_decision_without_a_reason_names_the_plugin(void **state)
{
    (void)state;
    struct plugin_verdict verdict = starting(HOLD, ALLOW, ALLOW);
    decide(0, WEIR_REFUSE, "");
    plugin_verdict_merge(&verdict, &world.holds[0]);
    plugin_verdict_settle(&verdict);
    assert_refused(verdict, 0, "plugin p0 refused this");
}

static void on_failure_decides_about_a_late_failure(void **state)
{
    (void)state;
    struct plugin_verdict verdict = starting(HOLD, HOLD, ALLOW);
    plugins[0].identity.refuses_on_failure = false;
    decide(0, WEIR_FAIL, "no answer");
    decide(1, WEIR_FAIL, "no answer");
    assert_false(world.holds[0].refused);
    plugin_verdict_merge(&verdict, &world.holds[0]);
    plugin_verdict_merge(&verdict, &world.holds[1]);
    plugin_verdict_settle(&verdict);
    assert_refused(
        verdict, 1,
        "plugin p1 failed, and its on_failure is \"refuse\"; the server's log says more");
}

static void a_refusal_that_finds_no_memory_is_still_one(void **state)
{
    (void)state;
    struct plugin_verdict verdict = starting(HOLD, ALLOW, ALLOW);
    no_memory = true;
    decide(0, WEIR_REFUSE, "because");
    no_memory = false;
    plugin_verdict_merge(&verdict, &world.holds[0]);
    plugin_verdict_settle(&verdict);
    assert_refused(verdict, 0, "weir: out of memory");
}

static void an_answer_for_a_session_that_has_ended_is_dropped(void **state)
{
    (void)state;
    starting(HOLD, ALLOW, ALLOW);
    decide(0, WEIR_REFUSE, "nobody reads this");
    plugin_hold_drop(&world.holds[0]); /* the sanitizer sees a leak otherwise */
    assert_null(world.holds[0].refusal);
}

static void a_plugin_may_answer_before_its_callback_returns(void **state)
{
    (void)state;
    struct plugin_verdict verdict = starting(HOLD_DECIDED, ALLOW, ALLOW);
    assert_int_equal(verdict.outcome, PLUGIN_PENDING);
    assert_int_equal(world.back, 1);
    plugin_verdict_merge(&verdict, &world.holds[0]);
    plugin_verdict_settle(&verdict);
    assert_refused(verdict, 0, "already");
}

static void a_thread_answers_while_the_event_runs(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++) {
        world.hold_count = world.back = 0;
        struct plugin_verdict verdict = starting(HOLD_THREAD, ALLOW, REFUSE);
        assert_int_equal(verdict.outcome, PLUGIN_PENDING);
        wait_until_back(1);
        plugin_verdict_merge(&verdict, &world.holds[0]);
        plugin_verdict_settle(&verdict);
        assert_refused(verdict, 0, "from a thread");
        pthread_join(world.thread, NULL);
    }
}

static void only_three_events_can_be_answered_later(void **state)
{
    (void)state;
    static const weir_connection_event no_connection[] = {WEIR_CONNECTED, WEIR_CHANGE_USER,
                                                          WEIR_REJECT, WEIR_DISCONNECT};
    static const weir_general_event no_general[] = {WEIR_COMPLETED, WEIR_ERROR};
    struct plugin_verdict verdict;
    starting(ALLOW, ALLOW, ALLOW);
    world.acts[0] = HOLD;
    for (size_t i = 0; i < sizeof no_connection / sizeof *no_connection; i++) {
        plugin_connection_event(&registry, &session, no_connection[i], &verdict);
        assert_int_equal(verdict.outcome, PLUGIN_ALLOWED);
        assert_null(world.taken[0]);
    }
    for (size_t i = 0; i < sizeof no_general / sizeof *no_general; i++) {
        plugin_general_event(&registry, &session, no_general[i], &verdict);
        assert_int_equal(verdict.outcome, PLUGIN_ALLOWED);
        assert_null(world.taken[0]);
    }
    assert_null(plugin_host.hold_verdict(&session, &plugins[0])); /* no event at all */
    assert_null(plugin_host.hold(&session, &plugins[0]));
    plugin_connection_event(&registry, &session, WEIR_PRE_CONNECT, &verdict);
    assert_int_equal(verdict.outcome, PLUGIN_PENDING);
    plugin_connection_event(&registry, &session, WEIR_PRE_AUTH, &verdict);
    assert_int_equal(verdict.outcome, PLUGIN_PENDING);
    plugin_parse_event(&registry, &session, WEIR_PRE_PARSE, &verdict);
    assert_int_equal(verdict.outcome, PLUGIN_PENDING);
    assert_int_equal(world.hold_count, 3);
    session.source = NULL;
    plugin_parse_event(&registry, &session, WEIR_PRE_PARSE, &verdict);
    assert_int_equal(verdict.outcome, PLUGIN_ALLOWED); /* the session cannot wait */
}

static void a_held_reply_does_not_make_a_verdict_pending(void **state)
{
    (void)state;
    struct plugin_verdict verdict;
    starting(ALLOW, ALLOW, ALLOW);
    world.acts[1] = HOLD_REPLY;
    plugin_general_event(&registry, &session, WEIR_COMPLETED, &verdict);
    assert_int_equal(verdict.outcome, PLUGIN_ALLOWED);
    assert_int_equal(world.holds[0].kind, PLUGIN_HOLD_REPLY);
    plugin_host.release(world.taken[1], WEIR_FAIL);
    assert_true(world.holds[0].failed);
}

static void what_runs_beside_the_events_holds_and_refuses_nothing_of_them(void **state)
{
    (void)state;
    struct plugin_refusal refusal = {.code = 1}, other = {.code = 2};
    struct plugin_running event = {
        .plugin = &plugins[0], .refusal = &refusal, .may_hold_verdict = true};
    struct plugin_running function = {.plugin = &plugins[0], .refusal = &other};
    session.running = &event;
    plugin_set_calling(&function);
    assert_null(plugin_host.hold_verdict(&session, &plugins[0]));
    plugin_host.refuse(&session, 9, NULL, "x", 1);
    assert_int_equal(refusal.code, 1);
    assert_int_equal(other.code, 9);
    assert_false(event.gave_reason);
    plugin_set_calling(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, begin)
    const struct CMUnitTest tests[] = {
        TEST(allowing_writes_the_outcome_only),
        TEST(the_first_refusal_counts_and_all_are_notified),
        TEST(a_reason_without_a_refusal_refuses),
        TEST(what_cannot_be_refused_is_refused_by_a_failure_only),
        TEST(a_hold_makes_the_verdict_pending_until_it_is_decided),
        TEST(the_first_in_order_wins_whenever_it_answers),
        TEST(a_decision_without_a_reason_names_the_plugin),
        TEST(on_failure_decides_about_a_late_failure),
        TEST(a_refusal_that_finds_no_memory_is_still_one),
        TEST(an_answer_for_a_session_that_has_ended_is_dropped),
        TEST(a_plugin_may_answer_before_its_callback_returns),
        TEST(a_thread_answers_while_the_event_runs),
        TEST(only_three_events_can_be_answered_later),
        TEST(a_held_reply_does_not_make_a_verdict_pending),
        TEST(what_runs_beside_the_events_holds_and_refuses_nothing_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
