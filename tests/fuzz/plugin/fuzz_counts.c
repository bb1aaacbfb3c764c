/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as news of what another node counts: a byte that says how long the key is, the key, the value. What is read of a
 * value is printed, and reads as the same again; and once the key is gone nothing of it counts. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "count_values.h"
#include "other_nodes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        __builtin_trap();
}

static void print(void *data, const struct tally_key *key, const struct tally_counts *counts)
{
    count_value_add(data, key, counts);
}

static void check_value(weir_string value)
{
    struct strbuf once = STRBUF_INIT, twice = STRBUF_INIT;
    count_value_begin(&once);
    count_value_begin(&twice);
    if (count_value_read(value, print, &once)) {
        check(once.size <= value.size);
        check(count_value_read((weir_string){once.data, once.size}, print, &twice));
        check(once.size == twice.size && memcmp(once.data, twice.data, once.size) == 0);
    } else {
        check(once.size == 1); /* nothing of it is used */
    }
    strbuf_release(&once);
    strbuf_release(&twice);
}

static void say(weir_string key, weir_string value, bool is_deleted, int64_t revision)
{
    const weir_store_entry entry = {
        .key = key, .value = value, .revision = revision, .is_deleted = is_deleted};
    const weir_store_news news = {.struct_size = sizeof news,
                                  .kind = WEIR_STORE_CHANGES,
                                  .entry_size = sizeof entry,
                                  .entries = &entry,
                                  .count = 1,
                                  .is_shared = 1};
    other_nodes_take(&news, "aaaaaaaaaaaaaaaa", "", 1000);
}

static void expect_nothing(void *data, const struct tally_key *key,
                           const struct tally_counts *counts)
{
    (void)data, (void)counts;
    for (uint32_t part = 0; part < TALLY_PARTS; part++)
        check(!tally_drop_share(key, part, 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    const size_t key_size = data[0] < size - 1 ? data[0] : size - 1;
    char *key_bytes = malloc(key_size + 1), *value_bytes = malloc(size);
    check(key_bytes && value_bytes);
    memcpy(key_bytes, data + 1, key_size);
    memcpy(value_bytes, data + 1 + key_size, size - 1 - key_size);
    const weir_string key = {key_bytes, key_size};
    const weir_string value = {value_bytes, size - 1 - key_size};
    check_value(value);
    say(key, value, false, 1);
    say(key, (weir_string){value_bytes, value.size / 2}, false, 2);
    say(key, value, false, 3);
    say(key, (weir_string){NULL, 0}, true, 4);
    check(other_nodes_count() == 0);
    count_value_read(value, expect_nothing, NULL);
    other_nodes_clear();
    tally_clear();
    free(key_bytes);
    free(value_bytes);
    return 0;
}
