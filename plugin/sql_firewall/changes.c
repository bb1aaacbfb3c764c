/* SPDX-License-Identifier: Apache-2.0
 *
 * Accounts in the order in which they were first named, and their statements likewise, with a lookup of each. */
#include "changes.h"

#include <stdlib.h>
#include <string.h>
#include <weir/account.h>

#include "allow_list_private.h"

/* ---- What lookups need ---- */

static uint64_t hash_account(const void *item)
{
    const struct changed_account *account = item;
    return account_hash_of((weir_string){account->name, account->name_size});
}

static bool fits_account(const void *item, const void *wanted)
{
    const struct changed_account *account = item;
    const weir_string *name = wanted;
    return account_is((weir_string){account->name, account->name_size}, *name);
}

static uint64_t hash_key(const void *item)
{
    const struct changed_key *changed = item;
    return key_hash(&changed->key);
}

static bool fits_key(const void *item, const void *wanted)
{
    const struct changed_key *changed = item;
    return key_is_same(&changed->key, wanted);
}

static const struct lookup_kind accounts_kind = {hash_account, fits_account};
static const struct lookup_kind keys_kind = {hash_key, fits_key};

static struct changed_account *find_account(const struct changes *changes, weir_string name)
{
    return lookup_find(&changes->accounts, &accounts_kind, account_hash_of(name), &name);
}

static struct changed_key *find_key(const struct changed_account *account, const struct key *key)
{
    return lookup_find(&account->keys, &keys_kind, key_hash(key), key);
}

/* ---- Saying ---- */

static struct changed_account *make_account(struct changes *changes, weir_string name)
{
    struct changed_account *account = find_account(changes, name);
    if (account)
        return account;
    account = calloc(1, sizeof *account + name.size + 1);
    if (!account)
        return NULL;
    account->mode = MODE_UNSAID;
    account->name_size = name.size;
    memcpy(account->name, name.data, name.size);
    if (!lookup_add(&changes->accounts, &accounts_kind, account)) {
        free(account);
        return NULL;
    }
    if (changes->last)
        changes->last->next = account;
    else
        changes->first = account;
    changes->last = account;
    return account;
}

static struct changed_key *make_key(struct changed_account *account, const struct key *key)
{
    struct changed_key *changed = find_key(account, key);
    if (changed)
        return changed;
    char shown[SHOWN_STATEMENT_SIZE];
    const size_t size = shown_copy(key->shown, shown);
    changed = calloc(1, sizeof *changed + size + key->database.size + 1);
    if (!changed)
        return NULL;
    changed->key = *key;
    memcpy(changed->text, shown, size);
    changed->key.shown = (weir_string){changed->text, size};
    if (key->database.data) {
        memcpy(changed->text + size, key->database.data, key->database.size);
        changed->key.database.data = changed->text + size;
    }
    if (!lookup_add(&account->keys, &keys_kind, changed)) {
        free(changed);
        return NULL;
    }
    if (account->last)
        account->last->next = changed;
    else
        account->first = changed;
    account->last = changed;
    return changed;
}

bool changes_say_key(struct changes *changes, weir_string name, const struct key *key, bool allows)
{
    struct changed_account *account = make_account(changes, name);
    struct changed_key *changed = account ? make_key(account, key) : NULL;
    if (!changed)
        return false;
    changed->is_said = true;
    changed->allows = allows;
    return true;
}

bool changes_say_mode(struct changes *changes, weir_string name, int mode)
{
    struct changed_account *account = make_account(changes, name);
    if (account)
        account->mode = mode;
    return account != NULL;
}

bool changes_say_gone(struct changes *changes, weir_string name)
{
    struct changed_account *account = make_account(changes, name);
    if (!account)
        return false;
    account->is_gone = true;
    account->mode = MODE_UNSAID;
    for (struct changed_key *changed = account->first; changed; changed = changed->next)
        changed->is_said = false;
    return true;
}

