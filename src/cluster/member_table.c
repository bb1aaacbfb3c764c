/* SPDX-License-Identifier: Apache-2.0
 *
 * The nodes that a follower was notified of: a sorted array, because there are few and all of them are listed. */
#include "cluster/member_table.h"

#include <stdlib.h>
#include <string.h>

#define DIGITS_MOST 6

unsigned member_table_number(const struct member_table *table, struct store_bytes key)
{
    unsigned number = 0;
    if (key.size <= table->prefix_size || key.size > table->prefix_size + DIGITS_MOST)
        return 0;
    for (size_t i = table->prefix_size; i < key.size; i++) {
        if (key.data[i] < '0' || key.data[i] > '9')
            return 0;
        number = number * 10 + (unsigned)(key.data[i] - '0');
    }
    return number;
}

/* Where the number is, or would be. */
static size_t place_of(const struct member_table *table, unsigned number)
{
    size_t at = 0;
    while (at < table->count && table->rows[at].number < number)
        at++;
    return at;
}

static bool is_at(const struct member_table *table, size_t at, unsigned number)
{
    return at < table->count && table->rows[at].number == number;
}

static void take_out(struct member_table *table, unsigned number)
{
    const size_t at = place_of(table, number);
    if (!is_at(table, at, number))
        return;
    free(table->rows[at].record);
    memmove(table->rows + at, table->rows + at + 1, (table->count - at - 1) * sizeof *table->rows);
    table->count--;
}

static bool make_room(struct member_table *table)
{
    if (table->count < table->capacity)
        return true;
    const size_t capacity = table->capacity ? table->capacity * 2 : 16;
    struct member_row *rows = realloc(table->rows, capacity * sizeof *rows);
    if (!rows)
        return false;
    table->rows = rows;
    table->capacity = capacity;
    return true;
}

static void put(struct member_table *table, unsigned number, const struct store_entry *entry)
{
    take_out(table, number);
    char *record = malloc(entry->value.size + 1);
    if (!record || !make_room(table)) {
        free(record);
        return;
    }
    if (entry->value.size)
        memcpy(record, entry->value.data, entry->value.size);
    record[entry->value.size] = 0;
    const size_t at = place_of(table, number);
    memmove(table->rows + at + 1, table->rows + at, (table->count - at) * sizeof *table->rows);
    table->rows[at] = (struct member_row){.number = number,
                                          .lease = entry->lease,
                                          .record = record,
                                          .record_size = entry->value.size};
    table->count++;
}

static void take_all_out(struct member_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free(table->rows[i].record);
    table->count = 0;
}

void member_table_take(struct member_table *table, const struct store_news *news)
{
    if (news->kind == STORE_EVERYTHING)
        take_all_out(table);
    for (size_t i = 0; i < news->count; i++) {
        const struct store_entry *entry = &news->entries[i];
        const unsigned number = member_table_number(table, entry->key);
        if (number && entry->is_deleted)
            take_out(table, number);
        else if (number)
            put(table, number, entry);
    }
}

const struct member_row *member_table_find(const struct member_table *table, unsigned number)
{
    const size_t at = place_of(table, number);
    return is_at(table, at, number) ? &table->rows[at] : NULL;
}

void member_table_release(struct member_table *table)
{
    take_all_out(table);
    free(table->rows);
    *table = (struct member_table){.prefix_size = table->prefix_size};
}
