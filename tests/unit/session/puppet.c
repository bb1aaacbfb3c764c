/* SPDX-License-Identifier: Apache-2.0
 *
 * The puppet's callbacks. There is one puppet at a time, because callbacks have no pointer of their
 * own. */
#include "puppet.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static struct puppet *here;

static const char *const names[] = {
#define X(enumerator, name) name,
    PUPPET_EVENTS(X)
#undef X
};

int puppet_event_find(const char *name, size_t size)
{
    for (int i = 0; i < PUPPET_EVENT_COUNT; i++)
        if (strlen(names[i]) == size && memcmp(names[i], name, size) == 0)
            return i;
    return -1;
}

const char *puppet_event_name(enum puppet_event event)
{
    return names[event];
}

/* ---- Reading everything ---- */

static void read_text(weir_string text)
{
    for (size_t i = 0; i < text.size; i++)
        here->bytes_read += (unsigned char)text.data[i];
}

static void read_lists(weir_session *session)
{
    weir_string name, value;
    weir_parameter parameter;
    weir_table table;
    weir_part part;
    for (size_t i = 0; i < 64 && plugin_host.attribute(session, i, &name, &value); i++) {
        read_text(name);
        read_text(value);
    }
    for (size_t i = 0; i < 64 && plugin_host.parameter(session, i, &parameter); i++) {
        read_text(parameter.type);
        read_text(parameter.value);
    }
    for (size_t i = 0; i < 64 && plugin_host.table(session, i, &table); i++) {
        read_text(table.schema);
        read_text(table.name);
    }
    for (size_t i = 0; i < 64 && plugin_host.part(session, i, &part); i++) {
        read_text(part.kind);
        read_text(plugin_host.part_text(session, i, WEIR_TEXT_sql));
        read_text(plugin_host.part_text(session, i, WEIR_TEXT_normalized));
        read_text(plugin_host.part_text(session, i, WEIR_TEXT_redacted_sql));
    }
}

static void read_all(weir_session *session)
{
    for (uint32_t fact = 0; fact < WEIR_TEXT_FACT_END_; fact++)
        read_text(plugin_host.text(session, fact));
    for (uint32_t fact = 0; fact < WEIR_NUMBER_FACT_END_; fact++)
        here->bytes_read += plugin_host.number(session, fact);
    read_lists(session);
}

/* ---- Acting ---- */

static void hold(weir_session *session, unsigned acts)
{
    weir_hold *taken = NULL;
    if (acts & PUPPET_HOLD && here->reply_count < PUPPET_HOLDS &&
        (taken = plugin_host.hold(session, &here->plugin)) != NULL)
        here->replies[here->reply_count++] = taken;
    if (acts & PUPPET_VERDICT && here->verdict_count < PUPPET_HOLDS &&
        (taken = plugin_host.hold_verdict(session, &here->plugin)) != NULL)
        here->verdicts[here->verdict_count++] = taken;
    if (acts & PUPPET_DECIDED)
        puppet_decide(here, WEIR_OK, false);
}

/* In Starting it must be possible, but of COM_CHANGE_USER, or without memory; elsewhere not. */
static void limit(weir_session *session, enum puppet_event event)
{
    static const char message[] = "too much";
    const weir_limits limits = {.struct_size = sizeof limits,
                                .error_code = 4033,
                                .sqlstate = "HY000",
                                .rows = 1,
                                .time = UINT64_C(4500000000)};
    int done =
        plugin_host.limit_statement(session, &here->plugin, &limits, message, sizeof message - 1);
    assert(!done || event == PUPPET_STARTING);
}

/* Before there is a backend it must be possible, but without memory; elsewhere not. */
static void choose(weir_session *session, enum puppet_event event)
{
    static const char name[] = "two";
    int done = plugin_host.choose_backend(session, name, sizeof name - 1);
    assert(!done || event == PUPPET_PRE_AUTH || event == PUPPET_PRE_CONNECT);
}

static weir_verdict act(weir_session *session, enum puppet_event event)
{
    static const char refused[] = "no";
    unsigned acts = here->acts[event];
    here->acts[event] = 0;
    here->counts[event]++;
    read_all(session);
    puppet_check(here, false);
    if (here->watch)
        here->watch(here->watcher, event, acts, session);
    hold(session, acts);
    if (acts & PUPPET_LIMIT)
        limit(session, event);
    if (acts & PUPPET_CHOOSE)
        choose(session, event);
    if (acts & PUPPET_REFUSE)
        plugin_host.refuse(session, 4031, "42000", refused, sizeof refused - 1);
    if (acts & PUPPET_FAIL)
        plugin_host.report_failure(&here->plugin, "told to", 7);
    if (acts & PUPPET_REFUSE)
        return WEIR_REFUSE;
    return acts & PUPPET_FAIL ? WEIR_FAIL : WEIR_OK;
}

