/* SPDX-License-Identifier: Apache-2.0
 *
 * The map of prepared statements, in uthash; what it keeps is bounded by max_prepared_bytes. */
#define HASH_NONFATAL_OOM 1 /* before uthash.h: out of memory is reported */
#include "gateway/statement/prepared.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/statement/memo.h"

bool prepared_has_room(const struct observed *observed, size_t size)
{
    size_t limit = observed->environment->max_prepared_bytes;
    return observed->prepared_bytes <= limit && size <= limit - observed->prepared_bytes;
}

static size_t bytes_of(const struct prepared *prepared)
{
    return sizeof *prepared + prepared->text_size + 1;
}

static void drop(struct observed *observed, struct prepared *prepared)
{
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it is still in the list */
    HASH_DEL(observed->prepared, prepared);
    observed->prepared_bytes -= bytes_of(prepared);
    metric_add(&observed->environment->metrics, METRIC_PREPARED_STATEMENTS, -1);
    if (observed->last_prepared == prepared)
        observed->last_prepared = NULL;
    if (observed->command.prepared == prepared) {
        if (observed->command.memo == prepared->memo)
            observed->command.memo = NULL;
        observed->command.prepared = NULL;
    }
    memo_free(prepared->memo);
    prepared_reset(observed, prepared);
    free(prepared->types);
    free(prepared->database);
    free(prepared);
}

struct prepared *prepared_add(struct observed *observed, uint32_t id, uint16_t parameter_count)
{
    const struct command *command = &observed->command;
    size_t size = command->text.size;
    prepared_remove(observed, id);
    struct prepared *prepared = calloc(1, sizeof *prepared + size + 1);
    bool is_known = !(observed->identity.unknown & IDENTITY_DATABASE);
    char *database = is_known ? strdup(observed->identity.database.data) : NULL;
    if (!prepared || (is_known && !database)) {
        free(prepared);
        free(database);
        return NULL;
    }
    prepared->id = id;
    prepared->parameter_count = parameter_count;
    prepared->kinds = command->one.kinds;
    prepared->mode = command->one.mode;
    prepared->database = database;
    prepared->text_size = size;
    memcpy(prepared->text, command->text.data, size);
    unsigned before = HASH_COUNT(observed->prepared);
    HASH_ADD(hh, observed->prepared, id, sizeof prepared->id, prepared);
    if (HASH_COUNT(observed->prepared) == before) {
        free(database);
        free(prepared);
        return NULL;
    }
    observed->prepared_bytes += bytes_of(prepared);
    metric_add(&observed->environment->metrics, METRIC_PREPARED_STATEMENTS, 1);
    observed->last_prepared = prepared;
    return prepared;
}

struct prepared *prepared_find(const struct observed *observed, uint32_t id)
{
    if (id == WIRE_STATEMENT_LAST)
        return observed->last_prepared;
    struct prepared *prepared;
    HASH_FIND(hh, observed->prepared, &id, sizeof id, prepared);
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

static struct long_data *find_long_data(const struct prepared *prepared, unsigned parameter)
{
    const uint16_t key = (uint16_t)parameter;
    struct long_data *data = NULL;
    HASH_FIND(hh, prepared->long_data, &key, sizeof key, data);
    return data;
}

static struct long_data *new_long_data(struct observed *observed, struct prepared *prepared,
                                       unsigned parameter)
{
    const unsigned before = HASH_COUNT(prepared->long_data);
    struct long_data *data =
        prepared_has_room(observed, sizeof *data) ? calloc(1, sizeof *data) : NULL;
    if (!data)
        return NULL;
    data->parameter = (uint16_t)parameter;
    strbuf_init(&data->kept);
    HASH_ADD(hh, prepared->long_data, parameter, sizeof data->parameter, data);
    if (HASH_COUNT(prepared->long_data) == before) {
        free(data);
        return NULL;
    }
    prepared->long_bytes += sizeof *data;
    observed->prepared_bytes += sizeof *data;
    return data;
}

static void keep_beginning(struct observed *observed, struct prepared *prepared,
                           struct long_data *data, const uint8_t *bytes, size_t size)
{
    bool is_whole = data->kept.size == data->size && !data->kept.failed;
    size_t room = LONG_DATA_KEPT - data->kept.size;
    data->size += size;
    size = size < room ? size : room;
    if (!is_whole || !prepared_has_room(observed, size))
        return;
    strbuf_add(&data->kept, bytes, size);
    if (data->kept.failed)
        return;
    prepared->long_bytes += size;
    observed->prepared_bytes += size;
}

void prepared_add_long_data(struct observed *observed, struct prepared *prepared,
                            unsigned parameter, const uint8_t *bytes, size_t size)
{
    if (!prepared || parameter >= prepared->parameter_count)
        return;
    if (!prepared->long_bits)
        prepared->long_bits = calloc(1, (prepared->parameter_count + 7U) / 8);
    if (!prepared->long_bits)
        return;
    struct long_data *data = find_long_data(prepared, parameter);
    bool is_first = !(prepared->long_bits[parameter / 8] & 1U << parameter % 8);
    prepared->long_bits[parameter / 8] |= (uint8_t)(1U << parameter % 8);
    if (!data && is_first)
        data = new_long_data(observed, prepared, parameter);
    if (data)
        keep_beginning(observed, prepared, data, bytes, size);
}

const struct long_data *prepared_long_data(const struct prepared *prepared, unsigned parameter)
{
    return find_long_data(prepared, parameter);
}

void prepared_clear_long_data(struct observed *observed, struct prepared *prepared)
{
    struct long_data *data = NULL, *next = NULL;
    HASH_ITER(hh, prepared->long_data, data, next)
    {
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it is still in the list */
        HASH_DEL(prepared->long_data, data);
        strbuf_release(&data->kept);
        free(data);
    }
    observed->prepared_bytes -= prepared->long_bytes;
    prepared->long_bytes = 0;
    free(prepared->long_bits);
    prepared->long_bits = NULL;
}

/* What executions are answered with when there was no memory for the reason. Never freed. */
static struct plugin_refusal out_of_memory = {
    .code = WIRE_ER_OUT_OF_RESOURCES, .sqlstate = "HY000", .message = "weir: out of memory"};

void prepared_keep_refusal(struct prepared *prepared, const struct plugin_refusal *refusal)
{
    if (!prepared)
        return;
    if (!prepared->refusal || prepared->refusal == &out_of_memory)
        prepared->refusal = malloc(sizeof *refusal);
    if (prepared->refusal)
        *prepared->refusal = *refusal;
    else
        prepared->refusal = &out_of_memory;
}

void prepared_reset(struct observed *observed, struct prepared *prepared)
{
    prepared_clear_long_data(observed, prepared);
    if (prepared->refusal != &out_of_memory)
        free(prepared->refusal);
    prepared->refusal = NULL;
}

void prepared_remove(struct observed *observed, uint32_t id)
{
    struct prepared *prepared = prepared_find(observed, id);
    if (prepared)
        drop(observed, prepared);
}

void prepared_release(struct observed *observed)
{
    struct prepared *prepared = NULL, *next = NULL;
    HASH_ITER(hh, observed->prepared, prepared, next)
    {
        drop(observed, prepared);
    }
}
