/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenSSL's own SHA-256 is called and not by way of EVP, which takes longer to come to it than it
 * takes to hash a short statement; that is why these functions are still wanted, deprecated as they
 * are. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "base/hash.h"

#include <assert.h>
#include <openssl/sha.h>

_Static_assert(HASH_SHA256_BYTES == SHA256_DIGEST_LENGTH, "the size of a hash");

bool hash_sha256(const void *bytes, size_t size, unsigned char hash[HASH_SHA256_BYTES])
{
    SHA256_CTX sha256;
    assert(bytes || size == 0);
    return SHA256_Init(&sha256) == 1 && SHA256_Update(&sha256, bytes, size) == 1 &&
           SHA256_Final(hash, &sha256) == 1;
}
