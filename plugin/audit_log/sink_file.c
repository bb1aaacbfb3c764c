/* SPDX-License-Identifier: Apache-2.0
 *
 * The file: appended to, rotated, reopened. A commit is in it whole or not at all: after a write or
 * an fsync that failed, the file is cut back to where it was, because what the disk has is unknown (after a failed fsync the kernel forgets the pages, and a second fsync would lie). The commit
 * is then given again.
 *
 * An exclusive flock() keeps a second server from writing into the same log, which would break
 * numbers and chain. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <weir/files.h>

#include "resume.h"
#include "rotate.h"

#define FILE_MODE      0600
#define NO_CUT         UINT64_MAX
#define ROTATE_RETRY_S 60 /* after a rotation that failed */

struct file {
    struct sink sink;
    const struct sink_options *options;
    const struct format *format;
    int fd;               /* -1: could not be opened */
    uint64_t cut_back_to; /* bytes, when that could not be done immediately; or NO_CUT */
    time_t begun;         /* when the current file began */
    time_t rotate_not_before;
    atomic_ullong size;   /* bytes of the current file */
    pthread_mutex_t lock; /* of next_fd and identity */
    int next_fd;          /* opened by reopen(), for the next commit; -1: none */
    dev_t device;         /* identity of the current file */
    ino_t inode;
    struct janitor *janitor;
};

static struct file *file_of(struct sink *sink)
{
    assert(sink && sink->type == &sink_file);
    return (struct file *)sink;
}

static int trouble(const struct file *file, const char *what, struct error *error)
{
    error_set(error, "%s: %s: %s", file->options->file, what, strerror(errno));
    return -1;
}

/* Records in a file whose name is not on the disk would not survive a power cut. The log is written
 * anyway where the folder cannot be synced. */
static void sync_folder(const char *path)
{
    if (files_sync_folder(path) < 0)
        weir_log(WEIR_LOG_WARN, "%s: its folder cannot be synced: %s", path, strerror(errno));
}

/* Opens the path for appending, created with mode 0600 exactly. -1 and the problem. */
static int open_path(const struct file *file, struct error *error)
{
    const char *path = file->options->file;
    const int flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK;
    struct stat status;
    int fd = open(path, flags | O_CREAT | O_EXCL, FILE_MODE);
    if (fd >= 0) {
        fchmod(fd, FILE_MODE);
        sync_folder(path);
    } else if (errno == EEXIST) {
        fd = open(path, flags);
    }
    if (fd < 0)
        return trouble(file, "cannot open", error);
    if (fstat(fd, &status) < 0) {
        trouble(file, "cannot look at it", error);
    } else if (!S_ISREG(status.st_mode)) {
        error_set(error, "%s is no regular file; name another one", path);
    } else if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        error_set(error, "%s is in use by another process; every server needs a log of its own",
                  path);
    } else {
        return fd;
    }
    close(fd);
    return -1;
}

/* Makes fd the current file. An empty one gets its opening. */
static int adopt(struct file *file, int fd, struct error *error)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return trouble(file, "cannot look at it", error);
    size_t opening = strlen(file->format->opening);
    if (status.st_size == 0 && disk_write(fd, file->format->opening, opening) < 0) {
        trouble(file, "cannot write", error);
        if (ftruncate(fd, 0) < 0)
            return -1; /* said already */
        return -1;
    }
    if (file->fd >= 0)
        close(file->fd);
    pthread_mutex_lock(&file->lock);
    file->fd = fd;
    file->device = status.st_dev;
    file->inode = status.st_ino;
    pthread_mutex_unlock(&file->lock);
    file->begun = status.st_size ? status.st_ctime : time(NULL);
    file->cut_back_to = NO_CUT;
    atomic_store(&file->size, (uint64_t)status.st_size + (status.st_size ? 0 : opening));
    return 0;
}

/* Uses the file that reopen() has opened, or opens the path if there is none. */
static int ensure_open(struct file *file, struct error *error)
{
    pthread_mutex_lock(&file->lock);
    int next = file->next_fd;
    file->next_fd = -1;
    pthread_mutex_unlock(&file->lock);
    if (next < 0 && file->fd >= 0)
        return 0;
    if (next < 0)
        next = open_path(file, error);
    if (next < 0)
        return -1;
    if (adopt(file, next, error) == 0)
        return 0;
    close(next);
    return -1;
}

