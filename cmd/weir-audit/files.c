/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a log is: the file that is written, and all that were rotated away from it, oldest first,
 * with how big they are and from when to when they go. The paths alone can be given to the other
 * commands: weir-audit verify $(weir-audit files -paths audit.log). */
#include <stdio.h>
#include <stdlib.h>
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

int command_files(const struct audit_options *options, const char *const *paths, size_t count)
{
    int result = EXIT_SUCCESS;
    for (size_t i = 0; i < count; i++) {
        struct rotate_list list;
        if (rotate_list(paths[i], &list) < 0) {
            result = command_fail("%s: its folder cannot be read", paths[i]);
            continue;
        }
        for (size_t j = 0; j < list.count; j++)
            result = print_file(options, list.paths[j]) == EXIT_SUCCESS ? result : EXIT_FAILURE;
        rotate_list_release(&list);
        if (print_file(options, paths[i]) != EXIT_SUCCESS)
            result = EXIT_FAILURE;
    }
    return result;
}
