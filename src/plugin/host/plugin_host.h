/* SPDX-License-Identifier: Apache-2.0
 *
 * plugin/host: the server's side of plugins: loading, life cycle, the dispatch of events to them,
 * their verdicts, system variables and functions.
 *
 * The gateway fills a struct weir_session (what plugins see as an opaque handle) and calls the
 * plugin_*_event() functions; this room owns the order of the plugins, what a verdict means, and
 * what happens when a plugin fails. It knows nothing of sockets, and sees statements as text
 * through the room sql only.
 *
 * Threads: events of one session come from its worker thread; plugin_flush() and
 * plugin_set_enabled() come from any thread. Which plugins are loaded never changes after
 * plugin_registry_load(). */
#ifndef WEIR_PLUGIN_HOST_PLUGIN_HOST_H
#define WEIR_PLUGIN_HOST_PLUGIN_HOST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/plugin.h>

#include "base/base.h"
#include "plugin/declared/plugin_declared.h"
#include "wire/wire.h"

/* ---- Session facts: one struct a session ---- */

#define PLUGIN_MAX_LOADED 32 /* plugins of one server; their slots of session data; bits of a set */

/* Why something was refused. */
struct plugin_refusal {
    uint32_t code;     /* error number */
    char sqlstate[6];  /* NUL-terminated */
    char message[512]; /* NUL-terminated */
    const char *by;    /* name of the plugin that refused or failed */
};

/* The result of an event. */
enum plugin_outcome {
    PLUGIN_ALLOWED, /* go on */
    PLUGIN_REFUSED, /* the refusal says why */
    PLUGIN_PENDING, /* one or more plugins answer later: wait for their verdict holds */
};

/* A verdict comes back as a value that the caller owns. When the outcome is ALLOWED nothing else is
 * written, so that allowing costs one store. */
struct plugin_verdict {
    enum plugin_outcome outcome;
    struct plugin_refusal refusal; /* valid when REFUSED, or PENDING and order != PLUGIN_NO_ORDER */
    size_t order; /* valid when REFUSED or PENDING: position of the plugin that refused among those
                     that are loaded; PLUGIN_NO_ORDER: none has refused so far */
};

#define PLUGIN_NO_ORDER SIZE_MAX

#define PLUGIN_SESSION_MAGIC 0x57534553U /* "WSES" */
#define PLUGIN_HOLD_MAGIC    0x57484c44U /* "WHLD" */

/* Facts of the connection and of the current statement. The gateway owns what the strings point at
 * and keeps it alive while an event runs. Absent strings are {NULL, 0}; absent numbers WEIR_ABSENT.
 * Index with WEIR_TEXT_user, WEIR_NUMBER_rows ... text[WEIR_TEXT_command] is NUL-terminated:
 * OnGeneralEvent gets it as a C string. Facts that are absent here are asked of the source. */
struct weir_session {
    unsigned magic; /* PLUGIN_SESSION_MAGIC: set by plugin_session_init() */
    weir_string text[WEIR_TEXT_FACT_END_];
    uint64_t number[WEIR_NUMBER_FACT_END_];
    uint8_t client_address[16];
    uint8_t client_address_size; /* 0, 4 or 16 */
    const uint8_t *attributes;   /* the connection attributes' block as sent; NULL when none.
                                    plugin_session_attributes() sets this and the next three */
    size_t attributes_size;
    const char *proxy_values; /* the TLVs of a PROXY header; NULL when none */
    size_t proxy_values_size;
    struct { /* where the attribute that was asked for last begins: the next is found from there */
        size_t index, offset;
    } attribute_cursor;
    struct waypoints attributes_passed; /* of the cursor's offset */

    /* Who is asked for facts that are absent above. NULL: nobody, they are absent. */
    const struct plugin_facts_source *source;
    void *source_data;

    /* The event that plugins are being notified of; NULL: none. Set by the functions below for the
     * duration of the call. It says where weir_refuse() writes and what may be held. */
    struct plugin_running *running;

    void *data[PLUGIN_MAX_LOADED]; /* the plugins' own pointers */

