/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/object.h"

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

/* Returns the Elf of a file, and its descriptor in *file; the caller ends both. */
static Elf *open_elf(const char *path, int *file, struct error *error)
{
    elf_version(EV_CURRENT);
    *file = open(path, O_RDONLY | O_CLOEXEC);
    if (*file < 0) {
        error_set(error, "%s: %s", path, strerror(errno));
        return NULL;
    }
    Elf *elf = elf_begin(*file, ELF_C_READ, NULL);
    if (!elf) {
        error_set(error, "%s: %s", path, elf_errmsg(-1));
        close(*file);
    }
    return elf;
}

char *plugin_section_text(const char *path, const char *section, struct error *error)
{
    int file;
    Elf *elf = open_elf(path, &file, error);
    if (!elf)
        return NULL;
    char *text = section_text(elf, path, section, error);
    elf_end(elf);
    close(file);
    return text;
}

static void see_symbol(struct plugin_symbols *symbols, const char *name, const GElf_Sym *symbol)
{
    bool defined = symbol->st_shndx != SHN_UNDEF;
    if (!defined && (strncmp(name, "_Z", 2) == 0 || strcmp(name, "__gxx_personality_v0") == 0))
        symbols->is_cxx = true;
    if (!defined || GELF_ST_TYPE(symbol->st_info) != STT_FUNC)
        return;
    for (size_t i = 0; i < symbols->count; i++) {
        if (strcmp(symbols->names[i], name) != 0)
            continue;
        if (GELF_ST_BIND(symbol->st_info) == STB_LOCAL)
            symbols->local[i] = true;
        else
            symbols->global[i] = true;
    }
}

static void see_object(struct plugin_symbols *symbols, Elf *elf)
{
    bool has_symbols = false;
    GElf_Shdr header;
    size_t names;
    if (elf_getshdrstrndx(elf, &names) != 0)
        return;
    for (Elf_Scn *section = elf_nextscn(elf, NULL); section; section = elf_nextscn(elf, section)) {
        if (!gelf_getshdr(section, &header))
            continue;
        const char *name = elf_strptr(elf, names, header.sh_name);
        if (name && strncmp(name, ".gnu.lto_", 9) == 0)
            symbols->opaque = true;
        Elf_Data *data = header.sh_type == SHT_SYMTAB ? elf_getdata(section, NULL) : NULL;
        GElf_Sym symbol;
        for (int i = 0; data && gelf_getsym(data, i, &symbol); i++) {
            has_symbols = true;
            const char *text = elf_strptr(elf, header.sh_link, symbol.st_name);
            if (text)
                see_symbol(symbols, text, &symbol);
        }
    }
    if (!has_symbols)
        symbols->opaque = true;
}

int plugin_find_symbols(const char *path, struct plugin_symbols *symbols, struct error *error)
{
    int file, status = 0;
    Elf *elf = open_elf(path, &file, error);
    if (!elf)
        return -1;
    if (elf_kind(elf) == ELF_K_AR) {
        Elf_Cmd command = ELF_C_READ;
        Elf *member;
        while ((member = elf_begin(file, command, elf)) != NULL) {
            if (elf_kind(member) == ELF_K_ELF)
                see_object(symbols, member);
            command = elf_next(member);
            elf_end(member);
        }
    } else if (elf_kind(elf) == ELF_K_ELF) {
        see_object(symbols, elf);
    } else {
        symbols->opaque = true; /* another compiler's byte code, or no object at all */
    }
    elf_end(elf);
    close(file);
    return status;
}
