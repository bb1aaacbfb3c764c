/* SPDX-License-Identifier: Apache-2.0
 *
 * A count may be behind by a share of its limit, and never ahead: so what others add up is at most what there is. */
#include "own_counts.h"

#include <stdlib.h>

#include "count_values.h"

#define TOLERANCE 20 /* all nodes together are behind by that part of a limit at most */

static int64_t at_most(int64_t count, int64_t most)
{
    return count < most ? count : most;
}

/* Of the counts those that a limit is about. Beyond a limit of a window one is as good as many; connections end one by
 * one, so all of them count. */
static struct tally_counts relevant(const struct tally_counts *counts,
                                    const struct shared_limits *limits)
{
    return (struct tally_counts){
        .connections = limits->connections ? counts->connections : 0,
        .rate = at_most(counts->rate, limits->rate),
        .rate_left = counts->rate_left,
        .failed = at_most(counts->failed, limits->failed),
        .failed_left = counts->failed_left,
    };
}

static bool is_none(const struct tally_counts *counts)
{
    return !counts->connections && !counts->rate && !counts->failed;
}

static bool differs(int64_t own, int64_t published, int64_t limit, size_t nodes)
{
    return own < published || own > published + limit / (TOLERANCE * (int64_t)nodes);
}

static bool judge(void *data, const struct tally_key *key, const struct tally_counts *counts,
                  const struct tally_counts *published)
{
    struct own_counts *own = data;
    const struct shared_limits limits = own->rules->limits_of(key);
    const struct tally_counts now = relevant(counts, &limits);
    own->counts_anything = own->counts_anything || !is_none(&now);
    return differs(now.connections, published->connections, limits.connections, own->nodes) ||
           differs(now.rate, published->rate, limits.rate, own->nodes) ||
           differs(now.failed, published->failed, limits.failed, own->nodes);
}

bool own_counts_review(struct own_counts *own, unsigned part, bool is_all, int64_t now)
{
    const struct tally_windows windows = own->rules->windows();
    return tally_review(part, is_all, &windows, now, judge, own);
}

/* ---- The value of a part ---- */

struct chosen {
    struct tally_key key;
    struct tally_counts counts;
    int64_t nearness; /* to a limit, in thousandths of it */
};

struct choice {
    const struct own_counts *own;
    struct chosen *items; /* owned */
    size_t count, room, missing;
};

static int64_t nearness(int64_t count, int64_t limit)
{
    return limit ? count * 1000 / limit : 0;
}

static bool make_room(struct choice *choice)
{
    if (choice->count < choice->room)
        return true;
    const size_t room = choice->room ? 2 * choice->room : 64;
    struct chosen *items = realloc(choice->items, room * sizeof *items);
    if (!items)
        return false;
    choice->items = items;
    choice->room = room;
    return true;
}

static void choose(void *data, const struct tally_key *key, const struct tally_counts *counts)
{
    struct choice *choice = data;
    const struct shared_limits limits = choice->own->rules->limits_of(key);
    struct chosen item = {.key = *key, .counts = relevant(counts, &limits)};
    const int64_t of_each[] = {nearness(item.counts.connections, limits.connections),
                               nearness(item.counts.rate, limits.rate),
                               nearness(item.counts.failed, limits.failed)};
    for (size_t i = 0; i < sizeof of_each / sizeof *of_each; i++)
        item.nearness = of_each[i] > item.nearness ? of_each[i] : item.nearness;
    if (is_none(&item.counts))
        return;
    if (make_room(choice))
        choice->items[choice->count++] = item;
    else
        choice->missing++;
}

static int nearest_first(const void *a, const void *b)
{
    const struct chosen *one = a, *other = b;
    return one->nearness < other->nearness ? 1 : -(one->nearness > other->nearness);
}

size_t own_counts_print(const struct own_counts *own, unsigned part, int64_t now,
                        struct strbuf *out)
{
    const struct tally_windows windows = own->rules->windows();
    struct choice choice = {.own = own};
    tally_collect(part, &windows, now, choose, &choice);
    const size_t all = choice.count + choice.missing;
    if (choice.count > SHARED_COUNTS_MOST) {
        qsort(choice.items, choice.count, sizeof *choice.items, nearest_first);
        choice.count = SHARED_COUNTS_MOST;
    }
    if (choice.count)
        count_value_begin(out);
    for (size_t i = 0; i < choice.count; i++) {
        count_value_add(out, &choice.items[i].key, &choice.items[i].counts);
        tally_set_published(&choice.items[i].key, &choice.items[i].counts, now);
    }
    free(choice.items);
    return all - choice.count;
}
