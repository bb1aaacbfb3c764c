/* SPDX-License-Identifier: Apache-2.0
 *
 * The records of a store's file. Input: a byte that says whether hashes are made right, then records. What was
 * read is written as one record a key, and read again: it is the same. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "store/file_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Otherwise no mutated record is ever looked into. */
static void make_hashes_right(char *bytes, size_t size)
{
    size_t at = 0;
    while (size - at > FILE_RECORD_HEAD) {
        unsigned char hash[HASH_SHA256_BYTES];
        const unsigned char *head = (const unsigned char *)bytes + at;
        size_t record = (size_t)head[0] | (size_t)head[1] << 8;
        record = record < size - at - FILE_RECORD_HEAD ? record : size - at - FILE_RECORD_HEAD;
        const bool hashed = hash_sha256(bytes + at + FILE_RECORD_HEAD, record, hash);
        assert(hashed);
        memcpy(bytes + at + 4, hash, 8);
        at += FILE_RECORD_HEAD + record;
    }
}

static void check_same(const struct store_data *one, const struct store_data *two)
{
    assert(one->key_count == two->key_count && one->bytes == two->bytes);
    for (size_t i = 0; i < one->key_count; i++) {
        const struct store_entry *a = &one->keys[i]->entry, *b = &two->keys[i]->entry;
        assert(a->key.size == b->key.size && a->value.size == b->value.size);
        assert(memcmp(a->key.data, b->key.data, a->key.size) == 0);
        assert(memcmp(a->value.data, b->value.data, a->value.size) == 0);
        assert(a->revision == b->revision && a->lease == b->lease);
        assert(a->revision <= one->revision);
    }
}

static void write_again(const struct store_data *data)
{
    struct strbuf text = STRBUF_INIT;
    struct store_data again = {.revision = 1};
    enum file_record_result failure;
    for (size_t i = 0; i < data->lease_count; i++)
        file_record_write(
            &text, &(struct data_step){.revision = data->revision, .lease = data->leases[i]});
    for (size_t i = 0; i < data->key_count; i++) {
        struct data_item alone = *data->keys[i];
        alone.next = NULL;
        if (alone.entry.lease && !data_find_lease(data, alone.entry.lease))
            goto done; /* only a file that weir has not written has that */
        file_record_write(&text, &(struct data_step){.revision = data->revision, .items = &alone});
    }
    const size_t whole = file_records_apply(text.data, text.size, &again, &failure);
    assert(whole == text.size && failure == FILE_RECORD_READ);
    check_same(data, &again);
done:
    data_release(&again);
    strbuf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct store_data read = {.revision = 1};
    enum file_record_result failure;
    if (size < 1)
        return 0;
    char *copy = malloc(size);
    assert(copy);
    memcpy(copy, data + 1, size - 1);
    if (data[0] & 1)
        make_hashes_right(copy, size - 1);
    const size_t whole = file_records_apply(copy, size - 1, &read, &failure);
    assert(whole <= size - 1 && (whole == size - 1) == (failure == FILE_RECORD_READ));
    free(copy);
    write_again(&read);
    data_release(&read);
    return 0;
}
