/* SPDX-License-Identifier: Apache-2.0
 *
 * Functions of plugins that clients call by SELECT: finding them by name, and calling them, one at
 * a time for each plugin. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "plugin/host/plugin_variables.h"
#include "plugin/host/registry.h"
#include "wire/wire.h"

#define RETURN_BYTES (64U << 10) /* longest text that a function returns */

/* ---- Finding ---- */

bool plugin_has_callables(const struct plugin_registry *registry)
{
    bool has = false;
    for (size_t i = 0; !has && i < registry->count; i++)
        has = registry->plugins[i]->callable_count > 0;
    return has;
}

const struct plugin_callable *plugin_callable_find(const struct plugin_registry *registry,
                                                   const char *name, size_t size)
{
    assert(registry && name);
    for (size_t i = 0; i < registry->count; i++) {
        const struct weir_plugin *plugin = registry->plugins[i];
        for (size_t j = 0; j < plugin->callable_count; j++) {
            const char *its = plugin->callables[j].name;
            if (strlen(its) == size && strncasecmp(its, name, size) == 0)
                return &plugin->callables[j];
        }
    }
    return NULL;
}

const char *plugin_callable_name(const struct plugin_callable *callable)
{
    return callable->name;
}

const char *const *plugin_callable_privileges(const struct plugin_callable *callable)
{
    return callable->privileges;
}

bool plugin_callable_takes(const struct plugin_callable *callable, size_t count)
{
    return count >= callable->least && count <= callable->most;
}

/* ---- Calling ---- */

void plugin_host_return_text(weir_call *call, const char *text, size_t size)
{
    struct plugin_returned *returned = call->answer;
    strbuf_reset(&returned->text);
    strbuf_add(&returned->text, text, size < RETURN_BYTES ? size : RETURN_BYTES);
    returned->is_null = text == NULL;
}

static void set_refusal(struct plugin_refusal *refusal, const char *name, uint32_t code,
                        const char *reason)
{
    refusal->code = code;
    memcpy(refusal->sqlstate, "HY000", 6);
    snprintf(refusal->message, sizeof refusal->message, "Can't initialize function '%.64s'; %.400s",
             name, reason);
}

struct function_arguments {
    const struct weir_plugin *plugin;
    struct weir_session *session;
    weir_call *call;
};

static weir_verdict invoke_function(void *call)
{
    const struct function_arguments *with = call;
    return with->plugin->on_function(with->session, with->call);
}

bool plugin_call(const struct plugin_callable *callable, struct weir_session *session,
                 const weir_string *arguments, size_t count, struct plugin_returned *returned,
                 struct plugin_refusal *refusal)
{
    assert(callable && session && returned && refusal && count <= PLUGIN_CALL_ARGUMENTS);
    struct weir_plugin *plugin = (struct weir_plugin *)callable->plugin;
    weir_call call = {
        .api_version = WEIR_API_VERSION,
        .struct_size = sizeof call,
        .index = (uint32_t)(callable - plugin->callables),
        .argument_count = (uint32_t)count,
        .arguments = arguments,
        .name = {callable->name, strlen(callable->name)},
        .answer = returned,
    };
    returned->is_null = true;
    strbuf_reset(&returned->text);
    if (plugin->state != PLUGIN_STATE_READY || !atomic_load(&plugin->enabled)) {
        set_refusal(refusal, callable->name, WIRE_ER_CANT_INITIALIZE_UDF, "its plugin is disabled");
        return false;
    }
    if (plugin->is_locked && !callable->is_reading) {
        plugin_refusal_locked(refusal, plugin);
        return false;
    }
    pthread_mutex_lock(&plugin->flushing);
    struct plugin_running running = {.refusal = refusal};
    struct plugin_running *outer = plugin_set_calling(&running);
    struct function_arguments with = {plugin, session, &call};
    weir_verdict verdict = plugin_enter(plugin, "OnFunction", invoke_function, &with, &running);
    plugin_set_calling(outer);
    const char *reason = plugin_take_failure();
    pthread_mutex_unlock(&plugin->flushing);
    if (verdict == WEIR_OK && !returned->text.failed)
        return true;
    if (verdict != WEIR_REFUSE || !running.gave_reason)
        set_refusal(refusal, callable->name, WIRE_ER_CANT_INITIALIZE_UDF,
                    *reason ? reason : "the plugin didn't say why");
    return false;
}
