/* SPDX-License-Identifier: Apache-2.0
 *
 * The lists from first to last: for whoever compares, shares or copies them. */
#include <string.h>

#include "allow_list_private.h"

void allow_lists_each(const struct allow_lists *lists,
                      void (*each)(void *user, weir_string account, int mode,
                                   const struct key *key),
                      void *user)
{
    for (const struct account *account = atomic_load(&lists->first); account;
         account = atomic_load(&account->next)) {
        const weir_string name = {account->name, account->name_size};
        const int mode = account_mode(account);
        each(user, name, mode, NULL);
        for (const struct entry *entry = atomic_load(&account->first); entry;
             entry = atomic_load(&entry->next)) {
            struct key key = {.sort = entry->sort,
                              .shown = {entry->text, entry->shown_size},
                              .database = entry->database};
            memcpy(key.bytes, entry->bytes, KEY_BYTES);
            each(user, name, mode, &key);
        }
    }
}

struct copying {
    struct allow_lists *to;
    bool (*leaves_out)(void *user, weir_string account, const struct key *key);
    void *user;
    struct account *account; /* of the last name; NULL: it is left out */
    bool has_failed;
};

static void copy_one(void *user, weir_string name, int mode, const struct key *key)
{
    struct copying *copying = user;
    if (!key) {
        const bool is_wanted = !copying->leaves_out(copying->user, name, NULL);
        copying->account = is_wanted ? allow_lists_make(copying->to, name) : NULL;
        copying->has_failed = copying->has_failed || (is_wanted && !copying->account);
        if (copying->account)
            account_set_mode(copying->account, mode);
    } else if (copying->account && !copying->leaves_out(copying->user, name, key)) {
        const enum learned learned = account_learn(copying->to, copying->account, key);
        copying->has_failed = copying->has_failed || learned == LEARNED_FULL;
    }
}

struct allow_lists *allow_lists_copy(const struct allow_lists *lists,
                                     bool (*leaves_out)(void *user, weir_string account,
                                                        const struct key *key),
                                     void *user)
{
    struct copying copying = {.to = allow_lists_new(), .leaves_out = leaves_out, .user = user};
    if (copying.to)
        allow_lists_each(lists, copy_one, &copying);
    if (!copying.has_failed)
        return copying.to;
    allow_lists_free(copying.to);
    return NULL;
}
