/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to the room: the files of a plugin that does not exist yet, as templates. */
#ifndef WEIR_PLUGIN_PACKAGE_SCAFFOLD_H
#define WEIR_PLUGIN_PACKAGE_SCAFFOLD_H

/* In names and texts @NAME@ is the plugin's name, and @UPPER@ the same in capitals. */
struct scaffold_file {
    const char *path; /* below the plugin's folder */
    const char *text;
};

/* Ends with a NULL path. Folders come before the files in them: their text is NULL. */
extern const struct scaffold_file scaffold_files[];

#endif
