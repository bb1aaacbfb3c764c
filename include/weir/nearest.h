/* SPDX-License-Identifier: Apache-2.0
 *
 * The name that somebody meant: the one that takes the fewest letters to change. */
#ifndef WEIR_NEAREST_H
#define WEIR_NEAREST_H

#include <stddef.h>
#include <string.h>

#define NEAREST_NAME_BYTES 48 /* longer ones are near to nothing */

static inline char nearest_lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte | 0x20) : byte;
}

/* How many letters have to be added, taken away, replaced, or exchanged with the next one, to make b of
 * a; letter case does not matter. */
static inline unsigned nearest_distance(const char *a, const char *b)
{
    unsigned rows[3][NEAREST_NAME_BYTES + 1];
    size_t a_size = strlen(a), b_size = strlen(b);
    if (a_size > NEAREST_NAME_BYTES || b_size > NEAREST_NAME_BYTES)
        return NEAREST_NAME_BYTES;
    for (size_t j = 0; j <= b_size; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a_size; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_size; j++) {
            char x = nearest_lower(a[i - 1]), y = nearest_lower(b[j - 1]);
            unsigned best = above[j - 1] + (x != y);
            best = above[j] + 1 < best ? above[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            if (i > 1 && j > 1 && x == nearest_lower(b[j - 2]) && y == nearest_lower(a[i - 2]) &&
                before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            row[j] = best;
        }
    }
    return rows[a_size % 3][b_size];
}

/* Keeps in *best the name that is nearest to `text`: call it with each, *best being NULL at first. A
 * name that differs in more than a third of its letters is not taken. */
static inline void nearest_consider(const char *text, const char *name, const char **best,
                                    unsigned *best_distance)
{
    unsigned distance = nearest_distance(text, name), most = (unsigned)strlen(name) / 3;
    if (distance > (most ? most : 1) || (*best && distance >= *best_distance))
        return;
    *best = name;
    *best_distance = distance;
}

#endif
