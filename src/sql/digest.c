/* SPDX-License-Identifier: Apache-2.0
 *
 * The digester's memory, and the hash. The hash's algorithm is fetched once a digester: fetching
 * costs more than hashing a statement does. */
#include "sql/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>

void sql_digester_init(struct sql_digester *digester)
{
    *digester = (struct sql_digester){0};
}

void sql_digester_release(struct sql_digester *digester)
{
    free(digester->text);
    free(digester->tokens);
    EVP_MD_CTX_free(digester->sha256);
    sql_digester_init(digester);
}

bool sql_digest(struct sql_digester *digester, struct sql_span normalized,
                char hex[SQL_DIGEST_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (digester->sha256 == NULL) {
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        if (context == NULL || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1) {
            EVP_MD_CTX_free(context);
            return false;
        }
        digester->sha256 = context;
    }
    EVP_MD_CTX *context = digester->sha256;
    if (EVP_DigestInit_ex(context, NULL, NULL) != 1 ||
        EVP_DigestUpdate(context, normalized.at, normalized.size) != 1 ||
        EVP_DigestFinal_ex(context, hash, &size) != 1 || size != 32) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        hex[2 * i] = digits[hash[i] >> 4];
        hex[2 * i + 1] = digits[hash[i] & 15];
    }
    hex[SQL_DIGEST_BYTES - 1] = '\0';
    return true;
}
