/* SPDX-License-Identifier: Apache-2.0
 *
 * A key and a value of the store as a ban of ip_filter. Input: a byte that says how long the key is, then both. The
 * address of a ban is printed, and read as the same one then. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ban_names.h"
#include "shared_bans.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tally_key address, again;
    uint64_t until_ns;
    char name[BAN_NAME_BYTES];
    if (size < 1)
        return 0;
    const size_t key_size = data[0] < size - 1 ? data[0] : size - 1;
    char *key = malloc(key_size + 1), *value = malloc(size);
    assert(key && value);
    memcpy(key, data + 1, key_size);
    memcpy(value, data + 1 + key_size, size - 1 - key_size);
    if (shared_ban_read(key, key_size, value, size - 1 - key_size, &address, &until_ns)) {
        ban_name_write(&address, name);
        const bool is_read = ban_name_read((weir_string){name, strlen(name)}, &again);
        assert(is_read && again.size == address.size);
        assert(memcmp(again.bytes, address.bytes, again.size) == 0);
    }
    free(key);
    free(value);
    return 0;
}
