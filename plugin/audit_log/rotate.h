/* SPDX-License-Identifier: Apache-2.0
 *
 * Files that were rotated away: FILE.20260131T235959.123456Z, in UTC, and .gz after that when they
 * are compressed. The names sort by age, and nothing that is named otherwise is touched:
 * logrotate's files are its own. Compressing and removing is done by a thread of its own, the
 * janitor, because a commit must not wait for it. */
#ifndef AUDIT_LOG_ROTATE_H
#define AUDIT_LOG_ROTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/check.h>

#include "rotate_list.h"

/* The path of a file that is rotated away now. Returns owned, or NULL: no memory. */
WEIR_MUST_CHECK char *rotate_name(const char *file);

struct janitor;
struct sink_options;

/* Starts the janitor, which first cleans up once what a dead server has left. Borrows options.
 * NULL: no thread. */
struct janitor *janitor_start(const struct sink_options *options);
void janitor_clean(struct janitor *janitor);
/* What is being compressed is finished at the next start. NULL is allowed. */
void janitor_stop(struct janitor *janitor);

#endif
