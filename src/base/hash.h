/* SPDX-License-Identifier: Apache-2.0
 *
 * SHA-256. The one place that calls OpenSSL's libcrypto for it, so that the rooms above need not. */
#ifndef WEIR_BASE_HASH_H
#define WEIR_BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"

#define HASH_SHA256_BYTES 32

/* Writes the hash of `size` bytes, which may be none. Returns false if OpenSSL cannot hash; *hash is
 * undefined then. Any thread. */
WEIR_MUST_CHECK bool hash_sha256(const void *bytes, size_t size,
                                 unsigned char hash[HASH_SHA256_BYTES]);

#endif
