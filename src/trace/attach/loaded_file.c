/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions to the dynamic linker. Nothing is loaded and nothing is changed here. */
#include "trace/attach/loaded_file.h"

#include <dlfcn.h>

bool loaded_file_holds(const struct dl_phdr_info *file, uintptr_t address, size_t size)
{
    for (int i = 0; i < file->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &file->dlpi_phdr[i];
        uintptr_t start = file->dlpi_addr + segment->p_vaddr;
        if (segment->p_type == PT_LOAD && address >= start && address - start < segment->p_memsz &&
            segment->p_memsz - (address - start) >= size)
            return true;
    }
    return false;
}

void *loaded_file_function(void *caller, const char *name)
{
    Dl_info info;
    void *file = dladdr(caller, &info) && info.dli_fname
                     ? dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD)
                     : NULL;
    void *function = file ? dlsym(file, name) : NULL;
    if (file)
        dlclose(file);
    return function ? function : dlsym(RTLD_DEFAULT, name);
}