    /* Bits by the plugins' index: those that have been notified of the session, and those that
     * have been notified of the Starting of the current command. */
    uint32_t knowing, listening;

    /* variables.c: values of variables with session scope. Those that were global when the session
     * began are shared by all; the session's own ones once it has set any. */
    const struct plugin_session_values *values;
    bool owns_values;
};

/* Who gives the answer of a hold: whoever comes first. */
enum plugin_hold_fate { PLUGIN_HOLD_IS_OUT, PLUGIN_HOLD_ANSWERED, PLUGIN_HOLD_ABANDONED };

/* What a plugin may hold. */
enum plugin_hold_kind {
    PLUGIN_HOLD_REPLY,   /* weir_hold_reply(): what the client would read next is kept back */
    PLUGIN_HOLD_VERDICT, /* weir_hold_verdict(): the plugin answers the event later */
};

/* How costly facts are found out; each may be NULL. Each time that a plugin asks for a fact, the
 * source is asked: it remembers by itself what is costly. The strings that text() returns live until
 * the statement has ended, or PreParse has; that of redacted_message until it is asked for again. */
struct plugin_facts_source {
    /* Any fact that is absent in session->text[]: kind, normalized, digest, expanded_sql,
     * specific_kind, redacted_sql, redacted_message, unknown; {NULL, 0} for those that it does not
     * have. */
    weir_string (*text)(void *source_data, uint32_t fact);
    /* Any fact that is WEIR_ABSENT in session->number[]: table_count, tables_known, digest_exact,
     * reading_known, names_known, routine_count, connection_duration; WEIR_ABSENT for those that it does not have. */
    uint64_t (*number)(void *source_data, uint32_t fact);
    int (*parameter)(void *source_data, size_t index, weir_parameter *parameter);
    int (*parameter_origin)(void *source_data, size_t index, weir_parameter_origin *origin);
    int (*table)(void *source_data, size_t index, weir_table *table);
    int (*routine)(void *source_data, size_t index, weir_routine *routine);
    int (*part)(void *source_data, size_t index, weir_part *part);
    weir_string (*part_text)(void *source_data, size_t index, uint32_t fact);
    int (*attribute)(void *source_data, size_t index, weir_string *name, weir_string *value);
    /* A plugin wants to hold something. Returns a zeroed struct weir_hold with release set, owned
     * by the source until release() has been called; NULL: it cannot be held now. Called on the
     * session's thread, within an event only; VERDICT within PreConnect, PreAuth, PreParse and Starting only,
     * and then the event's outcome is PENDING. */
    struct weir_hold *(*hold)(void *source_data, enum plugin_hold_kind kind);
    /* A plugin limits the reply of the command that it judges. Returns 1, or 0: it cannot be limited. */
    int (*limit)(void *source_data, const weir_limits *limits,
                 const struct plugin_refusal *refusal);
    /* A plugin chooses a backend by its name or role, in an event whose verdict counts. Returns 1, or 0: it
     * cannot be chosen now. */
    int (*choose_backend)(void *source_data, weir_string name);
};

/* What the source's hold() has given to a plugin. Once the plugin has answered, release() is called
 * exactly once, on any thread; the hold is the source's again then. Of a VERDICT, pass it to
 * plugin_verdict_merge() on the session's thread, or to plugin_hold_drop() when the session has
 * ended meanwhile. The source sets release, and everything else is set here. */
struct weir_hold {
    unsigned magic; /* PLUGIN_HOLD_MAGIC while the plugin has it; 0 once it has answered */
    enum plugin_hold_kind kind;
    const struct weir_plugin *plugin;
    const char *plugin_name; /* lives as long as the registry */
    size_t order;            /* of the plugin, as in struct plugin_verdict */
    bool failed;  /* REPLY: the plugin could not do its work, and its on_failure is "refuse" */
    bool refused; /* VERDICT: refused, or failed with on_failure = "refuse" */
    struct plugin_refusal *refusal; /* set when failed or refused. Owned by the hold until merge,
                                       drop or plugin_hold_take_refusal() */
    void (*release)(struct weir_hold *hold);
    atomic_uint fate;                 /* enum plugin_hold_fate: who gives the answer */
    struct weir_hold *before, *after; /* abandoned ones (plugin_holds.c) */
};

