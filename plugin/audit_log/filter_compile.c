/* SPDX-License-Identifier: Apache-2.0
 *
 * Compiling items: filter, class, event, and the filters within events. */
#include "filter_compile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- The arena ---- */

struct filter_block {
    struct filter_block *next;
    max_align_t memory[];
};

void *compile_memory(struct compile *compile, size_t count, size_t size)
{
    struct filter_block *block =
        count <= (SIZE_MAX - sizeof *block) / size ? calloc(1, sizeof *block + count * size) : NULL;
    if (!block) {
        error_set(compile->error, "no memory");
        return NULL;
    }
    block->next = compile->definition->blocks;
    compile->definition->blocks = block;
    return block->memory;
}

bool compile_text(struct compile *compile, const json_t *string, weir_string *copy)
{
    size_t size = json_string_length(string);
    char *text = compile_memory(compile, size + 1, 1);
    if (!text)
        return false;
    memcpy(text, json_string_value(string), size + 1);
    *copy = (weir_string){text, size};
    return true;
}

/* ---- Checks ---- */

int compile_keys(struct compile *compile, const json_t *object, const char *what,
                 const char *const *known)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object))
        return error_set(compile->error, "%s must be an object", what);
    json_object_foreach((json_t *)object, key, value)
    {
        const char *const *at = known;
        while (*at && strcmp(*at, key) != 0)
            at++;
        if (!*at && strcmp(key, "abort") == 0)
            return error_set(compile->error, "abort stands in event items only, not in %s", what);
        if (!*at)
            return error_set(compile->error, "%s has no item \"%.60s\"", what, key);
    }
    return 0;
}

/* ---- Actions ---- */

/* {"field": {"name": "general_query.str", "print": condition, "replace": {"function": {"name":
 * "query_digest"}}}}: the only replacement that the language has. */
static int compile_print(struct compile *compile, const json_t *print, unsigned classes,
                         struct filter_action *action)
{
    static const char *const outer[] = {"field", NULL};
    static const char *const inner[] = {"name", "print", "replace", NULL};
    static const char *const replace_keys[] = {"function", NULL}, *const function_keys[] = {"name",
                                                                                            NULL};
    const json_t *field = json_object_get(print, "field");
    const json_t *replace = json_object_get(field, "replace");
    const json_t *function = json_object_get(replace, "function");
    enum filter_field which = FIELD_END;
    enum filter_kind kind = FILTER_TEXT;
    if (compile_keys(compile, print, "print", outer) < 0 ||
        compile_keys(compile, field, "print's field", inner) < 0 ||
        compile_field_name(compile, json_object_get(field, "name"), classes, &which, &kind) < 0)
        return -1;
    if ((which != FIELD_GENERAL_QUERY && which != FIELD_QUERY) || kind != FILTER_TEXT)
        return error_set(compile->error, "print is for general_query.str and query.str only");
    if (compile_keys(compile, replace, "replace", replace_keys) < 0 ||
        compile_keys(compile, function, "replace's function", function_keys) < 0)
        return -1;
    const char *name = json_string_value(json_object_get(function, "name"));
    if (!name || strcmp(name, "query_digest") != 0)
        return error_set(compile->error, "print must replace by the function query_digest");
    return compile_condition(compile, json_object_get(field, "print"), classes,
                             &action->keeps_text);
}

static int compile_action(struct compile *compile, const json_t *item, unsigned classes,
                          struct filter_action *action)
{
    const json_t *log = json_object_get(item, "log"), *stop = json_object_get(item, "abort"),
                 *print = json_object_get(item, "print");
    if (log && compile_condition(compile, log, classes, &action->log) < 0)
        return -1;
    if (stop && compile_condition(compile, stop, classes, &action->abort) < 0)
        return -1;
    return print ? compile_print(compile, print, classes, action) : 0;
}

/* ---- Names ---- */

