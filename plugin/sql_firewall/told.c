/* SPDX-License-Identifier: Apache-2.0
 *
 * Names are read strictly: what is not exactly as it would be printed is somebody else's key, whose text counts at its
 * revision like any other. */
#include "told.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/strbuf.h>
#include <weir/text.h>

#define DONE "done " /* begins each line of a part that says which numbers of authors are merged */

/* ---- Names ---- */

struct merged {
    int64_t until;
    uint64_t author;
    uint32_t serial, part, parts;
};

static void print_merged(const struct merged *merged, char name[TOLD_NAME_BYTES])
{
    snprintf(name, TOLD_NAME_BYTES,
             "merged-%016" PRIx64 "-%016" PRIx64 "-%08" PRIx32 "-%04" PRIx32 "-%04" PRIx32,
             (uint64_t)merged->until, merged->author, merged->serial, merged->part, merged->parts);
}

static bool read_merged(const char *name, struct merged *merged)
{
    char again[TOLD_NAME_BYTES];
    uint64_t until;
    if (sscanf(name, "merged-%16" SCNx64 "-%16" SCNx64 "-%8" SCNx32 "-%4" SCNx32 "-%4" SCNx32,
               &until, &merged->author, &merged->serial, &merged->part, &merged->parts) != 5)
        return false;
    merged->until = (int64_t)until;
    print_merged(merged, again);
    return strcmp(name, again) == 0 && until <= INT64_MAX && merged->part < merged->parts;
}

bool told_is_merged(const char *name)
{
    struct merged merged;
    return read_merged(name, &merged);
}

void told_name(uint64_t author, uint32_t number, char name[TOLD_NAME_BYTES])
{
    snprintf(name, TOLD_NAME_BYTES, "%016" PRIx64 "-%08" PRIx32, author, number);
}

static bool read_name(const char *name, struct told_author *author)
{
    char again[TOLD_NAME_BYTES];
    if (sscanf(name, "%16" SCNx64 "-%8" SCNx32, &author->author, &author->number) != 2)
        return false;
    told_name(author->author, author->number, again);
    return strcmp(name, again) == 0;
}

/* ---- Copies ---- */

void told_free(struct told_list *list)
{
    for (size_t i = 0; list && i < list->count; i++)
        free(list->told[i].text);
    if (list)
        free(list->told);
    free(list);
}

static bool copy_entry(struct told_list *list, const weir_store_entry *entry)
{
    const size_t prefix = strlen(TOLD_PREFIX);
    struct told *told = &list->told[list->count];
    told->text = malloc(entry->value.size + 1);
    if (!told->text)
        return false;
    if (entry->value.size)
        memcpy(told->text, entry->value.data, entry->value.size);
    told->text[entry->value.size] = '\0';
    told->size = entry->value.size;
    told->revision = entry->revision;
    const size_t size = entry->key.size > prefix ? entry->key.size - prefix : 0;
    snprintf(told->name, sizeof told->name, "%.*s", (int)size,
             size ? entry->key.data + prefix : "");
    list->count++;
    return true;
}

struct told_list *told_copy(const weir_store_entry *entries, uint32_t entry_size, size_t count)
{
    struct told_list *list = calloc(1, sizeof *list);
    if (!list)
        return NULL;
    list->told = calloc(count + 1, sizeof *list->told);
    bool ok = list->told != NULL;
    for (size_t i = 0; ok && i < count; i++) {
        const weir_store_entry *entry = weir_store_entry_at(entries, entry_size, i);
        ok = entry->is_deleted || copy_entry(list, entry);
    }
    if (ok)
        return list;
    told_free(list);
    return NULL;
}

/* ---- Authors ---- */

void told_authors_release(struct told_authors *authors)
{
    free(authors->items);
    *authors = (struct told_authors){NULL, 0, 0};
}

static struct told_author *find_author(const struct told_authors *authors, uint64_t author)
{
    for (size_t i = authors->count; i-- > 0;)
        if (authors->items[i].author == author)
            return &authors->items[i];
    return NULL;
}

static bool knows(const struct told_authors *authors, struct told_author one)
{
    const struct told_author *found = find_author(authors, one.author);
    return found && found->number >= one.number;
}

/* False: no memory. */
static bool note_author(struct told_authors *authors, struct told_author one)
{
    struct told_author *found = find_author(authors, one.author);
    if (found && found->number < one.number)
        found->number = one.number;
    if (found)
        return true;
    if (authors->count == authors->room) {
        const size_t room = authors->room ? 2 * authors->room : 16;
        struct told_author *grown = realloc(authors->items, room * sizeof *grown);
        if (!grown)
            return false;
        authors->items = grown;
        authors->room = room;
    }
    authors->items[authors->count++] = one;
    return true;
}

static bool is_of_authors(const struct told *told)
{
    return strncmp(told->text, DONE, strlen(DONE)) == 0;
}

static bool note_done(struct told_authors *authors, const char *text)
{
    bool ok = true;
    for (const char *line = text; line && *line && ok; line = strchr(line, '\n')) {
        struct told_author one;
        line += *line == '\n';
        if (sscanf(line, DONE "%16" SCNx64 " %8" SCNx32, &one.author, &one.number) == 2)
            ok = note_author(authors, one);
    }
    return ok;
}

/* ---- Reading ---- */

/* A key, and when it counts. */
struct turn {
    const struct told *told;
    struct merged merged;
    bool is_merged, is_whole;
    int64_t at;
};

