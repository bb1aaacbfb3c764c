/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads one plain file with several threads, in blocks, and gives its records in order. */
#ifndef WEIR_AUDIT_SCAN_H
#define WEIR_AUDIT_SCAN_H

#include "choose.h"

/* What a scan finds, in the order of the file. */
struct scan_visitor {
    void *context;
    /* A record that matches. false: enough. */
    bool (*record)(void *context, const struct entry *entry, weir_string line);
    /* A line that is no record; offset: where it begins in the file. */
    void (*stray)(void *context, uint64_t offset);
};

/* Whether this file can be read so: a regular one that is not compressed, and not empty. Opens it;
 * -1: it cannot. */
int scan_open(const char *path);

/* Reads it, and closes fd. What matters of the conditions' time is looked up in the file, at the
 * beginning of each block: records are in order but for SCAN_SLACK_S. threads: 0: as many as there
 * are processors. -1 and the error. */
int scan_file(int fd, const struct conditions *conditions, unsigned threads,
              const struct scan_visitor *visitor, struct error *error) WEIR_MUST_CHECK;

/* Which line of a file it is that begins at the offset, from 1. */
unsigned long scan_line_number(const char *path, uint64_t offset);

/* How much older a record can be than one before it: it gets its time before it gets its place. */
#define SCAN_SLACK_S       60
#define SCAN_LOCAL_SLACK_S 7260 /* local times go back when summer ends */

/* The name of a file that was rotated away says when: whether it can have records of the time that
 * is wanted. */
bool scan_may_have(const char *path, const struct conditions *conditions);

#endif
