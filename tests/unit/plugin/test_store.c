/* SPDX-License-Identifier: Apache-2.0
 *
 * The store of <weir/store.h> as plugins call it: values, revisions, leases and news, over a store in memory whose time the
 * test moves, and over the one in a file; what a plugin cannot reach; and the end of its calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <unistd.h>

#include "plugin/host/plugin_store.h"

const weir_host_functions *weir_host_table = &plugin_host;
const weir_plugin *weir_self;

#define TEXT(text) ((weir_string){(text), strlen(text)})

static struct memory_hub *hub;
static struct store *shared;
static struct plugin_storage *storage;
static struct plugin_registry registry;
static struct weir_plugin one = {.identity.name = "one"}, other = {.identity.name = "one_more"};

static void open_with(struct store *store, const char *folder)
{
    storage = plugin_storage_new(store, "/weir", folder);
    assert_non_null(storage);
    registry.options.storage = storage;
    one.registry = other.registry = &registry;
    one.store = other.store = NULL;
    weir_self = &one;
}

static int begin(void **state)
{
    (void)state;
    hub = memory_hub_new();
    assert_non_null(hub);
    shared = memory_store_new(hub);
    assert_non_null(shared);
    open_with(shared, NULL);
    return 0;
}

static int end(void **state)
{
    (void)state;
    memory_hub_advance(hub, 0);
    plugin_store_close(&one, plugin_store_grace());
    plugin_store_close(&other, plugin_store_grace());
    store_free(shared);
    plugin_storage_free(storage);
    memory_hub_free(hub);
    return 0;
}

/* What has been answered or told, as text. */
struct heard {
    pthread_mutex_t lock;
    pthread_cond_t more;
    int answers;
    weir_store_status status;
    int64_t revision, lease;
    uint64_t ttl;
    char message[256];
    struct strbuf text;
};

#define HEARD_INIT                                                                                 \
    {                                                                                              \
        .lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER, .text = STRBUF_INIT   \
    }

static void add_entries(struct strbuf *text, const weir_store_entry *entries, uint32_t size,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const weir_store_entry *entry = weir_store_entry_at(entries, size, i);
        strbuf_printf(text, " %.*s%s%.*s", WEIR_STRING_ARGS(entry->key),
                      entry->is_deleted ? " gone" : "=", WEIR_STRING_ARGS(entry->value));
    }
    strbuf_add_text(text, "; ");
}

static void on_done(void *user, const weir_store_answer *answer)
{
    struct heard *heard = user;
    pthread_mutex_lock(&heard->lock);
    heard->answers++;
    heard->status = answer->status;
    heard->revision = answer->revision;
    heard->lease = answer->lease;
    heard->ttl = answer->ttl;
    snprintf(heard->message, sizeof heard->message, "%s", answer->message.data);
    strbuf_reset(&heard->text);
    add_entries(&heard->text, answer->entries, answer->entry_size, answer->count);
    pthread_cond_broadcast(&heard->more);
    pthread_mutex_unlock(&heard->lock);
}

static void on_news(void *user, const weir_store_news *news)
{
    static const char *const names[] = {"everything", "changes", "lost"};
    struct heard *heard = user;
    strbuf_add_text(&heard->text, names[news->kind]);
    add_entries(&heard->text, news->entries, news->entry_size, news->count);
}

/* The status of a call that was taken. */
#define STATUS_OF(call) (assert_int_equal((call), 1), memory_hub_advance(hub, 0), (int)heard.status)

