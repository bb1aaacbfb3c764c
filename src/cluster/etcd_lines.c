/* SPDX-License-Identifier: Apache-2.0
 *
 * Parts a stream into lines. What a piece holds whole is not copied; only a line that goes on in the next
 * piece is kept. */
#include "cluster/etcd_lines.h"

#include <string.h>

static bool keep(struct etcd_lines *lines, const char *bytes, size_t size)
{
    if (size > ETCD_LINE_BYTES - lines->begun.size)
        return false;
    strbuf_add(&lines->begun, bytes, size);
    return !lines->begun.failed;
}

/* One that is whole in its piece, or the end of one that has begun. */
static bool end_line(struct etcd_lines *lines, const char *bytes, size_t size, etcd_line *line,
                     void *user)
{
    bool goes_on = true;
    if (lines->begun.size == 0)
        return size == 0 || (size <= ETCD_LINE_BYTES && line(user, bytes, size));
    goes_on = keep(lines, bytes, size) && line(user, lines->begun.data, lines->begun.size);
    strbuf_reset(&lines->begun);
    return goes_on;
}

bool etcd_lines_add(struct etcd_lines *lines, const char *bytes, size_t size, etcd_line *line,
                    void *user)
{
    const char *newline;
    bool goes_on = true;
    while (goes_on && size && (newline = memchr(bytes, '\n', size)) != NULL) {
        const size_t length = (size_t)(newline - bytes);
        goes_on = end_line(lines, bytes, length, line, user);
        bytes += length + 1;
        size -= length + 1;
    }
    return goes_on && keep(lines, bytes, size);
}

void etcd_lines_release(struct etcd_lines *lines)
{
    strbuf_release(&lines->begun);
}
