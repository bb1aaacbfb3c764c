/* SPDX-License-Identifier: Apache-2.0
 *
 * The digester's memory, and the hash in hexadecimal digits. */
#include "sql/digest.h"

#include "base/base.h"
#include "sql/block.h"

#include <stdlib.h>

void sql_digester_init(struct sql_digester *digester)
{
    *digester = (struct sql_digester){0};
}

void sql_digester_release(struct sql_digester *digester)
{
    free(digester->copy);
    free(digester->text);
    free(digester->tokens);
    sql_digester_init(digester);
}

static block hex_digits(block nibbles)
{
    const unsigned char to_letters = 'a' - '9' - 1;
    return nibbles + '0' + ((block)(nibbles > 9) & to_letters);
}

bool sql_digest(struct sql_digester *digester, struct sql_span normalized,
                char hex[SQL_DIGEST_BYTES])
{
    unsigned char hash[HASH_SHA256_BYTES];
    (void)digester;
    if (!hash_sha256(normalized.at, normalized.size, hash))
        return false;
    for (size_t i = 0; i < sizeof hash; i += BLOCK_BYTES) {
        block bytes = block_load(hash + i);
        block high = hex_digits(bytes >> 4);
        block low = hex_digits(bytes & 15);
        block_store(hex + 2 * i, block_zip_first(high, low));
        block_store(hex + 2 * i + BLOCK_BYTES, block_zip_last(high, low));
    }
    hex[SQL_DIGEST_BYTES - 1] = '\0';
    return true;
}