/* All facts absent, no plugin data. */
void plugin_session_init(struct weir_session *session);

/* Sets the connection attributes, and frees what was noted of those before; NULL: none. The session
 * borrows them, and has to be given none before it ends. */
void plugin_session_attributes(struct weir_session *session, const uint8_t *block, size_t size);

/* ---- Where a thread is ---- */

/* Which plugin's callback a thread runs, for whoever watches it from another one. */
struct plugin_activity {
    _Atomic(const char *) plugin; /* its name; NULL: none is running */
    _Atomic(const char *) event;  /* its name; of the last one */
    struct durations *callbacks; /* by the plugin's index: how long they take; NULL: not measured */
};

/* Where this thread's calls of plugins are marked, by relaxed stores: a place of the thread's own, or
 * where it was told to. Async-signal-safe. */
static inline struct plugin_activity *plugin_activity_here(void)
{
    extern _Thread_local struct plugin_activity *plugin_activity_told;
    extern _Thread_local struct plugin_activity plugin_activity_own;
    return plugin_activity_told ? plugin_activity_told : &plugin_activity_own;
}

/* From here on what plugins log as warnings on this thread is also added to `texts`, with "; " between
 * them, and accounts that they expect the server to have to `accounts`, each with a NUL behind it. NULL: no more.
 * Borrowed until then. */
void plugin_collect_warnings(struct strbuf *texts, struct strbuf *accounts);

/* Appends a text as a literal of hexadecimal digits. */
void plugin_add_hex(struct strbuf *out, const char *data, size_t size);

/* Appends the statement whose rows are those of these accounts that no account of the server is, or could be meant by.
 * Returns how many it asks for; 0: it is of no use. */
size_t plugin_ask_for_accounts(struct strbuf *out, const struct strbuf *accounts);

/* From now on this thread marks them there. activity outlives the thread's calls, and what it points
 * to lives as long as the registry. */
void plugin_mark_calls(struct plugin_activity *activity);

/* ---- Where plugins store keys (plugin_storage.c) ---- */

struct plugin_storage;
struct store;

/* shared: a store that other processes have as well (borrowed), whose keys of plugins are below
 * PREFIX/plugin/; NULL: one of this process, in the folder plugin-store of the data directory, which is opened
 * when a plugin first asks for something. data_directory NULL: then there is none. Returns owned, or NULL
 * without memory. */
WEIR_MUST_CHECK struct plugin_storage *plugin_storage_new(struct store *shared, const char *prefix,
                                                          const char *data_directory);

/* After the registry was shut down, and the shared store freed. storage may be NULL. */
void plugin_storage_free(struct plugin_storage *storage);

/* ---- Loading and life cycle ---- */

struct plugin_registry;

/* Where a setting stands. */
struct plugin_setting_place {
    const char *file; /* borrowed; lives as long as the registry */
    unsigned line;
    bool is_string; /* in quotes, and no number or boolean */
};

/* A configuration file's [plugin.NAME], as far as plugins read it. */
struct plugin_settings {
    /* The value of key as text, NULL when absent; borrowed. NULL: there are none. */
    const char *(*value)(void *user, const char *plugin, const char *key);
    /* Where that key stands. false: nowhere. NULL: nobody knows. */
    bool (*place)(void *user, const char *plugin, const char *key,
                  struct plugin_setting_place *place);
    void *user;
};

struct plugin_options {
    const char *directory;           /* -plugin-dir */
    const char *load;                /* -plugin-load: "a-1,b-2"; NULL or "": none */
    const char *locked;              /* -plugin-locked: "a,b"; NULL or "": none */
    bool skip_on_failure;            /* -skip-plugin-on-failure; not for plugins that are locked */
    struct plugin_settings settings; /* what it lends lives as long as the registry */
    const char *variables_file;      /* where SET GLOBAL and SET PERSIST are kept; NULL: nowhere */
    const char *data_directory;      /* NULL: none */
    struct plugin_storage *storage;  /* where plugins store keys; NULL: nowhere */
    /* The index-th name of a weir_name_list; NULL: there are no more. NULL itself: none are known. */
    const char *(*known_name)(uint32_t list, size_t index);
};