/* Replaces the separator after the last record by the closing. */
static void write_closing(struct file *file)
{
    const struct format *format = file->format;
    size_t separator = strlen(format->separator), opening = strlen(format->opening);
    uint64_t size = atomic_load(&file->size);
    if (!*format->closing || file->fd < 0)
        return;
    bool ok = true;
    if (separator && size > opening)
        ok = ftruncate(file->fd, (off_t)(size - separator - 1)) == 0 &&
             disk_write(file->fd, "\n", 1) == 0;
    if (!ok || disk_write(file->fd, format->closing, strlen(format->closing)) < 0)
        weir_log(WEIR_LOG_ERROR, "%s: cannot write its last line: %s", file->options->file,
                 strerror(errno));
}

/* Closes the current file in order, renames it, begins the next. A rename that fails is logged, and
 * the file grows on: records matter more than sizes. Adds the new name to `renamed`. */
static int rotate(struct file *file, struct strbuf *renamed, struct error *error)
{
    const char *path = file->options->file;
    char *name = rotate_name(path);
    if (!name || rename(path, name) < 0) {
        error_set(error, "%s: cannot be rotated: %s", path, name ? strerror(errno) : "no memory");
        weir_log(WEIR_LOG_ERROR, "%s", error->message);
        free(name);
        file->rotate_not_before = time(NULL) + ROTATE_RETRY_S;
        return 0;
    }
    if (renamed)
        strbuf_add_text(renamed, name);
    write_closing(file);
    if (fdatasync(file->fd) < 0)
        weir_log(WEIR_LOG_ERROR, "%s: %s", name, strerror(errno));
    free(name);
    close(file->fd);
    file->fd = -1;
    int status = ensure_open(file, error);
    sync_folder(path);
    if (file->janitor)
        janitor_clean(file->janitor);
    return status;
}

/* Whether the current file ends before the next line, of `more` bytes. */
static bool is_due(const struct file *file, size_t more)
{
    const struct sink_options *options = file->options;
    uint64_t size = atomic_load(&file->size);
    time_t now = time(NULL);
    if (size <= strlen(file->format->opening) || now < file->rotate_not_before)
        return false;
    if (options->rotate_on_size && size + more > options->rotate_on_size)
        return true;
    uint64_t period = options->rotate_every_s;
    return period && (uint64_t)now / period != (uint64_t)file->begun / period;
}

/* How many bytes of whole lines the current file takes: what fits, and one line at least. */
static size_t fitting(const struct file *file, const char *lines, size_t size, size_t first_line)
{
    uint64_t limit = file->options->rotate_on_size, used = atomic_load(&file->size);
    if (limit == 0 || time(NULL) < file->rotate_not_before ||
        (used < limit && size <= limit - used))
        return size;
    if (used >= limit || first_line > limit - used)
        return first_line;
    const char *last = memrchr(lines, '\n', (size_t)(limit - used));
    return (size_t)(last + 1 - lines); /* the first line fits, so there is one */
}

/* Whether the file still has a name; if it was removed, begins a new one. */
static int look_at_file(struct file *file, struct stat *status, struct error *error)
{
    if (fstat(file->fd, status) < 0)
        return trouble(file, "cannot look at it", error);
    if (status->st_nlink > 0)
        return 0;
    int fd = open_path(file, error);
    if (fd < 0)
        return -1;
    if (adopt(file, fd, error) < 0) {
        close(fd);
        return -1;
    }
    file->sink.was_removed = true;
    return fstat(fd, status);
}

static int cut_back(struct file *file, uint64_t size)
{
    file->cut_back_to = ftruncate(file->fd, (off_t)size) < 0 ? size : NO_CUT;
    return file->cut_back_to == NO_CUT ? 0 : -1;
}

/* Appends whole lines: all of them, or none and the file is as before. */
static int append(struct file *file, const char *lines, size_t size, bool sync, struct error *error)
{
    uint64_t before = atomic_load(&file->size);
    const char *what = "cannot write";
    bool ok = disk_write(file->fd, lines, size) == 0;
    if (ok && sync) {
        what = "cannot bring it to the disk";
        ok = fdatasync(file->fd) == 0;
    }
    if (!ok) {
        trouble(file, what, error);
        cut_back(file, before);
        return -1;
    }
    atomic_store(&file->size, before + size);
    return 0;
}

