/* SPDX-License-Identifier: Apache-2.0
 *
 * A temporary folder for each test: writes the sources of plugins into it, packages them with the
 * code under test, and reads back what the plugins recorded. It is removed with everything in it
 * at the end of the test. */
#include "workshop.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/package/process.h"

struct plugin_verdict verdict;

#define EVENT(name)                                                                                \
    bool name(struct plugin_registry *registry, struct weir_session *session, weir_##name event)   \
    {                                                                                              \
        plugin_##name(registry, session, event, &verdict);                                         \
        assert_int_not_equal(verdict.outcome, PLUGIN_PENDING);                                     \
        return verdict.outcome == PLUGIN_ALLOWED;                                                  \
    }
EVENT(connection_event)
EVENT(general_event)
EVENT(parse_event)

int workshop_open(void **state)
{
    struct workshop *workshop = calloc(1, sizeof *workshop);
    snprintf(workshop->folder, sizeof workshop->folder, "/tmp/weir-test.XXXXXX");
    if (!mkdtemp(workshop->folder))
        return -1;
    *state = workshop;
    return mkdir(workshop_path(workshop, "out"), 0777);
}

int workshop_close(void **state)
{
    struct workshop *workshop = *state;
    struct arguments remove = {0};
    arguments_add(&remove, "rm");
    arguments_add(&remove, "-rf");
    arguments_add(&remove, "%s", workshop->folder);
    int status = process_run(&remove, NULL, NULL);
    arguments_release(&remove);
    free(workshop);
    return status;
}

const char *workshop_path(const struct workshop *workshop, const char *format, ...)
{
    static char paths[8][512];
    static size_t next;
    char *path = paths[next++ % 8];
    struct strbuf text = STRBUF_INIT;
    va_list arguments;
    va_start(arguments, format);
    strbuf_vprintf(&text, format, arguments);
    va_end(arguments);
    snprintf(path, sizeof *paths, "%s/%s", workshop->folder, text.data);
    strbuf_release(&text);
    return path;
}

void workshop_write(const struct workshop *workshop, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s", workshop_path(workshop, "%s", name));
    for (char *slash = path + strlen(workshop->folder) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0777);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

const char *workshop_read(struct workshop *workshop, const char *name)
{
    FILE *file = fopen(name[0] == '/' ? name : workshop_path(workshop, "%s", name), "r");
    size_t size = file ? fread(workshop->text, 1, sizeof workshop->text - 1, file) : 0;
    if (file)
        fclose(file);
    workshop->text[size] = '\0';
    return workshop->text;
}

size_t workshop_count(const struct workshop *workshop, const char *folder)
{
    size_t count = 0;
    DIR *files = opendir(workshop_path(workshop, "%s", folder));
    while (files && readdir(files))
        count++;
    if (files)
        closedir(files);
    return count - 2; /* . and .. */
}

int workshop_package(const struct workshop *workshop, const char *name, struct error *error)
{
    struct strbuf report = STRBUF_INIT;
    struct plugin_package_options options = {
        .folder = workshop_path(workshop, "%s", name),
        .output_folder = workshop_path(workshop, "out"),
        .include = TEST_INCLUDE,
    };
    int status = plugin_package(&options, &report, error);
    strbuf_release(&report);
    return status;
}

void workshop_recorder(const struct workshop *workshop, const char *name, const char *version,
                       const char *more)
{
    char manifest[2048];
    struct error error = {""};
    snprintf(manifest, sizeof manifest,
             "name = \"%s\"\nversion = \"%s\"\nkind = \"Audit\"\n"
             "validate = \"Validate\"\nonInit = \"OnInit\"\nonShutdown = \"OnShutdown\"\n"
             "sources = [\"%s/recorder.c\"]\n%s"
             "export = [{extPoint=\"OnGeneralEvent\", impl=\"OnGeneralEvent\"},\n"
             "{extPoint=\"OnConnectionEvent\", impl=\"OnConnectionEvent\"},\n"
             "{extPoint=\"OnParseEvent\", impl=\"OnParseEvent\"},\n"
             "{extPoint=\"OnPluginEvent\", impl=\"OnPluginEvent\"},\n"
             "{extPoint=\"OnGlobalVariableEvent\", impl=\"OnGlobalVariableEvent\"}]\n",
             name, version, TEST_SOURCES, more);
    workshop_write(workshop,
                   workshop_path(workshop, "%s/manifest.toml", name) + strlen(workshop->folder) + 1,
                   manifest);
    workshop_package(workshop, name, &error);
    assert_string_equal(error.message, "");
}
