/* SPDX-License-Identifier: Apache-2.0
 *
 * Waits with a condition for what comes on the store's thread. A test that waits for what never comes is ended by
 * ctest. */
#include "asking.h"

#include <assert.h>
#include <inttypes.h>

void asked_done(void *user, const struct store_answer *answer)
{
    struct asked *asked = user;
    pthread_mutex_lock(&asked->lock);
    asked->answers++;
    asked->status = answer->status;
    snprintf(asked->message, sizeof asked->message, "%s", answer->message);
    asked->revision = answer->revision;
    asked->lease = answer->lease;
    asked->ttl_s = answer->ttl_s;
    asked->count = answer->count;
    pthread_cond_broadcast(&asked->more);
    pthread_mutex_unlock(&asked->lock);
}

void asked_wait(struct asked *asked, int answers)
{
    pthread_mutex_lock(&asked->lock);
    while (asked->answers < answers)
        pthread_cond_wait(&asked->more, &asked->lock);
    pthread_mutex_unlock(&asked->lock);
}

enum store_status ask(struct store *store, struct asked *asked, struct store_request request)
{
    const int before = asked->answers;
    request.done = asked_done;
    request.user = asked;
    const bool called = store_call(store, &request);
    assert(called);
    asked_wait(asked, before + 1);
    return asked->status;
}

void asked_news(void *user, const struct store_news *news)
{
    static const char *const names[] = {
        [STORE_EVERYTHING] = "everything", [STORE_CHANGES] = "changes", [STORE_LOST] = "lost"};
    struct asked *asked = user;
    pthread_mutex_lock(&asked->lock);
    strbuf_add_text(&asked->news, names[news->kind]);
    if (news->kind != STORE_LOST)
        strbuf_printf(&asked->news, "@%" PRId64, news->revision);
    for (size_t i = 0; i < news->count; i++) {
        const struct store_entry *entry = &news->entries[i];
        strbuf_printf(&asked->news, " %.*s%s%.*s", (int)entry->key.size, entry->key.data,
                      entry->is_deleted ? " gone" : "=", (int)entry->value.size, entry->value.data);
    }
    strbuf_add_text(&asked->news, "; ");
    pthread_cond_broadcast(&asked->more);
    pthread_mutex_unlock(&asked->lock);
}

void asked_wait_news(struct asked *asked, const char *text)
{
    pthread_mutex_lock(&asked->lock);
    while (!asked->news.data || !strstr(asked->news.data, text))
        pthread_cond_wait(&asked->more, &asked->lock);
    pthread_mutex_unlock(&asked->lock);
}

void asked_release(struct asked *asked)
{
    strbuf_release(&asked->news);
}
