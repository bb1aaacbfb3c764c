/* SPDX-License-Identifier: Apache-2.0
 *
 * One half of shared_file_code.h: this node's side. The file, what is in force, and the copy of what the cluster has; nothing here
 * asks the store. All of it is under `taking`. */
#ifndef WEIR_SHARED_FILE_HERE_H
#define WEIR_SHARED_FILE_HERE_H

#include <pthread.h>
#include <weir/clock.h>
#include <weir/files.h>
#include <weir/shared_file.h>
#include <weir/unique.h>

#define SHARED_FIRST_NS (2 * CLOCK_NS_PER_S) /* longest wait for the first news */
#define SHARED_RETRY_NS CLOCK_NS_PER_S
#define SHARED_KEY_ROOM 128

/* Owned; data NULL: there is none. */
struct shared_bytes {
    char *data;
    size_t size;
};

enum shared_state { SHARED_ALONE, SHARED_ASKED, SHARED_ON };

struct shared_file {
    struct shared_file_plan plan;
    char path[PATH_MAX], copy[PATH_MAX]; /* copy: empty where there is none */
    pthread_mutex_t taking;
    /* under taking: */
    struct shared_bytes in_force;  /* here */
    struct shared_bytes own;       /* the file, as it was last read; none: it was too long */
    struct timespec own_time;      /* when it had last been changed then */
    bool is_missing, is_long;      /* the file; a long one is in force, whatever the cluster has */
    struct shared_bytes taken;     /* what the cluster has */
    int64_t taken_revision;        /* 0: nothing */
    struct shared_bytes wish;      /* to be put; the thread reads it under lock */
    struct shared_bytes wish_base; /* what it goes in the place of */
    int64_t wish_revision;
    unsigned wish_number; /* tells wishes apart */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    /* under lock: */
    enum shared_state state;
    bool has_thread, is_ending, has_begun;
    bool is_lost, has_news, has_everything, is_refused;
    struct shared_part *parts;
    struct shared_head head;
    int64_t head_revision; /* 0: there is none */
    struct {
        bool is_on, is_sent, is_head_sent, is_done;
        struct shared_bytes text; /* owned */
        struct shared_head head;
        int64_t base, revision; /* that it goes in the place of; that it has, once it is done */
        uint32_t next;          /* part */
        unsigned wish_number;
    } upload;
    uint64_t next_try_ns;
};

/* ---- Bytes ---- */

static void shared_bytes_drop(struct shared_bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct shared_bytes){NULL, 0};
}

/* Copies; without memory there is none then, and the log says so. */
static void shared_bytes_set(struct shared_bytes *to, weir_string from)
{
    char *data = malloc(from.size + 1);
    if (data && from.size)
        memcpy(data, from.data, from.size);
    if (data)
        data[from.size] = '\0';
    else
        weir_log(WEIR_LOG_ERROR, "no memory for a file of %zu bytes that nodes share", from.size);
    free(to->data);
    to->data = data;
    to->size = data ? from.size : 0;
}

static weir_string shared_text(const struct shared_bytes *bytes)
{
    return (weir_string){bytes->data, bytes->size};
}

static bool shared_bytes_are(const struct shared_bytes *bytes, weir_string text)
{
    return bytes->data && text.data && text_equals(shared_text(bytes), text);
}

/* ---- The file: under taking ---- */

struct shared_reading {
    struct shared_bytes text; /* owned */
    struct timespec time;
    bool is_missing;
};

static bool shared_read_all(FILE *stream, struct shared_bytes *text)
{
    size_t room = 0;
    for (;;) {
        if (text->size + 1 >= room) {
            room = room ? 2 * room : 65536;
            char *grown = realloc(text->data, room);
            if (!grown)
                return false;
            text->data = grown;
        }
        size_t more = fread(text->data + text->size, 1, room - text->size - 1, stream);
        text->size += more;
        text->data[text->size] = '\0';
        if (more == 0)
            return !ferror(stream);
    }
}

/* False and the problem. */
static bool shared_read_file(const struct shared_file *file, struct shared_reading *reading,
                             struct error *error)
{
    struct stat status = {.st_size = 0};
    *reading = (struct shared_reading){.is_missing = false};
    FILE *stream = fopen(file->path, "re");
    if (!stream && errno == ENOENT && file->plan.if_missing) {
        reading->is_missing = true;
        shared_bytes_set(&reading->text, text_of(file->plan.if_missing));
        return reading->text.data != NULL;
    }
    errno = stream ? 0 : errno;
    bool ok =
        stream && fstat(fileno(stream), &status) == 0 && shared_read_all(stream, &reading->text);
    if (!ok)
        error_set(error, "%s: %s", file->path, strerror(errno ? errno : ENOMEM));
    if (stream)
        fclose(stream);
    if (!ok)
        shared_bytes_drop(&reading->text);
    reading->time = status.st_mtim;
    return ok;
}

static bool shared_file_has_changed(const struct shared_file *file,
                                    const struct shared_reading *reading)
{
    return !shared_bytes_are(&file->own, shared_text(&reading->text)) ||
           reading->time.tv_sec != file->own_time.tv_sec ||
           reading->time.tv_nsec != file->own_time.tv_nsec;
}

