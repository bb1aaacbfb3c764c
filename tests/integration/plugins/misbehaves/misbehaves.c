/* SPDX-License-Identifier: Apache-2.0
 *
 * Fails on purpose, at the place that the environment variable MISBEHAVES names: a life-cycle
 * function or an event, perhaps of one command. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/plugin.h>

static weir_verdict verdict_at(const char *place)
{
    const char *wanted = getenv("MISBEHAVES");
    return wanted && !strcmp(wanted, place) ? WEIR_FAIL : WEIR_OK;
}

weir_verdict Validate(const weir_manifest *manifest)
{
    (void)manifest;
    return verdict_at("Validate");
}

weir_verdict OnInit(const weir_manifest *manifest)
{
    (void)manifest;
    return verdict_at("OnInit");
}

weir_verdict OnShutdown(const weir_manifest *manifest)
{
    (void)manifest;
    return verdict_at("OnShutdown");
}

weir_verdict OnFlush(const weir_manifest *manifest)
{
    (void)manifest;
    return verdict_at("OnFlush");
}

weir_verdict OnConnectionEvent(weir_session *session, weir_connection_event event)
{
    (void)session;
    return verdict_at(weir_connection_event_name(event));
}

weir_verdict OnGeneralEvent(weir_session *session, weir_general_event event, const char *command)
{
    (void)session;
    const char *wanted = getenv("MISBEHAVES");
    const char *name = weir_general_event_name(event);
    char place[64];
    /* A refusal without words. */
    if (wanted && !strcmp(wanted, "refuse silently") && event == WEIR_STARTING &&
        !strcmp(command, "Query"))
        return WEIR_REFUSE;
    snprintf(place, sizeof place, "%s of %s", name, command); /* "Starting of Close stmt" */
    if (!strcmp(command, "Query") && verdict_at(name) != WEIR_OK)
        return WEIR_FAIL;
    return verdict_at(place);
}
