/* SPDX-License-Identifier: Apache-2.0
 *
 * trace/attach: a trace plugin inside a program that knows nothing of weir. READ README.md FIRST:
 * this room writes into the memory of a foreign process.
 *
 * Promises: once MariaDB Connector/C has called the init function of a plugin that was declared
 * here, each connection of that library is traced; once it has called deinit, everything that was
 * patched is as it was before. Where the library's memory does not look exactly as expected,
 * nothing is patched, and init fails with a message or traces less (README.md says what).
 *
 * Uses trace/protocol, wire and base. exports.c makes libweir-trace of it, the only way in. */
#ifndef WEIR_TRACE_ATTACH_H
#define WEIR_TRACE_ATTACH_H

#include <stdbool.h>

#include "trace/protocol/trace_protocol.h"

/* Puts init and deinit functions of ours into a plugin's declaration, which is borrowed until the
 * process ends or the plugin's file is unloaded. Nothing else is patched before init is called.
 * Called by constructors, so from one thread at a time. Returns false if the process has declared
 * too many plugins already; the plugin then keeps its own functions. */
WEIR_MUST_CHECK bool trace_attach_declare(struct st_mysql_client_plugin_TRACE *plugin);

/* Gives a declared plugin its own init and deinit functions back: it will patch nothing. Does
 * nothing for a plugin that was not declared. Must not be called after init. */
void trace_attach_undo(struct st_mysql_client_plugin_TRACE *plugin);

#endif
