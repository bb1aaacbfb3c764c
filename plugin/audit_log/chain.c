/* SPDX-License-Identifier: Apache-2.0
 *
 * Uses OpenSSL's oldest functions of SHA-256, which version 3 deprecates: the newer ones look up the
 * algorithm for each hash, which costs more than hashing a record. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "chain.h"

#include <openssl/sha.h>
#include <string.h>

const char chain_beginning[CHAIN_TEXT_BYTES] =
    "0000000000000000000000000000000000000000000000000000000000000000";

bool chain_of(const void *line, size_t size, char link[CHAIN_TEXT_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char hash[SHA256_DIGEST_LENGTH];
    SHA256_CTX context;
    if (!SHA256_Init(&context) || !SHA256_Update(&context, line, size) ||
        !SHA256_Final(hash, &context))
        return false;
    for (size_t i = 0; i < sizeof hash; i++) {
        link[2 * i] = digits[hash[i] >> 4];
        link[2 * i + 1] = digits[hash[i] & 15];
    }
    link[CHAIN_TEXT_BYTES - 1] = '\0';
    return true;
}
