/* SPDX-License-Identifier: Apache-2.0
 *
 * Two arrays that are sorted by number: servers count prepared statements upwards, so that a new one
 * nearly always goes to the end. Each has its database in a text of its own; a session has few. */
#include "places.h"

#include <stdlib.h>
#include <string.h>

#define PLACES_MAGIC 0xf19e1aceU

struct place {
    uint64_t number;
    char *database; /* owned, NUL-terminated; NULL: it is not known */
};

struct place_list {
    struct place *items; /* owned */
    size_t count, room;
};

struct places {
    uint32_t magic;
    struct place_list lists[PLACE_BEGUN + 1];
    struct crowd_place crowd;
};

static struct places *places_of(const weir_session *session)
{
    struct places *places = weir_session_data(session);
    if (places)
        WEIR_CHECK(places, PLACES_MAGIC);
    return places;
}

/* Where the number is, or would stand. */
static size_t position(const struct place_list *list, uint64_t number)
{
    size_t low = 0, high = list->count;
    if (list->count && list->items[list->count - 1].number < number)
        return list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list->items[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct place_list *list, size_t at, uint64_t number)
{
    return at < list->count && list->items[at].number == number;
}

static bool make_room(struct place_list *list, size_t at)
{
    if (list->count == list->room) {
        size_t room = list->room ? 2 * list->room : 4;
        struct place *items = realloc(list->items, room * sizeof *items);
        if (!items)
            return false;
        list->items = items;
        list->room = room;
    }
    memmove(list->items + at + 1, list->items + at, (list->count - at) * sizeof *list->items);
    list->count++;
    return true;
}

static void clear(struct place_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].database);
    free(list->items);
    *list = (struct place_list){0};
}

static struct places *places_make(weir_session *session)
{
    struct places *places = places_of(session);
    if (!places && (places = calloc(1, sizeof *places))) {
        places->magic = PLACES_MAGIC;
        weir_set_session_data(session, places);
    }
    return places;
}

bool places_put(weir_session *session, enum place_sort sort, uint64_t number, weir_string database)
{
    struct places *places = places_make(session);
    char *copy = places && database.data ? strndup(database.data, database.size) : NULL;
    if (!places || (database.data && !copy)) {
        places_drop(session, sort, number); /* an older one would be wrong */
        return false;
    }
    struct place_list *list = &places->lists[sort];
    size_t at = position(list, number);
    if (is_at(list, at, number)) {
        free(list->items[at].database);
    } else if (!make_room(list, at)) {
        free(copy);
        return false;
    }
    list->items[at] = (struct place){number, copy};
    return true;
}

struct crowd_place *places_make_crowd(weir_session *session)
{
    struct places *places = places_make(session);
    return places ? &places->crowd : NULL;
}

const struct crowd_place *places_crowd(const weir_session *session)
{
    const struct places *places = places_of(session);
    return places ? &places->crowd : NULL;
}

weir_string places_find(const weir_session *session, enum place_sort sort, uint64_t number)
{
    const struct places *places = places_of(session);
    const struct place_list *list = places ? &places->lists[sort] : NULL;
    size_t at = list ? position(list, number) : 0;
    weir_string database = {NULL, 0};
    if (list && is_at(list, at, number) && list->items[at].database)
        database = (weir_string){list->items[at].database, strlen(list->items[at].database)};
    return database;
}

void places_drop(const weir_session *session, enum place_sort sort, uint64_t number)
{
    struct places *places = places_of(session);
    struct place_list *list = places ? &places->lists[sort] : NULL;
    size_t at = list ? position(list, number) : 0;
    if (!list || !is_at(list, at, number))
        return;
    free(list->items[at].database);
    list->count--;
    memmove(list->items + at, list->items + at + 1, (list->count - at) * sizeof *list->items);
}

void places_drop_prepared(const weir_session *session)
{
    struct places *places = places_of(session);
    if (places)
        clear(&places->lists[PLACE_PREPARED]);
}

void places_free(weir_session *session)
{
    struct places *places = places_of(session);
    if (!places)
        return;
    weir_set_session_data(session, NULL);
    places->magic = 0;
    crowd_leave(&places->crowd);
    for (size_t i = 0; i <= PLACE_BEGUN; i++)
        clear(&places->lists[i]);
    free(places);
}
