/* SPDX-License-Identifier: Apache-2.0
 *
 * Checking what was compiled, linking it under a temporary name, and giving it its own. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/package/generate.h"
#include "plugin/package/object.h"
#include "plugin/package/packaging.h"

int packaging_check_functions(struct packaging *packaging)
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

int packaging_link(struct packaging *packaging)
{
    struct arguments command = {0};
    int status = packaging->is_cxx ? packaging_add_environment(packaging, &command, "CXX", "c++")
                                   : packaging_add_environment(packaging, &command, "CC", "cc");
    arguments_add(&command, "-shared");
    arguments_add(&command, "-o");
    arguments_add(&command, "%s", packaging->partial.data);
    arguments_add(&command, "-Wl,--start-group"); /* archives anywhere in the list */
    arguments_add_all(&command, &packaging->objects);
    arguments_add(&command, "-Wl,--end-group");
    if (status == 0) /* the compiler's own options can matter here too: -fsanitize, -flto, -m32 */
        status = packaging_add_environment(packaging, &command,
                                           packaging->is_cxx ? "CXXFLAGS" : "CFLAGS", NULL);
    if (status == 0)
        status = packaging_add_environment(packaging, &command, "LDFLAGS", NULL);
    if (!has_sanitizer(&command))
        arguments_add(&command, "-Wl,-z,defs");
    arguments_add(&command, "-Wl,-z,relro,-z,now");
    arguments_add(&command, "-Wl,--version-script=%s/exports.map", packaging->work);
    if (status == 0)
        status = packaging_add_libraries(packaging, &command, false);
    if (status == 0 && (status = process_run(&command, NULL, packaging->error)) < 0)
        error_prefix(packaging->error, "linking %s", packaging->output);
    arguments_release(&command);
    return status;
}

int packaging_check_declaration(const struct packaging *packaging)
{
    enum { CONNECTOR_TRACE = 102, ORACLE_TRACE = 3 };
    const char *name = packaging_text(packaging, PLUGIN_KEY_NAME);
    struct plugin_declaration found = {0, NULL};
    int status = 0;
    if (!packaging_is_trace(packaging))
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
int packaging_name_output(struct packaging *packaging)
{
    const char *name = packaging_text(packaging, PLUGIN_KEY_NAME);
    const char *version = packaging_text(packaging, PLUGIN_KEY_VERSION);
    char *folder = realpath(packaging->options->output_folder, NULL);
    struct strbuf path = STRBUF_INIT;
    int status = 0;
    if (!folder) {
        status = error_set(packaging->error, "-out-dir %s: %s", packaging->options->output_folder,
                           strerror(errno));
    } else {
        bool has_version = !packaging_is_trace(packaging);
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
int packaging_publish(struct packaging *packaging)
{
    mode_t mask = umask(0);
    umask(mask);
    if (chmod(packaging->partial.data, 0777 & ~mask) < 0 ||
        rename(packaging->partial.data, packaging->output) < 0)
        return error_set(packaging->error, "%s: %s", packaging->output, strerror(errno));
    strbuf_reset(&packaging->partial);
    return 0;
}
