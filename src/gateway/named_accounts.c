/* SPDX-License-Identifier: Apache-2.0
 *
 * The list only grows, so how much of it a backend has been asked for is a number. One job at a time works on it, off the
 * main thread; what is wanted meanwhile is done by another one after it. */
#include "gateway/named_accounts.h"

#include <stdlib.h>
#include <string.h>

struct named_accounts {
    struct gateway *gateway;
    uv_loop_t *loop;
    uv_work_t work;
    bool is_working, flushes; /* ... and what it does */
    bool flush_is_due, ask_is_due;
    pthread_mutex_t lock; /* of what follows */
    struct strbuf list;   /* each with a NUL behind it */
};

/* ---- The list ---- */

static bool has(const struct strbuf *list, const char *account)
{
    for (size_t at = 0; at < list->size; at += strlen(list->data + at) + 1)
        if (strcmp(list->data + at, account) == 0)
            return true;
    return false;
}

static void add(struct named_accounts *accounts, const struct strbuf *named)
{
    pthread_mutex_lock(&accounts->lock);
    for (size_t at = 0; at < named->size; at += strlen(named->data + at) + 1)
        if (!has(&accounts->list, named->data + at))
            strbuf_add(&accounts->list, named->data + at, strlen(named->data + at) + 1);
    pthread_mutex_unlock(&accounts->lock);
}

/* Of those after the first `asked` bytes. Returns the size of the list. */
static size_t write_question(struct named_accounts *accounts, size_t asked, struct strbuf *question)
{
    struct strbuf rest = STRBUF_INIT;
    pthread_mutex_lock(&accounts->lock);
    const size_t size = accounts->list.failed ? asked : accounts->list.size;
    if (size > asked)
        strbuf_add(&rest, accounts->list.data + asked, size - asked);
    pthread_mutex_unlock(&accounts->lock);
    if (plugin_ask_for_accounts(question, &rest) == 0 || question->failed)
        strbuf_reset(question); /* it asks for nobody */
    strbuf_release(&rest);
    return size;
}

size_t named_accounts_question(struct named_accounts *accounts, struct strbuf *question)
{
    strbuf_init(question);
    return write_question(accounts, 0, question);
}

/* ---- The job ---- */

static void flush_plugins(struct named_accounts *accounts)
{
    struct plugin_registry *registry = accounts->gateway->registry;
    struct strbuf named = STRBUF_INIT;
    plugin_collect_warnings(NULL, &named);
    for (size_t i = 0; i < plugin_count(registry); i++) {
        struct error error = {""};
        const char *name = plugin_row_at(registry, i).name;
        if (plugin_can_flush(registry, i) && plugin_flush(registry, NULL, name, &error))
            log_error("plugin", "SIGHUP: %s", error.message);
    }
    plugin_collect_warnings(NULL, NULL);
    add(accounts, &named);
    strbuf_release(&named);
}

static void ask(struct named_accounts *accounts, struct upstream *upstream)
{
    struct strbuf question = STRBUF_INIT;
    const size_t asked = write_question(accounts, upstream_asked_accounts(upstream), &question);
    upstream_notice_missing(upstream, question.size ? question.data : NULL, asked);
    strbuf_release(&question);
}

static void do_job(uv_work_t *work)
{
    struct named_accounts *accounts = work->data;
    struct upstream_set *upstreams = accounts->gateway->upstreams;
    struct upstream *upstream = NULL;
    if (accounts->flushes)
        flush_plugins(accounts);
    for (size_t i = 0; (upstream = upstream_set_pin_at(upstreams, i)); i++) {
        ask(accounts, upstream);
        upstream_unpin(upstream);
    }
}

static void begin_job(struct named_accounts *accounts);

static void on_done(uv_work_t *work, int cancelled)
{
    struct named_accounts *accounts = work->data;
    (void)cancelled;
    accounts->is_working = false;
    if (accounts->flush_is_due || accounts->ask_is_due)
        begin_job(accounts);
}

static void begin_job(struct named_accounts *accounts)
{
    if (accounts->is_working)
        return;
    accounts->is_working = true;
    accounts->flushes = accounts->flush_is_due;
    accounts->flush_is_due = accounts->ask_is_due = false;
    uv_queue_work(accounts->loop, &accounts->work, do_job, on_done);
}

void named_accounts_flush(struct named_accounts *accounts)
{
    accounts->flush_is_due = true;
    begin_job(accounts);
}

void named_accounts_ask(struct named_accounts *accounts)
{
    accounts->ask_is_due = true;
    begin_job(accounts);
}

/* ---- Its life ---- */

struct named_accounts *named_accounts_new(struct gateway *gateway, uv_loop_t *loop)
{
    struct named_accounts *accounts = calloc(1, sizeof *accounts);
    if (!accounts)
        return NULL;
    accounts->gateway = gateway;
    accounts->loop = loop;
    accounts->work.data = accounts;
    pthread_mutex_init(&accounts->lock, NULL);
    strbuf_init(&accounts->list);
    add(accounts, plugin_accounts_at_start(gateway->registry));
    return accounts;
}

void named_accounts_free(struct named_accounts *accounts)
{
    if (!accounts)
        return;
    strbuf_release(&accounts->list);
    pthread_mutex_destroy(&accounts->lock);
    free(accounts);
}
