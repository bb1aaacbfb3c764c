/* SPDX-License-Identifier: Apache-2.0
 *
 * What is known of a session, in the words that plugins read. */
#ifndef WEIR_GATEWAY_STATEMENT_DESCRIBE_H
#define WEIR_GATEWAY_STATEMENT_DESCRIBE_H

#include "gateway/statement/observed.h"

/* Adds what is not known, and why: "database, reading: the backend did not say". */
void describe_unknown(const struct identity *identity, struct strbuf *out);

/* The flags that are on, as a sql_mode variable has them ("ANSI_QUOTES,ORACLE"), in `out`. */
weir_string describe_sql_mode(const struct sql_mode *mode, struct strbuf *out);

/* The character set's name; absent when it is not one that weir knows. */
weir_string describe_character_set(const struct sql_mode *mode);

#endif
