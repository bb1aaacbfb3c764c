/* SPDX-License-Identifier: Apache-2.0 */
#include "ranges.h"

#include <stdlib.h>
#include <string.h>

#define FANOUT 16 /* of IPv6's tree: two cache lines of 64 bits */

struct range4 {
    uint32_t first, last; /* host order */
};

#define INDEX4_ENTRIES 65537

struct address6 {
    uint64_t high, low; /* host order */
};

struct range6 {
    struct address6 first, last;
};

/* ---- As they are read ---- */

bool range_list_add(struct range_list *list, const struct range *range)
{
    if (list->count == list->room) {
        size_t room = list->room ? 2 * list->room : 16;
        struct range *ranges = realloc(list->ranges, room * sizeof *ranges);
        if (!ranges)
            return false;
        list->ranges = ranges;
        list->room = room;
    }
    list->ranges[list->count++] = *range;
    return true;
}

void range_list_release(struct range_list *list)
{
    free(list->ranges);
    *list = (struct range_list){0};
}

static int by_first(const void *a, const void *b)
{
    return memcmp(((const struct range *)a)->first, ((const struct range *)b)->first,
                  ADDRESS_BYTES);
}

static void sort_and_merge(struct range_list *list)
{
    size_t kept = 0;
    if (list->count)
        qsort(list->ranges, list->count, sizeof *list->ranges, by_first);
    for (size_t i = 0; i < list->count; i++) {
        const struct range *range = &list->ranges[i];
        struct range *before = kept ? &list->ranges[kept - 1] : NULL;
        if (!before || memcmp(range->first, before->last, ADDRESS_BYTES) > 0)
            list->ranges[kept++] = *range;
        else if (memcmp(range->last, before->last, ADDRESS_BYTES) > 0)
            memcpy(before->last, range->last, ADDRESS_BYTES);
    }
    list->count = kept;
}

/* ---- IPv4 ---- */

static uint32_t number4(const uint8_t *address)
{
    return (uint32_t)address[0] << 24 | (uint32_t)address[1] << 16 | (uint32_t)address[2] << 8 |
           address[3];
}

bool set4_make(struct set4 *set, struct range_list *list)
{
    uint32_t begun = 0;
    sort_and_merge(list);
    if (list->count == 0)
        return true;
    set->ranges = malloc(list->count * sizeof *set->ranges);
    set->index = malloc(INDEX4_ENTRIES * sizeof *set->index);
    if (!set->ranges || !set->index)
        return false;
    for (size_t i = 0; i < list->count; i++) {
        struct range4 *range = &set->ranges[i];
        *range = (struct range4){number4(list->ranges[i].first), number4(list->ranges[i].last)};
        for (; begun <= range->first >> 16; begun++)
            set->index[begun] = (uint32_t)i;
    }
    for (; begun < INDEX4_ENTRIES; begun++)
        set->index[begun] = (uint32_t)list->count;
    return true;
}

void set4_release(struct set4 *set)
{
    free(set->ranges);
    free(set->index);
}

bool set4_has(const struct set4 *set, const uint8_t address[4])
{
    if (!set->ranges)
        return false;
    uint32_t key = number4(address);
    uint32_t low = set->index[key >> 16], high = set->index[(key >> 16) + 1];
    while (low < high) { /* the first range that begins after the address */
        uint32_t middle = low + (high - low) / 2;
        if (set->ranges[middle].first <= key)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && key <= set->ranges[low - 1].last;
}

/* ---- IPv6 ---- */

static uint64_t number8(const uint8_t *bytes)
{
    return (uint64_t)number4(bytes) << 32 | number4(bytes + 4);
}

static struct address6 number6(const uint8_t *address)
{
    return (struct address6){number8(address), number8(address + 8)};
}

static bool is_before(struct address6 a, struct address6 b)
{
    return a.high < b.high || (a.high == b.high && a.low < b.low);
}

/* Makes the levels over level 0. */
static bool make_tree(struct set6 *set)
{
    size_t level = 0;
    for (; set->counts[level] > FANOUT && level + 1 < SET6_LEVELS; level++) {
        size_t count = (set->counts[level] + FANOUT - 1) / FANOUT;
        set->levels[level + 1] = malloc(count * sizeof **set->levels);
        if (!set->levels[level + 1])
            return false;
        for (size_t i = 0; i < count; i++)
            set->levels[level + 1][i] = set->levels[level][i * FANOUT];
        set->counts[level + 1] = count;
    }
    set->level_count = level + 1;
    return true;
}

bool set6_make(struct set6 *set, struct range_list *list)
{
    sort_and_merge(list);
    if (list->count == 0)
        return true;
    set->ranges = malloc(list->count * sizeof *set->ranges);
    set->levels[0] = malloc(list->count * sizeof **set->levels);
    if (!set->ranges || !set->levels[0])
        return false;
    for (size_t i = 0; i < list->count; i++) {
        const struct range *range = &list->ranges[i];
        set->ranges[i] = (struct range6){number6(range->first), number6(range->last)};
        set->levels[0][i] = set->ranges[i].first.high;
    }
    set->counts[0] = list->count;
    return make_tree(set);
}

void set6_release(struct set6 *set)
{
    free(set->ranges);
    for (size_t level = 0; level < SET6_LEVELS; level++)
        free(set->levels[level]);
}

/* How many ranges begin at or before the address, going by its first 64 bits. On each level the
 * answer is among the FANOUT keys below the last one that is not after it. */
static size_t count_begun(const struct set6 *set, uint64_t high)
{
    size_t from = 0, count = 0;
    for (size_t level = set->level_count; level-- > 0;) {
        const uint64_t *keys = set->levels[level];
        size_t end = set->counts[level] - from < FANOUT ? set->counts[level] : from + FANOUT;
        count = from;
        while (count < end && keys[count] <= high)
            count++;
        if (count == 0)
            return 0;
        from = (count - 1) * FANOUT;
    }
    return count;
}

bool set6_has(const struct set6 *set, const uint8_t address[16])
{
    if (!set->ranges)
        return false;
    struct address6 key = number6(address);
    size_t high = count_begun(set, key.high), low = 0;
    if (high == 0 || set->ranges[high - 1].first.high != key.high)
        return high > 0 && !is_before(set->ranges[high - 1].last, key);
    if (key.high > 0) /* of those that begin with the same 64 bits the low ones decide */
        low = count_begun(set, key.high - 1);
    while (low < high) { /* the first range that begins after the address */
        size_t middle = low + (high - low) / 2;
        if (is_before(key, set->ranges[middle].first))
            high = middle;
        else
            low = middle + 1;
    }
    return low > 0 && !is_before(set->ranges[low - 1].last, key);
}
