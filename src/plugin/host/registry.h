/* SPDX-License-Identifier: Apache-2.0
 *
 * The registry's insides, shared by loading, dispatch, administration and the host's functions.
 *
 * A plugin's state changes in plugin_set_state() only, on the main thread, and the chains are built
 * once, when every plugin has been initialised; so the event path reads plain memory and one atomic
 * flag a plugin. */
#ifndef WEIR_PLUGIN_HOST_REGISTRY_H
#define WEIR_PLUGIN_HOST_REGISTRY_H

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>

#include "plugin/declared/plugin_declared.h"
#include "plugin/host/complaints.h"
#include "plugin/host/guard.h"
#include "plugin/host/plugin_host.h"

/* X(ENUMERATOR, name): TiDB's states. Disable: failed to validate or to initialise, and was
 * skipped. */
#define PLUGIN_STATES(X)                                                                           \
    X(UNINITIALIZED, "Uninitialized")                                                              \
    X(READY, "Ready")                                                                              \
    X(DYING, "Dying")                                                                              \
    X(DISABLE, "Disable")

enum plugin_state {
#define X(enumerator, name) PLUGIN_STATE_##enumerator,
    PLUGIN_STATES(X)
#undef X
};

struct plugin_store;

/* What the manifest in the file says; strings are borrowed from json. */
struct plugin_identity {
    json_t *json;
    const char *name, *kind, *version, *license;
    const char *require_version; /* NULL: any */
    bool refuses_on_failure;
    unsigned needs;                                        /* PLUGIN_NEEDS_* */
    json_t *variables;                                     /* sysVars; NULL: none */
    json_t *functions;                                     /* NULL: none */
    json_t *status;                                        /* statusVars; NULL: none */
    const char *disable_privileges[PLUGIN_PRIVILEGES + 1]; /* ends with NULL */
};

struct weir_plugin {
    struct plugin_registry *registry;
    size_t index; /* the slot of session->data */
    struct plugin_identity identity;
    char *library; /* absolute path */
    void *handle;  /* dlopen()'s */
    const weir_manifest *manifest;
    unsigned subscribed; /* PLUGIN_SUBSCRIBES_* */
    weir_verdict (*on_variable)(weir_session *session, weir_variable_event event,
                                weir_variable *variable);                  /* NULL: none */
    weir_verdict (*on_status)(weir_session *session, weir_status *status); /* NULL: none */
    struct plugin_definitions definitions;
    struct plugin_variable **variables; /* by index in sysVars; owned */
    enum plugin_state state;
    atomic_bool enabled;
    bool is_locked;                                                      /* -plugin-locked */
    weir_verdict (*on_function)(weir_session *session, weir_call *call); /* NULL: none */
    weir_verdict (*on_plugin_event)(weir_session *session, weir_plugin_event event,
                                    weir_string plugin); /* NULL: none */
    struct plugin_callable *callables;                   /* by index in functions; owned */
    size_t callable_count;
    struct plugin_status_definition *status; /* statusVars; owned */
    size_t status_count;
    atomic_uint_fast64_t failures, failed_ns; /* see struct plugin_health */
    pthread_mutex_t flushing;                 /* one OnFlush or OnFunction at a time */
    struct complaints complaints;             /* what it has done wrong in events */
    struct plugin_store
        *store; /* made when it first asks for something; NULL: not yet. Under the storage's lock */
};

/* The plugins that subscribe to one kind of event, in the order of -plugin-load. */
struct plugin_chain {
    size_t count;
    struct weir_plugin *plugins[PLUGIN_MAX_LOADED];
};

struct plugin_registry {
    struct plugin_options options;
    char *data_directory; /* absolute; NULL: none */
    struct plugin_variables *variables;
    struct strbuf accounts_at_start;
    atomic_uint subscribed;
    struct plugin_chain connection, general, parse, global_variable;
    size_t count;
    struct weir_plugin *plugins[PLUGIN_MAX_LOADED];
};

/* An event, or another call of a plugin that may end in weir_refuse(), while it runs: on the stack
 * of the thread that runs it. */
struct plugin_running {
    struct plugin_refusal *refusal; /* where weir_refuse() writes; NULL: it has no effect */
    /* Of the callback that runs, or ran last; set by plugin_enter(): */
    const struct weir_plugin *plugin;
    bool gave_reason;   /* weir_refuse() has been called */
    bool forgot_return; /* ... and WEIR_OK was returned */
    /* Of the event: */
    bool may_hold_verdict;
    unsigned verdict_holds; /* that have been given out during the event */
};

/* What weir_fail() said on this thread since it was last taken; "" when nothing (valid until the
 * thread's next callback). */
const char *plugin_take_failure(void);

/* Whether there is something to take. */
extern _Thread_local bool plugin_has_failure;

/* Adds a warning to where the thread's warnings are collected, if they are (plugin_thread.c). */
void plugin_note_warning(const char *message, size_t size);

