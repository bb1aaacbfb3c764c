/* SPDX-License-Identifier: Apache-2.0
 *
 * The configuration file, and the list of the settings that plugins have asked for. The document never
 * changes; the list grows under a lock, since threads of plugins may ask, until it has been checked. */
#include "config_file.h"

#include <assert.h>
#include <dirent.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A setting that a plugin has asked for, whether it is in the file or not. */
struct asked {
    struct asked *next;
    char *plugin, *key; /* owned */
};

struct config_file {
    struct toml_document *document; /* owned */
    pthread_mutex_t lock;
    struct asked *asked;
    const struct config_file *like; /* whose list counts; NULL: its own */
    bool is_checked, lacks_memory;
};

static const struct toml_node *section_of(const struct config_file *file, const char *plugin)
{
    const struct toml_node *sections = toml_get(toml_root(file->document), "plugin");
    return sections ? toml_get(sections, plugin) : NULL;
}

/* ---- Reading ---- */

static int check_scalar(const struct config_file *file, const struct toml_node *node,
                        const char *what, struct error *error)
{
    size_t size = 0;
    const char *text = toml_text(node, &size);
    if (toml_type(node) == TOML_TABLE || toml_type(node) == TOML_ARRAY)
        return toml_error(file->document, node, error, "%s \"%s\": must be a value, not %s", what,
                          toml_key(node), toml_type_name(toml_type(node)));
    if (strlen(text) != size)
        return toml_error(file->document, node, error, "%s \"%s\": has a NUL byte in it", what,
                          toml_key(node));
    return 0;
}

static int check_section(const struct config_file *file, const struct toml_node *section,
                         struct error *error)
{
    int status = 0;
    if (toml_type(section) != TOML_TABLE)
        return toml_error(file->document, section, error,
                          "plugin.%s: must be a section, [plugin.%s], not %s", toml_key(section),
                          toml_key(section), toml_type_name(toml_type(section)));
    for (size_t i = 0; status == 0 && i < toml_count(section); i++)
        status = check_scalar(file, toml_at(section, i), "setting", error);
    return status;
}

/* The shape of the sections; what is in them is known when the plugins are loaded. */
static int check_sections(const struct config_file *file, struct error *error)
{
    const struct toml_node *sections = toml_get(toml_root(file->document), "plugin");
    int status = 0;
    if (sections && toml_type(sections) != TOML_TABLE)
        return toml_error(file->document, sections, error,
                          "key \"plugin\": must be sections such as [plugin.audit_log], not %s",
                          toml_type_name(toml_type(sections)));
    for (size_t i = 0; sections && status == 0 && i < toml_count(sections); i++)
        status = check_section(file, toml_at(sections, i), error);
    return status;
}

struct config_file *config_file_open(const char *path, struct error *error)
{
    struct config_file *file = calloc(1, sizeof *file);
    if (!file) {
        error_set(error, "%s: not enough memory", path);
        return NULL;
    }
    pthread_mutex_init(&file->lock, NULL);
    file->document = toml_read(path, error);
    if (file->document && check_sections(file, error) == 0)
        return file;
    config_file_close(file);
    return NULL;
}

static void free_asked(struct asked *asked)
{
    if (asked) {
        free(asked->plugin);
        free(asked->key);
    }
    free(asked);
}

void config_file_close(struct config_file *file)
{
    if (!file)
        return;
    while (file->asked) {
        struct asked *asked = file->asked;
        file->asked = asked->next;
        free_asked(asked);
    }
    toml_free(file->document);
    pthread_mutex_destroy(&file->lock);
    free(file);
}

/* ---- Options ---- */

/* Numbers and booleans may stand in quotes; a text that does not is a mistake. */
static bool has_type_of(const struct option_row *row, enum toml_type type)
{
    if (type == TOML_STRING)
        return true;
    return (row->type == OPTION_NUMBER && type == TOML_INTEGER) ||
           (row->type == OPTION_FLAG && (type == TOML_BOOLEAN || type == TOML_INTEGER));
}

static int no_such_option(const struct config_file *file, const struct toml_node *node,
                          const struct option_table *table, struct error *error)
{
    const char *key = toml_key(node), *nearest = options_nearest(table, key);
    struct nearest section = {.wanted = key};
    nearest_offer(&section, "plugin");
    if (toml_type(node) == TOML_TABLE && section.name)
        return toml_error(file->document, node, error,
                          "section \"%s\": no such section; did you mean [plugin.NAME]?", key);
    return toml_error(file->document, node, error,
                      "key \"%s\": no such option; %s%s%ssee %s --help", key,
                      nearest ? "did you mean \"" : "", nearest ? nearest : "",
                      nearest ? "\"? " : "", table->program);
}