static int commit(struct sink *sink, const char *lines, size_t size, bool sync, size_t *taken,
                  struct error *error)
{
    struct file *file = file_of(sink);
    struct stat status;
    int result = 0;
    *taken = 0;
    if (ensure_open(file, error) < 0)
        return -1;
    if (file->cut_back_to != NO_CUT && cut_back(file, file->cut_back_to) < 0)
        return trouble(file, "cannot cut off what was half written", error);
    if (look_at_file(file, &status, error) < 0)
        return -1;
    atomic_store(&file->size, (uint64_t)status.st_size);
    while (result == 0 && *taken < size) {
        const char *rest = lines + *taken, *newline = memchr(rest, '\n', size - *taken);
        assert(newline);
        size_t first_line = (size_t)(newline + 1 - rest);
        if (is_due(file, first_line))
            result = rotate(file, NULL, error);
        size_t part = fitting(file, rest, size - *taken, first_line);
        if (result == 0)
            result = append(file, rest, part, sync, error);
        if (result == 0)
            *taken += part;
    }
    return result;
}

static int set_format(struct sink *sink, const struct format *format, struct error *error)
{
    struct file *file = file_of(sink);
    int status = 0;
    if (file->fd >= 0 && atomic_load(&file->size) > strlen(file->format->opening))
        status = rotate(file, NULL, error);
    file->format = format;
    if (status < 0 || file->fd < 0)
        return status;
    /* The new file has the old format's opening. */
    if (ftruncate(file->fd, 0) < 0 ||
        disk_write(file->fd, format->opening, strlen(format->opening)) < 0)
        return trouble(file, "cannot write", error);
    atomic_store(&file->size, strlen(format->opening));
    return 0;
}

static int rotate_now(struct sink *sink, struct strbuf *name, struct error *error)
{
    struct file *file = file_of(sink);
    if (ensure_open(file, error) < 0)
        return -1;
    if (file->cut_back_to != NO_CUT && cut_back(file, file->cut_back_to) < 0)
        return trouble(file, "cannot cut off what was half written", error);
    if (rotate(file, name, error) < 0)
        return -1;
    return name->size ? 0 : -1;
}

static int reopen(struct sink *sink, struct error *error)
{
    struct file *file = file_of(sink);
    struct stat status;
    int result = 0;
    pthread_mutex_lock(&file->lock);
    bool is_same = file->fd >= 0 && stat(file->options->file, &status) == 0 &&
                   status.st_dev == file->device && status.st_ino == file->inode;
    if (!is_same && file->next_fd < 0) {
        file->next_fd = open_path(file, error);
        result = file->next_fd < 0 ? -1 : 0;
    }
    pthread_mutex_unlock(&file->lock);
    return result;
}

static uint64_t file_size(struct sink *sink)
{
    return atomic_load(&(file_of(sink))->size);
}

static void close_file(struct sink *sink)
{
    struct file *file = file_of(sink);
    janitor_stop(file->janitor);
    if (file->fd >= 0) {
        write_closing(file);
        fdatasync(file->fd);
        close(file->fd);
    }
    if (file->next_fd >= 0)
        close(file->next_fd);
    pthread_mutex_destroy(&file->lock);
    free(file);
}

/* Goes on with what is there: learns its end, and rotates a file of another format away. */
static int resume(struct file *file, struct sink_end *end, struct error *error)
{
    const struct format *found, *wanted = file->format;
    struct stat status;
    int fd = open_path(file, error);
    if (fd < 0)
        return -1;
    if (fstat(fd, &status) < 0 ||
        resume_file(fd, file->options->file, (uint64_t)status.st_size, end, &found, error) < 0) {
        close(fd);
        return -1;
    }
    file->format = found ? found : wanted;
    if (adopt(file, fd, error) < 0) {
        close(fd);
        return -1;
    }
    if (end->sequence == 0)
        resume_rotated(file->options->file, end);
    return file->format == wanted ? 0 : set_format(&file->sink, wanted, error);
}

static struct sink *open_file(const struct sink_options *options, const struct format *format,
                              struct sink_end *end, struct error *error)
{
    struct file *file = calloc(1, sizeof *file);
    if (!file) {
        error_set(error, "%s: no memory", options->file);
        return NULL;
    }
    file->sink.type = &sink_file;
    file->options = options;
    file->format = format;
    file->fd = file->next_fd = -1;
    file->cut_back_to = NO_CUT;
    pthread_mutex_init(&file->lock, NULL);
    if (resume(file, end, error) < 0) {
        close_file(&file->sink);
        return NULL;
    }
    file->janitor = janitor_start(options);
    return &file->sink;
}

const struct sink_type sink_file = {
    .name = "FILE",
    .open = open_file,
    .commit = commit,
    .set_format = set_format,
    .reopen = reopen,
    .rotate = rotate_now,
    .size = file_size,
    .close = close_file,
};
