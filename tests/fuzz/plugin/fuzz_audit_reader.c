/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a log that weir-audit reads: verified as a whole, and its first line read as a record,
 * which is then written in every format, as is the second one, for which the first may be the file's
 * opening. What was written as JSON is read again as the same. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "commands.h"
#include "format.h"

int command_fail(const char *format, ...)
{
    (void)format;
    return EXIT_FAILURE;
}

static void verify(const uint8_t *bytes, size_t size)
{
    struct audit_options options = {.expect = NULL};
    char path[64];
    const char *paths[] = {path};
    int fd = memfd_create("log", 0);
    assert(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    command_verify(&options, paths, 1);
    close(fd);
}

/* The record as a line of JSON, with a prefix. */
static void write_line(const struct record *record, uint64_t sequence, struct strbuf *line)
{
    format_json.write_prefix(line, sequence, NULL);
    format_json.write(line, record);
    assert(!line->failed && line->data[line->size - 1] == '\n');
    line->size--;
}

static const struct format *const others[] = {&format_csv, &format_mysql_json, &format_percona_json,
                                              &format_server_audit};

static void read_record(const char *bytes, size_t size, const struct log_form *form)
{
    struct entry entry, again;
    const struct log_form json = {.format = &format_json};
    struct strbuf line = {0}, other = {0};
    if (entry_read(&entry, form, bytes, size) == ENTRY_RECORD) {
        write_line(&entry.record, entry.sequence, &line);
        assert(!memchr(line.data, '\n', line.size));
        assert(entry_read(&again, &json, line.data, line.size) == ENTRY_RECORD);
        write_line(&again.record, again.sequence, &other);
        assert(line.size == other.size && memcmp(line.data, other.data, line.size) == 0);
        entry_release(&again);
        strbuf_reset(&other);
        for (size_t i = 0; i < sizeof others / sizeof *others; i++)
            others[i]->write(&other, &entry.record);
    }
    entry_release(&entry);
    strbuf_release(&line);
    strbuf_release(&other);
}

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    (void)count;
    (void)arguments;
    return freopen("/dev/null", "w", stdout) ? 0 : -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *text = (const char *)bytes;
    const char *newline = size ? memchr(text, '\n', size) : NULL;
    size_t first = newline ? (size_t)(newline - text) : size;
    struct log_form form;
    verify(bytes, size);
    log_form_of_line(&form, text, first);
    read_record(text, first, &form);
    if (newline) /* the first one may be a file's opening: names of columns */
        read_record(newline + 1, size - first - 1, &form);
    return 0;
}
