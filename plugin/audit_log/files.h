/* SPDX-License-Identifier: Apache-2.0
 *
 * What every file of the plugin needs of the system: writing all of it, and making sure that a name
 * is on the disk, too. */
#ifndef AUDIT_LOG_FILES_H
#define AUDIT_LOG_FILES_H

#include <stddef.h>

/* Writes all bytes. -1 and errno. */
int files_write(int fd, const char *bytes, size_t size);

/* Brings the folder of a path to the disk, with the name that was made or changed in it. -1 and
 * errno. */
int files_sync_folder(const char *path);

/* Replaces a file by these bytes, mode 0600: after a crash it is the old one or the new one. -1 and
 * errno. */
int files_replace(const char *path, const char *bytes, size_t size);

#endif
