/* SPDX-License-Identifier: Apache-2.0
 *
 * One table of cells that grows by whole rows. */
#include "gateway/local/collected_rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FEWEST_ROWS 16

static bool make_room(struct collected_rows *rows)
{
    if (rows->count < rows->capacity)
        return true;
    const size_t capacity = rows->capacity ? 2 * rows->capacity : FEWEST_ROWS;
    char **cells = reallocarray(rows->cells, capacity, rows->columns * sizeof *cells);
    if (!cells)
        return false;
    rows->cells = cells;
    rows->capacity = capacity;
    return true;
}

void collected_rows_add(struct collected_rows *rows, const char *const *cells)
{
    assert(rows->columns > 0 && cells);
    if (!make_room(rows)) {
        rows->no_memory = true;
        return;
    }
    char **row = rows->cells + rows->count++ * rows->columns;
    for (size_t i = 0; i < rows->columns; i++) {
        row[i] = cells[i] ? strdup(cells[i]) : NULL;
        rows->no_memory = rows->no_memory || (cells[i] && !row[i]);
    }
}

struct local_action collected_rows_answer(const struct collected_rows *rows, struct local *local,
                                          const char *const *columns)
{
    if (rows->no_memory)
        return local_out_of_memory(local);
    return local_rows(local, columns, rows->columns, (const char *const *)rows->cells, rows->count);
}

void collected_rows_release(struct collected_rows *rows)
{
    for (size_t i = 0; i < rows->count * rows->columns; i++)
        free(rows->cells[i]);
    free(rows->cells);
    *rows = (struct collected_rows){.columns = rows->columns};
}
