/* SPDX-License-Identifier: Apache-2.0
 *
 * Names and cleans up rotated files.
 *
 * The janitor is a thread that sleeps until it is woken. It removes files by number and age first,
 * then compresses the rest: into a temporary name, which is brought to the disk and renamed before
 * the original is removed. Whenever that is interrupted one complete file remains, and the next
 * run continues. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "rotate.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <weir/clock.h>
#include <weir/plugin.h>
#include <zlib.h>

#include "sink.h"

#define PART        ".part" /* being compressed */
#define BLOCK_BYTES 65536
#define DAY_S       86400

char *rotate_name(const char *file)
{
    char time[CLOCK_RFC3339_BYTES], *name = NULL;
    size_t size = 0;
    clock_rfc3339(clock_wall_ns(), time);
    for (const char *at = time; *at; at++)
        if (*at != '-' && *at != ':')
            time[size++] = *at;
    time[size] = '\0';
    return asprintf(&name, "%s.%s", file, time) < 0 ? NULL : name;
}

/* ---- The janitor ---- */

struct janitor {
    const struct sink_options *options;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool has_work;
    atomic_bool stopped;
};

static bool copy_compressed(const struct janitor *janitor, int from, gzFile to)
{
    char block[BLOCK_BYTES];
    ssize_t size;
    while ((size = read(from, block, sizeof block)) > 0 && !atomic_load(&janitor->stopped))
        if (gzwrite(to, block, (unsigned)size) != (int)size)
            return false;
    return size == 0;
}

/* Compresses into PATH.gz.part, then renames, then removes PATH: whenever this is cut off, one of
 * the two is whole. */
static bool compress_file(const struct janitor *janitor, const char *path)
{
    char *part = NULL, *done = NULL;
    bool ok = asprintf(&part, "%s.gz" PART, path) > 0 && asprintf(&done, "%s.gz", path) > 0;
    int from = ok ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    int to = ok ? open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    int to_sync = to >= 0 ? dup(to) : -1;
    gzFile zip = to_sync >= 0 ? gzdopen(to, "wb6") : NULL;
    ok = from >= 0 && zip && copy_compressed(janitor, from, zip);
    if (zip)
        ok = gzclose(zip) == Z_OK && ok;
    else if (to >= 0)
        close(to);
    ok = ok && fsync(to_sync) == 0 && rename(part, done) == 0 && unlink(path) == 0;
    if (!ok && part)
        unlink(part);
    if (from >= 0)
        close(from);
    if (to_sync >= 0)
        close(to_sync);
    free(part);
    free(done);
    return ok;
}

static bool is_compressed(const char *path)
{
    size_t size = strlen(path);
    return size > 3 && strcmp(path + size - 3, ".gz") == 0;
}

static bool is_too_old(const struct janitor *janitor, const char *path)
{
    struct stat status;
    return janitor->options->keep_days && stat(path, &status) == 0 &&
           time(NULL) - status.st_mtime > (time_t)(janitor->options->keep_days * DAY_S);
}

static void remove_old(const struct janitor *janitor, const struct rotate_list *list)
{
    uint64_t keep = janitor->options->keep_files;
    for (size_t i = 0; i < list->count; i++) {
        bool too_many = keep && list->count - i > keep;
        if ((too_many || is_too_old(janitor, list->paths[i])) && unlink(list->paths[i]) < 0)
            weir_log(WEIR_LOG_ERROR, "cannot remove %s: %s", list->paths[i], strerror(errno));
    }
}

static void clean(const struct janitor *janitor)
{
    struct rotate_list list;
    if (rotate_list(janitor->options->file, &list) < 0)
        return; /* without the folder there is nothing to clean */
    remove_old(janitor, &list);
    rotate_list_release(&list);
    if (!janitor->options->compress || rotate_list(janitor->options->file, &list) < 0)
        return;
    for (size_t i = 0; i < list.count && !atomic_load(&janitor->stopped); i++)
        if (!is_compressed(list.paths[i]) && !compress_file(janitor, list.paths[i]) &&
            !atomic_load(&janitor->stopped))
            weir_log(WEIR_LOG_ERROR, "cannot compress %s: %s", list.paths[i], strerror(errno));
    rotate_list_release(&list);
}

static void *run(void *argument)
{
    struct janitor *janitor = argument;
    pthread_mutex_lock(&janitor->lock);
    while (!atomic_load(&janitor->stopped)) {
        if (janitor->has_work) {
            janitor->has_work = false;
            pthread_mutex_unlock(&janitor->lock);
            clean(janitor);
            pthread_mutex_lock(&janitor->lock);
        } else {
            pthread_cond_wait(&janitor->wake, &janitor->lock);
        }
    }
    pthread_mutex_unlock(&janitor->lock);
    return NULL;
}

struct janitor *janitor_start(const struct sink_options *options)
{
    struct janitor *janitor = calloc(1, sizeof *janitor);
    if (!janitor)
        return NULL;
    janitor->options = options;
    janitor->has_work = true;
    pthread_mutex_init(&janitor->lock, NULL);
    pthread_cond_init(&janitor->wake, NULL);
    if (pthread_create(&janitor->thread, NULL, run, janitor) == 0)
        return janitor;
    free(janitor);
    return NULL;
}

void janitor_clean(struct janitor *janitor)
{
    pthread_mutex_lock(&janitor->lock);
    janitor->has_work = true;
    pthread_mutex_unlock(&janitor->lock);
    pthread_cond_signal(&janitor->wake);
}

void janitor_stop(struct janitor *janitor)
{
    if (!janitor)
        return;
    pthread_mutex_lock(&janitor->lock);
    atomic_store(&janitor->stopped, true);
    pthread_mutex_unlock(&janitor->lock);
    pthread_cond_signal(&janitor->wake);
    pthread_join(janitor->thread, NULL);
    pthread_cond_destroy(&janitor->wake);
    pthread_mutex_destroy(&janitor->lock);
    free(janitor);
}
