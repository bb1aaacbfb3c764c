/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of packaging, in order: read the manifest, list the sources, write the generated C and
 * compile everything in a temporary folder, check that each function of the manifest is there, link
 * into the output folder under a temporary name, rename. Whatever happens, the temporary folder and
 * name are gone at the end. */
#include "plugin/package/plugin_package.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <weir/plugin.h>

#include "plugin/package/generate.h"
#include "plugin/package/manifest.h"
#include "plugin/package/object.h"
#include "plugin/package/process.h"

struct packaging {
    const struct plugin_package_options *options;
    struct plugin_manifest manifest;
    char *folder;             /* absolute path of the package */
    char *output;             /* absolute path of NAME-VERSION.so; of Trace: NAME.so */
    struct strbuf partial;    /* where it is linked; empty when there is nothing to remove */
    char work[PATH_MAX];      /* temporary folder; empty when there is none */
    struct arguments include; /* compiler options that find weir/plugin.h */
    struct arguments sources; /* absolute paths */
    struct arguments objects; /* absolute paths, compiled and prebuilt */
    struct strbuf json;
    bool is_cxx; /* linked with the C++ compiler */
    struct error *error;
};

static const char *text_of(const struct packaging *packaging, enum plugin_key key)
{
    return plugin_manifest_text(&packaging->manifest, key);
}

/* "FILE:LINE: key "KEY": ...", -1. */
static int wrong(const struct packaging *packaging, const struct toml_node *node, const char *key,
                 const char *text, const char *problem)
{
    return toml_error(packaging->manifest.document, node, packaging->error, "key \"%s\": %s%s", key,
                      text, problem);
}

/* ---- Sources ---- */

static bool has_ending(const char *name, const char *const *endings)
{
    size_t size = strlen(name);
    for (; *endings; endings++) {
        size_t length = strlen(*endings);
        if (size > length && strcmp(name + size - length, *endings) == 0)
            return true;
    }
    return false;
}

static const char *const c_endings[] = {".c", NULL};
static const char *const cxx_endings[] = {".cc", ".cpp", ".cxx", NULL};
static const char *const object_endings[] = {".o", ".a", NULL};

static int is_source(const struct dirent *entry)
{
    return entry->d_name[0] != '.' &&
           (has_ending(entry->d_name, c_endings) || has_ending(entry->d_name, cxx_endings));
}

/* Adds the files that a list of the manifest names, each a file of the package's folder that is
 * there. */
static int add_listed(struct packaging *packaging, enum plugin_key key, struct arguments *into)
{
    const struct toml_node *list = packaging->manifest.keys[key];
    for (size_t i = 0; list && i < toml_count(list); i++) {
        const struct toml_node *node = toml_at(list, i);
        const char *name = toml_text(node, NULL);
        bool ok = key == PLUGIN_KEY_SOURCES
                      ? has_ending(name, c_endings) || has_ending(name, cxx_endings)
                      : has_ending(name, object_endings);
        if (!ok)
            return wrong(packaging, node, plugin_key_name(key), name,
                         key == PLUGIN_KEY_SOURCES ? " ends in none of .c .cc .cpp .cxx"
                                                   : " ends in neither .o nor .a");
        arguments_add(into, "%s%s%s", name[0] == '/' ? "" : packaging->folder,
                      name[0] == '/' ? "" : "/", name);
        if (!into->failed && access(into->items[into->count - 1], R_OK) < 0)
            return wrong(packaging, node, plugin_key_name(key), name, ": there is no such file");
    }
    return 0;
}

static int list_sources(struct packaging *packaging)
{
    if (add_listed(packaging, PLUGIN_KEY_SOURCES, &packaging->sources) < 0 ||
        add_listed(packaging, PLUGIN_KEY_OBJECTS, &packaging->objects) < 0)
        return -1;
    if (!packaging->manifest.keys[PLUGIN_KEY_SOURCES]) {
        struct dirent **entries;
        int count = scandir(packaging->folder, &entries, is_source, alphasort);
        if (count < 0)
            return error_set(packaging->error, "%s: %s", packaging->folder, strerror(errno));
        for (int i = 0; i < count; i++) {
            arguments_add(&packaging->sources, "%s/%s", packaging->folder, entries[i]->d_name);
            free(entries[i]);
        }
        free(entries);
    }
    if (packaging->sources.count + packaging->objects.count == 0)
        return error_set(packaging->error,
                         "%s: no sources; put *.c, *.cc, *.cpp or *.cxx files beside manifest.toml",
                         packaging->options->folder);
    return 0;
}

