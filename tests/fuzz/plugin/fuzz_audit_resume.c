/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as the log that audit_log finds when it starts: it is no audit log, or its end is found;
 * and what was mended then needs no mending a second time. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "resume.h"

static int resume(int fd, struct sink_end *end, const struct format **format)
{
    struct error error = {""};
    struct stat status;
    memset(end, 0, sizeof *end);
    memcpy(end->chain, chain_beginning, CHAIN_TEXT_BYTES);
    if (fstat(fd, &status) < 0)
        return -1;
    int result = resume_file(fd, "log", (uint64_t)status.st_size, end, format, &error);
    assert(result == 0 || strncmp(error.message, "log", 3) == 0);
    assert(strlen(end->chain) == CHAIN_TEXT_BYTES - 1);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct sink_end first, second;
    const struct format *format, *again;
    int fd = memfd_create("log", 0);
    assert(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
    if (resume(fd, &first, &format) == 0) {
        assert(resume(fd, &second, &again) == 0);
        assert(again == format || second.sequence == 0);
        assert(second.torn_bytes == 0 && second.sequence == first.sequence);
        assert(memcmp(first.chain, second.chain, CHAIN_TEXT_BYTES) == 0);
    }
    close(fd);
    return 0;
}
