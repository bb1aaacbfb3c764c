/* SPDX-License-Identifier: Apache-2.0
 *
 * Setting variables, in two steps: a value is prepared (checked by type and bounds, and by the
 * plugin, which may change it), later the prepared values of a whole statement take effect
 * together. What fails, fails in the first step; only a disk that cannot be written fails the
 * second, before any value has changed.
 *
 * Errors have the server's own numbers and messages. One lock serialises all of it, OnVariable
 * included. */
#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/host/plugin_variables.h"
#include "wire/wire.h"

struct plugin_assignment {
    const struct plugin_variable *variable;
    enum plugin_set_scope scope;
    bool is_default;
    struct plugin_value value; /* owned */
};

/* ---- Asking and telling the plugin ---- */

/* What OnVariable is about: one of a statement's assignments, or a value at the start. */
struct statement {
    struct weir_session *session; /* NULL: the start */
    struct plugin_assignment *const *assignments;
    size_t count;
};

/* What a plugin is shown; the rest is for weir_replace_value() and weir_pending_number(). */
struct shown_variable {
    weir_variable shown; /* first */
    const struct plugin_variable *variable;
    struct plugin_value *value;
    const struct statement *statement;
};

static void show_value(struct shown_variable *shown)
{
    shown->shown.number = shown->value->number;
    shown->shown.text = (weir_string){shown->value->text, strlen(shown->value->text)};
}

struct variable_arguments {
    const struct weir_plugin *plugin;
    struct weir_session *session;
    weir_variable_event event;
    weir_variable *variable;
};

static weir_verdict invoke_variable(void *call)
{
    const struct variable_arguments *with = call;
    return with->plugin->on_variable(with->session, with->event, with->variable);
}

static weir_verdict call_plugin(const struct plugin_variable *variable,
                                const struct statement *statement, weir_variable_event event,
                                bool is_global, struct plugin_value *value,
                                struct plugin_running *running)
{
    const char *name = variable->definition->name;
    struct shown_variable shown = {
        .shown = {.api_version = WEIR_API_VERSION,
                  .struct_size = sizeof(weir_variable),
                  .index = variable->index,
                  .scope = is_global ? WEIR_SCOPE_GLOBAL : WEIR_SCOPE_SESSION,
                  .name = {name, strlen(name)}},
        .variable = variable,
        .value = value,
        .statement = statement,
    };
    show_value(&shown);
    struct plugin_running *outer = plugin_set_calling(running);
    struct variable_arguments arguments = {variable->plugin, statement->session, event,
                                           &shown.shown};
    weir_verdict verdict =
        plugin_enter(variable->plugin, "OnVariable", invoke_variable, &arguments, running);
    plugin_set_calling(outer);
    return verdict;
}

static bool is_utf8(const char *text, size_t size)
{
    json_t *string = json_stringn(text, size);
    json_decref(string);
    return string != NULL;
}

int plugin_host_replace_value(weir_variable *variable, const char *text, size_t size)
{
    struct shown_variable *shown = (struct shown_variable *)variable;
    struct plugin_input input = {PLUGIN_INPUT_FILE, text, size};
    struct plugin_value value = {0};
    if (!is_utf8(text, size) ||
        plugin_value_read(shown->variable->definition, &input, &value) != PLUGIN_VALUE_OK)
        return 0;
    char *old = shown->value->text;
    *shown->value = value;
    show_value(shown);
    free(old);
    return 1;
}

/* The value that the statement gives to another variable in the scope of the shown one; NULL: none. The
 * last assignment counts, as when they take effect. */
static const struct plugin_value *find_pending(const struct shown_variable *shown,
                                               const struct plugin_variable *other)
{
    const struct statement *statement = shown->statement;
    const struct plugin_value *found = NULL;
    for (size_t i = 0; i < statement->count; i++) {
        const struct plugin_assignment *assignment = statement->assignments[i];
        bool is_global = assignment->scope != PLUGIN_SET_SESSION;
        if (assignment->variable == other && is_global == (shown->shown.scope == WEIR_SCOPE_GLOBAL))
            found = &assignment->value;
    }
    return found;
}

int plugin_host_pending_value(const weir_variable *variable, uint32_t index, int64_t *number,
                              weir_string *text)
{
    const struct shown_variable *shown = (const struct shown_variable *)variable;
    const struct weir_plugin *plugin = shown->variable->plugin;
    if (index >= plugin->definitions.count)
        return 0;
    const struct plugin_variable *other = plugin->variables[index];
    const struct plugin_value *pending = find_pending(shown, other);
    bool is_global = shown->shown.scope == WEIR_SCOPE_GLOBAL;
    if (pending) {
        *number = pending->number;
        *text = (weir_string){pending->text, strlen(pending->text)};
    } else {
        plugin_variable_read(other, is_global ? NULL : shown->statement->session, number, text);
    }
    return 1;
}

