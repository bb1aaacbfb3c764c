/* SPDX-License-Identifier: Apache-2.0 */
#include "audit_test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

void test_folder_make(char path[64])
{
    snprintf(path, 64, "/tmp/weir-audit-test.XXXXXX");
    if (!mkdtemp(path))
        abort();
}

void test_folder_remove(const char *path)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    if (system(command) != 0) /* NOLINT: a folder of our own */
        abort();
}

void test_limit_files(unsigned long bytes)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes ? bytes : limit.rlim_max;
    setrlimit(RLIMIT_FSIZE, &limit);
}
