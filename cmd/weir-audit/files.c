/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a log is: the file that is written, and all that were rotated away from it, by audit_log or by
 * logrotate, oldest first, with how big they are and from when to when they go. A shell's pattern names
 * some of them again; each is shown once. The paths alone can be given to the other
 * commands: weir-audit verify $(weir-audit files -paths audit.log). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "commands.h"
#include "lines.h"
#include "rotate_list.h"
#include "sieve.h"

struct span {
    char first[CLOCK_RFC3339_BYTES], last[CLOCK_RFC3339_BYTES]; /* "": unknown */
    uint64_t first_sequence, last_sequence, records;
};

static void add_line(struct span *span, const struct log_form *form, const struct lines *lines)
{
    uint64_t time_ns, sequence;
    char link[CHAIN_TEXT_BYTES];
    size_t size = lines->line.size;
    if (size && lines->line.data[size - 1] == ',')
        size--; /* a separator */
    if (!form->format->read_prefix(lines->line.data, size, &sequence, link) ||
        !sieve_time(form, lines->line.data, size, &time_ns))
        return;
    if (span->records++ == 0) {
        clock_rfc3339(time_ns, span->first);
        span->first_sequence = sequence;
    }
    clock_rfc3339(time_ns, span->last);
    span->last_sequence = sequence;
}

static int read_span(const char *path, struct span *span, struct log_form *form,
                     struct error *error)
{
    struct lines lines;
    int status;
    lines_init(&lines, &path, 1, false);
    while ((status = lines_next(&lines, error)) > 0) {
        if (lines.number == 1)
            log_form_of_line(form, lines.line.data, lines.line.size);
        add_line(span, form, &lines);
    }
    lines_release(&lines);
    return status;
}

static int print_file(const struct audit_options *options, const char *path)
{
    struct span span = {.records = 0};
    struct log_form form = {.format = &format_json};
    struct error error;
    struct stat status;
    if (options->paths) {
        puts(path);
        return EXIT_SUCCESS;
    }
    if (stat(path, &status) < 0 || read_span(path, &span, &form, &error) < 0)
        return command_fail("%s: cannot be read", path);
    printf("%s  %lld bytes  %s  %llu records", path, (long long)status.st_size, form.format->name,
           (unsigned long long)span.records);
    if (span.records && form.format->has_numbers)
        printf(", %llu to %llu", (unsigned long long)span.first_sequence,
               (unsigned long long)span.last_sequence);
    printf(span.records ? "  %s to %s\n" : "\n", span.first, span.last);
    return EXIT_SUCCESS;
}

/* Whether another one of the logs has been rotated into this file. */
static bool is_listed(const struct rotate_list *lists, size_t count, const char *path)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < lists[i].count; j++)
            if (strcmp(lists[i].paths[j], path) == 0)
                return true;
    return false;
}

static int print_log(const struct audit_options *options, const struct rotate_list *rotated,
                     const char *path)
{
    int result = EXIT_SUCCESS;
    for (size_t i = 0; i < rotated->count; i++)
        result = print_file(options, rotated->paths[i]) == EXIT_SUCCESS ? result : EXIT_FAILURE;
    return print_file(options, path) == EXIT_SUCCESS ? result : EXIT_FAILURE;
}

int command_files(const struct audit_options *options, const char *const *paths, size_t count)
{
    struct rotate_list *lists = calloc(count, sizeof *lists);
    int result = lists ? EXIT_SUCCESS : command_fail("out of memory");
    for (size_t i = 0; lists && i < count; i++)
        if (rotate_list_all(paths[i], &lists[i]) < 0)
            result = command_fail("%s: its folder cannot be read", paths[i]);
    for (size_t i = 0; lists && i < count; i++)
        if (!is_listed(lists, count, paths[i]) &&
            print_log(options, &lists[i], paths[i]) != EXIT_SUCCESS)
            result = EXIT_FAILURE;
    for (size_t i = 0; lists && i < count; i++)
        rotate_list_release(&lists[i]);
    free(lists);
    return result;
}