/* ---- Checking a SET ---- */

#define NAME_TEXT "Variable '%s' "

static void refuse(struct plugin_refusal *refusal, enum wire_error_number number,
                   const char *format, ...) __attribute__((format(printf, 3, 4)));
static void refuse(struct plugin_refusal *refusal, enum wire_error_number number,
                   const char *format, ...)
{
    va_list arguments;
    refusal->code = number;
    memcpy(refusal->sqlstate, wire_error_sqlstate((uint16_t)number), sizeof refusal->sqlstate);
    va_start(arguments, format);
    vsnprintf(refusal->message, sizeof refusal->message, format, arguments);
    va_end(arguments);
}

bool plugin_variable_may_set(const struct plugin_variable *variable, enum plugin_set_scope scope,
                             struct plugin_refusal *refusal)
{
    assert(variable && refusal);
    const struct plugin_definition *definition = variable->definition;
    bool wants_session = scope == PLUGIN_SET_SESSION;
    if (definition->is_readonly && scope != PLUGIN_SET_PERSIST_ONLY)
        refuse(refusal, WIRE_ER_INCORRECT_GLOBAL_LOCAL_VAR, NAME_TEXT "is a read only variable",
               definition->name);
    else if (wants_session && !(definition->scopes & PLUGIN_SCOPE_SESSION))
        refuse(refusal, WIRE_ER_GLOBAL_VARIABLE,
               NAME_TEXT "is a GLOBAL variable and should be set with SET GLOBAL",
               definition->name);
    else if (!wants_session && !(definition->scopes & PLUGIN_SCOPE_GLOBAL))
        refuse(refusal, WIRE_ER_LOCAL_VARIABLE,
               NAME_TEXT "is a SESSION variable and can't be used with SET GLOBAL",
               definition->name);
    else if (!wants_session && variable->plugin->is_locked)
        plugin_refusal_locked(refusal, variable->plugin);
    else
        return true;
    return false;
}

static void refuse_value(struct plugin_refusal *refusal, const char *name, const char *value,
                         size_t size, const char *reason)
{
    refuse(refusal, WIRE_ER_WRONG_VALUE_FOR_VAR,
           NAME_TEXT "can't be set to the value of '%.*s'%s%s", name,
           (int)(size < 128 ? size : 128), value, *reason ? ": " : "", reason);
}

bool plugin_variable_parse(const struct plugin_variable *variable, const struct plugin_input *input,
                           struct plugin_value *value, struct plugin_refusal *refusal)
{
    const char *name = variable->definition->name;
    switch (plugin_value_read(variable->definition, input, value)) {
    case PLUGIN_VALUE_OK:
        return true;
    case PLUGIN_VALUE_WRONG_TYPE:
        refuse(refusal, WIRE_ER_WRONG_TYPE_FOR_VAR, "Incorrect argument type to variable '%s'",
               name);
        break;
    case PLUGIN_VALUE_WRONG:
        if (input->kind == PLUGIN_INPUT_NULL)
            refuse_value(refusal, name, "NULL", 4, "");
        else
            refuse_value(refusal, name, input->text, input->size, "");
        break;
    case PLUGIN_VALUE_NO_MEMORY:
        refuse(refusal, WIRE_ER_OUT_OF_RESOURCES, "Out of memory.");
        break;
    }
    return false;
}

/* DEFAULT: for a session the global value, otherwise what the server would start with. */
static bool read_default(const struct plugin_variable *variable, enum plugin_set_scope scope,
                         struct plugin_value *value, struct plugin_refusal *refusal)
{
    weir_string text = {variable->configured.text, 0};
    value->number = variable->configured.number;
    if (scope == PLUGIN_SET_SESSION)
        plugin_variable_read(variable, NULL, &value->number, &text);
    value->text = strdup(text.data);
    if (!value->text)
        refuse(refusal, WIRE_ER_OUT_OF_RESOURCES, "Out of memory.");
    return value->text != NULL;
}

