/* SPDX-License-Identifier: Apache-2.0
 *
 * weir-server: reads its options, loads the plugins, runs the gateway, shuts the plugins down. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backends.h"
#include "config_file.h"
#include "config_manual.h"
#include "gateway/gateway.h"
#include "options.h"
#include "plugin/host/plugin_host.h"

/* Ended in order, but for statements or transactions that did not end within -drain-timeout. */
#define EXIT_CUT_OFF 2

static int read_options(int argc, char **argv, struct server_options *options,
                        struct config_file **file, struct error *error)
{
    if (options_defaults(&server_option_table, options, error))
        return -1;
    const char *path = options_peek(&server_option_table, "config", argc, argv);
    if (path) {
        *file = config_file_open(path, error);
        if (!*file || config_file_set_options(*file, &server_option_table, options, error))
            return -1;
    }
    if (options_environment(&server_option_table, options, error))
        return -1;
    options->status_is_given = options_peek(&server_option_table, "status", argc, argv) ||
                               (*file && config_file_has(*file, "status"));
    return options_arguments(&server_option_table, options, argc, argv, error) < 0 ? -1 : 0;
}

static void warn_of_environment(const char *name, const char *meant)
{
    log_warn("server",
             "the environment has %s, which is nothing of weir-server's; did you mean %s?", name,
             meant);
}

static void describe(void *user, struct strbuf *json)
{
    options_write_json(&server_option_table, user, json);
}

static int serve(const struct server_options *options, struct config_file *file,
                 const struct backend_list *backends, const char *variables_file,
                 struct error *error)
{
    struct plugin_options plugins = {
        .variables_file = variables_file,
        .data_directory = options->path,
        .directory = options->plugin_dir,
        .load = options->plugin_load,
        .locked = options->plugin_locked,
        .skip_on_failure = options->skip_plugin_on_failure,
        .setting = config_file_setting,
        .setting_place = config_file_place,
        .setting_user = file,
        .known_name = gateway_known_name,
    };
    struct gateway_options gateway = {
        .host = options->host,
        .port = options->port,
        .socket = options->socket,
        .data_directory = options->path,
        .backends = backends->list,
        .backend_count = backends->count,
        .backend_tls = backends->tls,
        .backend_policy = options->backend_policy,
        .checks = {.interval_ms = options->backend_check_interval,
                   .rise = options->backend_rise,
                   .fall = options->backend_fall,
                   .slow_start_s = options->backend_slow_start,
                   .lost_s = options->backend_lost_timeout,
                   .user = options->backend_check_user,
                   .password = backends->check_password,
                   .query = options->backend_check_query,
                   .expected = options->backend_check_expect,
                   .galera = options->backend_check_galera},
        .proxy_networks = options->proxy_networks,
        .backend_first = options->backend_first,
        .mariadbd = options->mariadbd,
        .trace_plugin = options->trace_plugin,
        .trace_directory = options->plugin_dir,
        .trace_user = options->trace_user,
        .trace_host = options->trace_host,
        .tls_certificate = options->ssl_cert,
        .tls_key = options->ssl_key,
        .tls_ca = options->ssl_ca,
        .tls_automatic = options->auto_tls,
        .require_tls = options->require_secure_transport,
        .compression = options->compression,
        .backend_compression = options->backend_compression,
        .compression_level = options->compression_level,
        .zstd_level = options->zstd_level,
        .workers = options->workers,
        .max_connections = options->max_connections,
        .handshake_timeout_s = options->handshake_timeout,
        .connect_timeout_s = options->connect_timeout,
        .drain_timeout_s = options->drain_timeout,
        .hold_timeout_s = options->hold_timeout,
        .stall_limit_ms = options->stall_limit,
        .max_command_bytes = options->max_command_bytes,
        .max_prepared_bytes = options->max_prepared_bytes,
        .log_file = options->log_file,
        .report_status = options->report_status,
        .status_port_is_given = options->status_is_given,
        .status_host = options->status_host,
        .status_port = options->status,
        .status_tls = options->status_tls,
        .status_token_file = options->status_token_file,
        .describe = describe,
        .describe_user = (void *)options,
    };
    log_set_level((enum log_level)options->level);
    if (log_open(options->log_file, error))
        return -1;
    gateway_report_crashes();
    options_misspelt_environment(&server_option_table, warn_of_environment);
    struct plugin_registry *registry = plugin_registry_load(&plugins, error);
    if (!registry)
        return -1;
    int status =
        file ? config_file_check(file, &server_option_table, registry, options->plugin_dir, error)
             : 0;
    if (status == 0)
        status = gateway_run(&gateway, registry, error);
    plugin_registry_shutdown(registry);
    return status;
}

/* What SET GLOBAL leaves behind lies in the data directory. */
static int serve_with_file(const struct server_options *options, struct config_file *file,
                           struct error *error)
{
    struct strbuf path = STRBUF_INIT;
    struct backend_list backends;
    int status = backend_list_fill(&backends, options, file, error);
    strbuf_printf(&path, "%s/plugin-variables.toml", options->path);
    if (status == 0)
        status = path.failed ? error_set(error, "not enough memory")
                             : serve(options, file, &backends, path.data, error);
    backend_list_release(&backends);
    strbuf_release(&path);
    return status;
}

int main(int argc, char **argv)
{
    struct server_options options = {0};
    struct config_file *file = NULL;
    struct error error = {""};
    int status = read_options(argc, argv, &options, &file, &error);
    if (status == 0 && options.help)
        options_print_help(&server_option_table, stdout);
    else if (status == 0 && options.manual)
        options_print_manual(&server_option_table, stdout);
    else if (status == 0 && options.manual_file)
        config_manual_print(stdout);
    else if (status == 0 && options.sample)
        options_print_file(&server_option_table, stdout);
    else if (status == 0 && options.version)
        printf("weir-server %s\n", WEIR_VERSION);
    else if (status == 0)
        status = serve_with_file(&options, file, &error);
    if (status < 0)
        log_error("server", "%s", error.message);
    options_release(&server_option_table, &options);
    config_file_close(file);
    return status < 0 ? EXIT_FAILURE : status == GATEWAY_HAS_CUT_OFF ? EXIT_CUT_OFF : EXIT_SUCCESS;
}
