/* SPDX-License-Identifier: Apache-2.0
 *
 * A ring under a lock: it is used where a statement is refused, and by a function. Entries are looked
 * at one by one; there are few. */
#include "refused.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <weir/account.h>

#include "allow_list_private.h"

struct refused {
    uint8_t digest[KEY_BYTES]; /* of the whole statement */
    struct key key;            /* its texts are in `text` */
    weir_string account;       /* likewise */
    char text[];               /* account, shown, database */
};

static struct refused *ring[REFUSED_KEPT]; /* owned; NULL: not used yet */
static size_t next;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static weir_string copy_text(char **at, weir_string text)
{
    weir_string copy = {text.data ? *at : NULL, text.size};
    if (text.data && text.size)
        memcpy(*at, text.data, text.size);
    *at += text.size;
    return copy;
}

static struct refused *refused_new(weir_string account, const uint8_t digest[KEY_BYTES],
                                   const struct key *key)
{
    weir_string shown = key->shown;
    if (shown.size > SHOWN_STATEMENT_SIZE)
        shown.size = SHOWN_STATEMENT_SIZE; /* the list cuts it between characters */
    struct refused *made =
        malloc(sizeof *made + account.size + shown.size + key->database.size + 1);
    if (!made)
        return NULL;
    char *at = made->text;
    memcpy(made->digest, digest, KEY_BYTES);
    made->key = *key;
    made->account = copy_text(&at, account);
    made->key.shown = copy_text(&at, shown);
    made->key.database = copy_text(&at, key->database);
    return made;
}

static bool is_of(const struct refused *refused, weir_string account,
                  const uint8_t digest[KEY_BYTES])
{
    return refused && memcmp(refused->digest, digest, KEY_BYTES) == 0 &&
           account_is(refused->account, account);
}

void refused_note(weir_string account, const uint8_t digest[KEY_BYTES], const struct key *key)
{
    bool is_there = false;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < REFUSED_KEPT && !is_there; i++)
        is_there = is_of(ring[i], account, digest) && key_is_same(&ring[i]->key, key);
    struct refused *made = is_there ? NULL : refused_new(account, digest, key);
    if (made) {
        free(ring[next]);
        ring[next] = made;
        next = (next + 1) % REFUSED_KEPT;
    }
    pthread_mutex_unlock(&lock);
}

/* Copies what fits into `found`. Returns how many, or SIZE_MAX: no memory. Under the lock. */
static size_t collect(weir_string account, const uint8_t digest[KEY_BYTES], weir_string database,
                      struct refused **found)
{
    size_t count = 0;
    for (size_t i = 0; i < REFUSED_KEPT; i++) {
        if (!is_of(ring[i], account, digest) ||
            (database.data && !text_equals(ring[i]->key.database, database)))
            continue;
        found[count] = refused_new(ring[i]->account, digest, &ring[i]->key);
        if (found[count])
            count++;
    }
    return count;
}

/* An inexact digest is that of several texts, and somebody may have sent another one on purpose. */
static bool has_several_texts(struct refused *const *found, size_t count)
{
    const struct key *text = NULL;
    bool several = false;
    for (size_t i = 0; i < count; i++) {
        const struct key *key = &found[i]->key;
        if (key->sort != KEY_TEXT)
            continue;
        several = several || (text && memcmp(text->bytes, key->bytes, KEY_BYTES) != 0);
        text = key;
    }
    return several;
}

enum refused_answer refused_each(weir_string account, const uint8_t digest[KEY_BYTES],
                                 weir_string database,
                                 bool (*each)(void *data, const struct key *key), void *data)
{
    struct refused **found = calloc(REFUSED_KEPT, sizeof(struct refused *));
    if (!found)
        return REFUSED_FAILED;
    pthread_mutex_lock(&lock);
    size_t count = collect(account, digest, database, found);
    pthread_mutex_unlock(&lock);
    enum refused_answer answer = count ? REFUSED_FOUND : REFUSED_UNKNOWN;
    if (has_several_texts(found, count))
        answer = REFUSED_SEVERAL;
    for (size_t i = 0; i < count; i++) {
        if (answer == REFUSED_FOUND && !each(data, &found[i]->key))
            answer = REFUSED_FAILED;
        free(found[i]);
    }
    free(found);
    return answer;
}

void refused_clear(void)
{
    for (size_t i = 0; i < REFUSED_KEPT; i++) {
        free(ring[i]);
        ring[i] = NULL;
    }
    next = 0;
}
