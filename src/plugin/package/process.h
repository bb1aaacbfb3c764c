/* SPDX-License-Identifier: Apache-2.0
 *
 * Running another program (the compiler, pkg-config) from a vector of arguments: no shell, so that
 * no file name and no manifest can mean anything to one. */
#ifndef WEIR_PLUGIN_PACKAGE_PROCESS_H
#define WEIR_PLUGIN_PACKAGE_PROCESS_H

#include "base/base.h"

/* A growing vector of owned strings; items[count] is NULL. A failed addition sets failed, and
 * process_run() reports it. Zeroed: empty. */
struct arguments {
    char **items;
    size_t count;
    bool failed;
};

void arguments_add(struct arguments *arguments, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Adds the words of text, which may be quoted as in a shell; nothing in it is run or expanded
 * except variables. NULL adds nothing. what names the text in the error. */
WEIR_MUST_CHECK int arguments_split(struct arguments *arguments, const char *text, const char *what,
                                    struct error *error);

void arguments_add_all(struct arguments *to, const struct arguments *from); /* copies */

void arguments_release(struct arguments *arguments);

/* Runs arguments->items, the program looked for in PATH, and waits. Its standard output goes to
 * output (appended), or where ours goes when output is NULL; its errors go where ours go. -1 when
 * it could not be run or didn't end with exit status 0. Main thread: signals from the terminal are
 * the child's while it runs. */
WEIR_MUST_CHECK int process_run(const struct arguments *arguments, struct strbuf *output,
                                struct error *error);

#endif
