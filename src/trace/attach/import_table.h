/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to the room: the functions that a loaded file imports from other libraries. The dynamic
 * linker has written each function's address into a slot of the file's own memory, and another
 * address can be written there. Only calls from that file are affected.
 *
 * Slots are found by the file's own relocations (ELF's RELA), so nothing is guessed; a slot that was
 * read-only is read-only again afterwards. */
#ifndef WEIR_TRACE_IMPORT_TABLE_H
#define WEIR_TRACE_IMPORT_TABLE_H

#include <stdbool.h>

#include "base/base.h"

/* Puts `function` in place of the imported function of that name, in the file that holds the
 * address `caller`. *original gets the address that was there, before the new one can be called.
 * Returns false, with nothing changed, if the file does not import the function or its memory could
 * not be made writable. Any thread, one at a time. */
WEIR_MUST_CHECK bool import_table_replace(void *caller, const char *name, void *function,
                                          void **original);

#endif
