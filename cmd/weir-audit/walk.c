/* SPDX-License-Identifier: Apache-2.0
 *
 * What the commands share: walking over the records of the logs, and reporting an error.
 *
 * Plain files are read by several threads (scan.h); compressed ones, standard input, and what is
 * followed, line by line. Both pass over lines that cannot match, and give the rest to the same
 * parser. A line that is no record is reported and skipped; the walk goes on, and its status says
 * that there was one.
 *
 * When nothing matches, each condition is tried alone: a name that never occurs is said, so that an
 * empty answer is not taken for the answer to another question. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"
#include "lines.h"
#include "scan.h"
#include "sieve.h"

struct walk {
    const struct conditions *conditions;
    command_each *each;
    void *context;
    const char *path;
    unsigned threads;
    uint64_t matches;
    bool is_trial; /* the first match is enough, and nothing is reported */
    int result;
};

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

static bool take_record(void *context, const struct entry *entry, weir_string line)
{
    struct walk *walk = context;
    walk->matches++;
    if (walk->is_trial)
        return false;
    walk->each(walk->context, entry, line);
    return true;
}

static void report_stray(struct walk *walk, const char *path, unsigned long number)
{
    if (!walk->is_trial)
        walk->result = command_fail("%s:%lu: this line is no record", path, number);
}

static void take_stray(void *context, uint64_t offset)
{
    struct walk *walk = context;
    if (!walk->is_trial)
        report_stray(walk, walk->path, scan_line_number(walk->path, offset));
}

/* false: enough. */
static bool take_line(struct walk *walk, const struct log_form *form, const struct sieve *sieve,
                      const struct lines *lines)
{
    struct entry entry;
    weir_string line = {lines->line.data, lines->line.size};
    bool goes_on = true;
    if (!sieve_passes(sieve, line.data, line.size))
        return true;
    enum entry_kind kind = entry_read(&entry, form, line.data, line.size);
    if (kind == ENTRY_NONE)
        report_stray(walk, lines->path, lines->number);
    else if (kind == ENTRY_RECORD && choose(walk->conditions, &entry))
        goes_on = take_record(walk, &entry, line);
    entry_release(&entry);
    return goes_on;
}

static int walk_lines(struct walk *walk, bool follow, struct error *error)
{
    struct lines lines;
    struct log_form form;
    struct sieve sieve;
    int status;
    lines_init(&lines, &walk->path, 1, follow);
    while ((status = lines_next(&lines, error)) > 0) {
        if (lines.number == 1) {
            log_form_of_line(&form, lines.line.data, lines.line.size);
            sieve_prepare(&sieve, walk->conditions, &form);
        }
        if (!take_line(walk, &form, &sieve, &lines))
            break;
    }
    lines_release(&lines);
    return status < 0 ? -1 : 0;
}

static int walk_file(struct walk *walk, bool follow, struct error *error)
{
    const struct scan_visitor visitor = {walk, take_record, take_stray};
    if (!scan_may_have(walk->path, walk->conditions))
        return 0;
    int fd = follow ? -1 : scan_open(walk->path);
    if (fd < 0)
        return walk_lines(walk, follow, error);
    return scan_file(fd, walk->conditions, walk->threads, &visitor, error) < 0
               ? error_prefix(error, "%s", walk->path)
               : 0;
}

static int walk_files(struct walk *walk, const char *const *paths, size_t count, bool follow,
                      struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        walk->path = paths[i];
        if (walk_file(walk, follow && i + 1 == count, error) < 0)
            return -1;
        if (walk->is_trial && walk->matches)
            break;
    }
    return 0;
}

/* ---- Conditions that nothing meets ---- */

/* X(member): those that name something. */
#define NAMES(X) X(user) X(address) X(digest) X(table) X(kind) X(event) X(text) X(database)

static bool occurs(const struct conditions *conditions, const char *const *paths, size_t count)
{
    struct error error;
    struct walk walk = {.conditions = conditions, .is_trial = true};
    return walk_files(&walk, paths, count, false, &error) < 0 || walk.matches > 0;
}

static void say_what_never_occurs(const struct conditions *all, const char *const *paths,
                                  size_t count)
{
    const bool is_window = all->since || all->until;
    const char *within = is_window ? "in these files, at that time," : "in these files";
    const struct conditions window = {.connection = -1,
                                      .since_ns = all->since_ns,
                                      .until_ns = all->until_ns,
                                      .events = UINT32_MAX};
    if (is_window && !occurs(&window, paths, count)) {
        command_fail("no record in these files is of that time; without a zone it is local time");
        return;
    }
#define X(member)                                                                                  \
    if (all->member) {                                                                             \
        struct conditions one = {.connection = -1,                                                 \
                                 .since_ns = all->since_ns,                                        \
                                 .until_ns = all->until_ns,                                        \
                                 .events = UINT32_MAX,                                             \
                                 .prefix = all->prefix,                                            \
                                 .family = all->family};                                           \
        memcpy(one.network, all->network, sizeof one.network);                                     \
        one.member = all->member;                                                                  \
        if (all->event && all->event == one.event)                                                 \
            one.events = all->events;                                                              \
        if (!occurs(&one, paths, count))                                                           \
            command_fail("-%s %s: no record %s has it", #member, all->member, within);             \
    }
    NAMES(X)
#undef X
    if (all->connection >= 0) {
        struct conditions one = {.connection = all->connection,
                                 .since_ns = all->since_ns,
                                 .until_ns = all->until_ns,
                                 .events = UINT32_MAX};
        if (!occurs(&one, paths, count))
            command_fail("-connection %ld: no record %s has it", all->connection, within);
    }
}

static bool has_standard_input(const char *const *paths, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(paths[i], "-") == 0)
            return true;
    return false;
}

int command_walk(const struct audit_options *options, const char *const *paths, size_t count,
                 bool follow, command_each *each, void *context)
{
    struct error error = {""};
    struct walk walk = {.conditions = &options->conditions,
                        .each = each,
                        .context = context,
                        .threads = (unsigned)options->threads,
                        .result = EXIT_SUCCESS};
    if (walk_files(&walk, paths, count, follow, &error) < 0)
        return command_fail("%s", error.message);
    if (!walk.matches && !follow && !has_standard_input(paths, count))
        say_what_never_occurs(&options->conditions, paths, count);
    return walk.result;
}
