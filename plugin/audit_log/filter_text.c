/* SPDX-License-Identifier: Apache-2.0
 *
 * Filters are merged by their names, and accounts by theirs: whoever has changed one of them on a node has it so, whatever
 * another node has done to the others meanwhile. */
#include "filter_text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

char *filters_print(const json_t *root)
{
    char *text = json_dumps(root, JSON_INDENT(2));
    const size_t size = text ? strlen(text) : 0;
    char *line = text ? realloc(text, size + 2) : NULL;
    if (!line) {
        free(text);
        return NULL;
    }
    line[size] = '\n';
    line[size + 1] = '\0';
    return line;
}

static json_t *parse(weir_string text)
{
    json_t *root = json_loadb(text.data ? text.data : "", text.size, 0, NULL);
    if (json_is_object(root))
        return root;
    json_decref(root);
    return NULL;
}

/* Does to `to` what has been done to `mine` since it was `base`. False: no memory. */
static bool merge_members(json_t *to, const json_t *base, json_t *mine)
{
    const char *name;
    json_t *value;
    bool ok = true;
    json_object_foreach(mine, name, value)
    {
        if (!json_equal(json_object_get(base, name), value))
            ok = json_object_set(to, name, value) == 0 && ok;
    }
    json_object_foreach((json_t *)base, name, value)
    {
        if (!json_object_get(mine, name))
            json_object_del(to, name);
    }
    return ok;
}

/* The member of that name, which is made if it is not there; NULL: no memory. */
static json_t *member(json_t *root, const char *name)
{
    json_t *found = json_object_get(root, name);
    if (json_is_object(found))
        return found;
    found = json_object();
    return json_object_set_new(root, name, found) == 0 ? found : NULL;
}

static void drop_users_without_filter(json_t *root)
{
    const json_t *filters = json_object_get(root, "filters");
    const char *account;
    void *next;
    json_t *filter, *users = json_object_get(root, "users");
    json_object_foreach_safe(users, next, account, filter)
    {
        const char *name = json_string_value(filter);
        if (!name || !json_object_get(filters, name))
            json_object_del(users, account);
    }
}

char *filters_merge(weir_string base, weir_string mine, weir_string theirs)
{
    static const char *const objects[] = {"filters", "users"};
    json_t *before = parse(base), *ours = parse(mine), *result = parse(theirs);
    char *text = NULL;
    bool ok = before && ours && result;
    for (size_t i = 0; ok && i < 2; i++) {
        json_t *to = member(result, objects[i]), *from = member(ours, objects[i]);
        ok = to && from && merge_members(to, member(before, objects[i]), from);
    }
    if (ok) {
        drop_users_without_filter(result);
        text = filters_print(result);
    }
    json_decref(before);
    json_decref(ours);
    json_decref(result);
    return text;
}
