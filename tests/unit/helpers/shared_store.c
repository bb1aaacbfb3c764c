/* SPDX-License-Identifier: Apache-2.0
 *
 * The store is the list of all that was ever done to it; what it has now is the last event of each key. */
#include "shared_store.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <weir/files.h>

#define WAITING 256
#define PREFIX  "rules/"

struct event {
    char *key, *value; /* owned; value NULL: deleted */
    size_t size;
    int64_t revision;
};

struct request {
    weir_store_action action;
    char *key, *value; /* owned */
    size_t size;
    int64_t revision;
    weir_store_done *done;
    void *user;
};

struct test_node nodes[NODES];
char test_folder[64];
bool store_is_away, store_is_local, node_rewrites;
char *(*node_merge)(weir_string base, weir_string mine, weir_string theirs);
struct error node_error;
const char *node_if_missing;

static struct event events[EVENTS];
static size_t event_count;
static int64_t last_revision;
static unsigned heads;
static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static struct request queue[WAITING];
static size_t queued;
static int64_t file_time;

static char *copy_of(weir_string text)
{
    char *copy = malloc(text.size + 1);
    assert_non_null(copy);
    if (text.size)
        memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return copy;
}

/* ---- The store ---- */

static const struct event *last_of(const char *key)
{
    for (size_t i = event_count; i-- > 0;)
        if (strcmp(events[i].key, key) == 0)
            return &events[i];
    return NULL;
}

static void add_event(const char *key, const char *value, size_t size)
{
    assert_true(event_count < EVENTS);
    events[event_count++] = (struct event){
        strdup(key), value ? copy_of((weir_string){value, size}) : NULL, size, ++last_revision};
}

static weir_store_entry entry_of(const struct event *event)
{
    return (weir_store_entry){.key = text_of(event->key),
                              .value = {event->value ? event->value : "", event->size},
                              .revision = event->revision,
                              .is_deleted = event->value == NULL};
}

static void notify(struct test_node *node, weir_store_news_kind kind)
{
    static weir_store_entry entries[EVENTS];
    struct weir_store_news news = {.api_version = WEIR_API_VERSION,
                                   .struct_size = sizeof news,
                                   .kind = kind,
                                   .entry_size = sizeof *entries,
                                   .revision = last_revision,
                                   .entries = entries,
                                   .is_shared = !store_is_local};
    for (size_t i = kind == WEIR_STORE_CHANGES ? node->told : 0;
         kind != WEIR_STORE_LOST && i < event_count; i++)
        if (kind == WEIR_STORE_CHANGES || (last_of(events[i].key) == &events[i] && events[i].value))
            entries[news.count++] = entry_of(&events[i]);
    if (kind != WEIR_STORE_LOST)
        node->told = event_count;
    node->watcher(node->watched, &news);
}

static int on_watch(weir_string prefix, weir_store_watcher *watcher, void *user)
{
    assert_true(text_is(prefix, PREFIX));
    for (size_t i = 0; i < NODES; i++)
        if (nodes[i].file == user) {
            nodes[i].watcher = watcher;
            nodes[i].watched = user;
            nodes[i].is_away = store_is_away;
            notify(&nodes[i], store_is_away ? WEIR_STORE_LOST : WEIR_STORE_EVERYTHING);
        }
    return 1;
}

static int on_call(const struct weir_store_request *request)
{
    pthread_mutex_lock(&queue_lock);
    assert_true(request->action == WEIR_STORE_DO_PUT || request->action == WEIR_STORE_DO_DELETE);
    const bool has_room = queued < WAITING;
    if (has_room)
        queue[queued++] =
            (struct request){request->action,     copy_of(request->key), copy_of(request->value),
                             request->value.size, request->revision,     request->done,
                             request->user};
    pthread_mutex_unlock(&queue_lock);
    return has_room;
}