/* "name": one, or a list. `find` gives the bit's number, or `end`. */
typedef unsigned find_name(const char *name);
static int compile_names(struct compile *compile, const json_t *item, const char *what,
                         find_name *find, unsigned end, unsigned *bits)
{
    const json_t *names = json_object_get(item, "name");
    size_t count = json_is_array(names) ? json_array_size(names) : 1;
    if (count == 0)
        return error_set(compile->error, "a list of names must have some");
    for (size_t i = 0; i < count; i++) {
        const json_t *name = json_is_array(names) ? json_array_get(names, i) : names;
        const char *text = json_string_value(name);
        unsigned found = text ? find(text) : end;
        if (text && strcmp(text, "message") == 0)
            return error_set(compile->error,
                             "the class message is not supported: no client of weir "
                             "can make such events");
        if (found == end)
            return error_set(compile->error, "there is no %s \"%.60s\"", what,
                             text ? text : "(not a string)");
        *bits |= 1U << found;
    }
    return 0;
}

static unsigned find_class(const char *name)
{
    return filter_class_find(name);
}

static unsigned find_event(const char *name)
{
    return filter_event_find(name);
}

/* ---- Items ---- */

static int compile_filter(struct compile *compile, const json_t *json, unsigned classes,
                          unsigned depth, struct filter_tree **tree);

/* The events' classes must be among `classes`; *of are those that they have. */
static int check_events(struct compile *compile, const struct filter_event_item *event,
                        unsigned classes, unsigned *of)
{
    for (unsigned i = 0; i < EVENT_END; i++) {
        enum filter_class class = filter_event_class((enum filter_event)i);
        const char *name = filter_event_name((enum filter_event)i);
        if (!(event->events & 1U << i))
            continue;
        if (!(classes & 1U << class))
            return error_set(compile->error, "the event %s is one of the class %s", name,
                             filter_class_name(class));
        if (event->action.abort && !filter_event_can_abort((enum filter_event)i))
            return error_set(compile->error, "the event %s cannot be aborted: it has happened",
                             name);
        *of |= 1U << class;
    }
    return 0;
}

/* NOLINTNEXTLINE(misc-no-recursion): the depth is bounded. */
static int compile_event(struct compile *compile, const json_t *json, unsigned classes,
                         unsigned depth, struct filter_event_item *event)
{
    static const char *const keys[] = {"name", "log", "abort", "print", "filter", NULL};
    static struct filter_condition some;
    unsigned of = 0;
    if (compile_keys(compile, json, "an event", keys) < 0 ||
        compile_names(compile, json, "event", find_event, EVENT_END, &event->events) < 0)
        return -1;
    event->action.abort = json_object_get(json, "abort") ? &some : NULL;
    if (check_events(compile, event, classes, &of) < 0)
        return -1;
    event->action.abort = NULL;
    const json_t *next = json_object_get(json, "filter");
    if (compile_action(compile, json, of, &event->action) < 0)
        return -1;
    return next ? compile_filter(compile, next, of, depth + 1, &event->next) : 0;
}

/* NOLINTNEXTLINE(misc-no-recursion): the depth is bounded. */
static int compile_class(struct compile *compile, const json_t *json, unsigned depth,
                         struct filter_class_item *class)
{
    static const char *const keys[] = {"name", "log", "print", "event", NULL};
    const json_t *events = json_object_get(json, "event");
    if (compile_keys(compile, json, "a class", keys) < 0 ||
        compile_names(compile, json, "class", find_class, CLASS_END, &class->classes) < 0 ||
        compile_action(compile, json, class->classes, &class->action) < 0)
        return -1;
    class->has_events = events != NULL;
    class->event_count = !events ? 0 : json_is_array(events) ? json_array_size(events) : 1;
    class->events = compile_memory(compile, class->event_count, sizeof *class->events);
    for (size_t i = 0; class->events && i < class->event_count; i++) {
        const json_t *event = json_is_array(events) ? json_array_get(events, i) : events;
        if (compile_event(compile, event, class->classes, depth, &class->events[i]) < 0)
            return -1;
    }
    return class->events ? 0 : -1;
}

static int compile_name(struct compile *compile, const json_t *json, const char *key,
                        weir_string *name)
{
    const json_t *value = json_object_get(json, key);
    if (!value)
        return 0;
    if (!json_is_string(value))
        return error_set(compile->error, "%s must be a string", key);
    return compile_text(compile, value, name) ? 0 : -1;
}

