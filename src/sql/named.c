/* SPDX-License-Identifier: Apache-2.0
 *
 * A short list, newest first, that is searched in order. Each item is one allocation: its name, its
 * text and its database lie behind it. */
#include "sql/named.h"

#include "sql/charset.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct sql_named_item {
    struct sql_named_item *older;
    struct sql_span name;
    struct sql_prepared prepared;
    char bytes[];
};

void sql_named_clear(struct sql_named *named)
{
    while (named->items) {
        struct sql_named_item *item = named->items;
        named->items = item->older;
        free(item);
    }
}

const struct sql_prepared *sql_named_find(const struct sql_named *named, struct sql_span name)
{
    for (const struct sql_named_item *item = named ? named->items : NULL; item; item = item->older)
        if (sql_span_same(item->name, name))
            return &item->prepared;
    return NULL;
}

/* Removes the name. Returns how many others there are. */
static size_t drop(struct sql_named *named, struct sql_span name)
{
    size_t count = 0;
    struct sql_named_item **at = &named->items;
    while (*at) {
        struct sql_named_item *item = *at;
        if (sql_span_same(item->name, name)) {
            *at = item->older;
            free(item);
        } else {
            count++;
            at = &item->older;
        }
    }
    return count;
}

static struct sql_span copy(char **to, struct sql_span from)
{
    struct sql_span copied = {*to, from.size};
    if (from.size > 0)
        memcpy(*to, from.at, from.size);
    *to += from.size;
    return copied;
}

static void add(struct sql_named *named, const struct sql_naming *naming)
{
    const struct sql_prepared *prepared = &naming->prepared;
    size_t size = naming->name.size + prepared->text.size + prepared->database.name.size;
    struct sql_named_item *item =
        size <= SQL_NAMED_TEXT_BYTES_MAX ? malloc(sizeof *item + size) : NULL;
    if (!item)
        return; /* not known, which is right */
    char *to = item->bytes;
    item->name = copy(&to, naming->name);
    item->prepared = *prepared;
    item->prepared.text = copy(&to, prepared->text);
    item->prepared.database.name = copy(&to, prepared->database.name);
    item->older = named->items;
    named->items = item;
}

void sql_named_follow(struct sql_named *named, const struct sql_naming *naming, bool failed)
{
    assert(named && naming);
    if (naming->is == SQL_NAMING_NOTHING)
        return;
    if (naming->is == SQL_NAMING_UNSURE) {
        sql_named_clear(named);
        return;
    }
    size_t others = drop(named, naming->name);
    if (naming->is == SQL_NAMING_PREPARES && !failed && others < SQL_NAMED_MAX)
        add(named, naming);
}