size_t store_waiting(void)
{
    pthread_mutex_lock(&queue_lock);
    const size_t count = queued;
    pthread_mutex_unlock(&queue_lock);
    return count;
}

static bool take_request(struct request *taken)
{
    pthread_mutex_lock(&queue_lock);
    const bool is_there = queued > 0;
    if (is_there) {
        *taken = queue[0];
        memmove(queue, queue + 1, --queued * sizeof *queue);
    }
    pthread_mutex_unlock(&queue_lock);
    return is_there;
}

bool store_answer(weir_store_status how)
{
    struct request request;
    if (!take_request(&request))
        return false;
    const struct event *last = last_of(request.key);
    const int64_t revision = last && last->value ? last->revision : 0;
    weir_store_answer answer = {.struct_size = sizeof answer, .status = how};
    const bool differs = request.action == WEIR_STORE_DO_PUT && request.revision != revision;
    if (how != WEIR_STORE_FAILED && !differs) {
        const bool is_put = request.action == WEIR_STORE_DO_PUT;
        if (is_put || revision)
            add_event(request.key, is_put ? request.value : NULL, request.size);
        heads += is_put && strcmp(request.key, PREFIX "head") == 0;
    }
    if (differs && how == WEIR_STORE_DONE)
        answer.status = WEIR_STORE_DIFFERS;
    answer.revision = last_revision;
    if (request.done)
        request.done(request.user, &answer);
    free(request.key);
    free(request.value);
    return true;
}

void store_forget(void)
{
    struct request request;
    if (!take_request(&request))
        return;
    free(request.key);
    free(request.value);
}

void store_tell(struct test_node *node)
{
    if (node->watcher && !node->is_away && node->told < event_count)
        notify(node, WEIR_STORE_CHANGES);
}

void store_leave(struct test_node *node)
{
    node->is_away = true;
    notify(node, WEIR_STORE_LOST);
}

void store_return(struct test_node *node)
{
    node->is_away = false;
    notify(node, WEIR_STORE_EVERYTHING);
}

void store_write(const char *key, const char *value)
{
    add_event(key, value, strlen(value));
}

void store_delete(const char *key)
{
    add_event(key, NULL, 0);
}

static void forget_events(void)
{
    while (event_count > 0) {
        free(events[--event_count].key);
        free(events[event_count].value);
    }
}

void store_empty(void)
{
    forget_events();
    last_revision = 0;
    for (size_t i = 0; i < NODES; i++)
        if (nodes[i].watcher)
            notify(&nodes[i], WEIR_STORE_EVERYTHING);
}

size_t store_keys(void)
{
    size_t count = 0;
    for (size_t i = 0; i < event_count; i++)
        count += last_of(events[i].key) == &events[i] && events[i].value;
    return count;
}

unsigned store_heads(void)
{
    return heads;
}

char *store_text(void)
{
    const struct event *last = last_of(PREFIX "head");
    struct shared_head head;
    struct shared_part *parts = NULL;
    if (!last || !last->value)
        return NULL;
    assert_true(shared_head_read(text_of(last->value), &head));
    for (uint32_t i = 0; i < head.parts; i++) {
        char key[64] = PREFIX;
        shared_part_print(head.edition, i, key + strlen(PREFIX));
        const struct event *part = last_of(key);
        assert_non_null(part);
        const weir_store_entry entry = entry_of(part);
        assert_true(shared_parts_note(&parts, head.edition, i, &entry));
    }
    char *text = shared_parts_join(&parts, &head);
    shared_parts_free(&parts);
    assert_non_null(text);
    return text;
}

void store_run(void)
{
    if (!store_answer(WEIR_STORE_DONE))
        sched_yield();
    for (size_t i = 0; i < NODES; i++)
        store_tell(&nodes[i]);
}

void store_quiet(void)
{
    uint64_t since_ns = clock_monotonic_ns();
    while (clock_monotonic_ns() - since_ns < CLOCK_NS_PER_S / 20) {
        if (store_waiting() > 0)
            since_ns = clock_monotonic_ns();
        store_run();
    }
}