static int set_option(const struct config_file *file, const struct toml_node *node,
                      const struct option_table *table, void *values, struct error *error)
{
    const struct option_row *row = options_find(table, toml_key(node));
    struct error reason = {""};
    if (!row)
        return no_such_option(file, node, table, error);
    if (row->is_argument)
        return toml_error(file->document, node, error,
                          "key \"%s\": is an option of the command line only", toml_key(node));
    if (check_scalar(file, node, "key", error) < 0)
        return -1;
    if (!has_type_of(row, toml_type(node)))
        return toml_error(file->document, node, error, "key \"%s\": must be %s, not %s",
                          toml_key(node),
                          row->type == OPTION_NUMBER ? "a whole number"
                          : row->type == OPTION_FLAG ? "true or false"
                                                     : "a string, in quotes",
                          toml_type_name(toml_type(node)));
    if (options_set(table, values, toml_key(node), toml_text(node, NULL), toml_key(node), &reason))
        return toml_error(file->document, node, error, "%s", reason.message);
    return 0;
}

/* [[backend]]: its tables are read later, once the options that are their defaults are known. */
static bool is_table_list(const struct toml_node *node)
{
    bool are_tables = strcmp(toml_key(node), "backend") == 0 && toml_type(node) == TOML_ARRAY;
    for (size_t i = 0; are_tables && i < toml_count(node); i++)
        are_tables = toml_type(toml_at(node, i)) == TOML_TABLE;
    return are_tables;
}

int config_file_set_options(const struct config_file *file, const struct option_table *table,
                            void *values, struct error *error)
{
    const struct toml_node *root = toml_root(file->document);
    int status = 0;
    for (size_t i = 0; status == 0 && i < toml_count(root); i++)
        if (strcmp(toml_key(toml_at(root, i)), "plugin") != 0 && !is_table_list(toml_at(root, i)))
            status = set_option(file, toml_at(root, i), table, values, error);
    return status;
}

bool config_file_has(const struct config_file *file, const char *option)
{
    return toml_get(toml_root(file->document), option) != NULL;
}

/* ---- Tables ---- */

static const struct toml_node *table_at(const struct config_file *file, const char *name,
                                        size_t index)
{
    return toml_at(toml_get(toml_root(file->document), name), index);
}

size_t config_file_table_count(const struct config_file *file, const char *name)
{
    const struct toml_node *tables = toml_get(toml_root(file->document), name);
    return tables && is_table_list(tables) ? toml_count(tables) : 0;
}

int config_file_set_table(const struct config_file *file, const char *name, size_t index,
                          const struct option_table *table, void *values, struct error *error)
{
    const struct toml_node *node = table_at(file, name, index);
    int status = 0;
    for (size_t i = 0; status == 0 && i < toml_count(node); i++)
        status = set_option(file, toml_at(node, i), table, values, error);
    return status;
}

int config_file_table_error(const struct config_file *file, const char *name, size_t index,
                            struct error *error, const char *message)
{
    return toml_error(file->document, table_at(file, name, index), error, "[[%s]]: %s", name,
                      message);
}

/* ---- Settings of plugins ---- */

static struct asked *list_of(const struct config_file *file)
{
    return file->like ? file->like->asked : file->asked;
}

static struct asked *find_asked(const struct config_file *file, const char *plugin, const char *key)
{
    struct asked *asked = list_of(file);
    while (asked && (strcmp(asked->plugin, plugin) != 0 || strcmp(asked->key, key) != 0))
        asked = asked->next;
    return asked;
}

/* The lock is held. Without memory config_file_check() fails. */
static void note_asked(struct config_file *file, const char *plugin, const char *key)
{
    if (file->is_checked || find_asked(file, plugin, key))
        return;
    struct asked *asked = calloc(1, sizeof *asked);
    if (asked)
        *asked = (struct asked){file->asked, strdup(plugin), strdup(key)};
    if (asked && asked->plugin && asked->key) {
        file->asked = asked;
    } else {
        file->lacks_memory = true;
        free_asked(asked);
    }
}

const char *config_file_setting(void *user, const char *plugin, const char *key)
{
    struct config_file *file = user;
    if (!file)
        return NULL;
    pthread_mutex_lock(&file->lock);
    note_asked(file, plugin, key);
    pthread_mutex_unlock(&file->lock);
    const struct toml_node *section = section_of(file, plugin);
    const struct toml_node *node = section ? toml_get(section, key) : NULL;
    return node ? toml_text(node, NULL) : NULL;
}

bool config_file_place(void *user, const char *plugin, const char *key,
                       struct plugin_setting_place *place)
{
    const struct config_file *file = user;
    const struct toml_node *section = file ? section_of(file, plugin) : NULL;
    const struct toml_node *node = section ? toml_get(section, key) : NULL;
    if (!node)
        return false;
    *place = (struct plugin_setting_place){toml_name(file->document), toml_line(node),
                                           toml_type(node) == TOML_STRING};
    return true;
}

