/* SPDX-License-Identifier: Apache-2.0
 *
 * The plugin that these tests load under several names. It writes a line for each call into the
 * file that its setting "record" names, and does what the statement's text (or, outside of
 * statements, its setting "do") tells it to. */
#include <stdio.h>
#include <string.h>
#include <weir/plugin.h>

static void record(const char *what, const char *detail)
{
    FILE *file = fopen(weir_setting("record").data, "a");
    if (!file)
        return;
    const char *name = strrchr(weir_library().data, '/') + 1;
    fprintf(file, "%.*s %s%s%s\n", (int)strcspn(name, "-"), name, what, *detail ? " " : "", detail);
    fclose(file);
}

static weir_verdict life(const char *what)
{
    weir_string order = weir_setting("do");
    record(what, "");
    if (order.data && strcmp(order.data, what) == 0)
        return weir_fail("told to, in %s", what);
    return order.data && strcmp(order.data, "mute") == 0 ? WEIR_FAIL : WEIR_OK;
}

weir_verdict Validate(const weir_manifest *manifest)
{
    (void)manifest;
    return life("Validate");
}

weir_verdict OnInit(const weir_manifest *manifest)
{
    (void)manifest;
    return life("OnInit");
}

weir_verdict OnShutdown(const weir_manifest *manifest)
{
    (void)manifest;
    return life("OnShutdown");
}

weir_verdict OnFlush(const weir_manifest *manifest)
{
    (void)manifest;
    return life("OnFlush");
}

static weir_verdict obey(weir_session *session)
{
    weir_string sql = weir_sql(session), to = weir_user(session);
    const char *name = strrchr(weir_library().data, '/') + 1;
    if (to.size && (strncmp(name, to.data, to.size) != 0 || name[to.size] != '-'))
        return WEIR_OK; /* the user's name says which of the plugins is meant */
    if (sql.size == 6 && memcmp(sql.data, "refuse", 6) == 0)
        return weir_refuse(session, 4031, "42000", "no %s", "thanks");
    if (sql.size == 7 && memcmp(sql.data, "default", 7) == 0)
        return weir_refuse(session, 0, NULL, "by default");
    if (sql.size == 8 && memcmp(sql.data, "wordless", 8) == 0)
        return WEIR_REFUSE;
    if (sql.size == 4 && memcmp(sql.data, "fail", 4) == 0)
        return weir_fail("cannot write");
    if (sql.size == 8 && memcmp(sql.data, "nonsense", 8) == 0)
        return (weir_verdict)77;
    return WEIR_OK;
}

weir_verdict OnGeneralEvent(weir_session *session, weir_general_event event, const char *command)
{
    char detail[64];
    snprintf(detail, sizeof detail, "%s %s", weir_general_event_name(event), command);
    record("general", detail);
    return obey(session);
}

weir_verdict OnConnectionEvent(weir_session *session, weir_connection_event event)
{
    record("connection", weir_connection_event_name(event));
    return obey(session);
}

weir_verdict OnParseEvent(weir_session *session, weir_parse_event event)
{
    record("parse", event == WEIR_PRE_PARSE ? "PreParse" : "?");
    return obey(session);
}

weir_verdict OnPluginEvent(weir_session *session, weir_plugin_event event, weir_string plugin)
{
    char detail[64];
    (void)session;
    snprintf(detail, sizeof detail, "%s %.*s", weir_plugin_event_name(event),
             WEIR_STRING_ARGS(plugin));
    record("plugin", detail);
    return WEIR_OK;
}

weir_verdict OnGlobalVariableEvent(weir_session *session, weir_string name, weir_string value)
{
    char detail[64];
    snprintf(detail, sizeof detail, "%.*s=%.*s", WEIR_STRING_ARGS(name), WEIR_STRING_ARGS(value));
    record("variable", detail);
    return obey(session);
}
