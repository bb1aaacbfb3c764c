/* SPDX-License-Identifier: Apache-2.0
 *
 * What can be learned from an ELF file without running it: the functions that compiled objects
 * define, and the declaration of a client plugin. Parsed with libelf; the file is treated as
 * untrusted. */
#ifndef WEIR_PLUGIN_PACKAGE_OBJECT_H
#define WEIR_PLUGIN_PACKAGE_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

/* What one walk over an object file or an archive (*.a) of them finds out about functions. */
struct plugin_symbols {
    const char *const *names; /* the functions that are looked for */
    size_t count;
    bool *global; /* [count]: defined, and seen by other files */
    bool *local;  /* [count]: defined, but static */
    bool is_cxx;  /* something here needs the C++ library */
    bool
        opaque; /* some file has no symbols to look at (LTO byte code): the linker will report it */
};

/* Adds what the file defines. -1 and "PATH: why". */
WEIR_MUST_CHECK int plugin_find_symbols(const char *path, struct plugin_symbols *symbols,
                                        struct error *error);

/* What a client library asks of a shared object before it takes it as a plugin. */
#define PLUGIN_TRACE_SYMBOL "_mysql_client_plugin_declaration_"

struct plugin_declaration {
    int type;   /* kind of client plugin */
    char *name; /* owned; NULL: unknown */
};

/* Reads that symbol from a shared object. -1 and "PATH: why", as when there is none. */
WEIR_MUST_CHECK int plugin_read_declaration(const char *path,
                                            struct plugin_declaration *declaration,
                                            struct error *error);

#endif