/* ---- The nodes ---- */

void node_touch(struct test_node *node)
{
    const struct timespec times[2] = {{.tv_sec = ++file_time}, {.tv_sec = file_time}};
    assert_int_equal(utimensat(AT_FDCWD, node->path, times, 0), 0);
}

void node_write(struct test_node *node, const char *text)
{
    assert_int_equal(files_replace(node->path, text, strlen(text)), 0);
    node_touch(node);
}

static bool take(void *user, weir_string text, const char *name, struct error *error)
{
    struct test_node *node = user;
    if ((text.size >= 5 && memcmp(text.data, "wrong", 5) == 0) ||
        (node->refuses && text_is(text, node->refuses))) {
        error_set(error, "%s:1: is wrong", name);
        return false;
    }
    pthread_mutex_lock(&node->lock);
    free(node->in_force);
    node->in_force = copy_of(text);
    pthread_mutex_unlock(&node->lock);
    return true;
}

void node_open(struct test_node *node)
{
    const struct shared_file_plan plan = {.what = "rules",
                                          .prefix = PREFIX,
                                          .copy = node_rewrites ? NULL : node->copy,
                                          .if_missing = node_if_missing,
                                          .take = take,
                                          .merge = node_merge,
                                          .user = node};
    node->file = shared_file_open(&plan, node->path, &node_error);
}

void node_start(struct test_node *node, const char *text)
{
    node_write(node, text);
    node_open(node);
    assert_non_null(node->file);
    shared_file_join(node->file);
}

void node_stop(struct test_node *node)
{
    shared_file_close(node->file);
    node->file = NULL;
    node->watcher = NULL;
}

bool node_flush(struct test_node *node)
{
    return shared_file_flush(node->file, &node_error);
}

bool node_has(struct test_node *node, const char *text)
{
    pthread_mutex_lock(&node->lock);
    const bool has = node->in_force && strcmp(node->in_force, text) == 0;
    pthread_mutex_unlock(&node->lock);
    return has;
}

bool node_copy_is(const struct test_node *node, const char *text)
{
    char path[128], found[64] = "";
    snprintf(path, sizeof path, "%s/%s", test_folder, node->copy);
    FILE *stream = fopen(path, "r");
    if (!stream)
        return false;
    found[fread(found, 1, sizeof found - 1, stream)] = '\0';
    fclose(stream);
    return strcmp(found, text) == 0;
}

unsigned warnings_logged(void)
{
    return atomic_load(&fake_host.lines_logged[WEIR_LOG_WARN]);
}

/* ---- Life ---- */

int store_setup(void **state)
{
    (void)state;
    snprintf(test_folder, sizeof test_folder, "/tmp/weir-shared-XXXXXX");
    assert_non_null(mkdtemp(test_folder));
    fake_host.data_directory = text_of(test_folder);
    fake_host.store_call = on_call;
    fake_host.store_watch = on_watch;
    store_is_away = store_is_local = node_rewrites = false;
    node_merge = NULL;
    node_if_missing = NULL;
    heads = 0;
    last_revision = 0;
    for (int i = 0; i < NODES; i++) {
        nodes[i] = (struct test_node){.lock = PTHREAD_MUTEX_INITIALIZER};
        snprintf(nodes[i].path, sizeof nodes[i].path, "%s/file-%d", test_folder, i);
        snprintf(nodes[i].copy, sizeof nodes[i].copy, "copy-%d", i);
    }
    return 0;
}

int store_teardown(void **state)
{
    char command[128];
    (void)state;
    for (int i = 0; i < NODES; i++) {
        node_stop(&nodes[i]);
        free(nodes[i].in_force);
    }
    while (store_waiting() > 0)
        store_forget();
    forget_events();
    snprintf(command, sizeof command, "rm -r %s", test_folder);
    return system(command);
}