/* ---- Two files ---- */

static const struct toml_node *setting_of(const struct config_file *file, const char *plugin,
                                          const char *key)
{
    const struct toml_node *section = file ? section_of(file, plugin) : NULL;
    return section ? toml_get(section, key) : NULL;
}

static bool is_same_setting(const struct toml_node *setting, const struct toml_node *other)
{
    return setting && other && toml_type(setting) == toml_type(other) &&
           strcmp(toml_text(setting, NULL), toml_text(other, NULL)) == 0;
}

static bool is_variable(const struct plugin_registry *registry, const char *plugin, const char *key)
{
    struct strbuf name = STRBUF_INIT;
    strbuf_printf(&name, "%s_%s", plugin, key);
    const bool is = registry && plugin_variable_find(registry, name.data, name.size);
    strbuf_release(&name);
    return is;
}

/* Adds the settings of `file` that the other one lacks or, where asked for, has otherwise. */
static void add_differing(const struct config_file *file, const struct config_file *other,
                          const struct plugin_registry *registry, bool asks_for_values,
                          struct strbuf *names)
{
    const struct toml_node *sections = file ? toml_get(toml_root(file->document), "plugin") : NULL;
    for (size_t i = 0; sections && i < toml_count(sections); i++) {
        const struct toml_node *section = toml_at(sections, i);
        for (size_t j = 0; j < toml_count(section); j++) {
            const struct toml_node *own = toml_at(section, j);
            const struct toml_node *its = setting_of(other, toml_key(section), toml_key(own));
            if (is_variable(registry, toml_key(section), toml_key(own)))
                continue;
            if (!its || (asks_for_values && !is_same_setting(own, its)))
                strbuf_printf(names, "%s%s.%s", names->size ? ", " : "", toml_key(section),
                              toml_key(own));
        }
    }
}

void config_file_compare_plugins(const struct config_file *file, const struct config_file *other,
                                 const struct plugin_registry *registry, struct strbuf *notes)
{
    struct strbuf names = STRBUF_INIT;
    add_differing(file, other, registry, true, &names);
    add_differing(other, file, registry, false, &names);
    if (names.size)
        strbuf_printf(notes, "%s%s differ in the file: their plugins read them at the start alone",
                      notes->size ? "; " : "", names.data);
    strbuf_release(&names);
}

/* ---- The check ---- */

/* A key that begins with the plugin's name is one that SET would take. */
static const char *without_plugin(const struct config_file *file, const char *plugin,
                                  const char *key)
{
    size_t size = strlen(plugin);
    bool is_longer = strncmp(key, plugin, size) == 0 && key[size] == '_';
    return is_longer && find_asked(file, plugin, key + size + 1) ? key + size + 1 : NULL;
}

static int check_key(const struct config_file *file, const struct option_table *table,
                     const char *plugin, const struct toml_node *node, struct error *error)
{
    const char *key = toml_key(node), *shorter = without_plugin(file, plugin, key);
    struct nearest nearest = {.wanted = key};
    if (find_asked(file, plugin, key))
        return 0;
    for (const struct asked *asked = list_of(file); asked; asked = asked->next)
        if (strcmp(asked->plugin, plugin) == 0)
            nearest_offer(&nearest, asked->key);
    if (shorter)
        nearest.name = shorter;
    if (!nearest.name && options_find(table, key))
        return toml_error(file->document, node, error,
                          "plugin %s has no setting \"%s\"; it is an option of %s: write it above "
                          "the first section",
                          plugin, key, table->program);
    return toml_error(file->document, node, error, "plugin %s has no setting \"%s\"%s%s%s", plugin,
                      key, nearest.name ? "; did you mean \"" : "",
                      nearest.name ? nearest.name : "", nearest.name ? "\"?" : "");
}

/* "NAME-..." of "NAME-....so"; false: it is no plugin's file. */
static bool plugin_of_file(const char *file, char name[NEAREST_NAME_BYTES])
{
    size_t size = strcspn(file, "-"), length = strlen(file);
    bool is_plugin = size < NEAREST_NAME_BYTES && file[size] == '-' && length > 3 &&
                     strcmp(file + length - 3, ".so") == 0;
    if (is_plugin)
        snprintf(name, NEAREST_NAME_BYTES, "%.*s", (int)size, file);
    return is_plugin;
}

