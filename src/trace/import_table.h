/* SPDX-License-Identifier: Apache-2.0
 *
 * What a loaded file calls of other libraries: the dynamic linker has written each function's
 * address into a slot of the file's own memory, and another function can be put there. Only calls
 * from that file are affected.
 *
 * Done by the file's own relocations (ELF's RELA), so nothing is guessed; a slot that has been made
 * read-only since is so again afterwards. Where the file does not import the function, nothing is
 * done. */
#ifndef WEIR_TRACE_IMPORT_TABLE_H
#define WEIR_TRACE_IMPORT_TABLE_H

#include <stdbool.h>

/* Puts `function` in place of the imported function of that name, in the file that holds the
 * address `caller`. *original gets the address that was there, before the new one can be called.
 * Any thread, one at a time. */
bool import_table_replace(void *caller, const char *name, void *function, void **original);

#endif
