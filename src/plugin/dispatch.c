/* SPDX-License-Identifier: Apache-2.0
 *
 * Events, and what the plugins' verdicts mean. This is the path that every statement takes: no
 * lock, no allocation, one relaxed load a plugin. Everything behind a verdict other than WEIR_OK is
 * the cold side. */
#include <stdio.h>
#include <string.h>

#include "plugin/registry.h"

#define ERROR_ACCESS_DENIED 1045U
#define ERROR_UNKNOWN       1105U /* ER_UNKNOWN_ERROR: a plugin's failure has no number of its own */
#define COMPLAINT_NS        1000000000U /* a plugin's failures are logged once a second */

static void complain(struct weir_plugin *plugin, const char *event, const char *words)
{
    uint64_t now = clock_monotonic_ns(), last = atomic_load(&plugin->complained_at);
    uint64_t failures = atomic_fetch_add(&plugin->failures, 1) + 1;
    if (last && now - last < COMPLAINT_NS)
        return;
    if (atomic_compare_exchange_strong(&plugin->complained_at, &last, now))
        log_error("plugin", "%s failed in %s: %s failures=%llu", plugin->identity.name, event,
                  words, (unsigned long long)failures);
}

static void set_refusal(struct plugin_refusal *refusal, uint32_t code, const char *sqlstate,
                        const char *name, const char *text)
{
    refusal->code = code;
    refusal->by = name;
    snprintf(refusal->sqlstate, sizeof refusal->sqlstate, "%s", sqlstate);
    snprintf(refusal->message, sizeof refusal->message, "plugin %s %s", name, text);
}

/* The plugin returned something else than WEIR_OK. Returns whether the session's business goes on.
 */
static bool settle(struct weir_plugin *plugin, struct weir_session *session, weir_verdict verdict,
                   const char *event, bool may_refuse)
{
    const char *name = plugin->identity.name, *words = plugin_take_failure();
    if (verdict == WEIR_REFUSE) {
        if (!may_refuse)
            return true;
        bool said_why = session->refusal->code != 0 && session->refusal->by == NULL;
        session->refusal->by = name;
        if (!said_why)
            set_refusal(session->refusal, ERROR_ACCESS_DENIED, "28000", name, "refused this");
        return false;
    }
    if (!*words)
        words = verdict == WEIR_FAIL ? "it didn't say why (weir_fail())"
                                     : "it returned a value that is no verdict";
    complain(plugin, event, words);
    if (!plugin->identity.refuses_on_failure)
        return true;
    set_refusal(session->refusal, ERROR_UNKNOWN, "HY000", name,
                "failed, and its on_failure is \"refuse\"; the server's log says more");
    return false;
}

bool plugin_hold_failed(const struct weir_plugin *plugin)
{
    complain((struct weir_plugin *)plugin, "weir_release()", plugin_take_failure());
    return plugin->identity.refuses_on_failure;
}

static void forget_refusal(struct plugin_refusal *refusal)
{
    refusal->code = 0;
    refusal->message[0] = '\0';
    refusal->by = NULL;
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

/* The loop that all events share, for the plugins of a set of bits. invoke is the call, with plugin
 * in scope. Everybody is told, also after one has refused, so that what a plugin hears does not
 * depend on those in front of it: the first refusal counts, and later ones are forgotten. */
#define RUN_CHAIN(chain, set, session, event_name, may_refuse, invoke)                             \
    bool goes_on = true;                                                                           \
    struct plugin_refusal first;                                                                   \
    for (size_t i = 0; i < (chain)->count; i++) {                                                  \
        struct weir_plugin *plugin = (chain)->plugins[i];                                          \
        if (!((set)&bit_of(plugin)))                                                               \
            continue;                                                                              \
        weir_verdict verdict = (invoke);                                                           \
        if (__builtin_expect(verdict == WEIR_OK, 1) ||                                             \
            settle(plugin, (session), verdict, (event_name), (may_refuse)))                        \
            continue;                                                                              \
        if (goes_on)                                                                               \
            first = *(session)->refusal;                                                           \
        goes_on = false;                                                                           \
    }                                                                                              \
    if (!goes_on)                                                                                  \
        *(session)->refusal = first;                                                               \
    return goes_on

/* A session's end is told to those who know the session, whatever has become of them meanwhile. */
bool plugin_connection_event(struct plugin_registry *registry, struct weir_session *session,
                             weir_connection_event event)
{
    bool may_refuse = event == WEIR_PRE_AUTH || event == WEIR_CHANGE_USER;
    bool ends = event == WEIR_DISCONNECT || event == WEIR_REJECT;
    uint32_t set = enabled_of(&registry->connection) | (ends ? session->knowing : 0);
    session->knowing |= set;
    if (may_refuse)
        forget_refusal(session->refusal);
    RUN_CHAIN(&registry->connection, set, session, weir_connection_event_name(event), may_refuse,
              plugin->manifest->on_connection_event(session, event));
}

/* Who has heard the Starting of a command hears how it ends, and nobody else does. */
bool plugin_general_event(struct plugin_registry *registry, struct weir_session *session,
                          weir_general_event event)
{
    const char *command = session->text[WEIR_TEXT_command].data;
    bool may_refuse = event == WEIR_STARTING;
    uint64_t index = session->number[WEIR_NUMBER_statement_index];
    if (may_refuse && (index == 0 || index == WEIR_ABSENT))
        session->knowing |= session->listening = enabled_of(&registry->general);
    if (may_refuse)
        forget_refusal(session->refusal);
    RUN_CHAIN(&registry->general, session->listening, session, weir_general_event_name(event),
              may_refuse,
              plugin->manifest->on_general_event(session, event, command ? command : ""));
}

static bool run_parse(struct plugin_registry *registry, struct weir_session *session,
                      weir_parse_event event)
{
    uint32_t set = enabled_of(&registry->parse);
    RUN_CHAIN(&registry->parse, set, session, "PreParse", true,
              plugin->manifest->on_parse_event(session, event));
}

bool plugin_parse_event(struct plugin_registry *registry, struct weir_session *session,
                        weir_parse_event event)
{
    forget_refusal(session->refusal);
    plugin_forget_computed(session);
    bool goes_on = run_parse(registry, session, event);
    plugin_forget_computed(session);
    return goes_on;
}

static bool run_global_variable(struct plugin_registry *registry, struct weir_session *session,
                                weir_string name, weir_string value)
{
    uint32_t set = enabled_of(&registry->global_variable);
    RUN_CHAIN(&registry->global_variable, set, session, "GlobalVariable", false,
              plugin->manifest->on_global_variable_event(session, name, value));
}

void plugin_global_variable_event(struct plugin_registry *registry, struct weir_session *session,
                                  weir_string name, weir_string value)
{
    run_global_variable(registry, session, name, value);
}

void plugin_tell_of_plugin(struct plugin_registry *registry, struct weir_session *session,
                           weir_plugin_event event, const struct weir_plugin *subject)
{
    weir_string name = {subject->identity.name, strlen(subject->identity.name)};
    for (size_t i = 0; i < registry->count; i++) {
        struct weir_plugin *plugin = registry->plugins[i];
        if (plugin->state != PLUGIN_STATE_READY || !plugin->on_plugin_event || !is_enabled(plugin))
            continue;
        plugin_take_failure();
        if (plugin->on_plugin_event(session, event, name) != WEIR_OK)
            complain(plugin, weir_plugin_event_name(event), plugin_take_failure());
    }
}