static void what_was_put_is_got_listed_and_deleted(void **state)
{
    struct heard heard = HEARD_INIT;
    (void)state;
    assert_int_equal(STATUS_OF(weir_store_put(TEXT("k"), TEXT("v"), 0, 0, on_done, &heard)),
                     WEIR_STORE_DONE);
    const int64_t revision = heard.revision;
    assert_int_equal(STATUS_OF(weir_store_put(TEXT("k"), TEXT("w"), 0, 0, on_done, &heard)),
                     WEIR_STORE_DIFFERS);
    assert_string_equal(heard.message, "another one has changed it");
    assert_int_equal(STATUS_OF(weir_store_put(TEXT("k"), TEXT("w"), revision, 0, on_done, &heard)),
                     WEIR_STORE_DONE);
    assert_int_equal(
        STATUS_OF(weir_store_put(TEXT("l"), TEXT(""), WEIR_STORE_ANY, 0, on_done, &heard)),
        WEIR_STORE_DONE);
    assert_int_equal(STATUS_OF(weir_store_get(TEXT("k"), on_done, &heard)), WEIR_STORE_DONE);
    assert_string_equal(heard.text.data, " k=w; ");
    assert_int_equal(STATUS_OF(weir_store_list(TEXT(""), on_done, &heard)), WEIR_STORE_DONE);
    assert_string_equal(heard.text.data, " k=w l=; ");
    assert_int_equal(STATUS_OF(weir_store_delete(TEXT("k"), on_done, &heard)), WEIR_STORE_DONE);
    assert_int_equal(STATUS_OF(weir_store_get(TEXT("k"), on_done, &heard)), WEIR_STORE_DONE);
    assert_string_equal(heard.text.data, "; ");
    assert_int_equal(weir_store_put(TEXT("k"), TEXT("v"), 0, 0, NULL, NULL), 1);
    assert_int_equal(STATUS_OF(weir_store_delete_all(TEXT(""), on_done, &heard)), WEIR_STORE_DONE);
    assert_int_equal(STATUS_OF(weir_store_list(TEXT(""), on_done, &heard)), WEIR_STORE_DONE);
    assert_string_equal(heard.text.data, "; ");
    strbuf_release(&heard.text);
}

static void a_plugin_reaches_no_others_keys(void **state)
{
    struct heard heard = HEARD_INIT, news = HEARD_INIT;
    (void)state;
    weir_self = &other;
    assert_int_equal(weir_store_watch(TEXT(""), on_news, &news), 1);
    assert_int_equal(STATUS_OF(weir_store_put(TEXT("k"), TEXT("other's"), 0, 0, on_done, &heard)),
                     WEIR_STORE_DONE);
    weir_self = &one;
    assert_int_equal(STATUS_OF(weir_store_put(TEXT("k"), TEXT("one's"), 0, 0, on_done, &heard)),
                     WEIR_STORE_DONE);
    assert_int_equal(STATUS_OF(weir_store_put(TEXT("_more/k"), TEXT("x"), 0, 0, on_done, &heard)),
                     WEIR_STORE_DONE);
    assert_int_equal(STATUS_OF(weir_store_put(TEXT("../one_more/k"), TEXT("x"), WEIR_STORE_ANY, 0,
                                              on_done, &heard)),
                     WEIR_STORE_DONE);
    assert_int_equal(STATUS_OF(weir_store_list(TEXT(""), on_done, &heard)), WEIR_STORE_DONE);
    assert_string_equal(heard.text.data, " ../one_more/k=x _more/k=x k=one's; ");
    assert_int_equal(STATUS_OF(weir_store_delete_all(TEXT(""), on_done, &heard)), WEIR_STORE_DONE);
    weir_self = &other;
    assert_int_equal(STATUS_OF(weir_store_list(TEXT(""), on_done, &heard)), WEIR_STORE_DONE);
    assert_string_equal(heard.text.data, " k=other's; ");
    assert_string_equal(news.text.data, "everything k=other's; ");
    strbuf_release(&heard.text);
    strbuf_release(&news.text);
}

