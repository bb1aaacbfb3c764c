/* SPDX-License-Identifier: Apache-2.0
 *
 * ip_filter for tests. */
#ifndef WEIR_TESTS_PLUGIN_FILTER_PLUGIN_H
#define WEIR_TESTS_PLUGIN_FILTER_PLUGIN_H

#include "workshop.h"

extern const char *ban_after; /* that setting; NULL: not set */

/* The settings; user: that of the name "file". */
const char *setting(void *user, const char *plugin, const char *key);

/* Packages plugin/ip_filter into the folder out. */
void package(const struct workshop *workshop);
struct plugin_registry *load_from(const struct workshop *workshop, const char *out,
                                  struct plugin_storage *storage);

/* Sessions; address "": the Unix socket. */
struct weir_session client(const char *address);
struct weir_session user_at(const char *user, const char *address);

/* Whether the client gets in; it leaves again. */
bool visits(struct plugin_registry *registry, const char *user, const char *address);

#endif
