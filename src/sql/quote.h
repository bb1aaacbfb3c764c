/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing bytes so that every server reads them as they are, whatever its sql_mode and the
 * connection's character set: names, strings, and what HEX() has printed.
 *
 * All of them add to `out`, which says by `failed` when there was no memory, and borrow the bytes
 * during the call. */
#ifndef WEIR_SQL_QUOTE_H
#define WEIR_SQL_QUOTE_H

#include "base/base.h"
#include "sql/mode.h"

/* Adds `name`, with back quotes, those inside doubled. */
void sql_quote_name(struct strbuf *out, struct sql_span name);

/* Adds a string literal that means these bytes of UTF-8. */
void sql_quote_text(struct strbuf *out, struct sql_span text);

/* Adds the bytes that HEX() has printed as these digits. It is how values come back from a server
 * whatever the connection's character set is. An odd digit at the end is ignored. */
void sql_unhex(struct strbuf *out, struct sql_span digits);

#endif
