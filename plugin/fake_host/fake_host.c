/* SPDX-License-Identifier: Apache-2.0
 *
 * The host's functions over the caller's tables. Nothing is looked up and nothing blocks; what the
 * plugin does (refusals, log lines, holds) is counted in atomics, so plugins with threads can be
 * tested too. Holds come from a ring and are never freed: one that is released twice, or too late, is
 * found by an assertion and not by chance. */
#include "fake_host.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WAIT_MS 20000

struct fake_host fake_host;

static struct weir_hold holds[FAKE_HOLDS];
static atomic_uint hold_count;

/* ---- Facts ---- */

static weir_string text(const weir_session *session, uint32_t fact)
{
    assert(fact < WEIR_TEXT_FACT_END_);
    return session->text[fact];
}

static uint64_t number(const weir_session *session, uint32_t fact)
{
    assert(fact < WEIR_NUMBER_FACT_END_);
    return session->number[fact];
}

static size_t client_address(const weir_session *session, uint8_t bytes[16])
{
    (void)session;
    memset(bytes, 0, 16);
    return 0;
}

static int attribute(const weir_session *session, size_t index, weir_string *name,
                     weir_string *value)
{
    static const struct fake_attribute client = {{"_client_name", 12}, {"test", 4}};
    const struct fake_attribute *attributes = session->attributes ? session->attributes : &client;
    if (index >= (session->attributes ? session->attribute_count : 1))
        return 0;
    *name = attributes[index].name;
    *value = attributes[index].value;
    return 1;
}

static int no_origin(const weir_session *session, size_t index, weir_parameter_origin *origin)
{
    (void)session;
    (void)index;
    (void)origin;
    return 0;
}

static int parameter(const weir_session *session, size_t index, weir_parameter *answer)
{
    if (index >= session->parameter_count)
        return 0;
    *answer = session->parameters[index];
    return 1;
}

static int routine(const weir_session *session, size_t index, weir_routine *answer)
{
    if (index >= session->routine_count)
        return 0;
    *answer = session->routines[index];
    return 1;
}

static int table(const weir_session *session, size_t index, weir_table *answer)
{
    if (index >= session->table_count)
        return 0;
    *answer = session->tables[index];
    return 1;
}

static int part(const weir_session *session, size_t index, weir_part *answer)
{
    if (index >= session->part_count)
        return 0;
    *answer = session->parts[index];
    return 1;
}

static weir_string part_text(const weir_session *session, size_t index, uint32_t fact)
{
    weir_string none = {NULL, 0};
    return session->part_text ? session->part_text(session, index, fact) : none;
}

static void *session_data(const weir_session *session, const weir_plugin *plugin)
{
    (void)plugin;
    return session->data;
}

static void set_session_data(weir_session *session, const weir_plugin *plugin, void *data)
{
    (void)plugin;
    session->data = data;
}

/* ---- What the plugin does ---- */

static void refuse(weir_session *session, uint32_t error_code, const char *sqlstate,
                   const char *message, size_t size)
{
    (void)session, (void)error_code, (void)sqlstate, (void)message, (void)size;
    atomic_fetch_add(&fake_host.refusals, 1);
}

static void print_error(const char *message, size_t size)
{
    if (fake_host.prints_errors)
        fprintf(stderr, "%.*s\n", (int)size, message);
}

static void log_line(const weir_plugin *plugin, int level, const char *message, size_t size)
{
    (void)plugin;
    assert(level >= WEIR_LOG_ERROR && level <= WEIR_LOG_DEBUG);
    atomic_fetch_add(&fake_host.lines_logged[level], 1);
    if (level == WEIR_LOG_ERROR)
        print_error(message, size);
}

static void report_failure(const weir_plugin *plugin, const char *message, size_t size)
{
    (void)plugin;
    print_error(message, size);
}