static void log_number(weir_session *session, const char *label, uint32_t fact)
{
    uint64_t number = plugin_host.number(session, fact);
    if (number && number != WEIR_ABSENT)
        strbuf_printf(&here->log, " %s%llu", label, (unsigned long long)number);
}

static void log_text(weir_session *session, const char *label, uint32_t fact)
{
    weir_string text = plugin_host.text(session, fact);
    if (text.size)
        strbuf_printf(&here->log, " %s%.*s", label, (int)(text.size < 200 ? text.size : 200),
                      text.data);
}

/* ---- Callbacks ---- */

static weir_verdict on_connection_event(weir_session *session, weir_connection_event event)
{
    enum puppet_event which = (enum puppet_event)puppet_event_find(
        weir_connection_event_name(event), strlen(weir_connection_event_name(event)));
    strbuf_add_text(&here->log, names[which]);
    log_text(session, "", WEIR_TEXT_user);
    if (event == WEIR_REJECT) {
        log_number(session, "", WEIR_NUMBER_error_code);
        log_text(session, "", WEIR_TEXT_reject_reason);
    }
    strbuf_add_text(&here->log, "\n");
    return act(session, which);
}

static weir_verdict on_general_event(weir_session *session, weir_general_event event,
                                     const char *command)
{
    enum puppet_event which = (enum puppet_event)puppet_event_find(
        weir_general_event_name(event), strlen(weir_general_event_name(event)));
    strbuf_printf(&here->log, "%s %s", names[which], command);
    log_text(session, "", WEIR_TEXT_sql);
    if (event == WEIR_COMPLETED)
        log_number(session, "rows=", WEIR_NUMBER_rows);
    if (event == WEIR_ERROR)
        log_number(session, "", WEIR_NUMBER_error_code);
    strbuf_add_text(&here->log, "\n");
    return act(session, which);
}

static weir_verdict on_parse_event(weir_session *session, weir_parse_event event)
{
    (void)event;
    strbuf_add_text(&here->log, "PreParse");
    log_text(session, "", WEIR_TEXT_sql);
    strbuf_add_text(&here->log, "\n");
    return act(session, PUPPET_PRE_PARSE);
}

static weir_verdict on_global_variable_event(weir_session *session, weir_string name,
                                             weir_string value)
{
    strbuf_printf(&here->log, "GlobalVariable %.*s=%.*s\n", WEIR_STRING_ARGS(name),
                  WEIR_STRING_ARGS(value));
    return act(session, PUPPET_GLOBAL_VARIABLE);
}

static weir_verdict on_flush(const weir_manifest *manifest)
{
    (void)manifest;
    here->flushes++;
    return WEIR_OK;
}

/* ---- Holds ---- */

struct answer {
    weir_hold *hold;
    weir_verdict verdict;
    bool is_reply;
};

static void *answer(void *data)
{
    const struct answer *given = data;
    if (given->is_reply)
        plugin_host.release(given->hold, given->verdict);
    else
        plugin_host.decide(given->hold, given->verdict, 4032, "42000", "no, after all", 13);
    return NULL;
}

static bool give(weir_hold **holds, size_t *count, weir_verdict verdict, bool is_reply,
                 bool elsewhere)
{
    if (*count == 0)
        return false;
    struct answer given = {holds[0], verdict, is_reply};
    pthread_t thread;
    --*count;
    memmove(holds, holds + 1, *count * sizeof(weir_hold *));
    if (elsewhere && pthread_create(&thread, NULL, answer, &given) == 0)
        pthread_join(thread, NULL);
    else
        answer(&given);
    return true;
}

bool puppet_give_back(struct puppet *puppet, bool ok, bool elsewhere)
{
    return give(puppet->replies, &puppet->reply_count, ok ? WEIR_OK : WEIR_FAIL, true, elsewhere);
}

bool puppet_decide(struct puppet *puppet, weir_verdict verdict, bool elsewhere)
{
    return give(puppet->verdicts, &puppet->verdict_count, verdict, false, elsewhere);
}

/* ---- The rules ---- */

void puppet_check(const struct puppet *puppet, bool ended)
{
    const unsigned *counts = puppet->counts;
    unsigned ends = counts[PUPPET_COMPLETED] + counts[PUPPET_ERROR];
    assert(counts[PUPPET_PRE_CONNECT] <= 1);
    assert(counts[PUPPET_PRE_AUTH] <= 1 && counts[PUPPET_CONNECTED] <= counts[PUPPET_PRE_AUTH]);
    assert(counts[PUPPET_DISCONNECT] <= counts[PUPPET_CONNECTED]);
    assert(counts[PUPPET_DISCONNECT] + counts[PUPPET_REJECT] <= 1);
    assert(!(counts[PUPPET_REJECT] && counts[PUPPET_CONNECTED]));
    assert(ends <= counts[PUPPET_STARTING]);
    assert(counts[PUPPET_CONNECTED] || counts[PUPPET_STARTING] == 0);
    if (!ended || puppet->registry.count == 0)
        return;
    assert(ends == counts[PUPPET_STARTING]);
    assert(counts[PUPPET_DISCONNECT] + counts[PUPPET_REJECT] == 1);
    assert(counts[PUPPET_DISCONNECT] == counts[PUPPET_CONNECTED]);
}

