/* SPDX-License-Identifier: Apache-2.0
 *
 * What is compiled, and with what: generated C, the header's folder, libraries, the user's own flags. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/package/generate.h"
#include "plugin/package/packaging.h"

static int write_file(const struct packaging *packaging, const char *name,
                      const struct strbuf *text)
{
    struct strbuf path = STRBUF_INIT;
    strbuf_printf(&path, "%s/%s", packaging->work, name);
    FILE *file = text->failed || path.failed ? NULL : fopen(path.data, "we");
    bool ok = file && fwrite(text->data, 1, text->size, file) == text->size;
    if (file && fclose(file) != 0)
        ok = false;
    if (!ok)
        error_set(packaging->error, "%s: %s", path.data, strerror(errno));
    strbuf_release(&path);
    return ok ? 0 : -1;
}

/* When the plugin was packaged, as RFC 3339; SOURCE_DATE_EPOCH makes it reproducible. */
static void add_build_time(json_t *json)
{
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    char text[CLOCK_RFC3339_BYTES];
    clock_rfc3339(epoch ? strtoull(epoch, NULL, 10) * 1000000000ULL : clock_wall_ns(), text);
    json_object_set_new(json, "buildTime", json_string(text));
}

int packaging_generate(struct packaging *packaging)
{
    json_t *json = plugin_manifest_json(&packaging->manifest);
    add_build_time(json);
    char *compact = json_dumps(json, JSON_SORT_KEYS);
    char *printed = json_dumps(json, JSON_SORT_KEYS | JSON_INDENT(4));
    json_decref(json);
    int status = -1;
    struct strbuf source = STRBUF_INIT, prototypes = STRBUF_INIT, exports = STRBUF_INIT;
    if (compact && printed) {
        strbuf_add_text(&packaging->json, printed);
        plugin_generate_source(&packaging->manifest, compact, &source);
        plugin_generate_prototypes(&packaging->manifest, &prototypes);
        plugin_generate_exports(&packaging->manifest, &exports);
        status = write_file(packaging, "manifest.gen.c", &source);
        if (status == 0)
            status = write_file(packaging, "manifest.gen.h", &prototypes);
        if (status == 0)
            status = write_file(packaging, "exports.map", &exports);
    } else {
        error_set(packaging->error, "not enough memory for the manifest");
    }
    free(compact);
    free(printed);
    strbuf_release(&source);
    strbuf_release(&prototypes);
    strbuf_release(&exports);
    return status;
}

int packaging_find_header(struct packaging *packaging)
{
    if (packaging_is_trace(packaging))
        return 0; /* it is where weir-trace's are (add_libraries) */
    if (packaging->options->include) {
        arguments_add(&packaging->include, "-I%s", packaging->options->include);
        return 0;
    }
    struct arguments ask = {0};
    struct strbuf flags = STRBUF_INIT;
    arguments_add(&ask, "pkg-config");
    arguments_add(&ask, "--cflags");
    arguments_add(&ask, "weir");
    int status = process_run(&ask, &flags, packaging->error);
    if (status == 0)
        status = arguments_split(&packaging->include, flags.data, "pkg-config --cflags weir",
                                 packaging->error);
    else
        error_prefix(packaging->error, "weir/plugin.h is neither in ../include beside this program "
                                       "nor known to pkg-config");
    strbuf_release(&flags);
    arguments_release(&ask);
    return status;
}

int packaging_add_environment(const struct packaging *packaging, struct arguments *to,
                              const char *variable, const char *fallback)
{
    const char *text = getenv(variable);
    return arguments_split(to, text && *text ? text : fallback, variable, packaging->error);
}

/* Adds what pkg-config says of a library. */
static int ask_pkg_config(struct packaging *packaging, struct arguments *to, const char *name,
                          bool compiling)
{
    struct arguments ask = {0};
    struct strbuf flags = STRBUF_INIT;
    arguments_add(&ask, "pkg-config");
    arguments_add(&ask, compiling ? "--cflags" : "--libs");
    arguments_add(&ask, "--");
    arguments_add(&ask, "%s", name);
    int status = process_run(&ask, &flags, packaging->error);
    if (status == 0)
        status = arguments_split(to, flags.data, name, packaging->error);
    strbuf_release(&flags);
    arguments_release(&ask);
    return status;
}

