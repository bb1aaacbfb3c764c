/* SPDX-License-Identifier: Apache-2.0
 *
 * weir-server: reads its options, opens the store, loads the plugins, runs the gateway, and ends them in the
 * opposite order. */
#include <stdlib.h>

#include "check.h"
#include "cluster/cluster.h"
#include "config_manual.h"
#include "configuration.h"
#include "plugin/host/plugin_host.h"

/* Ended in order, but for statements or transactions that did not end within -drain-timeout. */
#define EXIT_CUT_OFF 2

static void warn_of_environment(const char *name, const char *meant)
{
    log_warn("server",
             "the environment has %s, which is nothing of weir-server's; did you mean %s?", name,
             meant);
}

static int serve_plugins(struct command_line *line, struct configuration *configuration,
                         struct plugin_registry *registry, struct process_store *store,
                         struct error *error)
{
    const struct server_options *options = &configuration->options;
    struct config_file *file = configuration->file;
    if (file && config_file_check(file, &server_option_table, registry, options->plugin_dir, error))
        return -1;
    line->registry = registry;
    return gateway_run(&configuration->gateway, registry, store, error);
}

/* Where plugins store keys: below the cluster's name, or in a file. NULL: no memory. */
static struct plugin_storage *open_storage(const struct configuration *configuration,
                                           struct store *shared)
{
    const struct server_options *options = &configuration->options;
    struct strbuf prefix = STRBUF_INIT;
    if (shared)
        strbuf_printf(&prefix, "/weir/%s", options->cluster_name);
    struct plugin_storage *storage =
        prefix.failed ? NULL : plugin_storage_new(shared, prefix.data, options->path);
    strbuf_release(&prefix);
    return storage;
}

/* The configuration's file stays as long as the plugins, whatever is reloaded: their settings are read from it. */
static int serve(struct command_line *line, struct configuration *configuration,
                 struct error *error)
{
    const struct server_options *options = &configuration->options;
    struct plugin_options plugins = configuration_plugins(configuration);
    log_set_level((enum log_level)options->level);
    if (log_open(options->log_file, error))
        return -1;
    gateway_report_crashes();
    options_misspelt_environment(&server_option_table, warn_of_environment);
    const struct process_store_options shared = configuration_store(configuration);
    struct process_store *store = process_store_open(&shared, error);
    if (!store)
        return -1;
    struct plugin_storage *storage = open_storage(configuration, process_store_shared(store));
    plugins.storage = storage;
    struct plugin_registry *registry = storage ? plugin_registry_load(&plugins, error) : NULL;
    int status = storage ? -1 : error_set(error, "not enough memory");
    if (registry)
        status = serve_plugins(line, configuration, registry, store, error);
    plugin_registry_shutdown(registry);
    process_store_close(store);
    plugin_storage_free(storage); /* what the store's callbacks touch */
    return status;
}

static int run(struct command_line *line, struct configuration *configuration, struct error *error)
{
    const struct server_options *options = &configuration->options;
    int status = 0;
    if (options->help)
        options_print_help(&server_option_table, stdout);
    else if (options->manual)
        options_print_manual(&server_option_table, stdout);
    else if (options->manual_file)
        config_manual_print(stdout);
    else if (options->sample)
        options_print_file(&server_option_table, stdout);
    else if (options->version)
        printf("weir-server %s\n", WEIR_VERSION);
    else if (options->check)
        status = configuration_check(configuration, stdout, error);
    else
        status = serve(line, configuration, error);
    return status;
}

int main(int argc, char **argv)
{
    struct command_line line = {.count = argc, .words = argv};
    struct error error = {""};
    struct configuration *configuration = configuration_read(&line, &error);
    if (configuration)
        line.settings = configuration->file;
    const int status = configuration ? run(&line, configuration, &error) : -1;
    if (status < 0)
        log_error("server", "%s", error.message);
    if (configuration)
        gateway_configuration_drop(&configuration->gateway);
    return status < 0 ? EXIT_FAILURE : status == GATEWAY_HAS_CUT_OFF ? EXIT_CUT_OFF : EXIT_SUCCESS;
}