/* ---- Variables and functions ---- */

static weir_verdict on_status(weir_session *session, weir_status *status)
{
    (void)session;
    plugin_host.add_status(status, "puppet_flushes", "7", 1);
    return WEIR_OK;
}

static weir_verdict on_function(weir_session *session, weir_call *call)
{
    (void)session;
    if (call->argument_count == 0 || !call->arguments[0].data)
        return WEIR_OK;
    plugin_host.return_text(call, call->arguments[0].data, call->arguments[0].size);
    return WEIR_OK;
}

static void declare(struct puppet *puppet)
{
    struct weir_plugin *plugin = &puppet->plugin;
    struct error error = {""};
    size_t wrong = 0;
    puppet->variables = json_loads(
        "[{\"name\": \"puppet_level\", \"type\": \"int\", \"value\": 5, \"scope\": "
        "\"Global+Session\"}, {\"name\": \"puppet_name\", \"type\": \"str\", \"value\": \"jim\"}]",
        0, NULL);
    puppet->functions =
        json_loads("[{\"name\": \"puppet_echo\", \"arguments\": 1, \"privileges\": []}]", 0, NULL);
    puppet->manifest.variable_numbers = puppet->numbers;
    puppet->manifest.variable_count = 2;
    puppet->manifest.function_count = 1;
    plugin->on_function = on_function;
    plugin->on_status = on_status;
    if (plugin_definitions_read(&plugin->definitions, puppet->variables, "puppet", &wrong, &error) <
            0 ||
        plugin_callables_read(&plugin->callables, &plugin->callable_count, puppet->functions,
                              "puppet", &wrong, &error) < 0) {
        fprintf(stderr, "%s\n", error.message);
        abort();
    }
    plugin->callables[0].plugin = plugin;
    plugin->variables = calloc(plugin->definitions.count + 1, sizeof(struct plugin_variable *));
}

static void begin_variables(struct puppet *puppet)
{
    struct error error = {""};
    int status = plugin_variables_begin(&puppet->registry, &error);
    assert(status == 0);
}

/* ---- Beginning and end ---- */

static void clear(struct puppet *puppet)
{
    *puppet = (struct puppet){0};
    strbuf_init(&puppet->log);
    here = puppet;
}

void puppet_begin_without(struct puppet *puppet)
{
    clear(puppet);
    begin_variables(puppet);
}

void puppet_begin(struct puppet *puppet, bool refuses, unsigned needs, bool declares)
{
    clear(puppet);
    puppet->manifest = (weir_manifest){.api_version = WEIR_API_VERSION,
                                       .name = "puppet",
                                       .on_connection_event = on_connection_event,
                                       .on_general_event = on_general_event,
                                       .on_parse_event = on_parse_event,
                                       .on_global_variable_event = on_global_variable_event,
                                       .on_flush = on_flush};
    struct weir_plugin *plugin = &puppet->plugin;
    *plugin = (struct weir_plugin){.registry = &puppet->registry,
                                   .identity = {.name = "puppet",
                                                .kind = "Audit",
                                                .version = "1",
                                                .license = "Apache-2.0",
                                                .refuses_on_failure = refuses,
                                                .needs = needs},
                                   .library = (char *)"/puppet-1.so",
                                   .manifest = &puppet->manifest,
                                   .subscribed =
                                       PLUGIN_SUBSCRIBES_CONNECTION | PLUGIN_SUBSCRIBES_GENERAL |
                                       PLUGIN_SUBSCRIBES_PARSE | PLUGIN_SUBSCRIBES_GLOBAL_VARIABLE,
                                   .state = PLUGIN_STATE_READY,
                                   .enabled = true};
    pthread_mutex_init(&plugin->flushing, NULL);
    struct plugin_registry *registry = &puppet->registry;
    registry->subscribed = plugin->subscribed | needs;
    registry->count = 1;
    registry->plugins[0] = plugin;
    struct plugin_chain chain = {.count = 1, .plugins = {plugin}};
    registry->connection = registry->general = registry->parse = registry->global_variable = chain;
    if (declares)
        declare(puppet);
    begin_variables(puppet);
}

void puppet_end(struct puppet *puppet)
{
    struct weir_plugin *plugin = &puppet->plugin;
    assert(puppet->reply_count == 0 && puppet->verdict_count == 0);
    plugin_variables_end(&puppet->registry);
    plugin_definitions_release(&plugin->definitions);
    free(plugin->callables);
    free(plugin->variables);
    json_decref(puppet->variables);
    json_decref(puppet->functions);
    strbuf_release(&puppet->log);
    here = NULL;
}