static void a_lease_ends_with_its_keys_and_is_one_plugins(void **state)
{
    struct heard heard = HEARD_INIT, news = HEARD_INIT;
    (void)state;
    assert_int_equal(weir_store_watch(TEXT("k"), on_news, &news), 1);
    assert_int_equal(STATUS_OF(weir_store_lease(1500000000, on_done, &heard)), WEIR_STORE_DONE);
    const int64_t lease = heard.lease;
    assert_true(heard.ttl == 2000000000);
    assert_int_equal(STATUS_OF(weir_store_put(TEXT("k"), TEXT("v"), 0, lease, on_done, &heard)),
                     WEIR_STORE_DONE);
    weir_self = &other;
    assert_int_equal(weir_store_put(TEXT("k"), TEXT("v"), 0, lease, on_done, &heard), 0);
    assert_int_equal(weir_store_keep(lease, on_done, &heard), 0);
    assert_int_equal(weir_store_end(lease, on_done, &heard), 0);
    weir_self = &one;
    memory_hub_advance(hub, 1999);
    assert_int_equal(STATUS_OF(weir_store_keep(lease, on_done, &heard)), WEIR_STORE_DONE);
    memory_hub_advance(hub, 1999);
    assert_string_equal(news.text.data, "everything; changes k=v; ");
    memory_hub_advance(hub, 1);
    assert_string_equal(news.text.data, "everything; changes k=v; changes k gone; ");
    assert_int_equal(STATUS_OF(weir_store_keep(lease, on_done, &heard)), WEIR_STORE_GONE);
    assert_int_equal(weir_store_keep(lease, on_done, &heard), 0); /* it is known now */
    for (int i = 0; i < 1000; i++) { /* those that have ended are not kept */
        assert_int_equal(STATUS_OF(weir_store_lease(1, on_done, &heard)), WEIR_STORE_DONE);
        memory_hub_advance(hub, 62000);
    }
    assert_int_equal(STATUS_OF(weir_store_end(heard.lease, on_done, &heard)), WEIR_STORE_GONE);
    assert_true(one.store->lease_room < 100);
    strbuf_release(&heard.text);
    strbuf_release(&news.text);
}

static void what_is_not_allowed_is_not_taken(void **state)
{
    static char long_one[WEIR_STORE_VALUE_BYTES + 1];
    struct heard heard = HEARD_INIT;
    const weir_string key = {long_one, WEIR_STORE_KEY_BYTES},
                      long_key = {long_one, WEIR_STORE_KEY_BYTES + 1};
    const weir_string value = {long_one, WEIR_STORE_VALUE_BYTES},
                      long_value = {long_one, WEIR_STORE_VALUE_BYTES + 1};
    (void)state;
    assert_int_equal(weir_store_put(long_key, value, 0, 0, on_done, &heard), 0);
    assert_int_equal(weir_store_put(key, long_value, 0, 0, on_done, &heard), 0);
    assert_int_equal(weir_store_put(TEXT(""), value, 0, 0, on_done, &heard), 0);
    assert_int_equal(weir_store_put(key, value, -2, 0, on_done, &heard), 0);
    assert_int_equal(weir_store_put(key, value, 0, -1, on_done, &heard), 0);
    assert_int_equal(weir_store_delete(TEXT(""), on_done, &heard), 0);
    assert_int_equal(weir_store_list(long_key, on_done, &heard), 0);
    assert_int_equal(weir_store_watch(long_key, on_news, &heard), 0);
    assert_int_equal(weir_store_watch(key, NULL, &heard), 0);
    assert_int_equal(weir_store_lease(0, on_done, &heard), 0);
    assert_int_equal(weir_store_lease(UINT64_MAX, on_done, &heard), 0);
    assert_int_equal(STATUS_OF(weir_store_put(key, value, 0, 0, on_done, &heard)), WEIR_STORE_DONE);
    for (int i = 0; i < WEIR_STORE_PENDING; i++)
        assert_int_equal(weir_store_get(key, on_done, &heard), 1);
    assert_int_equal(weir_store_get(key, on_done, &heard), 0);
    memory_hub_advance(hub, 0);
    assert_int_equal(heard.answers, 1 + WEIR_STORE_PENDING);
    assert_int_equal(STATUS_OF(weir_store_get(key, on_done, &heard)), WEIR_STORE_DONE);
    weir_host_functions older = plugin_host;
    older.struct_size = offsetof(weir_host_functions, store_call);
    weir_host_table = &older;
    assert_int_equal(weir_store_get(key, on_done, &heard), 0);
    assert_int_equal(weir_store_watch(key, on_news, &heard), 0);
    weir_host_table = &plugin_host;
    registry.options.storage = NULL;
    assert_int_equal(weir_store_get(key, on_done, &heard), 0);
    strbuf_release(&heard.text);
}

