/* SPDX-License-Identifier: Apache-2.0
 *
 * The system variables of the plugins: who has which, and what it is worth now.
 *
 * A global value is read without a lock: its number lies in the plugin's own memory and is stored
 * atomically, its text hangs on an atomic pointer. Replaced texts, and replaced tables of session
 * values, are kept until the end, because their readers are not counted; a text that comes back is
 * used again. What a session has set itself is the session's own, and goes with it: only those who
 * may SET GLOBAL can make the host keep anything.
 *
 * Whoever changes something holds the lock: see assignments.c. */
#include "plugin/host/plugin_variables.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int64_t *number_of(const struct plugin_variable *variable)
{
    return &variable->plugin->manifest->variable_numbers[variable->index];
}

/* ---- Finding ---- */

bool plugin_has_variables(const struct plugin_registry *registry)
{
    bool has = registry->variables->count > 0;
    for (size_t i = 0; i < registry->count; i++)
        has = has || registry->plugins[i]->on_status;
    return has;
}

size_t plugin_variable_count(const struct plugin_registry *registry)
{
    return registry->variables->count;
}

const struct plugin_variable *plugin_variable_at(const struct plugin_registry *registry,
                                                 size_t index)
{
    return &registry->variables->items[index];
}

const struct plugin_variable *plugin_variable_find(const struct plugin_registry *registry,
                                                   const char *name, size_t size)
{
    assert(registry && name);
    const struct plugin_variables *variables = registry->variables;
    size_t low = 0, high = variables->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const char *candidate = variables->items[middle].definition->name;
        int order = strncasecmp(name, candidate, size);
        if (order == 0 && !candidate[size])
            return &variables->items[middle];
        if (order <= 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

bool plugin_variable_may_be_in(const struct plugin_registry *registry, const char *text,
                               size_t size)
{
    const char *end = text + size;
    for (const char *at = text; (at = memchr(at, '_', (size_t)(end - at))) != NULL; at++) {
        for (size_t i = 0; i < registry->count; i++) {
            const struct weir_plugin *plugin = registry->plugins[i];
            size_t length = plugin->definitions.count ? strlen(plugin->identity.name) : 0;
            if (length && (size_t)(at - text) >= length &&
                strncasecmp(at - length, plugin->identity.name, length) == 0)
                return true;
        }
    }
    return false;
}

const char *plugin_variable_name(const struct plugin_variable *variable)
{
    return variable->definition->name;
}

unsigned plugin_variable_scopes(const struct plugin_variable *variable)
{
    return variable->definition->scopes;
}

const char *const *plugin_variable_privileges(const struct plugin_variable *variable)
{
    return variable->plugin->identity.disable_privileges;
}

/* ---- Global values ---- */

/* The text among those that the variable has had, or a new one. NULL: no memory. */
struct kept_text *plugin_variable_keep(struct plugin_variable *variable, const char *text)
{
    struct kept_text *kept = variable->texts;
    while (kept && strcmp(kept->text, text) != 0)
        kept = kept->older;
    if (kept)
        return kept;
    size_t size = strlen(text);
    kept = malloc(sizeof *kept + size + 1);
    if (kept) {
        kept->older = variable->texts;
        kept->size = size;
        memcpy(kept->text, text, size + 1);
        variable->texts = kept;
    }
    return kept;
}

void plugin_variable_store(struct plugin_variable *variable, int64_t number, struct kept_text *text)
{
    atomic_store(&variable->text, text);
    __atomic_store_n(number_of(variable), number, __ATOMIC_RELAXED);
}

/* A table of what the global values are now. NULL: no memory. */
struct plugin_session_values *plugin_variables_snapshot(const struct plugin_variables *variables)
{
    struct plugin_session_values *values =
        malloc(sizeof *values + variables->slots * sizeof *values->items);
    if (!values)
        return NULL;
    values->count = variables->slots;
    for (size_t i = 0; i < variables->count; i++) {
        const struct plugin_variable *variable = &variables->items[i];
        if (variable->slot != NO_SLOT)
            values->items[variable->slot] = (struct plugin_session_value){
                *number_of(variable), atomic_load(&variable->text)->text};
    }
    return values;
}

void plugin_variables_share(struct plugin_variables *variables,
                            struct plugin_session_values *values)
{
    values->older = atomic_load(&variables->shared);
    atomic_store(&variables->shared, values);
}

/* ---- Values of sessions ---- */

static void free_own(struct plugin_session_values *values)
{
    for (size_t i = 0; i < values->count; i++)
        free(values->items[i].text);
    free(values);
}

void plugin_session_values_begin(struct plugin_registry *registry, struct weir_session *session)
{
    assert(session && session->magic == PLUGIN_SESSION_MAGIC);
    plugin_session_values_end(session);
    session->values = atomic_load_explicit(&registry->variables->shared, memory_order_acquire);
}

void plugin_session_values_end(struct weir_session *session)
{
    assert(session && session->magic == PLUGIN_SESSION_MAGIC);
    if (session->owns_values)
        free_own((struct plugin_session_values *)session->values);
    session->owns_values = false;
    session->values = NULL;
}

/* The session's own table, made of the shared one at its first SET. NULL: no memory. */
struct plugin_session_values *plugin_session_values_own(const struct plugin_registry *registry,
                                                        struct weir_session *session)
{
    const struct plugin_session_values *old =
        session->values ? session->values : atomic_load(&registry->variables->shared);
    if (session->owns_values)
        return (struct plugin_session_values *)session->values;
    struct plugin_session_values *values =
        calloc(1, sizeof *values + old->count * sizeof *values->items);
    bool ok = values != NULL;
    for (size_t i = 0; ok && i < old->count; i++) {
        values->items[i] =
            (struct plugin_session_value){old->items[i].number, strdup(old->items[i].text)};
        values->count++;
        ok = values->items[i].text != NULL;
    }
    if (!ok) {
        if (values)
            free_own(values);
        return NULL;
    }
    session->values = values;
    session->owns_values = true;
    return values;
}

/* ---- Reading ---- */

void plugin_variable_read(const struct plugin_variable *variable,
                          const struct weir_session *session, int64_t *number, weir_string *text)
{
    if (session && session->values && variable->slot != NO_SLOT) {
        const struct plugin_session_value *value = &session->values->items[variable->slot];
        *number = value->number;
        *text = (weir_string){value->text, strlen(value->text)};
    } else {
        const struct kept_text *kept = atomic_load_explicit(&variable->text, memory_order_acquire);
        *number = __atomic_load_n(number_of(variable), __ATOMIC_RELAXED);
        *text = (weir_string){kept->text, kept->size};
    }
}

struct plugin_shown plugin_variable_shown(const struct plugin_variable *variable,
                                          const struct weir_session *session)
{
    struct plugin_shown shown = {.literal = PLUGIN_LITERAL_NUMBER};
    int64_t number = 0;
    plugin_variable_read(variable, session, &number, &shown.text);
    shown.number = shown.text;
    switch (variable->definition->type) {
    case PLUGIN_TYPE_BOOL:
        shown.number = (weir_string){*shown.text.data && number ? "1" : "0", 1};
        break;
    case PLUGIN_TYPE_STR:
    case PLUGIN_TYPE_ENUM:
        shown.literal = PLUGIN_LITERAL_TEXT;
        break;
    default:
        break;
    }
    return shown;
}

static const struct plugin_variable *variable_of(const weir_plugin *plugin, uint32_t index)
{
    return index < plugin->definitions.count ? plugin->variables[index] : NULL;
}

weir_string plugin_host_variable_text(const weir_plugin *plugin, uint32_t index)
{
    return plugin_host_session_text(NULL, plugin, index);
}

int64_t plugin_host_session_number(const weir_session *session, const weir_plugin *plugin,
                                   uint32_t index)
{
    const struct plugin_variable *variable = variable_of(plugin, index);
    weir_string text;
    int64_t number = 0;
    if (variable)
        plugin_variable_read(variable, session, &number, &text);
    return number;
}

weir_string plugin_host_session_text(const weir_session *session, const weir_plugin *plugin,
                                     uint32_t index)
{
    const struct plugin_variable *variable = variable_of(plugin, index);
    weir_string text = {NULL, 0};
    int64_t number;
    if (variable)
        plugin_variable_read(variable, session, &number, &text);
    return text;
}

/* ---- The start ---- */

static int by_name(const void *left, const void *right)
{
    const struct plugin_variable *a = left, *b = right;
    return strcmp(a->definition->name, b->definition->name);
}

static void list_variables(struct plugin_registry *registry)
{
    struct plugin_variables *variables = registry->variables;
    for (size_t i = 0; i < registry->count; i++) {
        struct weir_plugin *plugin = registry->plugins[i];
        for (size_t j = 0; j < plugin->definitions.count; j++) {
            struct plugin_definition *definition = &plugin->definitions.items[j];
            struct plugin_variable *variable = &variables->items[variables->count++];
            *variable = (struct plugin_variable){
                .plugin = plugin, .definition = definition, .index = (uint32_t)j, .slot = NO_SLOT};
            if (definition->scopes & PLUGIN_SCOPE_SESSION)
                variable->slot = variables->slots++;
        }
    }
    qsort(variables->items, variables->count, sizeof *variables->items, by_name);
    for (size_t i = 0; i < variables->count; i++)
        variables->items[i].plugin->variables[variables->items[i].index] = &variables->items[i];
}

/* Reads a value of the file or the disk; where names it in errors. */
static int read_text(const struct plugin_variable *variable, const char *text, const char *where,
                     struct plugin_value *value, struct error *error)
{
    struct plugin_refusal refusal;
    struct plugin_input input = {PLUGIN_INPUT_FILE, text, strlen(text)};
    if (plugin_variable_parse(variable, &input, value, &refusal))
        return 0;
    struct strbuf kind = STRBUF_INIT;
    plugin_definition_describe(variable->definition, &kind);
    error_set(error, "%s %s = \"%.200s\": %s; give %s", where, variable->definition->name, text,
              refusal.message, kind.data);
    strbuf_release(&kind);
    return -1;
}

int plugin_variable_read_configured(const struct plugin_variable *variable,
                                    const struct plugin_settings *settings,
                                    struct plugin_value *value, struct plugin_setting_place *place,
                                    struct error *error)
{
    const char *plugin = variable->plugin->identity.name;
    const char *key = variable->definition->name + strlen(plugin) + 1;
    const char *text = settings->value ? settings->value(settings->user, plugin, key) : NULL;
    char where[512];
    *place = (struct plugin_setting_place){0};
    bool is_known = text && settings->place && settings->place(settings->user, plugin, key, place);
    snprintf(where, sizeof where, "[plugin.%s]", plugin);
    if (is_known)
        snprintf(where, sizeof where, "%.400s:%u: [plugin.%s]", place->file, place->line, plugin);
    if (is_known && variable->definition->type == PLUGIN_TYPE_STR && !place->is_string)
        return error_set(error, "%s %s = %s: must be a string, in quotes", where, key, text);
    return read_text(variable, text ? text : variable->definition->initial.text, where, value,
                     error);
}

static int begin_variable(struct plugin_variable *variable, struct error *error)
{
    const struct plugin_registry *registry = variable->plugin->registry;
    const struct plugin_options *options = &registry->options;
    const struct plugin_definition *definition = variable->definition;
    const char *kept = plugin_persisted_text(&registry->variables->persisted, definition->name);
    struct plugin_value value = {0};
    if (plugin_variable_read_configured(variable, &options->settings, &variable->configured,
                                        &variable->place, error) < 0 ||
        (kept && read_text(variable, kept, options->variables_file, &value, error) < 0))
        return -1;
    const struct plugin_value *current = kept ? &value : &variable->configured;
    struct kept_text *keep = plugin_variable_keep(variable, current->text);
    if (keep)
        plugin_variable_store(variable, current->number, keep);
    free(value.text);
    return keep ? 0 : error_set(error, "not enough memory");
}

int plugin_variables_begin(struct plugin_registry *registry, struct error *error)
{
    size_t count = 0;
    for (size_t i = 0; i < registry->count; i++)
        count += registry->plugins[i]->definitions.count;
    struct plugin_variables *variables = registry->variables = calloc(1, sizeof *variables);
    if (!variables)
        return error_set(error, "not enough memory for the plugins' variables");
    pthread_mutex_init(&variables->lock, NULL);
    variables->items = calloc(count + 1, sizeof *variables->items);
    if (!variables->items)
        return error_set(error, "not enough memory for the plugins' variables");
    list_variables(registry);
    int status =
        plugin_persisted_read(&variables->persisted, registry->options.variables_file, error);
    for (size_t i = 0; status == 0 && i < variables->count; i++)
        status = begin_variable(&variables->items[i], error);
    struct plugin_session_values *values =
        status == 0 ? plugin_variables_snapshot(variables) : NULL;
    if (values)
        plugin_variables_share(variables, values);
    else if (status == 0)
        status = error_set(error, "not enough memory for the plugins' variables");
    return status;
}

static void free_variable(struct plugin_variable *variable)
{
    while (variable->texts) {
        struct kept_text *text = variable->texts;
        variable->texts = text->older;
        free(text);
    }
    free(variable->configured.text);
    free(variable->cluster_place);
}

void plugin_variables_end(struct plugin_registry *registry)
{
    struct plugin_variables *variables = registry->variables;
    if (!variables)
        return;
    for (size_t i = 0; i < variables->count; i++)
        free_variable(&variables->items[i]);
    for (struct plugin_session_values *values = atomic_load(&variables->shared); values;) {
        struct plugin_session_values *older = values->older;
        free(values);
        values = older;
    }
    plugin_persisted_release(&variables->persisted);
    free(variables->settings_path);
    pthread_mutex_destroy(&variables->lock);
    free(variables->items);
    free(variables);
    registry->variables = NULL;
}
