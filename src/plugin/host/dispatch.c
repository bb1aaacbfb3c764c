/* SPDX-License-Identifier: Apache-2.0
 *
 * Events, and what the plugins' verdicts mean. This is the path that every statement takes: no
 * lock, no allocation, one relaxed load a plugin. Everything after a verdict other than WEIR_OK is
 * the cold path. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "plugin/host/registry.h"
#include "wire/wire.h"

void plugin_complain(const struct weir_plugin *plugin, const char *what, const char *event,
                     const char *reason)
{
    struct complaints *complaints = &((struct weir_plugin *)plugin)->complaints; /* has a lock */
    char message[COMPLAINT_BYTES];
    snprintf(message, sizeof message, "%s %s: %s", what, event, reason);
    complaints_add(complaints, plugin->identity.name, clock_monotonic_ns(), message);
}

static void set_refusal(struct plugin_refusal *refusal, enum wire_error_number number,
                        const char *name, const char *text)
{
    refusal->code = number;
    refusal->by = name;
    memcpy(refusal->sqlstate, wire_error_sqlstate((uint16_t)number), sizeof refusal->sqlstate);
    snprintf(refusal->message, sizeof refusal->message, "plugin %s %s", name, text);
}

void plugin_refusal_unexplained(struct plugin_refusal *refusal, const struct weir_plugin *plugin)
{
    set_refusal(refusal, WIRE_ER_ACCESS_DENIED_ERROR, plugin->identity.name, "refused this");
}

void plugin_refusal_failed(struct plugin_refusal *refusal, const struct weir_plugin *plugin)
{
    set_refusal(refusal, WIRE_ER_UNKNOWN_ERROR, plugin->identity.name,
                "failed, and its on_failure is \"refuse\"; the server's log says more");
}

void plugin_refusal_locked(struct plugin_refusal *refusal, const struct weir_plugin *plugin)
{
    set_refusal(refusal, WIRE_ER_OPTION_PREVENTS_STATEMENT, plugin->identity.name,
                "is locked: weir-server runs with -plugin-locked, and no statement can change it");
}

void plugin_refusal_late(struct plugin_refusal *refusal, const struct weir_plugin *plugin,
                         const char *why)
{
    char text[128];
    snprintf(text, sizeof text, "failed: %s, and its on_failure is \"refuse\"", why);
    set_refusal(refusal, WIRE_ER_UNKNOWN_ERROR, plugin->identity.name, text);
}

bool plugin_hold_failed(const struct weir_plugin *plugin, const char *function, const char *reason)
{
    plugin_complain(plugin, "failed in", function, reason);
    plugin_note_failure(plugin);
    return plugin->identity.refuses_on_failure;
}

/* A refusal is made of two steps, the reason and the verdict. Where one of them is missing, or nothing can
 * be refused, the plugin has a mistake in it that nothing else would show. */
static void check_refusal(struct weir_plugin *plugin, const struct plugin_running *running,
                          const char *event, bool may_refuse)
{
    if (!may_refuse)
        plugin_complain(plugin, "tried to refuse in", event,
                        "nothing can be refused there, and it went on");
    else if (running->forgot_return)
        plugin_complain(plugin, "called weir_refuse() and returned WEIR_OK in", event,
                        "it is refused; write `return weir_refuse(...)`");
}

/* Handles what is not WEIR_OK. Returns true if the session may continue; otherwise the
 * refusal is written, if it is the event's first. */
static bool is_tolerated(struct weir_plugin *plugin, struct plugin_running *running,
                         weir_verdict answer, const char *event, bool may_refuse)
{
    const char *reason = plugin_take_failure();
    if (answer == WEIR_REFUSE) {
        check_refusal(plugin, running, event, may_refuse);
        if (may_refuse && running->refusal && !running->gave_reason)
            plugin_refusal_unexplained(running->refusal, plugin);
        else if (may_refuse && running->refusal)
            running->refusal->by = plugin->identity.name;
        return !may_refuse;
    }
    if (!*reason)
        reason = answer == WEIR_FAIL ? "it didn't say why (weir_fail())"
                                     : "it returned a value that is no verdict";
    plugin_complain(plugin, "failed in", event, reason);
    plugin_note_failure(plugin);
    if (!plugin->identity.refuses_on_failure)
        return true;
    if (running->refusal)
        plugin_refusal_failed(running->refusal, plugin);
    return false;
}

