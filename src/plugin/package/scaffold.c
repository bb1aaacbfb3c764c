/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes a new plugin's folder from the templates. The folder must not be there yet; after an error
 * nothing of it is left. */
#include "plugin/package/scaffold.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/package/manifest.h"
#include "plugin/package/plugin_package.h"

enum { NAME_MOST = 50 }; /* with "_word" it is the name of a variable, which has 64 at most */

/* Fills a template in. */
static void fill(struct strbuf *out, const char *template, const char *name)
{
    static const char plain[] = "@NAME@", capitals[] = "@UPPER@";
    while (*template) {
        if (strncmp(template, plain, sizeof plain - 1) == 0) {
            strbuf_add_text(out, name);
            template += sizeof plain - 1;
        } else if (strncmp(template, capitals, sizeof capitals - 1) == 0) {
            for (const char *c = name; *c; c++)
                strbuf_add_byte(out, (unsigned char)toupper((unsigned char)*c));
            template += sizeof capitals - 1;
        } else {
            strbuf_add_byte(out, (unsigned char)*template ++);
        }
    }
}

static int write_text(const char *path, const struct strbuf *text, struct error *error)
{
    FILE *file = fopen(path, "wxe");
    bool ok = file && !text->failed && fwrite(text->data, 1, text->size, file) == text->size;
    if (file && fclose(file) != 0)
        ok = false;
    return ok ? 0 : error_set(error, "%s: %s", path, strerror(errno));
}

static void path_of(struct strbuf *path, const char *name, const struct scaffold_file *file)
{
    strbuf_reset(path);
    strbuf_printf(path, "%s/", name);
    fill(path, file->path, name);
}

static int write_files(const char *name, size_t *written, struct error *error)
{
    struct strbuf path = STRBUF_INIT, text = STRBUF_INIT;
    int status = 0;
    for (const struct scaffold_file *file = scaffold_files; status == 0 && file->path; file++) {
        path_of(&path, name, file);
        strbuf_reset(&text);
        if (file->text) {
            fill(&text, file->text, name);
            status = write_text(path.data, &text, error);
        } else if (mkdir(path.data, 0777) < 0) {
            status = error_set(error, "%s: %s", path.data, strerror(errno));
        }
        *written += status == 0;
    }
    strbuf_release(&path);
    strbuf_release(&text);
    return status;
}

static void remove_files(const char *name, size_t written)
{
    struct strbuf path = STRBUF_INIT;
    while (written-- > 0) {
        path_of(&path, name, &scaffold_files[written]);
        if (scaffold_files[written].text)
            unlink(path.data);
        else
            rmdir(path.data);
    }
    rmdir(name);
    strbuf_release(&path);
}

int plugin_new(const char *name, struct strbuf *report, struct error *error)
{
    assert(name && report);
    size_t written = 0;
    if (!plugin_name_is_valid(name) || strlen(name) > NAME_MOST || name[0] == '_' ||
        name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")])
        return error_set(
            error,
            "-new %s: a plugin's name is at most 50 small letters, digits and '_', and "
            "begins with a letter",
            name);
    if (mkdir(name, 0777) < 0)
        return error_set(error, "-new %s: %s", name,
                         errno == EEXIST ? "the folder is there already" : strerror(errno));
    if (write_files(name, &written, error) < 0) {
        remove_files(name, written);
        return -1;
    }
    strbuf_printf(report, "%s/ is a plugin that builds: cd %s && make check\n", name, name);
    return 0;
}
