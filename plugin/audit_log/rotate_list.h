/* SPDX-License-Identifier: Apache-2.0
 *
 * The files that were rotated away from a log: FILE.20260131T235959.123456Z and .gz after that.
 * weir-audit uses this, too. */
#ifndef AUDIT_LOG_ROTATE_LIST_H
#define AUDIT_LOG_ROTATE_LIST_H

#include <stddef.h>
#include <weir/check.h>

struct rotate_list {
    char **paths; /* oldest first */
    size_t count;
};

/* Lists what was rotated away. -1 and errno. */
WEIR_MUST_CHECK int rotate_list(const char *file, struct rotate_list *list);
void rotate_list_release(struct rotate_list *list);

#endif
