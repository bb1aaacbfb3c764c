/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions that compiled objects and archives define, so that a manifest's mistake is found
 * before the linker finds it. */
#include "plugin/package/object.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
