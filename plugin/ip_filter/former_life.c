/* SPDX-License-Identifier: Apache-2.0
 *
 * Without a data directory, or where the file cannot be written, a node that starts again counts twice until the lease of
 * what it has left ends. */
#include "former_life.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <weir/disk.h>
#include <weir/text.h>
#include <weir/unique.h>

#define FILE_NAME "ip_filter-node"

static void read_name(const char *path, char name[NODE_NAME_BYTES + 1])
{
    char key[COUNT_PREFIX_BYTES + NODE_NAME_BYTES + 1] = COUNT_PREFIX;
    struct count_key read;
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    const ssize_t size = file < 0 ? -1 : pread(file, key + COUNT_PREFIX_BYTES, NODE_NAME_BYTES, 0);
    if (file >= 0)
        close(file);
    name[0] = '\0';
    if (size == NODE_NAME_BYTES && count_key_read(text_of(key), &read) && read.part < 0)
        memcpy(name, read.node, sizeof read.node);
}

/* It is no harm where it is written by half: then there is no former name the next time. */
static bool write_name(const char *path, const char name[NODE_NAME_BYTES + 1])
{
    const int file =
        open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    const bool ok = file >= 0 && disk_write(file, name, NODE_NAME_BYTES) == 0;
    const int code = errno;
    if (file >= 0)
        close(file);
    errno = code;
    return ok;
}

void former_life_replace(char name[NODE_NAME_BYTES + 1], char former[NODE_NAME_BYTES + 1])
{
    char path[4096];
    const weir_string folder = weir_data_directory();
    snprintf(name, NODE_NAME_BYTES + 1, "%016llx", unique_number());
    former[0] = '\0';
    const int size = snprintf(path, sizeof path, "%.*s/" FILE_NAME, WEIR_STRING_ARGS(folder));
    if (!folder.data || size < 0 || (size_t)size >= sizeof path)
        return;
    read_name(path, former);
    if (!write_name(path, name))
        weir_log(WEIR_LOG_WARN,
                 "%s is not written (%s): when this node is started again, what it has counted "
                 "before counts on other nodes for some seconds",
                 path, strerror(errno));
}
