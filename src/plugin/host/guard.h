/* SPDX-License-Identifier: Apache-2.0
 *
 * The line that no exception crosses: a plugin may be written in C++, and the host is C. */
#ifndef WEIR_PLUGIN_HOST_GUARD_H
#define WEIR_PLUGIN_HOST_GUARD_H

#include <weir/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A call of one of a plugin's functions with what it takes. */
typedef weir_verdict plugin_callback(void *arguments);

/* Calls it and returns what it returns. When an exception leaves it: WEIR_FAIL, and what the
 * exception says is the reason, as if by weir_fail(). It costs a call where nothing is thrown. */
weir_verdict plugin_guard(plugin_callback *callback, void *arguments);

/* What weir_fail() does, on the calling thread (plugin_thread.c). */
void plugin_report_failure(const weir_plugin *plugin, const char *message, size_t size);

#ifdef __cplusplus
}
#endif

#endif
