/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of a stream that arrives in pieces, cut anywhere: what etcd's watches are. */
#ifndef WEIR_CLUSTER_ETCD_LINES_H
#define WEIR_CLUSTER_ETCD_LINES_H

#include "base/base.h"

#define ETCD_LINE_BYTES ((size_t)16 << 20) /* of a line, at most: etcd's requests have 1.5 MiB */

struct etcd_lines {
    struct strbuf begun; /* the line that has not ended */
};

/* Returns whether to go on. */
typedef bool etcd_line(void *user, const char *line, size_t size);

/* Calls line() for each line that `bytes` ends, without its newline, but for empty ones. Returns false
 * if line() did, if a line is too long, or without memory: the stream is of no use then. */
bool etcd_lines_add(struct etcd_lines *lines, const char *bytes, size_t size, etcd_line *line,
                    void *user) WEIR_MUST_CHECK;
void etcd_lines_release(struct etcd_lines *lines);

#endif
