/* SPDX-License-Identifier: Apache-2.0
 *
 * Statements without their secrets: the literals in which CREATE USER, ALTER USER, SET PASSWORD,
 * GRANT ... IDENTIFIED, CHANGE MASTER, CREATE SERVER and their like carry passwords and their hashes
 * become '***'.
 *
 * The words before a literal say whether it is a secret, not the statement's kind: a text
 * with a mistake in it has no kind, and its password is as good as any. In doubt more is masked
 * rather than less: words with a slip of the keyboard count, a secret may have lost its quotes, a
 * literal whose end depends on the SQL mode (a backslash before a quote) takes the rest of the
 * statement with it, and a literal that itself holds such words (PREPARE s FROM 'CREATE USER ...') is
 * masked whole. That is why no mode is asked for. */
#ifndef WEIR_SQL_REDACT_H
#define WEIR_SQL_REDACT_H

#include "base/base.h"
#include "sql/mode.h"

/* Whether the text may hold a secret: a quick look for the words. */
WEIR_MUST_CHECK bool sql_may_hold_secret(struct sql_span text);

/* Adds the text to out with its secrets masked, and returns true; returns false, and adds nothing,
 * if it holds none. If there is no memory it returns true and out->failed is set: the text must not
 * be shown then. Borrows the text. Time in proportion to its length. */
WEIR_MUST_CHECK bool sql_redact(struct strbuf *out, struct sql_span text);

/* The same for a server's error message about a statement: from the words that servers quote the
 * statement with ("near '") on it is masked, if the statement held a secret (of_secret) or the
 * message may hold one. */
WEIR_MUST_CHECK bool sql_redact_message(struct strbuf *out, struct sql_span message,
                                        bool of_secret);

/* Whether a server's message quotes ("near ...") a text that is not in this statement: that of a
 * prepared statement, of a routine. Whether that text holds a secret is not known. */
WEIR_MUST_CHECK bool sql_message_quotes_other(struct sql_span message, struct sql_span statement);

#endif
