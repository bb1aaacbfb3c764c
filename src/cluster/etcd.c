/* SPDX-License-Identifier: Apache-2.0
 *
 * The etcd client's thread. Other threads put calls, follows and timers into lists under a lock and wake
 * it; it alone touches libcurl, and runs every callback. */
#include "cluster/etcd.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <utlist.h>

#include "cluster/etcd_state.h"

#define IDLE_MS 60000 /* longest wait; whatever happens ends it */

static struct etcd *etcd_of(struct store *store)
{
    return (struct etcd *)store;
}

/* ---- From any thread ---- */

static uint64_t now_ns(struct store *store)
{
    (void)store;
    return clock_read_ns(CLOCK_BOOTTIME);
}

static void wake(struct etcd *etcd)
{
    curl_multi_wakeup(etcd->multi);
}

static bool call(struct store *store, const struct store_request *request)
{
    struct etcd *etcd = etcd_of(store);
    struct etcd_call *made = calloc(1, sizeof *made);
    if (!made)
        return false;
    made->etcd = etcd;
    made->action = request->action;
    made->done = request->done;
    made->user = request->user;
    strbuf_init(&made->body);
    etcd_request_write(&made->body, request);
    if (made->body.failed) {
        strbuf_release(&made->body);
        free(made);
        return false;
    }
    pthread_mutex_lock(&etcd->lock);
    DL_APPEND(etcd->queued, made);
    pthread_mutex_unlock(&etcd->lock);
    wake(etcd);
    return true;
}

static bool follow(struct store *store, struct store_bytes prefix, store_follower *follower,
                   void *user)
{
    struct etcd *etcd = etcd_of(store);
    struct etcd_follow *made = calloc(1, sizeof *made);
    char *copy = malloc(prefix.size);
    if (!made || !copy) {
        free(made);
        free(copy);
        return false;
    }
    memcpy(copy, prefix.data, prefix.size);
    made->etcd = etcd;
    made->prefix = copy;
    made->prefix_size = prefix.size;
    made->follower = follower;
    made->user = user;
    pthread_mutex_lock(&etcd->lock);
    DL_APPEND(etcd->new_follows, made);
    pthread_mutex_unlock(&etcd->lock);
    wake(etcd);
    return true;
}

static bool after(struct store *store, uint64_t milliseconds, store_timer *timer, void *user)
{
    struct etcd *etcd = etcd_of(store);
    struct etcd_timer *made = calloc(1, sizeof *made);
    if (!made)
        return false;
    made->at_ns = now_ns(store) + milliseconds * 1000000;
    made->timer = timer;
    made->user = user;
    pthread_mutex_lock(&etcd->lock);
    DL_APPEND(etcd->new_timers, made);
    pthread_mutex_unlock(&etcd->lock);
    wake(etcd);
    return true;
}

/* ---- The thread ---- */

static void take_queued(struct etcd *etcd)
{
    pthread_mutex_lock(&etcd->lock);
    struct etcd_call *calls = etcd->queued;
    struct etcd_follow *follows = etcd->new_follows;
    DL_CONCAT(etcd->timers, etcd->new_timers);
    etcd->queued = NULL;
    etcd->new_follows = NULL;
    etcd->new_timers = NULL;
    pthread_mutex_unlock(&etcd->lock);
    while (calls) {
        struct etcd_call *made = calls;
        DL_DELETE(calls, made);
        etcd_call_start(made);
    }
    while (follows) {
        struct etcd_follow *made = follows;
        DL_DELETE(follows, made);
        DL_APPEND(etcd->follows, made);
        etcd_follow_start(made);
    }
}

/* Those that are due now; what they add comes in the next turn. */
static void run_timers(struct etcd *etcd)
{
    struct etcd_timer *due = NULL;
    const uint64_t now = now_ns(&etcd->store);
    for (struct etcd_timer *timer = etcd->timers, *next; timer; timer = next) {
        next = timer->next;
        if (timer->at_ns > now)
            continue;
        DL_DELETE(etcd->timers, timer);
        DL_APPEND(due, timer);
    }
    while (due) {
        struct etcd_timer *timer = due;
        DL_DELETE(due, timer);
        timer->timer(timer->user);
        free(timer);
    }
}

static int wait_ms(const struct etcd *etcd)
{
    const uint64_t now = clock_read_ns(CLOCK_BOOTTIME);
    uint64_t until = now + (uint64_t)IDLE_MS * 1000000;
    for (const struct etcd_timer *timer = etcd->timers; timer; timer = timer->next)
        if (timer->at_ns < until)
            until = timer->at_ns;
    return until > now ? (int)((until - now + 999999) / 1000000) : 0;
}

static void *run(void *user)
{
    struct etcd *etcd = user;
    int running = 0;
    while (!atomic_load(&etcd->stopping)) {
        take_queued(etcd);
        run_timers(etcd);
        curl_multi_perform(etcd->multi, &running);
        etcd_transfers_ended(etcd);
        curl_multi_poll(etcd->multi, NULL, 0, wait_ms(etcd), NULL);
    }
    return NULL;
}

/* ---- Start and end ---- */