/* The plugin's own judgement. */
static bool ask_plugin(const struct plugin_variable *variable, enum plugin_set_scope scope,
                       const struct statement *statement, struct plugin_value *value,
                       struct plugin_refusal *refusal)
{
    if (!variable->plugin->on_variable || variable->plugin->state > PLUGIN_STATE_READY)
        return true;
    struct plugin_running running = {.refusal = refusal};
    weir_verdict verdict = call_plugin(variable, statement, WEIR_VARIABLE_VALIDATE,
                                       scope != PLUGIN_SET_SESSION, value, &running);
    if (verdict == WEIR_OK)
        return true;
    if (verdict != WEIR_REFUSE || !running.gave_reason)
        refuse_value(refusal, variable->definition->name, value->text, strlen(value->text),
                     plugin_take_failure());
    return false;
}

struct plugin_assignment *plugin_variable_prepare(const struct plugin_variable *variable,
                                                  enum plugin_set_scope scope,
                                                  const struct plugin_input *input,
                                                  struct plugin_refusal *refusal)
{
    assert(variable && input && refusal);
    struct plugin_assignment *assignment = calloc(1, sizeof *assignment);
    struct plugin_variables *variables = variable->plugin->registry->variables;
    if (!assignment) {
        refuse(refusal, WIRE_ER_OUT_OF_RESOURCES, "Out of memory.");
        return NULL;
    }
    assignment->variable = variable;
    assignment->scope = scope;
    assignment->is_default = input->kind == PLUGIN_INPUT_DEFAULT;
    pthread_mutex_lock(&variables->lock);
    bool ok = assignment->is_default
                  ? read_default(variable, scope, &assignment->value, refusal)
                  : plugin_variable_parse(variable, input, &assignment->value, refusal);
    pthread_mutex_unlock(&variables->lock);
    if (!ok) {
        plugin_assignment_free(assignment);
        return NULL;
    }
    return assignment;
}

bool plugin_assignments_validate(struct weir_session *session,
                                 struct plugin_assignment *const *assignments, size_t count,
                                 struct plugin_refusal *refusal)
{
    assert(assignments && count > 0 && refusal);
    struct plugin_variables *variables = assignments[0]->variable->plugin->registry->variables;
    const struct statement statement = {session, assignments, count};
    bool ok = true;
    pthread_mutex_lock(&variables->lock);
    for (size_t i = 0; ok && i < count; i++)
        ok = ask_plugin(assignments[i]->variable, assignments[i]->scope, &statement,
                        &assignments[i]->value, refusal);
    pthread_mutex_unlock(&variables->lock);
    return ok;
}

/* Whether the value survives a restart. */
static bool is_kept(const struct plugin_assignment *assignment)
{
    return assignment->scope != PLUGIN_SET_SESSION && assignment->scope != PLUGIN_SET_FILE;
}

enum plugin_share plugin_assignment_share(const struct plugin_assignment *assignment,
                                          const char **name, const char **text)
{
    assert(assignment && name && text);
    *name = assignment->variable->definition->name;
    *text = assignment->is_default ? NULL : assignment->value.text;
    if (!is_kept(assignment) || !plugin_variable_is_shared(assignment->variable))
        return PLUGIN_SHARE_NOTHING;
    return assignment->scope == PLUGIN_SET_PERSIST_ONLY ? PLUGIN_SHARE_NEXT_START
                                                        : PLUGIN_SHARE_VALUE;
}

void plugin_assignment_free(struct plugin_assignment *assignment)
{
    if (assignment)
        free(assignment->value.text);
    free(assignment);
}

/* ---- Setting ---- */

/* Whether SET GLOBAL has come after the file was read, and counts more. */
static bool is_overtaken(const struct plugin_registry *registry,
                         const struct plugin_assignment *assignment)
{
    return assignment->scope == PLUGIN_SET_FILE &&
           (assignment->variable->cluster_place ||
            plugin_persisted_text(&registry->variables->persisted,
                                  assignment->variable->definition->name));
}

/* The file first: a value that would not survive a restart must not take effect. */
static int persist(struct plugin_registry *registry, struct plugin_assignment *const *assignments,
                   size_t count, struct error *error)
{
    struct plugin_variables *variables = registry->variables;
    const char *path = registry->options.variables_file;
    struct plugin_persisted persisted;
    bool is_needed = false;
    for (size_t i = 0; i < count; i++)
        is_needed = is_needed || is_kept(assignments[i]);
    if (!path || !is_needed)
        return 0;
    bool ok = plugin_persisted_copy(&persisted, &variables->persisted);
    for (size_t i = 0; ok && i < count; i++) {
        const struct plugin_assignment *assignment = assignments[i];
        if (is_kept(assignment))
            ok = plugin_persisted_set(&persisted, assignment->variable->definition->name,
                                      assignment->is_default ? NULL : assignment->value.text);
    }
    int status = ok ? plugin_persisted_write(&persisted, path, error)
                    : error_set(error, "not enough memory");
    if (status == 0) {
        struct plugin_persisted old = variables->persisted;
        variables->persisted = persisted;
        persisted = old;
    }
    plugin_persisted_release(&persisted);
    return status;
}