/* ---- Compiling ---- */

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

static int generate(struct packaging *packaging)
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

static bool is_trace(const struct packaging *packaging)
{
    return packaging->manifest.kind == PLUGIN_KIND_TRACE;
}

static int find_header(struct packaging *packaging)
{
    if (is_trace(packaging))
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

static void add_all(struct arguments *to, const struct arguments *from)
{
    for (size_t i = 0; i < from->count; i++)
        arguments_add(to, "%s", from->items[i]);
}

/* The words of an environment variable, or of its default when it is unset or empty. */
static int add_environment(const struct packaging *packaging, struct arguments *to,
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

/* Adds what pkg-config says of the libraries, or the libraries' own linker options. */
static int add_libraries(struct packaging *packaging, struct arguments *to, bool compiling)
{
    const struct toml_node *list = packaging->manifest.keys[PLUGIN_KEY_LIBRARIES];
    int status = is_trace(packaging) ? add_trace_library(packaging, to, compiling) : 0;
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
            status = wrong(packaging, node, "libraries", name,
                           ": pkg-config doesn't know it; is its -dev package installed?");
    }
    return status;
}

/* What C lets pass with a warning, and what then crashes a server: a function that nobody has
 * declared returns an int, and half a pointer. */
static const char *const mistakes[] = {"implicit-function-declaration", "implicit-int",
                                       "int-conversion", "incompatible-pointer-types",
                                       "return-type"};

/* Compiles one file into the temporary folder. Generated code is no business of the user's
 * warnings. */
static int compile(struct packaging *packaging, const char *source, bool is_generated)
{
    bool is_cxx = has_ending(source, cxx_endings);
    struct arguments command = {0};
    int status = is_cxx ? add_environment(packaging, &command, "CXX", "c++")
                        : add_environment(packaging, &command, "CC", "cc");
    arguments_add(&command, is_cxx ? "-std=gnu++17" : "-std=gnu11");
    arguments_add(&command, "-O2");
    arguments_add(&command, "-g");
    arguments_add(&command, "-Wall");
    for (size_t i = 0; !is_cxx && i < sizeof mistakes / sizeof *mistakes; i++)
        arguments_add(&command, "-Werror=%s", mistakes[i]);
    if (status == 0)
        status = add_environment(packaging, &command, "CPPFLAGS", NULL);
    if (status == 0)
        status = add_environment(packaging, &command, is_cxx ? "CXXFLAGS" : "CFLAGS", NULL);
    if (status == 0)
        status = add_libraries(packaging, &command, true);
    arguments_add(&command, "-fPIC");
    arguments_add(&command, "-fvisibility=hidden");
    /* The same sources give the same bytes: the temporary folder has another name each time. */
    arguments_add(&command, "-ffile-prefix-map=%s=.", packaging->work);
    add_all(&command, &packaging->include);
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

static int compile_all(struct packaging *packaging)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < packaging->sources.count; i++)
        status = compile(packaging, packaging->sources.items[i], false);
    return status;
}

/* ---- Checking and linking ---- */

/* Each function that the manifest names must be defined by an object. */
static int check_functions(struct packaging *packaging)
{
    struct plugin_function functions[PLUGIN_FUNCTIONS];
    const char *names[PLUGIN_FUNCTIONS];
    bool global[PLUGIN_FUNCTIONS] = {false}, local[PLUGIN_FUNCTIONS] = {false};
    size_t count = plugin_functions(&packaging->manifest, functions);
    for (size_t i = 0; i < count; i++)
        names[i] = toml_text(functions[i].node, NULL);
    struct plugin_symbols symbols = {
        .names = names, .count = count, .global = global, .local = local};
    int status = 0;
    for (size_t i = 0; status == 0 && i < packaging->objects.count; i++)
        status = plugin_find_symbols(packaging->objects.items[i], &symbols, packaging->error);
    packaging->is_cxx = packaging->is_cxx || symbols.is_cxx;
    for (size_t i = 0; status == 0 && i < count; i++) {
        if (global[i] || (symbols.opaque && !local[i]))
            continue;
        status = toml_error(packaging->manifest.document, functions[i].node, packaging->error,
                            "key \"%s\": function \"%s\" %s; define it as weir_verdict %s(%s)",
                            functions[i].key, names[i],
                            local[i] ? "is static" : "is not defined by the package's sources",
                            names[i], functions[i].parameters);
    }
    return status;
}

