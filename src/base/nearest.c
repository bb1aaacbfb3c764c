/* SPDX-License-Identifier: Apache-2.0
 *
 * The distance is that of Damerau and Levenshtein, with swaps of neighbours only: three rows of the
 * table at a time. */
#include "base/nearest.h"

#include <assert.h>
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static char folded(char letter)
{
    return letter == '-' ? '_' : (char)tolower((unsigned char)letter);
}

static size_t least_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Both are shorter than NEAREST_NAME_BYTES. */
static size_t distance_between(const char *a, const char *b)
{
    size_t rows[3][NEAREST_NAME_BYTES];
    const size_t width = strlen(b);
    size_t i = 0;
    for (size_t j = 0; j <= width; j++)
        rows[0][j] = j;
    for (; a[i]; i++) {
        const size_t *before = rows[(i + 2) % 3], *above = rows[i % 3];
        size_t *row = rows[(i + 1) % 3];
        row[0] = i + 1;
        for (size_t j = 0; j < width; j++) {
            bool is_same = folded(a[i]) == folded(b[j]);
            bool is_swap =
                i && j && folded(a[i]) == folded(b[j - 1]) && folded(a[i - 1]) == folded(b[j]);
            row[j + 1] = least_of(above[j] + !is_same, 1 + least_of(above[j + 1], row[j]));
            if (is_swap)
                row[j + 1] = least_of(row[j + 1], before[j - 1] + 1);
        }
    }
    return rows[i % 3][width];
}

void nearest_offer(struct nearest *nearest, const char *name)
{
    assert(nearest && nearest->wanted);
    if (!name || strlen(name) >= NEAREST_NAME_BYTES ||
        strlen(nearest->wanted) >= NEAREST_NAME_BYTES)
        return;
    const size_t limit = 1 + strlen(nearest->wanted) / 5;
    const size_t distance = distance_between(nearest->wanted, name);
    if (distance > limit || (nearest->name && distance >= nearest->distance))
        return;
    nearest->name = name;
    nearest->distance = distance;
}
