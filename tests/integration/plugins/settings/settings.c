/* SPDX-License-Identifier: Apache-2.0
 *
 * Reports what it sees of its variables. A statement that says "see the settings" is refused with
 * their values; a file "bad" is refused, a file "up" becomes "UP", a file "seven" wants the limit 7. Where the environment
 * has SETTINGS_SMALL, there is no room for a buffer of another size than the default. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <weir/plugin.h>

static atomic_ullong validated, changed;
static atomic_llong limit_at_change; /* the limit when the file was last changed */
static char last_global[256];        /* written and read by one session at a time in the tests */

weir_verdict OnVariable(weir_session *session, weir_variable_event event, weir_variable *variable)
{
    (void)session;
    if (event == WEIR_VARIABLE_CHANGED) {
        atomic_fetch_add(&changed, 1);
        if (variable->index == SETTINGS_FILE)
            atomic_store(&limit_at_change, weir_number_of(SETTINGS_LIMIT));
        return WEIR_OK;
    }
    atomic_fetch_add(&validated, 1);
    if (variable->index == SETTINGS_BUFFER && getenv("SETTINGS_SMALL") &&
        variable->number != 1048576)
        return weir_fail("there is no room for it");
    if (variable->index != SETTINGS_FILE)
        return WEIR_OK;
    if (strcmp(variable->text.data, "bad") == 0)
        return weir_fail("there is no such place");
    long long limit = weir_pending_number(variable, SETTINGS_LIMIT);
    if (strcmp(variable->text.data, "seven") == 0 && limit != 7)
        return weir_fail("with the limit %lld (%s), and not 7", limit,
                         weir_pending_text(variable, SETTINGS_LIMIT).data);
    if (strcmp(variable->text.data, "up") == 0)
        weir_replace_value(variable, "UP", 2);
    return WEIR_OK;
}

weir_verdict OnStatus(weir_session *session, weir_status *status)
{
    (void)session;
    weir_status_number(status, "settings_validated", atomic_load(&validated));
    weir_status_number(status, "settings_changed", atomic_load(&changed));
    weir_status_number(status, "settings_limit_at_change", (uint64_t)atomic_load(&limit_at_change));
    weir_status_text(status, "settings_last_global", last_global, strlen(last_global));
    return WEIR_OK;
}

weir_verdict OnGlobalVariable(weir_session *session, weir_string name, weir_string value)
{
    (void)session;
    snprintf(last_global, sizeof last_global, "%.*s=%.*s", WEIR_STRING_ARGS(name),
             WEIR_STRING_ARGS(value));
    return WEIR_OK;
}

weir_verdict OnGeneralEvent(weir_session *session, weir_general_event event, const char *command)
{
    (void)command;
    weir_string sql = weir_sql(session);
    if (event != WEIR_STARTING || sql.size != 16 || memcmp(sql.data, "see the settings", 16) != 0)
        return WEIR_OK;
    return weir_refuse(
        session, 9000, "HY000", "%d %lld/%lld %lld %lld %lld %s %s",
        (int)weir_number_of(SETTINGS_FORMAT), (long long)weir_number_of(SETTINGS_LIMIT),
        (long long)weir_session_number_of(session, SETTINGS_LIMIT),
        (long long)weir_number_of(SETTINGS_BUFFER), (long long)weir_number_of(SETTINGS_WAIT),
        (long long)weir_number_of(SETTINGS_CHAIN), weir_text_of(SETTINGS_FILE).data,
        weir_session_text_of(session, SETTINGS_MINE).data);
}

static weir_verdict echo(weir_call *call)
{
    char text[65536];
    size_t size = 0;
    for (uint32_t i = 0; i < call->argument_count; i++)
        size += (size_t)snprintf(text + size, size < sizeof text ? sizeof text - size : 0, "%s%s",
                                 i ? "|" : "",
                                 call->arguments[i].data ? call->arguments[i].data : "(null)");
    if (call->argument_count > 1 || call->arguments[0].data)
        weir_return_text(call, text, size);
    return WEIR_OK;
}

weir_verdict OnFunction(weir_session *session, weir_call *call)
{
    weir_string directory = weir_data_directory();
    switch (call->index) {
    case SETTINGS_ECHO_FUNCTION:
        return echo(call);
    case SETTINGS_WHERE_FUNCTION:
        weir_return_text(call, directory.data, directory.size);
        return WEIR_OK;
    case SETTINGS_FAIL_FUNCTION:
        return call->arguments[0].data ? weir_fail("%s", call->arguments[0].data)
                                       : weir_refuse(session, 9001, "HY000", "nothing, %.*s",
                                                     WEIR_STRING_ARGS(call->name));
    default:
        return weir_fail("no such function");
    }
}

weir_verdict OnFlush(const weir_manifest *manifest)
{
    (void)manifest;
    return WEIR_OK;
}