/* A sanitizer's functions may come from the program that loads the plugin (clang's do). */
static bool has_sanitizer(const struct arguments *command)
{
    for (size_t i = 0; i < command->count; i++)
        if (strncmp(command->items[i], "-fsanitize", 10) == 0)
            return true;
    return false;
}

static int link_objects(struct packaging *packaging)
{
    struct arguments command = {0};
    int status = packaging->is_cxx ? add_environment(packaging, &command, "CXX", "c++")
                                   : add_environment(packaging, &command, "CC", "cc");
    arguments_add(&command, "-shared");
    arguments_add(&command, "-o");
    arguments_add(&command, "%s", packaging->partial.data);
    arguments_add(&command, "-Wl,--start-group"); /* archives anywhere in the list */
    add_all(&command, &packaging->objects);
    arguments_add(&command, "-Wl,--end-group");
    if (status == 0) /* the compiler's own options can matter here too: -fsanitize, -flto, -m32 */
        status =
            add_environment(packaging, &command, packaging->is_cxx ? "CXXFLAGS" : "CFLAGS", NULL);
    if (status == 0)
        status = add_environment(packaging, &command, "LDFLAGS", NULL);
    if (!has_sanitizer(&command))
        arguments_add(&command, "-Wl,-z,defs");
    arguments_add(&command, "-Wl,-z,relro,-z,now");
    arguments_add(&command, "-Wl,--version-script=%s/exports.map", packaging->work);
    if (status == 0)
        status = add_libraries(packaging, &command, false);
    if (status == 0 && (status = process_run(&command, NULL, packaging->error)) < 0)
        error_prefix(packaging->error, "linking %s", packaging->output);
    arguments_release(&command);
    return status;
}

/* A client library takes a trace plugin only when it declares itself by the name of its file. */
static int check_declaration(const struct packaging *packaging)
{
    enum { CONNECTOR_TRACE = 102, ORACLE_TRACE = 3 };
    const char *name = text_of(packaging, PLUGIN_KEY_NAME);
    struct plugin_declaration found = {0, NULL};
    int status = 0;
    if (!is_trace(packaging))
        return 0;
    if (plugin_read_declaration(packaging->partial.data, &found, packaging->error) < 0)
        status = error_set(packaging->error,
                           "%s: no source declares the plugin; write #include "
                           "<mysql/plugin_trace.h> and mysql_declare_client_plugin(TRACE) \"%s\", "
                           "... mysql_end_client_plugin;",
                           packaging->options->folder, name);
    else if (found.type != CONNECTOR_TRACE && found.type != ORACLE_TRACE)
        status = error_set(packaging->error,
                           "%s: it declares a client plugin of type %d; kind Trace needs "
                           "mysql_declare_client_plugin(TRACE)",
                           packaging->options->folder, found.type);
    else if (found.name && strcmp(found.name, name) != 0)
        status = toml_error(packaging->manifest.document, packaging->manifest.keys[PLUGIN_KEY_NAME],
                            packaging->error,
                            "key \"name\": \"%s\" differs from the name in the plugin's "
                            "declaration, \"%s\"; rename one of them",
                            name, found.name);
    free(found.name);
    return status;
}

/* Makes the output's temporary name, which nobody else uses: mkstemp() creates the file. */
static int name_output(struct packaging *packaging)
{
    const char *name = text_of(packaging, PLUGIN_KEY_NAME);
    const char *version = text_of(packaging, PLUGIN_KEY_VERSION);
    char *folder = realpath(packaging->options->output_folder, NULL);
    struct strbuf path = STRBUF_INIT;
    int status = 0;
    if (!folder) {
        status = error_set(packaging->error, "-out-dir %s: %s", packaging->options->output_folder,
                           strerror(errno));
    } else {
        bool has_version = !is_trace(packaging);
        strbuf_printf(&path, "%s/%s%s%s.so", folder, name, has_version ? "-" : "",
                      has_version ? version : "");
        packaging->output = strbuf_detach(&path);
        strbuf_printf(&packaging->partial, "%s/.%s-%s.so.XXXXXX", folder, name, version);
        int file = mkostemp(packaging->partial.data, O_CLOEXEC);
        if (file < 0) {
            strbuf_reset(&packaging->partial);
            status = error_set(packaging->error, "-out-dir %s: %s",
                               packaging->options->output_folder, strerror(errno));
        } else {
            close(file);
        }
    }
    free(folder);
    return status;
}

