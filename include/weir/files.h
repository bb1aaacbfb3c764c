/* SPDX-License-Identifier: Apache-2.0
 *
 * A plugin's own files: where they are, and writing them so that a crash or a power cut leaves the
 * old contents or the new. Functions that fail return -1 and set errno. */
#ifndef WEIR_FILES_H
#define WEIR_FILES_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <weir/check.h>
#include <weir/disk.h>
#include <weir/plugin.h>

/* Writes the path of a file that the plugin reads: a relative name begins at the folder of the
 * plugin's .so. False: it is longer than size - 1 bytes. */
WEIR_MUST_CHECK static inline bool files_beside_plugin(weir_string name, char *path, size_t size)
{
    weir_string library = weir_library();
    const char *slash = library.data ? strrchr(library.data, '/') : NULL;
    bool is_absolute = name.size > 0 && name.data[0] == '/';
    int folder = is_absolute || !slash ? 0 : (int)(slash - library.data) + 1;
    int length = snprintf(path, size, "%.*s%.*s", folder, folder ? library.data : "",
                          WEIR_STRING_ARGS(name));
    return length >= 0 && (size_t)length < size;
}

/* Writes the path of a file that the plugin writes: a relative name begins at the server's data
 * directory, or beside the plugin where the server has none. False: it is longer than size - 1
 * bytes. */
WEIR_MUST_CHECK static inline bool files_in_data_directory(weir_string name, char *path,
                                                           size_t size)
{
    weir_string folder = weir_data_directory();
    if (!folder.data || (name.size > 0 && name.data[0] == '/'))
        return files_beside_plugin(name, path, size);
    int length =
        snprintf(path, size, "%.*s/%.*s", WEIR_STRING_ARGS(folder), WEIR_STRING_ARGS(name));
    return length >= 0 && (size_t)length < size;
}

/* Closes a file descriptor after a failure, and keeps the failure's errno. */
static inline void files_close(int fd)
{
    int code = errno;
    if (fd >= 0)
        close(fd);
    errno = code;
}

/* Syncs the folder of a path to the disk: a name that was created or changed in it then survives a
 * power cut. */
WEIR_MUST_CHECK static inline int files_sync_folder(const char *path)
{
    char folder[PATH_MAX];
    int length = snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (length < 0 || (size_t)length >= sizeof folder) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (slash)
        slash[1] = '\0';
    int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int status = fd < 0 ? -1 : fsync(fd);
    files_close(fd);
    return status;
}

/* Replaces a file by these bytes, mode 0600, by way of PATH.new. */
WEIR_MUST_CHECK static inline int files_replace(const char *path, const char *bytes, size_t size)
    __attribute__((unused));
static inline int files_replace(const char *path, const char *bytes, size_t size)
{
    char fresh[PATH_MAX];
    int length = snprintf(fresh, sizeof fresh, "%s.new", path);
    if (length < 0 || (size_t)length >= sizeof fresh) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -1;
    int status = fchmod(fd, 0600) == 0 && disk_write(fd, bytes, size) == 0 ? fsync(fd) : -1;
    files_close(fd);
    if (status == 0)
        status = rename(fresh, path);
    if (status == 0)
        return files_sync_folder(path);
    int code = errno;
    unlink(fresh);
    errno = code;
    return -1;
}

#endif
