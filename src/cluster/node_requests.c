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

#define KEY_BYTES  256
#define ASKS       '?'
#define ANSWERS    '!'
#define NUMBER_END '/'

/* On the stack of whoever waits, so that nothing is left behind. */
struct waiting {
    char key[KEY_BYTES];
    struct strbuf *answer;
    bool is_answered;
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
    bool is_stopped;
};

/* ---- Asked ---- */

/* The node of a key; 0: none. */
static unsigned node_of(const struct node_requests *requests, struct store_bytes key)
{
    unsigned number = 0;
    size_t at = requests->prefix_size;
    for (; at < key.size && key.data[at] >= '0' && key.data[at] <= '9' &&
           number <= MEMBERSHIP_NUMBERS;
         at++)
        number = number * 10 + (unsigned)(key.data[at] - '0');
    return at < key.size && key.data[at] == NUMBER_END ? number : 0;
}

static void take_request(struct node_requests *requests, const struct store_entry *entry)
{
    char key[KEY_BYTES];
    const unsigned here = membership_number(requests->options.membership);
    if (!here || node_of(requests, entry->key) != here || entry->key.size >= sizeof key ||
        memchr(entry->key.data, 0, entry->key.size))
        return;
    memcpy(key, entry->key.data, entry->key.size);
    key[entry->key.size] = 0;
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
        if (strlen(one->key) != entry->key.size ||
            memcmp(one->key, entry->key.data, entry->key.size) != 0 || one->is_answered)
            continue;
        strbuf_add(one->answer, entry->value.data + 1, entry->value.size - 1);
        one->is_answered = true;
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
        if (entry->revision <= requests->seen || entry->is_deleted || entry->value.size == 0 ||
            entry->value.size > NODE_REQUEST_BYTES + 1)
            continue;
        last = entry->revision > last ? entry->revision : last;
        if (entry->value.data[0] == ASKS)
            take_request(requests, entry);
        else if (entry->value.data[0] == ANSWERS)
            take_answer(requests, entry);
    }
    requests->seen = news->revision > last ? news->revision : last;
}

/* ---- Writing ---- */

static bool write_key(struct node_requests *requests, const char *key, int64_t revision,
                      int64_t lease, char mark, struct store_bytes text)
{
    struct strbuf value = STRBUF_INIT;
    strbuf_add(&value, &mark, 1);
    strbuf_add(&value, text.data, text.size);
    struct store_request request = {.action = STORE_WRITE,
                                    .compares = {{.key = STORE_TEXT(key), .revision = revision}},
                                    .compare_count = 1,
                                    .writes = {{.key = STORE_TEXT(key),
                                                .value = {.data = value.data, .size = value.size},
                                                .lease = lease}},
                                    .write_count = 1};
    const bool is_written = !value.failed && store_call(requests->store, &request);
    strbuf_release(&value);
    return is_written;
}

/* The key stays the asking node's: it goes with that one's lease. */
void node_requests_answer(struct node_requests *requests, const struct node_request *request,
                          struct store_bytes text)
{
    if (!write_key(requests, request->key, request->revision, request->lease, ANSWERS, text))
        log_error("cluster", "no memory to answer another node");
}

/* ---- Asking ---- */

/* The lock is held. */
static void wait_for_answer(struct node_requests *requests, const struct waiting *own,
                            uint64_t wait_ms)
{
    const struct timespec until = clock_deadline(CLOCK_MONOTONIC, wait_ms * 1000000);
    int status = 0;
    while (!own->is_answered && !requests->is_stopped && status != ETIMEDOUT)
        status = pthread_cond_timedwait(&requests->more, &requests->lock, &until);
}

static bool make_key(const struct node_requests *requests, unsigned to, char key[KEY_BYTES])
{
    uint64_t id = 0;
    const bool made = getrandom(&id, sizeof id, 0) == sizeof id;
    snprintf(key, KEY_BYTES, "%s%u%c%016" PRIx64, requests->prefix, to, NUMBER_END, id);
    return made;
}

int node_requests_ask(struct node_requests *requests, unsigned to, struct store_bytes text,
                      uint64_t wait_ms, struct strbuf *answer, struct error *error)
{
    struct waiting own = {.answer = answer};
    const int64_t lease = membership_lease(requests->options.membership);
    assert(text.size <= NODE_REQUEST_BYTES);
    if (!lease)
        return error_set(error, "the cluster is not reached");
    if (!make_key(requests, to, own.key))
        return error_set(error, "no random number: %s", strerror(errno));
    pthread_mutex_lock(&requests->lock);
    DL_APPEND(requests->waiting, &own);
    if (write_key(requests, own.key, 0, lease, ASKS, text))
        wait_for_answer(requests, &own, wait_ms);
    DL_DELETE(requests->waiting, &own);
    pthread_mutex_unlock(&requests->lock);
    const struct store_request gone = {.action = STORE_DELETE, .key = STORE_TEXT(own.key)};
    if (!store_call(requests->store, &gone))
        log_error("cluster", "no memory to take a request back");
    if (own.is_answered)
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
    if (store_follow(store, STORE_TEXT(prefix), on_news, requests))
        return requests;
    node_requests_free(requests);
    return NULL;
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
