/* SPDX-License-Identifier: Apache-2.0
 *
 * The configuration is printed as a file that weir-server could read: options, [[backend]], and the plugins as comments.
 * Of the plugins' sections it is known whose they are, and what variables may have; which other settings a
 * plugin asks for is known only once it runs. */
#include "check.h"

#include <stdlib.h>

#include "plugin/host/plugin_host.h"

static void print_plugin(void *user, const char *name, const char *version, const char *library)
{
    fprintf(user, "# plugin %s %s, %s\n", name, version, library);
}

static void print_backends(const struct configuration *configuration, FILE *out)
{
    const struct backend_list *backends = &configuration->backends;
    const bool are_tables = !configuration->options.backend || !*configuration->options.backend;
    for (size_t i = 0; are_tables && i < backends->count; i++) {
        fputs("\n[[backend]]\n", out);
        options_print_values(&backend_option_table, &backends->settings[i], out);
    }
}

/* Into a buffer: nothing is printed of a configuration that is wrong. */
static int inspect_plugins(const struct configuration *configuration, FILE *out,
                           struct error *error)
{
    const struct plugin_options plugins = configuration_plugins(configuration);
    if (plugin_inspect_files(&plugins, print_plugin, out, error))
        return -1;
    return configuration->file
               ? config_file_check_sections(configuration->file, configuration->options.plugin_load,
                                            configuration->options.plugin_dir, error)
               : 0;
}

int configuration_check(struct configuration *configuration, FILE *out, struct error *error)
{
    char *text = NULL;
    size_t size = 0;
    FILE *plugins = open_memstream(&text, &size);
    if (!plugins)
        return error_set(error, "not enough memory");
    int status = gateway_check(&configuration->gateway, error);
    if (status == 0 && configuration->options.port == 0 &&
        (!configuration->options.socket || !*configuration->options.socket))
        status = error_set(error, "nothing to listen on: give -P PORT or -socket PATH");
    if (status == 0)
        status = inspect_plugins(configuration, plugins, error);
    fclose(plugins);
    if (status == 0) {
        options_print_values(&server_option_table, &configuration->options, out);
        print_backends(configuration, out);
        fputs(text, out);
    }
    free(text);
    return status;
}
