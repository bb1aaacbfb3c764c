/* SPDX-License-Identifier: Apache-2.0
 *
 * The list. Names are copied, decoded, into one buffer; while it grows they are offsets kept in the
 * spans' size and a base of NULL, and become pointers at the end.
 *
 * A text may name as many tables as fit into it, so that none is looked for one by one: the list has
 * slots by hash once it is long, and the common table expressions in scope, which are a stack, a
 * chain for each hash. */
#include "sql/tables.h"

#include "sql/charset.h"
#include "sql/lower.h"
#include "sql/tables_scan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char *const access_names[] = {
#define X(enumerator, text) text,
    SQL_ACCESSES(X)
#undef X
};

const char *sql_access_name(enum sql_access access)
{
    return access_names[access];
}

void sql_tables_init(struct sql_tables *tables)
{
    *tables = (struct sql_tables){0};
}

void sql_tables_release(struct sql_tables *tables)
{
    free(tables->items);
    free(tables->routines);
    free(tables->names);
    free(tables->slots);
    free(tables->ctes);
    free(tables->cte_heads);
    sql_tables_init(tables);
}

bool sql_tables_grow(struct sql_tables *tables, void **items, size_t *capacity, size_t needed,
                     size_t item_bytes)
{
    if (needed <= *capacity)
        return true;
    size_t wanted = needed + needed / 2 + 16;
    void *grown = realloc(*items, wanted * item_bytes);
    if (grown == NULL) {
        tables->failed = true;
        return false;
    }
    *items = grown;
    *capacity = wanted;
    return true;
}

static bool grow_names(struct sql_tables *tables, size_t more)
{
    return sql_tables_grow(tables, (void **)&tables->names, &tables->names_capacity,
                           tables->names_size + more, 1);
}

/* Whether two names are the same to a server, letter case apart. */
static bool same_name(const char *a, size_t a_size, const char *b, size_t b_size)
{
    unsigned char high = 0;
    bool same = a_size == b_size;
    for (size_t i = 0; i < a_size && i < b_size; i++) {
        high |= (unsigned char)a[i] | (unsigned char)b[i];
        same = same && sql_byte_lower((unsigned char)a[i]) == sql_byte_lower((unsigned char)b[i]);
    }
    if (same || high < 0x80 || a_size > 256 || b_size > 256)
        return same;
    unsigned char lower[2][3 * 256];
    size_t sizes[2] = {sql_lower_utf8((const unsigned char *)a, a_size, lower[0]),
                       sql_lower_utf8((const unsigned char *)b, b_size, lower[1])};
    return sizes[0] == sizes[1] && memcmp(lower[0], lower[1], sizes[0]) == 0;
}

/* While the list grows a span holds the offset of its bytes instead of their address. */
static struct sql_span offset_span(size_t offset, size_t size)
{
    return (struct sql_span){(const char *)(uintptr_t)offset,
                             size}; // NOLINT(performance-no-int-to-ptr)
}

bool sql_scan_keep_name(struct scan *scan, const struct sql_token *token, struct sql_span *name)
{
    struct sql_tables *tables = scan->tables;
    size_t most = token->end - token->start;
    if (!grow_names(tables, most))
        return false;
    size_t offset = tables->names_size;
    size_t size = sql_token_text(&scan->cursor.lexer, token, tables->names + offset, most);
    *name = offset_span(offset, size);
    tables->names_size += size;
    return true;
}

bool sql_scan_keep_point(struct scan *scan)
{
    if (!grow_names(scan->tables, 1))
        return false;
    scan->tables->names[scan->tables->names_size++] = '.';
    return true;
}

static const char *span_bytes(const struct sql_tables *tables, struct sql_span span)
{
    return tables->names + (uintptr_t)span.at;
}

static uint32_t add_hash(uint32_t hash, const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 16777619U; /* FNV-1a */
    return hash;
}

/* Nobody outside knows where the list lies, so that nobody can choose names of one hash. */
static uint32_t hash_start(const struct sql_tables *tables)
{
    return 2166136261U ^ (uint32_t)((uintptr_t)tables >> 4);
}

