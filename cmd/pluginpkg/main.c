/* SPDX-License-Identifier: Apache-2.0
 *
 * pluginpkg: makes NAME-VERSION.so of a plugin's folder. Options and printing only; the steps are
 * plugin_package()'s. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "plugin/package/plugin_package.h"

struct pluginpkg_options {
    char *folder, *output_folder, *inspect, *new_plugin;
    bool help, version, manual;
};

#define ROW(name_, type_, member, letter_, argument_, help_)                                       \
    {                                                                                              \
        .name = (name_), .type = (type_), .offset = offsetof(struct pluginpkg_options, member),    \
        .letter = (letter_), .argument = (argument_), .help = (help_)                              \
    }

static const struct option_row rows[] = {
    ROW("pkg-dir", OPTION_TEXT, folder, NULL, "DIR",
        "the plugin's folder: manifest.toml and sources"),
    ROW("out-dir", OPTION_TEXT, output_folder, NULL, "DIR",
        "where NAME-VERSION.so is put; the folder must be there"),
    ROW("inspect", OPTION_TEXT, inspect, NULL, "FILE",
        "print the manifest of a packaged plugin as JSON, without running any of its code"),
    ROW("new", OPTION_TEXT, new_plugin, NULL, "NAME",
        "make the folder NAME with a plugin that builds: manifest, source, Makefile, and a test "
        "that "
        "weir-replay runs without a server"),
    ROW("help", OPTION_FLAG, help, "h", NULL, "print this"),
    ROW("version", OPTION_FLAG, version, "V", NULL, "print the version"),
    ROW("manual", OPTION_FLAG, manual, NULL, NULL, "print the man page"),
};

static const struct option_table table = {
    .program = "pluginpkg",
    .synopsis = "packages a plugin for weir-server",
    .description =
        "Checks manifest.toml, compiles the package's sources with $CC (or cc) and $CXX (or c++) "
        "and\n"
        "links NAME-VERSION.so, or NAME.so for kind Trace. $CPPFLAGS, $CFLAGS, $CXXFLAGS and "
        "$LDFLAGS are passed on;\n"
        "$SOURCE_DATE_EPOCH makes the result reproducible. An error names the file, the line and "
        "the\n"
        "key, leaves nothing behind, and ends with exit status 1.",
    .rows = rows,
    .count = sizeof rows / sizeof *rows,
};

static void print_help(void)
{
    struct strbuf keys = STRBUF_INIT;
    options_print_help(&table, stdout);
    plugin_manifest_describe(&keys);
    printf("\n%s\n\nKeys of manifest.toml:\n%s", table.description, keys.data);
    strbuf_release(&keys);
}

/* A folder of an installed or built weir, by its path beside the folder of this program, if it has
 * the file; else NULL. */
static const char *find_beside(const char *folder, const char *file, char path[PATH_MAX])
{
    char program[PATH_MAX], wanted[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
    if (size < 0)
        return NULL;
    program[size] = '\0';
    for (int i = 0; i < 2; i++) { /* bin/pluginpkg, then bin */
        char *slash = strrchr(program, '/');
        if (!slash)
            return NULL;
        *slash = '\0';
    }
    int length = snprintf(path, PATH_MAX, "%s/%s", program, folder);
    if (length < 0 || length >= PATH_MAX)
        return NULL;
    length = snprintf(wanted, sizeof wanted, "%s/%s", path, file);
    return length >= 0 && (size_t)length < sizeof wanted && access(wanted, R_OK) == 0 ? path : NULL;
}

static int package(const struct pluginpkg_options *options, struct strbuf *report,
                   struct error *error)
{
    char include[PATH_MAX], pkg_config[PATH_MAX];
    if (!options->folder || !options->output_folder)
        return error_set(error,
                         "-pkg-dir and -out-dir are both needed; pluginpkg --help tells more");
    struct plugin_package_options what = {
        .folder = options->folder,
        .output_folder = options->output_folder,
        .include = find_beside("include", "weir/plugin.h", include),
        .pkg_config = find_beside("lib/pkgconfig", "weir-trace.pc", pkg_config),
    };
    if (!what.pkg_config) /* Debian's: lib/x86_64-linux-gnu */
        what.pkg_config = find_beside(WEIR_LIBDIR "/pkgconfig", "weir-trace.pc", pkg_config);
    return plugin_package(&what, report, error);
}

int main(int argc, char **argv)
{
    struct pluginpkg_options options = {0};
    struct strbuf report = STRBUF_INIT;
    struct error error = {""};
    int status = options_defaults(&table, &options, &error);
    if (status == 0 && options_arguments(&table, &options, argc, argv, &error) < 0)
        status = -1;
    if (status < 0)
        ; /* the message is printed below */
    else if (options.help)
        print_help();
    else if (options.version)
        puts("pluginpkg " WEIR_VERSION);
    else if (options.manual)
        options_print_manual(&table, stdout);
    else if (options.inspect)
        status = plugin_inspect(options.inspect, &report, &error);
    else if (options.new_plugin)
        status = plugin_new(options.new_plugin, &report, &error);
    else
        status = package(&options, &report, &error);
    fputs(report.data, stdout);
    if (status < 0)
        fprintf(stderr, "pluginpkg: %s\n", error.message);
    if (fflush(stdout) != 0)
        status = -1;
    strbuf_release(&report);
    options_release(&table, &options);
    return status < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
