/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to the room: the files (program, shared libraries) that the dynamic linker has loaded. */
#ifndef WEIR_TRACE_LOADED_FILE_H
#define WEIR_TRACE_LOADED_FILE_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Returns true if the bytes lie within one loaded segment of the file. */
bool loaded_file_holds(const struct dl_phdr_info *file, uintptr_t address, size_t size);

/* Looks a function up among what the file that holds `caller` is linked with, then in the whole
 * program. Returns NULL if there is none. */
void *loaded_file_function(void *caller, const char *name);

#endif
