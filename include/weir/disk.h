/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing all of it, however little write(2) takes at a time. */
#ifndef WEIR_DISK_H
#define WEIR_DISK_H

#include <errno.h>
#include <stddef.h>
#include <unistd.h>
#include <weir/check.h>

/* Returns 0, or -1 with errno: some of the bytes may be written then. */
WEIR_MUST_CHECK static inline int disk_write(int file, const char *bytes, size_t size)
{
    while (size) {
        const ssize_t written = write(file, bytes, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written == 0)
            errno = EIO;
        if (written <= 0)
            return -1;
        bytes += written;
        size -= (size_t)written;
    }
    return 0;
}

#endif
