/* SPDX-License-Identifier: Apache-2.0
 *
 * Replaces an imported function by the file's own relocations: they say which slots of its memory
 * hold the address. What the file says of itself is checked to lie within the file. */
#include "trace/attach/import_table.h"

#include <assert.h>
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "trace/attach/loaded_file.h"

/* A function to be replaced, and the file where. */
struct replacement {
    uintptr_t caller;
    const char *name;
    void *function;
    void **original;
    bool done;
};

/* Where the file's dynamic section says that its relocations are. */
struct dynamic {
    const ElfW(Sym) * symbols;
    const char *names;
    const ElfW(Rela) * tables[2]; /* of functions, of everything else */
    size_t sizes[2];              /* bytes */
};

/* Addresses in the dynamic section are those of memory already on most machines, and offsets on
 * some. */
static const void *address_of(const struct dl_phdr_info *info, ElfW(Addr) value)
{
    uintptr_t address = loaded_file_holds(info, value, 1) ? value : info->dlpi_addr + value;
    return (const void *)address; // NOLINT(performance-no-int-to-ptr)
}

static bool read_dynamic(const struct dl_phdr_info *info, struct dynamic *dynamic)
{
    const ElfW(Dyn) *entry = NULL;
    bool has_rela = true;
    for (int i = 0; i < info->dlpi_phnum && !entry; i++)
        if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
            entry = address_of(info, info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
    for (; entry && entry->d_tag != DT_NULL; entry++)
        if (entry->d_tag == DT_SYMTAB)
            dynamic->symbols = address_of(info, entry->d_un.d_ptr);
        else if (entry->d_tag == DT_STRTAB)
            dynamic->names = address_of(info, entry->d_un.d_ptr);
        else if (entry->d_tag == DT_JMPREL)
            dynamic->tables[0] = address_of(info, entry->d_un.d_ptr);
        else if (entry->d_tag == DT_PLTRELSZ)
            dynamic->sizes[0] = entry->d_un.d_val;
        else if (entry->d_tag == DT_PLTREL)
            has_rela = entry->d_un.d_val == DT_RELA;
        else if (entry->d_tag == DT_RELA)
            dynamic->tables[1] = address_of(info, entry->d_un.d_ptr);
        else if (entry->d_tag == DT_RELASZ)
            dynamic->sizes[1] = entry->d_un.d_val;
    return has_rela && dynamic->symbols && dynamic->names;
}

/* Returns true if the dynamic linker has made the slot read-only after it was filled. */
static bool is_read_only(const struct dl_phdr_info *info, uintptr_t slot)
{
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type == PT_GNU_RELRO &&
            slot - (info->dlpi_addr + segment->p_vaddr) < segment->p_memsz)
            return true;
    }
    return false;
}

static bool write_slot(const struct dl_phdr_info *info, uintptr_t slot,
                       const struct replacement *replacement)
{
    assert(slot % sizeof(void *) == 0);
    uintptr_t page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
    void **place = (void **)slot;                   // NOLINT(performance-no-int-to-ptr)
    void *page = (void *)(slot & ~(page_size - 1)); // NOLINT(performance-no-int-to-ptr)
    bool is_locked = is_read_only(info, slot);
    if (is_locked && mprotect(page, page_size, PROT_READ | PROT_WRITE) != 0)
        return false;
    if (!replacement->done)
        *replacement->original = *place;
    __atomic_store_n(place, replacement->function, __ATOMIC_RELEASE);
    if (is_locked)
        mprotect(page, page_size, PROT_READ);
    return true;
}

static int replace_in_file(struct dl_phdr_info *info, size_t size, void *context)
{
    struct replacement *replacement = context;
    struct dynamic dynamic = {0};
    (void)size;
    if (!loaded_file_holds(info, replacement->caller, 1))
        return 0;
    if (!read_dynamic(info, &dynamic))
        return 1;
    for (int table = 0; table < 2; table++) {
        size_t count = dynamic.sizes[table] / sizeof(ElfW(Rela));
        for (size_t i = 0; dynamic.tables[table] && i < count; i++) {
            const ElfW(Rela) *relocation = &dynamic.tables[table][i];
            size_t index = sizeof(void *) == 8 ? ELF64_R_SYM(relocation->r_info)
                                               : ELF32_R_SYM(relocation->r_info);
            uintptr_t slot = info->dlpi_addr + relocation->r_offset;
            if (index != 0 && relocation->r_addend == 0 && slot % sizeof(void *) == 0 &&
                loaded_file_holds(info, slot, sizeof(void *)) &&
                strcmp(dynamic.names + dynamic.symbols[index].st_name, replacement->name) == 0 &&
                write_slot(info, slot, replacement))
                replacement->done = true;
        }
    }
    return 1;
}

bool import_table_replace(void *caller, const char *name, void *function, void **original)
{
    assert(caller && name && function && original);
    struct replacement replacement = {(uintptr_t)caller, name, function, original, false};
    dl_iterate_phdr(replace_in_file, &replacement);
    return replacement.done;
}