static weir_hold *hold(weir_session *session, const weir_plugin *plugin)
{
    (void)plugin;
    if (session->refuses_holds)
        return NULL;
    fake_host.last_hold = &holds[atomic_fetch_add(&hold_count, 1) % FAKE_HOLDS];
    atomic_store(&fake_host.last_hold->state, 0);
    return fake_host.last_hold;
}

static void release(weir_hold *given, weir_verdict verdict)
{
    int before = atomic_exchange(&given->state, 1 + (int)verdict);
    assert(before == 0); /* else it is released twice */
}

/* ---- The plugin's surroundings ---- */

static weir_string library(const weir_plugin *plugin)
{
    (void)plugin;
    return fake_host.library;
}

static weir_string data_directory(const weir_plugin *plugin)
{
    (void)plugin;
    return fake_host.data_directory;
}

static weir_string variable_text(const weir_plugin *plugin, uint32_t variable)
{
    (void)plugin;
    assert(variable < FAKE_VARIABLES);
    return fake_host.variables[variable];
}

static weir_string known_name(const weir_plugin *plugin, uint32_t list, size_t index)
{
    (void)plugin;
    const char *name = fake_host.known_name ? fake_host.known_name(list, index) : NULL;
    return (weir_string){name, name ? strlen(name) : 0};
}

static int limit_statement(weir_session *session, const weir_plugin *plugin,
                           const weir_limits *limits, const char *message, size_t size)
{
    (void)session, (void)plugin, (void)limits, (void)message, (void)size;
    atomic_fetch_add(&fake_host.limited, 1);
    return 1;
}

static int choose_backend(weir_session *session, const char *name, size_t size)
{
    (void)session, (void)name, (void)size;
    atomic_fetch_add(&fake_host.chosen, 1);
    return 1;
}

static void expect_account(const weir_plugin *plugin, weir_string account)
{
    (void)plugin, (void)account;
    atomic_fetch_add(&fake_host.accounts_expected, 1);
}

static int store_call(const weir_plugin *plugin, const struct weir_store_request *request)
{
    (void)plugin;
    return fake_host.store_call ? fake_host.store_call(request) : 0;
}

static int store_watch(const weir_plugin *plugin, weir_string prefix,
                       void (*watcher)(void *user, const struct weir_store_news *news), void *user)
{
    (void)plugin;
    return fake_host.store_watch ? fake_host.store_watch(prefix, watcher, user) : 0;
}

static const weir_host_functions functions = {
    .api_version = WEIR_API_VERSION,
    .struct_size = sizeof functions,
    .text = text,
    .number = number,
    .client_address = client_address,
    .attribute = attribute,
    .parameter = parameter,
    .parameter_origin = no_origin,
    .table = table,
    .routine = routine,
    .refuse = refuse,
    .session_data = session_data,
    .set_session_data = set_session_data,
    .log = log_line,
    .report_failure = report_failure,
    .library = library,
    .hold = hold,
    .release = release,
    .variable_text = variable_text,
    .part = part,
    .part_text = part_text,
    .data_directory = data_directory,
    .known_name = known_name,
    .limit_statement = limit_statement,
    .choose_backend = choose_backend,
    .expect_account = expect_account,
    .store_call = store_call,
    .store_watch = store_watch,
};
const weir_host_functions *weir_host_table = &functions;
const weir_plugin *weir_self;
int64_t weir_variable_numbers[FAKE_VARIABLES];

/* ---- For the caller ---- */

void fake_session_init(struct weir_session *session)
{
    memset(session, 0, sizeof *session);
    for (size_t i = 0; i < WEIR_NUMBER_FACT_END_; i++)
        session->number[i] = WEIR_ABSENT;
}

weir_verdict fake_hold_wait(struct weir_hold *given)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    for (int i = 0; i < WAIT_MS && atomic_load(&given->state) == 0; i++)
        nanosleep(&pause, NULL);
    int state = atomic_load(&given->state);
    assert(state != 0);
    return (weir_verdict)(state - 1);
}
