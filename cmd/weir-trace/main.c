/* SPDX-License-Identifier: Apache-2.0
 *
 * weir-trace: reads the options and traces one of three sources: a program to run, a recording, a
 * capture. */
#include <errno.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "options.h"
#include "replay.h"
#include "summarise.h"

enum { EXIT_USAGE = 2 };

static volatile int interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

/* lib/weir/plugin, next to the folder that the program is in. Returns owned. */
static char *default_plugin_dir(void)
{
    char path[4096];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    struct strbuf dir = STRBUF_INIT;
    path[size > 0 ? size : 0] = 0;
    strbuf_printf(&dir, "%s/../lib/weir/plugin", dirname(path));
    char *real = realpath(dir.data, NULL);
    if (!real)
        return strbuf_detach(&dir);
    strbuf_release(&dir);
    return real;
}

static void set_variable(const char *name, const char *value)
{
    if (value)
        setenv(name, value, 1);
}

static struct trace_host *load(const struct trace_program_options *options, struct error *error)
{
    struct trace_host *host = NULL;
    struct trace_host *first = options->plugin ? trace_host_default(error) : NULL;
    if (options->plugin) {
        char *plugin_dir = options->plugin_dir ? strdup(options->plugin_dir) : default_plugin_dir();
        host = trace_host_load(options->plugin, plugin_dir, error);
        free(plugin_dir);
    } else {
        if (options->format == TRACE_FORMAT_TEST_TRACE)
            setenv("MYSQL_TEST_TRACE_DEBUG", "1", 0);
        host = trace_host_adopt(trace_format_plugin((enum trace_format)options->format), error);
    }
    trace_host_unload(first); /* it was only there to make the other fail */
    return host;
}

/* ---- a program that is run ---- */

/* The name by which the client library loads the plugin: its file without folder and suffix. */
static char *plugin_name(const struct trace_program_options *options)
{
    /* A weir that was built to load a plugin by default uses it unless the options ask for a format.
     * The formats are a plugin too. */
    bool asks_for_format = options->format != TRACE_FORMAT_TEXT || options->hex || options->output;
    const char *by_default = trace_host_default_name();
    if (!options->plugin)
        return strdup(by_default && !asks_for_format ? by_default : "weir_trace");
    const char *slash = strrchr(options->plugin, '/');
    char *name = strdup(slash ? slash + 1 : options->plugin);
    char *suffix = slash && name ? strstr(name, ".so") : NULL;
    if (suffix)
        *suffix = 0;
    return name;
}

/* Returns owned; NULL if there is no such folder. weir's own plugins are in weir's own folder,
 * wherever the client library looks for others. */
static char *plugin_folder(const struct trace_program_options *options)
{
    if (!options->plugin)
        return default_plugin_dir();
    if (!strchr(options->plugin, '/'))
        return options->plugin_dir ? strdup(options->plugin_dir) : default_plugin_dir();
    char *path = strdup(options->plugin);
    char *folder = path ? realpath(dirname(path), NULL) : NULL;
    free(path);
    return folder;
}

static void set_variables(const struct trace_program_options *options, const char *plugin,
                          const char *folder)
{
    const char *other = getenv("MARIADB_PLUGIN_DIR");
    set_variable("WEIR_TRACE_OTHER_PLUGIN_DIR", other ? other : "");
    set_variable("MARIADB_PLUGIN_DIR", folder);
    set_variable("LIBMYSQL_PLUGINS", plugin);
    set_variable("WEIR_TRACE_FORMAT", trace_format_name((enum trace_format)options->format));
    set_variable("WEIR_TRACE_HEX", options->hex ? "1" : NULL);
    set_variable("WEIR_TRACE_SHOW_SECRETS", options->show_secrets ? "1" : NULL);
    set_variable("WEIR_TRACE_OUTPUT", options->output);
}

/* Executes the program, with the variables that make its client library load the plugin. Returns only
 * on failure: -1 and error. */
static int run_program(const struct trace_program_options *options, char **arguments,
                       struct error *error)
{
    if (trace_host_default_name() && options->plugin) {
        trace_host_unload(load(options, error)); /* fails: it is the second plugin */
        return -1;
    }
    char *plugin = plugin_name(options);
    char *folder = plugin_folder(options);
    struct strbuf file = STRBUF_INIT;
    strbuf_printf(&file, "%s/%s.so", folder ? folder : "?", plugin ? plugin : "?");
    if (access(file.data, R_OK) != 0) {
        error_set(error, "trace plugin %s: %s; pass --plugin-dir", file.data, strerror(errno));
    } else {
        set_variables(options, plugin, folder);
        execvp(arguments[0], arguments);
        error_set(error, "%s: %s", arguments[0], strerror(errno));
    }
    strbuf_release(&file);
    free(folder);
    free(plugin);
    return -1;
}

