/* SPDX-License-Identifier: Apache-2.0
 *
 * Two locks. `learning` is held for the time that it takes to add an entry, by threads that serve
 * sessions; `filing` while the file is read or written, by the thread that does it: the keeper's thread,
 * OnFlush, a function. filing is taken before learning. */
#include "keeper.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/clock.h>
#include <weir/strbuf.h>

#include "allow_list.h"
#include "sharing.h"

#define RETRY_SECONDS 1 /* after a save that failed */

/* A line that is to be saved, or a reply that waits for those before it. */
struct waiting {
    struct waiting *next;
    weir_hold *hold;     /* NULL: it is a line */
    size_t heading_size; /* the first bytes of text: account and database; the line follows */
    size_t size;
    char text[];
};

struct queue {
    struct waiting *first, **end;
    size_t lines;
};

struct readers keeper_readers;

static _Atomic(struct allow_lists *) lists;
static pthread_mutex_t filing = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t learning = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER; /* something waits, or is_ending */
static struct queue queue;                                /* under learning */
static bool must_write_whole; /* under learning: what waits is not all that the file lacks */
static bool is_ending;
static atomic_size_t unsaved;
static char path[4096];
static pthread_t thread;

const struct allow_lists *keeper_lists(void)
{
    return atomic_load(&lists);
}

size_t keeper_unsaved(void)
{
    return atomic_load(&unsaved);
}

/* ---- The queue ---- */

static void put(struct queue *to, struct waiting *item)
{
    if (!to->first)
        to->end = &to->first;
    item->next = NULL;
    *to->end = item;
    to->end = &item->next;
    to->lines += !item->hold;
}

static struct queue take_queue(void)
{
    struct queue taken = queue;
    queue = (struct queue){0};
    return taken;
}

/* Replies go; lines too, or stay for another time. */
static void settle(struct queue *taken, bool is_saved)
{
    struct queue kept = {0};
    if (is_saved) /* whoever waits for a reply finds it so */
        atomic_fetch_sub(&unsaved, taken->lines);
    for (struct waiting *item = taken->first, *next; item; item = next) {
        next = item->next;
        if (item->hold)
            weir_release(item->hold, WEIR_OK);
        if (item->hold || is_saved)
            free(item);
        else
            put(&kept, item);
    }
    pthread_mutex_lock(&learning);
    if (kept.first) { /* before what came meanwhile */
        *kept.end = queue.first;
        if (queue.first)
            kept.end = queue.end;
        kept.lines += queue.lines;
        queue = kept;
    }
    pthread_mutex_unlock(&learning);
}

static void add_to_queue(struct waiting *item)
{
    put(&queue, item);
    pthread_cond_signal(&changed);
}

static void queue_line(weir_string account, const struct key *key)
{
    char line[KEY_LINE_BYTES];
    size_t size = key_print(key, line);
    struct strbuf heading = STRBUF_INIT;
    heading_print(account, key->database, &heading);
    struct waiting *item = heading.failed ? NULL : malloc(sizeof *item + heading.size + size);
    atomic_fetch_add(&unsaved, item != NULL);
    must_write_whole = must_write_whole || !item;
    if (item) {
        *item = (struct waiting){.heading_size = heading.size, .size = heading.size + size};
        memcpy(item->text, heading.data, heading.size);
        memcpy(item->text + heading.size, line, size);
        add_to_queue(item);
    }
    strbuf_release(&heading);
}

void keeper_release_when_saved(weir_hold *hold)
{
    struct waiting *item = malloc(sizeof *item);
    if (!item) {
        weir_release(hold, WEIR_OK);
        return;
    }
    *item = (struct waiting){.hold = hold};
    pthread_mutex_lock(&learning);
    add_to_queue(item);
    pthread_mutex_unlock(&learning);
}

/* Under learning. */
static enum learned learn(weir_string account, const struct key *key)
{
    struct allow_lists *now = atomic_load(&lists);
    struct account *list = allow_lists_make(now, account);
    enum learned learned = list ? account_learn(now, list, key) : LEARNED_FULL;
    if (learned == LEARNED_NEW)
        queue_line(account, key);
    return learned;
}

enum learned keeper_learn(weir_string account, const struct key *key)
{
    pthread_mutex_lock(&learning);
    enum learned learned = learn(account, key);
    if (learned == LEARNED_NEW)
        sharing_learned(account, key);
    pthread_mutex_unlock(&learning);
    return learned;
}

/* ---- Saving: under filing ---- */