static void a_watcher_is_notified_when_the_store_is_lost_and_of_what_it_missed(void **state)
{
    struct heard heard = HEARD_INIT, news = HEARD_INIT;
    struct store *away = memory_store_new(hub);
    struct plugin_storage *of_this_node = storage;
    (void)state;
    assert_non_null(away);
    assert_int_equal(weir_store_watch(TEXT("k"), on_news, &news), 1);
    memory_hub_advance(hub, 0);
    memory_store_cut(shared, true);
    assert_int_equal(STATUS_OF(weir_store_put(TEXT("k"), TEXT("v"), 0, 0, on_done, &heard)),
                     WEIR_STORE_FAILED);
    assert_string_equal(heard.message, "the store cannot be reached");
    struct weir_plugin there = {.identity.name = "one", .registry = &registry};
    registry.options.storage = plugin_storage_new(away, "/weir", NULL);
    weir_self = &there;
    assert_int_equal(STATUS_OF(weir_store_put(TEXT("k"), TEXT("v"), 0, 0, on_done, &heard)),
                     WEIR_STORE_DONE);
    memory_store_cut(shared, false);
    memory_hub_advance(hub, 0);
    assert_string_equal(news.text.data, "everything; lost; changes k=v; ");
    plugin_store_close(&there, plugin_store_grace());
    store_free(away);
    plugin_storage_free(registry.options.storage);
    registry.options.storage = of_this_node;
    strbuf_release(&heard.text);
    strbuf_release(&news.text);
}

static void put_again(void *user, const weir_store_answer *answer)
{
    struct heard *heard = user;
    on_done(heard, answer);
    assert_int_equal(weir_store_put(TEXT("again"), TEXT("v"), 0, 0, on_done, heard), 0);
}

