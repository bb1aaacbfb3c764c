/* SPDX-License-Identifier: Apache-2.0
 *
 * Each account has its entries in the order in which they were learned, and a lookup of them. Keys
 * are SHA-256 already, so that their first bytes, with the database, are the hash. */
#include "allow_list.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <weir/account.h>
#include <weir/text.h>

#include "allow_list_private.h"
#include "statement.h"

/* ---- Keys ---- */

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

bool key_from_hex(const char *hex, uint8_t bytes[KEY_BYTES])
{
    for (size_t i = 0; i < KEY_BYTES; i++) {
        int high = hex_value(hex[2 * i]), low = high < 0 ? -1 : hex_value(hex[2 * i + 1]);
        if (low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static enum key_answer hashed(struct key *key, enum key_sort sort, weir_string text)
{
    key->sort = sort;
    key->shown = text;
    return SHA256((const uint8_t *)text.data, text.size, key->bytes) ? KEY_FOUND : KEY_UNKNOWABLE;
}

static bool take_digest(struct key *key, weir_string digest)
{
    key->sort = KEY_DIGEST;
    return digest.size == 2 * (size_t)KEY_BYTES && key_from_hex(digest.data, key->bytes);
}

static enum key_answer key_in_text(struct statement *statement, size_t index, struct key *key)
{
    size_t at = statement_in_text(statement, index);
    if (!at)
        return KEY_NO_MORE;
    if (!take_digest(key, weir_part_text(statement->session, at, WEIR_TEXT_digest)))
        return KEY_UNKNOWABLE;
    key->shown = weir_part_text(statement->session, at, WEIR_TEXT_normalized);
    return key->shown.data ? KEY_FOUND : KEY_UNKNOWABLE;
}

enum key_answer key_of(struct statement *statement, size_t index, struct key *key)
{
    weir_string sql = statement_sql(statement);
    if (!statement_is_read(statement) || (sql.data && statement_is_computed(statement)))
        return KEY_UNKNOWABLE;
    key->database = (weir_string){NULL, 0};
    if (sql.data) {
        key->database = statement_database(statement);
        if (!key->database.data)
            return KEY_UNKNOWABLE;
    }
    if (index > 0)
        return sql.data && statement_has_text(statement) &&
                       statement_has_digests_for_keys(statement)
                   ? key_in_text(statement, index, key)
                   : KEY_NO_MORE;
    if (!sql.data)
        return hashed(key, KEY_COMMAND, statement_command(statement));
    if (!statement_has_digests_for_keys(statement))
        return hashed(key, KEY_TEXT, sql);
    key->shown = statement_normalized(statement);
    return take_digest(key, statement_digest(statement)) ? KEY_FOUND : KEY_UNKNOWABLE;
}

/* ---- What lookups need ---- */

static uint64_t hash_of_bytes(const uint8_t bytes[KEY_BYTES])
{
    uint64_t hash;
    memcpy(&hash, bytes, sizeof hash);
    return hash;
}

static uint64_t hash_of_name(weir_string name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < name.size; i++)
        hash = (hash ^ (uint8_t)name.data[i]) * UINT64_C(0x100000001b3);
    return hash ^ hash >> 29;
}

static uint64_t hash_of_key(const uint8_t bytes[KEY_BYTES], weir_string database)
{
    return hash_of_bytes(bytes) ^ (database.data ? hash_of_name(database) : 0);
}

uint64_t key_hash(const struct key *key)
{
    return hash_of_key(key->bytes, key->database);
}

bool key_is_same(const struct key *a, const struct key *b)
{
    return a->sort == b->sort && memcmp(a->bytes, b->bytes, KEY_BYTES) == 0 &&
           !a->database.data == !b->database.data && text_equals(a->database, b->database);
}

static uint64_t entry_hash(const void *item)
{
    const struct entry *entry = item;
    return hash_of_key(entry->bytes, entry->database);
}

static bool entry_fits(const void *item, const void *wanted)
{
    const struct entry *entry = item;
    const struct key *key = wanted;
    return entry->sort == key->sort && memcmp(entry->bytes, key->bytes, KEY_BYTES) == 0 &&
           !entry->database.data == !key->database.data &&
           text_equals(entry->database, key->database);
}

bool entry_is(const struct entry *entry, const struct key *key)
{
    return entry->sort == key->sort && memcmp(entry->bytes, key->bytes, KEY_BYTES) == 0 &&
           (!key->database.data ||
            (entry->database.data && text_equals(entry->database, key->database)));
}

uint64_t account_hash_of(weir_string name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < name.size; i++)
        hash = (hash ^ (uint8_t)(name.data[i] | 0x20)) * UINT64_C(0x100000001b3);
    return hash ^ hash >> 29;
}

static uint64_t account_hash(const void *item)
{
    const struct account *account = item;
    return account_hash_of((weir_string){account->name, account->name_size});
}

static bool account_fits(const void *item, const void *wanted)
{
    const struct account *account = item;
    const weir_string *name = wanted;
    return account_is((weir_string){account->name, account->name_size}, *name);
}

static const struct lookup_kind entries_kind = {entry_hash, entry_fits};
static const struct lookup_kind accounts_kind = {account_hash, account_fits};

/* ---- Reading ---- */

struct account *allow_lists_find(const struct allow_lists *lists, weir_string name)
{
    return lookup_find(&lists->accounts, &accounts_kind, account_hash_of(name), &name);
}

bool account_has(const struct account *account, const struct key *key)
{
    return lookup_find(&account->entries, &entries_kind, key_hash(key), key) != NULL;
}

bool account_allows(const struct account *account, const struct key *key)
{
    struct key unbound = *key;
    unbound.database = (weir_string){NULL, 0};
    return account_has(account, key) || (key->database.data && atomic_load(&account->has_unbound) &&
                                         account_has(account, &unbound));
}

bool account_names(const struct account *account, const struct key *key)
{
    bool found = false;
    for (const struct entry *entry = atomic_load(&account->first); entry && !found;
         entry = atomic_load(&entry->next))
        found = entry_is(entry, key);
    return found;
}

size_t account_count(const struct account *account)
{
    return atomic_load(&account->count);
}

int account_mode(const struct account *account)
{
    return atomic_load_explicit(&account->mode, memory_order_relaxed);
}

size_t allow_lists_count(const struct allow_lists *lists)
{
    return atomic_load(&lists->count);
}

size_t allow_lists_unbound(const struct allow_lists *lists)
{
    return atomic_load(&lists->unbound);
}

int allow_lists_strictest_mode(const struct allow_lists *lists)
{
    int strictest = NO_MODE;
    for (const struct account *account = atomic_load(&lists->first); account;
         account = atomic_load(&account->next))
        if (account_mode(account) > strictest)
            strictest = account_mode(account);
    return strictest;
}

bool allow_lists_are_empty(const struct allow_lists *lists)
{
    return !atomic_load(&lists->first);
}

/* ---- Writing ---- */

size_t shown_copy(weir_string text, char room[SHOWN_STATEMENT_SIZE])
{
    size_t size = text.size;
    if (size > SHOWN_STATEMENT_SIZE) {
        size = SHOWN_STATEMENT_SIZE;
        while (size && ((unsigned char)text.data[size] & 0xc0) == 0x80)
            size--;
    }
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        room[i] = byte < ' ' || byte == 0x7f ? ' ' : (char)byte;
    }
    return size;
}