/* Adds an account to where the thread's are collected, if they are. */
void plugin_expect_account(const weir_plugin *plugin, weir_string account);

/* The one way into a plugin's code. Calls the callback, marked for whoever watches the thread
 * (plugin_activity_here()), and returns its verdict: WEIR_FAIL when an exception leaves it. WEIR_OK
 * after weir_refuse() or weir_fail() is what these say, since the plugin has only forgotten to return
 * it. event: a text that lives as long as the registry. running: what weir_refuse() is about; NULL:
 * nothing can be refused. */
static inline weir_verdict plugin_enter(const struct weir_plugin *plugin, const char *event,
                                        plugin_callback *callback, void *arguments,
                                        struct plugin_running *running)
{
    struct plugin_activity *activity = plugin_activity_here();
    const char *outer = atomic_load_explicit(&activity->plugin, memory_order_relaxed);
    if (plugin_has_failure)
        plugin_take_failure(); /* another callback's */
    if (running) {
        running->plugin = plugin;
        running->gave_reason = running->forgot_return = false;
    }
    atomic_store_explicit(&activity->event, event, memory_order_relaxed);
    atomic_store_explicit(&activity->plugin, plugin->identity.name, memory_order_relaxed);
    const uint64_t begun_ns = activity->callbacks ? clock_monotonic_ns() : 0;
    weir_verdict verdict = plugin_guard(callback, arguments);
    if (activity->callbacks)
        durations_add(&activity->callbacks[plugin->index], clock_monotonic_ns() - begun_ns);
    atomic_store_explicit(&activity->plugin, outer, memory_order_relaxed);
    if (verdict != WEIR_OK)
        return verdict;
    if (running && running->gave_reason) {
        running->forgot_return = true;
        return WEIR_REFUSE;
    }
    return plugin_has_failure ? WEIR_FAIL : WEIR_OK;
}

/* Logs "NAME WHAT EVENT: REASON", each message at most once a second. Any thread. */
void plugin_complain(const struct weir_plugin *plugin, const char *what, const char *event,
                     const char *reason);

/* It could not do its work. Any thread. */
void plugin_note_failure(const struct weir_plugin *plugin);

/* Loads DIRECTORY/ID.so and checks it against this host. Returns owned (plugin_free), or NULL and
 * *error. */
WEIR_MUST_CHECK struct weir_plugin *plugin_load(struct plugin_registry *registry, const char *id,
                                                struct error *error);
void plugin_free(struct weir_plugin *plugin);

/* The first part of that: finds the file and reads its manifest, and runs nothing of it. */
WEIR_MUST_CHECK struct weir_plugin *plugin_find_file(struct plugin_registry *registry,
                                                     const char *id, struct error *error);

/* What its manifest declares, into its definitions. */
WEIR_MUST_CHECK int plugin_read_definitions(struct weir_plugin *plugin, struct error *error);

/* Calls one() for each name of an option's list, until one returns -1. */
WEIR_MUST_CHECK int plugin_for_each_named(const char *option, const char *names,
                                          int (*one)(void *user, const char *name,
                                                     struct error *error),
                                          void *user, struct error *error);

/* Reads and checks the manifest of a shared object; text is its JSON, path stands for it in errors.
 * On success the identity owns its json. */
WEIR_MUST_CHECK int plugin_identity_read(struct plugin_identity *identity, const char *text,
                                         const char *path, struct error *error);

/* Says that -plugin-locked names it. */
void plugin_refusal_locked(struct plugin_refusal *refusal, const struct weir_plugin *plugin);

/* The table that plugins call (host_functions.c). */
extern const weir_host_functions plugin_host;

/* Sets the call of a plugin that this thread runs outside of a session's events (OnFunction,
 * OnVariable). It takes precedence over session->running, because the session's thread may run an
 * event meanwhile. Returns what was set before. */
struct plugin_running *plugin_set_calling(struct plugin_running *calling);
bool plugin_is_calling(void);

/* The call that weir_refuse() is about: the one that is set, otherwise the session's event; NULL:
 * none. */
struct plugin_running *plugin_running_here(const struct weir_session *session);

/* A pending answer ended in WEIR_FAIL. Logs it; returns whether the session must not go on. Any
 * thread. */
WEIR_MUST_CHECK bool plugin_hold_failed(const struct weir_plugin *plugin, const char *function,
                                        const char *reason);

/* What a client reads of a plugin that refused without a reason, or that failed. */
void plugin_refusal_unexplained(struct plugin_refusal *refusal, const struct weir_plugin *plugin);
void plugin_refusal_failed(struct plugin_refusal *refusal, const struct weir_plugin *plugin);
void plugin_refusal_late(struct plugin_refusal *refusal, const struct weir_plugin *plugin,
                         const char *why);

/* OnPluginEvent of those that are enabled, about subject. Any thread. session may be NULL. */
void plugin_notify_of_plugin(struct plugin_registry *registry, struct weir_session *session,
                             weir_plugin_event event, const struct weir_plugin *subject);

#endif