/* Loads, validates and initialises the plugins, in order. NULL and *error when one fails and is not
 * skipped; those that were initialised before it are shut down. A registry without plugins costs
 * nothing. Main thread. */
WEIR_MUST_CHECK struct plugin_registry *plugin_registry_load(const struct plugin_options *options,
                                                             struct error *error);

/* Accounts that plugins have expected the server to have when they were loaded, each with a NUL behind it. */
const struct strbuf *plugin_accounts_at_start(const struct plugin_registry *registry);

/* Looks at what plugin_registry_load() would load as far as that can be done without running any code of it: files,
 * manifests, and the values that the configuration file has for variables. Calls found() for each. */
WEIR_MUST_CHECK int plugin_inspect_files(const struct plugin_options *options,
                                         void (*found)(void *user, const char *name,
                                                       const char *version, const char *library),
                                         void *user, struct error *error);

/* OnShutdown of each, in reverse order; frees the registry. No event may be running. */
void plugin_registry_shutdown(struct plugin_registry *registry);

/* ---- Events ---- */

/* What the enabled plugins subscribe to: bits. One relaxed atomic load. */
#define PLUGIN_SUBSCRIBES_CONNECTION      1U
#define PLUGIN_SUBSCRIBES_GENERAL         2U
#define PLUGIN_SUBSCRIBES_PARSE           4U
#define PLUGIN_SUBSCRIBES_GLOBAL_VARIABLE 8U
unsigned plugin_registry_subscribed(const struct plugin_registry *registry);

/* Notify the plugins of an event, on the session's thread. *verdict need not be initialised.
 *
 * Every subscribed plugin is notified, whatever the others answer, and the first refusal in the
 * order of -plugin-load counts: the plugin's own message (weir_refuse()), or one that names the
 * plugin when it returned WEIR_REFUSE without one, or when it failed and its on_failure is
 * "refuse". For events that cannot refuse (Connected, Disconnect, Reject, Completed, Error) REFUSED
 * means that a plugin with on_failure = "refuse" FAILED.
 *
 * PENDING (PreConnect, PreAuth, PreParse and Starting only): as many verdict holds are out as the source's
 * hold() has given during the call; all are waited for, also when another plugin has refused at
 * once. Merge each as it comes back, then settle. A plugin may answer on another thread before the
 * call returns. */
void plugin_connection_event(struct plugin_registry *registry, struct weir_session *session,
                             weir_connection_event event, struct plugin_verdict *verdict);
void plugin_general_event(struct plugin_registry *registry, struct weir_session *session,
                          weir_general_event event, struct plugin_verdict *verdict);
void plugin_parse_event(struct plugin_registry *registry, struct weir_session *session,
                        weir_parse_event event, struct plugin_verdict *verdict);

/* Folds one answered verdict hold into a PENDING verdict: the first refusal in order counts. Frees
 * what decided owns (not decided itself). Any order of calls gives the same result. */
void plugin_verdict_merge(struct plugin_verdict *verdict, struct weir_hold *decided);

/* All holds of a PENDING verdict have been merged: makes it REFUSED or ALLOWED. */
void plugin_verdict_settle(struct plugin_verdict *verdict);

/* Ends the wait for a plugin's answer: it is as if the plugin had failed for the reason `why`, which
 * goes to the log and to the client. true: *answer is that of the hold, to be merged or dropped, and
 * the host owns the hold itself from now on (a block of malloc()): it is freed when the plugin
 * answers after all, on any thread, and without release(). false: the plugin has answered
 * meanwhile; release() has been or is being called. On the session's thread. */
WEIR_MUST_CHECK bool plugin_hold_abandon(struct weir_hold *hold, const char *why,
                                         struct weir_hold *answer);

/* Of a REPLY that has failed: takes why, for plugin_refusal_free(). NULL: it has not failed. */
struct plugin_refusal *plugin_hold_take_refusal(struct weir_hold *answered);
void plugin_refusal_free(struct plugin_refusal *refusal); /* NULL is allowed */

