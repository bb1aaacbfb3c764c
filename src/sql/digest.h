/* SPDX-License-Identifier: Apache-2.0
 *
 * The normalised text of a statement and its digest, equal to TiDB's StmtCtx.SQLDigest(): the
 * lower-case hex SHA-256 of the normalised text. No parsing takes place and any bytes have a
 * digest.
 *
 *     struct sql_digester digester;
 *     sql_digester_init(&digester);
 *     struct sql_span normalized;
 *     if (sql_normalize(&digester, statement, &normalized)) {
 *         char hex[SQL_DIGEST_BYTES];
 *         sql_digest(&digester, normalized, hex);
 *     }
 *     sql_digester_release(&digester);
 *
 * It never depends on the session: statements are read as utf8mb4 with backslash escapes and
 * "strings", whatever the mode, because TiDB's digester does so, and because a digest that changed
 * with the session would be of no use as the name of a statement. For the same reason the code in
 * slash*! comments is always part of it, whatever version they name, as is that of TiDB's feature
 * comments; slash*M! comments, which TiDB takes for plain ones, are never. (The kind and the tables
 * of a statement do look into them; see kind.h.)
 *
 * A digester keeps its memory between statements: once it has grown to the longest one nothing is
 * allocated any more. One thread at a time each. */
#ifndef WEIR_SQL_DIGEST_H
#define WEIR_SQL_DIGEST_H

#include "base/check.h"
#include "sql/mode.h"

#define SQL_DIGEST_BYTES 65 /* 64 hex digits and a NUL */

struct sql_digester {
    unsigned char *copy; /* owned: the statement in lower case */
    size_t copy_capacity;
    unsigned char *text; /* owned: the normalised text, as it grows */
    size_t capacity;     /* of text, bytes */
    uint64_t *tokens;    /* owned: where each token that is in text starts, and what it is */
    size_t token_capacity;
};

void sql_digester_init(struct sql_digester *digester);
void sql_digester_release(struct sql_digester *digester);

/* *normalized lives until the next call with the same digester; it is valid UTF-8. False: there is
 * no memory. Time in proportion to the statement's length. */
WEIR_MUST_CHECK bool sql_normalize(struct sql_digester *digester, struct sql_span statement,
                                   struct sql_span *normalized);

/* The digest of a normalised text. False: OpenSSL cannot hash. */
WEIR_MUST_CHECK bool sql_digest(struct sql_digester *digester, struct sql_span normalized,
                                char hex[SQL_DIGEST_BYTES]);

/* Whether the digest tells all that a server in this mode reads in the text (agree.c). False: two
 * statements that do different things may have this digest, so that none should be let through by
 * it. Twice the time of reading the text; no memory. */
WEIR_MUST_CHECK bool sql_digest_is_exact(struct sql_span statement, const struct sql_mode *mode);

#endif