static int by_turn(const void *a, const void *b)
{
    const struct turn *one = a, *other = b;
    if (one->at != other->at)
        return one->at < other->at ? -1 : 1;
    if (one->is_merged != other->is_merged)
        return one->is_merged ? 1 : -1;
    return strcmp(one->told->name, other->told->name);
}

static bool is_same_text(const struct merged *one, const struct merged *other)
{
    return one->until == other->until && one->author == other->author &&
           one->serial == other->serial && one->parts == other->parts;
}

/* Parts of one text are beside each other. Marks those that are all there. */
static void mark_whole(struct turn *turns, size_t count)
{
    for (size_t i = 0, next; i < count; i = next) {
        next = i + 1;
        while (turns[i].is_merged && next < count && turns[next].is_merged &&
               is_same_text(&turns[i].merged, &turns[next].merged))
            next++;
        for (size_t j = i; j < next; j++)
            turns[j].is_whole = turns[j].is_merged && next - i == turns[i].merged.parts;
    }
}

/* Returns owned, in order, or NULL: no memory. */
static struct turn *order(const struct told_list *list)
{
    struct turn *turns = calloc(list->count + 1, sizeof *turns);
    if (!turns)
        return NULL;
    for (size_t i = 0; i < list->count; i++) {
        struct turn *turn = &turns[i];
        turn->told = &list->told[i];
        turn->is_merged = read_merged(turn->told->name, &turn->merged);
        turn->at = turn->is_merged ? turn->merged.until : turn->told->revision;
    }
    qsort(turns, list->count, sizeof *turns, by_turn);
    mark_whole(turns, list->count);
    return turns;
}

static bool read_turn(const struct turn *turn, struct told_authors *authors,
                      struct changes *changes, size_t *wrong)
{
    struct told_author one;
    const struct told *told = turn->told;
    if (strcmp(told->name, TOLD_TIDYING) == 0 ||
        (turn->is_merged && (!turn->is_whole || is_of_authors(told))))
        return true;
    if (!turn->is_merged && read_name(told->name, &one)) {
        if (knows(authors, one))
            return true;
        if (!note_author(authors, one))
            return false;
    }
    return changes_read(changes, (weir_string){told->text, told->size}, wrong);
}

bool told_read(struct told_list *list, struct told_authors *authors, struct changes *changes,
               size_t *wrong)
{
    struct turn *turns = order(list);
    bool ok = turns != NULL;
    if (list->is_everything)
        told_authors_release(authors);
    for (size_t i = 0; ok && i < list->count; i++)
        if (list->is_everything && turns[i].is_whole && is_of_authors(turns[i].told))
            ok = note_done(authors, turns[i].told->text);
        else if (!list->is_everything)
            turns[i].is_whole = false; /* what it says has come before */
    for (size_t i = 0; ok && i < list->count; i++)
        ok = read_turn(&turns[i], authors, changes, wrong);
    free(turns);
    return ok;
}

/* ---- Merging ---- */

struct parts {
    weir_string *texts; /* owned, and what they point to */
    size_t count;
};

static bool add_part(void *user, weir_string text)
{
    struct parts *parts = user;
    weir_string *grown = realloc(parts->texts, (parts->count + 1) * sizeof *grown);
    char *copy = malloc(text.size + 1);
    if (grown)
        parts->texts = grown;
    if (!grown || !copy) {
        free(copy);
        return false;
    }
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    parts->texts[parts->count].data = copy;
    parts->texts[parts->count++].size = text.size;
    return true;
}

static bool add_authors(struct parts *parts, const struct told_authors *authors, size_t most)
{
    struct strbuf text = STRBUF_INIT;
    bool ok = true;
    for (size_t i = 0; i < authors->count && ok; i++) {
        strbuf_printf(&text, DONE "%016" PRIx64 " %08" PRIx32 "\n", authors->items[i].author,
                      authors->items[i].number);
        if (text.size + 64 > most || i + 1 == authors->count) {
            ok = !text.failed && add_part(parts, (weir_string){text.data, text.size});
            strbuf_reset(&text);
        }
    }
    strbuf_release(&text);
    return ok;
}

static int64_t last_revision(const struct told_list *list)
{
    int64_t last = 0;
    for (size_t i = 0; i < list->count; i++)
        last = list->told[i].revision > last ? list->told[i].revision : last;
    return last;
}

bool told_merge(struct told_list *list, uint64_t author, uint32_t serial, size_t most,
                bool (*each)(void *user, const char *name, weir_string text), void *user)
{
    struct told_authors authors = {NULL, 0, 0};
    struct changes *changes = changes_new();
    struct parts parts = {NULL, 0};
    size_t wrong = 0;
    list->is_everything = true;
    bool ok = changes && told_read(list, &authors, changes, &wrong) && wrong == 0 &&
              changes_print(changes, most, add_part, &parts) &&
              add_authors(&parts, &authors, most) && parts.count <= UINT16_MAX;
    for (size_t i = 0; i < parts.count; i++) {
        char name[TOLD_NAME_BYTES];
        const struct merged merged = {last_revision(list), author, serial, (uint32_t)i,
                                      (uint32_t)parts.count};
        print_merged(&merged, name);
        ok = ok && each(user, name, parts.texts[i]);
        free((char *)parts.texts[i].data);
    }
    free(parts.texts);
    changes_free(changes);
    told_authors_release(&authors);
    return ok;
}
