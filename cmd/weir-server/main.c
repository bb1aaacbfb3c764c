/* SPDX-License-Identifier: Apache-2.0
 *
 * weir-server: reads its options, loads the plugins, runs the gateway, shuts the plugins down. */
#include <string.h>
#include <unistd.h>

#include "gateway/gateway.h"
#include "options.h"
#include "plugin/host/plugin_host.h"

/* Options of the file, below those of the command line. Tables are for others: [plugin.NAME]. */
static int read_file(const struct toml_document *file, struct server_options *options,
                     struct error *error)
{
    const struct toml_node *root = toml_root(file);
    for (size_t i = 0; i < toml_count(root); i++) {
        const struct toml_node *node = toml_at(root, i);
        if (toml_type(node) == TOML_TABLE && strcmp(toml_key(node), "plugin") == 0)
            continue;
        if (!options_find(&server_option_table, toml_key(node)))
            return toml_error(file, node, error,
                              "key \"%s\": no such option; see weir-server --help", toml_key(node));
        struct error reason = {""};
        if (options_set(&server_option_table, options, toml_key(node), toml_text(node, NULL),
                        toml_key(node), &reason))
            return toml_error(file, node, error, "%s", reason.message);
    }
    return 0;
}

static int read_options(int argc, char **argv, struct server_options *options,
                        struct toml_document **file, struct error *error)
{
    if (options_defaults(&server_option_table, options, error))
        return -1;
    const char *path = options_peek(&server_option_table, "config", argc, argv);
    if (path) {
        *file = toml_read(path, error);
        if (!*file || read_file(*file, options, error))
            return -1;
    }
    if (options_environment(&server_option_table, options, error))
        return -1;
    return options_arguments(&server_option_table, options, argc, argv, error) < 0 ? -1 : 0;
}

/* [plugin.NAME] key */
static const char *plugin_setting(void *user, const char *plugin, const char *key)
{
    const struct toml_document *file = user;
    const struct toml_node *section = file ? toml_get(toml_root(file), "plugin") : NULL;
    section = section ? toml_get(section, plugin) : NULL;
    const struct toml_node *node = section ? toml_get(section, key) : NULL;
    return node ? toml_text(node, NULL) : NULL;
}

static int serve(const struct server_options *options, struct toml_document *file,
                 const char *variables_file, struct error *error)
{
    struct plugin_options plugins = {
        .variables_file = variables_file,
        .data_directory = options->path,
        .directory = options->plugin_dir,
        .load = options->plugin_load,
        .skip_on_failure = options->skip_plugin_on_failure,
        .setting = plugin_setting,
        .setting_user = file,
        .known_name = gateway_known_name,
    };
    struct gateway_options gateway = {
        .host = options->host,
        .port = options->port,
        .socket = options->socket,
        .data_directory = options->path,
        .backend = options->backend,
        .proxy_protocol = options->proxy_protocol,
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
    };
    log_set_level((enum log_level)options->level);
    if (log_open(options->log_file, error))
        return -1;
    struct plugin_registry *registry = plugin_registry_load(&plugins, error);
    if (!registry)
        return -1;
    int status = gateway_run(&gateway, registry, error);
    plugin_registry_shutdown(registry);
    return status;
}

/* What SET GLOBAL leaves behind lies in the data directory. */
static int serve_with_file(const struct server_options *options, struct toml_document *file,
                           struct error *error)
{
    struct strbuf path = STRBUF_INIT;
    strbuf_printf(&path, "%s/plugin-variables.toml", options->path);
    int status = path.failed ? error_set(error, "not enough memory")
                             : serve(options, file, path.data, error);
    strbuf_release(&path);
    return status;
}

int main(int argc, char **argv)
{
    struct server_options options = {0};
    struct toml_document *file = NULL;
    struct error error = {""};
    int status = read_options(argc, argv, &options, &file, &error);
    if (status == 0 && options.help)
        options_print_help(&server_option_table, stdout);
    else if (status == 0 && options.manual)
        options_print_manual(&server_option_table, stdout);
    else if (status == 0 && options.version)
        printf("weir-server %s\n", WEIR_VERSION);
    else if (status == 0)
        status = serve_with_file(&options, file, &error);
    if (status)
        log_error("server", "%s", error.message);
    options_release(&server_option_table, &options);
    toml_free(file);
    return status ? 1 : 0;
}