static void fail_all(struct etcd_call **list, enum store_status status)
{
    struct etcd_call *one;
    while ((one = *list) != NULL) {
        DL_DELETE(*list, one);
        etcd_call_fail(one, status, "the store is closed");
    }
}

/* The thread has ended, or never began. Callbacks may still add calls, which fail as well. */
static void end_all(struct etcd *etcd)
{
    while (etcd->transfers)
        etcd_transfer_cancel(etcd->transfers);
    while (etcd->calls || etcd->waiting || etcd->queued) {
        fail_all(&etcd->calls, STORE_UNKNOWN);
        fail_all(&etcd->waiting, STORE_FAILED);
        fail_all(&etcd->queued, STORE_FAILED);
    }
    DL_CONCAT(etcd->follows, etcd->new_follows);
    DL_CONCAT(etcd->timers, etcd->new_timers);
    for (struct etcd_follow *one = etcd->follows, *next; one; one = next) {
        next = one->next;
        etcd_follow_free(one);
    }
    for (struct etcd_timer *timer = etcd->timers, *next; timer; timer = next) {
        next = timer->next;
        free(timer);
    }
}

static void release(struct etcd *etcd)
{
    end_all(etcd);
    if (etcd->multi)
        curl_multi_cleanup(etcd->multi);
    for (size_t i = 0; i < etcd->endpoint_count; i++)
        free(etcd->endpoints[i]);
    free(etcd->ca);
    free(etcd->certificate);
    free(etcd->key);
    free(etcd->user);
    free(etcd->password);
    free(etcd->token);
    pthread_mutex_destroy(&etcd->lock);
    free(etcd);
}

static void etcd_free(struct store *store)
{
    struct etcd *etcd = etcd_of(store);
    atomic_store(&etcd->stopping, true);
    wake(etcd);
    pthread_join(etcd->thread, NULL);
    release(etcd);
}

static const struct store_functions functions = {
    .call = call, .follow = follow, .after = after, .now_ns = now_ns, .free = etcd_free};

/* One of the list. A password in it would be in every message. */
static int add_endpoint(struct etcd *etcd, const char *text, size_t size, struct error *error)
{
    static const char plain[] = "http://", secure[] = "https://";
    struct strbuf url = STRBUF_INIT;
    if (etcd->endpoint_count == ETCD_ENDPOINTS_MOST)
        return error_set(error, "more than %d endpoints of etcd", ETCD_ENDPOINTS_MOST);
    if (strncmp(text, plain, sizeof plain - 1) != 0 &&
        strncmp(text, secure, sizeof secure - 1) != 0)
        strbuf_add_text(&url, etcd->ca || etcd->certificate ? secure : plain);
    strbuf_add(&url, text, size);
    char *owned = strbuf_detach(&url);
    if (!owned)
        return error_set(error, "out of memory");
    char *host = strstr(owned, "//") + 2, *end = owned + strlen(owned);
    while (end > host && end[-1] == '/')
        *--end = 0;
    if (!*host || strpbrk(host, "@/?# \t\r\n")) {
        free(owned);
        return error_set(error, "%s is no endpoint of etcd; give http[s]://host:port, with commas",
                         log_foreign(text, size));
    }
    etcd->endpoints[etcd->endpoint_count++] = owned;
    return 0;
}

static int read_endpoints(struct etcd *etcd, const char *list, struct error *error)
{
    int status = 0;
    while (list && *list && status == 0) {
        list += strspn(list, ", \t");
        const size_t size = strcspn(list, ", \t");
        if (size)
            status = add_endpoint(etcd, list, size, error);
        list += size;
    }
    if (status == 0 && etcd->endpoint_count == 0)
        status = error_set(error, "no endpoint of etcd; give http[s]://host:port, with commas");
    return status;
}

/* Returns whether it was copied, or there is nothing to copy. */
static bool copy_text(char **copy, const char *text)
{
    *copy = text && *text ? strdup(text) : NULL;
    return *copy || !text || !*text;
}

struct store *etcd_new(const struct etcd_options *options, struct error *error)
{
    struct etcd *etcd = calloc(1, sizeof *etcd);
    int status = 0;
    if (!etcd) {
        error_set(error, "out of memory");
        return NULL;
    }
    assert(options->timeout_ms > 0);
    pthread_mutex_init(&etcd->lock, NULL);
    etcd->store.functions = &functions;
    etcd->timeout_ms = options->timeout_ms;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
        (etcd->multi = curl_multi_init()) == NULL || !copy_text(&etcd->ca, options->ca) ||
        !copy_text(&etcd->certificate, options->certificate) ||
        !copy_text(&etcd->key, options->key) || !copy_text(&etcd->user, options->user) ||
        !copy_text(&etcd->password, options->password))
        status = error_set(error, "out of memory");
    if (status == 0)
        status = read_endpoints(etcd, options->endpoints, error);
    if (status == 0 && pthread_create(&etcd->thread, NULL, run, etcd))
        status = error_set(error, "no thread can be started for etcd");
    if (status) {
        release(etcd);
        return NULL;
    }
    pthread_setname_np(etcd->thread, "weir-etcd");
    return &etcd->store;
}
