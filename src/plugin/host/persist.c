/* SPDX-License-Identifier: Apache-2.0
 *
 * The file of values that SET GLOBAL and SET PERSIST have set: a TOML table of strings. It is
 * written whole, to another name, synced, and renamed, so that no crash leaves half of it. Names
 * that no loaded plugin has are kept: the plugin may be back at the next start. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <weir/escape.h>

#include "plugin/host/plugin_variables.h"

static size_t find(const struct plugin_persisted *persisted, const char *name)
{
    size_t i = 0;
    while (i < persisted->count && strcmp(persisted->items[i].name, name) != 0)
        i++;
    return i;
}

const char *plugin_persisted_text(const struct plugin_persisted *persisted, const char *name)
{
    size_t i = find(persisted, name);
    return i < persisted->count ? persisted->items[i].text : NULL;
}

static void remove_item(struct plugin_persisted *persisted, size_t index)
{
    free(persisted->items[index].name);
    free(persisted->items[index].text);
    persisted->items[index] = persisted->items[--persisted->count];
}

static bool add(struct plugin_persisted *persisted, const char *name, const char *text)
{
    struct plugin_kept *grown =
        realloc(persisted->items, (persisted->count + 1) * sizeof *persisted->items);
    if (grown)
        persisted->items = grown;
    struct plugin_kept kept = {grown ? strdup(name) : NULL, grown ? strdup(text) : NULL};
    if (!kept.name || !kept.text) {
        free(kept.name);
        free(kept.text);
        return false;
    }
    persisted->items[persisted->count++] = kept;
    return true;
}

bool plugin_persisted_set(struct plugin_persisted *persisted, const char *name, const char *text)
{
    size_t i = find(persisted, name);
    if (i < persisted->count)
        remove_item(persisted, i);
    return !text || add(persisted, name, text);
}

bool plugin_persisted_copy(struct plugin_persisted *to, const struct plugin_persisted *from)
{
    bool ok = true;
    *to = (struct plugin_persisted){0};
    for (size_t i = 0; ok && i < from->count; i++)
        ok = add(to, from->items[i].name, from->items[i].text);
    if (!ok)
        plugin_persisted_release(to);
    return ok;
}

void plugin_persisted_release(struct plugin_persisted *persisted)
{
    while (persisted->count)
        remove_item(persisted, persisted->count - 1);
    free(persisted->items);
    *persisted = (struct plugin_persisted){0};
}

/* ---- The file ---- */

int plugin_persisted_read(struct plugin_persisted *persisted, const char *path, struct error *error)
{
    *persisted = (struct plugin_persisted){0};
    if (!path || access(path, F_OK) != 0)
        return 0;
    struct toml_document *document = toml_read(path, error);
    if (!document)
        return -1;
    int status = 0;
    const struct toml_node *root = toml_root(document);
    for (size_t i = 0; status == 0 && i < toml_count(root); i++) {
        const struct toml_node *node = toml_at(root, i);
        if (toml_type(node) == TOML_TABLE || toml_type(node) == TOML_ARRAY)
            status = toml_error(document, node, error, "key \"%s\": must be a value, not %s",
                                toml_key(node), toml_type_name(toml_type(node)));
        else if (!add(persisted, toml_key(node), toml_text(node, NULL)))
            status = error_set(error, "%s: not enough memory", path);
    }
    toml_free(document);
    if (status < 0)
        plugin_persisted_release(persisted);
    return status;
}

static void write_string(struct strbuf *out, const char *text)
{
    strbuf_add_byte(out, '"');
    for (; *text; text++) {
        char form[ESCAPE_JSON_BYTES];
        size_t size = escape_json_byte((unsigned char)*text, form);
        strbuf_add(out, form, size);
    }
    strbuf_add_text(out, "\"\n");
}

static int by_name(const void *left, const void *right)
{
    const struct plugin_kept *a = left, *b = right;
    return strcmp(a->name, b->name);
}

static void write_text(const struct plugin_persisted *persisted, struct strbuf *out)
{
    strbuf_add_text(out, "# Written by weir-server: what SET GLOBAL and SET PERSIST have left. It "
                         "counts more than the\n# configuration file. SET GLOBAL name = DEFAULT "
                         "takes a line out.\n");
    if (persisted->count)
        qsort(persisted->items, persisted->count, sizeof *persisted->items, by_name);
    for (size_t i = 0; i < persisted->count; i++) {
        strbuf_printf(out, "%s = ", persisted->items[i].name);
        write_string(out, persisted->items[i].text);
    }
}

/* The name is on disk only once the folder is. */
static bool sync_folder(const char *folder)
{
    int file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = file >= 0 && fsync(file) == 0;
    if (file >= 0)
        close(file);
    return ok;
}

static int write_and_rename(const struct strbuf *text, const char *path, const char *folder,
                            char *partial, struct error *error)
{
    int file = mkostemp(partial, O_CLOEXEC);
    if (file < 0)
        return error_set(error, "%s cannot be made: %s", partial, strerror(errno));
    bool ok = disk_write(file, text->data, text->size) == 0 && fsync(file) == 0;
    ok = close(file) == 0 && ok;
    ok = ok && rename(partial, path) == 0 && sync_folder(folder);
    if (!ok) {
        error_set(error, "%s cannot be written: %s", path, strerror(errno));
        unlink(partial);
    }
    return ok ? 0 : -1;
}

int plugin_persisted_write(const struct plugin_persisted *persisted, const char *path,
                           struct error *error)
{
    struct strbuf text = STRBUF_INIT, partial = STRBUF_INIT;
    char *copy = strdup(path);
    const char *folder = copy ? dirname(copy) : NULL;
    int status = -1;
    write_text(persisted, &text);
    strbuf_printf(&partial, "%s.XXXXXX", path);
    if (!folder || text.failed || partial.failed)
        error_set(error, "not enough memory");
    else if (mkdir(folder, 0700) < 0 && errno != EEXIST)
        error_set(error, "%s cannot be made: %s", folder, strerror(errno));
    else
        status = write_and_rename(&text, path, folder, partial.data, error);
    strbuf_release(&text);
    strbuf_release(&partial);
    free(copy);
    return status;
}
