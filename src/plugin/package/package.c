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
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weir/plugin.h>

#include "plugin/package/object.h"
#include "plugin/package/packaging.h"

/* "FILE:LINE: key "KEY": ...", -1. */
int packaging_wrong(const struct packaging *packaging, const struct toml_node *node,
                    const char *key, const char *text, const char *problem)
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

bool packaging_is_cxx(const char *name)
{
    return has_ending(name, cxx_endings);
}

static int is_source(const struct dirent *entry)
{
    return entry->d_name[0] != '.' &&
           (has_ending(entry->d_name, c_endings) || packaging_is_cxx(entry->d_name));
}

/* Adds the files that a list of the manifest names, each a file of the package's folder that is
 * there. */
static int add_listed(struct packaging *packaging, enum plugin_key key, struct arguments *into)
{
    const struct toml_node *list = packaging->manifest.keys[key];
    for (size_t i = 0; list && i < toml_count(list); i++) {
        const struct toml_node *node = toml_at(list, i);
        const char *name = toml_text(node, NULL);
        bool ok = key == PLUGIN_KEY_SOURCES ? has_ending(name, c_endings) || packaging_is_cxx(name)
                                            : has_ending(name, object_endings);
        if (!ok)
            return packaging_wrong(packaging, node, plugin_key_name(key), name,
                                   key == PLUGIN_KEY_SOURCES ? " ends in none of .c .cc .cpp .cxx"
                                                             : " ends in neither .o nor .a");
        arguments_add(into, "%s%s%s", name[0] == '/' ? "" : packaging->folder,
                      name[0] == '/' ? "" : "/", name);
        if (!into->failed && access(into->items[into->count - 1], R_OK) < 0)
            return packaging_wrong(packaging, node, plugin_key_name(key), name,
                                   ": there is no such file");
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
    if (list_sources(packaging) == 0 && packaging_find_header(packaging) == 0 &&
        make_work_folder(packaging) == 0 && packaging_generate(packaging) == 0 &&
        packaging_compile_all(packaging) == 0 && packaging_check_functions(packaging) == 0) {
        strbuf_printf(&generated, "%s/manifest.gen.c", packaging->work);
        if (packaging_compile(packaging, generated.data, true) == 0 &&
            packaging_name_output(packaging) == 0 && packaging_link(packaging) == 0 &&
            packaging_check_declaration(packaging) == 0)
            status = packaging_publish(packaging);
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
