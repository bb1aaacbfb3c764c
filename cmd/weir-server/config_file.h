/* SPDX-License-Identifier: Apache-2.0
 *
 * The configuration file: options of weir-server by their names, and a section [plugin.NAME] for the
 * settings of each plugin. Each key must belong to something: a setting that nobody has asked for by
 * the end of the plugins' start is misspelt, and is an error as much as an unknown option is. */
#ifndef WEIR_SERVER_CONFIG_FILE_H
#define WEIR_SERVER_CONFIG_FILE_H

#include "base/base.h"
#include "plugin/host/plugin_host.h"

struct config_file;

/* Reads it. Returns owned (config_file_close()); NULL: *error says what is wrong, with its line. */
WEIR_MUST_CHECK struct config_file *config_file_open(const char *path, struct error *error);
void config_file_close(struct config_file *file); /* NULL is allowed */

/* Sets the options that it has; values is the table's struct. */
WEIR_MUST_CHECK int config_file_set_options(const struct config_file *file,
                                            const struct option_table *table, void *values,
                                            struct error *error);

/* Whether it sets the option. */
bool config_file_has(const struct config_file *file, const char *option);
/* Tables of which there may be several: [[NAME]]. How many; the settings of one, by the rows of an option
 * table; and an error that names its line (-1). */
size_t config_file_table_count(const struct config_file *file, const char *name);
WEIR_MUST_CHECK int config_file_set_table(const struct config_file *file, const char *name,
                                          size_t index, const struct option_table *table,
                                          void *values, struct error *error);
int config_file_table_error(const struct config_file *file, const char *name, size_t index,
                            struct error *error, const char *message);

/* For struct plugin_options: user is the file, or NULL. Any thread. */
const char *config_file_setting(void *user, const char *plugin, const char *key);
bool config_file_place(void *user, const char *plugin, const char *key,
                       struct plugin_setting_place *place);

/* Appends a sentence about settings of plugins that differ and are no variables: these are read at start alone. Each file
 * may be NULL. */
void config_file_compare_plugins(const struct config_file *file, const struct config_file *other,
                                 const struct plugin_registry *registry, struct strbuf *notes);

/* Before that: every section is of a plugin that is named in -plugin-load, or lies in its directory, which is a warning. */
WEIR_MUST_CHECK int config_file_check_sections(const struct config_file *file,
                                               const char *plugin_load,
                                               const char *plugin_directory, struct error *error);

/* Once the plugins have started: every section is a plugin's, and every key was asked for. A plugin
 * that lies in the directory and is not loaded, or was skipped, is a warning. */
WEIR_MUST_CHECK int config_file_check(struct config_file *file, const struct option_table *table,
                                      const struct plugin_registry *registry,
                                      const char *plugin_directory, struct error *error);

/* The same of a file that is read later: plugins have asked for what is in the one of the start. */
WEIR_MUST_CHECK int config_file_check_again(struct config_file *file,
                                            const struct option_table *table,
                                            const struct config_file *before,
                                            const struct plugin_registry *registry,
                                            const char *plugin_directory, struct error *error);

#endif
