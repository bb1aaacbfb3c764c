/* SPDX-License-Identifier: Apache-2.0
 *
 * ip_filter: refuses clients by their address, before the backend hears of them. The lists are read
 * by OnInit and again by OnFlush; a file with a mistake changes nothing. Clients of the Unix socket
 * have no address and always pass: the socket's own permissions say who may use it.
 *
 * Reading the lists never waits. A reader counts itself in one of two counters while it looks;
 * OnFlush puts the new lists in place, and frees the old ones when each counter has been seen at
 * zero, for whoever still looks at them counted itself before. It sends newcomers to the other
 * counter in between, so that it waits for a few lookups at most. */
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <weir/plugin.h>

#include "networks.h"

#define ERROR_HOST_NOT_PRIVILEGED 1130 /* what MySQL answers to a host without any account */

static _Atomic(struct networks *) current;
static atomic_uint turn; /* its lowest bit: the counter that newcomers take */
static atomic_uint readers[2];

/* Puts lists in place of the current ones, which it frees. Takes next. Never runs twice at once. */
static void replace(struct networks *next)
{
    struct networks *old = atomic_exchange(&current, next);
    unsigned now = atomic_load(&turn) & 1;
    while (atomic_load(&readers[now ^ 1]))
        sched_yield();
    atomic_fetch_add(&turn, 1);
    while (atomic_load(&readers[now]))
        sched_yield();
    networks_free(old);
}

static bool passes(const uint8_t *address, size_t size)
{
    unsigned mine = atomic_load(&turn) & 1;
    atomic_fetch_add(&readers[mine], 1);
    const struct networks *networks = atomic_load(&current);
    bool answer = networks && networks_pass(networks, address, size);
    atomic_fetch_sub(&readers[mine], 1);
    return answer;
}

/* The setting `file`, or ip_filter.conf; a relative path begins at the folder of the plugin's .so.
 */
static int find_file(char *path, size_t size)
{
    weir_string file = weir_setting("file"), library = weir_library();
    const char *name = file.data ? file.data : "ip_filter.conf";
    const char *slash = strrchr(library.data, '/');
    int folder = name[0] == '/' || !slash ? 0 : (int)(slash - library.data) + 1;
    int length = snprintf(path, size, "%.*s%s", folder, library.data, name);
    return length < 0 || (size_t)length >= size ? -1 : 0;
}

static weir_verdict read_lists(void)
{
    char path[4096], problem[PROBLEM_BYTES];
    if (find_file(path, sizeof path) < 0)
        return weir_fail("the setting file is too long");
    struct networks *networks = networks_read(path, problem);
    if (!networks)
        return weir_fail("%s", problem);
    weir_log(WEIR_LOG_INFO, "read %zu rules of %s", networks_count(networks), path);
    replace(networks);
    return WEIR_OK;
}

weir_verdict OnInit(const weir_manifest *manifest)
{
    (void)manifest;
    return read_lists();
}

weir_verdict OnFlush(const weir_manifest *manifest)
{
    (void)manifest;
    return read_lists();
}

weir_verdict OnShutdown(const weir_manifest *manifest)
{
    (void)manifest;
    replace(NULL);
    return WEIR_OK;
}

weir_verdict OnConnectionEvent(weir_session *session, weir_connection_event event)
{
    uint8_t address[16];
    if (event != WEIR_PRE_AUTH)
        return WEIR_OK;
    size_t size = weir_client_address(session, address);
    if (size == 0 || passes(address, size))
        return WEIR_OK;
    return weir_refuse(session, ERROR_HOST_NOT_PRIVILEGED, "HY000",
                       "Host '%.*s' is not allowed to connect to this server (ip_filter)",
                       WEIR_STRING_ARGS(weir_client_ip(session)));
}
