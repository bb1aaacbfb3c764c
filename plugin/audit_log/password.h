/* SPDX-License-Identifier: Apache-2.0
 *
 * Secrets in statements are never written: the literals in which CREATE USER, ALTER USER, SET
 * PASSWORD, GRANT ... IDENTIFIED, CHANGE MASTER, CREATE SERVER and their like carry passwords and
 * their hashes become '***'.
 *
 * What is a secret is told from the words before a literal, not from the statement's kind: a text
 * with a mistake in it has no kind, and its password is as good as any. In doubt more is masked
 * rather than less: a literal whose end depends on the SQL mode (a backslash before a quote) takes
 * the rest of the statement with it, and a literal that itself holds such words (PREPARE s FROM
 * 'CREATE USER
 * ...') is masked whole. */
#ifndef AUDIT_LOG_PASSWORD_H
#define AUDIT_LOG_PASSWORD_H

#include "encode.h"

/* Whether the statement may hold a secret: a cheap look for the words. */
bool password_may_be_in(weir_string sql);

/* Adds sql with its secrets masked. Returns whether anything was. */
bool password_mask(struct strbuf *out, weir_string sql);

/* Adds an error message about such a statement: from the words that servers quote the statement
 * with ("near '") on it is masked. */
bool password_mask_message(struct strbuf *out, weir_string message);

#endif
