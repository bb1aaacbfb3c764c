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

/* Makes none yet. Returns owned (password_key_free), or NULL and a message. */
struct password_key *password_key_new(struct error *error) WEIR_MUST_CHECK;

/* Makes the pair, unless it is there: some tenths of a second, which the first caller of what follows
 * waits for otherwise. Returns whether it is there. */
bool password_key_prepare(struct password_key *key);
void password_key_free(struct password_key *key); /* key may be NULL */

/* Appends the public half, in PEM. false: no memory, or no keys. */
bool password_key_public(struct password_key *key, struct strbuf *pem) WEIR_MUST_CHECK;

/* Appends what was encrypted for it. false: it was not. */
bool password_key_decrypt(struct password_key *key, const uint8_t *bytes, size_t size,
                          struct strbuf *out) WEIR_MUST_CHECK;

/* Encrypts for somebody else's public key, foreign text in PEM. false: it is none, or too small for
 * so many bytes. */
bool password_encrypt(const uint8_t *pem, size_t pem_size, const uint8_t *bytes, size_t size,
                      struct strbuf *out) WEIR_MUST_CHECK;

#endif
