/* SPDX-License-Identifier: Apache-2.0
 *
 * Finds out how a log ended, so that the next record continues its numbers and its chain.
 *
 * The file is read from its end, in blocks that grow until they hold a whole line. A half-written
 * last line is cut off, and its size is reported for the Start record. The closing line of a
 * format that has one is taken away again, and the separator put back after the last record. The
 * last line that is a record gives sequence number and hash.
 *
 * resume_rotated() reads the newest rotated file instead, from its beginning because it may be
 * compressed, and never changes it. A file in no known format is an error. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "resume.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "rotate.h"

#define BLOCK_BYTES      65536
#define FIRST_LINE_BYTES 4096 /* enough to recognise every format's first line */

/* One line without its newline and separator is a record: takes its sequence number and hash. */
static bool take_line(const struct format *format, const char *line, size_t size,
                      struct sink_end *end)
{
    size_t separator = strlen(format->separator);
    uint64_t sequence;
    char chain[CHAIN_TEXT_BYTES];
    if (size > separator && memcmp(line + size - separator, format->separator, separator) == 0)
        size -= separator;
    if (!format->read_prefix(line, size, &sequence, chain))
        return false;
    end->sequence = sequence;
    return chain_of(line, size, end->chain);
}

/* Reads the last lines of the file into text, so many that there is one whole line at least. */
static int read_tail(int fd, uint64_t size, struct strbuf *tail)
{
    uint64_t begin = size;
    size_t want = BLOCK_BYTES;
    for (;;) {
        want = want > size ? (size_t)size : want;
        begin = size - want;
        strbuf_reset(tail);
        if (!strbuf_grow(tail, want + 1))
            return -1;
        while (tail->size < want) {
            ssize_t got =
                pread(fd, tail->data + tail->size, want - tail->size, (off_t)(begin + tail->size));
            if (got <= 0)
                return -1;
            tail->size += (size_t)got;
        }
        const char *last = memrchr(tail->data, '\n', tail->size);
        if (begin == 0 || (last && memrchr(tail->data, '\n', (size_t)(last - tail->data))))
            return 0;
        want *= 4;
    }
}

static int cut(int fd, const char *path, uint64_t size, struct error *error)
{
    if (ftruncate(fd, (off_t)size) == 0)
        return 0;
    error_set(error, "%s: cannot cut off its torn end: %s", path, strerror(errno));
    return -1;
}

/* Removes the closing line, and puts the separator back after the last record. */
static int open_again(int fd, const struct format *format, const char *path, uint64_t *size,
                      struct strbuf *tail, struct error *error)
{
    size_t closing = strlen(format->closing), separator = strlen(format->separator);
    if (!closing || tail->size < closing ||
        memcmp(tail->data + tail->size - closing, format->closing, closing) != 0)
        return 0;
    if (tail->size > closing && tail->data[tail->size - closing - 1] != '\n')
        return 0; /* the end of another line */
    tail->size -= closing;
    *size -= closing;
    if (tail->size && tail->data[tail->size - 1] == '\n' && *size > strlen(format->opening)) {
        tail->size--;
        strbuf_add(tail, format->separator, separator);
        strbuf_add_byte(tail, '\n');
        *size -= 1;
        if (cut(fd, path, *size, error) < 0)
            return -1;
        if (pwrite(fd, tail->data + tail->size - separator - 1, separator + 1, (off_t)*size) !=
            (ssize_t)separator + 1) {
            error_set(error, "%s: %s", path, strerror(errno));
            return -1;
        }
        *size += separator + 1;
        return 0;
    }
    return cut(fd, path, *size, error);
}

static const struct format *find_format(int fd)
{
    char first[FIRST_LINE_BYTES];
    ssize_t got = pread(fd, first, sizeof first, 0);
    const char *end = got > 0 ? memchr(first, '\n', (size_t)got) : NULL;
    if (got <= 0)
        return NULL;
    const struct format *format = format_of_line(first, end ? (size_t)(end - first) : (size_t)got);
    /* A long first record: how it begins must do. */
    return format || end || memcmp(first, "{\"seq\":", 7) != 0 ? format : &format_json;
}

int resume_file(int fd, const char *path, uint64_t size, struct sink_end *end,
                const struct format **format, struct error *error)
{
    struct strbuf tail = {0};
    int status = -1;
    *format = NULL;
    if (size == 0)
        return 0;
    if (read_tail(fd, size, &tail) < 0) {
        error_set(error, "%s: cannot be read: %s", path, strerror(errno));
        goto out;
    }
    const char *last = memrchr(tail.data, '\n', tail.size);
    size_t torn = last ? tail.size - (size_t)(last + 1 - tail.data) : tail.size;
    *format = find_format(fd);
    if (!*format) {
        error_set(error, "%s is no audit log of a known format; move it away, or name another file",
                  path);
        goto out;
    }
    if (torn && cut(fd, path, size - torn, error) < 0)
        goto out;
    end->torn_bytes = torn;
    size -= torn;
    tail.size -= torn;
    if (open_again(fd, *format, path, &size, &tail, error) < 0)
        goto out;
    status = 0;
    while (tail.size) {
        size_t line_end = tail.size - 1;
        const char *before = memrchr(tail.data, '\n', line_end);
        const char *line = before ? before + 1 : tail.data;
        if (take_line(*format, line, line_end - (size_t)(line - tail.data), end))
            break;
        tail.size = (size_t)(line - tail.data);
    }
    if (size == 0)
        *format = NULL;
out:
    strbuf_release(&tail);
    return status;
}

static void read_zip(gzFile zip, struct sink_end *end)
{
    const struct format *format = NULL;
    struct strbuf line = {0};
    char block[BLOCK_BYTES];
    while (gzgets(zip, block, sizeof block)) {
        strbuf_add_text(&line, block);
        if (line.failed || line.size == 0 || line.data[line.size - 1] != '\n')
            continue;
        if (!format)
            format = format_of_line(line.data, line.size - 1);
        if (format)
            take_line(format, line.data, line.size - 1, end);
        strbuf_reset(&line);
    }
    strbuf_release(&line);
}

void resume_rotated(const char *file, struct sink_end *end)
{
    struct rotate_list list;
    if (rotate_list_all(file, &list) < 0)
        return;
    for (size_t i = list.count; i > 0 && end->sequence == 0; i--) {
        gzFile zip = gzopen(list.paths[i - 1], "rb");
        if (!zip)
            continue;
        read_zip(zip, end);
        gzclose(zip);
    }
    rotate_list_release(&list);
}
