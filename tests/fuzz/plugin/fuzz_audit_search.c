/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a log in which weir-audit searches: after a first line with what is asked for, the rest
 * is a file. What the threads that pass over lines find is what parsing each line finds. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "scan.h"
#include "when.h"

struct found {
    uint64_t records, strays, hash;
};

static void add(struct found *found, const char *line, size_t size)
{
    for (size_t i = 0; i < size; i++)
        found->hash = (found->hash ^ (unsigned char)line[i]) * 1099511628211U;
    found->records++;
}

static bool take_record(void *context, const struct entry *entry, weir_string line)
{
    (void)entry;
    add(context, line.data, line.size);
    return true;
}

static void take_stray(void *context, uint64_t offset)
{
    struct found *found = context;
    (void)offset;
    found->strays++;
}

static void parse_all(const char *text, size_t size, const struct conditions *conditions,
                      struct found *found)
{
    struct log_form form;
    const char *end = text + size;
    for (const char *at = text; at < end;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((newline ? newline : end) - at);
        struct entry entry;
        if (at == text)
            log_form_of_line(&form, at, length);
        if (entry_read(&entry, &form, at, length) == ENTRY_RECORD && choose(conditions, &entry))
            add(found, at, length);
        entry_release(&entry);
        at += length + 1;
    }
}

/* "WORD rest of the line": one condition, and its pattern. */
static void ask(struct conditions *conditions, char *words)
{
    *conditions =
        (struct conditions){.connection = -1, .until_ns = UINT64_MAX, .events = UINT32_MAX};
    char *pattern = *words ? words + 1 : words;
    struct when when;
    struct error error;
    uint64_t ns;
    switch (*words) {
    case 'u':
        conditions->user = pattern;
        break;
    case 't':
        conditions->table = pattern;
        break;
    case 'd':
        conditions->database = pattern;
        break;
    case 'k':
        conditions->kind = pattern;
        break;
    case 'x':
        conditions->text = pattern;
        break;
    case 'c':
        conditions->connection = atoi(pattern) & 0xffff;
        break;
    case 'e':
        conditions->errors = true;
        break;
    case 's':
        if (when_parse_duration(pattern, &ns, &error) == 0) {
            conditions->slow = pattern;
            conditions->slow_us = ns / 1000;
        }
        break;
    default: /* a time */
        if (when_parse(pattern, 1769903999000000000U, &when, &error) == 0 && *words == '>')
            conditions->since_ns = when.first;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *text = (const char *)bytes;
    const char *newline = size ? memchr(text, '\n', size) : NULL;
    struct conditions conditions;
    struct found fast = {0}, slow = {0};
    struct error error;
    if (!newline || newline + 1 == text + size)
        return 0;
    char *words = strndup(text, (size_t)(newline - text));
    const char *file = newline + 1;
    size_t file_size = size - (size_t)(file - text);
    assert(words);
    ask(&conditions, words);
    /* One block, whose lines' times are not in order here, is looked at as a whole. */
    const struct scan_visitor visitor = {&fast, take_record, take_stray};
    int fd = memfd_create("log", 0);
    assert(fd >= 0 && write(fd, file, file_size) == (ssize_t)file_size);
    int status = scan_file(fd, &conditions, 1, &visitor, &error);
    assert(status == 0);
    parse_all(file, file_size, &conditions, &slow);
    if (conditions.since_ns == 0) /* a block can be left out by the time of its first line */
        assert(fast.records == slow.records && fast.hash == slow.hash);
    free(words);
    return 0;
}
