/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests between nodes. Those that wait are a list under a lock; each waits for its own answer. */
#include "cluster/node_requests.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <utlist.h>

#define KEY_BYTES 256
#define ASKS      '?'
#define ANSWERS   '!'

/* A question that waits. It is the asking thread's, so that nothing is left behind. */
struct waiting {
    char question_key[KEY_BYTES], answer_key[KEY_BYTES];
    struct node_question *question;
    struct waiting *next, *prev;
};

struct node_requests {
    struct store *store;
    char *prefix; /* owned */
    size_t prefix_size;
    struct node_requests_options options;
    int64_t seen;         /* revision of the last request that was looked at; the store's thread */
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t more;
    struct waiting *waiting;
    bool follows[MEMBERSHIP_NUMBERS + 1]; /* the keys below that number */
    bool is_stopped;
};

/* ---- Keys ---- */

/* Reads a node's number and the byte after it; 0: there is none. */
static unsigned read_number(const char **at, char end)
{
    unsigned number = 0;
    for (; **at >= '0' && **at <= '9' && number <= MEMBERSHIP_NUMBERS; (*at)++)
        number = number * 10 + (unsigned)(**at - '0');
    const bool is_one = number <= MEMBERSHIP_NUMBERS && **at == end;
    *at += is_one;
    return is_one ? number : 0;
}

/* Reads "TO/FROM-ID" behind the prefix. Returns false if it is none. */
static bool read_key(const struct node_requests *requests, const char *key, unsigned *to,
                     unsigned *from, const char **id)
{
    if (strlen(key) <= requests->prefix_size)
        return false;
    *id = key + requests->prefix_size;
    *to = read_number(id, '/');
    *from = *to ? read_number(id, '-') : 0;
    return *from && **id;
}

static void write_key_name(const struct node_requests *requests, unsigned to, unsigned from,
                           const char *id, char key[KEY_BYTES])
{
    snprintf(key, KEY_BYTES, "%s%u/%u-%s", requests->prefix, to, from, id);
}

/* ---- Asked ---- */

static bool copy_key(const struct store_entry *entry, char key[KEY_BYTES])
{
    if (entry->key.size >= KEY_BYTES || memchr(entry->key.data, 0, entry->key.size))
        return false;
    memcpy(key, entry->key.data, entry->key.size);
    key[entry->key.size] = 0;
    return true;
}

static void take_request(struct node_requests *requests, const struct store_entry *entry)
{
    char key[KEY_BYTES];
    const char *id;
    unsigned to = 0, from = 0;
    const unsigned here = membership_number(requests->options.membership);
    if (!here || !copy_key(entry, key) || !read_key(requests, key, &to, &from, &id) || to != here)
        return;
    pthread_mutex_lock(&requests->lock);
    const bool is_stopped = requests->is_stopped;
    pthread_mutex_unlock(&requests->lock);
    const struct node_request request = {
        .key = key,
        .revision = entry->revision,
        .lease = entry->lease,
        .text = {.data = entry->value.data + 1, .size = entry->value.size - 1}};
    if (!is_stopped)
        requests->options.asked(requests->options.user, &request);
}

static void take_answer(struct node_requests *requests, const struct store_entry *entry)
{
    pthread_mutex_lock(&requests->lock);
    for (struct waiting *one = requests->waiting; one; one = one->next) {
        if (strlen(one->answer_key) != entry->key.size ||
            memcmp(one->answer_key, entry->key.data, entry->key.size) != 0 ||
            one->question->is_answered)
            continue;
        strbuf_add(one->question->answer, entry->value.data + 1, entry->value.size - 1);
        one->question->is_answered = true;
        pthread_cond_broadcast(&requests->more);
    }
    pthread_mutex_unlock(&requests->lock);
}

static void on_news(void *user, const struct store_news *news)
{
    struct node_requests *requests = user;
    int64_t last = requests->seen;
    for (size_t i = 0; i < news->count; i++) {
        const struct store_entry *entry = &news->entries[i];
        if (entry->revision <= requests->seen || entry->is_deleted || entry->value.size == 0)
            continue;
        last = entry->revision > last ? entry->revision : last;
        if (entry->value.data[0] == ASKS && entry->value.size <= NODE_REQUEST_BYTES + 1)
            take_request(requests, entry);
        else if (entry->value.data[0] == ANSWERS)
            take_answer(requests, entry);
    }
    requests->seen = last;
}

void node_requests_join(struct node_requests *requests, unsigned number)
{
    struct strbuf prefix = STRBUF_INIT;
    assert(number <= MEMBERSHIP_NUMBERS);
    pthread_mutex_lock(&requests->lock);
    const bool is_new = number && !requests->follows[number];
    requests->follows[number] = true;
    pthread_mutex_unlock(&requests->lock);
    strbuf_printf(&prefix, "%s%u/", requests->prefix, number);
    if (is_new && (prefix.failed ||
                   !store_follow(requests->store, STORE_TEXT(prefix.data), on_news, requests)))
        log_error("cluster", "no memory to follow what other nodes ask of this one");
    strbuf_release(&prefix);
}

/* ---- Writing ---- */

/* Puts a key with that mark and text, if `unchanged` has that revision. */
static bool write_key(struct node_requests *requests, const char *key, const char *unchanged,
                      int64_t revision, int64_t lease, char mark, struct store_bytes text)
{
    struct strbuf value = STRBUF_INIT;
    strbuf_add(&value, &mark, 1);
    strbuf_add(&value, text.data, text.size);
    struct store_request request = {
        .action = STORE_WRITE,
        .compares = {{.key = STORE_TEXT(unchanged), .revision = revision}},
        .compare_count = 1,
        .writes = {{.key = STORE_TEXT(key),
                    .value = {.data = value.data, .size = value.size},
                    .lease = lease}},
        .write_count = 1};
    const bool is_written = !value.failed && store_call(requests->store, &request);
    strbuf_release(&value);
    return is_written;
}

