/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the room: the system variables of the loaded plugins, and what is kept of them on disk. */
#ifndef WEIR_PLUGIN_HOST_PLUGIN_VARIABLES_H
#define WEIR_PLUGIN_HOST_PLUGIN_VARIABLES_H

#include "plugin/declared/plugin_declared.h"
#include "plugin/host/registry.h"

/* ---- persist.c: the file of values that survive a restart ---- */

struct plugin_kept {
    char *name, *text; /* owned */
};

/* Values by name; zeroed: none. */
struct plugin_persisted {
    struct plugin_kept *items;
    size_t count;
};

/* ---- variables.c, assignments.c ---- */

#define NO_SLOT SIZE_MAX

/* A text that has been a global value. */
struct kept_text {
    struct kept_text *older;
    size_t size;
    char text[]; /* NUL-terminated */
};

struct plugin_variable {
    struct weir_plugin *plugin;
    const struct plugin_definition *definition;
    uint32_t index;                    /* in the plugin's sysVars */
    size_t slot;                       /* in session values; NO_SLOT: it has no session scope */
    struct plugin_value configured;    /* what DEFAULT means; owned */
    struct plugin_setting_place place; /* of configured; file NULL: it is the manifest's */
    char *
        cluster_place; /* where the cluster keeps the value; owned; NULL: it is not the cluster's */
    _Atomic(struct kept_text *) text;
    struct kept_text *texts; /* every one it has had */
};

/* Values of the variables with session scope, by slot. */
struct plugin_session_values {
    struct plugin_session_values *older;
    size_t count;
    struct plugin_session_value {
        int64_t number;
        char *text; /* owned by a session's own table, borrowed by a shared one */
    } items[];
};

struct plugin_variables {
    pthread_mutex_t lock;
    struct plugin_variable *items; /* sorted by name */
    size_t count, slots;
    _Atomic(struct plugin_session_values *) shared; /* what new sessions begin with; newest first */
    struct plugin_persisted persisted;
    char *settings_path; /* the file's that was read again, for places in it; owned */
};

/* Fills in the value, which is owned, and its place: what the configuration file says, or the manifest. */
WEIR_MUST_CHECK int plugin_variable_read_configured(const struct plugin_variable *variable,
                                                    const struct plugin_settings *settings,
                                                    struct plugin_value *value,
                                                    struct plugin_setting_place *place,
                                                    struct error *error);

/* A table of what the global values are now; share() makes it what new sessions begin with. NULL:
 * no memory. */
WEIR_MUST_CHECK struct plugin_session_values *
plugin_variables_snapshot(const struct plugin_variables *variables);
void plugin_variables_share(struct plugin_variables *variables,
                            struct plugin_session_values *values);

/* The text among those that the variable has had, or a new one. NULL: no memory. */
WEIR_MUST_CHECK struct kept_text *plugin_variable_keep(struct plugin_variable *variable,
                                                       const char *text);
void plugin_variable_store(struct plugin_variable *variable, int64_t number,
                           struct kept_text *text);

/* The session's own table, made of the shared one at its first SET. NULL: no memory. */
WEIR_MUST_CHECK struct plugin_session_values *
plugin_session_values_own(const struct plugin_registry *registry, struct weir_session *session);

/* The value for a session, or the global one (session NULL). */
void plugin_variable_read(const struct plugin_variable *variable,
                          const struct weir_session *session, int64_t *number, weir_string *text);

/* Reads a value, or says what is wrong with it as the server does. */
WEIR_MUST_CHECK bool plugin_variable_parse(const struct plugin_variable *variable,
                                           const struct plugin_input *input,
                                           struct plugin_value *value,
                                           struct plugin_refusal *refusal);

/* Finds the variables of the loaded plugins and gives them their values, in rising order: the
 * manifest's, the configuration file's, the one that SET has left on disk. Before Validate. */
WEIR_MUST_CHECK int plugin_variables_begin(struct plugin_registry *registry, struct error *error);

/* Says in the log which values come from SET GLOBAL of before, and which of the file belong to
 * nothing (variable_origins.c). */
void plugin_variables_report(const struct plugin_registry *registry);

/* Asks the plugin's OnVariable about the values that are not the manifest's. After its Validate. */
WEIR_MUST_CHECK int plugin_variables_validate(struct weir_plugin *plugin, struct error *error);

/* The value is this node's own from now on, or the cluster's, which keeps it there (copied); the lock is held. */
void plugin_variable_mark(struct plugin_variable *variable, const char *cluster_place);

/* After the last session has ended. */
void plugin_variables_end(struct plugin_registry *registry);

/* The host's functions for plugins. */
weir_string plugin_host_variable_text(const weir_plugin *plugin, uint32_t variable);
int64_t plugin_host_session_number(const weir_session *session, const weir_plugin *plugin,
                                   uint32_t variable);
weir_string plugin_host_session_text(const weir_session *session, const weir_plugin *plugin,
                                     uint32_t variable);
int plugin_host_pending_value(const weir_variable *variable, uint32_t index, int64_t *number,
                              weir_string *text);
int plugin_host_replace_value(weir_variable *variable, const char *text, size_t size);
void plugin_host_return_text(weir_call *call, const char *text, size_t size);
void plugin_host_add_status(weir_status *status, const char *name, const char *text, size_t size);

/* ---- persist.c ---- */

/* A file that isn't there holds nothing. */
WEIR_MUST_CHECK int plugin_persisted_read(struct plugin_persisted *persisted, const char *path,
                                          struct error *error);
const char *plugin_persisted_text(const struct plugin_persisted *persisted, const char *name);

/* Copies; false: no memory. */
WEIR_MUST_CHECK bool plugin_persisted_copy(struct plugin_persisted *to,
                                           const struct plugin_persisted *from);

/* text NULL: the name is removed. false: no memory. */
WEIR_MUST_CHECK bool plugin_persisted_set(struct plugin_persisted *persisted, const char *name,
                                          const char *text);

/* Replaces the file: whoever reads it, after whatever crash, reads the old one or the new one. */
WEIR_MUST_CHECK int plugin_persisted_write(const struct plugin_persisted *persisted,
                                           const char *path, struct error *error);
void plugin_persisted_release(struct plugin_persisted *persisted);

#endif