/* The session has ended before the answer came: frees what an answered hold of either kind owns
 * (not the hold itself). */
void plugin_hold_drop(struct weir_hold *decided);

void plugin_global_variable_event(struct plugin_registry *registry, struct weir_session *session,
                                  weir_string name, weir_string value);

/* ---- Administration ---- */

/* Runs OnFlush. -1 with a clear message in TiDB's style: unknown plugin, no OnFlush, or the flush
 * failed. May block: not for a worker's loop. */
WEIR_MUST_CHECK int plugin_flush(struct plugin_registry *registry, struct weir_session *session,
                                 const char *name, struct error *error);

/* Enables or disables it. Both calls notify the plugins that export OnPluginEvent; session is whose
 * statement it is, or NULL. */
WEIR_MUST_CHECK int plugin_set_enabled(struct plugin_registry *registry,
                                       struct weir_session *session, const char *name, bool enabled,
                                       struct error *error);

/* Whether statements may change the plugin at run time: false, and *refusal is set, when
 * -plugin-locked names it (1290). A name that no plugin has may: whatever comes next says so. */
WEIR_MUST_CHECK bool plugin_may_change(const struct plugin_registry *registry, const char *name,
                                       struct plugin_refusal *refusal);

/* What the plugin's manifest demands besides, to disable it and to set its variables for all: names
 * as in SHOW GRANTS, one of which will do; ends with NULL. Empty: nothing, or no such plugin. */
const char *const *plugin_disable_privileges(const struct plugin_registry *registry,
                                             const char *name);

/* Whether the plugin of that row has an OnFlush and is enabled. */
bool plugin_can_flush(const struct plugin_registry *registry, size_t index);

/* One row of SHOW PLUGINS: Name, Status ("Ready-enable"), Type, Library (absolute path), License,
 * Version. */
struct plugin_row {
    const char *name, *status, *type, *library, *license, *version;
};
size_t plugin_count(const struct plugin_registry *registry);
struct plugin_row plugin_row_at(const struct plugin_registry *registry, size_t index);

/* How the plugin of that row is. Any thread. */
struct plugin_health {
    bool is_ready; /* it was initialised; otherwise it was skipped */
    bool is_enabled;
    bool refuses_on_failure;
    uint64_t failures;  /* callbacks and pending answers that have failed */
    uint64_t failed_ns; /* when the last of them has; monotonic; 0: none has */
};
struct plugin_health plugin_health_at(const struct plugin_registry *registry, size_t index);

/* ---- System and status variables (variables.c, persist.c) ---- */

struct plugin_variable; /* lives as long as the registry, and never changes but for its values */

/* Whether any plugin has system or status variables. */
bool plugin_has_variables(const struct plugin_registry *registry);

/* The variables of all plugins that are loaded, sorted by name. */
size_t plugin_variable_count(const struct plugin_registry *registry);
const struct plugin_variable *plugin_variable_at(const struct plugin_registry *registry,
                                                 size_t index);

/* By name, in any case. NULL: it is not a plugin's. */
const struct plugin_variable *plugin_variable_find(const struct plugin_registry *registry,
                                                   const char *name, size_t size);

/* Whether a variable can have its name somewhere in this text: a quick look for a '_' after the
 * name of a plugin that has variables. */
bool plugin_variable_may_be_in(const struct plugin_registry *registry, const char *text,
                               size_t size);

const char *plugin_variable_name(const struct plugin_variable *variable);
unsigned plugin_variable_scopes(const struct plugin_variable *variable); /* PLUGIN_SCOPE_* */

/* Those of its plugin, as plugin_disable_privileges(). */
const char *const *plugin_variable_privileges(const struct plugin_variable *variable);

/* How a value is written in SQL: its kind for SELECT @@name. */
enum plugin_literal {
    PLUGIN_LITERAL_TEXT,   /* a string */
    PLUGIN_LITERAL_NUMBER, /* text is digits, perhaps with a sign or a fraction */
};

