/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "host.h"

struct weir_hold *host_last_hold;
atomic_uint host_errors_logged;

#define HOLDS 4096
static struct weir_hold holds[HOLDS];
static atomic_uint hold_count;

static weir_string text(const weir_session *session, uint32_t fact)
{
    return session->text[fact];
}

static uint64_t number(const weir_session *session, uint32_t fact)
{
    return session->number[fact];
}

static int attribute(const weir_session *session, size_t index, weir_string *name,
                     weir_string *value)
{
    (void)session;
    *name = (weir_string){"_client_name", 12};
    *value = (weir_string){"test", 4};
    return index == 0;
}

static int no_parameter(const weir_session *session, size_t index, weir_parameter *parameter)
{
    (void)session;
    (void)index;
    (void)parameter;
    return 0;
}

static int table(const weir_session *session, size_t index, weir_table *result)
{
    if (index >= session->table_count)
        return 0;
    *result = session->tables[index];
    return 1;
}

static void log_line(const weir_plugin *plugin, int level, const char *message, size_t size)
{
    (void)plugin;
    (void)message;
    (void)size;
    if (level == WEIR_LOG_ERROR)
        atomic_fetch_add(&host_errors_logged, 1);
}

static void report_failure(const weir_plugin *plugin, const char *message, size_t size)
{
    (void)plugin;
    (void)message;
    (void)size;
}

static weir_hold *hold(weir_session *session, const weir_plugin *plugin)
{
    (void)plugin;
    if (session->refuses_holds)
        return NULL;
    host_last_hold = &holds[atomic_fetch_add(&hold_count, 1) % HOLDS];
    atomic_store(&host_last_hold->state, 0);
    return host_last_hold;
}

static void release(weir_hold *given, weir_verdict verdict)
{
    if (atomic_exchange(&given->state, 1 + (int)verdict) != 0)
        abort(); /* released twice */
}

static const weir_host_functions functions = {.api_version = WEIR_API_VERSION,
                                              .struct_size = sizeof functions,
                                              .text = text,
                                              .number = number,
                                              .attribute = attribute,
                                              .parameter = no_parameter,
                                              .table = table,
                                              .log = log_line,
                                              .report_failure = report_failure,
                                              .hold = hold,
                                              .release = release};
const weir_host_functions *weir_host_table = &functions;
const weir_plugin *weir_self;

void host_init(struct weir_session *session)
{
    memset(session, 0, sizeof *session);
    for (size_t i = 0; i < WEIR_NUMBER_FACT_END_; i++)
        session->number[i] = WEIR_ABSENT;
}

weir_verdict host_wait(struct weir_hold *given)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    for (int i = 0; i < 20000 && atomic_load(&given->state) == 0; i++)
        nanosleep(&pause, NULL);
    if (atomic_load(&given->state) == 0)
        abort();
    return (weir_verdict)(atomic_load(&given->state) - 1);
}

void host_folder(char path[64])
{
    snprintf(path, 64, "/tmp/weir-audit-test.XXXXXX");
    if (!mkdtemp(path))
        abort();
}

void host_remove(const char *path)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    if (system(command) != 0) /* NOLINT: a folder of our own */
        abort();
}

void host_limit_files(unsigned long bytes)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes ? bytes : limit.rlim_max;
    setrlimit(RLIMIT_FSIZE, &limit);
}
