/* SPDX-License-Identifier: Apache-2.0
 *
 * Key derivation (RFC 5246, 5288, 7905 and 8446) and authenticated decryption, with OpenSSL. */
#include "trace/tls/record_key.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <string.h>

#include "wire/wire.h"

enum { TAG_BYTES = 16, EXPLICIT_NONCE_BYTES = 8, KEY_BLOCK_MOST = 2 * (32 + 12), LABEL_MOST = 64 };

const struct tls_suite *tls_suite_find(uint16_t number)
{
    static const struct tls_suite suites[] = {
#define X(number, name, cipher, hash, key, nonce) {number, name, cipher, hash, key, nonce},
        TLS_SUITES(X)
#undef X
    };
    for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++)
        if (suites[i].number == number)
            return &suites[i];
    return NULL;
}

static bool derive(const char *function, const OSSL_PARAM *parameters, uint8_t *out, size_t size)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, function, NULL);
    EVP_KDF_CTX *context = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    bool ok = context && EVP_KDF_derive(context, out, size, parameters) == 1;
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    return ok;
}

/* HKDF-Expand-Label of TLS 1.3, with an empty context. */
static bool expand(const struct tls_suite *suite, const struct keylog_secret *secret,
                   const char *label, uint8_t *out, size_t size)
{
    uint8_t info[LABEL_MOST];
    size_t label_size = strlen(label);
    assert(4 + 6 + label_size <= sizeof info);
    info[0] = 0;
    info[1] = (uint8_t)size;
    info[2] = (uint8_t)(6 + label_size);
    memcpy(info + 3, "tls13 ", 6);
    memcpy(info + 9, label, label_size);
    info[9 + label_size] = 0;
    int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)suite->hash, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)secret->bytes, secret->size),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, 10 + label_size),
        OSSL_PARAM_construct_end(),
    };
    return derive("HKDF", parameters, out, size);
}

/* Returns false if OpenSSL can't. The nonce and the rest of the key are the caller's to set. */
static bool set_key(struct record_key *key, const struct tls_suite *suite, const uint8_t *bytes)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, suite->cipher, NULL);
    if (!key->context)
        key->context = EVP_CIPHER_CTX_new();
    bool ok =
        cipher && key->context && EVP_DecryptInit_ex2(key->context, cipher, bytes, NULL, NULL) == 1;
    EVP_CIPHER_free(cipher);
    key->suite = suite;
    key->number = 0;
    return ok;
}

bool record_key_set(struct record_key *key, const struct tls_suite *suite,
                    const struct keylog_secret *secret)
{
    uint8_t bytes[32];
    assert(suite->key_bytes <= sizeof bytes && suite->nonce_bytes == sizeof key->nonce);
    bool ok = expand(suite, secret, "key", bytes, suite->key_bytes) &&
              expand(suite, secret, "iv", key->nonce, sizeof key->nonce) &&
              set_key(key, suite, bytes);
    key->version = TLS_1_3;
    key->secret = *secret;
    OPENSSL_cleanse(bytes, sizeof bytes);
    return ok;
}

bool record_key_update(struct record_key *key)
{
    assert(key->context && key->version == TLS_1_3);
    struct keylog_secret next = {.size = key->secret.size};
    bool ok = expand(key->suite, &key->secret, "traffic upd", next.bytes, next.size) &&
              record_key_set(key, key->suite, &next);
    OPENSSL_cleanse(&next, sizeof next);
    return ok;
}

bool record_key_set_from_master(struct record_key *key, const struct tls_suite *suite,
                                const struct keylog_secret *master,
                                const uint8_t randoms[2 * KEYLOG_RANDOM_BYTES], bool of_server)
{
    uint8_t seed[13 + 2 * KEYLOG_RANDOM_BYTES];
    uint8_t block[KEY_BLOCK_MOST];
    size_t keys = 2 * suite->key_bytes;
    memcpy(seed, "key expansion", 13);
    memcpy(seed + 13, randoms, 2 * (size_t)KEYLOG_RANDOM_BYTES);
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)suite->hash, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, (void *)master->bytes,
                                          master->size),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed, sizeof seed),
        OSSL_PARAM_construct_end(),
    };
    bool ok = derive("TLS1-PRF", parameters, block, keys + 2 * suite->nonce_bytes) &&
              set_key(key, suite, block + (of_server ? suite->key_bytes : 0));
    if (ok)
        memcpy(key->nonce, block + keys + (of_server ? suite->nonce_bytes : 0), suite->nonce_bytes);
    key->version = TLS_1_2;
    OPENSSL_cleanse(block, sizeof block);
    return ok;
}

static void put_number(uint8_t out[8], uint64_t number)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(number >> (56 - 8 * i));
}

/* Sets the nonce of the next record, whose explicit part is at `body`. */
static void set_nonce(const struct record_key *key, const uint8_t *body, uint8_t nonce[12])
{
    memcpy(nonce, key->nonce, 12);
    if (key->suite->nonce_bytes == 12) {
        uint8_t number[8];
        put_number(number, key->number);
        for (int i = 0; i < 8; i++)
            nonce[4 + i] ^= number[i];
    } else {
        memcpy(nonce + 4, body, EXPLICIT_NONCE_BYTES);
    }
}

/* What is authenticated beside the text. Returns its size. */
static int set_authenticated(const struct record_key *key, const uint8_t *header, size_t text_size,
                             uint8_t out[13])
{
    if (key->version == TLS_1_3) {
        memcpy(out, header, TLS_HEADER_BYTES);
        return TLS_HEADER_BYTES;
    }
    put_number(out, key->number);
    memcpy(out + 8, header, 3);
    out[11] = (uint8_t)(text_size >> 8);
    out[12] = (uint8_t)text_size;
    return 13;
}

bool record_key_open(struct record_key *key, const uint8_t *record, size_t size,
                     struct strbuf *plain)
{
    assert(key->context && size >= TLS_HEADER_BYTES);
    uint8_t nonce[12], authenticated[13];
    const uint8_t *body = record + TLS_HEADER_BYTES;
    size_t left = size - TLS_HEADER_BYTES;
    size_t explicit_bytes = 12 - key->suite->nonce_bytes;
    int written = 0, unused = 0;
    strbuf_reset(plain);
    if (left < explicit_bytes + TAG_BYTES)
        return false;
    set_nonce(key, body, nonce);
    const uint8_t *text = body + explicit_bytes;
    size_t text_size = left - explicit_bytes - TAG_BYTES;
    int authenticated_size = set_authenticated(key, record, text_size, authenticated);
    if (!strbuf_reserve(plain, text_size + TAG_BYTES))
        return false;
    bool ok =
        EVP_DecryptInit_ex2(key->context, NULL, NULL, nonce, NULL) == 1 &&
        EVP_CIPHER_CTX_ctrl(key->context, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES,
                            (void *)(text + text_size)) == 1 &&
        EVP_DecryptUpdate(key->context, NULL, &unused, authenticated, authenticated_size) == 1 &&
        EVP_DecryptUpdate(key->context, (uint8_t *)plain->data, &written, text, (int)text_size) ==
            1 &&
        EVP_DecryptFinal_ex(key->context, (uint8_t *)plain->data + written, &unused) == 1;
    key->number++;
    plain->size = ok ? text_size : 0;
    return ok;
}

void record_key_release(struct record_key *key)
{
    EVP_CIPHER_CTX_free(key->context);
    OPENSSL_cleanse(key, sizeof *key);
    key->context = NULL;
}
