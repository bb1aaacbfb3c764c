# SPDX-License-Identifier: Apache-2.0
"""A disk with faults, for one server: a library that is preloaded looks up what the test wants of calls on the audit log, and
writes down what has reached the disk, so that a test can take away what has not, as a power failure does."""
import os
import pathlib
import subprocess

import pytest
from harness.paths import WEIR_SERVER
from harness.waiting import wait_for

SOURCE = r"""
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REAL(type, name) ((type)dlsym(RTLD_NEXT, name))

static int file(const char *name, int flags)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", getenv("AUDIT_DISK"), name);
    return REAL(int (*)(const char *, int, ...), "open")(path, flags | O_CLOEXEC, 0600);
}

/* What is to happen to this call: "" or a word of the file of rules, which has lines "CALL WORD". */
static void rule_of(const char *call, char word[16])
{
    char rules[256] = "", wanted[32];
    int fd = file("rules", O_RDONLY);
    word[0] = 0;
    if (fd < 0)
        return;
    if (read(fd, rules, sizeof rules - 1) > 0) {
        snprintf(wanted, sizeof wanted, "%s ", call);
        char *line = strstr(rules, wanted);
        if (line)
            sscanf(line + strlen(wanted), "%15s", word);
    }
    close(fd);
}

/* 0: goes on; -1 and errno. */
static int obey(const char *call, char word[16])
{
    rule_of(call, word);
    while (strcmp(word, "WAIT") == 0) {
        close(file("waiting", O_CREAT | O_WRONLY));
        usleep(1000);
        rule_of(call, word);
    }
    errno = strcmp(word, "EIO") == 0 ? EIO : strcmp(word, "EROFS") == 0 ? EROFS : strcmp(word, "ENOSPC") == 0 ? ENOSPC : 0;
    return errno ? -1 : 0;
}

static int is_log_path(const char *path)
{
    const char *name = strrchr(path, '/');
    return strncmp(name ? name + 1 : path, "audit.log", 9) == 0;
}

static int is_log(int fd)
{
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size <= 0)
        return 0;
    path[size] = 0;
    return is_log_path(path);
}

/* "F inode size" for a file, "D inode name inode name ..." for a folder. */
static void write_down(int fd, off_t size)
{
    struct stat status;
    char line[8192];
    int length = 0;
    if (fstat(fd, &status) < 0)
        return;
    if (S_ISREG(status.st_mode) && is_log(fd)) {
        length = snprintf(line, sizeof line, "F %lu %ld\n", (unsigned long)status.st_ino, (long)size);
    } else if (S_ISDIR(status.st_mode)) {
        DIR *folder = fdopendir(dup(fd));
        struct dirent *entry;
        rewinddir(folder);
        length = snprintf(line, sizeof line, "D");
        while ((entry = readdir(folder)))
            if (is_log_path(entry->d_name))
                length += snprintf(line + length, sizeof line - (size_t)length, " %lu %s", (unsigned long)entry->d_ino, entry->d_name);
        closedir(folder);
        length += snprintf(line + length, sizeof line - (size_t)length, "\n");
    }
    int log = file("durable", O_CREAT | O_WRONLY | O_APPEND);
    REAL(ssize_t (*)(int, const void *, size_t), "write")(log, line, (size_t)length);
    close(log);
}

static int sync_with(const char *call, int fd)
{
    char word[16];
    struct stat status = {0};
    if (is_log(fd) && obey(call, word) < 0)
        return -1;
    fstat(fd, &status);
    int result = REAL(int (*)(int), call)(fd);
    if (result == 0)
        write_down(fd, status.st_size);
    return result;
}

int fdatasync(int fd) { return sync_with("fdatasync", fd); }
int fsync(int fd) { return sync_with("fsync", fd); }

ssize_t write(int fd, const void *bytes, size_t size)
{
    char word[16] = "";
    if (is_log(fd) && obey("write", word) < 0)
        return -1;
    if (strcmp(word, "SHORT") == 0 && size > 1)
        size /= 2;
    return REAL(ssize_t (*)(int, const void *, size_t), "write")(fd, bytes, size);
}

#define OPEN(name) \
    int name(const char *path, int flags, ...) \
    { \
        char word[16]; \
        va_list arguments; \
        va_start(arguments, flags); \
        int mode = va_arg(arguments, int); \
        va_end(arguments); \
        if (is_log_path(path) && obey("open", word) < 0) \
            return -1; \
        return REAL(int (*)(const char *, int, ...), #name)(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)
"""


class Disk:
    """The environment of a server whose log is on it: disk.environment."""

    def __init__(self, folder):
        if b"__asan_init" in WEIR_SERVER.read_bytes() or b"__tsan_init" in WEIR_SERVER.read_bytes():
            pytest.skip("a sanitizer wants to be the only library that is preloaded")
        self.folder = pathlib.Path(folder) / "disk"
        self.folder.mkdir()
        source, library = self.folder / "disk.c", self.folder / "disk.so"
        source.write_text(SOURCE)
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
        self.environment = {"LD_PRELOAD": str(library), "AUDIT_DISK": str(self.folder)}

    def set(self, *rules):
        """What calls on the log do from now on: "write EIO", "fdatasync WAIT" ...; nothing: they work."""
        (self.folder / "waiting").unlink(missing_ok=True)
        fresh = self.folder / "rules.new"
        fresh.write_text("".join(f"{rule}\n" for rule in rules))
        fresh.rename(self.folder / "rules")

    def wait_until_something_waits(self):
        wait_for((self.folder / "waiting").exists, "a call that waits for the disk")

    def lose_power(self, folder, chance):
        """Leaves of the log's files in the folder what a machine that has lost power would find: the names of the last
        synced listing, of each file what was synced, and of what was written later a random part."""
        folder = pathlib.Path(folder)
        sizes, names = {}, {}
        for line in (self.folder / "durable").read_text().splitlines():
            kind, *words = line.split()
            if kind == "F":
                sizes[int(words[0])] = int(words[1])
            else:
                names = {name: int(inode) for inode, name in zip(words[::2], words[1::2])}
        contents = {path.stat().st_ino: path.read_bytes() for path in folder.glob("audit.log*")}
        for path in folder.glob("audit.log*"):
            path.unlink()
        for name, inode in names.items():
            content, synced = contents[inode], sizes.get(inode, 0)
            assert synced <= len(content), f"{name}: {synced} bytes are synced, and {len(content)} are there"
            kept = synced + chance.randrange(0, len(content) - synced + 1)
            (folder / name).write_bytes(content[:kept])
            os.chmod(folder / name, 0o600)
        left = {path.name: path.stat() for path in folder.glob("audit.log*")}
        (self.folder / "durable").write_text(
            "D" + "".join(f" {status.st_ino} {name}" for name, status in left.items()) + "\n"
            + "".join(f"F {status.st_ino} {status.st_size}\n" for status in left.values()))