static bool add_account(struct changes *changes, const struct changed_account *later)
{
    const weir_string name = {later->name, later->name_size};
    bool ok = !later->is_gone || changes_say_gone(changes, name);
    if (later->mode != MODE_UNSAID)
        ok = changes_say_mode(changes, name, later->mode) && ok;
    for (const struct changed_key *changed = later->first; changed && ok; changed = changed->next)
        ok = !changed->is_said || changes_say_key(changes, name, &changed->key, changed->allows);
    return ok;
}

bool changes_add(struct changes *changes, const struct changes *later)
{
    bool ok = true;
    for (const struct changed_account *account = later->first; account && ok;
         account = account->next)
        ok = add_account(changes, account);
    return ok;
}

/* ---- Against lists ---- */

bool changes_take_away(const struct changes *changes, weir_string name, const struct key *key)
{
    const struct changed_account *account = find_account(changes, name);
    if (!account)
        return false;
    const struct changed_key *changed = key ? find_key(account, key) : NULL;
    return changed && changed->is_said ? !changed->allows : account->is_gone;
}

struct comparing {
    struct changes *changes;
    const struct allow_lists *other;
    const struct changes *said;
    bool ok;
};

/* What is not in the others any more. */
static void note_missing(void *user, weir_string name, int mode, const struct key *key)
{
    struct comparing *comparing = user;
    const struct account *other = allow_lists_find(comparing->other, name);
    (void)mode;
    if (!comparing->ok)
        return;
    if (!key)
        comparing->ok = other || changes_say_gone(comparing->changes, name);
    else if (other && !account_has(other, key))
        comparing->ok = changes_say_key(comparing->changes, name, key, false);
}

/* What the others do not have yet. */
static void note_new(void *user, weir_string name, int mode, const struct key *key)
{
    struct comparing *comparing = user;
    const struct account *other = allow_lists_find(comparing->other, name);
    if (!comparing->ok)
        return;
    if (!key && (!other || account_mode(other) != mode))
        comparing->ok = changes_say_mode(comparing->changes, name, mode);
    else if (key && (!other || !account_has(other, key)))
        comparing->ok = changes_say_key(comparing->changes, name, key, true);
}

bool changes_between(struct changes *changes, const struct allow_lists *before,
                     const struct allow_lists *after)
{
    struct comparing comparing = {.changes = changes, .other = after, .ok = true};
    allow_lists_each(before, note_missing, &comparing);
    comparing.other = before;
    allow_lists_each(after, note_new, &comparing);
    return comparing.ok;
}

static void note_unsaid(void *user, weir_string name, int mode, const struct key *key)
{
    struct comparing *comparing = user;
    const struct changed_account *said = find_account(comparing->said, name);
    if (!comparing->ok || (said && said->is_gone))
        return;
    /* That it has no mode of its own goes without saying, where it has statements. */
    if (!key && (!said || (said->mode == MODE_UNSAID && mode != NO_MODE)))
        comparing->ok = changes_say_mode(comparing->changes, name, mode);
    else if (key && (!said || !find_key(said, key)))
        comparing->ok = changes_say_key(comparing->changes, name, key, true);
}

bool changes_unsaid(struct changes *changes, const struct changes *said,
                    const struct allow_lists *lists)
{
    struct comparing comparing = {.changes = changes, .said = said, .ok = true};
    allow_lists_each(lists, note_unsaid, &comparing);
    return comparing.ok;
}

/* ---- Life ---- */

struct changes *changes_new(void)
{
    return calloc(1, sizeof(struct changes));
}

bool changes_are_none(const struct changes *changes)
{
    return !changes->first;
}

static void free_changed(struct changed_account *account)
{
    while (account->first) {
        struct changed_key *next = account->first->next;
        free(account->first);
        account->first = next;
    }
    lookup_release(&account->keys);
    free(account);
}

void changes_free(struct changes *changes)
{
    while (changes && changes->first) {
        struct changed_account *next = changes->first->next;
        free_changed(changes->first);
        changes->first = next;
    }
    if (changes)
        lookup_release(&changes->accounts);
    free(changes);
}
