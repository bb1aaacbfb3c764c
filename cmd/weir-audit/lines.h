/* SPDX-License-Identifier: Apache-2.0
 *
 * The lines of logs: plain or gzipped, of several files one after the other, or of one that is
 * still being written. On big files a progress bar is shown on the terminal, on standard error. */
#ifndef WEIR_AUDIT_LINES_H
#define WEIR_AUDIT_LINES_H

#include <zlib.h>

#include "base/base.h"

struct lines {
    const char *const *paths;
    size_t count, current;
    unsigned long number; /* of the line in its file, from 1 */
    gzFile zip;
    struct strbuf line;
    const char *path; /* of the current line */
    bool is_torn;     /* the line has no newline at its end: the file ends within it */
    bool follow; /* wait for more at the end of the last file, and continue when it was rotated */
    uint64_t total_bytes, before_bytes;
    int shown_percent; /* of the progress bar; -1: there is none */
    uint64_t inode;
};

/* Borrows paths; "-" is standard input. */
void lines_init(struct lines *lines, const char *const *paths, size_t count, bool follow);

/* Reads the next line, without its newline, into lines->line. 1; 0 at the end; -1 and the error. */
int lines_next(struct lines *lines, struct error *error);

void lines_release(struct lines *lines);

#endif