#define CTE_HEADS  1024U
#define LIST_SLOTS (4U * SQL_TABLES_MAX)
#define SLOTS_FROM 32U /* items; fewer are looked through */

/* The same for names that are the same to same_name(). */
static uint32_t name_hash(const struct sql_tables *tables, const char *name, size_t size)
{
    unsigned char lower[3 * 256];
    unsigned char high = 0;
    uint32_t hash = hash_start(tables);
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = sql_byte_lower((unsigned char)name[i]);
        high |= byte;
        hash = add_hash(hash, &byte, 1);
    }
    if (high < 0x80 || size > 256)
        return hash;
    return add_hash(hash_start(tables), lower,
                    sql_lower_utf8((const unsigned char *)name, size, lower));
}

static bool is_cte(const struct sql_tables *tables, struct sql_span name)
{
    if (tables->cte_count == 0)
        return false;
    size_t next =
        tables->cte_heads[name_hash(tables, span_bytes(tables, name), name.size) % CTE_HEADS];
    while (next > 0) {
        const struct sql_cte *cte = &tables->ctes[next - 1];
        if (cte->visible &&
            same_name(tables->names + cte->offset, cte->size, span_bytes(tables, name), name.size))
            return true;
        next = cte->older;
    }
    return false;
}

bool sql_tables_same_span(const struct sql_tables *tables, struct sql_span a, struct sql_span b)
{
    return a.size == b.size && memcmp(span_bytes(tables, a), span_bytes(tables, b), a.size) == 0;
}

void sql_scan_add_inside(struct scan *scan, struct sql_span *database)
{
    struct sql_tables *tables = scan->tables;
    if (!scan->inside)
        return;
    struct sql_span name = scan->inside->name;
    if (!scan->inside->known) {
        scan->unknown = true;
    } else if (name.size > 0 && grow_names(tables, name.size)) {
        *database = offset_span(tables->names_size, name.size);
        memcpy(tables->names + tables->names_size, name.at, name.size);
        tables->names_size += name.size;
    }
}

static bool same_table(const struct sql_tables *tables, const struct sql_table *a,
                       const struct sql_table *b)
{
    return a->access == b->access && sql_tables_same_span(tables, a->name, b->name) &&
           sql_tables_same_span(tables, a->database, b->database) &&
           sql_tables_same_span(tables, a->named_apart, b->named_apart);
}

static uint32_t table_hash(const struct sql_tables *tables, const struct sql_table *table)
{
    const struct sql_span spans[] = {table->name, table->database, table->named_apart};
    uint32_t hash = hash_start(tables) + (uint32_t)table->access;
    for (size_t i = 0; i < 3; i++)
        hash = add_hash(hash, (const unsigned char *)span_bytes(tables, spans[i]), spans[i].size);
    return hash;
}

/* The slot of a table, or the empty one that it is to have. */
static uint16_t *slot_of(const struct sql_tables *tables, const struct sql_table *table)
{
    size_t at = table_hash(tables, table) % LIST_SLOTS;
    while (tables->slots[at] > 0 &&
           !same_table(tables, &tables->items[tables->slots[at] - 1], table))
        at = (at + 1) % LIST_SLOTS;
    return &tables->slots[at];
}

/* The list is becoming long. Without memory for the slots it is looked through as before. */
static void make_slots(struct sql_tables *tables)
{
    tables->slots = calloc(LIST_SLOTS, sizeof *tables->slots);
    for (size_t i = 0; tables->slots && i < tables->count; i++)
        *slot_of(tables, &tables->items[i]) = (uint16_t)(i + 1);
}

/* Its place in the list; the list's end: it is not there. */
static size_t find_table(const struct sql_tables *tables, const struct sql_table *table)
{
    size_t at = 0;
    if (tables->slots) {
        uint16_t slot = *slot_of(tables, table);
        return slot > 0 ? slot - 1U : tables->count;
    }
    while (at < tables->count && !same_table(tables, &tables->items[at], table))
        at++;
    return at;
}

