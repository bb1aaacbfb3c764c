/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers that come later. A plugin takes a hold within an event, on the session's thread, and
 * answers on any thread; what it answered travels in the hold itself, by the source's release(),
 * back to the session's thread. So nothing here needs a lock, but for holds that are not waited for
 * any more: those lie in a list until their plugins answer, after sessions, workers and perhaps the
 * gateway have gone. */
#include "plugin/host/plugin_holds.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/host/registry.h"
#include "wire/wire.h"

/* What a session is refused with when there is no memory for the plugin's reason. Never freed. */
static struct plugin_refusal out_of_memory = {
    .code = WIRE_ER_OUT_OF_RESOURCES, .sqlstate = "HY000", .message = "weir: out of memory"};

static bool is_sqlstate(const char *text)
{
    return text && strspn(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 5 && text[5] == '\0';
}

static const char *plugin_event_here(void)
{
    const struct plugin_activity *activity = plugin_activity_here();
    bool runs = atomic_load_explicit(&activity->plugin, memory_order_relaxed);
    return runs ? atomic_load_explicit(&activity->event, memory_order_relaxed) : "weir_decide()";
}

void plugin_refusal_set(struct plugin_refusal *refusal, const struct weir_plugin *plugin,
                        uint32_t error_code, const char *sqlstate, const char *message,
                        size_t message_size)
{
    assert(refusal && plugin);
    const size_t most = sizeof refusal->message - 1;
    size_t size = message_size < most ? message_size : most;
    refusal->by = NULL;
    bool is_a_servers =
        error_code != 0 && error_code <= UINT16_MAX && !wire_error_is_clients(error_code);
    char reason[160];
    if (error_code != 0 && !is_a_servers) {
        snprintf(reason, sizeof reason,
                 "number %u is none that a server sends; the client reads %d instead", error_code,
                 WIRE_ER_ACCESS_DENIED_ERROR);
        plugin_complain(plugin, "refused with a wrong number in", plugin_event_here(), reason);
    }
    if (sqlstate && !is_sqlstate(sqlstate)) {
        snprintf(reason, sizeof reason,
                 "\"%.32s\" is not five digits and capital letters; the client reads 28000 instead",
                 sqlstate);
        plugin_complain(plugin, "refused with a wrong SQLSTATE in", plugin_event_here(), reason);
    }
    refusal->code = is_a_servers ? error_code : WIRE_ER_ACCESS_DENIED_ERROR;
    memcpy(refusal->sqlstate, is_sqlstate(sqlstate) ? sqlstate : "28000", 6);
    memcpy(refusal->message, message, size);
    refusal->message[size] = '\0';
}

/* ---- Taking a hold ---- */

static weir_hold *take(weir_session *session, const weir_plugin *plugin, enum plugin_hold_kind kind)
{
    const struct plugin_facts_source *source = session->source;
    weir_hold *hold = source && source->hold ? source->hold(session->source_data, kind) : NULL;
    if (!hold)
        return NULL;
    assert(hold->release);
    hold->magic = PLUGIN_HOLD_MAGIC;
    hold->kind = kind;
    hold->plugin = plugin;
    hold->plugin_name = plugin->identity.name;
    hold->order = plugin->index;
    hold->failed = hold->refused = false;
    hold->refusal = NULL;
    atomic_init(&hold->fate, PLUGIN_HOLD_IS_OUT);
    return hold;
}

/* The event at hand; NULL outside of events, as in OnFunction. */
static struct plugin_running *event_of(weir_session *session)
{
    assert(session && session->magic == PLUGIN_SESSION_MAGIC);
    return plugin_is_calling() ? NULL : session->running;
}

weir_hold *plugin_host_hold(weir_session *session, const weir_plugin *plugin)
{
    return event_of(session) ? take(session, plugin, PLUGIN_HOLD_REPLY) : NULL;
}

weir_hold *plugin_host_hold_verdict(weir_session *session, const weir_plugin *plugin)
{
    struct plugin_running *running = event_of(session);
    if (!running || !running->may_hold_verdict)
        return NULL;
    weir_hold *hold = take(session, plugin, PLUGIN_HOLD_VERDICT);
    if (hold)
        running->verdict_holds++;
    return hold;
}

int plugin_host_limit_statement(weir_session *session, const weir_plugin *plugin,
                                const weir_limits *limits, const char *message, size_t size)
{
    weir_limits all = {.struct_size = sizeof all};
    struct plugin_refusal refusal;
    const struct plugin_running *running = event_of(session);
    size_t known = limits->struct_size < sizeof all ? limits->struct_size : sizeof all;
    if (!running || !running->may_hold_verdict || !session->source || !session->source->limit)
        return 0;
    memcpy(&all, limits, known);
    plugin_refusal_set(&refusal, plugin, all.error_code, all.sqlstate, message, size);
    refusal.by = plugin->identity.name;
    return session->source->limit(session->source_data, &all, &refusal);
}

int plugin_host_choose_backend(weir_session *session, const char *name, size_t size)
{
    const struct plugin_running *running = event_of(session);
    const struct plugin_facts_source *source = session->source;
    if (!running || !running->may_hold_verdict || !source || !source->choose_backend)
        return 0;
    return source->choose_backend(session->source_data, (weir_string){name, size});
}

/* ---- Answering ---- */

static struct {
    pthread_mutex_t lock;
    weir_hold *first; /* they can be found: a plugin that never answers is no leak of ours */
} abandoned = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void link_abandoned(weir_hold *hold)
{
    hold->before = NULL;
    hold->after = abandoned.first;
    if (hold->after)
        hold->after->before = hold;
    abandoned.first = hold;
}

static void free_abandoned(weir_hold *hold)
{
    pthread_mutex_lock(&abandoned.lock);
    if (hold->before)
        hold->before->after = hold->after;
    else
        abandoned.first = hold->after;
    if (hold->after)
        hold->after->before = hold->before;
    pthread_mutex_unlock(&abandoned.lock);
    plugin_hold_drop(hold);
    free(hold);
}

/* Clears the magic first: check_hold() then catches a second answer. */
static void give_back(weir_hold *hold)
{
    hold->magic = 0;
    if (atomic_exchange(&hold->fate, PLUGIN_HOLD_ANSWERED) == PLUGIN_HOLD_ABANDONED)
        free_abandoned(hold);
    else
        hold->release(hold);
}

/* Nobody waits for the answer any more, and the plugin's own struct may be gone. */
static bool is_abandoned(const weir_hold *hold)
{
    return atomic_load(&hold->fate) == PLUGIN_HOLD_ABANDONED;
}

static void check_hold(const weir_hold *hold, enum plugin_hold_kind kind)
{
    assert(hold && hold->magic == PLUGIN_HOLD_MAGIC);
    assert(hold->kind == kind);
}

/* A refusal that cannot be stored is a refusal all the same. */
static struct plugin_refusal *new_refusal(weir_hold *hold)
{
    hold->refused = hold->kind == PLUGIN_HOLD_VERDICT;
    hold->failed = hold->kind == PLUGIN_HOLD_REPLY;
    hold->refusal = malloc(sizeof *hold->refusal);
    if (hold->refusal)
        return hold->refusal;
    hold->refusal = &out_of_memory;
    return NULL;
}

void plugin_host_release(weir_hold *hold, weir_verdict verdict)
{
    check_hold(hold, PLUGIN_HOLD_REPLY);
    if (verdict != WEIR_OK && !is_abandoned(hold) &&
        plugin_hold_failed(hold->plugin, "weir_release()", plugin_take_failure())) {
        struct plugin_refusal *refusal = new_refusal(hold);
        if (refusal)
            plugin_refusal_failed(refusal, hold->plugin);
    }
    give_back(hold);
}

void plugin_host_decide(weir_hold *hold, weir_verdict verdict, uint32_t error_code,
                        const char *sqlstate, const char *message, size_t message_size)
{
    check_hold(hold, PLUGIN_HOLD_VERDICT);
    if (is_abandoned(hold)) {
        give_back(hold);
        return;
    }
    if (verdict == WEIR_REFUSE) {
        struct plugin_refusal *refusal = new_refusal(hold);
        if (refusal && message_size == 0)
            plugin_refusal_unexplained(refusal, hold->plugin);
        else if (refusal)
            plugin_refusal_set(refusal, hold->plugin, error_code, sqlstate, message, message_size);
    } else if (verdict != WEIR_OK) {
        const char *said = plugin_take_failure();
        char reason[512];
        snprintf(reason, sizeof reason, "%.*s", (int)message_size, message);
        if (plugin_hold_failed(hold->plugin, "weir_decide()", *reason ? reason : said)) {
            struct plugin_refusal *refusal = new_refusal(hold);
            if (refusal)
                plugin_refusal_failed(refusal, hold->plugin);
        }
    }
    give_back(hold);
}

/* ---- The session's side ---- */

void plugin_verdict_merge(struct plugin_verdict *verdict, struct weir_hold *decided)
{
    assert(verdict && verdict->outcome == PLUGIN_PENDING);
    assert(decided && decided->magic == 0 && decided->kind == PLUGIN_HOLD_VERDICT);
    if (decided->refused && decided->order < verdict->order) {
        verdict->refusal = *decided->refusal;
        verdict->refusal.by = decided->plugin_name;
        verdict->order = decided->order;
    }
    plugin_hold_drop(decided);
}

void plugin_verdict_settle(struct plugin_verdict *verdict)
{
    assert(verdict && verdict->outcome == PLUGIN_PENDING);
    verdict->outcome = verdict->order == PLUGIN_NO_ORDER ? PLUGIN_ALLOWED : PLUGIN_REFUSED;
}

void plugin_refusal_free(struct plugin_refusal *refusal)
{
    if (refusal != &out_of_memory)
        free(refusal);
}

void plugin_hold_drop(struct weir_hold *decided)
{
    assert(decided && decided->magic == 0);
    plugin_refusal_free(decided->refusal);
    decided->refusal = NULL;
}

struct plugin_refusal *plugin_hold_take_refusal(struct weir_hold *answered)
{
    assert(answered && answered->magic == 0 && answered->kind == PLUGIN_HOLD_REPLY);
    struct plugin_refusal *refusal = answered->refusal;
    answered->refusal = NULL;
    return refusal;
}

/* The plugin may write its answer into the hold at this moment: only what never changes is read. */
bool plugin_hold_abandon(struct weir_hold *hold, const char *why, struct weir_hold *answer)
{
    unsigned expected = PLUGIN_HOLD_IS_OUT;
    const struct weir_plugin *plugin = hold->plugin;
    *answer = (struct weir_hold){.kind = hold->kind,
                                 .plugin = plugin,
                                 .plugin_name = hold->plugin_name,
                                 .order = hold->order};
    pthread_mutex_lock(&abandoned.lock);
    bool is_ours = atomic_compare_exchange_strong(&hold->fate, &expected, PLUGIN_HOLD_ABANDONED);
    if (is_ours)
        link_abandoned(hold);
    pthread_mutex_unlock(&abandoned.lock);
    bool is_reply = answer->kind == PLUGIN_HOLD_REPLY;
    if (is_ours &&
        plugin_hold_failed(plugin, is_reply ? "weir_hold_reply()" : "weir_hold_verdict()", why)) {
        struct plugin_refusal *refusal = new_refusal(answer);
        if (refusal)
            plugin_refusal_late(refusal, plugin, why);
    }
    return is_ours;
}
