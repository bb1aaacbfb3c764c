/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions of shared_file.h, to be included by exactly one file of a plugin.
 *
 * Three threads come here: the store's, which only notes what it says; OnFlush's; and one of this file's own, which takes
 * what the cluster has and puts what is to be put. Texts are checked under `taking`, which may last; `lock` is held for
 * moments, and taken after it.
 *
 *     FLUSH ──► wish ──► upload: its parts, one after the other, then the head ──► done: `taken` is that
 *                 ▲          │
 *                 │          └─► the head is another's: merged, it is wished again, or the other one is taken
 *
 * `taken` is the last text of the cluster's that was looked at here, with its revision. A wish goes in the place of
 * the one that it has found there, and of no other: that is what makes nodes end up with the same. */
#ifndef WEIR_SHARED_FILE_CODE_H
#define WEIR_SHARED_FILE_CODE_H

#include <weir/shared_file_here.h>

/* ---- Wishes: under taking ---- */

static void shared_wish(struct shared_file *file, weir_string text, weir_string base,
                        int64_t revision)
{
    if (!text.data)
        return;
    pthread_mutex_lock(&file->lock);
    shared_bytes_set(&file->wish, text);
    if (base.data)
        shared_bytes_set(&file->wish_base, base);
    else
        shared_bytes_drop(&file->wish_base);
    file->wish_revision = revision;
    file->wish_number++;
    file->next_try_ns = 0;
    pthread_cond_broadcast(&file->changed);
    pthread_mutex_unlock(&file->lock);
}

static void shared_drop_wish(struct shared_file *file)
{
    pthread_mutex_lock(&file->lock);
    shared_bytes_drop(&file->wish);
    shared_bytes_drop(&file->wish_base);
    pthread_mutex_unlock(&file->lock);
}

/* What was read of the file is in force, and goes to the other nodes. */
static void shared_offer(struct shared_file *file)
{
    pthread_mutex_lock(&file->lock);
    const bool is_alone = file->state == SHARED_ALONE, is_lost = file->is_lost;
    pthread_mutex_unlock(&file->lock);
    shared_set_refused(file, false);
    if (is_alone)
        return;
    if (file->is_long) {
        weir_log(WEIR_LOG_WARN,
                 "%s is longer than %u bytes: it counts on this node alone, and what other nodes "
                 "have does not count here",
                 file->path, SHARED_TEXT_BYTES);
        shared_drop_wish(file);
        return;
    }
    if (file->taken_revision && shared_bytes_are(&file->taken, shared_text(&file->in_force)))
        shared_drop_wish(file);
    else
        shared_wish(file, shared_text(&file->in_force), shared_text(&file->taken),
                    file->taken_revision);
    if (is_lost && file->wish.data)
        weir_log(WEIR_LOG_WARN,
                 "etcd is not reached: other nodes have the %s of %s once it is back, unless "
                 "others are put before",
                 file->plan.what, file->path);
    if (file->plan.copy)
        shared_keep(file);
}

/* ---- What the store says: on its thread ---- */

static void shared_note_entry(struct shared_file *file, const weir_store_entry *entry)
{
    const size_t prefix = strlen(file->plan.prefix);
    char edition[SHARED_EDITION_BYTES];
    uint32_t number;
    struct shared_head head;
    if (entry->key.size < prefix)
        return;
    const weir_string name = {entry->key.data + prefix, entry->key.size - prefix};
    if (shared_part_read(name, edition, &number)) {
        if (!shared_parts_note(&file->parts, edition, number, entry))
            weir_log(WEIR_LOG_ERROR, "no memory for the cluster's %s", file->plan.what);
    } else if (text_is(name, "head") && entry->revision < file->head_revision) {
        return; /* an answer has come before the news */
    } else if (text_is(name, "head") && entry->is_deleted) {
        file->head_revision = 0;
    } else if (text_is(name, "head") && shared_head_read(entry->value, &head)) {
        file->head = head;
        file->head_revision = entry->revision;
    } else {
        weir_log(WEIR_LOG_WARN, "a key of the store below %s is none of the %s, and is left alone",
                 file->plan.prefix, file->plan.what);
    }
}