/* The key is the asking node's: it goes with that one's lease. */
void node_requests_answer(struct node_requests *requests, const struct node_request *request,
                          struct store_bytes text)
{
    char key[KEY_BYTES];
    const char *id;
    unsigned to = 0, from = 0;
    assert(text.size <= NODE_ANSWER_BYTES);
    if (!read_key(requests, request->key, &to, &from, &id))
        return;
    write_key_name(requests, from, to, id, key);
    if (!write_key(requests, key, request->key, request->revision, request->lease, ANSWERS, text))
        log_error("cluster", "no memory to answer another node");
}

/* ---- Asking ---- */

static size_t unanswered(const struct node_question *questions, size_t count)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += !questions[i].is_answered;
    return found;
}

static bool make_keys(const struct node_requests *requests, struct waiting *one)
{
    uint64_t number = 0;
    char id[24];
    const unsigned here = membership_number(requests->options.membership);
    const bool made = here && getrandom(&number, sizeof number, 0) == sizeof number;
    snprintf(id, sizeof id, "%016" PRIx64, number);
    write_key_name(requests, one->question->to, here, id, one->question_key);
    write_key_name(requests, here, one->question->to, id, one->answer_key);
    return made;
}

static void take_back(struct node_requests *requests, const struct waiting *one)
{
    const struct store_request question = {.action = STORE_DELETE,
                                           .key = STORE_TEXT(one->question_key)};
    const struct store_request answer = {.action = STORE_DELETE,
                                         .key = STORE_TEXT(one->answer_key)};
    if (!store_call(requests->store, &question) || !store_call(requests->store, &answer))
        log_error("cluster", "no memory to take a request back");
}

/* Sends the questions, and waits. */
static void ask(struct node_requests *requests, struct waiting *all,
                struct node_question *questions, size_t count, struct store_bytes text,
                int64_t lease, uint64_t wait_ms)
{
    const struct timespec until = clock_deadline(CLOCK_MONOTONIC, wait_ms * 1000000);
    int status = 0;
    bool is_sent = true;
    pthread_mutex_lock(&requests->lock);
    for (size_t i = 0; i < count; i++) {
        all[i].question = &questions[i];
        is_sent = is_sent && make_keys(requests, &all[i]);
        DL_APPEND(requests->waiting, &all[i]);
        is_sent = is_sent && write_key(requests, all[i].question_key, all[i].question_key, 0, lease,
                                       ASKS, text);
    }
    while (is_sent && unanswered(questions, count) && !requests->is_stopped && status != ETIMEDOUT)
        status = pthread_cond_timedwait(&requests->more, &requests->lock, &until);
    for (size_t i = 0; i < count; i++)
        DL_DELETE(requests->waiting, &all[i]);
    pthread_mutex_unlock(&requests->lock);
    for (size_t i = 0; i < count; i++)
        take_back(requests, &all[i]);
}

int node_requests_ask_all(struct node_requests *requests, struct node_question *questions,
                          size_t count, struct store_bytes text, uint64_t wait_ms,
                          struct error *error)
{
    assert(text.size <= NODE_REQUEST_BYTES);
    const int64_t lease = membership_lease(requests->options.membership);
    if (!lease)
        return error_set(error, "the cluster is not reached");
    struct waiting *all = calloc(count + 1, sizeof *all);
    if (!all)
        return error_set(error, "out of memory");
    ask(requests, all, questions, count, text, lease, wait_ms);
    free(all);
    const size_t missing = unanswered(questions, count);
    return missing ? error_set(error, "%zu of %zu nodes have not answered within %" PRIu64 " ms",
                               missing, count, wait_ms)
                   : 0;
}

int node_requests_ask(struct node_requests *requests, unsigned to, struct store_bytes text,
                      uint64_t wait_ms, struct strbuf *answer, struct error *error)
{
    struct node_question question = {.to = to, .answer = answer};
    if (!membership_lease(requests->options.membership))
        return error_set(error, "the cluster is not reached");
    if (node_requests_ask_all(requests, &question, 1, text, wait_ms, error) == 0)
        return 0;
    return error_set(error, "node %u has not answered within %" PRIu64 " ms; it may do so yet", to,
                     wait_ms);
}

/* ---- Start and end ---- */

struct node_requests *node_requests_new(struct store *store,
                                        const struct node_requests_options *options)
{
    assert(store && options->asked && strlen(options->prefix) < KEY_BYTES / 2);
    struct node_requests *requests = calloc(1, sizeof *requests);
    char *prefix = strdup(options->prefix);
    if (!requests || !prefix) {
        free(requests);
        free(prefix);
        return NULL;
    }
    requests->store = store;
    requests->options = *options;
    requests->prefix = prefix;
    requests->prefix_size = strlen(prefix);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&requests->lock, NULL);
    pthread_cond_init(&requests->more, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return requests;
}

void node_requests_stop(struct node_requests *requests)
{
    pthread_mutex_lock(&requests->lock);
    requests->is_stopped = true;
    pthread_cond_broadcast(&requests->more);
    pthread_mutex_unlock(&requests->lock);
}

void node_requests_free(struct node_requests *requests)
{
    if (!requests)
        return;
    assert(!requests->waiting);
    pthread_mutex_destroy(&requests->lock);
    pthread_cond_destroy(&requests->more);
    free(requests->prefix);
    free(requests);
}
