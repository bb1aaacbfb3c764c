/* SPDX-License-Identifier: Apache-2.0
 *
 * Passwords under RSA: OpenSSL does it, and its buffers are wiped. */
#include "gateway/net/password_key.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define KEY_BITS       2048
#define MOST_KEY_BYTES 2048 /* of a foreign key's modulus: 16384 bits, OpenSSL's own limit */

struct password_key {
    pthread_mutex_t lock; /* held while they are made */
    EVP_PKEY *pair;       /* NULL: not yet. Constant once it is there */
};

struct password_key *password_key_new(struct error *error)
{
    struct password_key *key = calloc(1, sizeof *key);
    if (key)
        pthread_mutex_init(&key->lock, NULL);
    else
        error_set(error, "out of memory");
    return key;
}

bool password_key_prepare(struct password_key *key)
{
    pthread_mutex_lock(&key->lock);
    if (!key->pair)
        key->pair = EVP_RSA_gen(KEY_BITS);
    const bool is_there = key->pair != NULL;
    pthread_mutex_unlock(&key->lock);
    if (!is_there)
        log_error(
            "gateway",
            "cannot make a pair of RSA keys for passwords; logins that need them are refused");
    return is_there;
}

void password_key_free(struct password_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->pair);
    pthread_mutex_destroy(&key->lock);
    free(key);
}

bool password_key_public(struct password_key *key, struct strbuf *pem)
{
    BIO *bio = password_key_prepare(key) ? BIO_new(BIO_s_mem()) : NULL;
    char *text = NULL;
    const bool is_written = bio && PEM_write_bio_PUBKEY(bio, key->pair) == 1;
    const long size = is_written ? BIO_get_mem_data(bio, &text) : 0;
    if (size > 0)
        strbuf_add(pem, text, (size_t)size);
    BIO_free(bio);
    return size > 0 && !pem->failed;
}

typedef int rsa_operation(EVP_PKEY_CTX *context, unsigned char *out, size_t *out_size,
                          const unsigned char *in, size_t in_size);

/* Appends what the operation makes of the bytes. */
static bool apply(rsa_operation *operation, EVP_PKEY_CTX *context, const uint8_t *bytes,
                  size_t size, struct strbuf *out)
{
    unsigned char result[MOST_KEY_BYTES];
    size_t result_size = sizeof result;
    const bool ok = EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) > 0 &&
                    (size_t)EVP_PKEY_get_size(EVP_PKEY_CTX_get0_pkey(context)) <= sizeof result &&
                    operation(context, result, &result_size, bytes, size) > 0;
    if (ok)
        strbuf_add(out, result, result_size);
    OPENSSL_cleanse(result, sizeof result);
    ERR_clear_error();
    return ok && !out->failed;
}

bool password_key_decrypt(struct password_key *key, const uint8_t *bytes, size_t size,
                          struct strbuf *out)
{
    EVP_PKEY_CTX *context = password_key_prepare(key) ? EVP_PKEY_CTX_new(key->pair, NULL) : NULL;
    const bool ok = context && EVP_PKEY_decrypt_init(context) > 0 &&
                    apply(EVP_PKEY_decrypt, context, bytes, size, out);
    EVP_PKEY_CTX_free(context);
    return ok;
}

bool password_encrypt(const uint8_t *pem, size_t pem_size, const uint8_t *bytes, size_t size,
                      struct strbuf *out)
{
    BIO *bio = pem_size <= INT_MAX ? BIO_new_mem_buf(pem, (int)pem_size) : NULL;
    EVP_PKEY *foreign = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
    const bool is_rsa = foreign && EVP_PKEY_get_base_id(foreign) == EVP_PKEY_RSA;
    EVP_PKEY_CTX *context = is_rsa ? EVP_PKEY_CTX_new(foreign, NULL) : NULL;
    const bool ok = context && EVP_PKEY_encrypt_init(context) > 0 &&
                    apply(EVP_PKEY_encrypt, context, bytes, size, out);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(foreign);
    BIO_free(bio);
    ERR_clear_error();
    return ok;
}
