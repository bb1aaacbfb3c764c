/* SPDX-License-Identifier: Apache-2.0 */
#define HASH_NONFATAL_OOM 1 /* before uthash.h: out of memory is reported */
#include "gateway/prepared.h"

#include <stdlib.h>
#include <string.h>

bool prepared_has_room(const struct session *session, size_t size)
{
    size_t limit = (size_t)session->worker->gateway->options->max_prepared_bytes;
    return session->prepared_bytes <= limit && size <= limit - session->prepared_bytes;
}

static size_t bytes_of(const struct prepared *prepared)
{
    return sizeof *prepared + prepared->text_size + 1;
}

static void drop(struct session *session, struct prepared *prepared)
{
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it is still in the list */
    HASH_DEL(session->prepared, prepared);
    session->prepared_bytes -= bytes_of(prepared);
    if (session->last_prepared == prepared)
        session->last_prepared = NULL;
    if (session->run.prepared == prepared)
        session->run.prepared = NULL;
    sql_tables_release(&prepared->computed.tables);
    free(prepared->types);
    free(prepared->long_data);
    free(prepared->database);
    free(prepared);
}

struct prepared *prepared_add(struct session *session, uint32_t id, uint16_t parameter_count)
{
    const struct run *run = &session->run;
    size_t size = run->text.size;
    prepared_forget(session, id);
    struct prepared *prepared = calloc(1, sizeof *prepared + size + 1);
    char *database = strdup(session->database.data);
    if (!prepared || !database) {
        free(prepared);
        free(database);
        return NULL;
    }
    prepared->id = id;
    prepared->parameter_count = parameter_count;
    prepared->kinds = run->one.kinds;
    prepared->mode = run->one.mode;
    prepared->database = database;
    sql_tables_init(&prepared->computed.tables);
    prepared->text_size = size;
    memcpy(prepared->text, run->text.data, size);
    unsigned before = HASH_COUNT(session->prepared);
    HASH_ADD(hh, session->prepared, id, sizeof prepared->id, prepared);
    if (HASH_COUNT(session->prepared) == before) {
        free(database);
        free(prepared);
        return NULL;
    }
    session->prepared_bytes += bytes_of(prepared);
    session->last_prepared = prepared;
    return prepared;
}

struct prepared *prepared_find(const struct session *session, uint32_t id)
{
    if (id == WIRE_STATEMENT_LAST)
        return session->last_prepared;
    struct prepared *prepared;
    HASH_FIND(hh, session->prepared, &id, sizeof id, prepared);
    return prepared;
}

void prepared_note_types(struct prepared *prepared, struct wire_string types)
{
    if (!types.data || (prepared->types_size == types.size && prepared->types &&
                        memcmp(prepared->types, types.data, types.size) == 0))
        return;
    char *copy = realloc(prepared->types, types.size + 1);
    if (!copy)
        return; /* the next execution's parameters are then not decoded */
    memcpy(copy, types.data, types.size);
    prepared->types = copy;
    prepared->types_size = types.size;
}

void prepared_note_long_data(struct prepared *prepared, unsigned parameter)
{
    if (!prepared || parameter >= prepared->parameter_count)
        return;
    if (!prepared->long_data)
        prepared->long_data = calloc(1, (prepared->parameter_count + 7U) / 8);
    if (prepared->long_data)
        prepared->long_data[parameter / 8] |= (uint8_t)(1U << parameter % 8);
}

void prepared_forget_long_data(struct prepared *prepared)
{
    free(prepared->long_data);
    prepared->long_data = NULL;
}

void prepared_forget(struct session *session, uint32_t id)
{
    struct prepared *prepared = prepared_find(session, id);
    if (prepared)
        drop(session, prepared);
}

void prepared_release(struct session *session)
{
    struct prepared *prepared = NULL, *next = NULL;
    HASH_ITER(hh, session->prepared, prepared, next)
    {
        drop(session, prepared);
    }
}
