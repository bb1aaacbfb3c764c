/* SPDX-License-Identifier: Apache-2.0
 *
 * The files that were rotated away from a log: audit_log's own, FILE.20260131T235959.123456Z, and those that
 * logrotate has moved, FILE.1 or FILE-20260131; .gz after that where they are compressed. weir-audit uses this, too. */
#ifndef AUDIT_LOG_ROTATE_LIST_H
#define AUDIT_LOG_ROTATE_LIST_H

#include <stddef.h>
#include <weir/check.h>

struct rotate_list {
    char **paths; /* oldest first; they begin with the folder as FILE has it */
    size_t count;
};

/* Lists audit_log's own, which are its to remove and to compress. -1 and errno. */
WEIR_MUST_CHECK int rotate_list(const char *file, struct rotate_list *list);

/* Lists logrotate's as well, which are only read. -1 and errno. */
WEIR_MUST_CHECK int rotate_list_all(const char *file, struct rotate_list *list);

void rotate_list_release(struct rotate_list *list);

#endif
