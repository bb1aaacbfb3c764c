/* SPDX-License-Identifier: Apache-2.0
 *
 * What is in a log, in numbers: per event, account, digest, table, address and error the most
 * frequent ones, and what was denied. Every list is a hash table from a key to a count and an
 * example. */
#include <stdio.h>
#include <stdlib.h>
#include <weir/plugin.h>

#include "commands.h"

#define FIRST_BUCKETS 1024 /* a power of two */
#define EXAMPLE_BYTES 80

struct counted {
    char *key, *example;
    uint64_t hash, count;
};

struct table {
    struct counted *slots;
    size_t room, used;
};

/* X(member, title) */
#define TABLES(X)                                                                                  \
    X(events, "events")                                                                            \
    X(accounts, "accounts")                                                                        \
    X(addresses, "addresses")                                                                      \
    X(digests, "digests")                                                                          \
    X(tables, "tables")                                                                            \
    X(errors, "errors")                                                                            \
    X(denied, "denied")

struct tally {
#define X(member, title) struct table member;
    TABLES(X)
#undef X
    uint64_t records, lost;
    bool failed; /* no memory */
};

/* FNV-1a */
static uint64_t hash_of(const char *key, size_t size)
{
    uint64_t hash = 14695981039346656037U;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)key[i]) * 1099511628211U;
    return hash;
}

static struct counted *slot_of(struct table *table, const char *key, size_t size, uint64_t hash)
{
    size_t at = hash & (table->room - 1);
    while (table->slots[at].key &&
           (table->slots[at].hash != hash || strncmp(table->slots[at].key, key, size) != 0 ||
            table->slots[at].key[size]))
        at = (at + 1) & (table->room - 1);
    return &table->slots[at];
}

static bool grow(struct table *table)
{
    struct table bigger = {.room = table->room ? 2 * table->room : FIRST_BUCKETS,
                           .used = table->used};
    bigger.slots = calloc(bigger.room, sizeof *bigger.slots);
    if (!bigger.slots)
        return false;
    for (size_t i = 0; i < table->room; i++) {
        struct counted *old = &table->slots[i];
        if (old->key)
            *slot_of(&bigger, old->key, strlen(old->key), old->hash) = *old;
    }
    free(table->slots);
    *table = bigger;
    return true;
}

static void add(struct tally *tally, struct table *table, weir_string key, weir_string example)
{
    if (!key.data || (table->used * 2 >= table->room && !grow(table))) {
        tally->failed = tally->failed || key.data;
        return;
    }
    size_t size = strnlen(key.data, key.size);
    uint64_t hash = hash_of(key.data, size);
    struct counted *slot = slot_of(table, key.data, size, hash);
    if (!slot->key) {
        slot->key = strndup(key.data, size);
        slot->example = example.data ? strndup(example.data, example.size) : NULL;
        slot->hash = hash;
        if (!slot->key) {
            tally->failed = true;
            return;
        }
        table->used++;
    }
    slot->count++;
}

static const weir_string none = {NULL, 0};