struct plugin_shown {
    weir_string text;   /* as SHOW VARIABLES prints it; NUL-terminated */
    weir_string number; /* as SELECT prints it, when the literal is a NUMBER; else equal to text */
    enum plugin_literal literal;
};

/* The value for a session, or the global one (session NULL). Borrowed until the session's next
 * statement. */
struct plugin_shown plugin_variable_shown(const struct plugin_variable *variable,
                                          const struct weir_session *session);

/* X(ENUMERATOR, name): what gives a global value. */
#define PLUGIN_VALUE_SOURCES(X)                                                                    \
    X(DEFAULT, "DEFAULT")     /* the plugin's manifest */                                          \
    X(FILE, "FILE")           /* the configuration file */                                         \
    X(PERSISTED, "PERSISTED") /* SET GLOBAL or SET PERSIST, now or before a restart */             \
    X(CLUSTER, "CLUSTER")     /* the same, on any node of the cluster */

enum plugin_value_source {
#define X(enumerator, name) PLUGIN_SOURCE_##enumerator,
    PLUGIN_VALUE_SOURCES(X)
#undef X
};

/* A global value and where it comes from. Initialised and released by the caller. */
struct plugin_variable_origin {
    enum plugin_value_source source;
    struct strbuf value;
    struct strbuf path; /* "weir.toml:12", "/weir/NAME/variables/X@7" (revision); empty: none */
    struct strbuf configured; /* what DEFAULT goes back to */
    bool is_persisted;
    struct strbuf persisted; /* what the next start begins with */
};

void plugin_variable_origin(const struct plugin_variable *variable,
                            struct plugin_variable_origin *origin);
void plugin_variable_origin_release(struct plugin_variable_origin *origin);

/* The session begins, or is reset: its values are the global ones of now. */
void plugin_session_values_begin(struct plugin_registry *registry, struct weir_session *session);
void plugin_session_values_end(struct weir_session *session);

enum plugin_set_scope {
    PLUGIN_SET_SESSION,
    PLUGIN_SET_GLOBAL,
    PLUGIN_SET_PERSIST,      /* the same: both survive a restart */
    PLUGIN_SET_PERSIST_ONLY, /* for the next start; also for variables that are read-only */
    PLUGIN_SET_FILE,         /* as the configuration file says: kept nowhere else */
};

struct plugin_assignment; /* a value that may be set */

/* Whether the variable can be set in this scope at all: true, or *refusal is set (1238, 1229,
 * 1228; 1290 when its plugin is locked). */
WEIR_MUST_CHECK bool plugin_variable_may_set(const struct plugin_variable *variable,
                                             enum plugin_set_scope scope,
                                             struct plugin_refusal *refusal);

/* Checks the value by its type and bounds. Returns owned, or NULL with *refusal set (1231, 1232). */
WEIR_MUST_CHECK struct plugin_assignment *
plugin_variable_prepare(const struct plugin_variable *variable, enum plugin_set_scope scope,
                        const struct plugin_input *input, struct plugin_refusal *refusal);

/* Asks the plugins about all assignments of a statement, at least one; each sees the values of the
 * others, and may replace its own. false: *refusal is set (1231, or the plugin's own). May block.
 * session: whose statement it is. */
WEIR_MUST_CHECK bool plugin_assignments_validate(struct weir_session *session,
                                                 struct plugin_assignment *const *assignments,
                                                 size_t count, struct plugin_refusal *refusal);

/* Applies the values in order, notifies the plugins, and writes the file when one is
 * global. -1 when the file could not be written: then nothing has taken effect. May block. */
WEIR_MUST_CHECK int plugin_variables_set(struct plugin_registry *registry,
                                         struct weir_session *session,
                                         struct plugin_assignment *const *assignments, size_t count,
                                         struct error *error);

void plugin_assignment_free(struct plugin_assignment *assignment); /* NULL is allowed */

/* ---- The configuration file, read again (reloaded_settings.c) ---- */

struct plugin_reloaded_settings;

/* What the file has for variables now, if each is right and no plugin refuses it. Returns owned; NULL: *error says what is
 * wrong, and where. changes_locked: also those of plugins that are locked. notes: sentences about those
 * that differ and do not take effect, with "; " between them. source: borrowed until it returns. May block. */
