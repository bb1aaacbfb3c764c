/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows that come one by one, from whoever lists something, and are answered together: their texts are copied. */
#ifndef WEIR_GATEWAY_LOCAL_COLLECTED_ROWS_H
#define WEIR_GATEWAY_LOCAL_COLLECTED_ROWS_H

#include "gateway/local/local.h"

struct collected_rows {
    char **cells; /* owned, with their texts; row by row */
    size_t columns, count, capacity;
    bool no_memory; /* something is missing: the answer says so */
};

/* Adds a row of as many cells as there are columns; NULL is NULL. columns is set before the first one. */
void collected_rows_add(struct collected_rows *rows, const char *const *cells);

/* The answer; the rows are borrowed until it is written. */
struct local_action collected_rows_answer(const struct collected_rows *rows, struct local *local,
                                          const char *const *columns);

void collected_rows_release(struct collected_rows *rows);

/* "" is not known: NULL. */
static inline const char *collected_known(const char *text)
{
    return *text ? text : NULL;
}

#endif
