/* SPDX-License-Identifier: Apache-2.0
 *
 * weir-server: reads its options, loads the plugins, runs the gateway, shuts the plugins down. */
#include <stdlib.h>

#include "check.h"
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

/* The configuration's file stays as long as the plugins, whatever is reloaded: their settings are read from it. */
static int serve(struct configuration *configuration, struct error *error)
{
    const struct server_options *options = &configuration->options;
    struct plugin_options plugins = configuration_plugins(configuration);
    struct config_file *file = configuration->file;
    log_set_level((enum log_level)options->level);
    if (log_open(options->log_file, error))
        return -1;
    gateway_report_crashes();
    options_misspelt_environment(&server_option_table, warn_of_environment);
    plugins.storage = plugin_storage_new(NULL, "/weir", plugins.data_directory);
    if (!plugins.storage)
        return error_set(error, "not enough memory");
    struct plugin_registry *registry = plugin_registry_load(&plugins, error);
    int status = registry ? 0 : -1;
    if (registry && file)
        status =
            config_file_check(file, &server_option_table, registry, options->plugin_dir, error);
    if (status == 0)
        status = gateway_run(&configuration->gateway, registry, error);
    plugin_registry_shutdown(registry);
    plugin_storage_free(plugins.storage);
    return status;
}

static int run(struct configuration *configuration, struct error *error)
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
        status = serve(configuration, error);
    return status;
}

int main(int argc, char **argv)
{
    struct command_line line = {.count = argc, .words = argv};
    struct error error = {""};
    struct configuration *configuration = configuration_read(&line, &error);
    if (configuration)
        line.settings = configuration->file;
    const int status = configuration ? run(configuration, &error) : -1;
    if (status < 0)
        log_error("server", "%s", error.message);
    if (configuration)
        gateway_configuration_drop(&configuration->gateway);
    return status < 0 ? EXIT_FAILURE : status == GATEWAY_HAS_CUT_OFF ? EXIT_CUT_OFF : EXIT_SUCCESS;
}