static uint32_t bit_of(const struct weir_plugin *plugin)
{
    return 1U << plugin->index;
}

static bool is_enabled(const struct weir_plugin *plugin)
{
    return atomic_load_explicit(&plugin->enabled, memory_order_relaxed);
}

static uint32_t enabled_of(const struct plugin_chain *chain)
{
    uint32_t enabled = 0;
    for (size_t i = 0; i < chain->count; i++)
        if (is_enabled(chain->plugins[i]))
            enabled |= bit_of(chain->plugins[i]);
    return enabled;
}

/* What a callback is called with. */
struct arguments {
    const struct weir_manifest *manifest;
    struct weir_session *session;
    unsigned event; /* weir_connection_event ... */
    const char *command;
    weir_string name, value;
};

struct kind_of_event {
    const char *name; /* for the log */
    bool may_refuse, may_hold;
};

/* Notifies the plugins of a set of bits: all of them, also after one has refused, because what a
 * plugin is notified of must not depend on those before it. */
static inline __attribute__((always_inline)) void
notify(const struct plugin_chain *chain, uint32_t set, struct weir_session *session,
       struct kind_of_event kind, struct arguments arguments, struct plugin_verdict *verdict,
       plugin_callback *invoke)
{
    assert(verdict);
    struct plugin_running *outer = session->running;
    struct plugin_running running = {.refusal = &verdict->refusal,
                                     .may_hold_verdict = kind.may_hold};
    enum plugin_outcome outcome = PLUGIN_ALLOWED;
    /* cppcheck-suppress autoVariables ; set back below */
    session->running = &running;
    arguments.session = session;
    for (size_t i = 0; i < chain->count; i++) {
        struct weir_plugin *plugin = chain->plugins[i];
        if (!(set & bit_of(plugin)))
            continue;
        arguments.manifest = plugin->manifest;
        weir_verdict answer = plugin_enter(plugin, kind.name, invoke, &arguments, &running);
        if (__builtin_expect(answer == WEIR_OK, 1) ||
            is_tolerated(plugin, &running, answer, kind.name, kind.may_refuse))
            continue;
        if (outcome == PLUGIN_ALLOWED)
            verdict->order = plugin->index;
        outcome = PLUGIN_REFUSED;
        running.refusal = NULL; /* the first refusal counts */
    }
    session->running = outer;
    if (__builtin_expect(running.verdict_holds > 0, 0)) {
        if (outcome == PLUGIN_ALLOWED)
            verdict->order = PLUGIN_NO_ORDER;
        outcome = PLUGIN_PENDING;
    }
    verdict->outcome = outcome;
}

static weir_verdict invoke_connection(void *call)
{
    const struct arguments *with = call;
    return with->manifest->on_connection_event(with->session, (weir_connection_event)with->event);
}

/* A session's end reaches those who have been notified of the session, enabled or not. */
void plugin_connection_event(struct plugin_registry *registry, struct weir_session *session,
                             weir_connection_event event, struct plugin_verdict *verdict)
{
    assert(registry && session && session->magic == PLUGIN_SESSION_MAGIC);
    bool ends = event == WEIR_DISCONNECT || event == WEIR_REJECT;
    bool is_login = event == WEIR_PRE_CONNECT || event == WEIR_PRE_AUTH;
    uint32_t set = enabled_of(&registry->connection) | (ends ? session->knowing : 0);
    struct kind_of_event kind = {
        .name = weir_connection_event_name(event),
        .may_refuse = is_login || event == WEIR_CHANGE_USER,
        .may_hold = is_login,
    };
    session->knowing |= set;
    notify(&registry->connection, set, session, kind, (struct arguments){.event = event}, verdict,
           invoke_connection);
}