WEIR_MUST_CHECK struct plugin_reloaded_settings *
plugin_reloaded_settings_read(struct plugin_registry *registry,
                              const struct plugin_settings *source, bool changes_locked,
                              struct strbuf *notes, struct error *error);

/* They take effect, but for those that SET GLOBAL has changed meanwhile. -1 without memory. */
WEIR_MUST_CHECK int plugin_reloaded_settings_set(struct plugin_reloaded_settings *settings,
                                                 struct error *error);
void plugin_reloaded_settings_free(struct plugin_reloaded_settings *settings); /* NULL is allowed */

/* ---- Variables that the nodes of a cluster share (cluster_values.c) ---- */

/* Whether all nodes are to have one value of it: it has a global one, it can be set, and its manifest does not say that
 * it is each node's own (per_node). */
bool plugin_variable_is_shared(const struct plugin_variable *variable);

/* What an assignment that has been applied means for the other nodes. */
enum plugin_share {
    PLUGIN_SHARE_NOTHING,   /* it is the session's or the node's own */
    PLUGIN_SHARE_VALUE,     /* they are to have *text, too; NULL: DEFAULT. Borrowed from it */
    PLUGIN_SHARE_NEXT_START /* of this node only, where the cluster's value counts more then */
};
enum plugin_share plugin_assignment_share(const struct plugin_assignment *assignment,
                                          const char **name, const char **text);

/* A value that the cluster has of a variable. Borrowed. */
struct plugin_cluster_value {
    const char *name, *text; /* text NULL: DEFAULT */
    const char *place;       /* where it is kept, for people */
    bool is_taken; /* it is in effect here, or there is no such variable; otherwise why not: */
    struct plugin_refusal refusal;
};

/* Sets them here, together if they can be, because one may be right only with another; otherwise each that can be. Says
 * in the log what they replace. Those that cannot be set leave the old value in place. Any thread that may block. */
void plugin_variables_take(struct plugin_registry *registry, struct plugin_cluster_value *values,
                           size_t count);

/* Says in the log which shared variables have a value of SET GLOBAL that is this node's own, because the cluster has
 * none. */
void plugin_variables_report_own(struct plugin_registry *registry);

/* ---- Functions that clients call by SELECT (callables.c) ---- */

/* struct plugin_callable: lives as long as the registry and never changes. */

bool plugin_has_callables(const struct plugin_registry *registry);

/* By name, in any case. NULL: it is not a plugin's. */
const struct plugin_callable *plugin_callable_find(const struct plugin_registry *registry,
                                                   const char *name, size_t size);
const char *plugin_callable_name(const struct plugin_callable *callable);

/* One of these is needed, on everything; ends with NULL; empty: everybody may. */
const char *const *plugin_callable_privileges(const struct plugin_callable *callable);
bool plugin_callable_takes(const struct plugin_callable *callable, size_t count);

struct plugin_returned {
    bool is_null;
    struct strbuf text; /* initialised and released by the caller */
};

/* Calls it; arguments are NUL-terminated UTF-8, data NULL: NULL. false: *refusal says why not. May
 * block: not for a worker's loop. */
WEIR_MUST_CHECK bool plugin_call(const struct plugin_callable *callable,
                                 struct weir_session *session, const weir_string *arguments,
                                 size_t count, struct plugin_returned *returned,
                                 struct plugin_refusal *refusal);

/* Calls the OnStatus of each ready plugin; add() is given the names as SHOW STATUS prints them.
 * Strings are borrowed until it returns. */
typedef void plugin_status_row(void *user, weir_string name, weir_string value);
void plugin_status(struct plugin_registry *registry, struct weir_session *session,
                   plugin_status_row *add, void *user);

/* The same for monitoring, without a session: the rows that are numbers and in the statusVars of
 * their plugin. Plugins without statusVars are not called. Any thread. */
typedef void plugin_status_number_row(void *user, const struct plugin_status_definition *what,
                                      int64_t value);
void plugin_status_numbers(struct plugin_registry *registry, plugin_status_number_row *add,
                           void *user);

#endif