static void drop_slots(struct sql_tables *tables)
{
    free(tables->slots);
    tables->slots = NULL;
}

void sql_tables_clear(struct sql_tables *tables)
{
    drop_slots(tables);
    tables->count = tables->names_size = tables->routine_count = 0;
}

/* Adds a table, or its deeds when the list has it. */
static void add(struct scan *scan, const struct sql_table *table)
{
    struct sql_tables *tables = scan->tables;
    if (tables->count == SLOTS_FROM && !tables->slots)
        make_slots(tables);
    scan->last = find_table(tables, table);
    if (scan->last < tables->count) {
        tables->items[scan->last].deeds |= table->deeds;
        return;
    }
    if (tables->count == SQL_TABLES_MAX) {
        scan->unknown = true;
        return;
    }
    if (sql_tables_grow(tables, (void **)&tables->items, &tables->capacity, tables->count + 1,
                        sizeof *tables->items)) {
        if (tables->slots)
            *slot_of(tables, table) = (uint16_t)(tables->count + 1);
        tables->items[tables->count] = *table;
        tables->items[tables->count++].in_text = scan->inside != NULL;
    }
}

static void add_table(struct scan *scan, struct sql_table *table)
{
    if (table->database.size == 0 && table->named_apart.size == 0)
        sql_scan_add_inside(scan, &table->database);
    add(scan, table);
}

/* Words that are no table's name without quotes, on any server: where one stands a name is missing.
 */
static bool is_reserved(uint16_t word)
{
    switch (word) {
    case SQL_WORD_SELECT:
    case SQL_WORD_FROM:
    case SQL_WORD_WHERE:
    case SQL_WORD_GROUP:
    case SQL_WORD_ORDER:
    case SQL_WORD_HAVING:
    case SQL_WORD_LIMIT:
    case SQL_WORD_SET:
    case SQL_WORD_VALUES:
    case SQL_WORD_UNION:
    case SQL_WORD_ON:
    case SQL_WORD_USING:
    case SQL_WORD_JOIN:
    case SQL_WORD_INTO:
    case SQL_WORD_BY:
    case SQL_WORD_AND:
    case SQL_WORD_OR:
    case SQL_WORD_NOT:
    case SQL_WORD_AS:
    case SQL_WORD_IN:
    case SQL_WORD_IS:
    case SQL_WORD_EXISTS:
    case SQL_WORD_TABLE:
    case SQL_WORD_CREATE:
    case SQL_WORD_DROP:
    case SQL_WORD_ALTER:
    case SQL_WORD_INSERT:
    case SQL_WORD_UPDATE:
    case SQL_WORD_DELETE:
        return true;
    default:
        return false;
    }
}

/* Keeps the name that must stand at the cursor, and moves after it. False, and the list is
 * unknown: there is none. */
static bool take_name(struct scan *scan, struct sql_span *name)
{
    const struct sql_token *token = &scan->cursor.token;
    if (!sql_token_is_name(token) || !sql_scan_keep_name(scan, token, name)) {
        scan->unknown = true;
        return false;
    }
    sql_scan_next(scan);
    return true;
}

/* Reads name, db.name, .name or *.name at the cursor. False, and the list is unknown: no name
 * stands there. */
static bool take_table(struct scan *scan, struct sql_table *table)
{
    struct sql_tables *tables = scan->tables;
    bool qualified = false;
    if (sql_cursor_is(&scan->cursor, '.')) {
        sql_scan_next(scan);
    } else if (sql_cursor_is(&scan->cursor, '*')) { /* *.t, of bindings: any database */
        qualified = grow_names(tables, 1);
        if (qualified) {
            table->database = offset_span(tables->names_size, 1);
            tables->names[tables->names_size++] = '*';
        }
        sql_scan_next(scan);
        scan->unknown = scan->unknown || !sql_scan_accept_byte(scan, '.');
    }
    if (is_reserved(sql_cursor_word(&scan->cursor)) || !take_name(scan, &table->name)) {
        scan->unknown = true;
        return false;
    }
    if (!qualified && sql_scan_accept_byte(scan, '.')) {
        table->database = table->name;
        return take_name(scan, &table->name);
    }
    return true;
}

