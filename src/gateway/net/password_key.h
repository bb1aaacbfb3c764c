/* SPDX-License-Identifier: Apache-2.0
 *
 * RSA as sha256_password and caching_sha2_password use it for passwords on connections that TLS does not
 * encrypt: OAEP with SHA-1. Any thread. */
#ifndef WEIR_GATEWAY_NET_PASSWORD_KEY_H
#define WEIR_GATEWAY_NET_PASSWORD_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"

/* A pair of keys that lives as long as the process: clients encrypt their passwords for it. */
struct password_key;

/* Makes one, which takes some tenths of a second. Returns owned (password_key_free), or NULL and a
 * message. */
struct password_key *password_key_new(struct error *error) WEIR_MUST_CHECK;
void password_key_free(struct password_key *key); /* key may be NULL */

/* Appends the public half, in PEM. false: no memory. */
bool password_key_public(const struct password_key *key, struct strbuf *pem) WEIR_MUST_CHECK;

/* Appends what was encrypted for it. false: it was not. */
bool password_key_decrypt(const struct password_key *key, const uint8_t *bytes, size_t size,
                          struct strbuf *out) WEIR_MUST_CHECK;

/* Encrypts for somebody else's public key, foreign text in PEM. false: it is none, or too small for
 * so many bytes. */
bool password_encrypt(const uint8_t *pem, size_t pem_size, const uint8_t *bytes, size_t size,
                      struct strbuf *out) WEIR_MUST_CHECK;

#endif
