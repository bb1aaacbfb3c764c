/* SPDX-License-Identifier: Apache-2.0
 *
 * One call of the store is on its way at a time: whatever has been answered is done before the next begins, and that is
 * all that the order of things rests on. Keys are deleted when the answers to all parts have said that they are there. */
#include "tidying.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/text.h>

#include "told.h"

#define KEY_ROOM (sizeof TOLD_PREFIX + TOLD_NAME_BYTES)

enum tidying { AT_REST, CLAIMING, LISTING, MERGING, PUTTING, DELETING };

/* A part that is to be put, or, without a text, a key that is to be deleted. */
struct errand {
    struct errand *next;
    char key[KEY_ROOM];
    size_t size;
    char text[];
};

static struct {
    pthread_mutex_t lock;
    void (*wake)(void);
    unsigned long long author;
    uint32_t serial;
    enum tidying state;
    int64_t claim; /* revision of the claim; 0: there is none */
    size_t keys, parts;
    struct told_list *list;         /* owned; MERGING */
    struct errand *puts, *removals; /* owned */
    struct errand **end;
} own = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- Errands; the lock is held ---- */

static void drop_first(struct errand **errands)
{
    struct errand *first = *errands;
    *errands = first->next;
    free(first);
}

static void give_up(void)
{
    while (own.puts)
        drop_first(&own.puts);
    while (own.removals)
        drop_first(&own.removals);
    told_free(own.list);
    own.list = NULL;
    own.state = AT_REST;
}

static bool add_errand(const char *name, weir_string text)
{
    struct errand *errand = malloc(sizeof *errand + text.size + 1);
    if (!errand)
        return false;
    snprintf(errand->key, sizeof errand->key, TOLD_PREFIX "%s", name);
    errand->next = NULL;
    errand->size = text.size;
    if (text.size)
        memcpy(errand->text, text.data, text.size);
    *own.end = errand;
    own.end = &errand->next;
    return true;
}

static bool add_put(void *user, const char *name, weir_string text)
{
    (void)user;
    return add_errand(name, text);
}

static void on_answer(void *user, const weir_store_answer *answer);

/* Asks for the next thing that is to be done. */
static void go_on(void)
{
    own.state = own.puts ? PUTTING : own.removals ? DELETING : AT_REST;
    const struct errand *put = own.puts, *removal = own.removals;
    bool ok = true;
    if (put)
        ok = weir_store_put(text_of(put->key), (weir_string){put->text, put->size}, 0, 0, on_answer,
                            NULL);
    else if (removal)
        ok = weir_store_delete(text_of(removal->key), on_answer, NULL);
    if (!ok)
        give_up();
}

/* ---- Answers: on the store's thread ---- */

static void on_answer(void *user, const weir_store_answer *answer)
{
    (void)user;
    pthread_mutex_lock(&own.lock);
    if (answer->status == WEIR_STORE_DONE) {
        drop_first(own.puts ? &own.puts : &own.removals);
        go_on();
    } else {
        give_up();
    }
    pthread_mutex_unlock(&own.lock);
}

static void on_list(void *user, const weir_store_answer *answer)
{
    (void)user;
    struct told_list *list = answer->status == WEIR_STORE_DONE
                                 ? told_copy(answer->entries, answer->entry_size, answer->count)
                                 : NULL;
    pthread_mutex_lock(&own.lock);
    own.list = list;
    own.state = list ? MERGING : AT_REST;
    pthread_mutex_unlock(&own.lock);
    if (list)
        own.wake();
}

static void on_claim(void *user, const weir_store_answer *answer)
{
    (void)user;
    pthread_mutex_lock(&own.lock);
    own.state =
        answer->status == WEIR_STORE_DONE && weir_store_list(text_of(TOLD_PREFIX), on_list, NULL)
            ? LISTING
            : AT_REST;
    pthread_mutex_unlock(&own.lock);
}

/* The lock is held. */
static void note_entry(const weir_store_entry *entry)
{
    char name[TOLD_NAME_BYTES];
    const size_t prefix = strlen(TOLD_PREFIX);
    const size_t size = entry->key.size > prefix ? entry->key.size - prefix : 0;
    snprintf(name, sizeof name, "%.*s", (int)size, size ? entry->key.data + prefix : "");
    size_t *count = told_is_merged(name) ? &own.parts : &own.keys;
    if (strcmp(name, TOLD_TIDYING) == 0)
        own.claim = entry->is_deleted ? 0 : entry->revision;
    else if (!entry->is_deleted)
        ++*count;
    else if (*count > 0)
        --*count;
}

void tidying_note(const weir_store_news *news)
{
    pthread_mutex_lock(&own.lock);
    if (news->kind == WEIR_STORE_EVERYTHING) {
        own.keys = own.parts = 0;
        own.claim = 0;
    }
    for (size_t i = 0; i < news->count; i++)
        note_entry(weir_store_entry_at(news->entries, news->entry_size, i));
    pthread_mutex_unlock(&own.lock);
}

/* ---- What sharing.c calls ---- */

void tidying_try(void)
{
    pthread_mutex_lock(&own.lock);
    if (own.state == AT_REST && own.keys > TIDYING_KEYS && own.keys > own.parts) {
        char key[KEY_ROOM], value[32];
        snprintf(key, sizeof key, TOLD_PREFIX TOLD_TIDYING);
        snprintf(value, sizeof value, "# %016llx", own.author);
        own.state = CLAIMING;
        if (!weir_store_put(text_of(key), text_of(value), own.claim, 0, on_claim, NULL))
            own.state = AT_REST;
    }
    pthread_mutex_unlock(&own.lock);
}

bool tidying_has_work(void)
{
    pthread_mutex_lock(&own.lock);
    const bool has_work = own.state == MERGING;
    pthread_mutex_unlock(&own.lock);
    return has_work;
}

void tidying_merge(void)
{
    pthread_mutex_lock(&own.lock);
    struct told_list *list = own.list;
    own.list = NULL;
    pthread_mutex_unlock(&own.lock);
    if (!list)
        return;
    /* in the state MERGING nobody else touches errands */
    own.end = &own.puts;
    bool ok = told_merge(list, own.author, own.serial++, TOLD_TEXT_BYTES, add_put, NULL);
    own.end = &own.removals;
    for (size_t i = 0; ok && i < list->count; i++)
        if (strcmp(list->told[i].name, TOLD_TIDYING) != 0)
            ok = strlen(list->told[i].name) < TOLD_NAME_BYTES - 1 && /* or it may be cut */
                 add_errand(list->told[i].name, (weir_string){NULL, 0});
    told_free(list);
    pthread_mutex_lock(&own.lock);
    if (ok)
        go_on();
    else
        give_up();
    pthread_mutex_unlock(&own.lock);
}

void tidying_begin(unsigned long long author, void (*wake)(void))
{
    own.author = author;
    own.wake = wake;
    own.serial = 0;
    own.keys = own.parts = 0;
    own.claim = 0;
    own.state = AT_REST;
}

void tidying_end(void)
{
    give_up();
}
