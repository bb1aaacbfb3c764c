/* SPDX-License-Identifier: Apache-2.0
 *
 * A short chain of crowds for each hash of an account's name. A crowd is freed by the last who leaves
 * it. A place's number is written under the lock, by whoever leaves, and read without. */
#include "crowd.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <weir/account.h>

#define CHAINS 256

struct crowd {
    struct crowd *next;
    size_t chain;
    struct crowd_place **places; /* owned; the one of the number n is at n - 1 */
    size_t count, room;
    size_t size;
    char account[];
};

static struct crowd *chains[CHAINS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static size_t chain_of(weir_string account)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < account.size; i++)
        hash = (hash ^ (uint8_t)(account.data[i] | 0x20)) * UINT64_C(0x100000001b3);
    return (size_t)((hash ^ hash >> 29) % CHAINS);
}

/* Under the lock. */
static struct crowd *find_or_make(weir_string account)
{
    size_t chain = chain_of(account);
    struct crowd *crowd = chains[chain];
    while (crowd && !account_is((weir_string){crowd->account, crowd->size}, account))
        crowd = crowd->next;
    if (crowd || !(crowd = calloc(1, sizeof *crowd + account.size)))
        return crowd;
    crowd->chain = chain;
    crowd->size = account.size;
    memcpy(crowd->account, account.data, account.size);
    crowd->next = chains[chain];
    chains[chain] = crowd;
    return crowd;
}

static bool add(struct crowd *crowd, struct crowd_place *place)
{
    if (crowd->count == crowd->room) {
        size_t room = crowd->room ? 2 * crowd->room : 4;
        struct crowd_place **grown = realloc(crowd->places, room * sizeof(struct crowd_place *));
        if (!grown)
            return false;
        crowd->places = grown;
        crowd->room = room;
    }
    crowd->places[crowd->count++] = place;
    atomic_store(&place->number, crowd->count);
    return true;
}

static void free_if_empty(struct crowd *crowd)
{
    struct crowd **at = &chains[crowd->chain];
    if (crowd->count)
        return;
    while (*at != crowd)
        at = &(*at)->next;
    *at = crowd->next;
    free(crowd->places);
    free(crowd);
}

void crowd_join(struct crowd_place *place, weir_string account)
{
    crowd_leave(place);
    if (!account.data)
        return;
    pthread_mutex_lock(&lock);
    struct crowd *crowd = find_or_make(account);
    if (crowd && add(crowd, place))
        place->crowd = crowd;
    else if (crowd)
        free_if_empty(crowd);
    pthread_mutex_unlock(&lock);
}

void crowd_leave(struct crowd_place *place)
{
    struct crowd *crowd = place->crowd;
    if (!crowd)
        return;
    pthread_mutex_lock(&lock);
    size_t number = (size_t)atomic_load(&place->number);
    struct crowd_place *last = crowd->places[--crowd->count];
    crowd->places[number - 1] = last;
    atomic_store(&last->number, number);
    atomic_store(&place->number, 0);
    free_if_empty(crowd);
    pthread_mutex_unlock(&lock);
    place->crowd = NULL;
}

uint64_t crowd_position(const struct crowd_place *place)
{
    return atomic_load_explicit(&place->number, memory_order_relaxed);
}