/* Adds the lines, with their heading where it changes. */
static void add_lines(struct strbuf *text, const struct queue *taken)
{
    const struct waiting *before = NULL;
    for (const struct waiting *item = taken->first; item; item = item->next) {
        if (item->hold)
            continue;
        size_t from = item->heading_size;
        bool is_same =
            before && before->heading_size == from && memcmp(before->text, item->text, from) == 0;
        if (is_same)
            strbuf_add(text, item->text + from, item->size - from);
        else
            strbuf_add(text, item->text, item->size);
        before = item;
    }
}

static bool write_lines(const struct queue *taken, struct error *error)
{
    struct strbuf text = STRBUF_INIT;
    add_lines(&text, taken);
    bool ok = !text.failed;
    if (!ok)
        error_set(error, "out of memory");
    else if (text.size)
        ok = allow_lists_append(path, text.data, text.size, error);
    strbuf_release(&text);
    return ok;
}

/* Says when saving begins to fail, and when it works again. */
static void log_change(bool ok, const char *problem)
{
    static bool was_ok = true;
    if (!ok && was_ok)
        weir_log(WEIR_LOG_ERROR, "what was learned is not saved: %s", problem);
    else if (ok && !was_ok)
        weir_log(WEIR_LOG_INFO, "what was learned is saved again: %s", path);
    was_ok = ok;
}

static bool save(struct error *error)
{
    pthread_mutex_lock(&learning);
    struct queue taken = take_queue();
    bool whole = must_write_whole;
    pthread_mutex_unlock(&learning);
    if (!taken.first && !whole)
        return true;
    bool ok = whole ? allow_lists_write(atomic_load(&lists), path, NULL, error)
                    : write_lines(&taken, error);
    if (ok && whole) {
        pthread_mutex_lock(&learning);
        must_write_whole = false;
        pthread_mutex_unlock(&learning);
    }
    settle(&taken, ok);
    log_change(ok, error->message);
    return ok;
}

static bool has_work(void)
{
    return queue.first || must_write_whole;
}

static void *run(void *nothing)
{
    struct error error;
    bool ok = true;
    (void)nothing;
    pthread_mutex_lock(&learning);
    while (!is_ending) {
        struct timespec until = clock_deadline(CLOCK_REALTIME, RETRY_SECONDS * CLOCK_NS_PER_S);
        if (!has_work())
            pthread_cond_wait(&changed, &learning);
        else if (!ok)
            pthread_cond_timedwait(&changed, &learning, &until);
        if (!has_work() || is_ending)
            continue;
        pthread_mutex_unlock(&learning);
        pthread_mutex_lock(&filing);
        ok = save(&error);
        pthread_mutex_unlock(&filing);
        pthread_mutex_lock(&learning);
    }
    pthread_mutex_unlock(&learning);
    return NULL;
}

/* ---- Replacing ---- */

/* Adds what was learned while the file was read. Lines are in the file's own words. */
static void add_waiting(struct allow_lists *next)
{
    for (const struct waiting *item = queue.first; item; item = item->next) {
        struct allow_heading heading = {0};
        char *text = item->hold ? NULL : strndup(item->text, item->size), *rest = NULL;
        for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line;
             line = strtok_r(NULL, "\n", &rest))
            allow_lists_read_line(next, line, &heading);
        must_write_whole = must_write_whole || (!item->hold && !text);
        free(text);
    }
}

static bool read_again(struct error *error)
{
    bool is_torn;
    struct allow_lists *next = allow_lists_read(path, &is_torn, error);
    if (!next)
        return false;
    pthread_mutex_lock(&learning);
    add_waiting(next);
    struct allow_lists *old = atomic_exchange(&lists, next);
    must_write_whole = must_write_whole || is_torn;
    sharing_changed(old, next); /* in one order with what sessions learn */
    pthread_mutex_unlock(&learning);
    readers_wait(&keeper_readers);
    allow_lists_free(old);
    return true;
}

bool keeper_save(struct error *error)
{
    pthread_mutex_lock(&filing);
    bool ok = save(error);
    pthread_mutex_unlock(&filing);
    return ok;
}

bool keeper_reload(struct error *error)
{
    pthread_mutex_lock(&filing);
    bool ok = save(error) && read_again(error);
    pthread_mutex_unlock(&filing);
    return ok;
}

