/* SPDX-License-Identifier: Apache-2.0
 *
 * Status variables: what the plugins' OnStatus functions report when somebody asks. */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "plugin/host/plugin_variables.h"

#define NAME_BYTES 65 /* longest name and its NUL */

struct weir_status {
    const struct weir_plugin *plugin;
    plugin_status_row *add;
    void *user;
};

void plugin_host_add_status(weir_status *status, const char *name, const char *text, size_t size)
{
    const char *plugin = status->plugin->identity.name;
    size_t prefix = strlen(plugin), length = strlen(name);
    char printed[NAME_BYTES];
    if (length >= sizeof printed || strncmp(name, plugin, prefix) != 0 || name[prefix] != '_') {
        log_warn("plugin",
                 "%s: status variable \"%s\" is left out: it must begin with %s_ and have "
                 "at most %d letters",
                 plugin, name, plugin, NAME_BYTES - 1);
        return;
    }
    memcpy(printed, name, length + 1);
    printed[0] = (char)toupper((unsigned char)printed[0]);
    status->add(status->user, (weir_string){printed, length}, (weir_string){text, size});
}

struct status_arguments {
    const struct weir_plugin *plugin;
    struct weir_session *session;
    weir_status *status;
};

static weir_verdict invoke_status(void *call)
{
    const struct status_arguments *with = call;
    return with->plugin->on_status(with->session, with->status);
}

static void status_of(struct weir_plugin *plugin, struct weir_session *session,
                      plugin_status_row *add, void *user)
{
    struct weir_status status = {plugin, add, user};
    struct status_arguments arguments = {plugin, session, &status};
    if (plugin->state != PLUGIN_STATE_READY || !plugin->on_status)
        return;
    weir_verdict verdict = plugin_enter(plugin, "OnStatus", invoke_status, &arguments, NULL);
    if (verdict != WEIR_OK)
        log_warn("plugin", "%s failed in OnStatus: %s", plugin->identity.name,
                 plugin_take_failure());
}

void plugin_status(struct plugin_registry *registry, struct weir_session *session,
                   plugin_status_row *add, void *user)
{
    assert(registry && add);
    for (size_t i = 0; i < registry->count; i++)
        status_of(registry->plugins[i], session, add, user);
}

/* ---- For monitoring ---- */

struct numbers {
    const struct weir_plugin *plugin;
    plugin_status_number_row *add;
    void *user;
    uint64_t seen; /* bits by the definition's index: a row that comes twice counts once */
};

_Static_assert(PLUGIN_STATUS_VARIABLES <= 64, "one bit each");

static void number_row(void *user, weir_string name, weir_string value)
{
    struct numbers *numbers = user;
    char text[24], *end = NULL; /* value does not end with a NUL */
    if (value.size == 0 || value.size >= sizeof text)
        return;
    memcpy(text, value.data, value.size);
    text[value.size] = '\0';
    errno = 0;
    const long long number = strtoll(text, &end, 10);
    if (errno || end != text + value.size)
        return;
    for (size_t i = 0; i < numbers->plugin->status_count; i++) {
        const struct plugin_status_definition *what = &numbers->plugin->status[i];
        if (strcasecmp(what->name, name.data) != 0 || numbers->seen & UINT64_C(1) << i)
            continue;
        numbers->seen |= UINT64_C(1) << i;
        numbers->add(numbers->user, what, number);
    }
}

void plugin_status_numbers(struct plugin_registry *registry, plugin_status_number_row *add,
                           void *user)
{
    assert(registry && add);
    for (size_t i = 0; i < registry->count; i++) {
        struct numbers numbers = {registry->plugins[i], add, user, 0};
        if (numbers.plugin->status_count)
            status_of(registry->plugins[i], NULL, number_row, &numbers);
    }
}
