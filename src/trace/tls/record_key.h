/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to the room: the key of one direction of a TLS connection, how it follows from a secret,
 * and records that are decrypted with it. */
#ifndef WEIR_TRACE_RECORD_KEY_H
#define WEIR_TRACE_RECORD_KEY_H

#include <openssl/evp.h>
#include <stdint.h>

#include "trace/tls/keylog.h"

enum { TLS_1_2 = 0x0303, TLS_1_3 = 0x0304, TLS_HEADER_BYTES = 5 };

/* X(number, name, cipher of OpenSSL, hash, bytes of a key, bytes of the fixed part of a nonce): the
 * cipher suites that can be read. In TLS 1.2, 4 bytes of AES-GCM's nonce are fixed, and 8 come with
 * each record. */
#define TLS_SUITES(X)                                                                              \
    X(0x1301, "TLS_AES_128_GCM_SHA256", "AES-128-GCM", "SHA256", 16, 12)                           \
    X(0x1302, "TLS_AES_256_GCM_SHA384", "AES-256-GCM", "SHA384", 32, 12)                           \
    X(0x1303, "TLS_CHACHA20_POLY1305_SHA256", "ChaCha20-Poly1305", "SHA256", 32, 12)               \
    X(0x009c, "AES128-GCM-SHA256", "AES-128-GCM", "SHA256", 16, 4)                                 \
    X(0x009d, "AES256-GCM-SHA384", "AES-256-GCM", "SHA384", 32, 4)                                 \
    X(0x009e, "DHE-RSA-AES128-GCM-SHA256", "AES-128-GCM", "SHA256", 16, 4)                         \
    X(0x009f, "DHE-RSA-AES256-GCM-SHA384", "AES-256-GCM", "SHA384", 32, 4)                         \
    X(0xc02b, "ECDHE-ECDSA-AES128-GCM-SHA256", "AES-128-GCM", "SHA256", 16, 4)                     \
    X(0xc02c, "ECDHE-ECDSA-AES256-GCM-SHA384", "AES-256-GCM", "SHA384", 32, 4)                     \
    X(0xc02f, "ECDHE-RSA-AES128-GCM-SHA256", "AES-128-GCM", "SHA256", 16, 4)                       \
    X(0xc030, "ECDHE-RSA-AES256-GCM-SHA384", "AES-256-GCM", "SHA384", 32, 4)                       \
    X(0xcca8, "ECDHE-RSA-CHACHA20-POLY1305", "ChaCha20-Poly1305", "SHA256", 32, 12)                \
    X(0xcca9, "ECDHE-ECDSA-CHACHA20-POLY1305", "ChaCha20-Poly1305", "SHA256", 32, 12)              \
    X(0xccaa, "DHE-RSA-CHACHA20-POLY1305", "ChaCha20-Poly1305", "SHA256", 32, 12)

struct tls_suite {
    uint16_t number;
    const char *name, *cipher, *hash;
    size_t key_bytes, nonce_bytes;
};

/* Static; NULL: one that can't be read. */
const struct tls_suite *tls_suite_find(uint16_t number);

struct record_key {
    EVP_CIPHER_CTX *context; /* NULL: there is no key yet */
    const struct tls_suite *suite;
    uint16_t version;
    uint8_t nonce[12];
    uint64_t number;             /* of the next record */
    struct keylog_secret secret; /* TLS 1.3: which the next key follows from */
};

/* TLS 1.3: the key that follows from a traffic secret. Frees the key before it. Returns false if
 * OpenSSL can't. */
WEIR_MUST_CHECK bool record_key_set(struct record_key *key, const struct tls_suite *suite,
                                    const struct keylog_secret *secret);

/* TLS 1.3: the next key of the same direction (KeyUpdate). */
WEIR_MUST_CHECK bool record_key_update(struct record_key *key);

/* TLS 1.2: the key of the client or the server. randoms: the server's, then the client's. */
WEIR_MUST_CHECK bool record_key_set_from_master(struct record_key *key,
                                                const struct tls_suite *suite,
                                                const struct keylog_secret *master,
                                                const uint8_t randoms[2 * KEYLOG_RANDOM_BYTES],
                                                bool of_server);

/* Decrypts the next record, header and body, into plain, which is emptied first. Returns false if
 * the key does not fit. */
WEIR_MUST_CHECK bool record_key_open(struct record_key *key, const uint8_t *record, size_t size,
                                     struct strbuf *plain);

/* Frees and wipes. */
void record_key_release(struct record_key *key);

#endif
