/* SPDX-License-Identifier: Apache-2.0 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MODE 0600

int files_write(int fd, const char *bytes, size_t size)
{
    while (size) {
        ssize_t written = write(fd, bytes, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -1;
        if (written == 0) {
            errno = EIO;
            return -1;
        }
        bytes += written;
        size -= (size_t)written;
    }
    return 0;
}

int files_sync_folder(const char *path)
{
    char *folder = strdup(path), *slash = folder ? strrchr(folder, '/') : NULL;
    int status = folder ? 0 : -1;
    if (slash) {
        slash[slash == folder ? 1 : 0] = '\0';
        int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        status = fd < 0 ? -1 : fsync(fd);
        if (fd >= 0)
            close(fd);
    }
    free(folder);
    return status;
}

static int write_new(const char *path, const char *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (fd < 0)
        return -1;
    int status = fchmod(fd, FILE_MODE) == 0 && files_write(fd, bytes, size) == 0 ? fsync(fd) : -1;
    int code = errno;
    close(fd);
    errno = code;
    return status;
}

int files_replace(const char *path, const char *bytes, size_t size)
{
    char *fresh = NULL;
    if (asprintf(&fresh, "%s.new", path) < 0) {
        errno = ENOMEM;
        return -1;
    }
    int status = write_new(fresh, bytes, size);
    if (status == 0)
        status = rename(fresh, path);
    if (status == 0)
        status = files_sync_folder(path);
    else {
        int code = errno;
        unlink(fresh);
        errno = code;
    }
    free(fresh);
    return status;
}
