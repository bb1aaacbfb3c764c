/* SPDX-License-Identifier: Apache-2.0
 *
 * Statements by digest and by client. */
#ifndef WEIR_TRACE_SUMMARY_H
#define WEIR_TRACE_SUMMARY_H

#include <stdio.h>

#include "base/base.h"
#include "wire/wire.h"

/* One command and its outcome; all is borrowed for the call. */
struct summary_statement {
    const char *user, *host;   /* the client; NULL: unknown */
    const char *command;       /* static: "Query", "Ping" */
    struct wire_string text;   /* of the statement; data NULL: it has none */
    bool is_preparation;       /* the text was prepared, not run */
    bool is_answered;          /* the reply was seen to its end, or none is due */
    uint64_t start_ns, end_ns; /* of the command and the end of its reply; 0: unknown */
    uint64_t rows, affected_rows;
    uint16_t error_code; /* 0: none */
};

struct summary;

/* Returns owned; NULL: no memory. */
WEIR_MUST_CHECK struct summary *summary_new(void);

void summary_add(struct summary *summary, const struct summary_statement *statement);

/* Both print the `most` digests, and clients, that took longest; 0: all. */
void summary_print_text(struct summary *summary, size_t most, FILE *out);
void summary_print_json(struct summary *summary, size_t most, FILE *out);

/* NULL is allowed. */
void summary_free(struct summary *summary);

#endif
