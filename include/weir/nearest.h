/* SPDX-License-Identifier: Apache-2.0
 *
 * "Did you mean ...?": the name of a list that a misspelt one is most like. */
#ifndef WEIR_NEAREST_H
#define WEIR_NEAREST_H

#include <stddef.h>
#include <string.h>

#define NEAREST_NAME_BYTES 64 /* longer names are like nothing */

/* The search: zeroed but for `wanted`; then each name is offered, and `name` is the best so far. */
struct nearest {
    const char *wanted; /* borrowed */
    const char *name;   /* borrowed from who offered it; NULL: nothing is like it */
    size_t distance;    /* of name: letters to change, add, leave out, or swap with the next one */
};

static inline char nearest_folded(char letter)
{
    return letter == '-' ? '_' : letter >= 'A' && letter <= 'Z' ? (char)(letter | 0x20) : letter;
}

static inline size_t nearest_least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The distance of Damerau and Levenshtein, with swaps of neighbours only: three rows of the table at
 * a time. From a to the first `width` letters of b. Both are shorter than NEAREST_NAME_BYTES. */
static inline size_t nearest_distance(const char *a, const char *b, size_t width)
{
    size_t rows[3][NEAREST_NAME_BYTES];
    size_t i = 0;
    for (size_t j = 0; j <= width; j++)
        rows[0][j] = j;
    for (; a[i]; i++) {
        const size_t *before = rows[(i + 2) % 3], *above = rows[i % 3];
        size_t *row = rows[(i + 1) % 3];
        const char x = nearest_folded(a[i]);
        row[0] = i + 1;
        for (size_t j = 0; j < width; j++) {
            const char y = nearest_folded(b[j]);
            row[j + 1] =
                nearest_least(above[j] + (x != y), 1 + nearest_least(above[j + 1], row[j]));
            if (i && j && x == nearest_folded(b[j - 1]) && nearest_folded(a[i - 1]) == y)
                row[j + 1] = nearest_least(row[j + 1], before[j - 1] + 1);
        }
    }
    return rows[i % 3][width];
}

/* Capitals, '-' and '_' make no difference. A name that has little more than its length in common is
 * not taken; one that goes on after what is like it ("Dorp" for DropTable) counts as one letter more.
 * name NULL: nothing happens. */
static inline void nearest_offer(struct nearest *nearest, const char *name)
{
    const size_t size = name ? strlen(name) : 0, wanted = strlen(nearest->wanted);
    const size_t limit = 1 + wanted / 5;
    if (!name || size >= NEAREST_NAME_BYTES || wanted >= NEAREST_NAME_BYTES)
        return;
    const size_t whole = nearest_distance(nearest->wanted, name, size);
    size_t beginning = whole;
    if (size > wanted && wanted > 2 * limit)
        beginning = nearest_distance(nearest->wanted, name, wanted);
    const size_t distance = nearest_least(whole, beginning + 1);
    if ((whole > limit && beginning > limit) || (nearest->name && distance >= nearest->distance))
        return;
    nearest->name = name;
    nearest->distance = distance;
}

#endif