static void shared_on_news(void *user, const weir_store_news *news)
{
    struct shared_file *file = user;
    const bool shares = weir_store_is_shared(news);
    pthread_mutex_lock(&file->lock);
    file->state = shares ? SHARED_ON : SHARED_ALONE;
    file->is_lost = news->kind == WEIR_STORE_LOST;
    if (shares && news->kind == WEIR_STORE_EVERYTHING) {
        shared_parts_free(&file->parts);
        file->head_revision = 0;
        file->has_everything = true;
    }
    for (size_t i = 0; shares && i < news->count; i++)
        shared_note_entry(file, weir_store_entry_at(news->entries, news->entry_size, i));
    file->has_news = true;
    file->next_try_ns = 0;
    pthread_cond_broadcast(&file->changed);
    pthread_mutex_unlock(&file->lock);
}

/* ---- What is put ---- */

/* The lock is held. */
static void shared_drop_upload(struct shared_file *file)
{
    shared_bytes_drop(&file->upload.text);
    file->upload.is_on = file->upload.is_done = file->upload.is_head_sent = false;
}

/* The lock is held. Whether all parts are there. */
static bool shared_is_at_head(const struct shared_file *file)
{
    return file->upload.next >= file->upload.head.parts;
}

static void shared_on_put(void *user, const weir_store_answer *answer)
{
    struct shared_file *file = user;
    pthread_mutex_lock(&file->lock);
    const bool is_there = answer->status == WEIR_STORE_DONE || answer->status == WEIR_STORE_DIFFERS;
    const bool is_head = shared_is_at_head(file);
    file->upload.is_sent = false;
    file->has_news = true; /* what has come meanwhile is looked at first */
    if (!is_there)
        file->next_try_ns = clock_monotonic_ns() + SHARED_RETRY_NS;
    file->upload.next += is_there && !is_head;
    file->upload.is_head_sent = is_there && is_head; /* news say whose it is */
    if (is_head && answer->status == WEIR_STORE_DONE) {
        file->upload.is_done = true;
        file->upload.revision = answer->revision;
        if (file->head_revision < answer->revision) {
            file->head = file->upload.head;
            file->head_revision = answer->revision;
        }
    }
    pthread_cond_broadcast(&file->changed);
    pthread_mutex_unlock(&file->lock);
}

/* The lock is held. False: no memory. */
static bool shared_begin_upload(struct shared_file *file)
{
    shared_bytes_set(&file->upload.text, shared_text(&file->wish));
    if (!file->upload.text.data)
        return false;
    file->upload.head.size = (uint32_t)file->upload.text.size;
    file->upload.head.parts = shared_parts_of(file->upload.text.size);
    snprintf(file->upload.head.edition, sizeof file->upload.head.edition, "%016llx",
             unique_number());
    file->upload.base = file->wish_revision;
    file->upload.wish_number = file->wish_number;
    file->upload.next = 0;
    file->upload.is_on = true;
    file->upload.is_done = file->upload.is_head_sent = false;
    return true;
}

/* The lock is held. */
static void shared_send(struct shared_file *file)
{
    char key[SHARED_KEY_ROOM], value[SHARED_HEAD_BYTES], name[SHARED_PART_KEY_BYTES] = "head";
    const uint32_t next = file->upload.next;
    const size_t from = (size_t)next * SHARED_PART_BYTES, left = file->upload.text.size - from;
    const bool is_part = next < file->upload.head.parts;
    shared_head_print(&file->upload.head, value);
    if (is_part)
        shared_part_print(file->upload.head.edition, next, name);
    snprintf(key, sizeof key, "%s%s", file->plan.prefix, name);
    const weir_string part = {file->upload.text.data + from,
                              left < SHARED_PART_BYTES ? left : SHARED_PART_BYTES};
    file->upload.is_sent = weir_store_put(text_of(key), is_part ? part : text_of(value),
                                          is_part ? 0 : file->upload.base, 0, shared_on_put, file);
    if (!file->upload.is_sent)
        file->next_try_ns = clock_monotonic_ns() + SHARED_RETRY_NS;
}

/* The lock is held. Whether there is something to put now, or in a moment. */
static bool shared_can_put(const struct shared_file *file)
{
    if (file->state != SHARED_ON || file->is_lost || !file->has_begun || file->upload.is_sent ||
        file->upload.is_head_sent)
        return false;
    return file->upload.is_on || file->wish.data;
}

