/* SPDX-License-Identifier: Apache-2.0
 *
 * The process as the kernel sees it, by the names that Prometheus's own libraries use. */
#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gateway/status/pages.h"

/* Pages of memory: all that is mapped, and what is resident. */
static bool read_memory(unsigned long long *mapped, unsigned long long *resident)
{
    FILE *file = fopen("/proc/self/statm", "re");
    bool is_read = file && fscanf(file, "%llu %llu", mapped, resident) == 2;
    if (file)
        fclose(file);
    return is_read;
}

static int64_t count_files(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int64_t count = 0;
    while (folder && readdir(folder))
        count++;
    if (folder)
        closedir(folder);
    return count > 3 ? count - 3 : 0; /* ".", "..", and the folder's own */
}

static void expose(struct exposition *page, const char *name, const char *help, int64_t value)
{
    exposition_standard_family(page, name, EXPOSITION_GAUGE, help);
    exposition_number(page, NULL, 0, value);
}

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

void process_expose(struct exposition *page)
{
    unsigned long long mapped = 0, resident = 0;
    struct rusage usage;
    struct rlimit files;
    const int64_t page_bytes = sysconf(_SC_PAGESIZE);
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        exposition_standard_family(page, "process_cpu_seconds", EXPOSITION_COUNTER,
                                   "CPU time of the process, user and system");
        exposition_seconds(page, NULL, 0, seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime));
    }
    if (read_memory(&mapped, &resident)) {
        expose(page, "process_resident_memory_bytes", "memory that is resident",
               (int64_t)resident * page_bytes);
        expose(page, "process_virtual_memory_bytes", "memory that is mapped",
               (int64_t)mapped * page_bytes);
    }
    expose(page, "process_open_fds", "open file descriptors", count_files());
    if (getrlimit(RLIMIT_NOFILE, &files) == 0)
        expose(page, "process_max_fds", "file descriptors that may be open",
               (int64_t)files.rlim_cur);
    exposition_family(page, "allocated_bytes", EXPOSITION_GAUGE,
                      "memory that the gateway and its plugins have allocated and not freed");
    const struct mallinfo2 heap = mallinfo2();
    exposition_number(page, NULL, 0, (int64_t)(heap.uordblks + heap.hblkhd));
}
