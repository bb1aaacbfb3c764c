/* SPDX-License-Identifier: Apache-2.0
 *
 * From the command line, the environment and the file to what the gateway takes; and the same once more while
 * it runs, where what only a start can change is put back and named. */
#include "configuration.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "password.h"

static int read_options(const struct command_line *line, struct configuration *configuration,
                        struct error *error)
{
    struct server_options *options = &configuration->options;
    if (options_defaults(&server_option_table, options, error))
        return -1;
    const char *path = options_peek(&server_option_table, "config", line->count, line->words);
    if (path) {
        configuration->file = config_file_open(path, error);
        if (!configuration->file ||
            config_file_set_options(configuration->file, &server_option_table, options, error))
            return -1;
    }
    if (options_environment(&server_option_table, options, error))
        return -1;
    options->status_is_given =
        options_peek(&server_option_table, "status", line->count, line->words) ||
        (configuration->file && config_file_has(configuration->file, "status"));
    return options_arguments(&server_option_table, options, line->count, line->words, error) < 0
               ? -1
               : 0;
}

static void release(struct gateway_configuration *gateway)
{
    struct configuration *configuration = (struct configuration *)gateway;
    backend_list_release(&configuration->backends);
    config_file_close(configuration->file);
    options_release(&server_option_table, &configuration->options);
    free(configuration->cluster_password);
    free(configuration->variables_file);
    free(configuration);
}

static void describe(void *user, struct strbuf *json)
{
    options_write_json(&server_option_table, user, json);
}

/* ---- Once more ---- */

struct comparison {
    struct configuration *fresh;
    const struct configuration *current;
    struct strbuf *notes;
    size_t count;
    int status;
    struct error *error;
};

static void put_back(void *user, const struct option_row *row)
{
    struct comparison *comparison = user;
    if (row->effect != OPTION_AT_NEXT_START || comparison->status)
        return;
    strbuf_printf(comparison->notes, "%s-%s", comparison->count++ ? ", " : "", row->name);
    comparison->status = options_copy(row, &comparison->fresh->options,
                                      &comparison->current->options, comparison->error);
}

/* Names what differs and takes effect only at the next start; it is not in force until then. */
static int put_back_all(struct configuration *fresh, const struct configuration *current,
                        struct strbuf *notes, struct error *error)
{
    struct comparison comparison = {fresh, current, notes, 0, 0, error};
    options_compare(&server_option_table, &current->options, &fresh->options, put_back,
                    &comparison);
    if (comparison.count)
        strbuf_add_text(notes, comparison.count == 1
                                   ? " differs, and takes effect at the next start"
                                   : " differ, and take effect at the next start");
    fresh->options.status_is_given = current->options.status_is_given;
    return comparison.status;
}

static void fill_gateway_options(const struct command_line *line,
                                 struct configuration *configuration);

static struct gateway_configuration *read_again(void *user,
                                                const struct gateway_configuration *current,
                                                struct strbuf *notes, struct error *error)
{
    const struct command_line *line = user;
    const struct configuration *before = (const struct configuration *)current;
    struct configuration *fresh = configuration_read(line, error);
    if (!fresh)
        return NULL;
    if (put_back_all(fresh, before, notes, error)) {
        gateway_configuration_drop(&fresh->gateway);
        return NULL;
    }
    if (fresh->file && config_file_check_again(fresh->file, &server_option_table, line->settings,
                                               line->registry, fresh->options.plugin_dir, error)) {
        gateway_configuration_drop(&fresh->gateway);
        return NULL;
    }
    config_file_compare_plugins(line->settings, fresh->file, line->registry, notes);
    fill_gateway_options(line, fresh);
    return &fresh->gateway;
}

/* ---- For the gateway ---- */

static struct plugin_settings settings_of(const struct configuration *configuration)
{
    return (struct plugin_settings){config_file_setting, config_file_place, configuration->file};
}