/* The lock is held. Deletes what no head will name. */
static void shared_tidy(const struct shared_file *file, const char *edition, int64_t revision)
{
    char key[SHARED_KEY_ROOM], name[SHARED_PART_KEY_BYTES];
    for (const struct shared_part *part = file->parts; part; part = part->next) {
        if (part->revision >= revision || strcmp(part->edition, edition) == 0)
            continue;
        shared_part_print(part->edition, part->number, name);
        snprintf(key, sizeof key, "%s%s", file->plan.prefix, name);
        if (!weir_store_delete(text_of(key), NULL, NULL))
            return; /* the next one that is put takes them along */
    }
}

/* ---- What has become of it: under taking, on the thread of this file ---- */

/* The cluster has this text now. Takes it. */
static void shared_note_taken(struct shared_file *file, struct shared_bytes text, int64_t revision)
{
    free(file->taken.data);
    file->taken = text;
    file->taken_revision = revision;
}

/* The lock is held. The upload is what the cluster has had at that revision. */
static void shared_upload_done(struct shared_file *file, int64_t revision)
{
    struct shared_bytes text = file->upload.text;
    file->upload.text = (struct shared_bytes){NULL, 0};
    if (file->upload.wish_number == file->wish_number) {
        shared_bytes_drop(&file->wish);
        shared_bytes_drop(&file->wish_base);
    } else if (file->wish.data) {
        shared_bytes_set(&file->wish_base, shared_text(&text));
        file->wish_revision = revision;
    }
    shared_tidy(file, file->upload.head.edition, revision);
    shared_drop_upload(file);
    shared_note_taken(file, text, revision);
}

/* The lock is held. */
static void shared_settle_upload(struct shared_file *file)
{
    const bool is_passed = file->head_revision > file->upload.base;
    if (!file->upload.is_on || file->upload.is_sent)
        return;
    if (file->upload.is_done)
        shared_upload_done(file, file->upload.revision);
    else if (is_passed && strcmp(file->head.edition, file->upload.head.edition) == 0)
        shared_upload_done(file, file->head_revision); /* the answer was lost */
    else if (is_passed || file->head_revision < file->upload.base)
        shared_drop_upload(file);
    else if (file->has_everything)
        file->upload.is_head_sent = false; /* it is asked for again */
}

/* Another has put `theirs` since the wish was made; it is `taken` now. */
static void shared_give_way(struct shared_file *file)
{
    struct error error;
    const struct shared_bytes mine = file->wish, base = file->wish_base;
    const bool is_same = shared_bytes_are(&mine, shared_text(&file->taken));
    char *merged =
        file->plan.merge && !is_same && base.data && file->taken.data
            ? file->plan.merge(shared_text(&base), shared_text(&mine), shared_text(&file->taken))
            : NULL;
    const weir_string text = text_of(merged);
    if (merged && !shared_bytes_are(&file->taken, text) &&
        shared_take(file, text, file->plan.what, &error)) {
        shared_wish(file, text, shared_text(&file->taken), file->taken_revision);
        shared_keep(file);
    } else {
        if (!is_same && !(merged && shared_bytes_are(&file->taken, text)))
            weir_log(WEIR_LOG_WARN,
                     "another node has put its %s before those of %s, which are left out; touch "
                     "that and flush the "
                     "plugin to put them all the same",
                     file->plan.what, file->path);
        shared_drop_wish(file);
        shared_take_clusters(file, false);
    }
    free(merged);
}

/* What the cluster has now, where that is new. */
static void shared_look_at_head(struct shared_file *file)
{
    pthread_mutex_lock(&file->lock);
    const int64_t revision = file->head_revision;
    const bool has_wish = file->wish.data;
    struct shared_bytes text = {NULL, file->head.size};
    const bool is_new = revision > file->taken_revision;
    if (is_new)
        text.data = shared_parts_join(&file->parts, &file->head);
    pthread_mutex_unlock(&file->lock);
    if (!is_new)
        return;
    if (!text.data) {
        weir_log(WEIR_LOG_WARN,
                 "parts of the cluster's %s are missing: what is in force here stays",
                 file->plan.what);
        return;
    }
    const bool is_first = file->taken_revision == 0;
    if (is_first && !file->plan.copy)
        file->own_time = (struct timespec){0, 0}; /* the file that was there is kept beside it */
    shared_note_taken(file, text, revision);
    if (has_wish && revision > file->wish_revision)
        shared_give_way(file);
    else if (!has_wish)
        shared_take_clusters(file, is_first);
}

