/* SPDX-License-Identifier: Apache-2.0
 *
 * The digester's memory, and the hash. OpenSSL's own SHA-256 is called and not by way of EVP, which
 * takes longer to come to it than it takes to hash a short statement; that is why these functions
 * are still wanted, deprecated as they are. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "sql/digest.h"

#include "sql/block.h"

#include <openssl/sha.h>
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
    unsigned char hash[SHA256_DIGEST_LENGTH];
    SHA256_CTX sha256;
    (void)digester;
    if (SHA256_Init(&sha256) != 1 || SHA256_Update(&sha256, normalized.at, normalized.size) != 1 ||
        SHA256_Final(hash, &sha256) != 1) {
        return false;
    }
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