static weir_verdict invoke_general(void *call)
{
    const struct arguments *with = call;
    return with->manifest->on_general_event(with->session, (weir_general_event)with->event,
                                            with->command);
}

/* Exactly the plugins that were notified of the Starting of a command are notified of its end. */
void plugin_general_event(struct plugin_registry *registry, struct weir_session *session,
                          weir_general_event event, struct plugin_verdict *verdict)
{
    assert(registry && session && session->magic == PLUGIN_SESSION_MAGIC);
    const char *command = session->text[WEIR_TEXT_command].data;
    bool starts = event == WEIR_STARTING;
    uint64_t index = session->number[WEIR_NUMBER_statement_index];
    if (starts && (index == 0 || index == WEIR_ABSENT))
        session->knowing |= session->listening = enabled_of(&registry->general);
    notify(&registry->general, session->listening, session,
           (struct kind_of_event){weir_general_event_name(event), starts, starts},
           (struct arguments){.event = event, .command = command ? command : ""}, verdict,
           invoke_general);
}

static weir_verdict invoke_parse(void *call)
{
    const struct arguments *with = call;
    return with->manifest->on_parse_event(with->session, (weir_parse_event)with->event);
}

void plugin_parse_event(struct plugin_registry *registry, struct weir_session *session,
                        weir_parse_event event, struct plugin_verdict *verdict)
{
    assert(registry && session && session->magic == PLUGIN_SESSION_MAGIC);
    notify(&registry->parse, enabled_of(&registry->parse), session,
           (struct kind_of_event){"PreParse", true, true}, (struct arguments){.event = event},
           verdict, invoke_parse);
}

static weir_verdict invoke_global_variable(void *call)
{
    const struct arguments *with = call;
    return with->manifest->on_global_variable_event(with->session, with->name, with->value);
}

void plugin_global_variable_event(struct plugin_registry *registry, struct weir_session *session,
                                  weir_string name, weir_string value)
{
    assert(registry && session && session->magic == PLUGIN_SESSION_MAGIC);
    struct plugin_verdict ignored;
    notify(&registry->global_variable, enabled_of(&registry->global_variable), session,
           (struct kind_of_event){"GlobalVariable", false, false},
           (struct arguments){.name = name, .value = value}, &ignored, invoke_global_variable);
}

struct plugin_event_arguments {
    const struct weir_plugin *plugin;
    struct weir_session *session;
    weir_plugin_event event;
    weir_string subject;
};

static weir_verdict invoke_plugin_event(void *call)
{
    const struct plugin_event_arguments *with = call;
    return with->plugin->on_plugin_event(with->session, with->event, with->subject);
}

void plugin_notify_of_plugin(struct plugin_registry *registry, struct weir_session *session,
                             weir_plugin_event event, const struct weir_plugin *subject)
{
    weir_string name = {subject->identity.name, strlen(subject->identity.name)};
    struct plugin_running running = {.refusal = NULL}; /* nothing can be refused here */
    struct plugin_running *outer = plugin_set_calling(&running);
    for (size_t i = 0; i < registry->count; i++) {
        struct weir_plugin *plugin = registry->plugins[i];
        if (plugin->state != PLUGIN_STATE_READY || !plugin->on_plugin_event || !is_enabled(plugin))
            continue;
        struct plugin_event_arguments arguments = {plugin, session, event, name};
        const char *what = weir_plugin_event_name(event);
        weir_verdict answer = plugin_enter(plugin, what, invoke_plugin_event, &arguments, &running);
        if (answer != WEIR_OK)
            (void)is_tolerated(plugin, &running, answer, what, false);
    }
    plugin_set_calling(outer);
}