/* What every trace plugin is built with. */
static int add_trace_library(struct packaging *packaging, struct arguments *to, bool compiling)
{
    const char *folder = packaging->options->pkg_config;
    struct strbuf name = STRBUF_INIT;
    strbuf_printf(&name, "%s%sweir-trace%s", folder ? folder : "", folder ? "/" : "",
                  folder ? ".pc" : "");
    int status = ask_pkg_config(packaging, to, name.data, compiling);
    if (status < 0)
        error_prefix(packaging->error,
                     "kind Trace: weir-trace is neither in ../lib/pkgconfig beside this program "
                     "nor known to pkg-config, or libmariadb-dev is not installed");
    strbuf_release(&name);
    return status;
}

int packaging_add_libraries(struct packaging *packaging, struct arguments *to, bool compiling)
{
    const struct toml_node *list = packaging->manifest.keys[PLUGIN_KEY_LIBRARIES];
    int status = packaging_is_trace(packaging) ? add_trace_library(packaging, to, compiling) : 0;
    for (size_t i = 0; status == 0 && list && i < toml_count(list); i++) {
        const struct toml_node *node = toml_at(list, i);
        const char *name = toml_text(node, NULL);
        if (name[0] == '-') {
            if (!compiling)
                arguments_add(to, "%s", name);
            continue;
        }
        status = ask_pkg_config(packaging, to, name, compiling);
        if (status < 0)
            status =
                packaging_wrong(packaging, node, "libraries", name,
                                ": pkg-config doesn't know it; is its -dev package installed?");
    }
    return status;
}

/* What C lets pass with a warning, and what then crashes a server: a function that nobody has
 * declared returns an int, and half a pointer. */
static const char *const mistakes[] = {"implicit-function-declaration", "implicit-int",
                                       "int-conversion", "incompatible-pointer-types",
                                       "return-type"};

int packaging_compile(struct packaging *packaging, const char *source, bool is_generated)
{
    bool is_cxx = packaging_is_cxx(source);
    struct arguments command = {0};
    int status = is_cxx ? packaging_add_environment(packaging, &command, "CXX", "c++")
                        : packaging_add_environment(packaging, &command, "CC", "cc");
    arguments_add(&command, is_cxx ? "-std=gnu++17" : "-std=gnu11");
    arguments_add(&command, "-O2");
    arguments_add(&command, "-g");
    arguments_add(&command, "-Wall");
    for (size_t i = 0; !is_cxx && i < sizeof mistakes / sizeof *mistakes; i++)
        arguments_add(&command, "-Werror=%s", mistakes[i]);
    if (status == 0)
        status = packaging_add_environment(packaging, &command, "CPPFLAGS", NULL);
    if (status == 0)
        status =
            packaging_add_environment(packaging, &command, is_cxx ? "CXXFLAGS" : "CFLAGS", NULL);
    if (status == 0)
        status = packaging_add_libraries(packaging, &command, true);
    arguments_add(&command, "-fPIC");
    arguments_add(&command, "-fvisibility=hidden");
    /* The same sources give the same bytes: the temporary folder has another name each time. */
    arguments_add(&command, "-ffile-prefix-map=%s=.", packaging->work);
    arguments_add_all(&command, &packaging->include);
    if (is_generated)
        arguments_add(&command, "-w");
    arguments_add(&command, "-DWEIR_PLUGIN_PROTOTYPES=\"%s/manifest.gen.h\"", packaging->work);
    arguments_add(&command, "-c");
    arguments_add(&command, "%s", source);
    arguments_add(&packaging->objects, "%s/%zu.o", packaging->work, packaging->objects.count);
    arguments_add(&command, "-o");
    if (packaging->objects.failed)
        command.failed = true;
    else
        arguments_add(&command, "%s", packaging->objects.items[packaging->objects.count - 1]);
    if (status == 0 && (status = process_run(&command, NULL, packaging->error)) < 0)
        error_prefix(packaging->error, "%s", source);
    packaging->is_cxx = packaging->is_cxx || is_cxx;
    arguments_release(&command);
    return status;
}

int packaging_compile_all(struct packaging *packaging)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < packaging->sources.count; i++)
        status = packaging_compile(packaging, packaging->sources.items[i], false);
    return status;
}
