/* SPDX-License-Identifier: Apache-2.0
 *
 * Records of a store's file, written and read. A step is the store's revision and then entries, each of
 * them with a letter that says what it is. */
#include "store/file_record.h"

#include <string.h>

#include "wire/wire.h"

#define HASH_BYTES 8

/* X(LETTER, enumerator): entries of a step. */
#define ENTRIES(X)                                                                                 \
    X('P', PUT)                                                                                    \
    X('D', DELETED)                                                                                \
    X('L', LEASE)                                                                                  \
    X('E', LEASE_ENDED)                                                                            \
    X('N', LAST_LEASE)

enum entry {
#define X(letter, enumerator) ENTRY_##enumerator = (letter),
    ENTRIES(X)
#undef X
};

/* ---- Writing ---- */

static void write_item(struct wire_writer *writer, const struct store_entry *entry)
{
    wire_write_u8(writer, entry->is_deleted ? ENTRY_DELETED : ENTRY_PUT);
    wire_write_u64(writer, (uint64_t)entry->revision);
    wire_write_lenenc_string(writer, (struct wire_string){entry->key.data, entry->key.size});
    if (entry->is_deleted)
        return;
    wire_write_u64(writer, (uint64_t)entry->lease);
    wire_write_lenenc_string(writer, (struct wire_string){entry->value.data, entry->value.size});
}

static void write_number(struct wire_writer *writer, enum entry entry, int64_t number)
{
    if (number == 0)
        return;
    wire_write_u8(writer, (uint8_t)entry);
    wire_write_u64(writer, (uint64_t)number);
}

void file_record_write(struct strbuf *out, const struct data_step *step)
{
    unsigned char hash[HASH_SHA256_BYTES];
    struct wire_writer writer = wire_writer_to(out, 0);
    const size_t start = out->size;
    wire_write_zeros(&writer, FILE_RECORD_HEAD);
    wire_write_u64(&writer, (uint64_t)step->revision);
    for (const struct data_item *item = step->items; item; item = item->next)
        write_item(&writer, &item->entry);
    write_number(&writer, ENTRY_LEASE, step->lease.id);
    if (step->lease.id) {
        wire_write_u64(&writer, (uint64_t)step->lease.ttl_s);
        wire_write_u64(&writer, step->lease.ends_ns);
    }
    write_number(&writer, ENTRY_LEASE_ENDED, step->ended_lease);
    write_number(&writer, ENTRY_LAST_LEASE, step->last_lease);
    if (out->failed)
        return;
    const size_t size = out->size - start - FILE_RECORD_HEAD;
    char *head = out->data + start;
    if (size > FILE_RECORD_MOST || !hash_sha256(head + FILE_RECORD_HEAD, size, hash)) {
        out->failed = true;
        return;
    }
    for (unsigned i = 0; i < 4; i++)
        head[i] = (char)(size >> 8 * i);
    memcpy(head + 4, hash, HASH_BYTES);
}

/* ---- Reading ---- */

/* Half of what fits at most, so that counting on overflows nothing. */
static int64_t read_number(struct wire_reader *reader)
{
    const uint64_t number = wire_read_u64(reader);
    reader->failed = reader->failed || number == 0 || number > INT64_MAX / 2;
    return reader->failed ? 0 : (int64_t)number;
}

static struct store_bytes read_bytes(struct wire_reader *reader, size_t least, size_t most)
{
    const struct wire_string text = wire_read_lenenc_string(reader);
    reader->failed = reader->failed || text.size < least || text.size > most;
    return (struct store_bytes){.data = text.data, .size = text.size};
}

/* Returns false without memory. */
static bool read_item(struct wire_reader *reader, bool is_deleted, struct data_step *step)
{
    struct store_entry entry = {.is_deleted = is_deleted, .value = {.data = ""}};
    entry.revision = read_number(reader);
    entry.key = read_bytes(reader, 1, STORE_KEY_BYTES);
    if (!is_deleted) {
        const uint64_t lease = wire_read_u64(reader);
        reader->failed = reader->failed || lease > INT64_MAX;
        entry.lease = (int64_t)lease;
        entry.value = read_bytes(reader, 0, STORE_VALUE_BYTES);
    }
    reader->failed = reader->failed || entry.revision > step->revision;
    return reader->failed || data_step_add(step, &entry);
}

