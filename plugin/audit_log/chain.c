/* SPDX-License-Identifier: Apache-2.0 */
#include "chain.h"

#include <openssl/sha.h>
#include <string.h>

const char chain_beginning[CHAIN_TEXT_BYTES] =
    "0000000000000000000000000000000000000000000000000000000000000000";

bool chain_of(const void *line, size_t size, char link[CHAIN_TEXT_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char hash[SHA256_DIGEST_LENGTH];
    if (!SHA256(line, size, hash))
        return false;
    for (size_t i = 0; i < sizeof hash; i++) {
        link[2 * i] = digits[hash[i] >> 4];
        link[2 * i + 1] = digits[hash[i] & 15];
    }
    link[CHAIN_TEXT_BYTES - 1] = '\0';
    return true;
}
