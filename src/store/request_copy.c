/* SPDX-License-Identifier: Apache-2.0
 *
 * A request that waits for the store's thread: a copy in one block with its keys and values. */
#include <stdlib.h>
#include <string.h>

#include "store/parts.h"

/* Copies bytes to *room, which goes on after them. */
static void move_bytes(struct store_bytes *bytes, char **room)
{
    if (bytes->size)
        memcpy(*room, bytes->data, bytes->size);
    bytes->data = *room;
    *room += bytes->size;
}

struct request_copy *request_copy_new(struct store *store, const struct store_request *request)
{
    size_t size = request->key.size;
    for (size_t i = 0; i < request->compare_count; i++)
        size += request->compares[i].key.size;
    for (size_t i = 0; i < request->write_count; i++)
        size += request->writes[i].key.size + request->writes[i].value.size;
    struct request_copy *made = malloc(sizeof *made + size);
    if (!made)
        return NULL;
    made->store = store;
    made->request = *request;
    made->answer = (struct store_answer){.message = ""};
    char *room = made->bytes;
    move_bytes(&made->request.key, &room);
    for (size_t i = 0; i < request->compare_count; i++)
        move_bytes(&made->request.compares[i].key, &room);
    for (size_t i = 0; i < request->write_count; i++) {
        move_bytes(&made->request.writes[i].key, &room);
        move_bytes(&made->request.writes[i].value, &room);
    }
    return made;
}

void request_copy_answer(struct request_copy *copy, const struct store_answer *answer)
{
    if (copy->request.done)
        copy->request.done(copy->request.user, answer);
    free((void *)answer->entries);
    free(copy);
}
