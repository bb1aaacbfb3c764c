/* SPDX-License-Identifier: Apache-2.0
 *
 * An input as a file that is nowhere but in memory. */
#ifndef FUZZ_PLUGIN_INPUT_FILE_H
#define FUZZ_PLUGIN_INPUT_FILE_H

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

/* Returns its path, valid until the next call, which also is its end. */
static inline const char *input_file(const uint8_t *bytes, size_t size)
{
    static int descriptor = -1;
    static char path[64];
    if (descriptor >= 0)
        close(descriptor);
    descriptor = memfd_create("input", MFD_CLOEXEC);
    assert(descriptor >= 0 && write(descriptor, bytes, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    return path;
}

#endif