static void count_entry(void *context, const struct entry *entry, weir_string line)
{
    struct tally *tally = context;
    const struct record *record = &entry->record;
    const weir_string *text = record->text;
    char name[600];
    (void)line;
    tally->records++;
    weir_string account =
        text[RECORD_TEXT_account].data ? text[RECORD_TEXT_account] : text[RECORD_TEXT_user];
    add(tally, &tally->events, text_of(entry->event), none);
    add(tally, &tally->accounts, account, none);
    add(tally, &tally->addresses, text[RECORD_TEXT_client_ip], none);
    if (record->event != RECORD_STARTING)
        add(tally, &tally->digests, text[RECORD_TEXT_digest], text[RECORD_TEXT_sql]);
    for (size_t i = 0; i < record->table_count && record->event != RECORD_STARTING; i++) {
        snprintf(name, sizeof name, "%.*s.%.*s", WEIR_STRING_ARGS(record->tables[i].schema),
                 WEIR_STRING_ARGS(record->tables[i].name));
        add(tally, &tally->tables, text_of(name), none);
    }
    uint64_t code = record->number[RECORD_NUMBER_error_code];
    if (code != WEIR_ABSENT && code) {
        snprintf(name, sizeof name, "%llu", (unsigned long long)code);
        weir_string message =
            text[RECORD_TEXT_message].data ? text[RECORD_TEXT_message] : text[RECORD_TEXT_reason];
        add(tally, &tally->errors, text_of(name), message);
    }
    if (record->event == RECORD_REFUSED || record->event == RECORD_REJECT)
        add(tally, &tally->denied, account.data ? account : text_of("(nobody)"),
            text[RECORD_TEXT_sql].data ? text[RECORD_TEXT_sql] : text[RECORD_TEXT_reason]);
    if (record->number[RECORD_NUMBER_lost] != WEIR_ABSENT)
        tally->lost += record->number[RECORD_NUMBER_lost];
}

static int by_count(const void *a, const void *b)
{
    const struct counted *first = a, *second = b;
    if (first->count != second->count)
        return first->count < second->count ? 1 : -1;
    return strcmp(first->key ? first->key : "", second->key ? second->key : "");
}

/* Slots with a key come first, since they have a count. */
static void print_table(struct table *table, const char *title, long top)
{
    if (!table->used)
        return;
    qsort(table->slots, table->room, sizeof *table->slots, by_count);
    printf("\n%s (%zu)\n", title, table->used);
    for (size_t i = 0; i < table->used && i < (size_t)top; i++) {
        const struct counted *row = &table->slots[i];
        printf("%10llu  %s", (unsigned long long)row->count, row->key);
        if (row->example) {
            printf("  ");
            for (size_t j = 0; j < EXAMPLE_BYTES && row->example[j]; j++) {
                unsigned char c = (unsigned char)row->example[j];
                putchar(c < 0x20 || c == 0x7f ? ' ' : c);
            }
        }
        putchar('\n');
    }
}

static void print_json(struct table *table, const char *title, long top, json_t *into)
{
    json_t *list = json_array();
    if (table->used)
        qsort(table->slots, table->room, sizeof *table->slots, by_count);
    for (size_t i = 0; i < table->used && i < (size_t)top; i++) {
        json_t *row = json_pack("{s:s?, s:I}", "key", table->slots[i].key, "count",
                                (json_int_t)table->slots[i].count);
        if (row && table->slots[i].example)
            json_object_set_new(row, "example", json_string(table->slots[i].example));
        json_array_append_new(list, row);
    }
    json_object_set_new(into, title, list);
}

static void release(struct table *table)
{
    for (size_t i = 0; i < table->room; i++) {
        free(table->slots[i].key);
        free(table->slots[i].example);
    }
    free(table->slots);
}

static void print_all_as_json(struct tally *tally, long top)
{
    json_t *all = json_pack("{s:I, s:I}", "records", (json_int_t)tally->records, "lost",
                            (json_int_t)tally->lost);
#define X(member, title) print_json(&tally->member, title, top, all);
    TABLES(X)
#undef X
    json_dumpf(all, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(all);
}

int command_count(const struct audit_options *options, const char *const *paths, size_t count)
{
    struct tally tally = {.records = 0};
    int status = command_walk(options, paths, count, false, count_entry, &tally);
    if (tally.failed)
        status = command_fail("there was not enough memory to count everything");
    if (options->json) {
        print_all_as_json(&tally, options->top);
    } else {
        printf("%llu records, %llu events lost\n", (unsigned long long)tally.records,
               (unsigned long long)tally.lost);
#define X(member, title) print_table(&tally.member, title, options->top);
        TABLES(X)
#undef X
    }
#define X(member, title) release(&tally.member);
    TABLES(X)
#undef X
    return status;
}
