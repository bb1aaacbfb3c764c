/* SPDX-License-Identifier: Apache-2.0
 *
 * What each thread remembers while it calls a plugin: the call of OnFunction or OnVariable that it
 * runs, which belongs to no session's event, the reason that the plugin gave for failing, and where what a client's
 * statement has to tell the client goes. It stands below all that calls plugins and below the functions that plugins
 * call. */
#include <string.h>

#include "plugin/host/registry.h"

static _Thread_local char failure[512];
static _Thread_local struct plugin_running *calling_here;
static _Thread_local struct strbuf *warnings_here, *accounts_here;

_Thread_local bool plugin_has_failure;
_Thread_local struct plugin_activity *plugin_activity_told;
_Thread_local struct plugin_activity plugin_activity_own;

void plugin_mark_calls(struct plugin_activity *activity)
{
    plugin_activity_told = activity;
}

void plugin_report_failure(const weir_plugin *plugin, const char *message, size_t size)
{
    (void)plugin;
    size_t most = sizeof failure - 1;
    size = size < most ? size : most;
    memcpy(failure, message, size);
    failure[size] = '\0';
    plugin_has_failure = true;
}

const char *plugin_take_failure(void)
{
    static _Thread_local char taken[sizeof failure];
    memcpy(taken, failure, sizeof taken);
    failure[0] = '\0';
    plugin_has_failure = false;
    return taken;
}

void plugin_collect_warnings(struct strbuf *texts, struct strbuf *accounts)
{
    warnings_here = texts;
    accounts_here = accounts;
}

void plugin_expect_account(const weir_plugin *plugin, weir_string account)
{
    (void)plugin;
    if (!accounts_here || !account.data || memchr(account.data, '\0', account.size))
        return;
    strbuf_add(accounts_here, account.data, account.size);
    strbuf_add(accounts_here, "", 1);
}

void plugin_note_warning(const char *message, size_t size)
{
    if (!warnings_here)
        return;
    if (warnings_here->size > 0)
        strbuf_add_text(warnings_here, "; ");
    strbuf_add(warnings_here, message, size);
}

struct plugin_running *plugin_set_calling(struct plugin_running *calling)
{
    struct plugin_running *before = calling_here;
    calling_here = calling;
    return before;
}

bool plugin_is_calling(void)
{
    return calling_here != NULL;
}

struct plugin_running *plugin_running_here(const struct weir_session *session)
{
    return calling_here ? calling_here : session->running;
}
