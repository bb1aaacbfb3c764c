/* SPDX-License-Identifier: Apache-2.0 */
#include "lines.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BLOCK_BYTES      65536
#define PROGRESS_BYTES   (64U << 20) /* smaller files need no progress bar */
#define PROGRESS_COLUMNS 40
#define FOLLOW_NS        100000000L /* between two looks at a file that is followed */

static bool is_standard_input(const char *path)
{
    return strcmp(path, "-") == 0;
}

static uint64_t size_of(const char *path)
{
    struct stat status;
    return !is_standard_input(path) && stat(path, &status) == 0 ? (uint64_t)status.st_size : 0;
}

static uint64_t inode_of(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? (uint64_t)status.st_ino : 0;
}

void lines_init(struct lines *lines, const char *const *paths, size_t count, bool follow)
{
    *lines = (struct lines){.paths = paths, .count = count, .follow = follow, .shown_percent = -1};
    strbuf_init(&lines->line);
    for (size_t i = 0; i < count; i++)
        lines->total_bytes += size_of(paths[i]);
    if (lines->total_bytes >= PROGRESS_BYTES && !follow && isatty(STDERR_FILENO) &&
        !isatty(STDOUT_FILENO))
        lines->shown_percent = 0;
}

static void show_progress(struct lines *lines)
{
    if (lines->shown_percent < 0)
        return;
    uint64_t done = lines->before_bytes + (lines->zip ? (uint64_t)gzoffset(lines->zip) : 0);
    int percent = (int)(done * 100 / lines->total_bytes);
    if (percent <= lines->shown_percent)
        return;
    lines->shown_percent = percent;
    fprintf(stderr, "\r[%-*.*s] %3d %%", PROGRESS_COLUMNS, percent * PROGRESS_COLUMNS / 100,
            "########################################", percent);
}

static int open_next(struct lines *lines, struct error *error)
{
    const char *path = lines->paths[lines->current];
    lines->path = is_standard_input(path) ? "standard input" : path;
    lines->number = 0;
    lines->inode = inode_of(path);
    errno = 0;
    lines->zip = is_standard_input(path) ? gzdopen(dup(STDIN_FILENO), "rb") : gzopen(path, "rb");
    if (!lines->zip)
        return error_set(error, "%s: %s", lines->path, errno ? strerror(errno) : "no memory");
    gzbuffer(lines->zip, 2 * BLOCK_BYTES);
    return 0;
}

static void close_current(struct lines *lines)
{
    lines->before_bytes += size_of(lines->paths[lines->current]);
    gzclose(lines->zip);
    lines->zip = NULL;
}

/* At the end of the last file: waits for more. Returns whether the same path is another file now.
 */
static bool wait_for_more(struct lines *lines)
{
    const struct timespec pause = {.tv_nsec = FOLLOW_NS};
    uint64_t inode = inode_of(lines->paths[lines->current]);
    if (inode && inode != lines->inode)
        return true;
    fflush(stdout);
    nanosleep(&pause, NULL);
    gzclearerr(lines->zip);
    return false;
}

/* Reads up to a newline or the end of the file, after what is in line already. */
static int read_line(struct lines *lines, struct error *error)
{
    char block[BLOCK_BYTES];
    while (gzgets(lines->zip, block, sizeof block)) {
        size_t size = strlen(block);
        strbuf_add(&lines->line, block, size);
        if (lines->line.failed)
            return error_set(error, "%s:%lu: the line does not fit into memory", lines->path,
                             lines->number + 1);
        if (size && block[size - 1] == '\n')
            return 1;
    }
    int code;
    const char *words = gzerror(lines->zip, &code);
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
        return error_set(error, "%s: %s", lines->path, code == Z_ERRNO ? strerror(errno) : words);
    return 0;
}

/* A line, or the end of the file. */
static int next_of_file(struct lines *lines, struct error *error)
{
    bool is_last = lines->current + 1 == lines->count;
    for (;;) {
        int status = read_line(lines, error);
        if (status != 0 || !lines->follow || !is_last)
            return status;
        if (wait_for_more(lines)) {
            close_current(lines);
            strbuf_reset(&lines->line);
            if (open_next(lines, error) < 0)
                return -1;
        }
    }
}

int lines_next(struct lines *lines, struct error *error)
{
    strbuf_reset(&lines->line);
    while (lines->zip || lines->current < lines->count) {
        if (!lines->zip && open_next(lines, error) < 0)
            return -1;
        int status = next_of_file(lines, error);
        if (status < 0)
            return -1;
        if (status > 0 || lines->line.size) {
            lines->is_torn = status == 0;
            lines->number++;
            if (status > 0)
                lines->line.data[--lines->line.size] = '\0';
            if (lines->number % 1024 == 0)
                show_progress(lines);
            return 1;
        }
        close_current(lines);
        lines->current++;
    }
    return 0;
}

void lines_release(struct lines *lines)
{
    if (lines->shown_percent >= 0)
        fputs("\r\033[K", stderr);
    if (lines->zip)
        gzclose(lines->zip);
    strbuf_release(&lines->line);
}