bool keeper_set_mode(weir_string account, int mode, struct error *error)
{
    pthread_mutex_lock(&filing);
    pthread_mutex_lock(&learning);
    struct account *list = allow_lists_make(atomic_load(&lists), account);
    int before = list ? account_mode(list) : NO_MODE;
    if (list)
        account_set_mode(list, mode);
    pthread_mutex_unlock(&learning);
    bool ok = list && allow_lists_write(atomic_load(&lists), path, NULL, error);
    if (!list)
        error_set(error, "no memory");
    else if (!ok)
        account_set_mode(list, before);
    if (ok)
        sharing_mode_set(account, mode);
    pthread_mutex_unlock(&filing);
    return ok;
}

bool keeper_remove(weir_string account, const struct key *key, struct error *error)
{
    struct left_out left_out = {account, key};
    pthread_mutex_lock(&filing);
    bool ok = save(error) && allow_lists_write(atomic_load(&lists), path, &left_out, error) &&
              read_again(error);
    pthread_mutex_unlock(&filing);
    return ok;
}

/* ---- From other nodes ---- */

struct taking {
    const struct changes *changes;
    bool takes_away; /* something that there is */
};

static bool is_taken(void *user, weir_string account, const struct key *key)
{
    return changes_take_away(((struct taking *)user)->changes, account, key);
}

static void look_whether_taken(void *user, weir_string account, int mode, const struct key *key)
{
    struct taking *taking = user;
    (void)mode;
    taking->takes_away = taking->takes_away || is_taken(taking, account, key);
}

/* Under learning. Returns the lists without what is taken away, the lists of now if nothing is, or NULL: no memory. */
static struct allow_lists *take_away(const struct changes *changes)
{
    struct allow_lists *now = atomic_load(&lists);
    struct taking taking = {.changes = changes};
    allow_lists_each(now, look_whether_taken, &taking);
    if (!taking.takes_away)
        return now;
    must_write_whole = true;
    return allow_lists_copy(now, is_taken, &taking);
}

/* Under learning. False: no memory, or the list is full. */
static bool take_over(const struct changed_account *said)
{
    const weir_string name = {said->name, said->name_size};
    bool ok = true;
    if (said->mode != MODE_UNSAID) {
        struct account *list = allow_lists_make(atomic_load(&lists), name);
        ok = list != NULL;
        if (ok && account_mode(list) != said->mode)
            must_write_whole = true;
        if (ok)
            account_set_mode(list, said->mode);
    }
    for (const struct changed_key *key = said->first; key; key = key->next)
        if (key->is_said && key->allows)
            ok = learn(name, &key->key) != LEARNED_FULL && ok;
    return ok;
}

bool keeper_apply(const struct changes *changes)
{
    struct error error;
    pthread_mutex_lock(&filing);
    pthread_mutex_lock(&learning);
    struct allow_lists *old = atomic_load(&lists), *next = take_away(changes);
    bool ok = next != NULL;
    if (ok)
        atomic_store(&lists, next);
    for (const struct changed_account *at = changes->first; at; at = at->next)
        ok = take_over(at) && ok;
    pthread_cond_signal(&changed); /* what cannot be saved now is later */
    pthread_mutex_unlock(&learning);
    if (next && next != old) {
        readers_wait(&keeper_readers);
        allow_lists_free(old);
    }
    (void)save(&error); /* and says so */
    pthread_mutex_unlock(&filing);
    return ok;
}

/* ---- Life ---- */

bool keeper_open(const char *file, struct error *error)
{
    bool is_torn = false;
    int length = snprintf(path, sizeof path, "%s", file);
    struct allow_lists *read = NULL;
    if (length < 0 || (size_t)length >= sizeof path)
        error_set(error, "the path of the allow-list is too long");
    else
        read = allow_lists_read(path, &is_torn, error);
    if (!read)
        return false;
    must_write_whole = is_torn;
    is_ending = false;
    atomic_store(&lists, read);
    if (is_torn)
        weir_log(WEIR_LOG_WARN, "%s: the last line was cut off, and is left out", path);
    if (pthread_create(&thread, NULL, run, NULL) == 0)
        return true;
    allow_lists_free(atomic_exchange(&lists, NULL));
    error_set(error, "there is no thread to be had");
    return false;
}

void keeper_close(void)
{
    struct error error;
    sharing_end();
    pthread_mutex_lock(&learning);
    is_ending = true;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&learning);
    pthread_join(thread, NULL);
    pthread_mutex_lock(&filing);
    save(&error);
    pthread_mutex_unlock(&filing);
    struct queue left = take_queue();
    settle(&left, true);
    allow_lists_free(atomic_exchange(&lists, NULL));
}
