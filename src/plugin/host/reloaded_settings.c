/* SPDX-License-Identifier: Apache-2.0
 *
 * The values that a configuration file gives to variables, read once more while plugins run: checked and judged
 * first, all of them, so that a wrong one changes nothing; set later, when nothing else can fail.
 *
 * What the file says is what DEFAULT means. A variable has that value unless SET GLOBAL or the cluster has given it
 * another one, which counts more. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/host/plugin_variables.h"

/* What the file says of a variable now. */
struct reloaded {
    struct plugin_variable *variable;
    struct plugin_value configured; /* owned; text NULL: it stays as it is */
    struct plugin_setting_place place;
};

struct plugin_reloaded_settings {
    struct plugin_registry *registry;
    struct reloaded *items;
    size_t count;
    struct plugin_assignment **assignments; /* owned */
    size_t assignment_count;
};

static void add_name(struct strbuf *names, const struct plugin_variable *variable)
{
    strbuf_printf(names, "%s%s", names->size ? ", " : "", variable->definition->name);
}

static void note(struct strbuf *notes, const struct strbuf *names, const char *sentence)
{
    if (names->size)
        strbuf_printf(notes, "%s%s %s", notes->size ? "; " : "", names->data, sentence);
}

/* Whether something counts more than the file. */
static bool is_set_otherwise(const struct plugin_variable *variable)
{
    const struct plugin_variables *variables = variable->plugin->registry->variables;
    return variable->cluster_place ||
           plugin_persisted_text(&variables->persisted, variable->definition->name);
}

static int add_assignment(struct plugin_reloaded_settings *settings,
                          const struct reloaded *reloaded, struct error *error)
{
    const char *text = reloaded->configured.text;
    const struct plugin_input input = {PLUGIN_INPUT_FILE, text, strlen(text)};
    struct plugin_refusal refusal;
    struct plugin_assignment *assignment =
        plugin_variable_prepare(reloaded->variable, PLUGIN_SET_FILE, &input, &refusal);
    if (!assignment)
        return error_set(error, "%s", refusal.message);
    settings->assignments[settings->assignment_count++] = assignment;
    return 0;
}

/* What is said of those that differ and do not take effect, by reason. */
struct waiting {
    struct strbuf next_start, locked, set;
};

/* Leaves in the item what is to change. */
static int compare(struct plugin_reloaded_settings *settings, struct reloaded *reloaded,
                   bool changes_locked, struct waiting *waiting, struct error *error)
{
    struct plugin_variable *variable = reloaded->variable;
    struct plugin_variables *variables = settings->registry->variables;
    pthread_mutex_lock(&variables->lock);
    const bool differs = strcmp(reloaded->configured.text, variable->configured.text) != 0;
    const bool is_otherwise = is_set_otherwise(variable);
    pthread_mutex_unlock(&variables->lock);
    if (!differs)
        return 0;
    const bool is_later = variable->definition->is_readonly;
    if (is_later || (variable->plugin->is_locked && !changes_locked)) {
        add_name(is_later ? &waiting->next_start : &waiting->locked, variable);
        free(reloaded->configured.text);
        reloaded->configured.text = NULL;
        return 0;
    }
    if (is_otherwise) {
        add_name(&waiting->set, variable);
        return 0;
    }
    return add_assignment(settings, reloaded, error);
}

static int compare_all(struct plugin_reloaded_settings *settings,
                       const struct plugin_settings *source, bool changes_locked,
                       struct strbuf *notes, struct error *error)
{
    struct plugin_variables *variables = settings->registry->variables;
    struct waiting waiting = {STRBUF_INIT, STRBUF_INIT, STRBUF_INIT};
    int status = 0;
    for (size_t i = 0; status == 0 && i < variables->count; i++) {
        struct reloaded *reloaded = &settings->items[settings->count++];
        reloaded->variable = &variables->items[i];
        status = plugin_variable_read_configured(reloaded->variable, source, &reloaded->configured,
                                                 &reloaded->place, error);
        if (status == 0)
            status = compare(settings, reloaded, changes_locked, &waiting, error);
    }
    note(notes, &waiting.next_start, "differ in the file: read-only, and read at the next start");
    note(notes, &waiting.locked,
         "differ in the file: their plugins are locked, and only SIGHUP or a start changes them");
    note(notes, &waiting.set,
         "differ in the file: values of SET GLOBAL, or the cluster's, count more; SET GLOBAL ... = "
         "DEFAULT goes back to the file");
    strbuf_release(&waiting.next_start);
    strbuf_release(&waiting.locked);
    strbuf_release(&waiting.set);
    return status;
}

static int judge(const struct plugin_reloaded_settings *settings, struct error *error)
{
    struct plugin_refusal refusal;
    if (settings->assignment_count == 0 ||
        plugin_assignments_validate(NULL, settings->assignments, settings->assignment_count,
                                    &refusal))
        return 0;
    return error_set(error, "the settings of plugins were refused: %s", refusal.message);
}

struct plugin_reloaded_settings *plugin_reloaded_settings_read(struct plugin_registry *registry,
                                                               const struct plugin_settings *source,
                                                               bool changes_locked,
                                                               struct strbuf *notes,
                                                               struct error *error)
{
    assert(registry && source && notes);
    const size_t count = registry->variables->count;
    struct plugin_reloaded_settings *settings = calloc(1, sizeof *settings);
    if (settings) {
        settings->registry = registry;
        settings->items = calloc(count + 1, sizeof *settings->items);
        settings->assignments = calloc(count + 1, sizeof(struct plugin_assignment *));
    }
    int status = settings && settings->items && settings->assignments
                     ? 0
                     : error_set(error, "not enough memory");
    if (status == 0)
        status = compare_all(settings, source, changes_locked, notes, error);
    if (status == 0)
        status = judge(settings, error);
    if (status == 0)
        return settings;
    plugin_reloaded_settings_free(settings);
    return NULL;
}

/* ---- Taking effect ---- */

/* The file's name is that of the first file: what it was read from may be gone. NULL: no memory. */
static const char *keep_path(struct plugin_variables *variables, const char *path)
{
    if (path && !variables->settings_path)
        variables->settings_path = strdup(path);
    return path ? variables->settings_path : NULL;
}

static void configure(struct plugin_variables *variables, struct reloaded *reloaded)
{
    struct plugin_variable *variable = reloaded->variable;
    if (!reloaded->configured.text)
        return;
    const struct plugin_value before = variable->configured;
    variable->configured = reloaded->configured;
    reloaded->configured = before;
    variable->place = reloaded->place;
    variable->place.file = keep_path(variables, reloaded->place.file);
}

int plugin_reloaded_settings_set(struct plugin_reloaded_settings *settings, struct error *error)
{
    assert(settings);
    struct plugin_variables *variables = settings->registry->variables;
    pthread_mutex_lock(&variables->lock);
    for (size_t i = 0; i < settings->count; i++)
        configure(variables, &settings->items[i]);
    pthread_mutex_unlock(&variables->lock);
    return plugin_variables_set(settings->registry, NULL, settings->assignments,
                                settings->assignment_count, error);
}

void plugin_reloaded_settings_free(struct plugin_reloaded_settings *settings)
{
    if (!settings)
        return;
    for (size_t i = 0; i < settings->count; i++)
        free(settings->items[i].configured.text);
    for (size_t i = 0; i < settings->assignment_count; i++)
        plugin_assignment_free(settings->assignments[i]);
    free(settings->items);
    free(settings->assignments);
    free(settings);
}
