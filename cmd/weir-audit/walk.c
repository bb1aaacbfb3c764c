/* SPDX-License-Identifier: Apache-2.0
 *
 * What the commands share: walking over the records of the logs, and reporting an error. A line that
 * is no record is reported and skipped; the walk goes on, and its status says that there was one. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"

int command_fail(const char *format, ...)
{
    va_list arguments;
    fflush(stdout);
    fputs("weir-audit: ", stderr);
    va_start(arguments, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): va_start() stands above. */
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return EXIT_FAILURE;
}

int command_walk(const struct audit_options *options, const char *const *paths, size_t count,
                 bool follow, command_each *each, void *context)
{
    struct lines lines;
    struct error error = {""};
    int status, result = EXIT_SUCCESS;
    lines_init(&lines, paths, count, follow);
    while ((status = lines_next(&lines, &error)) > 0) {
        struct entry entry;
        if (entry_read(&entry, lines.line.data, lines.line.size) < 0)
            result = command_fail("%s:%lu: this line is no record in JSON lines", lines.path,
                                  lines.number);
        else if (choose(&options->conditions, &entry))
            each(context, &entry, &lines);
        entry_release(&entry);
    }
    lines_release(&lines);
    return status < 0 ? command_fail("%s", error.message) : result;
}