static void when_a_plugin_is_shut_down_each_call_has_been_answered_once(void **state)
{
    struct heard heard = HEARD_INIT, news = HEARD_INIT;
    (void)state;
    assert_int_equal(weir_store_watch(TEXT("k"), on_news, &news), 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(weir_store_put(TEXT("k"), TEXT("v"), 0, 0, put_again, &heard), 1);
    plugin_store_close(&one, plugin_store_grace());
    assert_int_equal(heard.answers, 3);
    assert_int_equal(heard.status, WEIR_STORE_UNKNOWN);
    assert_string_equal(heard.message, "the server ends");
    assert_int_equal(weir_store_watch(TEXT("k"), on_news, &news), 0);
    memory_hub_advance(hub, 0); /* the store's answers and news go to nobody */
    assert_int_equal(heard.answers, 3);
    assert_int_equal(news.text.size, 0);
    plugin_store_close(&one, plugin_store_grace()); /* once more does nothing */
    strbuf_release(&heard.text);
}

/* ---- With threads ---- */

static void wait_answers(struct heard *heard, int answers)
{
    pthread_mutex_lock(&heard->lock);
    while (heard->answers < answers)
        pthread_cond_wait(&heard->more, &heard->lock);
    pthread_mutex_unlock(&heard->lock);
}

static void make_folder(char *folder)
{
    assert_non_null(mkdtemp(folder));
}

static void remove_folder(const char *folder)
{
    char path[96];
    snprintf(path, sizeof path, "%s/plugin-store/data", folder);
    assert_int_equal(unlink(path), 0);
    *strrchr(path, '/') = '\0';
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void a_local_store_is_in_the_data_directory(void **state)
{
    char folder[] = "/tmp/test_plugin_store.XXXXXX";
    struct heard heard = HEARD_INIT;
    (void)state;
    make_folder(folder);
    for (int round = 0; round < 2; round++) {
        open_with(NULL, folder);
        if (round == 0)
            assert_int_equal(weir_store_put(TEXT("k"), TEXT("kept"), 0, 0, on_done, &heard), 1);
        else
            assert_int_equal(weir_store_get(TEXT("k"), on_done, &heard), 1);
        wait_answers(&heard, round + 1);
        assert_int_equal(heard.status, WEIR_STORE_DONE);
        plugin_store_close(&one, plugin_store_grace());
        plugin_storage_free(storage);
    }
    assert_string_equal(heard.text.data, " k=kept; ");
    remove_folder(folder);
    strbuf_release(&heard.text);
}

static void put_then_get(void *user, const weir_store_answer *answer)
{
    struct heard *heard = user;
    on_done(heard, answer);
    if (heard->answers == 1)
        assert_int_equal(
            weir_store_put(TEXT("k"), TEXT("late"), 0, heard->lease, put_then_get, heard), 1);
    else if (heard->answers == 2)
        assert_int_equal(weir_store_get(TEXT("k"), put_then_get, heard), 1);
}

/* A ban that was set right before the end waited for its lease, and was lost. */
static void at_the_end_callbacks_finish_what_they_have_begun(void **state)
{
    char folder[] = "/tmp/test_plugin_store.XXXXXX";
    struct heard heard = HEARD_INIT;
    (void)state;
    make_folder(folder);
    open_with(NULL, folder);
    assert_int_equal(weir_store_lease(60 * UINT64_C(1000000000), put_then_get, &heard), 1);
    plugin_store_close(&one, plugin_store_grace());
    assert_int_equal(heard.answers, 3);
    assert_int_equal(heard.status, WEIR_STORE_DONE);
    assert_string_equal(heard.text.data, " k=late; ");
    assert_int_equal(weir_store_get(TEXT("k"), on_done, &heard), 0);
    plugin_storage_free(storage);
    remove_folder(folder);
    strbuf_release(&heard.text);
}

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_in, may_leave, has_left, is_closed;
} slow = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void say(bool *what)
{
    pthread_mutex_lock(&slow.lock);
    *what = true;
    pthread_cond_broadcast(&slow.changed);
    pthread_mutex_unlock(&slow.lock);
}

static void wait_for(const bool *what)
{
    pthread_mutex_lock(&slow.lock);
    while (!*what)
        pthread_cond_wait(&slow.changed, &slow.lock);
    pthread_mutex_unlock(&slow.lock);
}

static void slowly(void *user, const weir_store_answer *answer)
{
    (void)user, (void)answer;
    say(&slow.is_in);
    wait_for(&slow.may_leave);
    say(&slow.has_left);
}

static void *close_one(void *user)
{
    (void)user;
    plugin_store_close(&one, clock_deadline(CLOCK_MONOTONIC, 0)); /* no patience with calls */
    assert_true(slow.has_left);
    say(&slow.is_closed);
    return NULL;
}

static void shutting_down_waits_for_the_callback_that_runs(void **state)
{
    char folder[] = "/tmp/test_plugin_store.XXXXXX";
    struct heard heard = HEARD_INIT;
    pthread_t closer;
    (void)state;
    make_folder(folder);
    open_with(NULL, folder);
    assert_int_equal(weir_store_get(TEXT("k"), slowly, NULL), 1);
    wait_for(&slow.is_in);
    assert_int_equal(weir_store_get(TEXT("k"), on_done, &heard), 1); /* stays behind it */
    assert_int_equal(pthread_create(&closer, NULL, close_one, NULL), 0);
    bool is_closing = false;
    while (!is_closing) { /* then no more is taken */
        pthread_mutex_lock(&one.store->lock);
        is_closing = one.store->is_closed;
        pthread_mutex_unlock(&one.store->lock);
    }
    assert_int_equal(weir_store_get(TEXT("k"), on_done, &heard), 0);
    assert_false(slow.is_closed);
    say(&slow.may_leave);
    wait_for(&slow.is_closed);
    pthread_join(closer, NULL);
    assert_int_equal(heard.answers, 1);
    plugin_storage_free(storage);
    remove_folder(folder);
    strbuf_release(&heard.text);
}

int main(void)
{
    log_set_level(LOG_LEVEL_ERROR);
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(what_was_put_is_got_listed_and_deleted),
        TEST(a_plugin_reaches_no_others_keys),
        TEST(a_lease_ends_with_its_keys_and_is_one_plugins),
        TEST(what_is_not_allowed_is_not_taken),
        TEST(a_watcher_is_notified_when_the_store_is_lost_and_of_what_it_missed),
        TEST(when_a_plugin_is_shut_down_each_call_has_been_answered_once),
        cmocka_unit_test(a_local_store_is_in_the_data_directory),
        cmocka_unit_test(at_the_end_callbacks_finish_what_they_have_begun),
        cmocka_unit_test(shutting_down_waits_for_the_callback_that_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
