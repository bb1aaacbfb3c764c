/* SPDX-License-Identifier: Apache-2.0
 *
 * How a log ended: what the plugin needs to continue it after a restart. A record that was half
 * written when the server died was not acknowledged to anybody under SYNCHRONOUS; it is cut off,
 * and the Start record says so. */
#ifndef AUDIT_LOG_RESUME_H
#define AUDIT_LOG_RESUME_H

#include <weir/check.h>

#include "sink.h"

/* Looks at the end of an open log of `size` bytes, cuts off a torn line and the closing, and fills
 * in *end. *format is the file's own; NULL: the file is empty. -1 and the problem: it is no audit
 * log, or cannot be read. */
WEIR_MUST_CHECK int resume_file(int fd, const char *path, uint64_t size, struct sink_end *end,
                                const struct format **format, struct error *error);

/* The same for the newest file with a record that was rotated away, by audit_log or by logrotate, compressed or not;
 * it is only read. Leaves *end alone when there is none. */
void resume_rotated(const char *file, struct sink_end *end);

#endif
