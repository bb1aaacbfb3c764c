/* SPDX-License-Identifier: Apache-2.0
 *
 * trace/tls: the plaintext of TLS connections that were only observed, with the keys that one of
 * their ends has logged.
 *
 * Promises: bytes of both directions go in, as they were captured; the bytes that the two programs
 * exchanged come out, or a sentence that says why not. Nothing is verified but that a record is what
 * the key says: no certificates, no signatures.
 *
 *   keylog.h     the keys that clients write (SSLKEYLOGFILE)
 *   tls_reader.h one connection
 *
 * TLS 1.2 and 1.3 with AES-GCM and ChaCha20-Poly1305. Uses wire, base and OpenSSL's libcrypto. One
 * thread at a time for each object. All of this reads foreign bytes: tests/fuzz/trace/fuzz_tls.c. */
#ifndef WEIR_TRACE_TLS_H
#define WEIR_TRACE_TLS_H

#include "trace/tls/keylog.h"
#include "trace/tls/tls_reader.h"

#endif