/* The store has been reached, and has nothing: it gets what is in force here. */
static void shared_fill(struct shared_file *file)
{
    pthread_mutex_lock(&file->lock);
    const bool is_needed = file->head_revision == 0 && !file->wish.data;
    pthread_mutex_unlock(&file->lock);
    if (!is_needed || file->is_long || (file->is_missing && !file->taken.data))
        return;
    shared_wish(file, shared_text(&file->in_force), (weir_string){NULL, 0}, 0);
    if (file->plan.copy)
        shared_keep(file);
}

static void shared_look(struct shared_file *file)
{
    pthread_mutex_lock(&file->taking);
    pthread_mutex_lock(&file->lock);
    const bool has_everything = file->has_everything, is_lost = file->is_lost;
    const bool is_shared = file->state == SHARED_ON, is_beginning = !file->has_begun;
    const bool is_open = file->upload.is_sent && shared_is_at_head(file);
    if (is_shared && !is_lost && !is_open) {
        shared_settle_upload(file);
        if (file->head_revision == 0) /* or it was taken away */
            file->taken_revision = file->wish_revision = 0;
        file->has_everything = false;
    }
    pthread_mutex_unlock(&file->lock);
    if (is_open) {
        /* the head that the store has may be this one's: the answer says */
    } else if (!is_shared) {
        shared_drop_wish(file);
        if (file->copy[0])
            unlink(file->copy);
    } else if (is_lost) {
        if (is_beginning)
            shared_use_copy(file);
    } else {
        shared_look_at_head(file);
        if (has_everything)
            shared_fill(file);
    }
    pthread_mutex_unlock(&file->taking);
}

/* ---- The thread ---- */

static void *shared_run(void *user)
{
    struct shared_file *file = user;
    pthread_mutex_lock(&file->lock);
    while (!file->is_ending) {
        const uint64_t now = clock_monotonic_ns();
        if (file->has_news) {
            file->has_news = false;
            pthread_mutex_unlock(&file->lock);
            shared_look(file);
            pthread_mutex_lock(&file->lock);
            file->has_begun = true;
            pthread_cond_broadcast(&file->changed);
        } else if (shared_can_put(file) && now >= file->next_try_ns) {
            if (file->upload.is_on || shared_begin_upload(file))
                shared_send(file);
            else
                file->next_try_ns = now + SHARED_RETRY_NS;
        } else if (shared_can_put(file)) {
            const struct timespec until = clock_deadline(CLOCK_REALTIME, file->next_try_ns - now);
            pthread_cond_timedwait(&file->changed, &file->lock, &until);
        } else {
            pthread_cond_wait(&file->changed, &file->lock);
        }
    }
    pthread_mutex_unlock(&file->lock);
    return NULL;
}

/* ---- What a plugin calls ---- */

/* Reads the file and puts it in force; is_forced: whether it has changed or not. False and the problem. */
static bool shared_read_and_take(struct shared_file *file, bool is_forced, struct error *error)
{
    struct shared_reading reading;
    if (!shared_read_file(file, &reading, error))
        return false;
    bool ok;
    if (is_forced || reading.text.size > SHARED_TEXT_BYTES ||
        shared_file_has_changed(file, &reading)) {
        ok = shared_take(file, shared_text(&reading.text), file->path, error);
        if (ok) {
            shared_note_file(file, &reading);
            shared_offer(file);
        }
    } else {
        char name[64];
        const bool is_clusters = file->taken_revision && !file->wish.data && file->taken.data;
        const bool is_own = shared_bytes_are(&file->own, shared_text(&file->in_force));
        snprintf(name, sizeof name, "%s of the cluster", file->plan.what);
        ok = shared_take(file, shared_text(is_clusters ? &file->taken : &file->in_force),
                         is_clusters || !is_own ? name : file->path, error);
        if (ok)
            shared_set_refused(file, false);
    }
    shared_bytes_drop(&reading.text);
    return ok;
}

