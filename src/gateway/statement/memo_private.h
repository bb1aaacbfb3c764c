/* SPDX-License-Identifier: Apache-2.0
 *
 * What memo.c (how memos live) and memo_facts.c (what is computed into them) share. */
#ifndef WEIR_GATEWAY_STATEMENT_MEMO_PRIVATE_H
#define WEIR_GATEWAY_STATEMENT_MEMO_PRIVATE_H

#include "gateway/statement/execute_parameters.h"
#include "gateway/statement/observed.h"

struct memo {
    struct memo *next; /* in the environment's list */
    bool has_kinds, has_digest, has_normalized, has_parts, has_tables, has_redacted, has_expanded,
        has_exact;
    bool holds_secret;    /* with has_redacted: redacted differs from the text */
    bool is_expandable;   /* with has_expanded: expanded is the text with its parameters */
    bool digest_is_exact; /* with has_exact */
    struct sql_kinds kinds;
    char digest[SQL_DIGEST_BYTES];
    struct strbuf normalized;
    struct sql_tables tables;
    struct sql_parts parts;
    struct strbuf redacted;  /* the text without its passwords */
    struct strbuf message;   /* the same of the error message asked for last */
    struct strbuf parameter; /* text of the parameter asked for last */
    struct parameter_cursor parameters;
    struct strbuf expanded;
    struct strbuf part;    /* text of the part asked for last */
    struct strbuf unknown; /* what is not known of the session */
    struct strbuf sql_mode;
};

/* The current statement's memo. NULL: there is no memory. */
struct memo *memo_of(struct observed *observed);

#endif