/* The linker made the file with mkostemp()'s 0600; a plugin is as readable as a program. */
static int publish(struct packaging *packaging)
{
    mode_t mask = umask(0);
    umask(mask);
    if (chmod(packaging->partial.data, 0777 & ~mask) < 0 ||
        rename(packaging->partial.data, packaging->output) < 0)
        return error_set(packaging->error, "%s: %s", packaging->output, strerror(errno));
    strbuf_reset(&packaging->partial);
    return 0;
}

/* ---- The whole ---- */

static int make_work_folder(struct packaging *packaging)
{
    const char *parent = getenv("TMPDIR");
    int length = snprintf(packaging->work, sizeof packaging->work, "%s/pluginpkg.XXXXXX",
                          parent && *parent ? parent : "/tmp");
    if (length < 0 || (size_t)length >= sizeof packaging->work || !mkdtemp(packaging->work)) {
        error_set(packaging->error, "temporary folder %s: %s", packaging->work, strerror(errno));
        packaging->work[0] = '\0';
        return -1;
    }
    return 0;
}

/* The temporary folder holds plain files only. */
static void remove_work_folder(const char *folder)
{
    DIR *files = opendir(folder);
    for (struct dirent *entry; files && (entry = readdir(files)) != NULL;)
        unlinkat(dirfd(files), entry->d_name, 0);
    if (files)
        closedir(files);
    rmdir(folder);
}

static int run_steps(struct packaging *packaging)
{
    struct strbuf generated = STRBUF_INIT;
    int status = -1;
    if (list_sources(packaging) == 0 && find_header(packaging) == 0 &&
        make_work_folder(packaging) == 0 && generate(packaging) == 0 &&
        compile_all(packaging) == 0 && check_functions(packaging) == 0) {
        strbuf_printf(&generated, "%s/manifest.gen.c", packaging->work);
        if (compile(packaging, generated.data, true) == 0 && name_output(packaging) == 0 &&
            link_objects(packaging) == 0 && check_declaration(packaging) == 0)
            status = publish(packaging);
    }
    strbuf_release(&generated);
    return status;
}

int plugin_package(const struct plugin_package_options *options, struct strbuf *report,
                   struct error *error)
{
    assert(options && options->folder && options->output_folder && report);
    struct packaging packaging = {
        .options = options, .partial = STRBUF_INIT, .json = STRBUF_INIT, .error = error};
    if (plugin_manifest_read(&packaging.manifest, options->folder, error) < 0)
        return -1;
    packaging.folder = realpath(options->folder, NULL);
    int status = packaging.folder ? run_steps(&packaging)
                                  : error_set(error, "%s: %s", options->folder, strerror(errno));
    if (status == 0)
        strbuf_printf(report, "Package \"%s\" as plugin \"%s\" success.\nManifest:\n%s\n",
                      packaging.folder, packaging.output, packaging.json.data);
    if (packaging.partial.size)
        unlink(packaging.partial.data);
    if (packaging.work[0])
        remove_work_folder(packaging.work);
    strbuf_release(&packaging.partial);
    strbuf_release(&packaging.json);
    arguments_release(&packaging.include);
    arguments_release(&packaging.sources);
    arguments_release(&packaging.objects);
    free(packaging.folder);
    free(packaging.output);
    plugin_manifest_release(&packaging.manifest);
    return status;
}

int plugin_inspect(const char *path, struct strbuf *out, struct error *error)
{
    assert(path && out);
    char *text = plugin_section_text(path, WEIR_MANIFEST_SECTION, error);
    if (!text)
        return -1;
    json_error_t problem;
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &problem);
    char *printed = json ? json_dumps(json, JSON_SORT_KEYS | JSON_INDENT(4)) : NULL;
    int status = 0;
    if (printed)
        strbuf_printf(out, "%s\n", printed);
    else
        status = error_set(error, "%s: its manifest is damaged: %s", path, problem.text);
    free(printed);
    json_decref(json);
    free(text);
    return status;
}