static bool apply(struct plugin_registry *registry, struct weir_session *session,
                  struct plugin_assignment *assignment)
{
    struct plugin_variable *variable = (struct plugin_variable *)assignment->variable;
    struct plugin_value *value = &assignment->value;
    if (assignment->scope == PLUGIN_SET_PERSIST_ONLY)
        return true;
    if (assignment->scope == PLUGIN_SET_SESSION) {
        struct plugin_session_values *values = plugin_session_values_own(registry, session);
        char *text = values ? strdup(value->text) : NULL;
        if (!text)
            return false;
        free(values->items[variable->slot].text);
        values->items[variable->slot] = (struct plugin_session_value){value->number, text};
        return true;
    }
    struct kept_text *kept = plugin_variable_keep(variable, value->text);
    if (kept)
        plugin_variable_store(variable, value->number, kept);
    plugin_variable_mark(variable, NULL);
    struct plugin_session_values *values =
        kept && variable->slot != NO_SLOT ? plugin_variables_snapshot(registry->variables) : NULL;
    if (values)
        plugin_variables_share(registry->variables, values);
    return kept && (variable->slot == NO_SLOT || values);
}

static void tell_plugin(const struct statement *statement, struct plugin_assignment *assignment)
{
    const struct weir_plugin *plugin = assignment->variable->plugin;
    bool is_global = assignment->scope != PLUGIN_SET_SESSION;
    if (!plugin->on_variable || plugin->state != PLUGIN_STATE_READY ||
        assignment->scope == PLUGIN_SET_PERSIST_ONLY)
        return;
    struct plugin_running running = {.refusal = NULL}; /* nothing can be refused any more */
    if (call_plugin(assignment->variable, statement, WEIR_VARIABLE_CHANGED, is_global,
                    &assignment->value, &running) != WEIR_OK)
        log_warn("plugin", "%s failed in OnVariable, after %s was set: %s", plugin->identity.name,
                 assignment->variable->definition->name, plugin_take_failure());
}

int plugin_variables_set(struct plugin_registry *registry, struct weir_session *session,
                         struct plugin_assignment *const *assignments, size_t count,
                         struct error *error)
{
    assert(registry);
    struct plugin_variables *variables = registry->variables;
    const struct statement statement = {session, assignments, count};
    pthread_mutex_lock(&variables->lock);
    int status = persist(registry, assignments, count, error);
    for (size_t i = 0; status == 0 && i < count; i++)
        if (!is_overtaken(registry, assignments[i]) && !apply(registry, session, assignments[i]))
            status = error_set(error, "not enough memory");
    for (size_t i = 0; status == 0 && i < count; i++)
        if (!is_overtaken(registry, assignments[i]))
            tell_plugin(&statement, assignments[i]);
    pthread_mutex_unlock(&variables->lock);
    return status;
}

/* ---- The start ---- */

/* Only what the manifest does not say needs the plugin's judgement. */
static int validate_one(struct plugin_variable *variable, struct error *error)
{
    struct plugin_value value = {0};
    struct plugin_refusal refusal;
    weir_string text;
    plugin_variable_read(variable, NULL, &value.number, &text);
    if (strcmp(text.data, variable->definition->initial.text) == 0)
        return 0;
    value.text = strdup(text.data);
    if (!value.text)
        return error_set(error, "not enough memory");
    int status = 0;
    struct kept_text *kept = NULL;
    const struct statement start = {.session = NULL}; /* all have their values already */
    if (!ask_plugin(variable, PLUGIN_SET_GLOBAL, &start, &value, &refusal))
        status = error_set(error, "plugin %s: its configuration was refused: %s",
                           variable->plugin->identity.name, refusal.message);
    else if (!(kept = plugin_variable_keep(variable, value.text)))
        status = error_set(error, "not enough memory");
    if (kept)
        plugin_variable_store(variable, value.number, kept);
    free(value.text);
    return status;
}

int plugin_variables_validate(struct weir_plugin *plugin, struct error *error)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < plugin->definitions.count; i++)
        status = validate_one(plugin->variables[i], error);
    struct plugin_variables *variables = plugin->registry->variables;
    struct plugin_session_values *values =
        status == 0 && plugin->definitions.count ? plugin_variables_snapshot(variables) : NULL;
    if (values)
        plugin_variables_share(variables, values);
    return status;
}
