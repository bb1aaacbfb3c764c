/* SPDX-License-Identifier: Apache-2.0
 *
 * The text of a section of a shared object, read without running any of its code. Parsed with
 * libelf; the file is treated as untrusted. */
#include "plugin/declared/plugin_declared.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static Elf_Scn *find_section(Elf *elf, const char *name, GElf_Shdr *header)
{
    size_t names;
    if (elf_getshdrstrndx(elf, &names) != 0)
        return NULL;
    for (Elf_Scn *section = elf_nextscn(elf, NULL); section; section = elf_nextscn(elf, section)) {
        if (!gelf_getshdr(section, header))
            continue;
        const char *found = elf_strptr(elf, names, header->sh_name);
        if (found && strcmp(found, name) == 0)
            return section;
    }
    return NULL;
}

/* Borrows elf. */
static char *section_text(Elf *elf, const char *name, const char *section, struct error *error)
{
    GElf_Shdr header;
    if (!elf || elf_kind(elf) != ELF_K_ELF) {
        error_set(error, "%s: not an ELF file; pluginpkg makes plugins", name);
        return NULL;
    }
    Elf_Scn *found = find_section(elf, section, &header);
    if (!found) {
        error_set(error, "%s: not a plugin of weir: it has no section %s; pluginpkg makes plugins",
                  name, section);
        return NULL;
    }
    Elf_Data *data = header.sh_type == SHT_NOBITS || header.sh_size > PLUGIN_SECTION_BYTES
                         ? NULL
                         : elf_rawdata(found, NULL);
    const char *end = data && data->d_buf ? memchr(data->d_buf, '\0', data->d_size) : NULL;
    char *text = end ? strndup(data->d_buf, data->d_size) : NULL;
    if (!text)
        error_set(error, "%s: its section %s is damaged; package the plugin again", name, section);
    return text;
}

char *plugin_section_text_in(char *bytes, size_t size, const char *name, const char *section,
                             struct error *error)
{
    elf_version(EV_CURRENT);
    Elf *elf = elf_memory(bytes, size);
    char *text = section_text(elf, name, section, error);
    elf_end(elf);
    return text;
}

char *plugin_section_text(const char *path, const char *section, struct error *error)
{
    elf_version(EV_CURRENT);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        error_set(error, "%s: %s", path, strerror(errno));
        return NULL;
    }
    char *text = NULL;
    Elf *elf = elf_begin(file, ELF_C_READ, NULL);
    if (elf)
        text = section_text(elf, path, section, error);
    else
        error_set(error, "%s: %s", path, elf_errmsg(-1));
    elf_end(elf);
    close(file);
    return text;
}
