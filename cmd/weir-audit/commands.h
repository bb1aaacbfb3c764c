/* SPDX-License-Identifier: Apache-2.0
 *
 * What weir-audit can do. Every command gets the same options, and returns the program's exit
 * status: 0 all is well, 1 there is a finding or an error, 2 wrong usage. */
#ifndef WEIR_AUDIT_COMMANDS_H
#define WEIR_AUDIT_COMMANDS_H

#include "choose.h"

struct audit_options {
    struct conditions conditions;
    char *format, *expect;
    long top, threads;
    int color;
    bool json, wide, paths, help, version, manual;
};

#define COMMAND_USAGE 2 /* exit status of wrong usage */

enum { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

/* X(name, help) */
#define AUDIT_COMMANDS(X)                                                                          \
    X(verify, "check numbers, chain and lines: was the log cut, edited or reordered?")             \
    X(show, "print the records that the conditions choose")                                        \
    X(follow, "print them as they are written, across rotations")                                  \
    X(count, "count them: by event, account, digest, table, error, address")                       \
    X(convert, "write them in another format, without chain")                                      \
    X(files, "list a log's rotated files and itself: size, format, numbers, times")

#define X(name, help)                                                                              \
    int command_##name(const struct audit_options *options, const char *const *paths, size_t count);
AUDIT_COMMANDS(X)
#undef X

/* Prints "weir-audit: MESSAGE" to standard error. Returns 1. */
int command_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Calls each() for every record that the conditions choose, in order. Lines that are no record are
 * reported on standard error, and so is a condition that no record meets when nothing matches.
 * Returns the exit status. line: as it stands in the file, without its newline. */
typedef void command_each(void *context, const struct entry *entry, weir_string line);
int command_walk(const struct audit_options *options, const char *const *paths, size_t count,
                 bool follow, command_each *each, void *context);

#endif