/* Whether the directory has the plugin. Offers the names that it has. */
static bool is_in_directory(const char *directory, const char *plugin,
                            char nearest[NEAREST_NAME_BYTES])
{
    DIR *folder = opendir(directory);
    char name[NEAREST_NAME_BYTES];
    struct nearest search = {.wanted = plugin};
    bool found = false;
    nearest[0] = 0;
    for (struct dirent *entry; folder && !found && (entry = readdir(folder)) != NULL;) {
        size_t before = search.name ? search.distance : SIZE_MAX;
        if (!plugin_of_file(entry->d_name, name))
            continue;
        found = strcmp(name, plugin) == 0;
        nearest_offer(&search, name);
        if (search.name && search.distance < before)
            snprintf(nearest, NEAREST_NAME_BYTES, "%s", name);
        if (search.name)
            search.name = nearest; /* name is overwritten */
    }
    if (folder)
        closedir(folder);
    return found;
}

/* A section of a plugin that is not there. registry NULL: none is loaded yet. */
static int check_stranger(const struct config_file *file, const struct toml_node *section,
                          const struct plugin_registry *registry, const char *directory,
                          struct error *error)
{
    const char *plugin = toml_key(section);
    char other[NEAREST_NAME_BYTES];
    struct nearest nearest = {.wanted = plugin};
    if (is_in_directory(directory, plugin, other)) {
        log_warn("server",
                 "%s:%u: [plugin.%s]: the plugin is not loaded; the section means nothing",
                 toml_name(file->document), toml_line(section), plugin);
        return 0;
    }
    if (*other)
        nearest_offer(&nearest, other);
    for (size_t i = 0; registry && i < plugin_count(registry); i++)
        nearest_offer(&nearest, plugin_row_at(registry, i).name);
    return toml_error(file->document, section, error,
                      "[plugin.%s]: no such plugin is loaded, nor in -plugin-dir%s%s%s", plugin,
                      nearest.name ? "; did you mean [plugin." : "",
                      nearest.name ? nearest.name : "", nearest.name ? "]?" : "");
}

static bool find_row(const struct plugin_registry *registry, const char *plugin,
                     struct plugin_row *row)
{
    for (size_t i = 0; i < plugin_count(registry); i++) {
        *row = plugin_row_at(registry, i);
        if (strcmp(row->name, plugin) == 0)
            return true;
    }
    return false;
}

static int check_plugin(const struct config_file *file, const struct option_table *table,
                        const struct toml_node *section, const struct plugin_registry *registry,
                        const char *directory, struct error *error)
{
    struct plugin_row row;
    int status = 0;
    if (!find_row(registry, toml_key(section), &row))
        return check_stranger(file, section, registry, directory, error);
    if (strncmp(row.status, "Ready", 5) != 0) /* skipped: it may have asked for nothing yet */
        return 0;
    for (size_t i = 0; status == 0 && i < toml_count(section); i++)
        status = check_key(file, table, row.name, toml_at(section, i), error);
    return status;
}

int config_file_check(struct config_file *file, const struct option_table *table,
                      const struct plugin_registry *registry, const char *plugin_directory,
                      struct error *error)
{
    const struct toml_node *sections = toml_get(toml_root(file->document), "plugin");
    int status = 0;
    pthread_mutex_lock(&file->lock);
    file->is_checked = true;
    if (file->lacks_memory)
        status = error_set(error, "%s: not enough memory", toml_name(file->document));
    pthread_mutex_unlock(&file->lock);
    for (size_t i = 0; sections && status == 0 && i < toml_count(sections); i++)
        status = check_plugin(file, table, toml_at(sections, i), registry, plugin_directory, error);
    return status;
}

int config_file_check_again(struct config_file *file, const struct option_table *table,
                            const struct config_file *before,
                            const struct plugin_registry *registry, const char *plugin_directory,
                            struct error *error)
{
    assert(before && before->is_checked);
    file->like = before;
    const int status = config_file_check(file, table, registry, plugin_directory, error);
    file->like = NULL;
    return status;
}

/* Whether "NAME-VERSION,..." has the plugin. */
static bool is_named(const char *list, const char *plugin)
{
    const size_t size = strlen(plugin);
    for (const char *at = list; at && *at; at = strchr(at, ',')) {
        at += strspn(at, ", \t");
        if (strncmp(at, plugin, size) == 0 && at[size] == '-')
            return true;
    }
    return false;
}

int config_file_check_sections(const struct config_file *file, const char *plugin_load,
                               const char *plugin_directory, struct error *error)
{
    const struct toml_node *sections = toml_get(toml_root(file->document), "plugin");
    int status = 0;
    for (size_t i = 0; sections && status == 0 && i < toml_count(sections); i++)
        if (!is_named(plugin_load, toml_key(toml_at(sections, i))))
            status = check_stranger(file, toml_at(sections, i), NULL, plugin_directory, error);
    return status;
}