static void fill_gateway_options(const struct command_line *line,
                                 struct configuration *configuration)
{
    const struct server_options *options = &configuration->options;
    const struct backend_list *backends = &configuration->backends;
    configuration->gateway.options = (struct gateway_options){
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
        .cluster = {.name = options->cluster_name,
                    .advertise = options->advertise,
                    .required = options->cluster_required,
                    .refuses_alone = options->cluster_unreached != 0},
        .proxy_networks = options->proxy_networks,
        .backend_first = options->backend_first,
        .first_networks = options->backend_first_networks,
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
        .graceful_wait_s = options->graceful_wait,
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
        .log_level = (enum log_level)options->level,
        .plugin_settings = settings_of(configuration),
        .read_again = read_again,
        .read_again_user = (void *)line,
    };
}

static int name_variables_file(struct configuration *configuration, struct error *error)
{
    struct strbuf path = STRBUF_INIT;
    strbuf_printf(&path, "%s/plugin-variables.toml", configuration->options.path);
    configuration->variables_file = path.failed ? NULL : strdup(path.data);
    strbuf_release(&path);
    return configuration->variables_file ? 0 : error_set(error, "not enough memory");
}

/* Looks at what belongs together, with or without -cluster, so that a mistake shows early. */
static int fill_cluster(struct configuration *configuration, struct error *error)
{
    enum { NAME_MOST = 64 };
    const struct server_options *options = &configuration->options;
    const char *name = options->cluster_name;
    if (!*name || strlen(name) > NAME_MOST ||
        name[strspn(name, "abcdefghijklmnopqrstuvwxyz"
                          "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                          "0123456789-_.")])
        return error_set(error,
                         "-cluster-name %s: give letters, digits, '-', '_' and '.', %d at most",
                         log_foreign(name, strlen(name)), NAME_MOST);
    if (!options->cluster_ssl_cert != !options->cluster_ssl_key)
        return error_set(error, "-cluster-ssl-cert and -cluster-ssl-key: give both or none");
    return password_read(&configuration->cluster_password, options->cluster_password,
                         "-cluster-password-file", options->cluster_password_file, error);
}

struct configuration *configuration_read(const struct command_line *line, struct error *error)
{
    struct configuration *configuration = calloc(1, sizeof *configuration);
    if (!configuration) {
        error_set(error, "not enough memory");
        return NULL;
    }
    configuration->gateway.release = release;
    atomic_init(&configuration->gateway.references, 1);
    if (read_options(line, configuration, error) || name_variables_file(configuration, error) ||
        fill_cluster(configuration, error) ||
        backend_list_fill(&configuration->backends, &configuration->options, configuration->file,
                          error)) {
        gateway_configuration_drop(&configuration->gateway);
        return NULL;
    }
    fill_gateway_options(line, configuration);
    return configuration;
}

/* ---- For the plugins ---- */

struct plugin_options configuration_plugins(const struct configuration *configuration)
{
    const struct server_options *options = &configuration->options;
    return (struct plugin_options){
        .variables_file = configuration->variables_file,
        .data_directory = options->path,
        .directory = options->plugin_dir,
        .load = options->plugin_load,
        .locked = options->plugin_locked,
        .skip_on_failure = options->skip_plugin_on_failure,
        .settings = settings_of(configuration),
        .known_name = gateway_known_name,
    };
}

/* ---- For the store ---- */

struct process_store_options configuration_store(const struct configuration *configuration)
{
    enum { TIMEOUT_MS = 2000 };
    const struct server_options *options = &configuration->options;
    return (struct process_store_options){
        .etcd = {.endpoints = options->cluster,
                 .ca = options->cluster_ssl_ca,
                 .certificate = options->cluster_ssl_cert,
                 .key = options->cluster_ssl_key,
                 .user = options->cluster_user,
                 .password = configuration->cluster_password,
                 .timeout_ms = TIMEOUT_MS},
    };
}
