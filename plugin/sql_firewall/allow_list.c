/* SPDX-License-Identifier: Apache-2.0
 *
 * Each account has an array of entries, in the order in which they were learned, and a hash table
 * of their indexes (open addressing, at most half full). Keys are SHA-256 already, so that their
 * first bytes are the hash. */
#include "allow_list.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "allow_list_private.h"

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

bool key_of(const weir_session *session, struct key *key)
{
    weir_string sql = weir_sql(session), digest = {NULL, 0};
    if (!sql.data) {
        key->sort = KEY_COMMAND;
        key->shown = weir_command(session);
        return SHA256((const uint8_t *)key->shown.data, key->shown.size, key->bytes) != NULL;
    }
    if (statement_is_computed(session))
        return false;
    if (!statement_is_plain(session)) {
        key->sort = KEY_TEXT;
        key->shown = sql;
        return SHA256((const uint8_t *)sql.data, sql.size, key->bytes) != NULL;
    }
    digest = weir_digest(session);
    key->sort = KEY_DIGEST;
    key->shown = weir_normalized(session);
    return digest.size == 2 * (size_t)KEY_BYTES && key_from_hex(digest.data, key->bytes);
}

/* ---- Tables ---- */

/* The slot that holds the key, or the empty one where it belongs. */
static uint32_t *find_slot(const struct account *account, enum key_sort sort,
                           const uint8_t bytes[KEY_BYTES])
{
    uint64_t hash;
    memcpy(&hash, bytes, sizeof hash);
    size_t at = (size_t)hash & (account->slot_count - 1);
    for (; account->slots[at]; at = (at + 1) & (account->slot_count - 1)) {
        const struct entry *entry = &account->entries[account->slots[at] - 1];
        if (entry->sort == sort && memcmp(entry->bytes, bytes, KEY_BYTES) == 0)
            break;
    }
    return &account->slots[at];
}

static bool grow(struct account *account)
{
    size_t capacity = account->capacity ? 2 * account->capacity : 16;
    struct entry *entries = realloc(account->entries, capacity * sizeof *entries);
    if (!entries)
        return false;
    account->entries = entries;
    uint32_t *slots = calloc(2 * capacity, sizeof *slots);
    if (!slots)
        return false;
    free(account->slots);
    account->slots = slots;
    account->slot_count = 2 * capacity;
    account->capacity = capacity;
    for (size_t i = 0; i < account->count; i++)
        *find_slot(account, entries[i].sort, entries[i].bytes) = (uint32_t)i + 1;
    return true;
}

/* One line for people: control characters are spaces, and it is cut between characters. */
static char *shown(weir_string text)
{
    size_t size = text.size;
    if (size > SHOWN_STATEMENT_SIZE) {
        size = SHOWN_STATEMENT_SIZE;
        while (size && ((unsigned char)text.data[size] & 0xc0) == 0x80)
            size--;
    }
    char *line = malloc(size + 1);
    for (size_t i = 0; line && i < size; i++)
        line[i] = (unsigned char)text.data[i] < ' ' || text.data[i] == 0x7f ? ' ' : text.data[i];
    if (line)
        line[size] = '\0';
    return line;
}

enum learned account_add(struct account *account, const struct key *key)
{
    if (account->count && *find_slot(account, key->sort, key->bytes))
        return LEARNED_NOTHING;
    if (account->count == STATEMENTS_MAX || (account->count == account->capacity && !grow(account)))
        return LEARNED_FULL;
    struct entry *entry = &account->entries[account->count];
    *entry = (struct entry){.sort = key->sort, .shown = shown(key->shown)};
    memcpy(entry->bytes, key->bytes, KEY_BYTES);
    if (!entry->shown)
        return LEARNED_FULL;
    *find_slot(account, key->sort, key->bytes) = (uint32_t)++account->count;
    return LEARNED_NEW;
}

static struct account *find_account(const struct allow_lists *lists, weir_string name)
{
    for (size_t i = 0; i < lists->count; i++) {
        struct account *account = &lists->accounts[i];
        if (strlen(account->name) == name.size && memcmp(account->name, name.data, name.size) == 0)
            return account;
    }
    return NULL;
}

struct account *allow_lists_account(struct allow_lists *lists, weir_string name)
{
    struct account *account = find_account(lists, name);
    if (account)
        return account;
    struct account *grown = realloc(lists->accounts, (lists->count + 1) * sizeof *grown);
    if (!grown)
        return NULL;
    lists->accounts = grown;
    grown[lists->count] = (struct account){.name = shown(name)};
    return grown[lists->count].name ? &grown[lists->count++] : NULL;
}

enum learned allow_lists_learn(struct allow_lists *lists, weir_string account,
                               const struct key *key)
{
    struct account *found = allow_lists_account(lists, account);
    return found ? account_add(found, key) : LEARNED_FULL;
}

bool allow_lists_has_account(const struct allow_lists *lists, weir_string account)
{
    return find_account(lists, account) != NULL;
}

bool allow_lists_has(const struct allow_lists *lists, weir_string account, const struct key *key)
{
    const struct account *found = find_account(lists, account);
    return found && found->count && *find_slot(found, key->sort, key->bytes);
}

size_t allow_lists_count(const struct allow_lists *lists)
{
    size_t count = 0;
    for (size_t i = 0; i < lists->count; i++)
        count += lists->accounts[i].count;
    return count;
}

void allow_lists_free(struct allow_lists *lists)
{
    for (size_t i = 0; lists && i < lists->count; i++) {
        struct account *account = &lists->accounts[i];
        for (size_t j = 0; j < account->count; j++)
            free(account->entries[j].shown);
        free(account->entries);
        free(account->slots);
        free(account->name);
    }
    if (lists)
        free(lists->accounts);
    free(lists);
}
