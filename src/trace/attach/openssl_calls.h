/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to the room: the plaintext of TLS connections, at a client library's calls of OpenSSL.
 *
 * TLS goes past the socket table: OpenSSL reads and writes the socket itself. The file's imports of
 * SSL_read and SSL_write are replaced (import_table.h). That needs OpenSSL to be a shared library. */
#ifndef WEIR_TRACE_OPENSSL_CALLS_H
#define WEIR_TRACE_OPENSSL_CALLS_H

#include <stdbool.h>

#include "base/base.h"
#include "trace/attach/traffic.h"

/* Reports the plaintext that the file holding `caller` reads and writes to `callback`. Returns false
 * if not all of it will be seen: the file does not call OpenSSL, or has it linked in. Something may
 * have been patched even then: openssl_calls_detach() puts it back. */
WEIR_MUST_CHECK bool openssl_calls_attach(void *caller, traffic_function *callback);

/* Puts OpenSSL's functions back. Does nothing if nothing is attached. */
void openssl_calls_detach(void);

#endif
