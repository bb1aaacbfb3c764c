/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to the room: the tables of a summary, as summary.c fills and summary_print.c prints them. */
#ifndef WEIR_TRACE_SUMMARY_ROWS_H
#define WEIR_TRACE_SUMMARY_ROWS_H

#include <uthash.h>

#include "sql/sql.h"
#include "trace/summary/histogram.h"
#include "trace/summary/summary.h"

enum {
    SUMMARY_DIGESTS_MOST = 10000,
    SUMMARY_CLIENTS_MOST = 10000,
    SUMMARY_TEXT_MOST = 1024, /* bytes of a normalised text that are kept */
};

/* A digest, or a client. */
struct summary_row {
    char *name;       /* owned: the key: the normalised text, cut, with its digest; user@host */
    char *digest;     /* owned; NULL: it is no statement, or a client */
    const char *text; /* in name: without what makes it a key */
    uint64_t count, errors, unanswered, rows, affected_rows;
    struct histogram times;
    UT_hash_handle hh;
};

struct summary_table {
    struct summary_row *rows; /* by name */
    size_t most;
    bool are_digests;           /* their texts are UTF-8 */
    struct summary_row *others; /* beyond `most`; NULL: none. It is in rows too */
};

struct summary {
    struct summary_table digests, clients;
    struct sql_digester digester;
    struct strbuf key;
    uint64_t count, errors, unanswered, failed; /* failed: not counted, for lack of memory */
    uint64_t first_ns, last_ns;
};

#endif
