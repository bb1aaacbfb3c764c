/* SPDX-License-Identifier: Apache-2.0
 *
 * The declaration of a client plugin, read from its file without running it.
 *
 * It begins with two numbers and a pointer to the name:
 *
 *     int type; unsigned interface_version; const char *name; ...
 *
 * and the linker has left the pointer to a relocation: the text stands at the relocation's addend.
 * Files of 64 bits only; of others, and where no text is found, the name is left out. */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plugin/package/object.h"

enum { NAME_OFFSET = 8 }; /* bytes from the declaration to the pointer */

/* The bytes of the file at an address of the loaded object, and how many there are; NULL: none. */
static const char *bytes_at(Elf *elf, GElf_Addr address, size_t *size)
{
    GElf_Shdr header;
    for (Elf_Scn *section = elf_nextscn(elf, NULL); section; section = elf_nextscn(elf, section)) {
        if (!gelf_getshdr(section, &header) || !(header.sh_flags & SHF_ALLOC) ||
            header.sh_type == SHT_NOBITS || address < header.sh_addr ||
            address - header.sh_addr >= header.sh_size)
            continue;
        Elf_Data *data = elf_rawdata(section, NULL);
        size_t offset = address - header.sh_addr;
        if (!data || !data->d_buf || offset >= data->d_size)
            return NULL;
        *size = data->d_size - offset;
        return (const char *)data->d_buf + offset;
    }
    return NULL;
}

static bool find_symbol(Elf *elf, GElf_Addr *address)
{
    GElf_Shdr header;
    GElf_Sym symbol;
    for (Elf_Scn *section = elf_nextscn(elf, NULL); section; section = elf_nextscn(elf, section)) {
        if (!gelf_getshdr(section, &header) || header.sh_type != SHT_DYNSYM)
            continue;
        Elf_Data *data = elf_getdata(section, NULL);
        for (int i = 0; data && gelf_getsym(data, i, &symbol); i++) {
            const char *name = elf_strptr(elf, header.sh_link, symbol.st_name);
            if (name && symbol.st_shndx != SHN_UNDEF && strcmp(name, PLUGIN_TRACE_SYMBOL) == 0) {
                *address = symbol.st_value;
                return true;
            }
        }
    }
    return false;
}

/* Where the pointer at this address will point. */
static bool find_target(Elf *elf, GElf_Addr pointer, GElf_Addr *target)
{
    GElf_Shdr header;
    GElf_Rela relocation;
    for (Elf_Scn *section = elf_nextscn(elf, NULL); section; section = elf_nextscn(elf, section)) {
        if (!gelf_getshdr(section, &header) || header.sh_type != SHT_RELA)
            continue;
        Elf_Data *data = elf_getdata(section, NULL);
        for (int i = 0; data && gelf_getrela(data, i, &relocation); i++) {
            if (relocation.r_offset == pointer && GELF_R_SYM(relocation.r_info) == 0) {
                *target = (GElf_Addr)relocation.r_addend;
                return true;
            }
        }
    }
    return false;
}

static char *text_at(Elf *elf, GElf_Addr address)
{
    size_t size = 0;
    const char *text = bytes_at(elf, address, &size);
    return text && memchr(text, 0, size) ? strdup(text) : NULL;
}

static int read_declaration(Elf *elf, const char *path, struct plugin_declaration *declaration,
                            struct error *error)
{
    GElf_Addr address = 0, target = 0;
    size_t size = 0;
    if (!elf || elf_kind(elf) != ELF_K_ELF)
        return error_set(error, "%s: not an ELF file", path);
    if (!find_symbol(elf, &address))
        return error_set(error, "%s: it does not define %s", path, PLUGIN_TRACE_SYMBOL);
    const char *bytes = bytes_at(elf, address, &size);
    if (!bytes || size < sizeof declaration->type)
        return error_set(error, "%s: %s is empty", path, PLUGIN_TRACE_SYMBOL);
    memcpy(&declaration->type, bytes, sizeof declaration->type);
    declaration->name = NULL;
    if (gelf_getclass(elf) == ELFCLASS64 && find_target(elf, address + NAME_OFFSET, &target))
        declaration->name = text_at(elf, target);
    return 0;
}

int plugin_read_declaration(const char *path, struct plugin_declaration *declaration,
                            struct error *error)
{
    elf_version(EV_CURRENT);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return error_set(error, "%s: %s", path, strerror(errno));
    Elf *elf = elf_begin(file, ELF_C_READ, NULL);
    int status = read_declaration(elf, path, declaration, error);
    elf_end(elf);
    close(file);
    return status;
}
