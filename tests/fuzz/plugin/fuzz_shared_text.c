/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys and values of the store as a text that nodes share. Input: pieces, each a byte that says how long the key is, one that
 * says how long the value is, both. What is read as a head is printed the same, and a text that is joined has its size. */
#include <assert.h>
#include <stdint.h>
#include <weir/shared_text.h>

struct piece {
    weir_string key, value;
};

/* The next piece of the input; false: there is none. */
static bool take_piece(const uint8_t **data, size_t *size, struct piece *piece)
{
    if (*size < 2)
        return false;
    const uint8_t *at = *data + 2;
    const size_t left = *size - 2;
    const size_t key = (*data)[0] < left ? (*data)[0] : left;
    const size_t value = (*data)[1] < left - key ? (*data)[1] : left - key;
    piece->key = (weir_string){(const char *)at, key};
    piece->value = (weir_string){(const char *)at + key, value};
    *data = at + key + value;
    *size = left - key - value;
    return true;
}

static void join(struct shared_part **parts, weir_string value)
{
    struct shared_head head;
    char text[SHARED_HEAD_BYTES];
    if (!shared_head_read(value, &head))
        return;
    shared_head_print(&head, text);
    assert(text_is(value, text));
    char *joined = shared_parts_join(parts, &head);
    assert(!joined || joined[head.size] == '\0');
    free(joined);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct shared_part *parts = NULL;
    struct piece piece;
    int64_t revision = 0;
    while (take_piece(&data, &size, &piece)) {
        char edition[SHARED_EDITION_BYTES], key[SHARED_PART_KEY_BYTES];
        uint32_t number;
        const weir_store_entry entry = {
            .value = piece.value, .revision = ++revision, .is_deleted = piece.value.size == 1};
        if (shared_part_read(piece.key, edition, &number)) {
            shared_part_print(edition, number, key);
            assert(text_is(piece.key, key));
            const bool is_noted = shared_parts_note(&parts, edition, number, &entry);
            assert(is_noted);
        } else {
            join(&parts, piece.value);
        }
    }
    shared_parts_free(&parts);
    return 0;
}