bool sql_scan_changed_table(struct scan *scan, enum sql_access access, uint8_t deeds,
                            bool may_be_cte)
{
    struct sql_table table = {.access = access, .deeds = deeds};
    size_t names_size = scan->tables->names_size;
    if (!take_table(scan, &table))
        return false;
    if (may_be_cte && table.database.size == 0 && is_cte(scan->tables, table.name))
        scan->tables->names_size = names_size;
    else
        add_table(scan, &table);
    return true;
}

bool sql_scan_used_table(struct scan *scan)
{
    struct sql_table table = {.access = SQL_ACCESS_READ};
    if (!take_table(scan, &table))
        return false;
    add_table(scan, &table);
    table.access = SQL_ACCESS_WRITE;
    add_table(scan, &table);
    return true;
}

void sql_scan_shown_table(struct scan *scan, bool apart)
{
    struct sql_table table = {.access = SQL_ACCESS_READ};
    struct sql_span database = {NULL, 0};
    if (!take_table(scan, &table))
        return;
    if ((sql_scan_accept(scan, SQL_WORD_FROM) || sql_scan_accept(scan, SQL_WORD_IN)) &&
        take_name(scan, &database))
        *(apart ? &table.named_apart : &table.database) = database;
    add_table(scan, &table);
}

void sql_scan_add_cte(struct scan *scan, bool visible)
{
    struct sql_tables *tables = scan->tables;
    struct sql_span name = {NULL, 0};
    if (tables->cte_count == SQL_TABLES_MAX || !sql_token_is_name(&scan->cursor.token)) {
        scan->unknown = true;
        return;
    }
    if (!tables->cte_heads)
        tables->cte_heads = calloc(CTE_HEADS, sizeof *tables->cte_heads);
    if (!tables->cte_heads)
        tables->failed = true;
    else if (sql_scan_keep_name(scan, &scan->cursor.token, &name) &&
             sql_tables_grow(tables, (void **)&tables->ctes, &tables->cte_capacity,
                             tables->cte_count + 1, sizeof *tables->ctes)) {
        size_t offset = (uintptr_t)name.at;
        uint16_t head =
            (uint16_t)(name_hash(tables, tables->names + offset, name.size) % CTE_HEADS);
        tables->ctes[tables->cte_count++] = (struct sql_cte){.offset = offset,
                                                             .size = name.size,
                                                             .visible = visible,
                                                             .head = head,
                                                             .older = tables->cte_heads[head]};
        tables->cte_heads[head] = (uint16_t)tables->cte_count;
    }
}

void sql_scan_drop_ctes(struct sql_tables *tables, size_t count)
{
    while (tables->cte_count > count) {
        const struct sql_cte *newest = &tables->ctes[--tables->cte_count];
        tables->cte_heads[newest->head] = newest->older;
    }
}

bool sql_tables_finish(struct sql_tables *tables, struct sql_span current_database)
{
    size_t database = tables->names_size;
    drop_slots(tables);
    if (grow_names(tables, current_database.size) && current_database.size > 0)
        memcpy(tables->names + database, current_database.at, current_database.size);
    if (tables->failed) {
        tables->count = tables->routine_count = 0;
        tables->known = false;
        return false;
    }
    for (size_t i = 0; i < tables->routine_count; i++) {
        struct sql_routine *routine = &tables->routines[i];
        if (routine->database.size == 0)
            routine->database = offset_span(database, current_database.size);
        routine->database.at = span_bytes(tables, routine->database);
        routine->name.at = span_bytes(tables, routine->name);
    }
    for (size_t i = 0; i < tables->count; i++) {
        struct sql_table *item = &tables->items[i];
        if (item->database.size == 0 && item->named_apart.size == 0)
            item->database = offset_span(database, current_database.size);
        item->named_apart.at = span_bytes(tables, item->named_apart);
        item->database.at = span_bytes(tables, item->database);
        item->name.at = span_bytes(tables, item->name);
    }
    return true;
}