static struct entry *new_entry(const struct key *key)
{
    char shown[SHOWN_STATEMENT_SIZE];
    size_t size = shown_copy(key->shown, shown);
    struct entry *entry = calloc(1, sizeof *entry + size + key->database.size + 1);
    if (!entry)
        return NULL;
    if (key->database.data) {
        entry->database = (weir_string){entry->text + size, key->database.size};
        memcpy(entry->text + size, key->database.data, key->database.size);
    }
    entry->sort = key->sort;
    memcpy(entry->bytes, key->bytes, KEY_BYTES);
    memcpy(entry->text, shown, size);
    entry->shown_size = (uint16_t)size;
    return entry;
}

static bool has_control_characters(weir_string name)
{
    bool found = false;
    for (size_t i = 0; i < name.size; i++)
        found = found || (unsigned char)name.data[i] < ' ';
    return found;
}

enum learned account_learn(struct allow_lists *lists, struct account *account,
                           const struct key *key)
{
    if (account_has(account, key))
        return LEARNED_NOTHING;
    bool is_writable =
        key->database.size < DATABASE_BYTES && !has_control_characters(key->database);
    struct entry *entry =
        is_writable && account_count(account) < STATEMENTS_MAX ? new_entry(key) : NULL;
    if (!entry || !lookup_add(&account->entries, &entries_kind, entry)) {
        free(entry);
        return LEARNED_FULL;
    }
    atomic_store(account->last ? &account->last->next : &account->first, entry);
    account->last = entry;
    if (!key->database.data && key->sort != KEY_COMMAND) {
        atomic_store(&account->has_unbound, true);
        atomic_fetch_add(&lists->unbound, 1);
    }
    atomic_fetch_add(&account->count, 1);
    atomic_fetch_add(&lists->count, 1);
    return LEARNED_NEW;
}

void account_set_mode(struct account *account, int mode)
{
    atomic_store(&account->mode, mode);
}

/* Whether the file can name it. */
static bool is_account(weir_string name)
{
    char room[ACCOUNT_QUOTED_BYTES];
    struct account_name again;
    weir_string printed = account_print(name, room);
    return printed.data && !account_parse(printed, &again) &&
           account_is(account_text(&again), name);
}

struct account *allow_lists_make(struct allow_lists *lists, weir_string name)
{
    struct account *account = allow_lists_find(lists, name);
    if (account || !is_account(name))
        return account;
    account = calloc(1, sizeof *account + name.size + 1);
    if (!account)
        return NULL;
    account->name_size = name.size;
    memcpy(account->name, name.data, name.size);
    account_set_mode(account, NO_MODE);
    if (!lookup_add(&lists->accounts, &accounts_kind, account)) {
        free(account);
        return NULL;
    }
    atomic_store(lists->last ? &lists->last->next : &lists->first, account);
    lists->last = account;
    return account;
}

/* ---- Life ---- */

struct allow_lists *allow_lists_new(void)
{
    return calloc(1, sizeof(struct allow_lists));
}

static void free_account(struct account *account)
{
    struct entry *entry = atomic_load(&account->first);
    while (entry) {
        struct entry *next = atomic_load(&entry->next);
        free(entry);
        entry = next;
    }
    lookup_release(&account->entries);
    free(account);
}

void allow_lists_free(struct allow_lists *lists)
{
    struct account *account = lists ? atomic_load(&lists->first) : NULL;
    while (account) {
        struct account *next = atomic_load(&account->next);
        free_account(account);
        account = next;
    }
    if (lists)
        lookup_release(&lists->accounts);
    free(lists);
}
