/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys of the store as what nodes have told of allow-lists. Input: pieces, each a byte that says how long the key is, one that says
 * how long the value is, both. What they say is merged, and what is merged says it again, by itself and beside them. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/text.h>

#include "told.h"

#define KEYS 64

struct keys {
    char names[KEYS][TOLD_NAME_BYTES + sizeof TOLD_PREFIX];
    char *texts[KEYS]; /* owned */
    weir_store_entry entries[KEYS];
    size_t count;
};

static bool add_key(struct keys *keys, weir_string name, weir_string text)
{
    if (keys->count == KEYS)
        return false;
    const size_t i = keys->count++;
    const int size =
        snprintf(keys->names[i], sizeof keys->names[i], TOLD_PREFIX "%.*s", WEIR_STRING_ARGS(name));
    const size_t most = sizeof keys->names[i] - 1;
    keys->texts[i] = malloc(text.size + 1);
    assert(keys->texts[i] && size > 0);
    if (text.size)
        memcpy(keys->texts[i], text.data, text.size);
    keys->entries[i] =
        (weir_store_entry){.key = {keys->names[i], (size_t)size < most ? (size_t)size : most},
                           .value = {keys->texts[i], text.size},
                           .revision = (int64_t)keys->count};
    return true;
}

static bool add_part(void *user, const char *name, weir_string text)
{
    return add_key(user, text_of(name), text);
}

static struct told_list *copy(const struct keys *keys)
{
    struct told_list *list = told_copy(keys->entries, sizeof *keys->entries, keys->count);
    assert(list);
    list->is_everything = true;
    return list;
}

/* How many accounts and statements they say something of. */
static size_t read_all(const struct keys *keys, size_t *wrong)
{
    struct told_list *list = copy(keys);
    struct told_authors authors = {NULL, 0, 0};
    struct changes *changes = changes_new();
    size_t count = 0;
    *wrong = 0;
    const bool ok = changes && told_read(list, &authors, changes, wrong);
    assert(ok);
    for (const struct changed_account *account = changes->first; account; account = account->next) {
        count += account->is_gone || account->mode != MODE_UNSAID;
        for (const struct changed_key *key = account->first; key; key = key->next)
            count += key->is_said;
    }
    changes_free(changes);
    told_authors_release(&authors);
    told_free(list);
    return count;
}

static void release(struct keys *keys)
{
    while (keys->count > 0)
        free(keys->texts[--keys->count]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct keys keys, merged;
    size_t wrong, again;
    while (size > 2 && keys.count < KEYS / 2) {
        const size_t left = size - 2, name = data[0] < left ? data[0] : left;
        const size_t text = data[1] < left - name ? data[1] : left - name;
        (void)add_key(&keys, (weir_string){(const char *)data + 2, name},
                      (weir_string){(const char *)data + 2 + name, text});
        data += 2 + name + text;
        size = left - name - text;
    }
    const size_t said = read_all(&keys, &wrong);
    struct told_list *list = copy(&keys);
    const bool is_merged = told_merge(list, 0xaa, 1, TOLD_TEXT_BYTES, add_part, &merged);
    assert(is_merged == (wrong == 0));
    if (is_merged) {
        const size_t alone = read_all(&merged, &again);
        assert(alone == said && again == 0);
    }
    told_free(list);
    release(&keys);
    release(&merged);
    return 0;
}