struct shared_file *shared_file_open(const struct shared_file_plan *plan, const char *path,
                                     struct error *error)
{
    struct shared_file *file = calloc(1, sizeof *file);
    if (!file) {
        error_set(error, "no memory");
        return NULL;
    }
    file->plan = *plan;
    snprintf(file->path, sizeof file->path, "%s", path);
    pthread_mutex_init(&file->taking, NULL);
    pthread_mutex_init(&file->lock, NULL);
    pthread_cond_init(&file->changed, NULL);
    if (plan->copy && weir_data_directory().data &&
        !files_in_data_directory(text_of(plan->copy), file->copy, sizeof file->copy))
        file->copy[0] = '\0';
    if (shared_read_and_take(file, true, error))
        return file;
    shared_file_close(file);
    return NULL;
}

void shared_file_join(struct shared_file *file)
{
    const struct timespec until = clock_deadline(CLOCK_REALTIME, SHARED_FIRST_NS);
    int status = 0;
    file->state = SHARED_ASKED;
    const bool has_thread = pthread_create(&file->thread, NULL, shared_run, file) == 0;
    pthread_mutex_lock(&file->lock);
    file->has_thread = has_thread;
    pthread_mutex_unlock(&file->lock);
    if (!has_thread || !weir_store_watch(text_of(file->plan.prefix), shared_on_news, file)) {
        pthread_mutex_lock(&file->lock);
        file->state = SHARED_ALONE;
        pthread_mutex_unlock(&file->lock);
        return;
    }
    pthread_mutex_lock(&file->lock);
    while (!file->has_begun && status == 0)
        status = pthread_cond_timedwait(&file->changed, &file->lock, &until);
    const bool is_late = !file->has_begun;
    pthread_mutex_unlock(&file->lock);
    if (!is_late)
        return;
    pthread_mutex_lock(&file->taking);
    if (file->taken_revision == 0)
        shared_use_copy(file);
    pthread_mutex_unlock(&file->taking);
}

bool shared_file_flush(struct shared_file *file, struct error *error)
{
    pthread_mutex_lock(&file->taking);
    pthread_mutex_lock(&file->lock);
    const bool is_alone = file->state == SHARED_ALONE;
    pthread_mutex_unlock(&file->lock);
    const bool ok = shared_read_and_take(file, is_alone, error);
    pthread_mutex_unlock(&file->taking);
    return ok;
}

void shared_file_enter(struct shared_file *file)
{
    pthread_mutex_lock(&file->taking);
}

void shared_file_written(struct shared_file *file)
{
    struct shared_reading reading;
    struct error error;
    if (!shared_read_file(file, &reading, &error)) {
        weir_log(WEIR_LOG_ERROR, "what was changed is not told to other nodes: %s", error.message);
        return;
    }
    shared_note_file(file, &reading);
    shared_bytes_set(&file->in_force, shared_text(&reading.text));
    shared_bytes_drop(&reading.text);
    shared_offer(file);
}

void shared_file_leave(struct shared_file *file)
{
    pthread_mutex_unlock(&file->taking);
}

bool shared_file_is_refused(struct shared_file *file)
{
    pthread_mutex_lock(&file->lock);
    const bool is_refused = file->is_refused;
    pthread_mutex_unlock(&file->lock);
    return is_refused;
}

void shared_file_close(struct shared_file *file)
{
    if (!file)
        return;
    pthread_mutex_lock(&file->lock);
    file->is_ending = true;
    pthread_cond_broadcast(&file->changed);
    pthread_mutex_unlock(&file->lock);
    if (file->has_thread)
        pthread_join(file->thread, NULL);
    shared_bytes_drop(&file->in_force);
    shared_bytes_drop(&file->own);
    shared_bytes_drop(&file->taken);
    shared_bytes_drop(&file->wish);
    shared_bytes_drop(&file->wish_base);
    shared_bytes_drop(&file->upload.text);
    shared_parts_free(&file->parts);
    pthread_mutex_destroy(&file->taking);
    pthread_mutex_destroy(&file->lock);
    pthread_cond_destroy(&file->changed);
    free(file);
}

#endif