static void read_lease(struct wire_reader *reader, struct data_lease *lease)
{
    reader->failed = reader->failed || lease->id;
    lease->id = read_number(reader);
    const int64_t ttl_s = read_number(reader);
    lease->ends_ns = wire_read_u64(reader);
    reader->failed = reader->failed || ttl_s > STORE_TTL_MOST_S;
    lease->ttl_s = reader->failed ? 0 : (long)ttl_s;
}

/* Returns false without memory. */
static bool read_step(struct wire_reader *reader, struct data_step *step)
{
    bool has_memory = true;
    step->revision = read_number(reader);
    while (has_memory && !reader->failed && wire_left(reader)) {
        switch ((enum entry)wire_read_u8(reader)) {
        case ENTRY_PUT:
            has_memory = read_item(reader, false, step);
            break;
        case ENTRY_DELETED:
            has_memory = read_item(reader, true, step);
            break;
        case ENTRY_LEASE:
            read_lease(reader, &step->lease);
            break;
        case ENTRY_LEASE_ENDED:
            step->ended_lease = read_number(reader);
            break;
        case ENTRY_LAST_LEASE:
            step->last_lease = read_number(reader);
            break;
        default:
            reader->failed = true;
        }
    }
    return has_memory;
}

/* The bytes of a record's step, if it is whole. */
static bool find_record(const char *bytes, size_t left, size_t *size)
{
    unsigned char hash[HASH_SHA256_BYTES];
    struct wire_reader head = wire_reader_of(bytes, left);
    *size = wire_read_u32(&head);
    return left >= FILE_RECORD_HEAD && *size > 0 && *size <= left - FILE_RECORD_HEAD &&
           hash_sha256(bytes + FILE_RECORD_HEAD, *size, hash) &&
           memcmp(bytes + 4, hash, HASH_BYTES) == 0;
}

enum file_record_result file_record_read(const char *bytes, size_t left, struct data_step *step,
                                         size_t *size)
{
    *step = (struct data_step){0};
    if (!find_record(bytes, left, size))
        return FILE_RECORD_CUT;
    struct wire_reader reader = wire_reader_of(bytes + FILE_RECORD_HEAD, *size);
    const bool has_memory = read_step(&reader, step);
    if (has_memory && !reader.failed) {
        *size += FILE_RECORD_HEAD;
        return FILE_RECORD_READ;
    }
    data_step_release(step);
    return has_memory ? FILE_RECORD_WRONG : FILE_RECORD_NO_MEMORY;
}

/* Whether what is read can follow what is there. */
static bool fits(const struct store_data *data, const struct data_step *step)
{
    bool ok = step->revision >= data->revision;
    for (const struct data_item *item = step->items; ok && item; item = item->next)
        ok = !item->entry.lease || data_find_lease(data, item->entry.lease);
    return ok;
}

/* A crash leaves the beginning of one record, not one that is followed by another. */
static bool is_followed(const char *bytes, size_t left)
{
    size_t size = 0, next = 0;
    if (find_record(bytes, left, &size) || size == 0 || left < FILE_RECORD_HEAD ||
        size > left - FILE_RECORD_HEAD)
        return false;
    size += FILE_RECORD_HEAD;
    return find_record(bytes + size, left - size, &next);
}

size_t file_records_apply(const char *bytes, size_t size, struct store_data *data,
                          enum file_record_result *failure)
{
    size_t at = 0;
    *failure = FILE_RECORD_READ;
    while (at < size) {
        struct data_step step;
        size_t taken = 0;
        *failure = file_record_read(bytes + at, size - at, &step, &taken);
        if (*failure == FILE_RECORD_READ && !fits(data, &step))
            *failure = FILE_RECORD_WRONG;
        else if (*failure == FILE_RECORD_READ && !data_reserve(data, &step))
            *failure = FILE_RECORD_NO_MEMORY;
        if (*failure != FILE_RECORD_READ) {
            data_step_release(&step);
            break;
        }
        data_apply(data, &step);
        data_compact(data);
        at += taken;
    }
    if (*failure == FILE_RECORD_CUT && is_followed(bytes + at, size - at))
        *failure = FILE_RECORD_WRONG;
    return at;
}
