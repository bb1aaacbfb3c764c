/* SPDX-License-Identifier: Apache-2.0
 *
 * What weir-server is configured with: its options, from the command line, the environment and the file, with the
 * memory that they need. Read at start, and again by each reload: each is a whole of its own. */
#ifndef WEIR_SERVER_CONFIGURATION_H
#define WEIR_SERVER_CONFIGURATION_H

#include "backends.h"
#include "cluster/cluster.h"
#include "config_file.h"
#include "gateway/gateway.h"
#include "options.h"

/* The command line, which wins over all. Borrowed; it outlives the configurations. */
struct command_line {
    int count;
    char **words;
    const struct config_file *settings;     /* that the plugins have read at start; NULL: none */
    const struct plugin_registry *registry; /* NULL: they have not been loaded yet */
};

struct configuration {
    struct gateway_configuration gateway; /* first */
    struct server_options options;
    struct config_file *file; /* NULL: none */
    struct backend_list backends;
    char *cluster_password; /* owned; NULL: none */
    char *variables_file;   /* what SET GLOBAL leaves behind */
};

/* Returns owned (gateway_configuration_drop()), or NULL and a message with file, line and key. */
WEIR_MUST_CHECK struct configuration *configuration_read(const struct command_line *line,
                                                         struct error *error);

/* What the plugins are given. Borrows from the configuration. */
struct plugin_options configuration_plugins(const struct configuration *configuration);

/* What the store of the process is. Borrows from the configuration. */
struct process_store_options configuration_store(const struct configuration *configuration);

#endif
