/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding the trace plugin's file, and handing the loaded plugin to the workers by one atomic
 * pointer. */
#include "gateway/trace_loading.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "trace/protocol/trace_protocol.h"

static const char *given(const char *text)
{
    return text && *text ? text : NULL;
}

static struct trace_host *host_of(const struct gateway *gateway)
{
    return atomic_load_explicit(&gateway->trace, memory_order_acquire);
}

/* lib/weir/plugin beside the folder that the program is in: the plugins that came with it. */
static void add_own_folder(struct strbuf *path)
{
    char program[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
    program[size > 0 ? size : 0] = 0;
    char *slash = strrchr(program, '/');
    if (slash)
        *slash = 0;
    strbuf_printf(path, "%s/../lib/weir/plugin", program);
}

static struct trace_host *load(const struct gateway *gateway, const char *name, struct error *error)
{
    const char *folder = given(gateway->options->trace_directory);
    struct strbuf own = STRBUF_INIT, file = STRBUF_INIT, own_file = STRBUF_INIT;
    add_own_folder(&own);
    strbuf_printf(&file, "%s/%s.so", folder ? folder : ".", name);
    strbuf_printf(&own_file, "%s/%s.so", own.data, name);
    bool is_own = access(file.data, F_OK) != 0 && access(own_file.data, F_OK) == 0;
    struct trace_host *host = trace_host_load(name, is_own ? own.data : folder, error);
    strbuf_release(&own);
    strbuf_release(&file);
    strbuf_release(&own_file);
    return host;
}

/* The plugin that weir was built with comes first, so that a second one is refused. */
int trace_loading_open(struct gateway *gateway, struct error *error)
{
    const struct gateway_options *options = gateway->options;
    const struct trace_selection selection = {.user = given(options->trace_user),
                                              .host = given(options->trace_host)};
    error->message[0] = 0;
    struct trace_host *host = trace_host_default(error);
    if (!error->message[0] && given(options->trace_plugin)) {
        struct trace_host *asked = load(gateway, options->trace_plugin, error);
        host = asked ? asked : host;
    }
    atomic_store(&gateway->trace, host);
    if (error->message[0])
        return error_prefix(error, "-trace-plugin");
    if (host && trace_host_select(host, &selection))
        return error_set(error, "out of memory");
    return 0;
}

void trace_loading_close(struct gateway *gateway)
{
    trace_host_unload(host_of(gateway));
}

int trace_loading_load(struct gateway *gateway, const char *name, struct error *error)
{
    if (strchr(name, '/'))
        return error_set(error, "trace plugin %s: give its name; it is loaded from -plugin-dir",
                         name);
    struct trace_host *host = load(gateway, name, error);
    if (!host)
        return -1;
    trace_host_select(host, &(struct trace_selection){.is_off = true});
    atomic_store_explicit(&gateway->trace, host, memory_order_release);
    return 0;
}