/* ---- recordings and captures ---- */

static int replay_with(const struct trace_program_options *options,
                       const struct replay_setup *setup, struct error *error)
{
    const struct replay_source source = {options->read_file, options->interface,
                                         (unsigned)options->port, &interrupted};
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    return options->wire_file ? replay_wire_file(setup, options->wire_file, error)
                              : replay_capture(setup, &source, error);
}

/* summary: where statements are counted; NULL: events are shown. */
static int replay_into(const struct trace_program_options *options, struct summary *summary,
                       struct error *error)
{
    int status = -1;
    struct replay_setup setup = {0};
    struct trace_host *host =
        summary ? trace_host_adopt(summarise_into(summary), error) : load(options, error);
    if (options->keylog && host)
        setup.keylog = keylog_open(options->keylog, error);
    if (host && (setup.keylog || !options->keylog)) {
        setup.plugin = trace_host_plugin(host);
        status = replay_with(options, &setup, error);
    }
    keylog_close(setup.keylog);
    trace_host_unload(host);
    return status;
}

/* Prints the summary of what was traced. */
static int summarise(const struct trace_program_options *options, struct error *error)
{
    struct summary *summary = summary_new();
    int status = summary ? replay_into(options, summary, error) : error_set(error, "out of memory");
    if (status == 0 && options->format == TRACE_FORMAT_JSON)
        summary_print_json(summary, (size_t)options->top, trace_output.stream);
    else if (status == 0)
        summary_print_text(summary, (size_t)options->top, trace_output.stream);
    summary_free(summary);
    return status;
}

static int replay(const struct trace_program_options *options, struct error *error)
{
    trace_output.stream = stdout;
    trace_output.hex = options->hex;
    trace_output.show_secrets = options->show_secrets;
    test_trace_is_masking = !options->show_secrets;
    if (options->output) {
        trace_output.stream = fopen(options->output, "w");
        if (!trace_output.stream)
            return error_set(error, "%s: %s", options->output, strerror(errno));
    }
    if (options->interface)
        setvbuf(trace_output.stream, NULL, _IOLBF, 0);
    int status = options->summary ? summarise(options, error) : replay_into(options, NULL, error);
    if (fflush(trace_output.stream) != 0 && status == 0)
        status = error_set(error, "%s: %s", options->output ? options->output : "standard output",
                           strerror(errno));
    if (options->output)
        fclose(trace_output.stream);
    return status;
}

static int run(const struct trace_program_options *options, char **operands, struct error *error)
{
    int sources = (options->wire_file != NULL) + (options->read_file != NULL) +
                  (options->interface != NULL) + (operands[0] != NULL);
    if (options->help) {
        options_print_help(&trace_program_table, stdout);
        return 0;
    }
    if (options->manual) {
        options_print_manual(&trace_program_table, stdout);
        return 0;
    }
    if (options->version) {
        printf("weir-trace %s\n", WEIR_VERSION);
        return 0;
    }
    if (sources != 1)
        return error_set(error, "give one of -r FILE, --wire FILE, -i INTERFACE or -- PROGRAM "
                                "ARGS...; --help says more");
    if (options->summary && (operands[0] || options->plugin || options->hex ||
                             options->format == TRACE_FORMAT_TEST_TRACE))
        return error_set(error,
                         "--summary is for captures and recordings (-r, -i, --wire), as text "
                         "or with --format json");
    return operands[0] ? run_program(options, operands, error) : replay(options, error);
}

int main(int argc, char **argv)
{
    struct trace_program_options options = {0};
    struct error error = {""};
    const struct option_table *table = &trace_program_table;
    int first = -1, status = -1;
    if (options_defaults(table, &options, &error) == 0 &&
        options_environment(table, &options, &error) == 0)
        first = options_arguments(table, &options, argc, argv, &error);
    if (first >= 0)
        status = run(&options, argv + first, &error);
    if (status < 0)
        fprintf(stderr, "weir-trace: %s\n", error.message);
    options_release(table, &options);
    return status < 0 ? (first < 0 ? EXIT_USAGE : EXIT_FAILURE) : EXIT_SUCCESS;
}