/* Notes what was read as the file of now. */
static void shared_note_file(struct shared_file *file, const struct shared_reading *reading)
{
    file->is_long = reading->text.size > SHARED_TEXT_BYTES;
    file->is_missing = reading->is_missing;
    file->own_time = reading->time;
    if (file->is_long)
        shared_bytes_drop(&file->own);
    else
        shared_bytes_set(&file->own, shared_text(&reading->text));
}

/* ---- What is in force: under taking ---- */

static bool shared_take(struct shared_file *file, weir_string text, const char *name,
                        struct error *error)
{
    error_set(error, "%s: no memory", name);
    if (!text.data || !file->plan.take(file->plan.user, text, name, error))
        return false;
    if (text.data != file->in_force.data)
        shared_bytes_set(&file->in_force, text);
    return true;
}

static void shared_complain_of_file(const char *path)
{
    weir_log(WEIR_LOG_ERROR,
             "%s: cannot be written: %s: a restart without etcd begins with what "
             "it has now",
             path, strerror(errno));
}

/* The file becomes what is in force. What somebody has written into it and not flushed, or what it was when this node came, is
 * kept beside it. */
static void shared_rewrite_file(struct shared_file *file)
{
    struct shared_reading reading;
    struct error error;
    char before[PATH_MAX + 8];
    if (shared_read_file(file, &reading, &error) && !reading.is_missing &&
        !shared_bytes_are(&file->in_force, shared_text(&reading.text)) &&
        shared_file_has_changed(file, &reading)) {
        snprintf(before, sizeof before, "%s.before", file->path);
        if (files_replace(before, reading.text.data, reading.text.size) == 0)
            weir_log(WEIR_LOG_WARN,
                     "%s: the cluster has other %s, which replace those that it had; "
                     "they are in %s",
                     file->path, file->plan.what, before);
    }
    shared_bytes_drop(&reading.text);
    if (files_replace(file->path, file->in_force.data, file->in_force.size) < 0) {
        shared_complain_of_file(file->path);
        return;
    }
    struct stat status;
    if (stat(file->path, &status) == 0)
        file->own_time = status.st_mtim;
    /* What somebody has made of it since differs from that, and so has changed. */
    shared_bytes_set(&file->own, shared_text(&file->in_force));
    file->is_missing = false;
}

/* What is in force now is what a start without the store begins with. */
static void shared_keep(struct shared_file *file)
{
    if (!file->in_force.data)
        return;
    if (!file->plan.copy)
        shared_rewrite_file(file);
    else if (file->copy[0] &&
             files_replace(file->copy, file->in_force.data, file->in_force.size) < 0)
        shared_complain_of_file(file->copy);
}

/* The store is not reached: what this node has had of the cluster counts, if it has had anything. */
static void shared_use_copy(struct shared_file *file)
{
    struct error error;
    struct shared_bytes text = {NULL, 0};
    FILE *stream = file->copy[0] && !file->is_long ? fopen(file->copy, "re") : NULL;
    const bool is_read = stream && shared_read_all(stream, &text);
    if (stream)
        fclose(stream);
    if (is_read && !shared_bytes_are(&file->in_force, shared_text(&text))) {
        if (shared_take(file, shared_text(&text), file->copy, &error))
            weir_log(WEIR_LOG_WARN,
                     "etcd is not reached: the %s that the cluster had last count (%s), which "
                     "differ from "
                     "%s; touch that and flush the plugin to have it count",
                     file->plan.what, file->copy, file->path);
        else
            weir_log(WEIR_LOG_ERROR, "what the cluster had last cannot be taken: %s",
                     error.message);
    }
    free(text.data);
}

static void shared_set_refused(struct shared_file *file, bool is_refused)
{
    pthread_mutex_lock(&file->lock);
    file->is_refused = is_refused;
    pthread_mutex_unlock(&file->lock);
}

/* The cluster's text, which is `taken` now, is put in force here. */
static void shared_take_clusters(struct shared_file *file, bool is_first)
{
    struct error error;
    char name[64];
    const weir_string text = shared_text(&file->taken);
    if (!text.data || file->is_long)
        return;
    snprintf(name, sizeof name, "%s of the cluster", file->plan.what);
    if (!shared_bytes_are(&file->in_force, text)) {
        const bool ok = shared_take(file, text, name, &error);
        shared_set_refused(file, !ok);
        if (!ok) {
            weir_log(WEIR_LOG_ERROR,
                     "the cluster's %s cannot be taken, and this node keeps those that it has: %s",
                     file->plan.what, error.message);
            return;
        }
        weir_log(WEIR_LOG_INFO, "the cluster's %s are in force: %zu bytes", file->plan.what,
                 text.size);
    } else {
        shared_set_refused(file, false);
    }
    if (is_first && file->plan.copy && !shared_bytes_are(&file->own, text))
        weir_log(WEIR_LOG_WARN,
                 "the cluster's %s count, which differ from %s; touch that and flush the plugin to "
                 "put it in their place on all nodes",
                 file->plan.what, file->path);
    shared_keep(file);
}

#endif
