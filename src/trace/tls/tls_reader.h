/* SPDX-License-Identifier: Apache-2.0
 *
 * One TLS connection that was observed from its first byte on: records in, plaintext out.
 *
 * Bytes may be cut anywhere. Once there is a problem nothing more comes out. */
#ifndef WEIR_TRACE_TLS_READER_H
#define WEIR_TRACE_TLS_READER_H

#include "trace/tls/keylog.h"
#include "wire/wire.h"

/* Called with plaintext, borrowed for the call. */
typedef void tls_sink(void *context, enum wire_direction direction, const uint8_t *bytes,
                      size_t size);

struct tls_reader;

/* The key log is borrowed until the end, and may be NULL: then the handshake alone is read. context is
 * borrowed. Returns owned; NULL: no memory. */
WEIR_MUST_CHECK struct tls_reader *tls_reader_new(struct keylog *keylog, tls_sink *sink,
                                                  void *context);

void tls_reader_bytes(struct tls_reader *reader, enum wire_direction direction,
                      const uint8_t *bytes, size_t size);

/* The connection has ended: a secret that is missing still is a problem now. */
void tls_reader_end(struct tls_reader *reader);

/* Why nothing more comes out, as a sentence without a full stop; NULL: it does. Borrowed. */
const char *tls_reader_problem(const struct tls_reader *reader);

/* NULL is allowed. */
void tls_reader_free(struct tls_reader *reader);

#endif