/* The head of a filter: who it is, and when it takes over. */
static int compile_head(struct compile *compile, const json_t *json, unsigned classes,
                        unsigned depth, struct filter_tree *tree)
{
    static const char *const keys[] = {"id", "ref", "activate", "log", "class", NULL};
    const json_t *activate = json_object_get(json, "activate");
    if (depth == FILTER_DEEPEST)
        return error_set(compile->error, "filters are nested more than %d deep", FILTER_DEEPEST);
    if (compile_keys(compile, json, "filter", keys) < 0 ||
        compile_name(compile, json, "id", &tree->id) < 0 ||
        compile_name(compile, json, "ref", &tree->ref) < 0)
        return -1;
    if (depth == 0 && (activate || tree->ref.data))
        return error_set(compile->error, "the outermost filter has no activate and no ref");
    if (tree->ref.data && json_object_size(json) != 1U + (activate != NULL))
        return error_set(compile->error, "a filter with ref has nothing else but activate");
    return activate ? compile_condition(compile, activate, classes, &tree->activates) : 0;
}

/* NOLINTNEXTLINE(misc-no-recursion): the depth is bounded. */
static int compile_filter(struct compile *compile, const json_t *json, unsigned classes,
                          unsigned depth, struct filter_tree **tree)
{
    struct filter_tree *made = compile_memory(compile, 1, sizeof *made);
    *tree = made;
    if (!made || compile_head(compile, json, classes, depth, made) < 0)
        return -1;
    const json_t *items = json_object_get(json, "class");
    if (compile_action(compile, json, ANY_CLASS, &made->action) < 0)
        return -1;
    made->target = made;
    made->has_classes = items != NULL;
    made->class_count = !items ? 0 : json_is_array(items) ? json_array_size(items) : 1;
    made->classes = compile_memory(compile, made->class_count, sizeof *made->classes);
    for (size_t i = 0; made->classes && i < made->class_count; i++) {
        const json_t *item = json_is_array(items) ? json_array_get(items, i) : items;
        if (compile_class(compile, item, depth, &made->classes[i]) < 0)
            return -1;
    }
    return made->classes ? 0 : -1;
}

/* ---- References ---- */

static bool is_same(weir_string a, weir_string b)
{
    return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

/* Counts the filters with this id, and finds one. NOLINTNEXTLINE(misc-no-recursion) */
static size_t find_id(struct filter_tree *tree, weir_string id, struct filter_tree **found)
{
    size_t count = 0;
    if (tree->id.data && is_same(tree->id, id)) {
        *found = tree;
        count++;
    }
    for (size_t i = 0; i < tree->class_count; i++) {
        const struct filter_class_item *class = &tree->classes[i];
        for (size_t j = 0; j < class->event_count; j++)
            count += class->events[j].next ? find_id(class->events[j].next, id, found) : 0;
    }
    return count;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tree. */
static int resolve(struct compile *compile, struct filter_tree *tree)
{
    struct filter_tree *root = compile->definition->root;
    if (tree->id.data && find_id(root, tree->id, &(struct filter_tree *){NULL}) > 1)
        return error_set(compile->error, "two filters have the id \"%.60s\"", tree->id.data);
    if (tree->ref.data && find_id(root, tree->ref, &tree->target) == 0)
        return error_set(compile->error, "there is no filter with the id \"%.60s\"",
                         tree->ref.data);
    for (size_t i = 0; i < tree->class_count; i++) {
        const struct filter_class_item *class = &tree->classes[i];
        for (size_t j = 0; j < class->event_count; j++)
            if (class->events[j].next && resolve(compile, class->events[j].next) < 0)
                return -1;
    }
    return 0;
}

/* ---- Definitions ---- */

struct filter_definition *filter_compile(const json_t *json, struct error *error)
{
    static const char *const keys[] = {"filter", NULL};
    struct compile compile = {.definition = calloc(1, sizeof *compile.definition), .error = error};
    if (!compile.definition) {
        error_set(error, "no memory");
        return NULL;
    }
    if (compile_keys(&compile, json, "a definition", keys) == 0 &&
        compile_filter(&compile, json_object_get(json, "filter"), ANY_CLASS, 0,
                       &compile.definition->root) == 0 &&
        resolve(&compile, compile.definition->root) == 0)
        return compile.definition;
    filter_definition_free(compile.definition);
    return NULL;
}

void filter_definition_free(struct filter_definition *definition)
{
    while (definition && definition->blocks) {
        struct filter_block *next = definition->blocks->next;
        free(definition->blocks);
        definition->blocks = next;
    }
    free(definition);
}
